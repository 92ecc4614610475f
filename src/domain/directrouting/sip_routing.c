#include "domain/directrouting/sip_routing.h"
#include "base/map.h"
#include "base/str.h"
#include "domain/directrouting/sip_domains.h"
#include "domain/rules.h"
#include "store/sip_routing.h"

struct sip_routing {
    struct control *control;
    struct map     *places;             /* resource -> struct place, owned */
    struct sip_domains *domains;
};

struct place {
    uint64_t           resource;
    struct arena      *arena;           /* of config */
    struct sip_config *config;          /* NULL: nothing was ever set */
    struct change     *first, *last;    /* the first is on its way to disk, the others wait for it */
    struct change     *posted;          /* the first, while the store has it */
};

struct change {
    struct db_done          done;
    struct sip_routing     *s;
    struct place           *place;
    struct change          *after;
    const struct sip_patch *patch;
    struct arena           *arena;
    struct sip_config      *config;     /* what it makes, in `arena` */
    sip_routing_done_fn    *then;
    void                   *arg;
};

static const struct sip_config nothing;

enum err sip_routing_new(struct sip_routing **out, struct control *control)
{
    struct sip_routing *s = calloc(1, sizeof *s);
    struct map *places = map_new();
    struct sip_domains *domains = NULL;
    if (!s || !places || sip_domains_new(&domains, control)) {
        map_free(places);
        free(s);
        return ERR_NOMEM;
    }
    *s = (struct sip_routing){ control, places, domains };
    *out = s;
    return ERR_NONE;
}

static void change_free(struct change *c)
{
    if (!c)
        return;
    arena_free(c->arena);
    free(c);
}

static void place_free(struct place *p)
{
    for (struct change *c = p->first, *after; c; c = after) {
        after = c->after;
        if (c == p->posted)
            c->place = NULL;            /* the store's reply has it: dropped with the inbox */
        else
            change_free(c);
    }
    arena_free(p->arena);
    free(p);
}

void sip_routing_free(struct sip_routing *s)
{
    uint64_t key;
    void *value;
    if (!s)
        return;
    for (size_t at = 0; map_next(s->places, &at, &key, &value);)
        place_free(value);
    map_free(s->places);
    sip_domains_free(s->domains);
    free(s);
}

struct sip_domains *sip_routing_domains(const struct sip_routing *s)
{
    return s->domains;
}

static bool config_uses(const struct sip_config *c, struct str domain)
{
    for (size_t i = 0; c && i < c->n_trunks; i++)
        if (sip_is_in_domain(c->trunks[i].fqdn, domain))
            return true;
    return false;
}

/* What is on its way to disk counts; what waits behind it is checked when it starts. */
bool sip_routing_uses(const struct sip_routing *s, uint64_t other_than, struct str domain)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(s->places, &at, &key, &value);) {
        const struct place *p = value;
        if (p->resource != other_than && (config_uses(p->config, domain) || (p->posted && config_uses(p->posted->config, domain))))
            return true;
    }
    return false;
}

const struct sip_config *sip_routing_find(const struct sip_routing *s, uint64_t resource)
{
    const struct place *p = map_find(s->places, resource);
    return p && p->config ? p->config : &nothing;
}

static enum err place_of(struct sip_routing *s, uint64_t resource, struct place **out)
{
    *out = map_find(s->places, resource);
    if (*out)
        return ERR_NONE;
    struct place *p = calloc(1, sizeof *p);
    if (!p || map_put(s->places, resource, p)) {
        free(p);
        return ERR_NOMEM;
    }
    p->resource = resource;
    *out = p;
    return ERR_NONE;
}

/* -- start ------------------------------------------------------------------------------------------------------------- */

static enum err load_one(void *arg, uint64_t resource, struct str conf)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    scoped(arena) struct arena *reading = arena_new();
    struct sip_patch *patch;
    struct place *p;
    enum err err = reading ? json_read(&doc, conf, NULL) : ERR_NOMEM;
    if (!err)
        err = sip_patch_read(&patch, json_root(doc), true, reading, NULL);
    if (!err)
        err = place_of(arg, resource, &p);
    if (!err && !(p->arena = arena_new()))
        err = ERR_NOMEM;
    return err ? err : sip_config_merge(&p->config, &nothing, patch, p->arena, NULL);
}

enum err sip_routing_load(struct sip_routing *s, struct problem *why)
{
    enum err err = sip_routing_rows_each(s->control->db, load_one, s);
    if (!err)
        err = sip_domains_load(s->domains);
    return err ? problem_set(why, err, "InternalError", "The direct routing in the database cannot be read: %s.",
                             err_words(err))
               : ERR_NONE;
}

/* -- changing ------------------------------------------------------------------------------------------------------------ */

static void on_stored(void *owner, struct inbox_item *item);
static void drop_stored(struct inbox_item *item)
{
    change_free(container_of(item, struct change, done.item));
}
static const struct inbox_kind stored_kind = { "sip_routing.stored", on_stored, drop_stored };

/* Merge the first change over what is there and give it to the store. */
static enum err change_start(struct change *c, struct problem *why)
{
    struct place *p = c->place;
    scoped_buf json = { 0 };
    scoped(db_unit) struct db_unit *u = db_unit_new();
    if (!u)
        return ERR_NOMEM;
    enum err err = sip_config_merge(&c->config, p->config ? p->config : &nothing, c->patch, c->arena, why);
    if (!err)
        err = sip_domains_check(c->s->domains, p->resource, c->config, why);
    if (err)
        return err;
    struct jw w = jw_of(&json);
    sip_config_write(c->config, &w, true, false);
    if (buf_err(&json))
        return ERR_NOMEM;
    sip_routing_row_put(u, p->resource, buf_str(&json));
    c->done.item.kind = &stored_kind;
    c->done.to = control_inbox(c->s->control);
    err = db_post(c->s->control->db, u, &c->done);
    if (err)
        return rule_problem(why, err, RULE_STORE_BUSY);
    u = NULL;
    p->posted = c;
    return ERR_NONE;
}

/* The first has ended: those behind it follow, up to one that the store takes. */
static void next(struct place *p)
{
    while (p->first && !p->posted) {
        struct change *c = p->first;
        struct problem why = { 0 };
        enum err err = change_start(c, &why);
        if (!err)
            return;
        p->first = c->after;
        c->then(c->arg, err, NULL, &why);
        change_free(c);
    }
    if (!p->first)
        p->last = NULL;
}

static void on_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct change *c = container_of(item, struct change, done.item);
    struct place *p = c->place;
    struct problem why = { 0 };
    if (c->done.err) {
        rule_problem(&why, c->done.err, RULE_STORE_BUSY);
        c->then(c->arg, c->done.err, NULL, &why);
    } else {
        struct arena *old = p->arena;
        p->arena = c->arena;
        p->config = c->config;
        c->arena = NULL;
        arena_free(old);
        c->then(c->arg, ERR_NONE, p->config, &why);
    }
    p->posted = NULL;
    p->first = c->after;
    change_free(c);
    next(p);
}

enum err sip_routing_change(struct sip_routing *s, uint64_t resource, const struct sip_patch *patch,
                            sip_routing_done_fn *done, void *arg, struct problem *why)
{
    struct place *p;
    enum err err = place_of(s, resource, &p);
    if (err)
        return err;
    struct change *c = calloc(1, sizeof *c);
    if (c)
        *c = (struct change){ .s = s, .place = p, .patch = patch, .arena = arena_new(), .then = done, .arg = arg };
    if (!c || !c->arena)
        err = ERR_NOMEM;
    else if (!p->first)
        err = change_start(c, why);
    if (err) {
        change_free(c);
        return err;
    }
    if (p->last)
        p->last->after = c;
    else
        p->first = c;
    p->last = c;
    return ERR_NONE;
}

/* -- the end of a resource ------------------------------------------------------------------------------------------------ */

struct ending {
    struct sip_routing *s;
    uint64_t            resource;
    void              (*then)(void *arg, enum err err);
    void               *arg;
};

static void on_ended(void *mine, enum err err)
{
    const struct ending *g = mine;
    struct place *p = map_find(g->s->places, g->resource);
    if (!err) {
        if (p && !p->first) {
            arena_free(p->arena);
            p->arena = NULL;
            p->config = NULL;
        }
        sip_domains_drop_of(g->s->domains, g->resource);
    }
    g->then(g->arg, err);
}

enum err sip_routing_end(void *routing, uint64_t resource, void (*done)(void *arg, enum err err), void *arg)
{
    struct sip_routing *s = routing;
    const struct place *p = map_find(s->places, resource);
    if (p && p->first)
        return ERR_BUSY;                /* the change's answer comes first */
    struct ending *g = malloc(sizeof *g);
    struct db_unit *u = db_unit_new();
    if (g)
        *g = (struct ending){ s, resource, done, arg };
    sip_routing_rows_delete_of(u, resource);
    return control_write(s->control, u, on_ended, g);
}
