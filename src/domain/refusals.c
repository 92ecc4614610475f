#include "domain/refusals.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/purge.h"
#include "store/refusals.h"

#include <stdio.h>

METRIC_COUNTER(kept_total, "carterfone_refusals_kept_total", "Refused requests kept for explain")
METRIC_COUNTER(unkept_total, "carterfone_refusals_unkept_total", "Refused requests not kept: too many a second")

enum { RATE = 200 };
static const int64_t KEEP_US = 7 * 24 * 3600 * (int64_t)US_PER_S;

struct refusals {
    struct control     *control;
    struct purge       *purge;
    int64_t             second;         /* mono seconds; how many were kept in it */
    unsigned            in_second;
};

static void post_and_forget(struct refusals *r, struct db_unit *u)
{
    struct db_done *done = calloc(1, sizeof *done);
    if (!done || db_post(r->control->db, u, done)) {
        free(done);
        db_unit_free(u);
        metric_add(&unkept_total, 1);
    }
}

enum err refusals_new(struct refusals **out, struct control *control)
{
    struct refusals *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->control = control;
    enum err err = purge_new(&r->purge, control, KEEP_US, refusal_rows_purge);
    if (!err)
        err = purge_start(r->purge);
    if (err) {
        purge_free(r->purge);
        free(r);
        return err;
    }
    *out = r;
    return ERR_NONE;
}

void refusals_free(struct refusals *r)
{
    if (!r)
        return;
    purge_free(r->purge);
    free(r);
}

struct keeping {
    struct inbox_item item;
    struct refusals  *r;
    uint64_t          request, resource;
    int64_t           at_us;
    int               status;
    char              what[64];
    struct problem    why;
};

static bool within_rate(struct refusals *r)
{
    int64_t second = clock_mono().us / US_PER_S;
    if (second != r->second) {
        r->second = second;
        r->in_second = 0;
    }
    return r->in_second++ < RATE;
}

static void on_keep(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct keeping *k = container_of(item, struct keeping, item);
    if (!within_rate(k->r)) {
        metric_add(&unkept_total, 1);
        free(k);
        return;
    }
    struct db_unit *u = db_unit_new();
    refusal_row_insert(u, &(struct refusal_row){ .request = k->request, .resource = k->resource, .at_us = k->at_us,
                                                 .what = str_of(k->what), .status = k->status,
                                                 .code = str_of(k->why.code), .text = str_of(k->why.text),
                                                 .rule = str_of(k->why.rule), .suggestion = str_of(k->why.suggestion) });
    metric_add(&kept_total, 1);
    post_and_forget(k->r, u);
    free(k);
}

static const struct inbox_kind keep_kind = { "refusals.keep", on_keep, NULL };

void refusals_keep(struct refusals *r, uint64_t request, uint64_t resource, const char *what, int status,
                   const struct problem *why)
{
    struct keeping *k = calloc(1, sizeof *k);
    if (!k)
        return;
    *k = (struct keeping){ .item.kind = &keep_kind, .r = r, .request = request, .resource = resource,
                           .at_us = control_now_us(r->control), .status = status, .why = *why };
    snprintf(k->what, sizeof k->what, "%s", what);
    if (inbox_post(control_inbox(r->control), &k->item)) {
        metric_add(&unkept_total, 1);
        free(k);
    }
}

struct explaining {
    struct db_read    read;
    struct refusals  *r;
    uint64_t          resource;
    refusals_json_fn *done;
    void             *arg;
};

static void line(struct jw *w, int64_t us, const char *step, struct str text)
{
    if (!text.n)
        return;
    jw_object(w, NULL);
    jw_time(w, "time", us);
    jw_textz(w, "step", step);
    jw_text(w, "text", text);
    jw_end(w);
}

static void refusal_write(const struct refusals *r, const struct refusal_row *row, struct buf *out)
{
    char guid[GUID_SIZE], status[32];
    struct jw w = jw_of(out);
    ids_guid(r->control->ids, ID_REQUEST, row->request, guid);
    snprintf(status, sizeof status, "HTTP %d", row->status);
    jw_object(&w, NULL);
    jw_textz(&w, "id", guid);
    jw_textz(&w, "kind", "refusal");
    jw_array(&w, "lines");
    line(&w, row->at_us, "request", row->what);
    line(&w, row->at_us, "refused", row->text);
    line(&w, row->at_us, "rule", row->rule);
    line(&w, row->at_us, "do", row->suggestion);
    line(&w, row->at_us, "answer", str_of(status));
    line(&w, row->at_us, "code", row->code);
    jw_end(&w);
    jw_end(&w);
}

static void on_row(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct explaining *x = container_of(item, struct explaining, read.item);
    scoped(db_rows) struct db_rows *rows = x->read.rows;
    scoped_buf out = { 0 };
    struct refusal_row row;
    enum err err = x->read.err;
    if (!err && (!refusal_row_next(rows, &row) || (x->resource && row.resource != x->resource)))
        err = ERR_ABSENT;
    if (!err)
        refusal_write(x->r, &row, &out);
    x->done(x->arg, err, buf_str(&out));
    free(x);
}

static void drop_row(struct inbox_item *item)
{
    struct explaining *x = container_of(item, struct explaining, read.item);
    db_rows_free(x->read.rows);
    free(x);
}

static const struct inbox_kind row_kind = { "refusals.row", on_row, drop_row };

enum err refusals_explain(struct refusals *r, uint64_t resource, struct str guid, refusals_json_fn *done, void *arg)
{
    uint64_t request = 0;
    if (ids_guid_read(r->control->ids, ID_REQUEST, guid, &request))
        return ERR_ABSENT;
    struct explaining *x = calloc(1, sizeof *x);
    if (!x)
        return ERR_NOMEM;
    *x = (struct explaining){ .read = { .item.kind = &row_kind, .to = control_inbox(r->control) }, .r = r,
                              .resource = resource, .done = done, .arg = arg };
    enum err err = refusal_row_ask(r->control->db, request, &x->read);
    if (err)
        free(x);
    return err;
}
