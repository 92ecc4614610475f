#include "domain/requests.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/purge.h"
#include "store/requests.h"

#include <stdio.h>

METRIC_COUNTER(kept_total, "carterfone_requests_kept_total", "Requests kept for explain")
METRIC_COUNTER(unkept_total, "carterfone_requests_unkept_total", "Requests not kept: too many refusals a second, or a full store")

enum { WAITING_MOST = 64 };
static const int64_t WAIT_US = 10 * US_PER_MS;

/* A count under way; an object of its own, because its answer may outlive the asker. */
struct counting {
    struct db_read   read;
    struct requests *r;                     /* NULL: it has ended */
};

struct requests {
    struct control *control;
    struct purge   *purge;
    int64_t         second;             /* mono seconds; how many refusals were kept in it */
    unsigned        in_second;
    int64_t         count, most;        /* rows: counted at start and with each one kept; purges by age make it too many */
    int64_t         trim;               /* how many are to go, because there are more than `most` */
    struct counting *counting;          /* NULL: nobody is counting */
    struct db_unit *waiting;            /* rows that wait for others, so that not each is a commit; NULL: none */
    unsigned        n_waiting;
    struct loop_timer flush;
};

static void post_and_forget(struct requests *r, struct db_unit *u)
{
    struct db_done *done = calloc(1, sizeof *done);
    if (!done || db_post(r->control->db, u, done)) {
        free(done);
        db_unit_free(u);
        metric_add(&unkept_total, 1);
    }
}

static void waits_no_more(struct requests *r)
{
    loop_timer_stop(&r->flush);
    r->waiting = NULL;
    r->n_waiting = 0;
}

static void flush(struct requests *r)
{
    struct db_unit *u = r->waiting;
    waits_no_more(r);
    if (u)
        post_and_forget(r, u);
}

static void on_flush(void *arg)
{
    flush(arg);
}

enum err requests_settle(struct requests *r, struct db_done *done)
{
    struct db_unit *u = r->waiting ? r->waiting : db_unit_new();
    enum err err = db_post(r->control->db, u, done);
    if (!err)
        waits_no_more(r);
    else if (u != r->waiting)
        db_unit_free(u);
    return err;
}

enum err requests_new(struct requests **out, struct control *control, int64_t keep_us, int64_t most)
{
    struct requests *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->control = control;
    r->most = most ? most : REQUESTS_MOST;
    enum err err = loop_timer_init(control->loop, &r->flush, on_flush, r);
    if (!err)
        err = request_rows_count(control->db, &r->count);
    if (!err)
        err = purge_new(&r->purge, control, keep_us, request_rows_purge);
    if (!err)
        err = purge_start(r->purge);
    if (err) {
        requests_free(r);
        return err;
    }
    *out = r;
    return ERR_NONE;
}

void requests_free(struct requests *r)
{
    if (!r)
        return;
    if (r->counting)
        r->counting->r = NULL;
    flush(r);
    loop_timer_done(&r->flush);
    purge_free(r->purge);
    free(r);
}

/* -- no more than there may be: counted when it seems so, then a tenth goes, a slice with each one that is kept --------- */

static void on_counted(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct counting *g = container_of(item, struct counting, read.item);
    struct requests *r = g->r;
    if (r)
        r->counting = NULL;
    if (r && !g->read.err && db_rows_next(g->read.rows)) {
        r->count = db_int(g->read.rows, 0);
        r->trim = r->count > r->most ? r->count - r->most + r->most / 10 : 0;
    }
    db_rows_free(g->read.rows);
    free(g);
}

static void drop_counted(struct inbox_item *item)
{
    struct counting *g = container_of(item, struct counting, read.item);
    db_rows_free(g->read.rows);
    free(g);
}

static const struct inbox_kind counted_kind = { "requests.counted", on_counted, drop_counted };

static void count_again(struct requests *r)
{
    struct counting *g = calloc(1, sizeof *g);
    if (!g)
        return;
    *g = (struct counting){ .read = { .item.kind = &counted_kind, .to = control_inbox(r->control) }, .r = r };
    if (request_rows_ask_count(r->control->db, &g->read))
        free(g);
    else
        r->counting = g;
}

static void trim_slice(struct requests *r, struct db_unit *u)
{
    int64_t n = (int64_t)request_rows_purge_first(u, r->trim);
    r->count -= n;
    r->trim -= n;
}

/* -- keeping ------------------------------------------------------------------------------------------------------ */

struct keeping {
    struct inbox_item   item;
    struct requests    *r;
    struct request_done what;
    int64_t             at_us;
    char                operation[64];
    struct problem      why;
};

static bool within_rate(struct requests *r)
{
    int64_t second = clock_mono().us / US_PER_S;
    if (second != r->second) {
        r->second = second;
        r->in_second = 0;
    }
    return r->in_second++ < REFUSALS_A_SECOND;
}

static void on_keep(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct keeping *k = container_of(item, struct keeping, item);
    struct requests *r = k->r;
    if (k->what.status >= 400 && !within_rate(r)) {
        metric_add(&unkept_total, 1);
        free(k);
        return;
    }
    if (!r->waiting)
        r->waiting = db_unit_new();
    request_row_insert(r->waiting, &(struct request_row){ .key = k->what.key, .resource = k->what.resource, .at_us = k->at_us,
                                                 .took_us = k->what.took_us, .operation = str_of(k->operation),
                                                 .status = k->what.status, .subject = k->what.subject,
                                                 .code = str_of(k->why.code), .text = str_of(k->why.text),
                                                 .rule = str_of(k->why.rule), .suggestion = str_of(k->why.suggestion) });
    r->count++;
    if (r->trim > 0)
        trim_slice(r, r->waiting);
    else if (r->count > r->most && !r->counting)
        count_again(r);
    metric_add(&kept_total, 1);
    if (k->what.status >= 400 || ++r->n_waiting == WAITING_MOST)      /* a refusal is asked about at once */
        flush(r);
    else if (r->n_waiting == 1)
        loop_timer_start(&r->flush, WAIT_US);
    free(k);
}

static const struct inbox_kind keep_kind = { "requests.keep", on_keep, NULL };

void requests_keep(struct requests *r, const struct request_done *d, const struct problem *why)
{
    struct keeping *k = calloc(1, sizeof *k);
    if (!k)
        return;
    *k = (struct keeping){ .item.kind = &keep_kind, .r = r, .what = *d, .at_us = control_now_us(r->control), .why = *why };
    snprintf(k->operation, sizeof k->operation, "%s", d->operation);
    if (inbox_post(control_inbox(r->control), &k->item)) {
        metric_add(&unkept_total, 1);
        free(k);
    }
}
