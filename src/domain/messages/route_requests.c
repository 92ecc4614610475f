/* route_requests.c - routes that the operator adds, changes, removes, looks at or tries. */
#include "base/nearest.h"
#include "base/str.h"
#include "domain/messages/messages_priv.h"
#include "domain/rules.h"
#include "store/routes.h"

/* A change on its way to disk; memory follows. */
struct routing_change {
    struct messages   *m;
    bool               removes;
    struct sms_route   route;
    messages_route_fn *done;
    void              *arg;
};

static void on_written(void *mine, enum err err)
{
    struct routing_change *c = mine;
    struct problem why = { 0 };
    if (err == ERR_CONFLICT && c->removes)
        err = rule_problem(&why, ERR_ABSENT, RULE_ROUTE_NOT_FOUND, c->route.name);
    else if (err == ERR_CONFLICT)
        err = rule_problem(&why, err, RULE_ROUTE_TAKEN, c->route.name);
    if (!err && c->removes)
        routes_take(c->m->routes, str_of(c->route.name));
    else if (!err)
        err = routes_put(c->m->routes, &c->route);      /* the row is there all the same: it is read at the next start */
    if (!err)
        routing_changed(c->m);
    c->done(c->arg, err, &why);
}

static enum err field(struct problem *why, const char *name, const char *what)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_ROUTE_FIELD_INVALID, name, what);
    problem_target(why, "%s", name);
    return err;
}

static bool is_word(const char *s, const char *others)
{
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr(others, *s)))
            return false;
    return true;
}

static enum err check_carrier(const struct messages *m, const char *name, struct problem *why)
{
    const char *names[64];
    size_t n = 0;
    for (const struct carrier_slot *c = m->carriers; c; c = c->next) {
        if (strcmp(c->name, name) == 0)
            return ERR_NONE;
        if (n < ARRAY_LEN(names))
            names[n++] = c->name;
    }
    const char *near = nearest(str_of(name), names, n);
    enum err err = rule_problem(why, ERR_RANGE, RULE_ROUTE_CARRIER_UNKNOWN, name, near ? "Did you mean '" : "", near ? near : "", near ? "'? " : "");
    problem_target(why, "carrier");
    return err;
}

static enum err check(const struct messages *m, const struct sms_route *r, struct problem *why)
{
    if (!r->name[0] || !is_word(r->name, "._:-"))
        return field(why, "name", "1 to 63 of A-Z, a-z, 0-9, '.', '_', ':' and '-'");
    if (strspn(r->prefix, "0123456789") != strlen(r->prefix))
        return field(why, "prefix", "digits that a phone number begins with, such as +44 or 1206; none: every recipient");
    if (!is_word(r->sender, "+*._- ") || (strchr(r->sender, '*') && strchr(r->sender, '*')[1]))
        return field(why, "sender", "a number such as +18335550100, or its beginning and '*'");
    if (strchr(r->pool, ' '))
        return field(why, "pool", "one tag of numbers, without blanks");
    if (r->weight < 1 || r->weight > ROUTE_WEIGHT_MOST)
        return field(why, "weight", "1 to 1000");
    if (r->priority < 1 || r->priority > ROUTE_PRIORITY_MOST)
        return field(why, "priority", "1 (taken first) to 1000");
    if (r->cost_micro < 0 || r->cost_micro > INT64_C(1000000000))
        return field(why, "costMicro", "millionths of a US dollar a segment, 0 to 1,000,000,000");
    return check_carrier(m, r->carrier, why);
}

static enum err post(struct messages *m, const struct sms_route *r, bool removes, struct db_unit *u, messages_route_fn *done, void *arg,
                     struct problem *why)
{
    struct routing_change *c = malloc(sizeof *c);
    if (c)
        *c = (struct routing_change){ m, removes, *r, done, arg };
    enum err err = control_write(m->control, u, on_written, c);
    return err ? rule_problem(why, err, RULE_STORE_BUSY) : ERR_NONE;
}

static struct sms_route_row row_of(const struct messages *m, const struct sms_route *r)
{
    return (struct sms_route_row){ ids_next(m->control->ids), str_of(r->name), str_of(r->prefix), str_of(r->sender),
                                   str_of(r->pool), str_of(r->carrier), r->weight, r->priority, r->cost_micro };
}

enum err messages_route_add(struct messages *m, const struct sms_route *r, messages_route_fn *done, void *arg, struct problem *why)
{
    enum err err = check(m, r, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    struct sms_route_row row = row_of(m, r);
    sms_route_row_insert(u, &row);
    return post(m, r, false, u, done, arg, why);
}

enum err messages_route_change(struct messages *m, const struct sms_route *r, messages_route_fn *done, void *arg, struct problem *why)
{
    enum err err = check(m, r, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    struct sms_route_row row = row_of(m, r);
    sms_route_row_update(u, &row);
    return post(m, r, false, u, done, arg, why);
}

enum err messages_route_remove(struct messages *m, struct str name, messages_route_fn *done, void *arg, struct problem *why)
{
    struct sms_route r;
    enum err err = messages_route_get(m, name, &r, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    sms_route_row_delete(u, name);
    return post(m, &r, true, u, done, arg, why);
}

enum err messages_route_get(const struct messages *m, struct str name, struct sms_route *out, struct problem *why)
{
    const struct sms_route *r = routes_find(m->routes, name);
    if (!r) {
        char text[64];
        str_copyz(text, sizeof text, name);
        return rule_problem(why, ERR_ABSENT, RULE_ROUTE_NOT_FOUND, text);
    }
    *out = *r;
    return ERR_NONE;
}

/* -- looking ---------------------------------------------------------------------------------------------------------- */

void sms_route_write(const struct sms_route *r, struct jw *w)
{
    jw_textz(w, "name", r->name);
    jw_printf(w, "prefix", "%s%s", r->prefix[0] ? "+" : "", r->prefix);
    jw_textz(w, "sender", r->sender);
    jw_textz(w, "pool", r->pool);
    jw_textz(w, "carrier", r->carrier);
    jw_int(w, "weight", r->weight);
    jw_int(w, "priority", r->priority);
    jw_int(w, "costMicro", r->cost_micro);
}

void messages_write_routes(const struct messages *m, struct jw *w)
{
    for (size_t i = 0; i < routes_count(m->routes); i++) {
        jw_object(w, NULL);
        sms_route_write(routes_at(m->routes, i), w);
        jw_end(w);
    }
}

enum err messages_route_why(const struct messages *m, struct str from, struct str to, struct jw *w, struct problem *why)
{
    const struct lease *lease = numbers_lease(m->numbers, from);
    if (!lease) {
        enum err err = rule_problem(why, ERR_RANGE, RULE_SENDER_NOT_LEASED);
        problem_target(why, "from");
        return err;
    }
    routing_write(m, lease, from, to, w);
    return ERR_NONE;
}

const char *messages_route_to(const struct messages *m, struct str carrier)
{
    for (size_t i = 0; i < routes_count(m->routes); i++) {
        const struct sms_route *r = routes_at(m->routes, i);
        if (str_eqz(carrier, r->carrier))
            return r->name;
    }
    return NULL;
}
