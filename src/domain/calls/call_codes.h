/* call_codes.h - how calls end: the service's code and subcode for each reason.
 *
 * Pure: any thread. Sources: the published tables of call end codes (docs/calls.md). */
#pragma once
#include "base/base.h"

struct call_end {
    int  code, subcode;     /* resultInformation */
    int  sip, q850;         /* what the carrier said; 0: nothing */
    char words[160];        /* resultInformation.message */
    char sip_words[96];     /* the carrier's reason phrase */
};

enum call_reason {
    CALL_LEFT,              /* the application hung up */
    CALL_ENDED_FOR_ALL,     /* ... for everyone */
    CALL_CANCELLED,         /* ... before the answer */
    CALL_PEER_LEFT,         /* the phone hung up */
    CALL_UNANSWERED,        /* nobody answered in time */
    CALL_DECLINED,          /* rejectCall */
    CALL_OVER_LIMIT,        /* the number has its calls already */
    CALL_NO_MEDIA,          /* no socket for audio */
    CALL_SILENT_EDGE,       /* the edge did not say how it ended */
    CALL_RESTARTED,         /* the platform was restarted */
    N_CALL_REASONS,
};

void call_end_set(struct call_end *end, enum call_reason reason);
/** A final SIP status before the answer (RFC 3261, 21): 486 becomes 486/560486. */
void call_end_set_sip(struct call_end *end, int status, int q850, struct str words);
/** The Q.850 cause to say when this side ends a call for that reason. */
int call_reason_q850(enum call_reason reason);
