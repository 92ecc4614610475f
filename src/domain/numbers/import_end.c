/* import_end.c - an import ends: complete, failed (all of its list was left out) or rolled back. What all its numbers must hear is
 * told in slices between other work. */
#include "base/log.h"
#include "codec/e164/e164.h"
#include "domain/numbers/import_priv.h"
#include "domain/numbers/numbers_priv.h"

#include <stdio.h>

/* Numbers shown or taken away in one go: well under a millisecond of the control thread. */
enum { SWEPT_AT_ONCE = 5000, IN_USE_NAMED = 5, IN_USE_LOOKED_AT = 50000 };
/* A dry run whose client was lost goes by itself. */
static const int64_t DRY_RUN_IDLE_US = 15 * 60 * (int64_t)US_PER_S;

struct sweep {
    struct inbox_item   item;
    struct import_step *step;
    uint64_t            at;
};

static void show_one(void *arg, const struct blocks_number *x)
{
    const struct import_step *s = arg;
    if (s->n->lots[x->lot]->import == s->im && !x->who)
        blocks_offer(s->n->blocks, x->digits, true);
}

static void take_one(void *arg, const struct blocks_number *x)
{
    const struct import_step *s = arg;
    if (s->n->lots[x->lot]->import == s->im)
        own_take(s->n, x->digits);
}

static void on_sweep(void *owner, struct inbox_item *item);

static void drop_sweep(struct inbox_item *item)
{
    struct sweep *w = container_of(item, struct sweep, item);
    import_step_free(w->step);
    free(w);
}

static const struct inbox_kind sweep_kind = { "numbers.sweep", on_sweep, drop_sweep };

/* @return there is more */
static bool sweep_some(struct import_step *s, uint64_t *at)
{
    const struct import *im = s->im;
    return im->lot_to && blocks_sweep(s->n->blocks, at, im->lot_from, im->lot_to, SWEPT_AT_ONCE,
                                      s->to == IMPORT_COMPLETE ? show_one : take_one, s);
}

/* An import that completes without one row has not done what was asked. */
static void tell_end(struct import_step *s)
{
    char many[24];
    struct problem why = { 0 };
    if (s->to != IMPORT_FAILED) {
        import_tell(s, ERR_NONE, NULL);
        return;
    }
    snprintf(many, sizeof many, "%llu", (unsigned long long)s->im->pub.bad);
    rule_problem(&why, ERR_CONFLICT, RULE_IMPORT_WITHOUT_ROWS, s->im->pub.id, many);
    import_tell(s, ERR_CONFLICT, &why);
}

static void sweep_ended(struct import_step *s)
{
    struct import *im = s->im;
    im->pub.busy = im->closing = false;
    if (import_has_nothing(s->to))
        lots_give_back(s->n);
    imports_measure(s->n);
    log_info("numbers", "import %s is %s: %llu numbers, %llu rows left out", im->pub.id, import_state_word(im->pub.state),
             (unsigned long long)import_counted(s->n, im)->numbers, (unsigned long long)im->pub.bad);
    tell_end(s);
    import_step_free(s);
}

static void on_sweep(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct sweep *w = container_of(item, struct sweep, item);
    if (sweep_some(w->step, &w->at)) {
        inbox_post_always(control_inbox(w->step->n->control), &w->item);
        return;
    }
    sweep_ended(w->step);
    free(w);
}

static void settle_end(struct task *t, enum err err)
{
    struct import_step *s = t->extra;
    struct import *im = s->im;
    if (err) {
        im->pub.busy = im->closing = false;
        return;
    }
    im->pub.state = s->to;
    im->pub.ended_us = s->at_us;
    strmap_free(im->lots);
    im->lots = NULL;
    agenda_clear(s->n->control->agenda, &im->idle);
    if (import_has_nothing(s->to) && imports_purge(s->n))
        log_warn("numbers", "no memory for a timer: what was taken is purged after the next start");
}

/* Told behind settle_end(). Without memory for another turn of the inbox, all is done in this one. */
static void on_ended(void *arg, enum err err, const struct number_operation *op, const struct problem *why)
{
    (void)op;
    struct import_step *s = arg;
    uint64_t at = 0;
    struct sweep *w = err ? NULL : calloc(1, sizeof *w);
    if (err) {
        import_tell(s, err, why);
        import_step_free(s);
        return;
    }
    bool more = sweep_some(s, &at);
    while (more && !w)
        more = sweep_some(s, &at);
    if (more) {
        *w = (struct sweep){ .item.kind = &sweep_kind, .step = s, .at = at };
        inbox_post_always(control_inbox(s->n->control), &w->item);
        return;
    }
    free(w);
    sweep_ended(s);
}

static enum err end(struct numbers *n, struct import *im, enum import_state to, import_done_fn *done, void *arg,
                    struct problem *why)
{
    struct import_step *s = import_step_new(n, im, done, arg);
    if (!s)
        return ERR_NOMEM;
    s->to = to;
    im->closing = im->pub.state == IMPORT_COMPLETE;
    struct db_unit *u = db_unit_new();
    inventory_import_row_end(u, im->pub.key, (int)im->pub.state, (int)to, s->at_us);
    enum err err = import_step_post(s, u, settle_end, on_ended, why);
    if (err)
        import_step_free(s);
    return err;
}

/* What may end now, in that state; *out NULL: it has ended so already, and done() was told. */
static enum err find_to_end(struct numbers *n, struct str id, enum import_state to, struct import **out, import_done_fn *done,
                            void *arg, struct problem *why)
{
    enum err err = import_find(n, id, out, why);
    if (!err && (*out)->pub.busy)
        err = import_busy(*out, why);
    if (err || (*out)->pub.state != to)
        return err;
    done(arg, ERR_NONE, import_counted(n, *out), NULL, 0, NULL);
    *out = NULL;
    return ERR_NONE;
}

enum err numbers_import_complete(struct numbers *n, struct str id, import_done_fn *done, void *arg, struct problem *why)
{
    struct import *im;
    enum err err = find_to_end(n, id, IMPORT_COMPLETE, &im, done, arg, why);
    if (err || !im)
        return err;
    err = import_check_open(im, why);
    if (!err && im->pub.dry_run)
        err = rule_problem(why, ERR_CONFLICT, RULE_IMPORT_DRY_RUN, im->pub.id);
    if (err)
        return err;
    return end(n, im, im->pub.bad && !im->pub.rows ? IMPORT_FAILED : IMPORT_COMPLETE, done, arg, why);
}

/* Names the first few. */
static enum err in_use(const struct numbers *n, const struct import *im, struct problem *why)
{
    char some[IN_USE_NAMED * (E164_SIZE + 2) + 8] = "", text[E164_SIZE], many[24];
    size_t at = 0, named = 0, looked = 0;
    struct blocks_cursor c = { .to = UINT64_MAX, .given = true };
    struct blocks_number x;
    while (named <= IN_USE_NAMED && looked++ < IN_USE_LOOKED_AT && blocks_walk(n->blocks, &c, &x)) {
        if (!x.lot || n->lots[x.lot]->import != im)
            continue;
        if (named++ < IN_USE_NAMED)
            at += (size_t)snprintf(some + at, sizeof some - at, "%s%s", at ? ", " : "", e164_write(text, x.digits));
        else
            snprintf(some + at, sizeof some - at, " ...");
    }
    snprintf(many, sizeof many, "%llu", (unsigned long long)im->pub.touched);
    return rule_problem(why, ERR_CONFLICT, RULE_IMPORT_IN_USE, im->pub.id, many, some);
}

enum err numbers_import_roll_back(struct numbers *n, struct str id, import_done_fn *done, void *arg, struct problem *why)
{
    struct import *im;
    enum err err = find_to_end(n, id, IMPORT_ROLLED_BACK, &im, done, arg, why);
    if (err || !im)
        return err;
    if (import_counted(n, im)->touched)
        return in_use(n, im, why);
    return end(n, im, IMPORT_ROLLED_BACK, done, arg, why);
}

/* -- dry runs ------------------------------------------------------------------------------------------------------- */

static void on_gone(void *arg, enum err err, const struct number_import *im, const struct import_bad *bad, size_t n_bad,
                    const struct problem *why)
{
    (void)bad;
    (void)n_bad;
    struct numbers *n = arg;
    if (err)
        log_warn("numbers", "a dry run that nobody goes on with stays for now: %s", why ? why->text : err_words(err));
    else
        log_info("numbers", "import %s was a dry run that nobody went on with", im->id);
    agenda_release(n->control->agenda);
}

static void on_idle(void *arg, int64_t due_us)
{
    (void)due_us;
    struct import *im = arg;
    struct problem why = { 0 };
    agenda_hold(im->n->control->agenda);
    if (!im->pub.busy && !end(im->n, im, IMPORT_ROLLED_BACK, on_gone, im->n, &why))
        return;
    agenda_release(im->n->control->agenda);
    import_wait(im->n, im);
}

void import_wait(struct numbers *n, struct import *im)
{
    if (im->pub.dry_run && im->pub.state == IMPORT_OPEN
        && agenda_set(n->control->agenda, &im->idle, numbers_now(n) + DRY_RUN_IDLE_US, on_idle, im))
        log_warn("numbers", "no memory for a timer: dry run %s stays until the next start", im->pub.id);
}
