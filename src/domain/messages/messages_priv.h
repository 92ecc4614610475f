/* messages_priv.h - what the files of this module share. Thread: control. */
#pragma once
#include "base/map.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/usage.h"
#include "domain/events/events.h"
#include "domain/messages/esmes.h"
#include "domain/messages/guards.h"
#include "domain/messages/messages.h"
#include "domain/messages/optouts.h"
#include "domain/messages/receipt_ids.h"
#include "domain/messages/repeats.h"
#include "domain/messages/routes.h"
#include "domain/numbers/numbers.h"
#include "store/messages.h"

/* The ids an ESME was answered for a message, each with what was asked of it. */
struct message_esme {
    unsigned            n;
    char               *text;               /* put in the place of the first one, owned; NULL: none was */
    struct sms_answered ids[];
};

/* An outbound message's life; the table is in outbound.c. 10 and above are final. A message that waits for another try is
 * stored as queued; one that is being submitted goes again after a restart. */
#define MESSAGE_STATES(S)           /* name, stored, word */                                            \
    S(QUEUED, 0, "queued")  S(WAITING, 0, "queued")  S(SENDING, 1, "queued")  S(SUBMITTED, 2, "submitted")  \
    S(DELIVERED, 10, "delivered")  S(FAILED, 11, "failed")  S(UNKNOWN, 12, "unknown")
#define STATE_ENUM(name, stored, word) MSG_##name,
enum message_state { MESSAGE_STATES(STATE_ENUM) MESSAGE_STATE_COUNT };
#undef STATE_ENUM
#define MESSAGE_EVENTS(E)                                                                                \
    E(TAKEN)            /* the carrier has room for it */                                                \
    E(ACKED)            /* a segment was taken, others are to come */                                    \
    E(ALL_ACKED)        /* the last segment was taken */                                                 \
    E(REFUSED)          /* for good, or too often */                                                     \
    E(AGAIN)            /* refused for now, or unanswered */                                             \
    E(LOST)             /* the link went, or another carrier is to take it */                                                              \
    E(RECEIPT_PART)     /* a receipt, and others are to come */                                          \
    E(RECEIPT_GOOD)     /* the last one: every segment was delivered */                                  \
    E(RECEIPT_BAD)      /* the last one: some segment was not */                                         \
    E(DUE)              /* its time is over */                                                           \
    E(HELD)             /* a guard, or its own time, keeps it for a while */                             \
    E(STRANDED)         /* its sender is not leased any more */                                          \
    E(STORED)           /* its end is on disk */                                                         \
    E(UNSTORED)         /* its end could not be stored */
#define EVENT_ENUM(name) EV_##name,
enum message_event { MESSAGE_EVENTS(EVENT_ENUM) MESSAGE_EVENT_COUNT };
#undef EVENT_ENUM
int message_state_stored(enum message_state s);
enum message_state message_state_read(int stored);

struct carrier_slot {
    struct messages          *m;
    unsigned                  number;
    char                      name[64];
    bool                      simulated, up, full;
    bool                      stalled;          /* bound, and takes nothing for a while */
    bool                      gone;             /* it was removed: in messages.gone */
    bool                      moving;           /* what waits here is being given to others (routing.c), or may be soon */
    const struct carrier_ops *ops;
    void                     *self;
    struct carrier_slot      *smsc;             /* the first of its binds */
    struct str                account;          /* what those have in common; empty: it is alone */
    struct id_learner         ids;              /* of an SMSC: with its first bind */
    struct message           *head, **tail;     /* waiting to be submitted, in order of acceptance */
    struct message          **returned;         /* where the next one that it gave back stands: before those that never left */
    struct message           *sweep;            /* the next to be moved */
    int64_t                   query_after_us;   /* it is asked about what has no receipt for so long; 0: never */
    int64_t                   down_us;          /* product time; 0: up */
    struct agenda_entry       sweep_due, unsure_due;
    size_t                    waiting;
    uint32_t                  sending;              /* left its line, and it has not said the last word on them */
    uint32_t                  took, took_before;    /* it was done with in this span of time, and in the one before: waiting.c */
    int64_t                   took_us, took_before_us;  /* since when, and for how long; product time */
    struct carrier_slot      *next;
};

/* What the recipients of one request have in common: one allocation for all of them. */
struct message_texts {
    size_t     refs;
    struct str from, text, tag;
    struct str via;                             /* the carrier's name as loaded; else empty */
};

/* In memory from acceptance until its end is on disk. A million may wait, so its size counts. */
struct message {
    struct messages      *m;
    struct message_texts *texts;
    uint64_t              key, resource;
    int64_t               created_us;           /* product time */
    struct usage_hold     hold;                 /* put aside for those that are to come */
    int64_t               answered_us, taken_us;    /* when its 202 went, and when its carrier took it: until a step tells; 0 */
    int64_t               send_at_us;           /* not before: as asked, or when a guard let it go; 0 */
    int64_t               valid_until_us;       /* of no use after it; 0: no end */
    struct carrier_slot  *carrier;              /* once it is queued there */
    struct str           *remote_ids;           /* keys in by_remote, owned; {NULL} while unknown, or once it has its receipt; NULL: none yet */
    struct message       *next, **at;           /* in the carrier's queue; at NULL: not there */
    struct agenda_entry   due;                  /* WAITING: another try; QUEUED, SUBMITTED: the end of patience */
    const char           *end_step;             /* how it ended, until that is on disk */
    char                 *end_words;            /* owned */
    struct message_esme  *esme;                 /* it came over SMPP; NULL: by the API */
    uint32_t              last_status;
    uint32_t              tries;                /* submits that came to nothing */
    uint32_t              patience_s;           /* SUBMITTED: no receipt is waited for after it; product time */
    uint32_t              held_step;            /* 1 + its place in the steps that are held back; 0: none is */
    uint32_t              epoch;                /* messages.epoch when it was last asked whether it may leave */
    uint16_t              left;                 /* number of a carrier */
    uint8_t               left_why;             /* enum left_why: it was moved from `left`, until a step tells */
    uint16_t              segments;             /* as billed: by the split of codec/gsm7 */
    uint16_t              parts;                /* as the carrier splits it; remote_ids has so many, unless it is NULL */
    uint16_t              acked, delivered, failed; /* segments the carrier took, and the receipts so far */
    uint16_t              charged;              /* segments counted as spent */
    uint8_t               state;                /* enum message_state */
    uint8_t               last_receipt;         /* enum carrier_state */
    uint8_t               notes;                /* lines its trail got that decide nothing: bounded */
    uint8_t               held, held_was;       /* enum held_why: while WAITING, and until a step tells */
    uint8_t               placed;               /* 1 << enum guard_kind: buckets in which it has its place; from bit 4 on: is counted */
    uint8_t               queries;              /* how often its carrier was asked about it, no receipt having come */
    uint8_t               detours;              /* carriers that refused it for now, one after another */
    bool                  report : 1;
    bool                  blocked : 1;          /* its sender's registration does not let it leave */
    bool                  automatic : 1;        /* an answer of ours: no guard holds it */
    bool                  writing : 1;          /* its insert is not committed yet */
    bool                  cancelled : 1;        /* its ESME wants it no more */
    bool                  uncharged : 1;        /* a step was not stored, and maybe a charge with it: its end writes them again */
    bool                  end_unstored : 1;     /* its end failed to be stored once: its receipt is to be said again, until it is */
    bool                  opted_out : 1;        /* its carrier says that its recipient wants no texts of its sender */
    bool                  unsure : 1;           /* its carrier has not answered for it, and may have it */
    uint8_t               to_n;
    char                  to[];                 /* message_to() */
};

/* What an action of the table may need to know; all but `words` may be absent. */
struct message_cue {
    const char                *step, *words;    /* a line of the trail */
    struct carrier_slot       *from;            /* who said so */
    const struct carrier_news *news;
    bool                       settles;         /* news->token waits for the commit */
    int                        segment;         /* whose last receipt this is; -1: none */
    bool                       was_early;       /* its receipt lies among the strays */
    bool                       starts_over;     /* what the carrier took of it before counts no more */
    int64_t                    until_us;        /* HELD */
    bool                       returns;         /* it goes before those that never left */
};

/* A step of a message on its way to disk; what must follow the commit. */
struct stepping {
    struct db_done       done;
    struct messages     *m;
    uint64_t             message;               /* whose step it is */
    uint64_t             ends;                  /* the same when this is its end; 0: no end */
    struct event_batch   events;
    struct carrier_slot *settle;
    uint64_t             token;
};

/* A carrier took a message of one segment: written when nothing follows in the same breath. Receipts often come right behind. */
struct held_step {
    struct message *msg;
    struct db_unit *u;                          /* what it is charged */
    char            remote_id[RECEIPT_ID_SIZE];
    struct buf      trail;
    int64_t         at_us;
};

struct messages {
    struct control     *control;
    struct accounts    *accounts;
    struct numbers     *numbers;
    struct events      *events;
    struct map         *live;                   /* key -> struct message, owned */
    struct strmap      *by_remote;              /* "<carrier> <remote id>" -> struct message */
    struct repeats     *repeats;                /* ids that were seen, with their messages */
    struct agenda_entry repeats_turn;
    struct optouts     *optouts;
    struct mailbox     *mailbox;
    struct map         *of_part;                /* key answered for a part, or by a submit_multi -> its struct message */
    struct strmap      *part_groups;            /* messages of ESMEs that wait for parts: esme_parts.c */
    struct carrier_slot *carriers, **carriers_tail;
    struct carrier_slot *gone;                  /* were removed; messages may point at them */
    unsigned            carrier_count;
    uint64_t            unstored;               /* steps the store failed, and when a log line last said so (mono) */
    int64_t             unstored_said_us;
    bool                paused;                 /* nothing goes to a carrier */
    bool                resumed;                /* the carriers of start-up are all there */
    struct message_texts *texts;                /* of the last message that was made: the next may have the same */
    size_t              steps;                  /* posted to the store, and not committed yet */
    struct map         *asked;                  /* message -> what its carrier is being asked about it: asked.c */
    struct held_step   *held_steps;
    size_t              held_n, held_room;
    bool                held_over;              /* control's inbox has an item that ends their wait */
    struct kept_part   *kept_parts;             /* of an earlier run, until their carrier takes them */
    struct strmap      *early;                  /* "<carrier> <remote id>" -> struct early: receipts before their submit_sm_resp */
    struct early       *early_first, **early_tail;  /* in order of arrival */
    struct loop_timer   early_timer;
    struct routes      *routes;
    struct guards      *guards;
    struct agenda_entry levels_due;             /* how far guards are used up is to be written */
    uint32_t            epoch;                  /* counts changes that may keep back what lines up already: opt-outs, guards, releases */
    uint32_t            guards_changed[GUARD_CARRIER + 1];  /* by kind: its epoch */
};

/* slots.c */
struct carrier_slot *slot_named(const struct messages *m, struct str name);     /* NULL: there is none */
struct carrier_slot *slot_numbered(struct messages *m, unsigned number);
void slots_free(struct messages *m);
/* messages.c */
/** Messages that are to leave and have no carrier: one was added. */
void adopt_waiting(struct messages *m);

/* outbound.c */
/** The only place where a message's state changes. It may be gone afterwards. */
void message_feed(struct message *msg, enum message_event event, const struct message_cue *cue);
/** Loaded: queue what waits; end what has all its receipts. */
void outbound_resume(struct message *msg);
/** Stored: choose a carrier and line up. */
void outbound_queue(struct message *msg);
/** Out of its line, and it is not woken: what is to leave is being changed. Then back, with what was answered. */
int64_t outbound_leave(struct message *msg);
void outbound_return(struct message *msg, int64_t due_us);
/** What it waited for is over, or may be. */
void outbound_wake(struct message *msg);
void outbound_pump(struct carrier_slot *c);
/** Take it out of its line; put it into another, behind all. */
void outbound_move(struct message *msg, struct carrier_slot *to);
/** A step is on disk: what waited for that goes on. */
void outbound_stepped(struct messages *m);
void outbound_submitted(struct carrier_slot *c, const struct carrier_news *n);
void outbound_refused(struct carrier_slot *c, const struct carrier_news *n);
void outbound_lost(struct carrier_slot *c, const struct carrier_news *n);
/** Loaded as submitted: its patience counts from its last step. */
MUST_USE enum err outbound_patience(struct message *msg, int64_t from_us);
/** When it is looked at again; sooner when it is of no use any more before. */
MUST_USE enum err outbound_due(struct message *msg, int64_t due_us);

/* report.c */
struct sms_report {
    struct str from, to, tag;
    char       id[SMS_ID_SIZE], details[96];
    bool       delivered;
    int64_t    at_us;                   /* product time */
    unsigned   succeeded, segments;
};
/** Of a message that ended; borrows its texts. */
void report_of(struct sms_report *r, const struct message *msg, int64_t now_us);
/** A line of the trail, and what was told in one: false when that message has not ended, or came in. */
void report_tell(const struct sms_report *r, struct buf *trail);
bool report_read(struct sms_report *r, const struct messages *m, const struct message_row *row);
/** The data of SMSDeliveryReportReceived, and DeliveryReport of the API. */
void report_json(const struct sms_report *r, struct jw *w);

/* message.c */
/** Put aside what its segments that are not charged yet will cost. */
void message_hold(struct message *msg);
/** A segment was taken, or `billed` of them as one: the charge into the unit. */
void message_charge(struct message *msg, struct db_unit *u, unsigned segment, unsigned billed);
/** Those of all that were taken, if some may not be stored. */
void message_charge_again(struct message *msg, struct db_unit *u);
void message_texts_unref(struct message_texts *t);
/** @return NULL: no memory, or a recipient of over 255 octets */
MUST_USE struct message *message_make(struct messages *m, const struct message_row *row);
void message_free(struct message *msg);
struct str message_to(const struct message *msg);
struct str message_text(const struct message *msg);            /* until an ESME replaces it, that of `texts` */
struct str message_carrier(const struct message *msg);          /* its name; may be empty */
MUST_USE enum err message_remember_remote(struct message *msg, unsigned segment, struct str carrier, struct str remote_id);
void message_forget_remotes(struct message *msg);
/** The segment whose remote id has this key, and it is forgotten; -1: none. */
int message_take_remote(struct message *msg, struct str key);
/** Which segment that is; -1: none. */
int message_find_remote(const struct message *msg, struct str key);
void remote_key(struct buf *b, struct str carrier, struct str remote_id);

/* steps.c */
/** One line more in its trail, with its state; news that settle are settled by the commit. */
void step_note(struct message *msg, const struct message_cue *cue);
/** As step_note(), into a unit that has something before it. Takes u. */
void step_post(struct message *msg, const struct message_cue *cue, struct db_unit *u);
/** As step_post(), a little later: written together with the end that may follow at once. Of the only segment of a message. Takes u. */
void step_hold(struct message *msg, const struct message_cue *cue, struct db_unit *u);
/** What is held back is written now. */
void steps_flush(struct messages *m);
/** Its end, with its delivery report. @return ERR_BUSY, ERR_NOMEM: nothing was posted (and what settles is settled so) */
MUST_USE enum err step_end(struct message *msg, const struct message_cue *cue);

/* routing.c */
enum left_why { LEFT_NOT, LEFT_DOWN, LEFT_STALLED, LEFT_REFUSED };
/** The carrier to line up at; NULL: there is none. */
struct carrier_slot *routing_choose(struct message *msg, const struct lease *lease);
/** Refused for now by its carrier: may another that did not refuse it take it at once? */
bool routing_detour(struct message *msg);
/** Which carriers could take it and why the first does, as a line of the trail; none when there is nothing to choose. */
void routing_tell(const struct messages *m, const struct lease *lease, struct str from, struct str to, struct buf *trail, int64_t now_us);
/** The same as an array `value` into an open object. */
void routing_write(const struct messages *m, const struct lease *lease, struct str from, struct str to, struct jw *w);
/** False: it is where it was. */
bool routing_tell_move(const struct message *msg, struct buf *trail, int64_t now_us);
void routing_added(struct carrier_slot *c);
void routing_up(struct carrier_slot *c);
void routing_down(struct carrier_slot *c);
void routing_forget(struct carrier_slot *c);
/** The routes are others now. */
void routing_changed(struct messages *m);
MUST_USE enum err routing_load(struct messages *m);

/* holding.c */
enum held_why { HELD_NOT, HELD_SCHEDULE, HELD_QUIET, HELD_SENDER, HELD_RESOURCE, HELD_PREFIX, HELD_CARRIER };
extern const struct held_stage {
    enum guard_kind kind;
    const char     *word, *noun, *was;
} holds[HELD_CARRIER + 1];              /* by enum held_why */
/** It may not leave yet, and asks again when that is over; or it may not leave at all, and ended. */
bool holding_keeps(struct message *msg);
/** It lined up when it might leave: may that be otherwise by now? Then ask again. */
bool holding_doubts(const struct message *msg);
/** A guard of a kind is another now: who waits asks again. */
void holding_changed(struct messages *m, enum guard_kind kind);
/** Rows of buckets that say nothing any more go. */
void holding_purge(const struct messages *m, struct db_unit *u);
/** Buckets were used: that is written soon. */
void holding_levels_changed(struct messages *m);
/** What held it last, as a line of the trail. */
void holding_tell(const struct message *msg, struct buf *trail);
MUST_USE enum err holding_load(struct messages *m);

/** What guards ask about a message. `lease` is its sender's; borrows all. */
struct guard_ask guard_ask_of(const struct messages *m, uint64_t resource, const struct lease *lease, struct str from, struct str to);
/** Whose of the buckets of a guard of that kind. */
struct str guard_owner(enum guard_kind kind, const struct guard_ask *ask);
/** The limit that makes it wait; NULL: there is none of that kind. */
const struct sms_guard *holding_limit(const struct messages *m, enum guard_kind kind, const struct guard_ask *ask);
/** When it is day at the recipient's; now_us: it is. */
int64_t holding_quiet_until(const struct messages *m, const struct guard_ask *ask, int64_t now_us);

/* waiting.c */
/** What it waits for and when it is likely to leave, as an object `waiting`; nothing when it is not there or on its way. */
void waiting_write(const struct messages *m, uint64_t key, struct jw *w);
/** What it waited for until its validity was over. */
void waiting_in_vain(const struct message *msg, char words[WAITS_WORDS]);
/** The guard that holds it, or held it as guards are now; NULL: its own time, or the guard is gone. */
const struct sms_guard *waiting_holder(const struct message *msg, enum held_why held);
/** One more left c's line to be submitted; or c is done with one, whatever came of it. */
void waiting_moved(struct carrier_slot *c, bool begins);

/* admission.c */
/** A request for n messages, none of which would wait: may it be taken? @return ERR_BUSY with `why` */
MUST_USE enum err admission_limits(struct messages *m, const struct sms_send *s, const struct lease *lease, size_t n, struct problem *why);
/** Too many go to the recipient's range of numbers. @return ERR_FORBIDDEN with `why` */
MUST_USE enum err admission_flow(struct messages *m, const struct sms_send *s, struct str to, struct problem *why);
/** It comes to nothing after all: what was counted. */
void admission_flow_back(struct messages *m, const struct sms_send *s, struct str to);
void admission_limits_back(struct messages *m, const struct sms_send *s, size_t n);

/* asked.c */
/** Its carrier has it: ask that to cancel it, or to put another text in its place. `then` hears once, after the commit: ERR_NONE, or
 *  ERR_CONFLICT: the carrier did not, or not to all of it. @return ERR_CONFLICT (it cannot be asked), ERR_BUSY, ERR_NOMEM; then no `then` */
MUST_USE enum err asked_cancel(struct message *msg, const char *by, messages_changed_fn *then, void *arg);
MUST_USE enum err asked_replace(struct message *msg, struct str text, int registered, messages_changed_fn *then, void *arg);
void asked_answered(struct carrier_slot *c, const struct carrier_news *n);
/** No receipt came: its carrier is asked, and it waits on. False: there is nothing to ask, or it has been long enough. */
bool asked_instead(struct message *msg);
/** Its carrier took it, now or before a start: when it is asked first. */
void asked_resume(struct message *msg);
void asked_free_all(struct messages *m);

/* carrier_optouts.c */
/** The carrier said so: the opt-out goes into the unit of the message's end. */
void carrier_optout_add(const struct message *msg, struct db_unit *u);
/** That unit is on disk. */
void carrier_optout_stored(const struct message *msg);

/* receipts.c */
void outbound_receipt(struct carrier_slot *c, const struct carrier_news *n);
/** A segment got its remote id: was its receipt here before? The message may be gone afterwards. */
void early_match(struct carrier_slot *c, struct str remote_id);
const char *receipt_word(enum carrier_state state);    /* "DELIVRD" */
/** What the carrier answered about a segment (n->state, n->error) counts as its receipt. The message may be gone afterwards.
 *  @param how  before the carrier's name in its trail  @return it decided on the segment */
bool receipt_by_answer(struct carrier_slot *c, const struct carrier_news *n, const char *step, const char *how);
void on_early_over(void *messages);             /* a loop_timer_fn */
void early_hurry(struct messages *m);           /* for tests: their 30 s are over */
void early_free(struct messages *m);

/* inbound.c */
void inbound_arrived(struct carrier_slot *c, const struct carrier_news *n);

/* inbound_parts.c */
void inbound_part_came(struct carrier_slot *c, const struct carrier_news *n);
/** Into the unit that decides about their message. */
void inbound_parts_drop(struct carrier_slot *c, const struct carrier_news *n, struct db_unit *u);
/** Their message is not taken: they go, then it is settled. */
void inbound_parts_forget(struct carrier_slot *c, const struct carrier_news *n);
void inbound_parts_recall(struct carrier_slot *c);
MUST_USE enum err inbound_parts_load(struct messages *m);
void inbound_parts_free(struct messages *m);

/* replies.c */
struct arrival {
    struct messages          *m;
    const struct carrier_slot *carrier;
    const struct lease       *lease;            /* of our number */
    struct str                number, phone, text;
    int64_t                   now_us;
    enum keyword              keyword;          /* and what came of it: */
    bool                      opts_out, opts_in;
};
/** What the text asks for, by who answers on this number; a line of the trail when that is something. */
void reply_judge(struct arrival *a, struct buf *trail);
/** The answer, into the unit that stores what is answered; NULL: none, and the trail says why where that is not plain. */
struct message *reply_add(const struct arrival *a, struct db_unit *u, struct buf *trail);
/** That unit is on disk, or is not. */
void reply_go(struct message *reply, enum err err);

/* refusals.c */
/** Copies. */
void refuse_recipient(struct sms_result *r, int status, const struct sms_refusal *refusal);
void refusals_free(const struct sms_result *results, size_t n);

/* sending.c */
MUST_USE enum err repeats_load(struct messages *m);
MUST_USE enum err texts_recall(struct messages *m);     /* what counts against quotas still */

/* esme.c */
/** It came over SMPP: remember the ids, in the unit that stores it. @param answered  the id its submit was answered @return ERR_NOMEM */
MUST_USE enum err esme_add(struct message *msg, struct db_unit *u, const struct sms_esme *from, uint64_t answered);
void esme_forget(struct message *msg);
/** Its receipts, into the unit of its end; nothing for one that came by the API. */
void esme_end(struct message *msg, struct db_unit *u);
void esme_ended(const struct message *msg);             /* and that is on disk */
/** The text of replace_sm is its own now; taken from *text. registered -1: as it was. */
void esme_take_text(struct message *msg, char **text, unsigned segments, int registered);
int esme_state(const struct message *msg);              /* message_state of SMPP 3.4, 5.2.28 */
/* esme_parts.c */
MUST_USE enum err esme_parts_load(struct messages *m);
void esme_parts_free(struct messages *m);

MUST_USE enum err esme_new(struct messages *m);
MUST_USE enum err esme_load(struct messages *m);        /* behind the messages */

/* messages.c */
/** This recipient wants no more texts of the sender: on disk now. Texts in line hear of it. */
MUST_USE enum err optout_known(struct messages *m, struct str sender, struct str recipient, struct str source);
/** What carriers were given and has not left comes back, and is asked again whether it may leave. Both empty: of all to all. */
void messages_call_back(struct messages *m, struct str from, struct str to);

/* looking.c */
void message_public_id(const struct messages *m, uint64_t key, bool inbound, char id[SMS_ID_SIZE]);
/** Append a line of a trail: "<us> <step> <words>\n". */
void trail_line(struct buf *b, int64_t us, const char *step, const char *format, ...) PRINTF(4, 5);
