/* magic.h - the numbers +1 NPA 555-0150..0199, whose last two digits choose what the simulated networks do.
 *
 * One list: behaviour here, words for people in docs/magic-numbers.md (a test compares the two). Everything else is
 * kind: a call is answered after a second and heard out, an SMS is delivered within one. Pure; any thread. */
#pragma once
#include "base/base.h"
#include "sim/smsc.h"

enum { MAGIC_ANSWER_MS = 1000, MAGIC_SOUND_MS = 500, MAGIC_DEAF_MS = 5000 };
enum { MAGIC_RINGS_ON = -1 };

struct magic {
    const char *digits;             /* the XX of 555-01XX */
    const char *words;
    int         answer_ms;          /* 0: MAGIC_ANSWER_MS; MAGIC_RINGS_ON: never */
    int         status, q850;       /* the call is refused with these; status 0: it is not */
    const char *keys;               /* pressed after MAGIC_SOUND_MS of sound, or MAGIC_DEAF_MS without */
    int         hang_up_ms;         /* after the answer; 0: hears the call out */
    enum smsc_fate sms;             /* SMSC_DELIVERS is 0 */
    int         receipt_ms;         /* 0: as the SMSC's settings say (100 ms) */
    uint32_t    receipt_err;        /* SMSC_LOSES */
    uint32_t    command_status;     /* SMSC_REJECTS (SMPP 3.4, 5.1.3) */
    bool        every_other;        /* SMSC_REJECTS: the first attempt, not the second, then again */
    const char *reply;              /* goes back before the text of each SMS; NULL: none */
};

#define MAGIC(M)                                                                                                        \
    M("50", "Call: busy (486, Q.850 17).", .status = 486, .q850 = 17)                                                   \
    M("51", "Call: rings and nobody answers.", .answer_ms = MAGIC_RINGS_ON)                                             \
    M("52", "Call: declined (603, Q.850 21).", .status = 603, .q850 = 21)                                               \
    M("53", "Call: unallocated number (404, Q.850 1).", .status = 404, .q850 = 1)                                       \
    M("54", "Call: answers and presses 1 2 3 after hearing half a second of sound (5 s when it hears none).",           \
      .keys = "123")                                                                                                    \
    M("55", "Call: answers and hangs up after 2 s.", .hang_up_ms = 2000)                                                \
    M("56", "Call: answers after 10 s.", .answer_ms = 10000)                                                            \
    M("57", "Call: no circuit (503, Q.850 34).", .status = 503, .q850 = 34)                                             \
    M("60", "SMS: accepted, then undelivered (receipt UNDELIV, err 001).", .sms = SMSC_LOSES, .receipt_err = 1)         \
    M("61", "SMS: delivered, but no receipt comes.", .sms = SMSC_KEEPS_SILENT)                                          \
    M("62", "SMS: delivered, the receipt comes after 10 s.", .receipt_ms = 10000)                                       \
    M("63", "SMS: delivered, and each is answered with \"echo: \" and its text.", .reply = "echo: ")                    \
    M("64", "SMS: rejected when submitted (ESME_RINVDSTADR).", .sms = SMSC_REJECTS, .command_status = 0x0b)             \
    M("65", "SMS: throttled once (ESME_RTHROTTLED), accepted when tried again.", .sms = SMSC_REJECTS,                   \
      .command_status = 0x58, .every_other = true)

/** The row of a number in E.164 with '+'; NULL when it is none of these. */
const struct magic *magic_of(struct str number);
/** Walk the list: NULL behind its end. */
const struct magic *magic_row(size_t i);
