/* optout_requests.c - opt-outs that an application adds, removes or asks for, and the list of a sender's (OptOuts_Add and the rest). */
#include "base/str.h"
#include "codec/e164/e164.h"
#include "domain/messages/messages_priv.h"
#include "domain/rules.h"

#include <stdio.h>

/* A change on its way to disk; memory follows. */
struct changing {
    struct db_done               done;
    struct messages             *m;
    const struct optout_request *rq;
    messages_optouts_fn         *then;
    void                        *arg;
    struct optout_result         results[];
};

static bool is_good(const struct optout_result *r)
{
    return r->status == 200;
}

/* A number that no message of ours can go to needs no entry: it is refused as sending refuses it. */
static void judge(const struct messages *m, const struct optout_request *rq, struct str to, struct optout_result *r)
{
    uint64_t digits;
    *r = (struct optout_result){ .to = to, .status = 200 };
    if (e164_read_plus(to, &digits)) {
        r->status = 400;
        r->error = "Invalid To phone number format.";
        return;
    }
    r->opted_out = optouts_has(m->optouts, rq->from, to);
}

/* After a removal an entry cannot come back by itself: a lack of memory loses nothing that the row does not tell at the next start. */
static void follow(const struct changing *c)
{
    const struct optout_request *rq = c->rq;
    for (size_t i = 0; i < rq->n; i++) {
        if (!is_good(&c->results[i]))
            continue;
        if (rq->verb == OPTOUT_REMOVE)
            optouts_take(c->m->optouts, rq->from, rq->to[i]);
        else
            (void)!optout_known(c->m, rq->from, rq->to[i], STR("application"));
    }
}

static void on_changed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct changing *c = container_of(item, struct changing, done.item);
    if (!c->done.err)
        follow(c);
    c->then(c->arg, c->done.err, c->results, c->rq->n);
    free(c);
}

static void drop_changed(struct inbox_item *item)
{
    free(container_of(item, struct changing, done.item));
}

static const struct inbox_kind changed_kind = { "messages.optouts", on_changed, drop_changed };

/* Whose list it is: the sender is leased here, and is one that can send texts at all. */
static enum err sender_check(const struct messages *m, uint64_t resource, struct str from, struct problem *why)
{
    const struct lease *lease = numbers_lease(m->numbers, from);
    if (lease && lease->resource == resource)
        return numbers_may_send_texts(m->numbers, lease, why);
    enum err err = rule_problem(why, ERR_UNPROVEN, RULE_SENDER_NOT_LEASED);
    problem_target(why, "from");
    return err;
}

static size_t put_rows(const struct changing *c, struct db_unit *u)
{
    const struct optout_request *rq = c->rq;
    size_t rows = 0;
    for (size_t i = 0; i < rq->n; i++) {
        if (!is_good(&c->results[i]))
            continue;
        if (rq->verb == OPTOUT_REMOVE)
            optout_row_remove(u, rq->from, rq->to[i]);
        else
            optout_row_add(u, rq->from, rq->to[i], control_now_us(c->m->control), STR("application"), 0);
        rows++;
    }
    return rows;
}

static enum err post(struct changing *c, struct problem *why)
{
    struct db_unit *u = db_unit_new();
    if (!put_rows(c, u))
        message_row_nothing(u);
    enum err err = db_post(c->m->control->db, u, &c->done);
    if (!err)
        return ERR_NONE;
    db_unit_free(u);
    return rule_problem(why, err, RULE_STORE_BUSY);
}

enum err messages_optouts(struct messages *m, const struct optout_request *rq, messages_optouts_fn *then, void *arg,
                          struct problem *why)
{
    enum err err = sender_check(m, rq->resource, rq->from, why);
    if (err)
        return err;
    struct changing *c = calloc(1, sizeof *c + rq->n * sizeof c->results[0]);
    if (!c)
        return ERR_NOMEM;
    *c = (struct changing){ .done = { .item.kind = &changed_kind, .to = control_inbox(m->control) }, .m = m, .rq = rq,
                            .then = then, .arg = arg };
    for (size_t i = 0; i < rq->n; i++)
        judge(m, rq, rq->to[i], &c->results[i]);
    if (rq->verb != OPTOUT_CHECK && !(err = post(c, why)))
        return ERR_NONE;
    if (!err)
        then(arg, ERR_NONE, c->results, rq->n);
    free(c);
    return err;
}

/* -- the list -------------------------------------------------------------------------------------------------------- */

struct listing {
    struct db_read             read;
    const struct messages     *m;
    size_t                     top;
    messages_optouts_listed_fn *done;
    void                      *arg;
};

static bool entry_next(const struct messages *m, struct db_rows *rows, struct optout_entry *out)
{
    struct optout_row row;
    if (!optout_row_next(rows, &row))
        return false;
    *out = (struct optout_entry){ .to = row.recipient, .source = row.source, .at_us = row.at_us };
    if (row.about)
        message_public_id(m, row.about, false, out->about);
    return true;
}

static void on_listed(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct listing *l = container_of(item, struct listing, read.item);
    scoped(db_rows) struct db_rows *rows = l->read.err ? NULL : l->read.rows;
    struct optout_entry *list = calloc(l->top + 1, sizeof *list);
    enum err err = l->read.err ? l->read.err : list ? ERR_NONE : ERR_NOMEM;
    size_t n = 0;
    while (!err && n <= l->top && entry_next(l->m, rows, &list[n]))
        n++;
    l->done(l->arg, err, list, n > l->top ? l->top : n, n > l->top);
    free(list);
    free(l);
}

static void drop_listed(struct inbox_item *item)
{
    struct listing *l = container_of(item, struct listing, read.item);
    if (!l->read.err)
        db_rows_free(l->read.rows);
    free(l);
}

static const struct inbox_kind listed_kind = { "messages.optouts.listed", on_listed, drop_listed };

enum err messages_optouts_list(struct messages *m, const struct optout_page *page, messages_optouts_listed_fn *done,
                               void *arg, struct problem *why)
{
    const struct lease *lease = numbers_lease(m->numbers, page->from);
    if (!lease || (page->resource && lease->resource != page->resource)) {
        char text[E164_SIZE];
        str_copyz(text, sizeof text, page->from);
        enum err err = rule_problem(why, ERR_ABSENT, RULE_NUMBER_NOT_FOUND, text);
        problem_target(why, "from");
        return err;
    }
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    *l = (struct listing){ .read = { .item.kind = &listed_kind, .to = control_inbox(m->control) }, .m = m, .top = page->top,
                           .done = done, .arg = arg };
    enum err err = optout_rows_ask(m->control->db, page->from, page->after, page->top + 1, &l->read);
    if (!err)
        return ERR_NONE;
    free(l);
    return rule_problem(why, err, RULE_STORE_BUSY);
}
