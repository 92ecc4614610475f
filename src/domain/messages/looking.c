/* looking.c - public ids, and messages as people and programs see them. */
#include "base/words.h"
#include "domain/messages/messages_priv.h"

#include <limits.h>
#include <stdarg.h>

void message_public_id(const struct messages *m, uint64_t key, bool inbound, char id[SMS_ID_SIZE])
{
    sms_id_write(m->control->ids, key, inbound, id);
}

void sms_id_write(const struct ids *ids, uint64_t key, bool inbound, char id[SMS_ID_SIZE])
{
    char guid[GUID_SIZE], stamp[TIME_STAMP_SIZE];
    time_stamp(stamp, id_time_us(key));
    ids_guid(ids, ID_MESSAGE, key, guid);
    words_put(id, SMS_ID_SIZE, "%s_%s%s_noam", inbound ? "Incoming" : "Outgoing", stamp, guid);
}

enum err sms_id_read(const struct ids *ids, struct str id, uint64_t *key)
{
    enum { PREFIX = 9, STAMP = 14, GUID = GUID_SIZE - 1 };
    if (id.n == GUID)                   /* as SMPP has it */
        return ids_guid_read(ids, ID_MESSAGE, id, key) ? ERR_ABSENT : ERR_NONE;
    if (id.n < PREFIX + STAMP + GUID || !(str_starts(id, STR("Outgoing_")) || str_starts(id, STR("Incoming_"))))
        return ERR_ABSENT;
    return ids_guid_read(ids, ID_MESSAGE, (struct str){ id.p + PREFIX + STAMP, GUID }, key) ? ERR_ABSENT : ERR_NONE;
}

void sms_id_guid(const char *id, char guid[GUID_SIZE])
{
    enum { PREFIX = 9, STAMP = 14 };
    str_copyz(guid, GUID_SIZE, str_from(str_of(id), PREFIX + STAMP));
}

void trail_line(struct buf *b, int64_t us, const char *step, const char *format, ...)
{
    char words[512];
    va_list ap;
    va_start(ap, format);
    size_t n = words_vput(words, sizeof words, format, ap);
    va_end(ap);
    n = n < sizeof words ? n : sizeof words - 1;
    for (char *c = words; (c = memchr(c, '\n', n - (size_t)(c - words))); )
        *c = ' ';                       /* a peer's text must not forge a line */
    buf_put_int(b, us);
    buf_putc(b, ' ');
    buf_putz(b, step);
    buf_putc(b, ' ');
    buf_put(b, words, n);
    buf_putc(b, '\n');
}

/* What an asker wants of the row or rows that come. */
struct looking {
    struct db_read    read;
    struct messages  *m;
    uint64_t          resource;         /* 0: any */
    void            (*write)(struct looking *l, struct db_rows *rows, struct buf *out);
    bool              found, whole;     /* whole: one message with all that is known of it */
    size_t            top;              /* of a list */
    struct str        link;
    messages_json_fn *done;
    void             *arg;
};

static bool may_see(const struct looking *l, const struct message_row *row)
{
    return !l->resource || l->resource == row->resource;
}

/* Of one that ended otherwise than delivered: the report's words, and the last that its trail says before it. */
static void end_write(const struct looking *l, const struct message_row *row, struct jw *w)
{
    struct sms_report report;
    struct str line, when, step, words, why = { "", 0 }, trail = row->trail;
    if (row->state == message_state_stored(MSG_DELIVERED) || !report_read(&report, l->m, row))
        return;
    for (bool more = true; more;) {
        more = str_cut(trail, '\n', &line, &trail);
        if (str_cut(line, ' ', &when, &words) && str_cut(words, ' ', &step, &words) && !str_eqz(step, "state") && !str_eqz(step, "report")
            && !str_eqz(step, "with"))
            why = words;
    }
    jw_textz(w, "deliveryStatusDetails", report.details);
    jw_text(w, "why", why);
}

static void message_write(const struct looking *l, const struct message_row *row, struct jw *w)
{
    char id[SMS_ID_SIZE];
    message_public_id(l->m, row->key, row->inbound, id);
    jw_object(w, NULL);
    jw_textz(w, "messageId", id);
    jw_textz(w, "direction", row->inbound ? "inbound" : "outbound");
    jw_text(w, "from", row->from);
    jw_text(w, "to", row->to);
    jw_text(w, "message", row->text);
    jw_textz(w, "state", row->inbound ? "received" : message_state_word(row->state));
    jw_int(w, "segments", row->segments);
    jw_text(w, "carrier", row->carrier);
    if (row->tag.n)
        jw_text(w, "tag", row->tag);
    jw_time(w, "createdAt", row->created_us);
    jw_time(w, "updatedAt", row->updated_us);
    if (row->send_at_us)
        jw_time(w, "sendAt", row->send_at_us);
    if (!row->inbound && row->state < 10)
        waiting_write(l->m, row->key, w);
    if (l->whole)
        end_write(l, row, w);
    jw_end(w);
}

static void write_one(struct looking *l, struct db_rows *rows, struct buf *out)
{
    struct message_row row;
    struct jw w = jw_of(out);
    if (!message_row_next(rows, &row) || !may_see(l, &row))
        return;
    l->found = l->whole = true;
    message_write(l, &row, &w);
}

static void write_report(struct looking *l, struct db_rows *rows, struct buf *out)
{
    struct message_row row;
    struct sms_report report;
    struct jw w = jw_of(out);
    bool seen = message_row_next(rows, &row) && may_see(l, &row) && !row.inbound;
    l->found = seen && report_read(&report, l->m, &row);
    if (l->found)
        report_json(&report, &w);
    else if (seen)
        buf_puts(out, str_of(message_state_word(row.state)));
}

/* A page; what comes after it is asked for by the id of its last row. */
static void write_list(struct looking *l, struct db_rows *rows, struct buf *out)
{
    struct message_row row;
    struct jw w = jw_of(out);
    uint64_t last = 0;
    size_t n = 0;
    bool more = false;
    l->found = true;
    jw_object(&w, NULL);
    jw_array(&w, "value");
    while (!more && message_row_next(rows, &row)) {
        more = n == l->top || row.stops;
        if (n == l->top)
            break;
        if (row.listed)
            message_write(l, &row, &w);
        n += row.listed;
        last = row.key;
    }
    jw_end(&w);
    if (more) {
        char id[SMS_ID_SIZE];
        message_public_id(l->m, last, false, id);
        jw_printf(&w, "nextLink", STR_FMT "%s", STR_ARG(l->link), id);
    } else {
        jw_null(&w, "nextLink");
    }
    jw_end(&w);
}

static void on_rows(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct looking *l = container_of(item, struct looking, read.item);
    scoped(db_rows) struct db_rows *rows = l->read.rows;
    scoped_buf out = { 0 };
    enum err err = l->read.err;
    if (!err)
        l->write(l, rows, &out);
    if (!err)
        err = l->found ? buf_err(&out) : ERR_ABSENT;
    l->done(l->arg, err, buf_str(&out));
    free(l);
}

static void drop_rows(struct inbox_item *item)
{
    struct looking *l = container_of(item, struct looking, read.item);
    db_rows_free(l->read.rows);
    free(l);
}

static const struct inbox_kind rows_kind = { "messages.rows", on_rows, drop_rows };

static struct looking *looking_new(struct messages *m, uint64_t resource, messages_json_fn *done, void *arg)
{
    struct looking *l = calloc(1, sizeof *l);
    if (l)
        *l = (struct looking){ .read = { .item.kind = &rows_kind, .to = control_inbox(m->control) }, .m = m,
                               .resource = resource, .done = done, .arg = arg };
    return l;
}

static enum err ask_one(struct messages *m, uint64_t resource, struct str id, messages_json_fn *done, void *arg,
                        void (*write)(struct looking *l, struct db_rows *rows, struct buf *out))
{
    uint64_t key = 0;
    enum err err = sms_id_read(m->control->ids, id, &key);
    if (err)
        return err;
    struct looking *l = looking_new(m, resource, done, arg);
    if (!l)
        return ERR_NOMEM;
    l->write = write;
    err = message_row_ask(m->control->db, key, &l->read);
    if (err)
        free(l);
    return err;
}

enum err messages_show(struct messages *m, uint64_t resource, struct str id, messages_json_fn *done, void *arg)
{
    return ask_one(m, resource, id, done, arg, write_one);
}

enum err messages_report(struct messages *m, uint64_t resource, struct str id, messages_json_fn *done, void *arg)
{
    enum err err = ask_one(m, resource, id, done, arg, write_report);
    if (err != ERR_ABSENT)
        return err;
    done(arg, ERR_ABSENT, (struct str){ "", 0 });
    return ERR_NONE;
}

/* Of a word: which of the states that are stored. @return ERR_SYNTAX: there is no such word */
static enum err state_read(struct str word, struct message_filter *f)
{
    *f = (struct message_filter){ .inbound = word.n ? 0 : -1, .state_most = word.n ? -1 : INT_MAX };
    if (str_eqz(word, "received"))
        f->inbound = 1, f->state_most = INT_MAX;
    for (int s = MESSAGE_STATE_COUNT - 1; word.n && !f->inbound && s >= 0; s--) {
        int stored = message_state_stored((enum message_state)s);
        if (!str_eqz(word, message_state_word(stored)))
            continue;
        f->state_least = stored;
        if (f->state_most < stored)
            f->state_most = stored;
    }
    return f->state_most < 0 ? ERR_SYNTAX : ERR_NONE;
}

enum err messages_list(struct messages *m, const struct sms_query *q, messages_json_fn *done, void *arg)
{
    struct message_filter f;
    enum err err = state_read(q->state, &f);
    f.before = INT64_MAX;
    if (!err && q->before.n && sms_id_read(m->control->ids, q->before, &f.before))
        err = ERR_RANGE;
    struct looking *l = err ? NULL : looking_new(m, q->resource, done, arg);
    if (!l)
        return err ? err : ERR_NOMEM;
    f.resource = q->resource, f.from = q->from, f.to = q->to, f.tag = q->tag, f.since_us = q->since_us;
    f.until_us = q->until_us ? q->until_us : INT64_MAX;
    f.top = q->top + 1;
    l->write = write_list;
    l->top = q->top;
    l->link = q->link;
    err = message_rows_ask_list(m->control->db, &f, &l->read);
    if (err)
        free(l);
    return err;
}
