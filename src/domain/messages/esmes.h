/* esmes.h - what a customer's ESME may ask beside messages_send(): parts of a message, and what became of one.
 *
 * Thread: control. An ESME's messages are messages like any other (messages.h); these are the ones only SMPP has. */
#pragma once
#include "codec/gsm7/gsm7.h"
#include "domain/messages/messages.h"

struct mailbox;
struct mailbox *messages_mailbox(const struct messages *m);

/* An id that was answered, and what was asked of it. */
struct sms_answered {
    uint64_t key;
    int      registered;                /* registered_delivery (SMPP 3.4, 5.2.17) */
    int      reference;                 /* user_message_reference; -1: none */
};
/* Of a message that an ESME submitted. */
struct sms_esme {
    const char                *command; /* "submit_sm": for its trail */
    int                        registered, reference;
    const struct sms_answered *parts;   /* that came before its last part, stored; NULL: it came in one */
    size_t                     parts_n;
};

/* One part of a message, whose others come by themselves. */
struct sms_part_in {
    uint64_t          resource;
    struct str        from, to;         /* E.164, or as it was written */
    struct sms_concat concat;           /* total 1..255 */
    enum sms_alphabet alphabet;
    struct str        octets;
    int64_t           send_at_us, valid_until_us;       /* of the message: what its last part says */
    struct sms_esme   esme;
};
/** Store it, and answer with an id of its own. The last one to come makes the message, which walks the pipeline of messages_send();
 *  the first is asked whether it would be let through, so that a refusal comes early. Parts that wait longer than five minutes for
 *  the others end undelivered, with their receipts.
 *  @return as messages_send(); ERR_SIZE: too many messages of this resource wait for parts */
MUST_USE enum err messages_take_part(struct messages *m, const struct sms_part_in *part, messages_sent_fn *done, void *arg,
                                     struct problem *why);

/* What an ESME says of a message it names: its id, and whose it was, which must agree. */
struct sms_named {
    uint64_t   resource;                /* 0: whosever it is */
    struct str id;
    struct str from;                    /* empty: not said */
    struct str to;                      /* cancel: empty: not said */
    const char *by;                     /* cancel: for its trail; NULL: cancel_sm */
};
/** `state` is an SMPP message_state, final_us 0 while it is on its way. Called once, borrowed. */
typedef void messages_queried_fn(void *arg, enum err err, int state, int64_t final_us, uint32_t error);
/** ERR_ABSENT to done, or at once: there is none of that id here. @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err messages_query(struct messages *m, const struct sms_named *named, messages_queried_fn *done, void *arg);
typedef void messages_changed_fn(void *arg, enum err err);
/** One that no carrier has yet; or the carrier that has it is asked (cancel_sm), and `done` hears ERR_CONFLICT when it does not.
 *  @return ERR_ABSENT, ERR_CONFLICT (too late), ERR_BUSY, ERR_NOMEM; then no done */
MUST_USE enum err messages_cancel(struct messages *m, const struct sms_named *named, messages_changed_fn *done, void *arg);
/** Another text for one that no carrier has yet: it goes to the end of the line; or the carrier that has it is asked (replace_sm).
 *  registered -1: as it is.
 *  @return as above, and ERR_FORBIDDEN (it would cost too much) */
MUST_USE enum err messages_replace(struct messages *m, const struct sms_named *named, struct str text, int registered,
                                   messages_changed_fn *done, void *arg);
