/* explain.c - which thing an id means, and reading one thing after another that belongs to it. */
#include "domain/explain/explain_priv.h"
#include "codec/e164/e164.h"
#include "domain/accounts/accounts.h"
#include "domain/requests.h"
#include "store/explain.h"

#include <stdio.h>

#define KIND_WORD(name, word) [EXPLAIN_##name] = word,
static const char *const words[] = { EXPLAIN_KINDS(KIND_WORD) };

const char *explain_kind_word(enum explain_kind kind)
{
    return words[kind];
}

static const struct told_part *const kinds[EXPLAIN_KIND_COUNT] = {
    [EXPLAIN_REQUEST] = told_request,         [EXPLAIN_MESSAGE] = told_message,     [EXPLAIN_CALL] = told_call,
    [EXPLAIN_EVENT] = told_event,             [EXPLAIN_SEARCH] = told_search,       [EXPLAIN_OPERATION] = told_operation,
    [EXPLAIN_RESERVATION] = told_reservation, [EXPLAIN_NUMBER] = told_number,
};

enum err explain_new(struct explain **out, const struct explain_conf *conf)
{
    struct explain *x = calloc(1, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    x->conf = *conf;
    *out = x;
    return ERR_NONE;
}

void explain_free(struct explain *x)
{
    free(x);
}

/* -- a question on its way ------------------------------------------------------------------------------------------- */

static void asking_free(struct asking *a)
{
    arena_free(a->arena);
    buf_done(&a->out);
    free(a->lines);
    free(a->pins);
    free(a);
}

struct thing *asking_add(struct asking *a, enum explain_kind kind, uint64_t key, struct str id)
{
    for (size_t i = 0; i < a->n_things; i++) {
        struct thing *t = &a->things[i];
        if (t->kind == kind && (id.n ? str_eqz(id, t->id) : t->key == key))
            return t;
    }
    if (a->n_things == THINGS_MOST) {
        a->cut = true;
        return NULL;
    }
    struct thing *t = &a->things[a->n_things++];
    *t = (struct thing){ .kind = kind, .key = key };
    str_copyz(t->id, sizeof t->id, id);
    return t;
}

void asking_found(struct asking *a, struct thing *t, enum id_kind of, const char *prefix)
{
    char guid[GUID_SIZE];
    ids_guid(a->x->conf.control->ids, of, t->key, guid);
    snprintf(t->id, sizeof t->id, "%s%s", prefix, guid);
    t->found = true;
}

const char *asking_name(const struct asking *a, uint64_t resource)
{
    const struct resource *r = resource ? accounts_resource(a->x->conf.accounts, resource) : NULL;
    return !resource ? "the operator" : r ? r->name : "a resource that has ended";
}

bool asking_may_see(const struct asking *a, uint64_t resource)
{
    return !a->resource || a->resource == resource;
}

static void finish(struct asking *a, enum err err)
{
    bool any = false;
    for (size_t i = 0; i < a->n_things; i++)
        any = any || a->things[i].found;
    if (!err)
        err = any ? told_write(a) : ERR_ABSENT;
    a->done(a->arg, err, err ? (struct str){ "", 0 } : buf_str(&a->out));
    asking_free(a);
}

static void on_rows(void *owner, struct inbox_item *item);

static void drop_rows(struct inbox_item *item)
{
    struct asking *a = container_of(item, struct asking, read.item);
    db_rows_free(a->read.rows);
    asking_free(a);
}

static const struct inbox_kind rows_kind = { "explain.rows", on_rows, drop_rows };

/* Ask the next part of the next thing that has one. @return ERR_ABSENT: nothing is left; ERR_BUSY, ERR_NOMEM */
static enum err ask_on(struct asking *a)
{
    for (; a->at < a->n_things; a->at++, a->part = 0)
        for (const struct thing *t = &a->things[a->at]; kinds[t->kind][a->part].ask; a->part++) {
            a->read = (struct db_read){ .item.kind = &rows_kind, .to = control_inbox(a->x->conf.control) };
            enum err err = kinds[t->kind][a->part].ask(a, t);
            if (err != ERR_ABSENT)
                return err;
        }
    return ERR_ABSENT;
}

static void on_rows(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct asking *a = container_of(item, struct asking, read.item);
    scoped(db_rows) struct db_rows *rows = a->read.rows;
    struct thing *t = &a->things[a->at];
    enum err err = a->read.err;
    if (!err) {
        kinds[t->kind][a->part].tell(a, t, rows);
        a->part++;
        err = ask_on(a);
        if (!err)
            return;
    }
    finish(a, err == ERR_ABSENT ? ERR_NONE : err);
}

/* -- a request that was answered a moment ago may not be written yet --------------------------------------------------- */

static void on_settled(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct asking *a = container_of(item, struct asking, settled.item);
    enum err err = a->settled.err ? a->settled.err : ask_on(a);
    if (err)
        finish(a, err == ERR_ABSENT ? ERR_NONE : err);
}

static void drop_settled(struct inbox_item *item)
{
    asking_free(container_of(item, struct asking, settled.item));
}

static const struct inbox_kind settled_kind = { "explain.settled", on_settled, drop_settled };

static enum err begin(struct asking *a)
{
    const struct explain_conf *conf = &a->x->conf;
    if (!conf->requests)
        return ask_on(a);
    a->settled = (struct db_done){ .item.kind = &settled_kind, .to = control_inbox(conf->control) };
    return requests_settle(conf->requests, &a->settled);
}

/* -- what an id means --------------------------------------------------------------------------------------------------- */

/* "https://conv/<guid>", in base64: a serverCallId. */
static bool read_server_call(const struct ids *ids, struct str id, uint64_t *key)
{
    const struct str before = STR("https://conv/");
    char text[96];
    size_t n = 0;
    if (base64_read(text, sizeof text, id, &n))
        return false;
    struct str plain = { text, n };
    return str_starts(plain, before) && !ids_guid_read(ids, ID_SERVER_CALL, str_from(plain, before.n), key);
}

/* A GUID tells its kind; an operation's stands behind a word and '_'. */
static bool add_guid(struct asking *a, struct str id)
{
    static const struct { enum id_kind of; enum explain_kind kind; } known[] = {
        { ID_REQUEST, EXPLAIN_REQUEST },                { ID_CALL, EXPLAIN_CALL },
        { ID_SERVER_CALL, EXPLAIN_CALL },               { ID_CORRELATION, EXPLAIN_CALL },
        { ID_SEARCH, EXPLAIN_SEARCH },                  { ID_OPERATION_PURCHASE, EXPLAIN_OPERATION },
        { ID_OPERATION_RELEASE, EXPLAIN_OPERATION },    { ID_OPERATION_CAPABILITIES, EXPLAIN_OPERATION },
        { ID_RESERVATION_PURCHASE, EXPLAIN_OPERATION }, { ID_MESSAGE, EXPLAIN_MESSAGE },
    };
    const struct ids *ids = a->x->conf.control->ids;
    ssize_t under = str_find(id, '_');
    struct str guid = under >= 0 ? str_from(id, (size_t)under + 1) : id;
    uint64_t key;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (!ids_guid_read(ids, known[i].of, guid, &key)) {
            asking_add(a, known[i].kind, key, (struct str){ 0 });
            return true;
        }
    if (!ids_guid_read(ids, ID_EVENT, guid, &key)) {
        asking_add(a, EXPLAIN_EVENT, key, guid);
        return true;
    }
    return false;
}

static bool add_first(struct asking *a, struct str id)
{
    const struct ids *ids = a->x->conf.control->ids;
    char lower[GUID_SIZE];
    uint64_t key;
    if (!sms_id_read(ids, id, &key))
        asking_add(a, EXPLAIN_MESSAGE, key, (struct str){ 0 });
    else if (!e164_read_plus(id, &key))
        asking_add(a, EXPLAIN_NUMBER, key, (struct str){ 0 });
    else if (read_server_call(ids, id, &key))
        asking_add(a, EXPLAIN_CALL, key, (struct str){ 0 });
    else if (!add_guid(a, id) && !guid_lower(id, lower))
        asking_add(a, EXPLAIN_RESERVATION, 0, str_of(lower));   /* the client's choice: any GUID may be one */
    return a->n_things;
}

enum err explain_ask(struct explain *x, uint64_t resource, struct str id, explain_fn *done, void *arg, struct problem *why)
{
    struct asking *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    *a = (struct asking){ .x = x, .resource = resource, .arena = arena_new(), .done = done, .arg = arg };
    a->w = jw_of(&a->out);
    jw_object(&a->w, NULL);
    if (a->arena)
        a->asked = arena_str(a->arena, id);
    enum err err = a->asked.p ? ERR_NONE : ERR_NOMEM;
    if (!err)
        err = add_first(a, id) ? begin(a) : ERR_ABSENT;
    if (err)
        asking_free(a);
    if (err == ERR_ABSENT) {
        problem_set(why, err, "NotFound",
                    "'" STR_FMT "' is no id of this server: a request's (x-ms-request-id), a message's, a call's (callConnectionId, "
                    "serverCallId, correlationId), an event's, a search's, an operation's or a reservation's, or a phone "
                    "number such as +12065550100.", (int)(id.n < 80 ? id.n : 80), id.p);
        problem_target(why, "id");
    }
    return err;
}
