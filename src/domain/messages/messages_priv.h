/* messages_priv.h - what the files of this module share. Thread: control. */
#pragma once
#include "base/map.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/events/events.h"
#include "domain/messages/messages.h"
#include "domain/numbers/numbers.h"
#include "store/messages.h"

/* An outbound message's life (docs/messages.md). 10 and above are final: the row is done with. */
#define MESSAGE_STATES(S)                                                                           \
    S(QUEUED, 0, "queued")  S(SENDING, 1, "queued")  S(SUBMITTED, 2, "submitted")                   \
    S(DELIVERED, 10, "delivered")  S(FAILED, 11, "failed")  S(UNKNOWN, 12, "unknown")
#define STATE_ENUM(name, stored, word) MSG_##name,
enum message_state { MESSAGE_STATES(STATE_ENUM) MESSAGE_STATE_COUNT };
#undef STATE_ENUM
int message_state_stored(enum message_state s);
enum message_state message_state_read(int stored);
const char *message_state_word(int stored);

struct carrier_slot {
    struct messages          *m;
    unsigned                  number;
    char                      name[64];
    bool                      simulated, up, full;
    const struct carrier_ops *ops;
    void                     *self;
    struct message           *head, **tail;     /* waiting to be submitted, in order of acceptance */
    size_t                    waiting;
    struct carrier_slot      *next;
};

/* In memory from acceptance to its final state. One allocation: the texts follow the struct. */
struct message {
    uint64_t            key, resource;
    struct str          from, to, text, tag;
    bool                report;
    enum message_state  state;
    unsigned            segments;               /* as billed: by the split of codec/gsm7 */
    unsigned            acked, delivered, failed;   /* segments the carrier took, and the receipts so far */
    unsigned            tries;                  /* submits that came to nothing */
    uint32_t            last_status;
    enum carrier_state  last_receipt;
    struct carrier_slot *carrier;               /* once it is queued there */
    struct str         *remote_ids;             /* segments of them, owned; {NULL} while unknown */
    struct message     *next;                   /* in the carrier's queue */
    struct agenda_entry overdue;
    bool                writing;                /* its insert is not committed yet */
};

struct messages {
    struct control     *control;
    struct accounts    *accounts;
    struct numbers     *numbers;
    struct events      *events;
    struct map         *live;                   /* key -> struct message, owned */
    struct strmap      *by_remote;              /* "<carrier> <remote id>" -> struct message */
    struct strmap      *repeats[2];             /* "<resource> <repeat id>" -> message key; this and the last 24 hours */
    struct agenda_entry repeats_turn;
    struct strmap      *optouts;                /* "<sender> <recipient>" -> itself */
    struct carrier_slot *carriers, **carriers_tail;
    unsigned            carrier_count;
    bool                resumed;                /* the carriers of start-up are all there */
    struct early       *early;                  /* receipts that came before their submit_sm_resp */
};

/* outbound.c */
MUST_USE struct message *message_make(const struct message_row *row);
void message_free(struct messages *m, struct message *msg);
/** Stored: choose a carrier and line up. */
void outbound_queue(struct messages *m, struct message *msg);
void outbound_pump(struct carrier_slot *c);
void outbound_submitted(struct carrier_slot *c, const struct carrier_news *n);
void outbound_refused(struct carrier_slot *c, const struct carrier_news *n);
void outbound_lost(struct carrier_slot *c, const struct carrier_news *n);
void outbound_receipt(struct carrier_slot *c, const struct carrier_news *n);
MUST_USE enum err outbound_remember_remote(struct messages *m, struct message *msg, unsigned segment, struct str carrier,
                                           struct str remote_id);
void early_free(struct messages *m);

/* inbound.c */
void inbound_arrived(struct carrier_slot *c, const struct carrier_news *n);
bool optout_has(const struct messages *m, struct str sender, struct str recipient);

/* sending.c */
MUST_USE enum err repeats_load(struct messages *m);

/* looking.c */
/** "Outgoing_20261122192514<guid>_noam" */
void message_public_id(const struct messages *m, uint64_t key, bool inbound, char id[SMS_ID_SIZE]);
MUST_USE enum err message_id_read(const struct messages *m, struct str id, uint64_t *key);
/** Append a line of a trail: "<us> <step> <words>\n". */
void trail_line(struct buf *b, int64_t us, const char *step, const char *format, ...) PRINTF(4, 5);
