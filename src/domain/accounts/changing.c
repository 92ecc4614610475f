/* changing.c - new subscriptions and resources, and changes of them: checked, stored, then true in memory. */
#include "base/crypto.h"
#include "domain/accounts/accounts_priv.h"

#include <stdio.h>

/* -- making things ------------------------------------------------------------------------------------------------- */

static void resource_insert(struct db_unit *u, const struct resource *r)
{
    char key[2][BASE64_SIZE(ACCESS_KEY_OCTETS)];
    struct resource_row row;
    resource_row_fill(r, &row);
    for (int i = 0; i < 2; i++) {
        base64_write(key[i], r->access_key[i], ACCESS_KEY_OCTETS);
        row.access_key[i] = str_of(key[i]);
    }
    resource_row_insert(u, &row);
    explicit_bzero(key, sizeof key);
}

static struct subscription_row subscription_row_of(const struct subscription *s)
{
    return (struct subscription_row){ .key = s->key, .name = str_of(s->name), .offer = str_of(offer_word(s->offer)),
                                      .billing_country = str_of(s->billing_country), .active = s->active };
}

static void subscription_insert(struct db_unit *u, const struct subscription *s)
{
    struct subscription_row row = subscription_row_of(s);
    subscription_row_insert(u, &row);
}

static struct subscription *subscription_make(struct accounts *a, struct str name, enum offer offer, struct str country)
{
    struct subscription *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (struct subscription){ .key = ids_next(a->control->ids), .offer = offer, .active = true };
    str_copyz(s->name, sizeof s->name, name);
    str_copyz(s->billing_country, sizeof s->billing_country, country);
    ids_guid(a->control->ids, ID_SUBSCRIPTION, s->key, s->guid);
    return s;
}

static bool copy_text(char **to, struct str from)
{
    *to = from.n ? strndup(from.p, from.n) : NULL;
    return *to || !from.n;
}

static struct resource *resource_make(struct accounts *a, const struct resource_wish *wish, const struct subscription *s)
{
    struct resource *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct resource){ .key = ids_next(a->control->ids), .subscription = s, .keys_off = wish->keys_off };
    r->created_us = r->changed_us = control_now_us(a->control);
    str_copyz(r->name, sizeof r->name, wish->name);
    str_copyz(r->group, sizeof r->group, wish->group.n ? wish->group : STR("default"));
    str_copyz(r->location, sizeof r->location, wish->location.n ? wish->location : STR("global"));
    str_copyz(r->data_location, sizeof r->data_location, wish->data_location.n ? wish->data_location : STR("United States"));
    ids_guid(a->control->ids, ID_RESOURCE, r->key, r->guid);
    random_bytes(r->access_key, sizeof r->access_key);
    if (!copy_text(&r->tags, wish->tags) || !copy_text(&r->identity, wish->identity)) {
        resource_free(r);
        return NULL;
    }
    return r;
}

enum err accounts_make_default(struct accounts *a)
{
    if (map_count(a->subscriptions))
        return ERR_NONE;
    struct subscription *s = subscription_make(a, STR("default"), OFFER_PAYG, STR("US"));
    struct resource *r = s ? resource_make(a, &(struct resource_wish){ .name = STR("default") }, s) : NULL;
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
        resource_free(r);
        free(s);
        return err;
    }
    a->listener.resource_changed(a->listener.arg, r);
    return ERR_NONE;
}

/* -- one change on its way to disk ---------------------------------------------------------------------------------- */

/* What is new is in memory already (so that its name is taken) and goes again when the commit fails. */
struct change {
    struct db_done       done;
    struct db_unit      *unit;              /* until it is posted */
    struct accounts     *a;
    void               (*settle)(struct change *c, enum err err);   /* memory follows the commit */
    struct subscription *subscription;      /* new, or the one that changes */
    struct subscription  to;                /* what it becomes */
    struct resource     *resource;          /* new, or the one that changes */
    unsigned             slot;
    uint8_t              fresh[ACCESS_KEY_OCTETS];
    char                *tags, *identity;   /* owned */
    bool                 keys_off;
    int64_t              changed_us;
    bool                 until_gone;
    accounts_done_fn    *then;
    void                *arg;
};

static void change_free(struct change *c)
{
    if (!c)
        return;
    db_unit_free(c->unit);
    free(c->tags);
    free(c->identity);
    explicit_bzero(c->fresh, sizeof c->fresh);
    free(c);
}

static void tell_listener(struct change *c)
{
    c->a->listener.resource_changed(c->a->listener.arg, c->resource);
}

static void on_changed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct change *c = container_of(item, struct change, done.item);
    c->settle(c, c->done.err);
    if (c->then)
        c->then(c->arg, c->done.err);
    change_free(c);
}

static void drop_changed(struct inbox_item *item)
{
    change_free(container_of(item, struct change, done.item));
}

static const struct inbox_kind changed_kind = { "accounts.changed", on_changed, drop_changed };

/* Takes the change; on an error memory is as it was, and nobody is told. */
static enum err change_post(struct change *c, struct problem *why)
{
    c->done.item.kind = &changed_kind;
    c->done.to = control_inbox(c->a->control);
    struct db_unit *u = c->unit;
    c->unit = NULL;                     /* the store takes it, or it is freed here */
    enum err err = db_post(c->a->control->db, u, &c->done);
    if (!err)
        return ERR_NONE;
    db_unit_free(u);
    c->settle(c, err);
    change_free(c);
    return rule_problem(why, err, RULE_STORE_BUSY);
}

/* With an empty unit. NULL: out of memory. */
static struct change *change_new(struct accounts *a, void (*settle)(struct change *, enum err), accounts_done_fn *then,
                                 void *arg)
{
    struct change *c = calloc(1, sizeof *c);
    struct db_unit *u = db_unit_new();
    if (!c || !u) {
        free(c);
        db_unit_free(u);
        return NULL;
    }
    *c = (struct change){ .unit = u, .a = a, .settle = settle, .then = then, .arg = arg,
                          .changed_us = control_now_us(a->control) };
    return c;
}

/* -- what is asked for ----------------------------------------------------------------------------------------------- */

static enum err at(const char *target, struct problem *why, enum err err)
{
    problem_target(why, "%s", target);
    return err;
}

struct shown { char z[64]; };
static struct shown shown(struct str s)
{
    struct shown out;
    str_copyz(out.z, sizeof out.z, s);
    return out;
}

/* [a-z0-9-], 1..63: a name is a host label (RFC 1035, 2.3.1). */
static enum err name_check(struct str name, struct problem *why)
{
    bool good = name.n >= 1 && name.n <= 63 && name.p[0] != '-' && name.p[name.n - 1] != '-';
    for (size_t i = 0; good && i < name.n; i++) {
        char c = name.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    return good ? ERR_NONE : at("name", why, rule_problem(why, ERR_RANGE, RULE_NAME_INVALID, shown(name).z));
}

static enum err country_check(struct str country, struct problem *why)
{
    if (country.n == 2 && country.p[0] >= 'A' && country.p[0] <= 'Z' && country.p[1] >= 'A' && country.p[1] <= 'Z')
        return ERR_NONE;
    return at("billingCountry", why, rule_problem(why, ERR_RANGE, RULE_BILLING_COUNTRY_INVALID, shown(country).z));
}

static enum err offer_check(struct str word, enum offer *offer, struct problem *why)
{
    if (!offer_read(word, offer))
        return ERR_NONE;
    return at("offer", why, rule_problem(why, ERR_RANGE, RULE_OFFER_UNKNOWN, shown(word).z));
}

static enum err subscription_missing(struct str name, struct problem *why)
{
    return at("account", why, rule_problem(why, ERR_ABSENT, RULE_SUBSCRIPTION_NOT_FOUND, shown(name).z));
}

static enum err resource_missing(struct str name, struct problem *why)
{
    return at("resource", why, rule_problem(why, ERR_ABSENT, RULE_RESOURCE_NOT_FOUND, shown(name).z));
}

static enum err tags_check(const struct resource_wish *wish, struct problem *why)
{
    char most[16];
    snprintf(most, sizeof most, "%d", RESOURCE_TAGS_MOST);
    if (wish->tags.n > RESOURCE_TAGS_MOST)
        return at("tags", why, rule_problem(why, ERR_RANGE, RULE_TAGS_TOO_LARGE, "tags", most));
    if (wish->identity.n > RESOURCE_TAGS_MOST)
        return at("identity", why, rule_problem(why, ERR_RANGE, RULE_TAGS_TOO_LARGE, "identity", most));
    return ERR_NONE;
}

enum err accounts_resource_name(const struct accounts *a, struct str name, struct problem *why)
{
    enum err err = name_check(name, why);
    const struct resource *other = err ? NULL : resource_holding(a, name);
    if (err || !other)
        return err;
    return at("name", why, rule_problem(why, ERR_CONFLICT, other->ending ? RULE_RESOURCE_BEING_DELETED : RULE_NAME_TAKEN,
                                        other->name));
}

static enum err wish_check(const struct accounts *a, const struct resource_wish *wish, const struct subscription **s,
                           struct problem *why)
{
    enum err err = accounts_resource_name(a, wish->name, why);
    if (!err && wish->group.n >= RESOURCE_GROUP_SIZE)
        err = at("resourceGroupName", why, rule_problem(why, ERR_RANGE, RULE_PLACE_INVALID, "resourceGroupName"));
    if (!err && wish->location.n >= RESOURCE_PLACE_SIZE)
        err = at("location", why, rule_problem(why, ERR_RANGE, RULE_PLACE_INVALID, "location"));
    if (!err && wish->data_location.n >= RESOURCE_PLACE_SIZE)
        err = at("properties.dataLocation", why, rule_problem(why, ERR_RANGE, RULE_PLACE_INVALID, "dataLocation"));
    if (!err)
        err = tags_check(wish, why);
    *s = err ? NULL : accounts_subscription_find(a, wish->subscription);
    return err || *s ? err : subscription_missing(wish->subscription, why);
}

/* A change is written whole, out of what is in memory: one beside another would undo it. */
static enum err not_twice(bool changing, struct problem *why)
{
    return changing ? rule_problem(why, ERR_BUSY, RULE_STORE_BUSY) : ERR_NONE;
}

/* -- subscriptions --------------------------------------------------------------------------------------------------- */

static void settle_subscription(struct change *c, enum err err)
{
    c->subscription->pending = false;
    if (err)
        free(map_take(c->a->subscriptions, c->subscription->key));
}

enum err accounts_subscribe(struct accounts *a, struct str name, struct str offer_text, struct str billing_country,
                            accounts_done_fn *done, void *arg, struct problem *why)
{
    enum offer offer = OFFER_PAYG;
    enum err err = name_check(name, why);
    if (!err)
        err = offer_check(offer_text, &offer, why);
    if (!err)
        err = country_check(billing_country, why);
    if (!err && subscription_holding(a, name))
        err = at("name", why, rule_problem(why, ERR_CONFLICT, RULE_NAME_TAKEN, shown(name).z));
    if (err)
        return err;
    struct change *c = change_new(a, settle_subscription, done, arg);
    struct subscription *s = subscription_make(a, name, offer, billing_country);
    if (!c || !s || map_put(a->subscriptions, s->key, s)) {
        change_free(c);
        free(s);
        return ERR_NOMEM;
    }
    c->subscription = s;
    s->pending = true;
    subscription_insert(c->unit, s);
    return change_post(c, why);
}

static void settle_subscription_change(struct change *c, enum err err)
{
    c->subscription->changing = false;
    if (err)
        return;
    c->subscription->offer = c->to.offer;
    c->subscription->active = c->to.active;
    memcpy(c->subscription->billing_country, c->to.billing_country, sizeof c->to.billing_country);
}

enum err accounts_change_subscription(struct accounts *a, struct str name, const struct subscription_wish *to,
                                      accounts_done_fn *done, void *arg, struct problem *why)
{
    struct subscription *s = subscription_holding(a, name);
    enum err err = s && !s->pending ? not_twice(s->changing, why) : subscription_missing(name, why);
    enum offer offer = err ? OFFER_PAYG : s->offer;
    if (!err && to->offer.n)
        err = offer_check(to->offer, &offer, why);
    if (!err && to->billing_country.n)
        err = country_check(to->billing_country, why);
    if (err)
        return err;
    struct change *c = change_new(a, settle_subscription_change, done, arg);
    if (!c)
        return ERR_NOMEM;
    c->subscription = s;
    c->to = *s;
    c->to.offer = offer;
    c->to.active = to->active ? *to->active : s->active;
    if (to->billing_country.n)
        str_copyz(c->to.billing_country, sizeof c->to.billing_country, to->billing_country);
    struct subscription_row row = subscription_row_of(&c->to);
    subscription_row_set(c->unit, &row);
    s->changing = true;
    return change_post(c, why);
}

/* -- resources ------------------------------------------------------------------------------------------------------- */

static void settle_resource(struct change *c, enum err err)
{
    c->resource->pending = false;
    if (!err)
        tell_listener(c);
    else
        resource_free(map_take(c->a->resources, c->resource->key));
}

enum err accounts_make_resource(struct accounts *a, const struct resource_wish *wish, accounts_done_fn *done, void *arg,
                                struct problem *why)
{
    const struct subscription *s;
    enum err err = wish_check(a, wish, &s, why);
    if (err)
        return err;
    struct change *c = change_new(a, settle_resource, done, arg);
    struct resource *r = resource_make(a, wish, s);
    if (!c || !r || map_put(a->resources, r->key, r)) {
        change_free(c);
        resource_free(r);
        return ERR_NOMEM;
    }
    c->resource = r;
    r->pending = true;
    resource_insert(c->unit, r);
    return change_post(c, why);
}

enum err accounts_add_resource(struct accounts *a, struct str name, struct str subscription, accounts_done_fn *done,
                               void *arg, struct problem *why)
{
    return accounts_make_resource(a, &(struct resource_wish){ .name = name, .subscription = subscription }, done, arg, why);
}

/* Keys go on from it in memory, so the change is refused where the resource is not (or no longer) in use. */
static struct resource *resource_to_change(struct accounts *a, uint64_t key)
{
    return accounts_resource(a, key) ? map_find(a->resources, key) : NULL;
}

static void settle_resource_change(struct change *c, enum err err)
{
    c->resource->changing = false;
    if (err)
        return;
    struct resource *r = c->resource;
    char *tags = r->tags, *identity = r->identity;
    r->tags = c->tags;
    r->identity = c->identity;
    c->tags = tags;
    c->identity = identity;
    r->keys_off = c->keys_off;
    r->changed_us = c->changed_us;
    if (!r->ending)
        tell_listener(c);
}

enum err accounts_change_resource(struct accounts *a, uint64_t key, const struct resource_wish *to, accounts_done_fn *done,
                                  void *arg, struct problem *why)
{
    struct resource *r = resource_to_change(a, key);
    enum err err = r ? tags_check(to, why) : resource_missing(STR(""), why);
    if (!err)
        err = not_twice(r->changing, why);
    if (err)
        return err;
    struct change *c = change_new(a, settle_resource_change, done, arg);
    if (!c || !copy_text(&c->tags, to->tags) || !copy_text(&c->identity, to->identity)) {
        change_free(c);
        return ERR_NOMEM;
    }
    c->resource = r;
    c->keys_off = to->keys_off;
    r->changing = true;
    resource_row_set(c->unit, &(struct resource_row){ .key = r->key, .tags = str_of(c->tags), .identity = str_of(c->identity),
                                                .keys_off = to->keys_off, .changed_us = c->changed_us });
    return change_post(c, why);
}

static void settle_rotation(struct change *c, enum err err)
{
    if (err)
        return;
    memcpy(c->resource->access_key[c->slot], c->fresh, ACCESS_KEY_OCTETS);
    if (!c->resource->ending)
        tell_listener(c);
}

enum err accounts_rotate_key(struct accounts *a, struct str name, unsigned slot, accounts_done_fn *done, void *arg,
                             struct problem *why)
{
    struct resource *r = resource_holding(a, name);
    r = r ? resource_to_change(a, r->key) : NULL;
    if (!r || slot > 1)
        return resource_missing(name, why);
    struct change *c = change_new(a, settle_rotation, done, arg);
    if (!c)
        return ERR_NOMEM;
    c->resource = r;
    c->slot = slot;
    random_bytes(c->fresh, sizeof c->fresh);
    char text[BASE64_SIZE(ACCESS_KEY_OCTETS)];
    base64_write(text, c->fresh, sizeof c->fresh);
    resource_row_set_key(c->unit, r->key, slot, str_of(text));
    return change_post(c, why);
}

/* -- the first step of deleting -------------------------------------------------------------------------------------- */

/* From here on nothing new can begin: the keys prove nothing, and accounts_resource() has forgotten it. */
static void settle_deletion(struct change *c, enum err err)
{
    struct resource *r = c->resource;
    if (err) {
        r->ending = false;
        return;
    }
    explicit_bzero(r->access_key, sizeof r->access_key);
    r->changed_us = c->changed_us;
    if (c->a->listener.resource_gone)
        c->a->listener.resource_gone(c->a->listener.arg, r->key);
    ending_start(c->a, r, c->until_gone ? c->then : NULL, c->arg);
    if (c->until_gone)
        c->then = NULL;
}

enum err accounts_delete_resource(struct accounts *a, uint64_t key, bool until_gone, accounts_done_fn *done, void *arg,
                                  struct problem *why)
{
    struct resource *r = resource_to_change(a, key);
    if (!r)
        return resource_missing(STR(""), why);
    struct change *c = change_new(a, settle_deletion, done, arg);
    if (!c)
        return ERR_NOMEM;
    c->resource = r;
    c->until_gone = until_gone;
    r->ending = true;
    resource_row_end(c->unit, r->key, c->changed_us);
    return change_post(c, why);
}
