/* accounts.h - subscriptions and the resources under them.
 *
 * Thread: control. A subscription has an offer, a billing country and a state; a resource has two keys. Everything is in
 * memory and written through the store. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct accounts;

enum offer { OFFER_PAYG, OFFER_EA, OFFER_CSP, OFFER_TRIAL, OFFER_FREE_CREDIT };

struct subscription {
    uint64_t   key;
    char       name[64];
    enum offer offer;
    char       billing_country[3];      /* ISO 3166-1 alpha-2 */
    bool       active;
};

struct resource {
    uint64_t   key;
    char       name[64];                /* a host label: [a-z0-9-] */
    char       guid[37];                /* its public id, in user ids and token audiences */
    const struct subscription *subscription;
    uint8_t    access_key[2][32];
};

bool offer_is_paid(enum offer offer);
const char *offer_word(enum offer offer);
MUST_USE enum err offer_read(struct str word, enum offer *out);

const struct resource *accounts_resource(const struct accounts *a, uint64_t key);       /* NULL: none */
const struct resource *accounts_resource_named(const struct accounts *a, struct str name);
const struct subscription *accounts_subscription_named(const struct accounts *a, struct str name);
