/* accounts.h - subscriptions and the resources under them.
 *
 * Thread: control. A subscription has an offer, a billing country and a state; a resource has two keys. Everything is in
 * memory and written through the store; whoever proves callers (the API edge) is told of each change by the port below. */
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

enum { ACCESS_KEY_OCTETS = 32 };

struct subscription {
    uint64_t   key;
    char       name[64];
    enum offer offer;
    char       billing_country[3];      /* ISO 3166-1 alpha-2 */
    bool       active;
    bool       pending;                 /* not on disk yet: its name is taken, no more */
};

struct resource {
    uint64_t   key;
    char       name[64];                /* a host label: [a-z0-9-] */
    char       guid[GUID_SIZE];         /* its public id, in user ids and token audiences */
    const struct subscription *subscription;
    bool       pending;                 /* as above */
    uint8_t    access_key[2][ACCESS_KEY_OCTETS];
};

/* Who must know the keys: the edge's keyring. Called on control after each change has been committed. */
struct accounts_listener {
    void (*resource_changed)(void *arg, const struct resource *r);
    void *arg;
};

bool offer_is_paid(enum offer offer);
const char *offer_word(enum offer offer);
/** @return ERR_RANGE for an unknown word */
MUST_USE enum err offer_read(struct str word, enum offer *out);

MUST_USE enum err accounts_new(struct accounts **out, struct control *control, struct accounts_listener listener);
void accounts_free(struct accounts *a);
SCOPED_FREE(accounts)
/** Read everything from the store, before the threads start. @return ERR_STORE, ERR_NOMEM */
MUST_USE enum err accounts_load(struct accounts *a, struct problem *why);
/** First start with the simulator: subscription and resource `default` (pay-as-you-go, US). Waits for the commit; does
 *  nothing when a subscription exists. */
MUST_USE enum err accounts_make_default(struct accounts *a);

/* NULL: there is none, or its commit is awaited yet. */
const struct resource *accounts_resource(const struct accounts *a, uint64_t key);
const struct resource *accounts_resource_named(const struct accounts *a, struct str name);
const struct subscription *accounts_subscription_named(const struct accounts *a, struct str name);

/* Outcome of a change, once committed (or not). Called on control. */
typedef void accounts_done_fn(void *arg, enum err err);

/** A new subscription. @return ERR_RANGE, ERR_CONFLICT (name taken), ERR_NOMEM, ERR_BUSY with `why`; then no done */
MUST_USE enum err accounts_subscribe(struct accounts *a, struct str name, struct str offer, struct str billing_country,
                                     accounts_done_fn *done, void *arg, struct problem *why);
/** A new resource under a subscription, with two fresh keys. Returns as above, and ERR_ABSENT. */
MUST_USE enum err accounts_add_resource(struct accounts *a, struct str name, struct str subscription,
                                        accounts_done_fn *done, void *arg, struct problem *why);
/** A fresh key in slot 0 or 1; the old one ends with the commit. */
MUST_USE enum err accounts_rotate_key(struct accounts *a, struct str resource, unsigned slot,
                                      accounts_done_fn *done, void *arg, struct problem *why);

/* As JSON objects of our own API. Keys are written by accounts_write_keys() alone. */
void accounts_write_subscriptions(const struct accounts *a, struct jw *w);      /* members of an open array */
void accounts_write_resources(const struct accounts *a, struct jw *w);
void accounts_write_keys(const struct resource *r, struct jw *w);               /* members of an open object */
