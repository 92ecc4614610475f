/* mailbox.h - what waits for customers' ESMEs that bind as receivers: receipts they asked for, messages of phones.
 *
 * Thread: control. A letter is a row in the unit of what causes it (a message's end, an arrival); it goes when an ESME has
 * taken it, or when it has been kept long enough. At least once, the oldest first: rows are read from the store as the ESMEs take
 * them, so a million that wait cost no memory. From the time a resource has first bound a receiver until none has been bound for
 * as long as letters are kept, messages of phones wait for it too. (SMPP 3.4, 4.6) */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"

struct mailbox;

struct letter {
    uint64_t   key, resource;
    bool       receipt;
    uint64_t   message;                 /* whose trail tells of it */
    uint64_t   answered;                /* receipt: of the id it names */
    struct str from, to;                /* of the deliver_sm */
    struct str text;                    /* UTF-8; of a receipt the first characters of the message */
    int        state;                   /* receipt: message_state (SMPP 3.4, 5.2.28) */
    int        reference;               /* user_message_reference of the submit; -1: none */
    uint32_t   error;                   /* receipt: err, 0..999 */
    int64_t    submitted_us, at_us;     /* product time; at_us: when it happened */
};

struct letter_ops {
    /** Take it to a bound receiver of its resource; mailbox_settle() comes once. Copies; posts and returns. @return ERR_NOMEM */
    enum err (*deliver)(void *self, const struct letter *letter);
};
enum letter_outcome {
    LETTER_TAKEN,
    LETTER_REFUSED,                     /* for good: it goes, and its trail says so */
    LETTER_AGAIN,                       /* not now */
    LETTER_RETURNED,                    /* the link went */
};

MUST_USE enum err mailbox_new(struct mailbox **out, struct control *control);
void mailbox_free(struct mailbox *mb);
SCOPED_FREE(mailbox)
/** Before the threads start. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err mailbox_load(struct mailbox *mb);
/** Whoever takes letters out, before the threads start. */
void mailbox_set_postman(struct mailbox *mb, const struct letter_ops *ops, void *self);
/** Keep what nobody takes for so long; untold a week. @return ERR_NOMEM */
MUST_USE enum err mailbox_keep(struct mailbox *mb, int64_t keep_us);

/** Add the row of a letter to the unit; its key is chosen here. mailbox_go() after the commit. */
void mailbox_put(struct mailbox *mb, struct db_unit *u, const struct letter *letter);
/** Do messages of phones wait for this resource? */
bool mailbox_wants(const struct mailbox *mb, uint64_t resource);
void mailbox_go(struct mailbox *mb, uint64_t resource);

/** So many receivers are bound now. */
void mailbox_bound(struct mailbox *mb, uint64_t resource, unsigned receivers);
/** @param words  for the message's trail: who took it, or the command_status it was refused with */
void mailbox_settle(struct mailbox *mb, uint64_t resource, uint64_t key, uint64_t message, enum letter_outcome outcome,
                    struct str words);
/** All of a resource that ends; as accounts_ender. */
MUST_USE enum err mailbox_end(void *mailbox, uint64_t resource, void (*done)(void *arg, enum err err), void *arg);
/** Members "receivers" and "underWay" of an open object. */
void mailbox_write(const struct mailbox *mb, uint64_t resource, struct jw *w);
