/* tasks.c - changes on their way to disk, and the operations that tell clients of them. */
#include "base/log.h"
#include "domain/numbers/numbers_priv.h"
#include "domain/numbers/quotas.h"

#include <stdio.h>

/* -- operations ----------------------------------------------------------------------------------------------------- */

static void operation_drop(struct operation *op)
{
    agenda_clear(op->n->control->agenda, &op->due);
    free(map_take(op->n->operations, op->pub.key));
}

static void operation_on_due(void *arg, int64_t due_us)
{
    (void)due_us;
    struct operation *op = arg;
    if (op->busy)
        return;                         /* its task looks at it, and sets the timer again */
    struct db_unit *u = db_unit_new();
    number_operation_row_delete(u, op->pub.key);
    numbers_post_quietly(op->n, u);
    operation_drop(op);
}

enum err operation_keep(struct operation *op)
{
    int64_t until = op->pub.created_us + NUMBERS_KEEP_S * (int64_t)US_PER_S;
    return agenda_set(op->n->control->agenda, &op->due, until, operation_on_due, op);
}

const struct number_operation *numbers_operation_find(const struct numbers *n, uint64_t resource, enum operation_kind kind,
                                                      uint64_t key)
{
    const struct operation *op = map_find(n->operations, key);
    return op && op->committed && op->pub.resource == resource && op->pub.kind == kind ? &op->pub : NULL;
}

/* -- quotas --------------------------------------------------------------------------------------------------------- */

void numbers_set_quotas(struct numbers *n, struct quotas *quotas)
{
    n->quotas = quotas;
}

struct quotas *numbers_quotas(const struct numbers *n)
{
    return n->quotas;
}

/* False: nobody counts such operations. */
static bool is_counted(const struct numbers *n, uint64_t resource, enum operation_kind kind, enum quota *what,
                       const struct subscription **s)
{
    const struct resource *r = accounts_resource(n->accounts, resource);
    *what = kind == OPERATION_SEARCH ? QUOTA_SEARCH : QUOTA_PURCHASE;
    *s = r ? r->subscription : NULL;
    return n->quotas && *s && (kind == OPERATION_SEARCH || kind == OPERATION_PURCHASE || kind == OPERATION_RESERVATION);
}

enum err task_allowed(const struct numbers *n, uint64_t resource, enum operation_kind kind, struct problem *why)
{
    enum quota what;
    const struct subscription *s;
    char name[sizeof s->name + 20];
    if (!is_counted(n, resource, kind, &what, &s))
        return ERR_NONE;
    snprintf(name, sizeof name, "Subscription '%s'", s->name);
    return quotas_check(n->quotas, s->key, name, what, 1, why);
}

static void count(const struct numbers *n, const struct number_operation *op, struct db_unit *u)
{
    enum quota what;
    const struct subscription *s;
    if (is_counted(n, op->resource, op->kind, &what, &s))
        quotas_take(n->quotas, s->key, what, op->key, u);
}

static void count_back(const struct numbers *n, const struct number_operation *op)
{
    enum quota what;
    const struct subscription *s;
    if (is_counted(n, op->resource, op->kind, &what, &s))
        quotas_give_back(n->quotas, s->key, what, op->key);
}

/* -- tasks ---------------------------------------------------------------------------------------------------------- */

enum err task_new(struct numbers *n, enum operation_kind kind, uint64_t resource, uint64_t key, uint64_t subject,
                  void (*settle)(struct task *, enum err), numbers_done_fn *then, void *arg, struct task **out)
{
    struct task *t = calloc(1, sizeof *t);
    struct operation *op = calloc(1, sizeof *op);
    if (!t || !op || map_put(n->operations, key, op)) {
        free(t);
        free(op);
        return ERR_NOMEM;
    }
    int64_t now = numbers_now(n);
    *op = (struct operation){
        .pub = { .key = key, .resource = resource, .kind = kind, .status = OPERATION_SUCCEEDED, .created_us = now,
                 .changed_us = now, .subject = subject },
        .n = n,
    };
    if (operation_keep(op)) {
        operation_drop(op);
        free(t);
        return ERR_NOMEM;
    }
    *t = (struct task){ .n = n, .settle = settle, .op = op, .then = then, .arg = arg };
    *out = t;
    return ERR_NONE;
}

static void task_settle(struct task *t, enum err err)
{
    t->settle(t, err);
    if (t->op)
        t->op->busy = false;
    if (err && t->op && !t->op->committed) {
        count_back(t->n, &t->op->pub);
        operation_drop(t->op);
        t->op = NULL;
    } else if (t->op) {
        t->op->committed = true;
        if (operation_keep(t->op))      /* its time may have come meanwhile */
            log_warn("numbers", "no memory for a timer: an operation is kept until the next start");
    }
}

static enum err explain(struct problem *why, enum err err)
{
    if (err == ERR_CONFLICT)
        return problem_set(why, err, "Conflict", "Somebody else changed it first.");
    return rule_problem(why, err, RULE_STORE_BUSY);
}

static void on_settled(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct task *t = container_of(item, struct task, done.item);
    struct problem why = { 0 };
    enum err err = t->done.err;
    if (err) {
        explain(&why, err);
        log_error("numbers", "a change was not stored: %s", err_words(err));
    }
    task_settle(t, err);
    if (t->then)
        t->then(t->arg, err, t->op && !err ? &t->op->pub : NULL, &why);
    free(t);
}

/* The server stops, and nobody is left to tell. */
static void drop_settled(struct inbox_item *item)
{
    struct task *t = container_of(item, struct task, done.item);
    if (t->extra)
        t->extra_free(t->extra);
    free(t);
}

static const struct inbox_kind settled_kind = { "numbers.settled", on_settled, drop_settled };

enum err task_post(struct task *t, struct db_unit *u, struct problem *why)
{
    const struct number_operation *op = t->op && !t->op->committed ? &t->op->pub : NULL;
    if (op) {
        number_operation_row_insert(u, &(struct number_operation_row){
            .key = op->key, .resource = op->resource, .subject = op->subject, .kind = (int)op->kind,
            .status = (int)op->status, .created_us = op->created_us, .changed_us = op->changed_us });
        count(t->n, op, u);
    }
    t->done.item.kind = &settled_kind;
    if (t->op)
        t->op->busy = true;
    t->done.to = control_inbox(t->n->control);
    enum err err = db_post(t->n->control->db, u, &t->done);
    if (err) {
        db_unit_free(u);
        task_settle(t, err);
        free(t);
        return explain(why, err);
    }
    return ERR_NONE;
}
