/* carrier_changes.c - an SMSC is changed, or removed: on disk first, then its bind. */
#include "base/log.h"
#include "base/nearest.h"
#include "base/str.h"
#include "domain/messages/messages.h"
#include "domain/numbers/numbers.h"
#include "domain/rules.h"
#include "edge/smpp/smpp_edge.h"
#include "main/carriers_priv.h"
#include "store/carriers.h"

#include <stdio.h>

struct change {
    struct db_done   done;
    struct carriers *c;
    struct json_doc *doc;               /* as it is to be; NULL: it goes */
    char             name[64];
    carrier_done_fn *then;
    void            *arg;
};

static struct carrier *smsc_named(const struct carriers *c, struct str name)
{
    struct carrier *one = c->list;
    while (one && !(strcmp(one->kind, "smsc") == 0 && str_eqz(name, one->name)))
        one = one->next;
    return one;
}

static enum err no_smsc(const struct carriers *c, struct str name, struct problem *why)
{
    const char *names[64];
    char said[64];
    size_t n = 0;
    for (const struct carrier *one = c->list; one && n < ARRAY_LEN(names); one = one->next)
        if (strcmp(one->kind, "smsc") == 0)
            names[n++] = one->name;
    const char *near = nearest(name, names, n);
    str_copyz(said, sizeof said, name);
    return rule_problem(why, ERR_ABSENT, RULE_SMSC_NOT_FOUND, said, near ? "Did you mean '" : "", near ? near : "", near ? "'? " : "");
}

enum err carriers_find(const struct carriers *c, struct str name, struct carrier **out, struct problem *why)
{
    *out = smsc_named(c, name);
    return *out ? ERR_NONE : no_smsc(c, name, why);
}

/* -- what was stored is done ------------------------------------------------------------------------------------------------ */

static enum err remake(struct carriers *c, struct carrier *one, const struct json *conf, struct problem *why)
{
    struct given g;
    struct smpp_bind_conf bind;
    char *text = carrier_conf_text(conf);
    enum err err = text ? given_read(&g, "smsc", conf, why) : ERR_NOMEM;
    if (!err)
        err = given_bind(&bind, &g, why);
    if (!err)
        err = smpp_edge_replace(c->conf.smpp, &bind, why);
    if (err) {
        free(text);
        return err;
    }
    free(one->conf);
    one->conf = text;
    snprintf(one->host, sizeof one->host, "%s:%u", g.host, g.port);
    log_info("carriers", "smsc %s is changed, at %s", one->name, one->host);
    return ERR_NONE;
}

static enum err unmake(struct carriers *c, struct carrier *one, struct problem *why)
{
    struct carrier **at = &c->list;
    enum err err = smpp_edge_remove(c->conf.smpp, str_of(one->name), why);
    if (err)
        return err;
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    carrier_free(one);
    return ERR_NONE;
}

static void on_stored(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct change *g = container_of(item, struct change, done.item);
    struct problem why = { 0 };
    enum err err = g->done.err;
    struct carrier *one = smsc_named(g->c, str_of(g->name));
    if (err == ERR_CONFLICT || (!err && !one))      /* it went meanwhile */
        err = no_smsc(g->c, str_of(g->name), &why);
    else if (err)
        err = rule_problem(&why, err, RULE_STORE_BUSY);
    else
        err = g->doc ? remake(g->c, one, json_root(g->doc), &why) : unmake(g->c, one, &why);
    g->then(g->arg, err, &why);
    json_doc_free(g->doc);
    free(g);
}

static void drop_stored(struct inbox_item *item)
{
    struct change *g = container_of(item, struct change, done.item);
    json_doc_free(g->doc);
    free(g);
}

static const struct inbox_kind stored_kind = { "carriers.changed", on_stored, drop_stored };

/* Takes doc. */
static enum err post(struct carriers *c, const struct carrier *one, struct json_doc *doc, carrier_done_fn *done, void *arg, struct problem *why)
{
    struct change *g = calloc(1, sizeof *g);
    struct db_unit *u = db_unit_new();
    char *text = doc ? carrier_conf_text(json_root(doc)) : NULL;
    enum err err = g && u && (!doc || text) ? ERR_NONE : ERR_NOMEM;
    if (!err) {
        *g = (struct change){ .done = { .item.kind = &stored_kind, .to = control_inbox(c->conf.control) }, .c = c, .doc = doc, .then = done, .arg = arg };
        snprintf(g->name, sizeof g->name, "%s", one->name);
        if (doc)
            carrier_row_update(u, &(struct carrier_row){ .kind = STR("smsc"), .name = str_of(one->name), .conf = str_of(text) });
        else
            carrier_row_delete(u, STR("smsc"), str_of(one->name));
        err = db_post(c->conf.control->db, u, &g->done);
    }
    free(text);
    if (!err)
        return ERR_NONE;
    db_unit_free(u);
    json_doc_free(doc);
    free(g);
    return rule_problem(why, err, RULE_STORE_BUSY);
}

/* -- changing ------------------------------------------------------------------------------------------------------------------ */

static enum err built_in(const struct carrier *one, struct problem *why)
{
    return one->built_in ? rule_problem(why, ERR_CONFLICT, RULE_SMSC_BUILT_IN, one->name) : ERR_NONE;
}

static enum err fixed(const struct carrier *one, const char *what, struct problem *why)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_SMSC_NOT_CHANGEABLE, what, one->name);
    problem_target(why, "%s", what);
    return err;
}

/* Given at all, be it null. */
static bool is_named(const struct json *changes, struct str wanted)
{
    struct str name;
    const struct json *value;
    for (void *at = NULL; json_next(changes, &at, &name, &value);)
        if (str_eq(name, wanted))
            return true;
    return false;
}

/* What it was, with the changes in its place. */
static void merge(struct jw *w, const struct json *was, const struct json *changes)
{
    struct str name;
    const struct json *value;
    char key[64];
    jw_object(w, NULL);
    for (void *at = NULL; json_next(was, &at, &name, &value);) {
        str_copyz(key, sizeof key, name);
        if (!is_named(changes, name))
            jw_json(w, key, value);
    }
    for (void *at = NULL; json_next(changes, &at, &name, &value);) {
        str_copyz(key, sizeof key, name);
        if (json_kind(value) != JSON_IS_ABSENT)      /* null */
            jw_json(w, key, value);
    }
    jw_end(w);
}

static bool receives_only(const struct given *g)
{
    return str_eqz(g->bind, "receiver");
}

static enum err check_change(const struct carrier *one, const struct json *was, const struct json *now, struct problem *why)
{
    struct given before, after;
    enum err err = given_read(&before, "smsc", was, why);
    if (!err)
        err = given_read(&after, "smsc", now, why);
    if (!err && !str_eqz(after.name, one->name))
        err = fixed(one, "name", why);
    if (!err && after.simulated != one->simulated)
        err = fixed(one, "simulated", why);
    if (!err && receives_only(&before) != receives_only(&after))
        err = fixed(one, "bind", why);          /* whether anything can wait for it at all */
    return err ? err : given_check(&after, "smsc", now, why);
}

enum err carriers_change(void *carriers, struct str name, const struct json *changes, carrier_done_fn *done, void *arg,
                         struct problem *why)
{
    struct carriers *c = carriers;
    struct carrier *one;
    scoped(json_doc) struct json_doc *was = NULL;
    struct json_doc *now = NULL;
    scoped_buf text = { 0 };
    struct jw w = jw_of(&text);
    enum err err = carriers_find(c, name, &one, why);
    if (!err)
        err = built_in(one, why);
    if (!err && json_kind(changes) != JSON_IS_OBJECT)
        err = carrier_bad(why, "", "The body must be a JSON object.");
    if (!err)
        err = json_read(&was, str_of(one->conf), why);
    if (err)
        return err;
    merge(&w, json_root(was), changes);
    err = text.bad ? ERR_NOMEM : json_read(&now, buf_str(&text), why);
    if (!err)
        err = check_change(one, json_root(was), json_root(now), why);
    if (err) {
        json_doc_free(now);
        return err;
    }
    return post(c, one, now, done, arg, why);
}

/* -- removing ------------------------------------------------------------------------------------------------------------------- */

enum err carriers_remove(void *carriers, struct str name, carrier_done_fn *done, void *arg, struct problem *why)
{
    struct carriers *c = carriers;
    struct carrier *one;
    char count[24];
    enum err err = carriers_find(c, name, &one, why);
    if (!err)
        err = built_in(one, why);
    if (err)
        return err;
    size_t busy = messages_carrier_busy(c->conf.messages, name), numbers = numbers_of_carrier(c->conf.numbers, name);
    const char *route = messages_route_to(c->conf.messages, name);
    snprintf(count, sizeof count, "%zu", busy ? busy : numbers);
    if (busy)
        return rule_problem(why, ERR_CONFLICT, RULE_SMSC_BUSY, one->name, count);
    if (numbers)
        return rule_problem(why, ERR_CONFLICT, RULE_SMSC_HAS_NUMBERS, one->name, count);
    if (route)
        return rule_problem(why, ERR_CONFLICT, RULE_SMSC_HAS_ROUTE, one->name, route);
    return post(c, one, NULL, done, arg, why);
}
