#include "domain/accounts/accounts.h"
#include "domain/accounts/accounts_priv.h"

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

void resource_free(struct resource *r)
{
    if (!r)
        return;
    free(r->tags);
    free(r->identity);
    explicit_bzero(r->access_key, sizeof r->access_key);
    free(r);
}

void accounts_free(struct accounts *a)
{
    if (!a)
        return;
    uint64_t key;
    void *value;
    endings_free(a);
    for (size_t at = 0; a->resources && map_next(a->resources, &at, &key, &value);)
        resource_free(value);
    for (size_t at = 0; a->subscriptions && map_next(a->subscriptions, &at, &key, &value);)
        free(value);
    map_free(a->resources);
    map_free(a->subscriptions);
    free(a);
}

/* -- what is in memory ------------------------------------------------------------------------------------------- */

static bool in_use(const struct resource *r)
{
    return r && !r->pending && !r->ending && !r->gone;
}

const struct resource *accounts_resource(const struct accounts *a, uint64_t key)
{
    const struct resource *r = map_find(a->resources, key);
    return in_use(r) ? r : NULL;
}

const struct resource *accounts_resource_ever(const struct accounts *a, uint64_t key)
{
    const struct resource *r = map_find(a->resources, key);
    return r && !r->pending ? r : NULL;
}

struct resource *resource_holding(const struct accounts *a, struct str name)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->resources, &at, &key, &value);) {
        struct resource *r = value;
        if (!r->gone && str_eq_nocase(name, str_of(r->name)))
            return r;
    }
    return NULL;
}

struct subscription *subscription_holding(const struct accounts *a, struct str name)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->subscriptions, &at, &key, &value);) {
        struct subscription *s = value;
        if (str_eq_nocase(name, str_of(s->name)) || str_eq_nocase(name, str_of(s->guid)))
            return s;
    }
    return NULL;
}

const struct resource *accounts_resource_named(const struct accounts *a, struct str name)
{
    const struct resource *r = resource_holding(a, name);
    return in_use(r) ? r : NULL;
}

bool accounts_resource_taken(const struct accounts *a, struct str name)
{
    return resource_holding(a, name) != NULL;
}

const struct subscription *accounts_subscription_find(const struct accounts *a, struct str name)
{
    const struct subscription *s = subscription_holding(a, name);
    return s && !s->pending ? s : NULL;
}

const struct subscription *accounts_subscription_named(const struct accounts *a, struct str name)
{
    return accounts_subscription_find(a, name);
}

size_t accounts_resources(const struct accounts *a, const struct subscription *s, struct str group, uint64_t after,
                          const struct resource **out, size_t most, bool *more)
{
    uint64_t key;
    void *value;
    size_t n = 0;
    *more = false;
    for (size_t at = 0; map_next(a->resources, &at, &key, &value);) {
        const struct resource *r = value;
        if (!in_use(r) || r->key <= after || (s && r->subscription != s)
            || (group.n && !str_eq_nocase(group, str_of(r->group))))
            continue;
        size_t i = n;                   /* kept sorted, and no longer than was asked for */
        if (n == most) {
            *more = true;
            if (!most || out[n - 1]->key < r->key)
                continue;
            i = n - 1;
        } else {
            n++;
        }
        for (; i && out[i - 1]->key > r->key; i--)
            out[i] = out[i - 1];
        out[i] = r;
    }
    return n;
}

enum err accounts_may_spend(const struct accounts *a, uint64_t resource, struct problem *why)
{
    const struct resource *r = accounts_resource(a, resource);
    if (!r)
        return rule_problem(why, ERR_FORBIDDEN, RULE_RESOURCE_BEING_DELETED, "");
    if (!r->subscription->active)
        return rule_problem(why, ERR_FORBIDDEN, RULE_SUBSCRIPTION_NOT_ACTIVE, r->subscription->name);
    return ERR_NONE;
}

/* -- reading at start ---------------------------------------------------------------------------------------------- */

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
    ids_guid(a->control->ids, ID_SUBSCRIPTION, s->key, s->guid);
    ids_after(a->control->ids, s->key);
    enum err err = map_put(a->subscriptions, s->key, s);
    if (err)
        free(s);
    return err;
}

static char *text_or_null(struct str s)
{
    return s.n ? strndup(s.p, s.n) : NULL;
}

static enum err read_keys(struct resource *r, const struct resource_row *row)
{
    for (int i = 0; i < 2; i++) {
        size_t n = 0;
        if (base64_read(r->access_key[i], ACCESS_KEY_OCTETS, row->access_key[i], &n)
            || n != (row->state == RESOURCE_ROW_ACTIVE ? ACCESS_KEY_OCTETS : 0))
            return ERR_STORE;
    }
    return ERR_NONE;
}

static enum err load_resource(void *arg, const struct resource_row *row)
{
    struct accounts *a = arg;
    struct resource *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->key = row->key;
    r->subscription = map_find(a->subscriptions, row->subscription);
    r->ending = row->state == RESOURCE_ROW_ENDING;
    r->gone = row->state == RESOURCE_ROW_GONE;
    r->keys_off = row->keys_off;
    r->created_us = row->created_us ? row->created_us : id_time_us(row->key);
    r->changed_us = row->changed_us ? row->changed_us : r->created_us;
    r->tags = text_or_null(row->tags);
    r->identity = text_or_null(row->identity);
    str_copyz(r->name, sizeof r->name, row->name);
    str_copyz(r->group, sizeof r->group, row->group);
    str_copyz(r->location, sizeof r->location, row->location);
    str_copyz(r->data_location, sizeof r->data_location, row->data_location);
    ids_guid(a->control->ids, ID_RESOURCE, r->key, r->guid);
    ids_after(a->control->ids, r->key);
    enum err err = (row->tags.n && !r->tags) || (row->identity.n && !r->identity) ? ERR_NOMEM : ERR_NONE;
    if (!err && (!r->subscription || read_keys(r, row)))
        err = ERR_STORE;
    if (!err)
        err = map_put(a->resources, r->key, r);
    if (err) {
        resource_free(r);
        return err;
    }
    if (in_use(r))
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

/* -- writing ------------------------------------------------------------------------------------------------------- */

void resource_row_fill(const struct resource *r, struct resource_row *row)
{
    *row = (struct resource_row){ .key = r->key, .subscription = r->subscription->key, .name = str_of(r->name),
                                  .group = str_of(r->group), .location = str_of(r->location),
                                  .data_location = str_of(r->data_location), .tags = str_of(r->tags),
                                  .identity = str_of(r->identity), .keys_off = r->keys_off,
                                  .created_us = r->created_us, .changed_us = r->changed_us };
}

void accounts_write_subscription(const struct subscription *s, struct jw *w)
{
    jw_textz(w, "name", s->name);
    jw_textz(w, "id", s->guid);
    jw_textz(w, "offer", offer_word(s->offer));
    jw_textz(w, "billingCountry", s->billing_country);
    jw_textz(w, "state", s->active ? "active" : "suspended");
    jw_bool(w, "paid", offer_is_paid(s->offer));
}

static int older(const void *a, const void *b)
{
    uint64_t x = **(const uint64_t *const *)a, y = **(const uint64_t *const *)b;
    return (x > y) - (x < y);
}

/* The values of a map, the oldest first: keys rise with time, and stand first in both structs. Empty when out of memory. */
static const void **by_age(const struct map *m, size_t *n)
{
    uint64_t key;
    void *value;
    const void **all = calloc(map_count(m) + 1, sizeof *all);
    *n = 0;
    for (size_t at = 0; all && map_next(m, &at, &key, &value);)
        all[(*n)++] = value;
    if (*n)
        qsort(all, *n, sizeof *all, older);
    return all;
}
static_assert(!offsetof(struct subscription, key) && !offsetof(struct resource, key), "by_age() reads the first member");

void accounts_write_subscriptions(const struct accounts *a, struct jw *w)
{
    size_t n;
    const void **all = by_age(a->subscriptions, &n);
    for (size_t i = 0; i < n; i++) {
        const struct subscription *s = all[i];
        if (s->pending)
            continue;
        jw_object(w, NULL);
        accounts_write_subscription(s, w);
        jw_end(w);
    }
    free(all);
}

void accounts_write_resource(const struct resource *r, struct jw *w)
{
    jw_textz(w, "name", r->name);
    jw_textz(w, "id", r->guid);
    jw_textz(w, "account", r->subscription->name);
    jw_textz(w, "group", r->group);
    jw_textz(w, "location", r->location);
    jw_textz(w, "dataLocation", r->data_location);
    jw_textz(w, "state", r->ending ? "deleting" : "active");
    jw_bool(w, "accessKeys", !r->keys_off);
    jw_time(w, "created", r->created_us);
    jw_raw(w, "tags", r->tags ? str_of(r->tags) : STR("{}"));
}

void accounts_write_resources(const struct accounts *a, struct jw *w)
{
    size_t n;
    const void **all = by_age(a->resources, &n);
    for (size_t i = 0; i < n; i++) {
        const struct resource *r = all[i];
        if (r->pending || r->gone)
            continue;
        jw_object(w, NULL);
        accounts_write_resource(r, w);
        jw_end(w);
    }
    free(all);
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
