/* accounts_priv.h - what the files of domain/accounts share. Thread: control. */
#pragma once
#include "base/map.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/rules.h"
#include "store/accounts.h"

struct ending;
struct accounts {
    struct control          *control;
    struct accounts_listener listener;
    struct map              *subscriptions;     /* key -> struct subscription, owned */
    struct map              *resources;         /* key -> struct resource, owned; deleted ones too */
    struct accounts_ender    enders[ACCOUNTS_ENDERS_MAX];
    size_t                   n_enders;
    struct ending           *endings;           /* deletions under way */
};

/* accounts.c */
void resource_free(struct resource *r);
void resource_row_fill(const struct resource *r, struct resource_row *row);     /* but for the keys; borrows from r */
/** Of whatever state but gone. */
struct resource *resource_holding(const struct accounts *a, struct str name);
struct subscription *subscription_holding(const struct accounts *a, struct str name);

/* ending.c */
/** The first step is on disk (or was, before a restart). `done` may be NULL. */
void ending_start(struct accounts *a, struct resource *r, accounts_done_fn *done, void *arg);
void endings_free(struct accounts *a);
