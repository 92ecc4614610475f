/* ending.c - a resource is being deleted: what hangs on it is ended, one thing after another, and then it is gone.
 *
 * Every step may be repeated: after an error a second later, after a restart from the first one. */
#include "base/log.h"
#include "domain/accounts/accounts_priv.h"

enum { RETRY_US = US_PER_S };

struct ending {
    struct ending    *next;
    struct accounts  *a;
    struct resource  *resource;
    size_t            step;             /* which ender; behind the last: the row itself */
    struct loop_timer again;
    accounts_done_fn *then;
    void             *arg;
};

/* The last step on its way to disk. */
struct last_step { struct ending *e; };

static void step(struct ending *e);

static void unlink_ending(struct ending *e)
{
    for (struct ending **at = &e->a->endings; *at; at = &(*at)->next)
        if (*at == e) {
            *at = e->next;
            return;
        }
}

static void again_later(struct ending *e, enum err err)
{
    log_warn("accounts", "deleting resource %s waits: %s of it: %s", e->resource->name,
             e->step < e->a->n_enders ? e->a->enders[e->step].what : "the row", err_words(err));
    loop_timer_start(&e->again, RETRY_US);
}

static void on_again(void *arg)
{
    step(arg);
}

static void on_ended(void *arg, enum err err)
{
    struct ending *e = arg;
    if (err) {
        again_later(e, err);
        return;
    }
    e->step++;
    step(e);
}

static void on_gone(void *mine, enum err err)
{
    struct ending *e = ((struct last_step *)mine)->e;
    if (err) {                          /* a number is held or leased yet: from the first step again */
        again_later(e, err);
        e->step = 0;
        return;
    }
    struct resource *r = e->resource;
    r->ending = false;
    r->gone = true;
    log_info("accounts", "resource %s is deleted", r->name);
    unlink_ending(e);
    loop_timer_done(&e->again);
    if (e->then)
        e->then(e->arg, ERR_NONE);
    free(e);
}

static void finish(struct ending *e)
{
    struct last_step *last = malloc(sizeof *last);
    struct db_unit *u = db_unit_new();
    if (last)
        last->e = e;
    resource_row_gone(u, e->resource->key, control_now_us(e->a->control));
    enum err err = control_write(e->a->control, u, on_gone, last);
    if (err)
        again_later(e, err);
}

static void step(struct ending *e)
{
    if (e->step == e->a->n_enders) {
        finish(e);
        return;
    }
    const struct accounts_ender *ender = &e->a->enders[e->step];
    enum err err = ender->end(ender->self, e->resource->key, on_ended, e);
    if (err)
        again_later(e, err);
}

void ending_start(struct accounts *a, struct resource *r, accounts_done_fn *done, void *arg)
{
    struct ending *e = calloc(1, sizeof *e);
    if (e)
        *e = (struct ending){ .next = a->endings, .a = a, .resource = r, .then = done, .arg = arg };
    if (!e || loop_timer_init(a->control->loop, &e->again, on_again, e)) {
        free(e);
        log_error("accounts", "no memory: resource %s is deleted at the next start", r->name);
        if (done)
            done(arg, ERR_NOMEM);
        return;
    }
    a->endings = e;
    log_info("accounts", "resource %s is being deleted", r->name);
    step(e);
}

void accounts_add_ender(struct accounts *a, struct accounts_ender ender)
{
    assert(a->n_enders < ACCOUNTS_ENDERS_MAX);
    a->enders[a->n_enders++] = ender;
}

void accounts_resume(struct accounts *a)
{
    uint64_t key;
    void *value;
    for (size_t at = 0; map_next(a->resources, &at, &key, &value);)
        if (((struct resource *)value)->ending)
            ending_start(a, value, NULL, NULL);
}

void endings_free(struct accounts *a)
{
    while (a->endings) {
        struct ending *e = a->endings;
        a->endings = e->next;
        loop_timer_done(&e->again);
        free(e);
    }
}
