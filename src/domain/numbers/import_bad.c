/* import_bad.c - the rows that an import left out, read from the store. */
#include "base/str.h"
#include "domain/numbers/import_priv.h"
#include "domain/numbers/numbers_priv.h"

struct bad_listing {
    struct db_read read;
    import_bad_fn *done;
    void          *arg;
    size_t         most;
};

static enum rule rule_named(struct str name)
{
    for (unsigned i = 0; i < RULE_COUNT; i++)
        if (str_eqz(name, rule_name((enum rule)i)))
            return (enum rule)i;
    return RULE_ROW_NUMBER_INVALID;     /* a rule of an older program: the number is the most that can be said */
}

static void on_bad_listed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct bad_listing *g = container_of(item, struct bad_listing, read.item);
    scoped(db_rows) struct db_rows *rows = g->read.err ? NULL : g->read.rows;
    size_t asked = rows ? db_rows_count(rows) : 0, count = 0;
    struct import_bad *list = calloc(asked + 1, sizeof *list);
    enum err err = g->read.err ? g->read.err : list ? ERR_NONE : ERR_NOMEM;
    while (!err && count < g->most && db_rows_next(rows)) {
        struct inventory_bad_row row;
        struct import_bad *b = &list[count++];
        inventory_bad_row_read(rows, &row);
        b->line = row.line;
        b->rule = rule_named(row.rule);
        str_copyz(b->number, sizeof b->number, row.number);
        str_copyz(b->detail, sizeof b->detail, row.detail);
    }
    g->done(g->arg, err, list, count, asked > g->most);
    free(list);
    free(g);
}

static void drop_bad_listing(struct inbox_item *item)
{
    struct bad_listing *g = container_of(item, struct bad_listing, read.item);
    if (!g->read.err)
        db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind bad_listed_kind = { "numbers.bad", on_bad_listed, drop_bad_listing };

enum err numbers_import_bad(struct numbers *n, struct str id, uint64_t after_line, size_t most, import_bad_fn *done,
                            void *arg, struct problem *why)
{
    struct import *im;
    enum err err = import_find(n, id, &im, why);
    if (err)
        return err;
    struct bad_listing *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct bad_listing){ .done = done, .arg = arg, .most = most };
    g->read.item.kind = &bad_listed_kind;
    g->read.to = control_inbox(n->control);
    err = inventory_bad_ask(n->control->db, im->pub.key, after_line, most + 1, &g->read);
    if (!err)
        return ERR_NONE;
    free(g);
    return rule_problem(why, err, RULE_STORE_BUSY);
}
