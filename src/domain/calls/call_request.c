#include "base/str.h"
#include "domain/calls/calls_priv.h"
#include "domain/rules.h"

enum { REPEAT_WINDOW_H = 24, REPEAT_ID_MOST = 128 };
static const int64_t REPEAT_WINDOW_US = (int64_t)REPEAT_WINDOW_H * 3600 * US_PER_S;

static void scrap(struct call_request *r)
{
    for (struct call_request_waiter *w = r->waiters, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    arena_free(r->arena);
    free(r);
}

void call_request_free(struct call_request *r)
{
    if (r->repeat_key.n && strmap_find(r->calls->repeats, r->repeat_key) == r)
        strmap_take(r->calls->repeats, r->repeat_key);
    scrap(r);
}

struct call_request *call_request_new(struct calls *c, uint64_t resource, struct str repeat_id, call_request_go_fn *go)
{
    struct call_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    *r = (struct call_request){ .calls = c, .arena = arena_new(), .resource = resource, .go = go, .request = c->control->request };
    if (r->arena && repeat_id.n) {
        r->repeat_id = arena_str(r->arena, repeat_id);
        r->repeat_key = arena_printf(r->arena, "%llx " STR_FMT, (unsigned long long)resource, STR_ARG(repeat_id));
    }
    if (!r->arena || (repeat_id.n && (!r->repeat_id.p || !r->repeat_key.p))) {
        arena_free(r->arena);
        free(r);
        return NULL;
    }
    return r;
}

void call_request_answer(struct call_request *r, enum err err, const struct call_view *view, const struct problem *why)
{
    struct call_request_waiter *waiters = r->waiters;
    r->waiters = NULL;
    if (r->repeat_key.n && strmap_find(r->calls->repeats, r->repeat_key) == r)
        strmap_take(r->calls->repeats, r->repeat_key);      /* before telling: one may ask again at once */
    for (struct call_request_waiter *w = waiters, *next; w; w = next) {
        next = w->next;
        w->done(w->arg, err, view, why);
        free(w);
    }
    call_request_free(r);
}

static void request_go(struct call_request *r)
{
    struct problem why = { 0 };
    struct control *control = r->calls->control;
    control->request = r->request;
    enum err err = r->go(r, &why);
    control->request = 0;
    if (err)
        call_request_answer(r, err, NULL, &why);
}

/* What the store knows of the id: the same answer again, or nothing. */
static void on_looked_up(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct call_request *r = container_of(item, struct call_request, read.item);
    struct db_rows *rows = r->read.rows;
    r->looking_up = false;
    if (r->read.err) {
        struct problem why = { 0 };
        problem_set(&why, r->read.err, "", "It could not be seen whether this request was made before.");
        call_request_answer(r, r->read.err, NULL, &why);
    } else if (db_rows_next(rows)) {
        struct call_row row;
        struct call_view v;
        call_row_read(rows, &row);
        call_view_of_row(r->calls, &row, &v);
        v.progress = CALL_CONNECTING;       /* as it was answered the first time */
        call_request_answer(r, ERR_NONE, &v, NULL);
    } else {
        request_go(r);
    }
    db_rows_free(rows);
}

/* The server stops, and there are no calls any more. */
static void drop_looked_up(struct inbox_item *item)
{
    struct call_request *r = container_of(item, struct call_request, read.item);
    db_rows_free(r->read.rows);
    scrap(r);
}

static const struct inbox_kind looked_up_kind = { "calls.repeat", on_looked_up, drop_looked_up };

static enum err add_waiter(struct call_request *r, calls_done_fn *done, void *arg)
{
    struct call_request_waiter *w = malloc(sizeof *w);
    if (!w)
        return ERR_NOMEM;
    *w = (struct call_request_waiter){ .next = r->waiters, .done = done, .arg = arg };
    r->waiters = w;
    return ERR_NONE;
}

static enum err look_up(struct call_request *r)
{
    struct calls *c = r->calls;
    enum err err = strmap_put(c->repeats, r->repeat_key, r);
    if (err)
        return err;
    r->read.item.kind = &looked_up_kind;
    r->read.to = control_inbox(c->control);
    err = call_ask_repeat(c->control->db, r->resource, r->repeat_id, control_now_us(c->control) - REPEAT_WINDOW_US,
                          &r->read);
    r->looking_up = !err;
    return err;
}

enum err call_request_start(struct call_request *r, calls_done_fn *done, void *arg, struct problem *why)
{
    struct call_request *same = r->repeat_key.n ? strmap_find(r->calls->repeats, r->repeat_key) : NULL;
    enum err err = ERR_NONE;
    if (r->repeat_id.n > REPEAT_ID_MOST)
        err = rule_problem(why, ERR_RANGE, RULE_REPEATABILITY_ID_TOO_LONG, "128");
    else if ((err = add_waiter(same ? same : r, done, arg)))
        problem_set(why, err, "", "No memory for the request.");
    else if (!same && r->repeat_key.n && (err = look_up(r)))
        problem_set(why, err, "", "Too much at once; try again.");
    if (err || same) {
        call_request_free(r);
        return err;
    }
    if (!r->repeat_key.n)
        request_go(r);
    return ERR_NONE;
}

void call_request_note(struct call_request *r, struct call_step *s, uint64_t call)
{
    int64_t now = control_now_us(r->calls->control);
    if (r->repeat_id.n)
        call_repeat_insert(s->unit, r->resource, r->repeat_id, call, now, now - REPEAT_WINDOW_US);
}

void call_requests_drop(struct calls *c)
{
    struct str key;
    void *value;
    for (size_t at = 0; c->repeats && strmap_next(c->repeats, &at, &key, &value); at = 0) {
        struct call_request *r = value;
        strmap_take(c->repeats, r->repeat_key);
        if (!r->looking_up)             /* else the store still writes into it: it goes with its answer */
            scrap(r);
    }
}
