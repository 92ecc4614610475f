/* accounts.h - subscriptions and the resources under them.
 *
 * Thread: control. A subscription has an offer, a billing country and a state; a resource has two keys and what the
 * management API keeps of it. Everything is in memory and written through the store; whoever proves callers (the API edge)
 * is told of each change by the port below. A resource is deleted in two steps: its keys end with the first commit, then
 * what hangs on it is ended (numbers given back, event subscriptions dropped), and then it is gone. A server that stopped in
 * between goes on with that at its next start. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"

struct accounts;

#define OFFERS(O)                       /* enum, word, paid */ \
    O(OFFER_PAYG,        "payg",        true)                  \
    O(OFFER_EA,          "ea",          true)                  \
    O(OFFER_CSP,         "csp",         true)                  \
    O(OFFER_TRIAL,       "trial",       false)                 \
    O(OFFER_FREE_CREDIT, "free-credit", false)
#define OFFER_ENUM(name, word, paid) name,
enum offer { OFFERS(OFFER_ENUM) OFFER_COUNT };
#undef OFFER_ENUM

enum { ACCESS_KEY_OCTETS = 32, RESOURCE_GROUP_SIZE = 91, RESOURCE_PLACE_SIZE = 64, RESOURCE_TAGS_MOST = 16384 };

struct subscription {
    uint64_t   key;
    char       name[64];
    char       guid[GUID_SIZE];         /* its public id */
    enum offer offer;
    char       billing_country[3];      /* ISO 3166-1 alpha-2 */
    bool       active;                  /* else suspended */
    bool       pending;                 /* not on disk yet: its name is taken, no more */
    bool       changing;                /* a change is being committed; the next one waits for it */
};

struct resource {
    uint64_t   key;
    char       name[64];                /* a host label: [a-z0-9-] */
    char       guid[GUID_SIZE];         /* its public id, in user ids and token audiences */
    const struct subscription *subscription;
    bool       pending, changing;       /* as above */
    bool       ending;                  /* being deleted: its name is taken, no more */
    bool       gone;                    /* deleted: only what is old knows it */
    uint8_t    access_key[2][ACCESS_KEY_OCTETS];
    bool       keys_off;                /* disableLocalAuth: the keys prove nothing */
    char       group[RESOURCE_GROUP_SIZE];      /* resource group */
    char       location[RESOURCE_PLACE_SIZE], data_location[RESOURCE_PLACE_SIZE];
    char      *tags, *identity;         /* JSON objects as they were given; NULL: none */
    int64_t    created_us, changed_us;  /* product time */
};

/* Who must know the keys: the edge's keyring. Called on control after each change has been committed. */
struct accounts_listener {
    void (*resource_changed)(void *arg, const struct resource *r);
    void *arg;
    void (*resource_gone)(void *arg, uint64_t resource);    /* its keys have ended; may be NULL */
};

bool offer_is_paid(enum offer offer);
const char *offer_word(enum offer offer);
MUST_USE enum err offer_read(struct str word, enum offer *out);

MUST_USE enum err accounts_new(struct accounts **out, struct control *control, struct accounts_listener listener);
void accounts_free(struct accounts *a);
SCOPED_FREE(accounts)
/** Read everything from the store, before the threads start. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err accounts_load(struct accounts *a, struct problem *why);
/** First start with the simulator: subscription and resource `default` (pay-as-you-go, US). Waits for the commit; does
 *  nothing when a subscription exists. */
MUST_USE enum err accounts_make_default(struct accounts *a);

/* NULL: there is none, or its commit is awaited yet, or it is being deleted. */
const struct resource *accounts_resource(const struct accounts *a, uint64_t key);
const struct resource *accounts_resource_named(const struct accounts *a, struct str name);
const struct subscription *accounts_subscription_named(const struct accounts *a, struct str name);
/** By name or public id, in any letter case. */
const struct subscription *accounts_subscription_find(const struct accounts *a, struct str name_or_guid);
/** Deleted ones too: for usage, invoices and audits. */
const struct resource *accounts_resource_ever(const struct accounts *a, uint64_t key);
/** Is this name taken, by a resource of whatever state? */
bool accounts_resource_taken(const struct accounts *a, struct str name);
/** May a new resource have it? @return ERR_RANGE (it is no name), ERR_CONFLICT (taken), with `why` */
MUST_USE enum err accounts_resource_name(const struct accounts *a, struct str name, struct problem *why);
/** Those of a subscription (NULL: of all), the oldest first, from the one after key `after`, at most `most`, into `out`.
 *  Of one resource group unless that is empty. @return how many; *more: there are further ones */
size_t accounts_resources(const struct accounts *a, const struct subscription *s, struct str group, uint64_t after,
                          const struct resource **out, size_t most, bool *more);

/** May this resource cause costs: search, purchase, send, call?
 *  @return ERR_FORBIDDEN with `why` (its subscription is suspended, or it is being deleted) */
MUST_USE enum err accounts_may_spend(const struct accounts *a, uint64_t resource, struct problem *why);

/* Outcome of a change, once committed (or not). Called on control. */
typedef void accounts_done_fn(void *arg, enum err err);

/** A new subscription. @return ERR_RANGE, ERR_CONFLICT (name taken), ERR_NOMEM, ERR_BUSY with `why`; then no done */
MUST_USE enum err accounts_subscribe(struct accounts *a, struct str name, struct str offer, struct str billing_country,
                                     accounts_done_fn *done, void *arg, struct problem *why);
/* What a subscription shall be; what is empty or NULL stays. */
struct subscription_wish {
    struct str  offer, billing_country;
    const bool *active;
};
/** Numbers that it leases stay leased. Returns as above, and ERR_ABSENT. */
MUST_USE enum err accounts_change_subscription(struct accounts *a, struct str name, const struct subscription_wish *to,
                                               accounts_done_fn *done, void *arg, struct problem *why);

/* What a resource is made with, or what shall be changed of it. */
struct resource_wish {
    struct str name;
    struct str subscription;            /* name or public id */
    struct str group;                   /* empty: `default` */
    struct str location;                /* empty: `global` */
    struct str data_location;           /* empty: `United States` */
    struct str tags, identity;          /* JSON objects; empty: none */
    bool       keys_off;
};
/** A new resource under a subscription, with two fresh keys. Returns as accounts_subscribe(), and ERR_ABSENT. */
MUST_USE enum err accounts_make_resource(struct accounts *a, const struct resource_wish *wish, accounts_done_fn *done,
                                         void *arg, struct problem *why);
/** The same with nothing but its name. */
MUST_USE enum err accounts_add_resource(struct accounts *a, struct str name, struct str subscription,
                                        accounts_done_fn *done, void *arg, struct problem *why);
/** Its tags, identity and keys_off become what the wish says; the rest of the wish is not looked at.
 *  @return ERR_RANGE, ERR_ABSENT, ERR_NOMEM, ERR_BUSY */
MUST_USE enum err accounts_change_resource(struct accounts *a, uint64_t resource, const struct resource_wish *to,
                                           accounts_done_fn *done, void *arg, struct problem *why);
/** A fresh key in slot 0 or 1; the old one ends with the commit. */
MUST_USE enum err accounts_rotate_key(struct accounts *a, struct str resource, unsigned slot,
                                      accounts_done_fn *done, void *arg, struct problem *why);

/* -- deleting ------------------------------------------------------------------------------------------------------- */
/* Something that hangs on a resource and ends with it. */
struct accounts_ender {
    const char *what;                   /* for the log; static */
    /** End all of it; done once that is on disk. It may be asked again for one resource: after an error, after a restart.
     *  @return ERR_BUSY, ERR_NOMEM; then no done */
    enum err  (*end)(void *self, uint64_t resource, accounts_done_fn *done, void *arg);
    void       *self;
};
enum { ACCOUNTS_ENDERS_MAX = 8 };
/** Before anything is deleted; they are asked in this order. */
void accounts_add_ender(struct accounts *a, struct accounts_ender ender);
/** Go on with deletions that the last run left half done. Thread: control, or before it starts. */
void accounts_resume(struct accounts *a);
/** @param until_gone  done is called when all is ended; false: as soon as its keys have ended and nothing new can begin
 *  @return ERR_ABSENT, ERR_NOMEM, ERR_BUSY with `why`; then no done */
MUST_USE enum err accounts_delete_resource(struct accounts *a, uint64_t resource, bool until_gone, accounts_done_fn *done,
                                           void *arg, struct problem *why);

/* As JSON objects of our own API. Keys are written by accounts_write_keys() alone. */
void accounts_write_subscriptions(const struct accounts *a, struct jw *w);      /* members of an open array */
void accounts_write_subscription(const struct subscription *s, struct jw *w);   /* members of an open object */
void accounts_write_resources(const struct accounts *a, struct jw *w);
void accounts_write_resource(const struct resource *r, struct jw *w);
void accounts_write_keys(const struct resource *r, struct jw *w);               /* members of an open object */
