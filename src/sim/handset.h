/* handset.h - what the simulated networks know of each number: its messages, its orders, its last call.
 *
 * Thread: the simulator's loop. Numbers are kept as they come to be called or written to, HANDSETS_MAX at most: beyond
 * that the one touched longest ago is forgotten, unless it is attached, in a call, or was told how to behave. */
#pragma once
#include "base/base.h"

enum { HANDSETS_MAX = 10000, HANDSET_MESSAGES_MAX = 100, HANDSET_NUMBER_MAX = 20, HANDSET_KEYS_MAX = 32 };

enum handset_state { HANDSET_IDLE, HANDSET_DIALLING, HANDSET_RINGING, HANDSET_CONNECTED };

struct handset_message {
    char   *from, *text;
    int64_t received_us;                    /* wall */
};

struct manner;

struct handset_call {
    char    peer[HANDSET_NUMBER_MAX + 1];
    uint64_t id;                            /* of the call */
    bool    outgoing;                       /* the handset dialled */
    int     status, q850;                   /* how it ended; status 0 while it lasts */
    bool    counted;                        /* the packets below are */
    uint64_t sent, received, lost;          /* RTP */
    char    keys[HANDSET_KEYS_MAX + 1];     /* what the other end pressed */
    int64_t begun_us, ended_us;             /* wall */
};

struct handset {
    char    number[HANDSET_NUMBER_MAX + 1];
    bool    attached;                       /* rings until told, one call at a time */
    bool    will_answer;                    /* the next call that rings */
    char   *record_path;                    /* for the next answered call; NULL: not recorded */
    char   *recording;                      /* the last finished one; NULL: none */
    unsigned n_recordings;                  /* begun in files of its own */
    struct manner *manner;                  /* how it takes its calls; NULL: untold. It is not forgotten then */
    bool    throttled;                      /* magic: the last attempt to reach it was turned away */
    enum handset_state state;               /* of the call below */
    uint64_t call;                          /* the latest; 0: none goes on */
    unsigned n_calls;                       /* that point here: it cannot be forgotten */
    struct handset_call last;               /* the latest, going on or over */
    struct handset_message messages[HANDSET_MESSAGES_MAX];      /* a ring: the oldest at first_message */
    size_t   first_message, n_messages;
    struct handset *newer, *older;          /* by last touch */
};

struct handsets;
MUST_USE struct handsets *handsets_new(void);
void handsets_free(struct handsets *hs);
SCOPED_FREE(handsets)

/** Find or make, and remember as just touched. NULL: out of memory, not a number, or all are in use. */
struct handset *handsets_touch(struct handsets *hs, struct str number);
struct handset *handsets_find(const struct handsets *hs, struct str number);    /* NULL: absent */
/** The one touched last; then ->older. NULL: none. */
struct handset *handsets_newest(const struct handsets *hs);
size_t handsets_count(const struct handsets *hs);

/** Forget all of them; one in a call stays, empty. */
void handsets_clear(struct handsets *hs);

/** Is it one to dial: '+' and digits, or digits alone, 1..HANDSET_NUMBER_MAX? */
bool handset_number_ok(struct str number);
/** Keep an SMS; the oldest goes when there are too many. Out of memory: it is lost, and false. */
bool handset_keep(struct handset *h, struct str from, struct str text, int64_t received_us);
/** The ith message, the oldest first; NULL behind the last. */
const struct handset_message *handset_message(const struct handset *h, size_t i);
const char *handset_state_name(enum handset_state state);
