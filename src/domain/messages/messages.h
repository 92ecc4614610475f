/* messages.h - SMS out and in: accepted durably, carried at least once, reported by events.
 *
 * Thread: control, but for messages_tell() (carrier.h). In-flight messages live in memory and are rebuilt at start from
 * their rows; a message's row is written before its 202 and before anything of it leaves the process. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"
#include "domain/messages/carrier.h"

struct accounts;
struct events;
struct numbers;

MUST_USE enum err messages_new(struct messages **out, struct control *control, struct accounts *accounts,
                               struct numbers *numbers, struct events *events);
void messages_free(struct messages *m);
SCOPED_FREE(messages)
/** Read what is unfinished, before the threads start. */
MUST_USE enum err messages_load(struct messages *m, struct problem *why);
/** Every carrier known at start has been added: line up what messages_load() found. */
void messages_resume(struct messages *m);
/** Hand nothing to carriers until told otherwise: for a snapshot. */
void messages_pause(struct messages *m, bool paused);
/** Messages that a carrier has and has not answered for. */
size_t messages_under_way(const struct messages *m);

enum { SMS_SCHEDULE_MOST_S = 31 * 86400 };
enum { SMS_RECIPIENTS_MAX = 100, SMS_TEXT_MAX_UNITS = 2048, SMS_ID_SIZE = 80 };

/** "Outgoing_20261122192514<guid>_noam" */
void sms_id_write(const struct ids *ids, uint64_t key, bool inbound, char id[SMS_ID_SIZE]);
/** The GUID in it: the message_id of SMPP, whose receipts have no underscore (it is another character in GSM 03.38). */
void sms_id_guid(const char *id, char guid[GUID_SIZE]);
/** Either form. @return ERR_ABSENT: it is none of ours */
MUST_USE enum err sms_id_read(const struct ids *ids, struct str id, uint64_t *key);
const char *message_state_word(int stored);     /* of a row: "submitted" */

struct sms_recipient {
    struct str to;
    struct str repeat_id;               /* repeatabilityRequestId; may be empty */
    int64_t    first_sent_us;           /* repeatabilityFirstSent, by the clock of the client; 0: not said */
    enum { SMS_REPEAT_GOOD, SMS_REPEAT_ID_BAD, SMS_REPEAT_DATE_BAD } repeat_flaw;   /* what could not be read */
};
struct sms_esme;
struct sms_send {
    uint64_t                    resource;
    struct str                  from;
    const struct sms_recipient *recipients;
    size_t                      n;      /* 1..SMS_RECIPIENTS_MAX */
    struct str                  text;   /* valid UTF-8, at most SMS_TEXT_MAX_UNITS */
    bool                        report; /* SMSDeliveryReportReceived wanted */
    struct str                  tag;
    int64_t                     send_at_us;     /* product time; at once when it is over, or 0 */
    struct str                  partner;    /* messaging connect: whom the sender names; may be empty */
    int64_t                     valid_until_us; /* product time: of no use after it; 0: for as long as a carrier tries */
    const struct sms_esme      *esme;   /* it came over SMPP (esmes.h); NULL: it did not */
};
/* Why one recipient is refused. */
struct sms_refusal {
    struct problem why;                 /* by our rules */
    const char    *service;             /* what the service says then, static; NULL: not known */
    bool           opted_out;
};
enum { SMS_REFUSAL_WORDS = sizeof(((struct problem *)NULL)->text) + sizeof(((struct problem *)NULL)->suggestion) };
/** For the sender: the service's words, or the rule's and what to do. */
const char *sms_refusal_words(const struct sms_refusal *r, char out[SMS_REFUSAL_WORDS]);
struct sms_result {
    struct str to;                      /* as asked; lives as long as the request's arena */
    bool       again;                   /* a repetition: the id is that of the first one */
    bool       rejected;                /* for the sake of its repeatability id */
    int        status;                  /* 202, 400 for a recipient that cannot be, 412 for an id whose time is over, 503 when what it repeats was
                                         * not stored after all */
    char       id[SMS_ID_SIZE];         /* with 202 */
    const struct sms_refusal *refusal;  /* else; lives as long as the results */
};
/** All that were refused, as far as there is room, with the rule and the next step of the first. code: RecipientsRefused when
 *  nobody is left, SomeRecipientsRefused. @return how many; 0: `why` is as it was */
size_t sms_results_refused(const struct sms_result *results, size_t n, struct problem *why);
/** After the commit (ERR_NONE), or when it failed. `results` in request order, borrowed during the call. */
typedef void messages_sent_fn(void *arg, enum err err, const struct sms_result *results, size_t n);

/** Decide, store, queue. `send` and what it points at must live until `done`.
 *  @return ERR_UNPROVEN (from is not leased here), ERR_RANGE (it cannot send SMS, ...), ERR_FORBIDDEN (spend cap), ERR_BUSY,
 *  ERR_NOMEM with `why`; then no done */
MUST_USE enum err messages_send(struct messages *m, const struct sms_send *send, messages_sent_fn *done, void *arg,
                                struct problem *why);

struct sms_forecast {
    struct str to;
    int64_t    micro;                   /* what it would be charged */
    bool       refused;
    struct sms_refusal refusal;         /* why, then */
};
/** What sending it would do now, limits, caps and quotas asked as well; nothing is done or counted. `out` has room for send->n.
 *  @return as messages_send() */
MUST_USE enum err messages_preview(struct messages *m, const struct sms_send *send, struct sms_forecast *out, struct problem *why);

/** What the sender's delivery report says: {"messageId","from","to","deliveryStatus",...}. To `done` ERR_ABSENT: with
 *  the word of its state when it has not ended; else no message sent by this resource has the id. @return ERR_BUSY, ERR_NOMEM; then no done */
typedef void messages_json_fn(void *arg, enum err err, struct str json);
MUST_USE enum err messages_report(struct messages *m, uint64_t resource, struct str id, messages_json_fn *done, void *arg);

/* -- opt-outs: who wants no texts from which sender ------------------------------------------------------------------- */
enum optout_verb { OPTOUT_CHECK, OPTOUT_ADD, OPTOUT_REMOVE };
struct optout_request {
    enum optout_verb  verb;
    uint64_t          resource;
    struct str        from;             /* a number leased to it, with outbound SMS */
    const struct str *to;
    size_t            n;
};
struct optout_result {
    struct str  to;                     /* as asked */
    int         status;                 /* 200, or 400 with `error` */
    bool        opted_out;              /* before the request */
    const char *error;                  /* static */
};
typedef void messages_optouts_fn(void *arg, enum err err, const struct optout_result *results, size_t n);
/** `done` comes after the commit, or at once for a check. `rq` and what it points at must live until then.
 *  @return ERR_UNPROVEN (from is not leased here), ERR_RANGE (it cannot send SMS), ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err messages_optouts(struct messages *m, const struct optout_request *rq, messages_optouts_fn *done, void *arg,
                                   struct problem *why);

struct optout_page { uint64_t resource; struct str from, after; size_t top; };     /* resource 0: whosever it is */
struct optout_entry {
    struct str to, source;              /* source: "STOP", "application", "carrier acme"; empty: an older version kept none */
    char       about[SMS_ID_SIZE];      /* the message a carrier said it about; or empty */
    int64_t    at_us;
};
/** Borrowed during the call, by rising recipient. */
typedef void messages_optouts_listed_fn(void *arg, enum err err, const struct optout_entry *list, size_t n, bool more);
/** A sender's list behind `after`. @return ERR_ABSENT (not leased, or not there), ERR_BUSY, ERR_NOMEM with `why`; then no done */
MUST_USE enum err messages_optouts_list(struct messages *m, const struct optout_page *page, messages_optouts_listed_fn *done,
                                        void *arg, struct problem *why);

/** A route that leads to that carrier; NULL: none. */
const char *messages_route_to(const struct messages *m, struct str carrier);
/** What carriers there are, as elements of an open array: name, simulated, up, waiting. */
void messages_write_carriers(const struct messages *m, struct jw *w);
/** One of them: up and waiting, into an open object. An unknown one writes nothing. */
void messages_write_carrier_state(const struct messages *m, const char *name, struct jw *w);

enum { WAITS_WORDS = 320 };
/** What a message waits for, in words, with the time it is likely to leave. False: it is none of those on their way, or its carrier
 *  took it. */
bool messages_waits_for(const struct messages *m, uint64_t key, char words[WAITS_WORDS]);

/* -- looking: answers come on control, once, as JSON text ------------------------------------------------------------ */
/** @param id  a public message id, Outgoing_... or Incoming_...  @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err messages_show(struct messages *m, uint64_t resource, struct str id, messages_json_fn *done, void *arg);
struct sms_query {
    uint64_t   resource;                        /* 0: of all */
    struct str from, to, tag;                   /* empty: any */
    struct str state;                           /* a word of message_state_word(), or "received"; empty: any */
    struct str before;                          /* a message's id, or empty */
    struct str link;                            /* nextLink but for its end, such an id; lives until done */
    int64_t    since_us, until_us;              /* accepted at or after, and before; until 0: no end */
    size_t     top;                             /* 1.. */
};
/** {"value":[...],"nextLink"|null}, newest first; a page may have fewer than `top` and still a next one.
 *  @return ERR_SYNTAX (state), ERR_RANGE (before), ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err messages_list(struct messages *m, const struct sms_query *q, messages_json_fn *done, void *arg);
