/* call_records.c - what is kept of calls, as JSON of our own API. */
#include "base/str.h"
#include "domain/calls/calls_priv.h"

/* One look at rows of calls. */
struct look {
    struct db_read read;
    struct calls  *calls;
    uint64_t       resource;
    size_t         limit;
    struct str     link;                /* of the list: its nextLink but for its end */
    struct buf     out;
    struct jw      w;
    calls_json_fn *done;
    void          *arg;
};

static void time_or_null(struct jw *w, const char *name, int64_t us)
{
    if (us)
        jw_time(w, name, us);
    else
        jw_null(w, name);
}

static void write_end(struct jw *w, const struct call_row *row)
{
    if (!row->ended_us)
        return;
    jw_int(w, "seconds", row->connected_us ? (row->ended_us - row->connected_us + US_PER_S - 1) / US_PER_S : 0);
    jw_int(w, "code", row->code);
    jw_int(w, "subCode", row->subcode);
    jw_text(w, "reason", row->words);
    jw_int(w, "sip", row->sip);
    jw_int(w, "q850", row->q850);
    jw_object(w, "audio");
    jw_int(w, "packetsSent", (int64_t)row->sent);
    jw_int(w, "packetsReceived", (int64_t)row->received);
    jw_int(w, "packetsLost", (int64_t)row->lost);
    jw_end(w);
}

/* Members of one call, into an open object. */
void call_row_write(struct jw *w, const struct calls *c, const struct call_row *row)
{
    struct call_view v;
    call_view_of_row(c, row, &v);
    jw_textz(w, "id", v.id);
    jw_textz(w, "callConnectionId", v.id);
    jw_textz(w, "kind", "call");
    jw_textz(w, "correlationId", v.correlation_id);
    jw_textz(w, "direction", row->outbound ? "outbound" : "inbound");
    jw_text(w, "from", row->caller);
    jw_text(w, "to", row->callee);
    jw_textz(w, "state", call_progress_word(v.progress));
    jw_text(w, "trunk", row->trunk);
    time_or_null(w, "startedAt", row->created_us);
    time_or_null(w, "connectedAt", row->connected_us);
    time_or_null(w, "endedAt", row->ended_us);
    write_end(w, row);
}

static void look_free(struct look *l)
{
    db_rows_free(l->read.rows);
    buf_done(&l->out);
    free(l);
}

static void look_finish(struct look *l, enum err err)
{
    if (!err)
        err = buf_err(&l->out);
    l->done(l->arg, err, err ? (struct str){ 0 } : buf_str(&l->out));
    look_free(l);
}

static struct look *look_new(struct calls *c, uint64_t resource, const struct inbox_kind *kind, calls_json_fn *done,
                             void *arg)
{
    struct look *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (struct look){ .read = { .item.kind = kind, .to = control_inbox(c->control) }, .calls = c,
                        .resource = resource, .done = done, .arg = arg };
    l->w = jw_of(&l->out);
    return l;
}

/* -- the list ----------------------------------------------------------------------------------------------------- */
static void on_list(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct call_row row = { 0 };
    char last[GUID_SIZE];
    size_t n = 0;
    jw_object(&l->w, NULL);
    jw_array(&l->w, "value");
    for (; !l->read.err && db_rows_next(l->read.rows); n++) {
        call_row_read(l->read.rows, &row);
        jw_object(&l->w, NULL);
        call_row_write(&l->w, l->calls, &row);
        jw_end(&l->w);
    }
    jw_end(&l->w);
    ids_guid(l->calls->control->ids, ID_CALL, row.key, last);
    if (n == l->limit)
        jw_printf(&l->w, "nextLink", STR_FMT "%s", STR_ARG(l->link), last);
    else
        jw_null(&l->w, "nextLink");
    jw_end(&l->w);
    look_finish(l, l->read.err);
}

static void drop_look(struct inbox_item *item)
{
    look_free(container_of(item, struct look, read.item));
}

static const struct inbox_kind list_kind = { "calls.list", on_list, drop_look };

enum err calls_list(struct calls *c, const struct calls_query *q, calls_json_fn *done, void *arg)
{
    uint64_t below = 0;
    if (q->before.n && ids_guid_read(c->control->ids, ID_CALL, q->before, &below))
        return ERR_RANGE;
    struct look *l = look_new(c, q->resource, &list_kind, done, arg);
    if (!l)
        return ERR_NOMEM;
    l->limit = q->limit;
    l->link = q->link;
    enum err err = call_ask_list(c->control->db, q->resource, below, q->limit, &l->read);
    if (err)
        look_free(l);
    return err;
}

/* -- one call ----------------------------------------------------------------------------------------------------- */
static bool found(struct look *l, struct call_row *row)
{
    if (l->read.err || !db_rows_next(l->read.rows))
        return false;
    call_row_read(l->read.rows, row);
    return !l->resource || row->resource == l->resource;
}

static void on_shown(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct look *l = container_of(item, struct look, read.item);
    struct call_row row;
    enum err err = l->read.err;
    if (!err && !found(l, &row))
        err = ERR_ABSENT;
    if (!err) {
        jw_object(&l->w, NULL);
        call_row_write(&l->w, l->calls, &row);
        jw_end(&l->w);
    }
    look_finish(l, err);
}

static const struct inbox_kind shown_kind = { "calls.show", on_shown, drop_look };

static enum err ask_one(struct calls *c, uint64_t resource, struct str id, const struct inbox_kind *kind,
                        calls_json_fn *done, void *arg)
{
    uint64_t key;
    if (ids_guid_read(c->control->ids, ID_CALL, id, &key))
        return ERR_ABSENT;
    struct look *l = look_new(c, resource, kind, done, arg);
    if (!l)
        return ERR_NOMEM;
    enum err err = call_ask(c->control->db, key, &l->read);
    if (err)
        look_free(l);
    return err;
}

enum err calls_show(struct calls *c, uint64_t resource, struct str id, calls_json_fn *done, void *arg)
{
    return ask_one(c, resource, id, &shown_kind, done, arg);
}
