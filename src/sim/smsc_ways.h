/* smsc_ways.h - how the simulated SMSC behaves: one table of lasting settings.
 *
 * Pure; any thread. The list gives the struct, the text form ("window=10,answerDelay=200ms", of the flag --smsc and of the
 * command line), the JSON of the operator API, and docs/simulator.md (a test compares them). */
#pragma once
#include "base/json.h"

/* SPAN(member, name, default and most in microseconds, words), COUNT(member, name, default, least, most, words),
 * CHOICE(member, name, the words to choose from, the first is the default; what it does),
 * STATUS(member, name, default, words), TEXT(member, name, octets with NUL, words). */
#define SMSC_WAYS(SPAN, COUNT, CHOICE, STATUS, TEXT)                                                                    \
    TEXT(system_id, "systemId", 16, "the only system_id that may bind; empty: any")                                     \
    TEXT(password, "password", 65, "its password; empty: any")                                                          \
    STATUS(bind_status, "bindStatus", ESME_ROK, "what every bind is answered; ESME_ROK: by the lines above and below")  \
    COUNT(binds_most, "bindsPerSystemId", 0, 0, 1000,                                                                   \
          "binds one system_id may have at once, one more is answered ESME_RALYBND; 0: any number")                     \
    CHOICE(enquire_link, "enquireLink", "answered|ignored", "what becomes of an ESME's enquire_link")                   \
    CHOICE(unbind, "unbind", "answered|ignored", "what becomes of an ESME's unbind")                                    \
    COUNT(read_rate, "readRate", 0, 0, 10000, "PDUs read a second on each link; 0: as they come")                       \
    COUNT(cut_every, "cutEvery", 0, 0, 1000000, "each link is cut at every N-th submit_sm; 0: never")             \
    CHOICE(cut_when, "cutWhen", "answered|unanswered|untaken",                                                          \
           "that submit_sm was taken and answered; taken, but not answered; not even taken")                            \
    SPAN(outage_every, "outageEvery", 0, INT64_C(86400) * US_PER_S, "from the start of one outage to the start of the next; 0: none")  \
    SPAN(outage_for, "outageFor", 10 * US_PER_S, INT64_C(86400) * US_PER_S,                                                      \
         "how long each lasts: every link is cut, nobody is let in")                                                    \
    SPAN(answer_delay, "answerDelay", 0, 600 * US_PER_S, "before a submit_sm is answered")                              \
    SPAN(answer_jitter, "answerJitter", 0, 600 * US_PER_S, "up to so much more, by chance")                             \
    COUNT(window, "window", 0, 0, 10000, "submit_sm unanswered at once on each link; 0: any number")                    \
    CHOICE(window_full, "windowFull", "throttled|stalled",                                                              \
           "one more is answered ESME_RTHROTTLED; is not read before another was answered")                             \
    COUNT(rate, "rate", 0, 0, 100000, "submit_sm a second on each link, beyond them ESME_RTHROTTLED; 0: any number")    \
    COUNT(burst, "burst", 0, 0, 1000000, "of them at once, up to 10 seconds' worth; 0: a second's worth")               \
    COUNT(refuse_percent, "refusePercent", 0, 0, 100, "share of submit_sm that is refused, by chance")                  \
    STATUS(refuse_status, "refuseStatus", ESME_RMSGQFUL, "with this")                                                   \
    COUNT(queue, "queue", 0, 0, 200000, "messages not yet delivered at once, beyond them ESME_RMSGQFUL; 0: 200,000")    \
    COUNT(loss_percent, "lossPercent", 0, 0, 100, "share of messages that are taken, then not delivered, by chance")    \
    CHOICE(loss_state, "lossState", "undeliverable|expired|deleted|rejected|unknown", "what their receipt says")        \
    COUNT(loss_error, "lossError", 1, 0, 999, "and its err: field and network_error_code")                              \
    CHOICE(receipts, "receipts", "asked|always|never", "as registered_delivery asks; for every message; for none")      \
    SPAN(receipt_delay, "receiptDelay", 100 * US_PER_MS, INT64_C(86400) * US_PER_S,                                              \
         "from taking a message to its delivery and receipt")                                                           \
    SPAN(receipt_jitter, "receiptJitter", 0, INT64_C(86400) * US_PER_S, "up to so much more, by chance")                         \
    CHOICE(receipt_order, "receiptOrder", "after|before", "the submit_sm_resp: before it, the receipt leaves at once")  \
    COUNT(receipt_missing, "receiptMissingPercent", 0, 0, 100, "share of receipts that never come, by chance")          \
    COUNT(receipt_twice, "receiptTwicePercent", 0, 0, 100, "share of receipts that come twice, by chance")              \
    CHOICE(receipt_as, "receiptAs", "both|text|tlv",                                                                    \
           "text of appendix B with receipted_message_id, message_state, network_error_code; either alone")             \
    CHOICE(receipt_bind, "receiptBind", "own|other",                                                                    \
           "by the link its message came on where that may take it; by another one of the same system_id")              \
    CHOICE(intermediate, "intermediate", "asked|always|never", "a notification ENROUTE before the receipt, half-way")   \
    CHOICE(answer_id, "answerId", "dec|hex|HEX|text", "message_id in answers: a number in this form, or letters")       \
    COUNT(answer_id_digits, "answerIdDigits", 0, 0, 40, "zeros in front make it so long")                               \
    CHOICE(receipt_id, "receiptId", "same|dec|hex|HEX", "message_id in receipts: as answered, or that number otherwise") \
    COUNT(receipt_id_digits, "receiptIdDigits", 0, 0, 40, "zeros in front make it so long, unless it is the same")      \
    COUNT(deliver_window, "deliverWindow", 100, 1, 1000, "deliver_sm unanswered at once on each link")                  \
    CHOICE(deliver_as, "deliverAs", "deliver_sm|data_sm", "how receipts and messages from handsets come")               \
    CHOICE(long_as, "longAs", "udh|udh16|sar|payload",                                                                  \
           "long messages from handsets: parts with a header (8 or 16 bits), with SAR parameters, one message_payload")  \
    COUNT(mo_rate, "moRate", 0, 0, 10000, "messages a second from handsets, without end; 0: none")                      \
    TEXT(mo_from, "moFrom", 32, "from this number")                                                                     \
    COUNT(mo_senders, "moSenders", 1, 1, 1000000, "and the ones after it, so many in turn")                             \
    TEXT(mo_to, "moTo", 32, "to this one")                                                                              \
    TEXT(mo_text, "moText", 1024, "what they say; {n} is their number; empty: \"message {n}\"")

enum { WAY_ANSWERED, WAY_IGNORED };                                 /* enquireLink, unbind */
enum { CUT_ANSWERED, CUT_UNANSWERED, CUT_UNTAKEN };
enum { FULL_THROTTLES, FULL_STALLS };
enum { LOSS_UNDELIVERABLE, LOSS_EXPIRED, LOSS_DELETED, LOSS_REJECTED, LOSS_UNKNOWN };
enum { WAY_ASKED, WAY_ALWAYS, WAY_NEVER };                          /* receipts, intermediate */
enum { RECEIPT_AFTER, RECEIPT_BEFORE };
enum { RECEIPT_BOTH, RECEIPT_TEXT, RECEIPT_TLV };
enum { RECEIPT_OWN, RECEIPT_OTHER };
enum { DELIVER_SM, DELIVER_DATA_SM };                               /* deliverAs */
enum { ID_DEC, ID_HEX, ID_HEX_UPPER, ID_TEXT };                     /* answerId */
enum { RECEIPT_ID_SAME, RECEIPT_ID_DEC, RECEIPT_ID_HEX, RECEIPT_ID_HEX_UPPER };
/* longAs: enum sms_way */

#define WAY_SPAN(member, ...)           int64_t member;
#define WAY_NUMBER(member, ...)         uint32_t member;
#define WAY_TEXT(member, name, size, words) char member[size];
struct smsc_ways { SMSC_WAYS(WAY_SPAN, WAY_NUMBER, WAY_NUMBER, WAY_NUMBER, WAY_TEXT) };
#undef WAY_SPAN
#undef WAY_NUMBER
#undef WAY_TEXT

void smsc_ways_init(struct smsc_ways *w);
/** One setting from its text; an empty value is its default. @return ERR_ABSENT (no such setting), ERR_RANGE, with `why` */
MUST_USE enum err smsc_ways_put(struct smsc_ways *w, struct str name, struct str value, struct problem *why);
/** "name=value,name=value": all of it or nothing. @return as above, ERR_SYNTAX */
MUST_USE enum err smsc_ways_read(struct smsc_ways *w, struct str text, struct problem *why);
/** The members of an object, null being the default: all of it or nothing. @return as smsc_ways_put() */
MUST_USE enum err smsc_ways_patch(struct smsc_ways *w, const struct json *object, struct problem *why);
/** Members of an open object. The password is "***" when there is one. */
void smsc_ways_write(const struct smsc_ways *w, struct jw *out);

struct smsc_way {
    const char *name, *words;
    char takes[64], otherwise[32];      /* what it takes; its default */
};
/** The i-th of the list, for people. False behind its end. */
bool smsc_way_row(size_t i, struct smsc_way *out);
