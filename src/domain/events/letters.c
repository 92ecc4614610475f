/* letters.c - what became of events: the dead letters, and one event with its deliveries and every try. */
#include "domain/events/events_priv.h"

enum { PAGE_MAX = 100 };

static const char *const death_words[] = { "", "MaxDeliveryAttemptsExceeded", "TimeToLiveExceeded", "NotRetriable" };

static void write_guid(const struct events *ev, struct jw *w, const char *name, enum id_kind kind, uint64_t key)
{
    char guid[GUID_SIZE];
    ids_guid(ev->control->ids, kind, key, guid);
    jw_textz(w, name, guid);
}

/* Whose: the subscription, or the address of a callback. */
static void write_whose(const struct events *ev, struct jw *w, const struct delivery_row *row)
{
    const struct event_subscription *s = row->subscription ? map_find(ev->subscriptions, row->subscription) : NULL;
    if (row->subscription)
        write_guid(ev, w, "subscription", ID_EVENT_SUBSCRIPTION, row->subscription);
    else
        jw_text(w, "callbackUri", row->url);
    if (s)
        jw_textz(w, "subscriptionName", s->name);
}

static void write_state(struct jw *w, const struct delivery_row *row)
{
    jw_textz(w, "state", row->dead ? "dead" : row->tries ? "retrying" : "waiting");
    jw_int(w, "deliveryAttempts", row->tries);
    if (row->dead)
        jw_textz(w, "deadLetterReason", death_words[row->dead <= DELIVERY_UNWANTED ? row->dead : 0]);
    if (row->tries)
        jw_text(w, "lastDeliveryOutcome", row->last);
    jw_time(w, "publishTime", row->since_us);
    if (row->next_us)
        jw_time(w, row->dead ? "lastDeliveryAttemptTime" : "nextDeliveryAttemptTime", row->next_us);
}

/* -- dead letters -------------------------------------------------------------------------------------------------- */

/* One question that ends in one JSON text. */
struct question {
    struct db_read    read;
    struct events    *ev;
    size_t            limit;
    struct str        link;
    struct buf        out;
    struct jw         w;
    events_listed_fn *done;
    void             *arg;
};

static void question_free(struct question *q)
{
    buf_done(&q->out);
    free(q);
}

static void answer(struct question *q, enum err err)
{
    q->done(q->arg, err ? err : buf_err(&q->out), buf_str(&q->out));
    question_free(q);
}

static void drop_question(struct inbox_item *item)
{
    struct question *q = container_of(item, struct question, read.item);
    db_rows_free(q->read.rows);
    question_free(q);
}

static struct question *question_new(struct events *ev, const struct inbox_kind *kind, events_listed_fn *done, void *arg)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    *q = (struct question){ .read = { .item.kind = kind, .to = control_inbox(ev->control) }, .ev = ev, .done = done, .arg = arg };
    q->w = jw_of(&q->out);
    return q;
}

static void write_event(struct jw *w, const struct delivery_row *row)
{
    jw_text(w, "eventId", row->event.id);
    jw_text(w, "eventType", row->event.type);
    jw_text(w, "subject", row->event.subject);
}

/* Its id is that of its delivery; what it says is in its body alone. */
static void write_callback(const struct events *ev, struct jw *w, const struct delivery_row *row)
{
    write_guid(ev, w, "eventId", ID_EVENT, row->key);
    write_guid(ev, w, "callConnectionId", ID_CALL, row->call);
}

static void on_dead(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct question *q = container_of(item, struct question, read.item);
    scoped(db_rows) struct db_rows *rows = q->read.rows;
    struct delivery_row row;
    uint64_t last = 0;
    bool full = !q->read.err && db_rows_count(rows) >= q->limit;
    jw_object(&q->w, NULL);
    jw_array(&q->w, "value");
    while (!q->read.err && delivery_outline_next(rows, &row)) {
        last = row.key;
        jw_object(&q->w, NULL);
        if (row.subscription)
            write_event(&q->w, &row);
        else
            write_callback(q->ev, &q->w, &row);
        write_whose(q->ev, &q->w, &row);
        write_state(&q->w, &row);
        jw_end(&q->w);
    }
    jw_end(&q->w);
    if (full)
        jw_printf(&q->w, "nextLink", STR_FMT "%llu", STR_ARG(q->link), (unsigned long long)last);
    jw_end(&q->w);
    answer(q, q->read.err);
}

static const struct inbox_kind dead_kind = { "events.dead", on_dead, drop_question };

enum err events_dead(struct events *ev, const struct events_dead_query *dq, events_listed_fn *done, void *arg)
{
    struct question *q = question_new(ev, &dead_kind, done, arg);
    if (!q)
        return ERR_NOMEM;
    q->limit = dq->limit && dq->limit < PAGE_MAX ? dq->limit : PAGE_MAX;
    q->link = dq->link;
    const struct delivery_whose whose = { .subscription = dq->subscription, .resource = dq->resource };
    enum err err = delivery_rows_ask_dead(ev->control->db, &whose, dq->before ? dq->before : INT64_MAX, q->limit, &q->read);
    if (err)
        question_free(q);
    return err;
}

/* -- one event: its row, then its deliveries and its tries ---------------------------------------------------------------- */

static void write_try(const struct question *q, struct jw *w, const struct delivery_try_row *row)
{
    const struct delivery_row of = { .subscription = row->subscription };
    jw_object(w, NULL);
    jw_time(w, "time", row->at_us);
    write_whose(q->ev, w, &of);
    jw_int(w, "attempt", row->n);
    jw_int(w, "eventsInRequest", row->events);
    if (row->status)
        jw_int(w, "httpStatus", row->status);
    if (row->words.n)
        jw_text(w, row->status ? "answer" : "error", row->words);
    jw_int(w, "durationMs", (row->took_us + 500) / 1000);
    jw_end(w);
}

static void write_delivery(const struct question *q, struct jw *w, const struct delivery_row *row)
{
    jw_object(w, NULL);
    write_whose(q->ev, w, row);
    write_state(w, row);
    jw_end(w);
}

static void on_story(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct question *q = container_of(item, struct question, read.item);
    scoped(db_rows) struct db_rows *rows = q->read.rows;
    struct delivery_story_row row;
    bool more = !q->read.err && delivery_story_next(rows, &row);
    jw_array(&q->w, "deliveries");
    for (; more && !row.tried; more = delivery_story_next(rows, &row))
        write_delivery(q, &q->w, &row.delivery);
    jw_end(&q->w);
    jw_array(&q->w, "tries");
    for (; more; more = delivery_story_next(rows, &row))
        write_try(q, &q->w, &row.try);
    jw_end(&q->w);
    jw_end(&q->w);
    answer(q, q->read.err);
}

static const struct inbox_kind story_kind = { "events.show_story", on_story, drop_question };

static void on_event(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct question *q = container_of(item, struct question, read.item);
    scoped(db_rows) struct db_rows *rows = q->read.rows;
    struct event_row row = { 0 };
    enum err err = q->read.err ? q->read.err : event_row_next(rows, &row) ? ERR_NONE : ERR_ABSENT;
    jw_object(&q->w, NULL);
    if (!err)
        event_write(&row, &q->w);
    q->read = (struct db_read){ .item.kind = &story_kind, .to = control_inbox(q->ev->control) };
    if (!err)
        err = delivery_story_ask(q->ev->control->db, row.key, &q->read);
    if (err)
        answer(q, err);
}

static const struct inbox_kind event_kind = { "events.show", on_event, drop_question };

enum err events_show(struct events *ev, struct str id, uint64_t resource, events_listed_fn *done, void *arg)
{
    struct question *q = question_new(ev, &event_kind, done, arg);
    enum err err = q ? event_row_ask_id(ev->control->db, id, ids_key_in(ev->control->ids, id), resource, &q->read) : ERR_NOMEM;
    if (err && q)
        question_free(q);
    return err;
}
