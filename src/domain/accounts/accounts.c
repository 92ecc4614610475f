#include "domain/accounts/accounts.h"
#include "base/crypto.h"
#include "base/map.h"
#include "base/str.h"
#include "store/accounts.h"

#include <stdio.h>

struct accounts {
    struct control          *control;
    struct accounts_listener listener;
    struct map              *subscriptions;     /* key -> struct subscription, owned */
    struct map              *resources;         /* key -> struct resource, owned */
};

static const struct {
    const char *word;
    bool        paid;
} offers[OFFER_COUNT] = {
#define OFFER_ROW(name, word, paid) [name] = { word, paid },
    OFFERS(OFFER_ROW)
};

bool offer_is_paid(enum offer offer)
{
    return offers[offer].paid;
}

const char *offer_word(enum offer offer)
{
    return offers[offer].word;
}

enum err offer_read(struct str word, enum offer *out)
{
    for (int o = 0; o < OFFER_COUNT; o++)
        if (str_eqz(word, offers[o].word)) {
            *out = (enum offer)o;
            return ERR_NONE;
        }
    return ERR_RANGE;
}

enum err accounts_new(struct accounts **out, struct control *control, struct accounts_listener listener)
{
    struct accounts *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    *a = (struct accounts){ .control = control, .listener = listener };
    a->subscriptions = map_new();
    a->resources = map_new();
    if (!a->subscriptions || !a->resources) {
        accounts_free(a);
        return ERR_NOMEM;
    }
    *out = a;
    return ERR_NONE;
}

static void free_values(struct map *m)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; m && map_next(m, &at, &key, &value);)
        free(value);
    map_free(m);
}

void accounts_free(struct accounts *a)
{
    if (!a)
        return;
    free_values(a->resources);
    free_values(a->subscriptions);
    free(a);
}

/* -- what is in memory ------------------------------------------------------------------------------------------- */

const struct resource *accounts_resource(const struct accounts *a, uint64_t key)
{
    const struct resource *r = map_find(a->resources, key);
    return r && !r->pending ? r : NULL;
}

static struct resource *resource_holding(const struct accounts *a, struct str name)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->resources, &at, &key, &value);)
        if (str_eqz(name, ((struct resource *)value)->name))
            return value;
    return NULL;
}

static struct subscription *subscription_holding(const struct accounts *a, struct str name)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->subscriptions, &at, &key, &value);)
        if (str_eqz(name, ((struct subscription *)value)->name))
            return value;
    return NULL;
}

const struct resource *accounts_resource_named(const struct accounts *a, struct str name)
{
    const struct resource *r = resource_holding(a, name);
    return r && !r->pending ? r : NULL;
}

const struct subscription *accounts_subscription_named(const struct accounts *a, struct str name)
{
    const struct subscription *s = subscription_holding(a, name);
    return s && !s->pending ? s : NULL;
}

static enum err load_subscription(void *arg, const struct subscription_row *row)
{
    struct accounts *a = arg;
    struct subscription *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->key = row->key;
    s->active = row->active;
    str_copyz(s->name, sizeof s->name, row->name);
    str_copyz(s->billing_country, sizeof s->billing_country, row->billing_country);
    if (offer_read(row->offer, &s->offer)) {
        free(s);
        return ERR_STORE;
    }
    ids_after(a->control->ids, s->key);
    enum err err = map_put(a->subscriptions, s->key, s);
    if (err)
        free(s);
    return err;
}

static enum err load_resource(void *arg, const struct resource_row *row)
{
    struct accounts *a = arg;
    const struct subscription *s = map_find(a->subscriptions, row->subscription);
    struct resource *r = calloc(1, sizeof *r);
    size_t n0 = 0, n1 = 0;
    if (!r)
        return ERR_NOMEM;
    r->key = row->key;
    r->subscription = s;
    str_copyz(r->name, sizeof r->name, row->name);
    ids_guid(a->control->ids, ID_RESOURCE, r->key, r->guid);
    ids_after(a->control->ids, r->key);
    if (!s || base64_read(r->access_key[0], ACCESS_KEY_OCTETS, row->access_key[0], &n0)
        || base64_read(r->access_key[1], ACCESS_KEY_OCTETS, row->access_key[1], &n1) || n0 != ACCESS_KEY_OCTETS
        || n1 != ACCESS_KEY_OCTETS || map_put(a->resources, r->key, r)) {
        free(r);
        return ERR_STORE;
    }
    a->listener.resource_changed(a->listener.arg, r);
    return ERR_NONE;
}

enum err accounts_load(struct accounts *a, struct problem *why)
{
    enum err err = subscription_rows_each(a->control->db, load_subscription, a);
    if (!err)
        err = resource_rows_each(a->control->db, load_resource, a);
    return err ? problem_set(why, err, "InternalError", "The accounts in the database cannot be read: %s.", err_words(err))
               : ERR_NONE;
}

/* -- making things ------------------------------------------------------------------------------------------------- */

static void resource_insert(struct db_unit *u, const struct resource *r)
{
    char key[2][BASE64_SIZE(ACCESS_KEY_OCTETS)];
    for (int i = 0; i < 2; i++)
        base64_write(key[i], r->access_key[i], ACCESS_KEY_OCTETS);
    resource_row_insert(u, &(struct resource_row){ .key = r->key,
                                                   .subscription = r->subscription->key,
                                                   .name = str_of(r->name),
                                                   .access_key = { str_of(key[0]), str_of(key[1]) } });
}

static void subscription_insert(struct db_unit *u, const struct subscription *s)
{
    subscription_row_insert(u, &(struct subscription_row){ .key = s->key,
                                                           .name = str_of(s->name),
                                                           .offer = str_of(offer_word(s->offer)),
                                                           .billing_country = str_of(s->billing_country) });
}

static struct subscription *subscription_make(struct accounts *a, struct str name, enum offer offer, struct str country)
{
    struct subscription *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct subscription){ .key = ids_next(a->control->ids), .offer = offer, .active = true };
    str_copyz(s->name, sizeof s->name, name);
    str_copyz(s->billing_country, sizeof s->billing_country, country);
    return s;
}

static struct resource *resource_make(struct accounts *a, struct str name, const struct subscription *s)
{
    struct resource *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct resource){ .key = ids_next(a->control->ids), .subscription = s };
    str_copyz(r->name, sizeof r->name, name);
    ids_guid(a->control->ids, ID_RESOURCE, r->key, r->guid);
    random_bytes(r->access_key, sizeof r->access_key);
    return r;
}

enum err accounts_make_default(struct accounts *a)
{
    if (map_count(a->subscriptions))
        return ERR_NONE;
    struct subscription *s = subscription_make(a, STR("default"), OFFER_PAYG, STR("US"));
    struct resource *r = s ? resource_make(a, STR("default"), s) : NULL;
    struct db_unit *u = db_unit_new();
    enum err err = r && u ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        subscription_insert(u, s);
        resource_insert(u, r);
        err = db_run(a->control->db, u);
    } else {
        db_unit_free(u);
    }
    if (!err)
        err = map_put(a->subscriptions, s->key, s);
    if (!err)
        err = map_put(a->resources, r->key, r);
    if (err) {
        if (s)
            map_take(a->subscriptions, s->key);
        free(r);
        free(s);
        return err;
    }
    a->listener.resource_changed(a->listener.arg, r);
    return ERR_NONE;
}

/* One change on its way to disk. The new object is in memory already (so that its name is taken) and goes again when
 * the commit fails. */
struct change {
    struct db_done       done;
    struct accounts     *a;
    struct subscription *subscription;      /* new, or NULL */
    struct resource     *resource;          /* new, or the one whose key changes */
    bool                 rotates;
    unsigned             slot;
    uint8_t              fresh[ACCESS_KEY_OCTETS];
    accounts_done_fn    *then;
    void                *arg;
};

static void change_undo(struct change *c)
{
    if (c->resource && !c->rotates)
        free(map_take(c->a->resources, c->resource->key));
    if (c->subscription)
        free(map_take(c->a->subscriptions, c->subscription->key));
}

static void change_keep(struct change *c)
{
    if (c->subscription)
        c->subscription->pending = false;
    if (c->resource)
        c->resource->pending = false;
}

static void on_changed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct change *c = container_of(item, struct change, done.item);
    if (c->done.err)
        change_undo(c);
    else if (!c->rotates)
        change_keep(c);
    else
        memcpy(c->resource->access_key[c->slot], c->fresh, ACCESS_KEY_OCTETS);
    if (!c->done.err && c->resource)
        c->a->listener.resource_changed(c->a->listener.arg, c->resource);
    c->then(c->arg, c->done.err);
    free(c);
}

static const struct inbox_kind changed_kind = { "accounts.changed", on_changed, NULL };

static enum err change_post(struct change *c, struct db_unit *u, struct problem *why)
{
    c->done.item.kind = &changed_kind;
    c->done.to = control_inbox(c->a->control);
    enum err err = db_post(c->a->control->db, u, &c->done);
    if (err) {
        db_unit_free(u);
        change_undo(c);
        free(c);
        return problem_set(why, err, "ServiceUnavailable", "The change could not be stored: %s.", err_words(err));
    }
    return ERR_NONE;
}

/* [a-z0-9-], 1..63: a name is a host label (RFC 1035, 2.3.1). */
static enum err name_check(struct str name, const char *field, struct problem *why)
{
    bool good = name.n >= 1 && name.n <= 63 && name.p[0] != '-' && name.p[name.n - 1] != '-';
    for (size_t i = 0; good && i < name.n; i++)
        good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-';
    if (good)
        return ERR_NONE;
    enum err err = problem_set(why, ERR_RANGE, "BadRequest",
                               "A name has 1 to 63 of a-z, 0-9 and '-', and no '-' at its ends.");
    problem_target(why, "%s", field);
    return err;
}

static enum err taken(struct problem *why, const char *what, struct str name)
{
    enum err err = problem_set(why, ERR_CONFLICT, "Conflict", "There is a %s named '" STR_FMT "' already.", what,
                               STR_ARG(name));
    problem_target(why, "name");
    return err;
}

static enum err country_check(struct str country, struct problem *why)
{
    if (country.n == 2 && country.p[0] >= 'A' && country.p[0] <= 'Z' && country.p[1] >= 'A' && country.p[1] <= 'Z')
        return ERR_NONE;
    enum err err = problem_set(why, ERR_RANGE, "BadRequest", "A billing country is two capital letters, such as US.");
    problem_target(why, "billingCountry");
    return err;
}

static enum err offer_check(struct str word, enum offer *offer, struct problem *why)
{
    if (!offer_read(word, offer))
        return ERR_NONE;
    enum err err = problem_set(why, ERR_RANGE, "BadRequest",
                               "An offer is one of payg, ea, csp, trial, free-credit; '" STR_FMT "' is none of them.",
                               STR_ARG(word));
    problem_target(why, "offer");
    return err;
}

static struct change *change_new(struct accounts *a, accounts_done_fn *then, void *arg)
{
    struct change *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct change){ .a = a, .then = then, .arg = arg };
    return c;
}

enum err accounts_subscribe(struct accounts *a, struct str name, struct str offer_text, struct str billing_country,
                            accounts_done_fn *done, void *arg, struct problem *why)
{
    enum offer offer = OFFER_PAYG;
    enum err err = name_check(name, "name", why);
    if (!err)
        err = offer_check(offer_text, &offer, why);
    if (!err)
        err = country_check(billing_country, why);
    if (!err && subscription_holding(a, name))
        err = taken(why, "subscription", name);
    if (err)
        return err;
    struct change *c = change_new(a, done, arg);
    struct db_unit *u = db_unit_new();
    struct subscription *s = subscription_make(a, name, offer, billing_country);
    if (!c || !u || !s || map_put(a->subscriptions, s->key, s)) {
        free(c);
        free(s);
        db_unit_free(u);
        return ERR_NOMEM;
    }
    c->subscription = s;
    s->pending = true;
    subscription_insert(u, s);
    return change_post(c, u, why);
}

enum err accounts_add_resource(struct accounts *a, struct str name, struct str subscription, accounts_done_fn *done,
                               void *arg, struct problem *why)
{
    const struct subscription *s = accounts_subscription_named(a, subscription);
    enum err err = name_check(name, "name", why);
    if (!err && resource_holding(a, name))
        err = taken(why, "resource", name);
    if (!err && !s) {
        err = problem_set(why, ERR_ABSENT, "NotFound", "There is no subscription named '" STR_FMT "'.",
                          STR_ARG(subscription));
        problem_target(why, "account");
    }
    if (err)
        return err;
    struct change *c = change_new(a, done, arg);
    struct db_unit *u = db_unit_new();
    struct resource *r = resource_make(a, name, s);
    if (!c || !u || !r || map_put(a->resources, r->key, r)) {
        free(c);
        free(r);
        db_unit_free(u);
        return ERR_NOMEM;
    }
    c->resource = r;
    r->pending = true;
    resource_insert(u, r);
    return change_post(c, u, why);
}

enum err accounts_rotate_key(struct accounts *a, struct str name, unsigned slot, accounts_done_fn *done, void *arg,
                             struct problem *why)
{
    struct resource *r = resource_holding(a, name);
    if (!r || r->pending || slot > 1)
        return problem_set(why, ERR_ABSENT, "NotFound", "There is no resource named '" STR_FMT "' with such a key.",
                           STR_ARG(name));
    struct change *c = change_new(a, done, arg);
    struct db_unit *u = db_unit_new();
    if (!c || !u) {
        free(c);
        db_unit_free(u);
        return ERR_NOMEM;
    }
    c->resource = r;
    c->rotates = true;
    c->slot = slot;
    random_bytes(c->fresh, sizeof c->fresh);
    char text[BASE64_SIZE(ACCESS_KEY_OCTETS)];
    base64_write(text, c->fresh, sizeof c->fresh);
    resource_row_set_key(u, r->key, slot, str_of(text));
    return change_post(c, u, why);
}

/* -- writing ------------------------------------------------------------------------------------------------------- */

void accounts_write_subscriptions(const struct accounts *a, struct jw *w)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->subscriptions, &at, &key, &value);) {
        const struct subscription *s = value;
        if (s->pending)
            continue;
        jw_object(w, NULL);
        jw_textz(w, "name", s->name);
        jw_textz(w, "offer", offer_word(s->offer));
        jw_textz(w, "billingCountry", s->billing_country);
        jw_textz(w, "state", s->active ? "active" : "suspended");
        jw_bool(w, "paid", offer_is_paid(s->offer));
        jw_end(w);
    }
}

void accounts_write_resources(const struct accounts *a, struct jw *w)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->resources, &at, &key, &value);) {
        const struct resource *r = value;
        if (r->pending)
            continue;
        jw_object(w, NULL);
        jw_textz(w, "name", r->name);
        jw_textz(w, "id", r->guid);
        jw_textz(w, "account", r->subscription->name);
        jw_end(w);
    }
}

void accounts_write_keys(const struct resource *r, struct jw *w)
{
    static const char *const names[] = { "primaryKey", "secondaryKey" };
    for (int i = 0; i < 2; i++) {
        char text[BASE64_SIZE(ACCESS_KEY_OCTETS)];
        base64_write(text, r->access_key[i], ACCESS_KEY_OCTETS);
        jw_textz(w, names[i], text);
    }
}
