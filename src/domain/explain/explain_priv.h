/* explain_priv.h - what the files of this folder share: a question on its way, what belongs to it, its lines. */
#pragma once
#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"
#include "domain/calls/calls.h"
#include "domain/explain/explain.h"
#include "domain/messages/messages.h"

/* What there is an id of, and the word for it in an answer. */
#define EXPLAIN_KINDS(K)                                                                                           \
    K(REQUEST, "request") K(MESSAGE, "message") K(CALL, "call") K(EVENT, "event") K(SEARCH, "search")              \
    K(OPERATION, "operation") K(RESERVATION, "reservation") K(NUMBER, "number")
#define EXPLAIN_ENUM(name, word) EXPLAIN_##name,
enum explain_kind { EXPLAIN_KINDS(EXPLAIN_ENUM) EXPLAIN_KIND_COUNT };
#undef EXPLAIN_ENUM
const char *explain_kind_word(enum explain_kind kind);

enum { THINGS_MOST = 128, LINES_MOST = 5000, EXPLAIN_ID_SIZE = 128, EXPLAIN_PARTS = 4 };

/* One thing that belongs to the answer. Known by its key, or an event by its id until its row is read. */
struct thing {
    enum explain_kind kind;
    uint64_t          key;
    uint64_t          about;                    /* a request's subject; how many deliveries an event has */
    bool              found;
    char              id[EXPLAIN_ID_SIZE];      /* as people know it; empty until found */
};

struct told_line {
    int64_t           at_us;                    /* product time */
    size_t            order;
    enum explain_kind of;
    const char       *step;
    struct str        text;
};

/* At this product time the clock was so far ahead of the wall. */
struct told_pin {
    int64_t at_us, ahead_us;
};

/* How the first thing was decided; what is not known is empty. */
struct decision {
    struct str outcome, rule, why, limit, route, next;
};

struct asking {
    struct db_read  read;
    struct db_done  settled;                    /* what was kept before is on disk */
    struct explain *x;
    uint64_t        resource;                   /* 0: may see all */
    struct str      asked;                      /* the id, as it was given */
    struct arena   *arena;
    struct thing    things[THINGS_MOST];
    size_t          n_things, at;               /* `at` is being read, */
    unsigned        part;                       /* this part of it */
    struct told_line *lines;                    /* a growing array, as pins */
    size_t          n_lines, cap_lines;
    struct told_pin *pins;
    size_t          n_pins, cap_pins;
    bool            cut, bad;                   /* more lines than are told; out of memory */
    struct buf      out;                        /* the answer: an object that the first thing begins */
    struct jw       w;
    struct decision decision;
    explain_fn     *done;
    void           *arg;
};

struct explain {
    struct explain_conf conf;
};

/* -- explain.c ------------------------------------------------------------------------------------------------------- */
/** Belongs to the answer too, unless it does already. NULL: too many do. */
struct thing *asking_add(struct asking *a, enum explain_kind kind, uint64_t key, struct str id);
/** It is there, and known by this id: a GUID of that kind, behind a prefix. */
void asking_found(struct asking *a, struct thing *t, enum id_kind of, const char *prefix);
/** The name of a resource; "the operator" for 0. */
const char *asking_name(const struct asking *a, uint64_t resource);
bool asking_may_see(const struct asking *a, uint64_t resource);
/** Is it what was asked for? Then it says its own members into a->w and decides a->decision. */
static inline bool is_first(const struct asking *a, const struct thing *t) { return t == a->things; }

/* -- timeline.c -------------------------------------------------------------------------------------------------------- */
void told(struct asking *a, const struct thing *t, int64_t at_us, const char *step, const char *format, ...) PRINTF(5, 6);
void told_text(struct asking *a, const struct thing *t, int64_t at_us, struct str step, struct str text);
/** A key made at this product time: keys know the wall's. */
void told_pin(struct asking *a, int64_t at_us, uint64_t key);
/** Ends the answer, a->out. @return ERR_NOMEM */
MUST_USE enum err told_write(struct asking *a);

/* -- what is asked of the store for each kind, and what its rows tell ------------------------------------------------- */
struct told_part {
    /** @return ERR_ABSENT: there is nothing to ask */
    enum err (*ask)(struct asking *a, const struct thing *t);
    void     (*tell)(struct asking *a, struct thing *t, struct db_rows *rows);
};
/* Each ended by a part without `ask`. */
extern const struct told_part told_request[EXPLAIN_PARTS + 1], told_message[EXPLAIN_PARTS + 1], told_call[EXPLAIN_PARTS + 1],
                              told_event[EXPLAIN_PARTS + 1], told_search[EXPLAIN_PARTS + 1], told_operation[EXPLAIN_PARTS + 1],
                              told_reservation[EXPLAIN_PARTS + 1], told_number[EXPLAIN_PARTS + 1];

/* told_request.c, for calls and numbers too */
/** The requests about it, its first ones or its last. */
enum err ask_about(struct asking *a, const struct thing *t);
enum err ask_about_last(struct asking *a, const struct thing *t);
void tell_about(struct asking *a, struct thing *t, struct db_rows *rows);
/** A message says by its trail which request it was in: that one has no row. */
void request_is_known(struct asking *a, uint64_t key);
/* told_event.c, for calls too */
enum err ask_tries(struct asking *a, const struct thing *t);
void tell_tries(struct asking *a, struct thing *t, struct db_rows *rows);
