#include "domain/calls/call_codes.h"

#include "base/str.h"

#include <stdio.h>

/* code, subcode: the service's. q850: ITU-T Q.850 table 1. */
static const struct {
    int         code, subcode, q850;
    const char *words;
} reasons[N_CALL_REASONS] = {
    [CALL_LEFT]          = { 0, 0, 16, "The call was ended by the local participant." },
    [CALL_ENDED_FOR_ALL] = { 0, 7000, 16, "The call was ended for everyone by the platform." },
    [CALL_CANCELLED]     = { 487, 540487, 16, "The call was cancelled before it was answered." },
    [CALL_PEER_LEFT]     = { 0, 560000, 16, "The call was ended normally by the remote phone." },
    [CALL_UNANSWERED]    = { 480, 560480, 19, "Nobody answered in time." },
    [CALL_DECLINED]      = { 603, 0, 21, "The application rejected the call." },
    [CALL_OVER_LIMIT]    = { 603, 560603, 21, "This number has as many outbound calls at once as it may." },
    [CALL_NO_MEDIA]      = { 500, 560500, 41, "No audio could be set up for the call." },
    [CALL_SILENT_EDGE]   = { 408, 560408, 102, "The other side did not respond in time." },
    [CALL_RESTARTED]     = { 500, 560500, 41, "The platform was restarted during the call." },
};

void call_end_set(struct call_end *end, enum call_reason reason)
{
    *end = (struct call_end){ .code = reasons[reason].code, .subcode = reasons[reason].subcode };
    str_copyz(end->words, sizeof end->words, str_of(reasons[reason].words));
}

int call_reason_q850(enum call_reason reason)
{
    return reasons[reason].q850;
}

/* The statuses with words of their own. The subcode of any is 560000 + the status it is told as. */
static const struct {
    int         status, as;
    const char *words;
} answers[] = {
    { 403, 403, "The call was forbidden, cancelled or rejected by the network." },
    { 404, 404, "The number was not found or is not assigned." },
    { 408, 408, "The called party did not respond in time." },
    { 410, 404, "The number is no longer in service." },
    { 480, 480, "No answer, or the called party is not available." },
    { 484, 484, "The number is incomplete or invalid." },
    { 486, 486, "The called party is busy." },
    { 487, 487, "The call was ended before it was answered." },
    { 600, 486, "The called party is busy everywhere." },
    { 603, 603, "The call was declined." },
    { 604, 404, "The number does not exist anywhere." },
};

void call_end_set_sip(struct call_end *end, int status, int q850, struct str words)
{
    int as = status == 503 ? 503 : status >= 500 && status < 600 ? 500 : status;
    const char *text = status == 503 ? "The network is out of order or full." : status >= 500 && status < 600
        ? "An internal error in the network ended the call." : "The network refused the call.";
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        if (answers[i].status == status) {
            as = answers[i].as;
            text = answers[i].words;
        }
    *end = (struct call_end){ .code = as, .subcode = 560000 + as, .sip = status, .q850 = q850 };
    str_copyz(end->words, sizeof end->words, str_of(text));
    str_copyz(end->sip_words, sizeof end->sip_words, words);
}
