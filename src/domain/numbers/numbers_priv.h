/* numbers_priv.h - what the files of domain/numbers share: the object, its numbers, searches, operations, tasks. */
#pragma once
#include "base/map.h"
#include "domain/accounts/accounts.h"
#include "domain/numbers/blocks.h"
#include "domain/billing/usage.h"
#include "domain/numbers/catalogue.h"
#include "domain/numbers/import.h"
#include "domain/numbers/inventory.h"
#include "domain/numbers/life.h"
#include "domain/numbers/numbers.h"
#include "domain/numbers/stock.h"
#include "domain/rules.h"
#include "store/inventory.h"
#include "store/numbers.h"
#include "store/reservations.h"

/* What a released number waits for. */
struct number_wait {
    struct agenda_entry due;
    int64_t             until_us;       /* RELEASED, QUARANTINE: when that ends; RELEASING: when the cycle will */
};

/* A number that is not simply available. There may be millions: 72 octets each. */
struct number {
    struct lease        lease;          /* filled when held; purchased_us when leased */
    uint64_t            holder;         /* key of the search or reservation that holds it or bought it */
    struct numbers     *n;
    struct number_wait *wait;           /* NULL: a hold's time is its holder's, a lease has none */
    enum number_state   state;
    enum capability     calling, sms;   /* CHANGING: what they will be */
};

/* Kept NUMBERS_KEEP_S after it was made, so that a late purchase can be told why. */
struct search {
    struct number_search pub;
    struct numbers      *n;
    bool                 committed;     /* clients know it */
    bool                 busy;          /* a purchase or a cancel is being committed */
    uint64_t             purchase;      /* BOUGHT: the operation's key */
    struct agenda_entry  due;           /* end of the hold, then of keeping it */
    uint64_t             numbers[];
};

struct reservation {
    struct number_reservation pub;      /* pub.numbers: owned */
    struct numbers           *n;
    bool                      committed;    /* clients know it */
    bool                      busy;     /* a change, an end or a purchase is being committed */
    uint64_t                  purchase; /* COMPLETED: the operation's key */
    struct agenda_entry       due;      /* end of the hold, then of keeping it */
};

/* Those of one resource that clients know, by rising key. There is room for every one that was enlisted. */
struct reservation_list {
    struct reservation **at;
    size_t               n, cap, enlisted;
};

struct operation {
    struct number_operation pub;
    struct numbers         *n;
    bool                    committed;
    bool                    busy;       /* a unit that tells of it is being committed */
    struct agenda_entry     due;        /* end of keeping it */
};

/* Of an area code's simulated numbers: how many are not available, and how many of those sit in quarantine. */
struct pool { uint32_t touched, quarantined; };

/* What a search asks for: the kinds of blocks.h. */
struct sort {
    char             country[3];
    enum number_type type;
    enum capability  calling, sms;
};

/* What numbers of an import have in common. */
struct lot {
    uint64_t       key;                 /* in the store */
    struct import *import;
    bool           stored;
    bool           simulated;
    uint16_t       sort;
    int64_t        cost_micro;
    const char    *carrier;             /* number_carrier() */
    const char    *tags;                /* owned */
    uint32_t       total;
    uint32_t       used[STOCK_STATES];  /* of these, by state; nothing under AVAILABLE and IMPORTING */
};

struct import {
    struct number_import pub;           /* numbers, touched: filled when somebody looks */
    bool                 committed;     /* clients know it */
    bool                 closing;       /* being rolled back: its numbers are offered no more */
    unsigned             lot_from, lot_to;      /* its lots are among these; lot_to 0: none */
    struct strmap       *lots;          /* open: a lot's key (import_priv.h) -> its number */
    struct agenda_entry  idle;          /* an open dry run: when it goes by itself */
    struct numbers      *n;
};

/* What is said of one number alone. */
struct remark { const char *note, *tags; bool busy; };      /* both owned, with it; busy: others are on their way to disk */

struct numbers {
    struct control        *control;
    const struct accounts *accounts;
    struct numbers_conf    conf;
    struct blocks         *blocks;      /* the operator's numbers, and every struct number, owned */
    struct strmap         *carriers;    /* names of carriers -> the same text, owned */
    struct map            *searches;    /* key -> struct search, owned */
    struct map            *operations;  /* key -> struct operation, owned */
    struct map            *reservations;        /* key -> struct reservation, owned */
    struct strmap         *reservation_ids;     /* resource and GUID -> the same */
    struct map            *reservation_lists;   /* resource -> struct reservation_list, owned */
    struct pool            pools[INVENTORY_IDS];        /* by id of the simulated area */
    struct sort           *sorts;
    size_t                 n_sorts;
    struct lot           **lots;        /* from 1, owned */
    size_t                 n_lots, cap_lots;
    struct import        **imports;     /* the oldest first, owned */
    size_t                 n_imports, cap_imports;
    struct strmap         *import_ids;  /* id -> the same */
    struct map            *remarks;     /* digits -> struct remark, owned */
    struct map            *withdrawing; /* digits -> what tells of it: not offered, whatever its state comes to */
    struct purge          *purge;       /* of what imports left behind */
    numbers_carrier_fn    *carrier_known;       /* NULL: there is "sim" alone */
    void                  *carriers_arg;
    struct numbers_leaver  leavers[NUMBERS_LEAVERS_MOST];
    size_t                 n_leavers;
    uint64_t               picks;       /* searches without an area code begin at different ones */
    numbers_registration_fn *registration;     /* NULL: nobody knows */
    void                  *registration_arg;
    struct quotas         *quotas;      /* NULL: no limits */
};

/* One unit on its way to disk, and what is to be done in memory behind it. */
struct task {
    struct db_done    done;
    struct numbers   *n;
    void            (*settle)(struct task *t, enum err err);    /* memory follows the commit */
    struct search    *search;
    struct reservation        *reservation;
    void             *extra;            /* what belongs to the change: `then` frees it, or, when nobody hears, the inbox */
    void            (*extra_free)(void *extra);
    struct number    *number;
    struct operation *op;               /* new with this unit; NULL: none */
    numbers_done_fn  *then;
    void             *arg;
    int64_t           charged_micro;    /* for a purchase */
};

/* What is looked for, and what was found. */
struct pick {
    struct numbers            *n;
    enum number_type           type;
    const char                *country;
    enum capability            calling, sms;    /* at least */
    uint64_t                  *found;
    size_t                     count, most;
    const struct number_range *ranges;
    size_t                     n_ranges;    /* 0: any number */
    /* a browse only: */
    size_t                     each;        /* at most so many of one area code; 0: a search */
    unsigned                   from;
};

static inline int64_t numbers_now(const struct numbers *n) { return agenda_now_us(n->control->agenda); }
static inline const char *edition_of(const struct numbers *n) { return n->conf.edition; }

/* number.c: one number in memory */
bool number_is_simulated(const struct number *x);                            /* of the simulated inventory, not an imported one */
struct number *number_find(const struct numbers *n, uint64_t digits);
MUST_USE struct number *number_touch(struct numbers *n, uint64_t digits);   /* a new one, AVAILABLE; NULL: out of memory */
void number_drop(struct number *x);
void number_moved(struct number *x, enum number_state from);                /* its state was `from`: what is counted follows */
MUST_USE enum err number_wait(struct number *x, int64_t until_us);          /* set its timer */
void number_stop_waiting(struct number *x);
void numbers_free_all(struct numbers *n);                                   /* every struct number, at the end */
MUST_USE const char *number_carrier(struct numbers *n, struct str name);    /* one text for each name; NULL: out of memory */

/* lots.c: the operator's numbers */
MUST_USE enum err lot_make(struct numbers *n, const struct lot *like, const struct sort *sort, unsigned *out);
struct lot *lot_of(const struct numbers *n, uint64_t digits);               /* NULL: no number of the operator's */
static inline const struct sort *sort_of(const struct numbers *n, const struct lot *l) { return &n->sorts[l->sort]; }
/** @return ERR_CONFLICT (it is there), ERR_NOMEM */
MUST_USE enum err own_put(struct numbers *n, uint64_t digits, unsigned lot);
void own_take(struct numbers *n, uint64_t digits);
bool own_is_available(const struct numbers *n, uint64_t digits);
/** May numbers of such a sort be had as these? */
bool sort_offers(const struct sort *s, const char *country, enum number_type type, enum capability calling,
                 enum capability sms);
/** Fill carrier and simulated of a lease to be: the number's lot knows, or it is a simulated one. */
void lease_origin(const struct numbers *n, struct lease *l);
enum stock_state stock_state_of(enum number_state state);
void own_moved(struct number *x, enum number_state from);                   /* the counts follow */
/** Lots of rolled back imports, from the newest on: there are only so many. */
void lots_give_back(struct numbers *n);
void lots_free(struct numbers *n);

/* import.c */
void imports_free(struct numbers *n);
void import_free(struct import *im);
/** Into the list, which it takes; freed when there is no room. @return ERR_NOMEM */
MUST_USE enum err import_enlist(struct numbers *n, struct import *im);
/** What was rolled back leaves the store hourly and in slices, from the first one on. @return ERR_NOMEM */
MUST_USE enum err imports_purge(struct numbers *n);
void imports_measure(const struct numbers *n);                              /* for the metric */
/* import_load.c */
MUST_USE enum err imports_load(struct numbers *n);
void imports_show(struct numbers *n);                                       /* at start: offer what nobody has */

/* stock.c */
MUST_USE enum err remarks_load(struct numbers *n);
void remarks_free(struct numbers *n);
/** What happened to a number, in the unit that made it happen. detail: NULL or text */
void number_audit_row(struct numbers *n, struct db_unit *u, uint64_t digits, enum number_audit what, uint64_t resource,
                      const char *detail);

/* numbers.c */
void numbers_post_quietly(struct numbers *n, struct db_unit *u);            /* nobody waits; a loss heals at the next start */
const struct lease *lease_in_use(const struct number *x);                   /* NULL unless leased (or changing, releasing) */

/* search.c */
MUST_USE struct search *search_new(struct numbers *n, size_t count);
struct search *search_of(const struct numbers *n, uint64_t resource, uint64_t key);    /* one that clients know, or NULL */
/** Tell each number that the search holds: after a crash one of them may be another's already. */
void search_feed(struct search *s, enum number_event ev);
void search_end(struct search *s, enum search_state state, enum number_event ev);
MUST_USE enum err search_keep(struct search *s);                            /* set its timer by its state */
void search_keep_on(struct search *s);                                      /* again: takes no memory */
MUST_USE enum err searches_load_held(struct numbers *n);                    /* behind the numbers that have rows */

/* tasks.c */
MUST_USE enum err operation_keep(struct operation *op);

/* hold.c: one hold, whoever makes it */
/** Mark an available number (or one in quarantine) for `holder`; `l` is what its lease would be. NULL: out of memory. */
MUST_USE struct number *number_hold(struct numbers *n, uint64_t holder, const struct lease *l);
/** In the unit of its hold, once it is marked: the hold itself is told by its search or its reservation. */
void number_held_row(struct db_unit *u, const struct number *x);
/** At start, when every number with a row is known: it is held, whatever a lost unit left of its row.
 *  @return ERR_CONFLICT: it is leased, or held by another; ERR_NOMEM */
MUST_USE enum err number_load_held(struct numbers *n, uint64_t holder, const struct lease *l);
/** Tell a number, when it is still the holder's: after a crash it may be another's already. */
void number_feed_held(struct numbers *n, uint64_t digits, uint64_t holder, enum number_event ev);
/** In the unit of its purchase: its row, and what the audit tells of it. */
void number_leased_row(struct db_unit *u, const struct number *x, int64_t now_us);
/** In the unit of a change: what the audit tells of it. */
void number_terms_row(struct numbers *n, struct db_unit *u, const struct lease *l, enum number_audit what,
                      enum capability calling, enum capability sms);
/** ERR_BUSY: another change of `what` is being stored. */
enum err number_busy(const char *what, struct problem *why);

/* pick.c */
void pick_numbers(struct pick *p);
bool number_is_last(const struct numbers *n, const struct number *x);   /* in quarantine, and its area code has no other */

/* reserve.c */
MUST_USE enum err reservations_load(struct numbers *n);
MUST_USE enum err reservations_load_held(struct numbers *n);                /* behind the numbers that have rows */
void reservation_free(struct reservation *r);
void reservation_lists_free(struct numbers *n);

/* tasks.c */
MUST_USE enum err task_new(struct numbers *n, enum operation_kind kind, uint64_t resource, uint64_t key, uint64_t subject,
                           void (*settle)(struct task *, enum err), numbers_done_fn *then, void *arg, struct task **out);
/** May there be another operation of this kind? @return ERR_BUSY with `why`, ERR_NOMEM */
MUST_USE enum err task_allowed(const struct numbers *n, uint64_t resource, enum operation_kind kind, struct problem *why);
/** Adds the operation's row and posts. On failure everything is undone: settle() is called, the task freed, no `then`. */
MUST_USE enum err task_post(struct task *t, struct db_unit *u, struct problem *why);

/* allowed.c */
MUST_USE enum err numbers_eligible(const struct numbers *n, uint64_t resource, const struct catalogue_row *row,
                                   struct problem *why);
MUST_USE enum err numbers_plan(const struct numbers *n, struct str country, enum number_type type,
                               enum assignment assignment, enum capability calling, enum capability sms,
                               const struct catalogue_row **row, struct problem *why);
