#include "domain/numbers/numbers.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/numbers/numbers_priv.h"

enum err numbers_new(struct numbers **out, struct control *control, const struct accounts *accounts,
                     const struct numbers_conf *conf, struct problem *why)
{
    if (!catalogue_has_edition(conf->edition))
        return problem_set(why, ERR_RANGE, "BadRequest", "There is no edition '%s' of the catalogue; 2020-10 is one.",
                           conf->edition);
    struct numbers *n = calloc(1, sizeof *n);
    if (!n)
        return ERR_NOMEM;
    n->control = control;
    n->accounts = accounts;
    n->conf = *conf;
    n->blocks = blocks_new();
    n->carriers = strmap_new();
    n->searches = map_new();
    n->operations = map_new();
    n->reservations = map_new();
    n->reservation_ids = strmap_new();
    n->reservation_lists = map_new();
    n->import_ids = strmap_new();
    n->remarks = map_new();
    n->withdrawing = map_new();
    if (!n->blocks || !n->carriers || !n->searches || !n->operations || !n->reservations || !n->reservation_ids
        || !n->reservation_lists || !n->import_ids || !n->remarks || !n->withdrawing) {
        numbers_free(n);
        return ERR_NOMEM;
    }
    *out = n;
    return ERR_NONE;
}

void numbers_free(struct numbers *n)
{
    if (!n)
        return;
    uint64_t key;
    void *value;
    numbers_free_all(n);
    for (size_t at = 0; n->searches && map_next(n->searches, &at, &key, &value);) {
        agenda_clear(n->control->agenda, &((struct search *)value)->due);
        free(value);
    }
    for (size_t at = 0; n->operations && map_next(n->operations, &at, &key, &value);) {
        agenda_clear(n->control->agenda, &((struct operation *)value)->due);
        free(value);
    }
    for (size_t at = 0; n->reservations && map_next(n->reservations, &at, &key, &value);) {
        agenda_clear(n->control->agenda, &((struct reservation *)value)->due);
        reservation_free(value);
    }
    map_free(n->searches);
    map_free(n->operations);
    reservation_lists_free(n);
    remarks_free(n);
    map_free(n->withdrawing);
    imports_free(n);
    lots_free(n);
    map_free(n->reservations);
    strmap_free(n->reservation_ids);
    free(n);
}

const char *numbers_edition(const struct numbers *n)
{
    return n->conf.edition;
}

void numbers_on_release(struct numbers *n, struct numbers_leaver leaver)
{
    assert(n->n_leavers < NUMBERS_LEAVERS_MOST);
    n->leavers[n->n_leavers++] = leaver;
}

void numbers_post_quietly(struct numbers *n, struct db_unit *u)
{
    struct db_done *done = calloc(1, sizeof *done);
    if (!done || db_post(n->control->db, u, done)) {
        free(done);
        db_unit_free(u);
    }
}

/* -- reading at start ----------------------------------------------------------------------------------------------- */

static enum err load_search(void *arg, const struct number_search_row *row)
{
    struct numbers *n = arg;
    size_t count = 0;
    struct str head, rest = row->numbers;
    for (struct str r = row->numbers; r.n; count++)
        str_cut(r, ' ', &head, &r);
    struct search *s = search_new(n, count);
    if (!s)
        return ERR_NOMEM;
    s->pub.key = row->key;
    s->pub.resource = row->resource;
    s->pub.type = (enum number_type)row->type;
    s->pub.assignment = (enum assignment)row->assignment;
    s->pub.calling = (enum capability)row->calling;
    s->pub.sms = (enum capability)row->sms;
    s->pub.state = (enum search_state)row->state;
    s->pub.expires_us = row->expires_us;
    s->pub.lease_micro = row->lease_micro;
    s->purchase = row->purchase;
    s->committed = true;
    str_copyz(s->pub.country, sizeof s->pub.country, row->country);
    enum err err = ERR_NONE;
    for (size_t i = 0; i < count && !err; i++) {
        str_cut(rest, ' ', &head, &rest);
        err = str_u64(head, UINT64_MAX, &s->numbers[i]) ? ERR_STORE : ERR_NONE;
    }
    if (!err)
        err = map_put(n->searches, s->pub.key, s);
    if (err) {
        free(s);
        return err;
    }
    ids_after(n->control->ids, s->pub.key);
    return search_keep(s);
}

static enum number_state state_of_row(enum number_row_state state)
{
    switch (state) {
    case NUMBER_ROW_LEASED:     return NUMBER_LEASED;
    case NUMBER_ROW_RELEASED:   return NUMBER_RELEASED;
    case NUMBER_ROW_QUARANTINE: return NUMBER_QUARANTINE;
    }
    return NUMBER_AVAILABLE;
}

static enum err load_number(void *arg, const struct number_row *row)
{
    struct numbers *n = arg;
    enum number_state state = state_of_row(row->state);
    if (state == NUMBER_AVAILABLE)
        return ERR_STORE;
    struct number *x = number_touch(n, row->digits);
    if (!x)
        return ERR_NOMEM;
    x->state = state;
    number_moved(x, NUMBER_AVAILABLE);
    x->holder = row->search;
    x->lease.resource = row->resource;
    x->lease.type = (enum number_type)row->type;
    x->lease.assignment = (enum assignment)row->assignment;
    x->lease.calling = (enum capability)row->calling;
    x->lease.sms = (enum capability)row->sms;
    x->lease.simulated = row->simulated;
    x->lease.purchased_us = row->purchased_us;
    str_copyz(x->lease.country, sizeof x->lease.country, row->country);
    x->lease.carrier = number_carrier(n, row->carrier);
    if (!x->lease.carrier)
        return ERR_NOMEM;
    bool waits = state == NUMBER_RELEASED || state == NUMBER_QUARANTINE;
    return waits ? number_wait(x, row->until_us) : ERR_NONE;
}

static enum err load_operation(void *arg, const struct number_operation_row *row)
{
    struct numbers *n = arg;
    struct operation *op = calloc(1, sizeof *op);
    if (!op)
        return ERR_NOMEM;
    *op = (struct operation){
        .pub = { .key = row->key, .resource = row->resource, .kind = (enum operation_kind)row->kind,
                 .status = (enum operation_status)row->status, .created_us = row->created_us,
                 .changed_us = row->changed_us, .subject = row->subject },
        .n = n,
        .committed = true,
    };
    if (map_put(n->operations, op->pub.key, op)) {
        free(op);
        return ERR_NOMEM;
    }
    ids_after(n->control->ids, op->pub.key);
    return operation_keep(op);
}

enum err numbers_load(struct numbers *n, struct problem *why)
{
    struct db *db = n->control->db;
    enum err err = imports_load(n);
    if (!err)
        err = number_search_rows_each(db, load_search, n);
    if (!err)
        err = reservations_load(n);
    if (!err)
        err = number_rows_each(db, load_number, n);
    if (!err)
        err = searches_load_held(n);
    if (!err)
        err = reservations_load_held(n);
    if (!err)
        err = number_operation_rows_each(db, load_operation, n);
    if (err)
        return problem_set(why, err, "InternalError", "The phone numbers in the database cannot be read: %s.",
                           err_words(err));
    imports_show(n);
    if (blocks_size(n->blocks).given)
        log_info("numbers", "%zu numbers are held, leased, released or in quarantine", blocks_size(n->blocks).given);
    return ERR_NONE;
}

/* -- look-up -------------------------------------------------------------------------------------------------------- */

const struct lease *lease_in_use(const struct number *x)
{
    return x && (x->state == NUMBER_LEASED || x->state == NUMBER_CHANGING || x->state == NUMBER_RELEASING) ? &x->lease
                                                                                                             : NULL;
}

const struct lease *numbers_lease(const struct numbers *n, struct str e164)
{
    uint64_t digits;
    return e164_read(e164, &digits) ? NULL : lease_in_use(number_find(n, digits));
}

enum err numbers_lease_of(const struct numbers *n, uint64_t resource, struct str e164, const struct lease **out,
                          struct problem *why)
{
    char text[64];
    uint64_t digits;
    str_copyz(text, sizeof text, e164);
    if (e164_read(e164, &digits)) {
        enum err err = rule_problem(why, ERR_RANGE, RULE_INVALID_PHONE_NUMBER, text);
        problem_target(why, "phonenumber");
        return err;
    }
    const struct lease *l = lease_in_use(number_find(n, digits));
    if (!l || l->resource != resource) {
        enum err err = rule_problem(why, ERR_ABSENT, RULE_NUMBER_NOT_FOUND, e164_write(text, digits));
        problem_target(why, "phonenumber");
        return err;
    }
    *out = l;
    return ERR_NONE;
}

int64_t numbers_lease_micro(const struct numbers *n, const struct lease *l)
{
    const struct catalogue_row *row = catalogue_find(edition_of(n), str_of(l->country), l->type, l->assignment);
    return row ? row->lease_micro : 0;
}

/* -- listing -------------------------------------------------------------------------------------------------------- */

struct listing {
    struct db_read   read;
    struct numbers  *n;
    uint64_t         resource;
    int64_t          top;
    numbers_list_fn *done;
    void            *arg;
};

/* The database says which and in what order; memory says what they are. */
static void on_listed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct listing *g = container_of(item, struct listing, read.item);
    scoped(db_rows) struct db_rows *rows = g->read.err ? NULL : g->read.rows;
    size_t asked = rows ? db_rows_count(rows) : 0, count = 0;
    const struct lease **leases = calloc(asked + 1, sizeof(const struct lease *));
    enum err err = g->read.err ? g->read.err : leases ? ERR_NONE : ERR_NOMEM;
    uint64_t last = 0;
    for (int64_t i = 0; !err && i < g->top && db_rows_next(rows); i++) {
        last = number_lease_row(rows);
        const struct lease *l = lease_in_use(number_find(g->n, last));
        if (l && l->resource == g->resource)
            leases[count++] = l;
    }
    g->done(g->arg, err, leases, count, asked > (size_t)g->top ? last : 0);
    free(leases);
    free(g);
}

static void drop_listing(struct inbox_item *item)
{
    struct listing *g = container_of(item, struct listing, read.item);
    if (!g->read.err)
        db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind listed_kind = { "numbers.listed", on_listed, drop_listing };

enum err numbers_list(struct numbers *n, uint64_t resource, const struct number_page *page, numbers_list_fn *done, void *arg,
                      struct problem *why)
{
    struct listing *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct listing){ .n = n, .resource = resource, .top = page->top, .done = done, .arg = arg };
    g->read.item.kind = &listed_kind;
    g->read.to = control_inbox(n->control);
    enum err err = number_leases_ask(n->control->db, resource, page->after, page->skip, page->top + 1, &g->read);
    if (!err)
        return ERR_NONE;
    free(g);
    return rule_problem(why, err, RULE_STORE_BUSY);
}
