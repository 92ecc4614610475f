/* magic.h - the numbers whose digits choose what the simulated networks do: +1 NPA 555-0150..0199, and emergency numbers.
 *
 * One list of each: behaviour here, words for people in docs/magic-numbers.md (a test compares the two). Everything else is
 * kind: a call is answered after a second and heard out, an SMS is delivered within one. Pure; any thread. */
#pragma once
#include "base/base.h"
#include "sim/smsc.h"

struct magic {
    const char *digits;             /* the XX of 555-01XX, or an emergency number whole */
    const char *words;
    const char *call;               /* how it takes calls (sim/manner.h); NULL: kindly */
    enum smsc_fate sms;             /* SMSC_DELIVERS is 0 */
    int         receipt_ms;         /* 0: as the SMSC's settings say (100 ms) */
    uint32_t    receipt_err;        /* SMSC_LOSES */
    uint32_t    command_status;     /* SMSC_REJECTS (SMPP 3.4, 5.1.3) */
    bool        every_other;        /* SMSC_REJECTS: the first attempt, not the second, then again */
    const char *reply;              /* goes back before the text of each SMS; NULL: none */
};

#define MAGIC(M)                                                                                                        \
    M("50", "Call: busy (486, Q.850 17).", .call = "refuse=486/17")                                                     \
    M("51", "Call: rings and nobody answers.", .call = "answer-after=never")                                            \
    M("52", "Call: declined (603, Q.850 21).", .call = "refuse=603/21")                                                 \
    M("53", "Call: unallocated number (404, Q.850 1).", .call = "refuse=404/1")                                         \
    M("54", "Call: answers and presses 1 2 3 after hearing half a second of sound (5 s when it hears none).",           \
      .call = "press=123 press-after=heard")                                                                            \
    M("55", "Call: answers and hangs up after 2 s.", .call = "drop-after=2s")                                           \
    M("56", "Call: answers after 10 s.", .call = "answer-after=10s")                                                    \
    M("57", "Call: no circuit (503, Q.850 34).", .call = "refuse=503/34")                                               \
    M("58", "Call: ringback as early media (183), answers after 3 s.", .call = "early-media=ringback answer-after=3s")  \
    M("59", "Call: a busy tone as early media (183) for 2 s, then busy (486, Q.850 17).",                               \
      .call = "early-media=busy refuse=486/17 refuse-after=2s")                                                         \
    M("60", "SMS: accepted, then undelivered (receipt UNDELIV, err 001).", .sms = SMSC_LOSES, .receipt_err = 1)         \
    M("61", "SMS: delivered, but no receipt comes.", .sms = SMSC_KEEPS_SILENT)                                          \
    M("62", "SMS: delivered, the receipt comes after 10 s.", .receipt_ms = 10000)                                       \
    M("63", "SMS: delivered, and each is answered with \"echo: \" and its text.", .reply = "echo: ")                    \
    M("64", "SMS: rejected when submitted (ESME_RINVDSTADR).", .sms = SMSC_REJECTS, .command_status = 0x0b)             \
    M("65", "SMS: throttled once (ESME_RTHROTTLED), accepted when tried again.", .sms = SMSC_REJECTS,                   \
      .command_status = 0x58, .every_other = true)                                                                      \
    M("66", "SMS: rejected when submitted, the recipient opted out at the carrier (command_status 0x00000407).",        \
      .sms = SMSC_REJECTS, .command_status = 0x407)                                                                     \
    M("67", "SMS: accepted, then rejected because the recipient opted out at the carrier (receipt UNDELIV, err 407).",  \
      .sms = SMSC_LOSES, .receipt_err = 407)                                                                            \
    M("70", "Call: one-way audio, it is heard but hears nothing.", .call = "one-way=send")                              \
    M("71", "Call: one-way audio, it hears but sends no RTP.", .call = "one-way=receive")                               \
    M("72", "Call: repeats the keys it hears.", .call = "echo=dtmf")                                                    \
    M("73", "Call: repeats the sound it hears.", .call = "echo=audio")                                                  \
    M("74", "Call: answers and says a tone of 1004 Hz for 5 s.", .call = "say=tone")                                    \
    M("75", "Call: answers and after 2 s presses the caller's number and #.", .call = "press=caller press-after=2s")    \
    M("76", "Call: rings 2 s, then declines (603, Q.850 21).", .call = "refuse=603/21 refuse-after=2s")                 \
    M("77", "Call: bad audio, one packet in ten is lost and the others come up to 60 ms late.",                         \
      .call = "loss=10% jitter=60ms")

/* The emergency desk. It is in the simulator; calls to it leave the machine by no trunk. */
#define MAGIC_EMERGENCY(M)                                                                                              \
    M("911", "Emergency desk: answers after 1 s, hears the call out and records it.", .call = "record=on")              \
    M("112", "Emergency desk: as 911.", .call = "record=on")                                                            \
    M("999", "Emergency desk: as 911.", .call = "record=on")                                                            \
    M("933", "Emergency test: answers after 1 s, and 3 s later reads the caller's number back in keys, with # at its end.",   \
      .call = "press=caller press-after=3s")

/** The row of a number in E.164 with '+', or of an emergency number; NULL when it is none of these. */
const struct magic *magic_of(struct str number);
/** Walk the list of 555-01XX, then the emergency numbers: NULL behind its end. */
const struct magic *magic_row(size_t i);
bool magic_is_emergency(struct str number);
