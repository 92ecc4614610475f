#include "domain/messages/mailbox.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/messages/messages_priv.h"
#include "domain/purge.h"
#include "store/esmes.h"

METRIC_COUNTER(put_total, "carterfone_esme_letters_total", "Receipts and messages put by for customers' ESMEs")
METRIC_COUNTER(taken_total, "carterfone_esme_letters_taken_total", "Receipts and messages customers' ESMEs took")
METRIC_COUNTER(refused_total, "carterfone_esme_letters_refused_total", "Receipts and messages customers' ESMEs refused for good")
METRIC_COUNTER(again_total, "carterfone_esme_letters_again_total", "Receipts and messages that came back and go again")

enum { SLICE = 128, OUT_LOW = 128 };    /* rows a read; more are read while fewer are out */
static const int64_t KEEP_US = 7 * 24 * 3600 * (int64_t)US_PER_S;
static const int64_t PAUSE_US = 1 * (int64_t)US_PER_S, PAUSE_MOST_US = 60 * (int64_t)US_PER_S;

/* One resource's. Lives as long as the mailbox, but for a resource that ends. */
struct box {
    struct mailbox   *mb;
    uint64_t          resource;
    bool              known;            /* a receiver has bound: messages of phones wait, too */
    int64_t           bound_us;         /* when receivers came or went, product time */
    unsigned          receivers;
    uint64_t          read_to;          /* everything up to this key is out, or settled */
    unsigned          out, ending;      /* letters at the ESMEs; rows whose end is being written */
    bool              reading, more;    /* more: there may be rows behind read_to */
    bool              rewind;           /* some came back: from the start, once nothing is out */
    int64_t           pause_us;         /* the last wait after a refusal for now; 0: none */
    struct loop_timer pause;
    bool              paused;
};

struct mailbox {
    struct control          *control;
    const struct letter_ops *ops;
    void                    *postman;
    struct map              *boxes;
    struct purge            *purge;
    int64_t                  keep_us;
};

static void pump(struct box *b);

/* -- boxes ---------------------------------------------------------------------------------------------------------- */

static void on_pause_over(void *arg)
{
    struct box *b = arg;
    b->paused = false;
    pump(b);
}

static void box_free(struct box *b)
{
    loop_timer_done(&b->pause);
    free(b);
}

static struct box *box_of(struct mailbox *mb, uint64_t resource)
{
    struct box *b = map_find(mb->boxes, resource);
    if (b)
        return b;
    b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    *b = (struct box){ .mb = mb, .resource = resource, .more = true };
    if (loop_timer_init(mb->control->loop, &b->pause, on_pause_over, b) || map_put(mb->boxes, resource, b)) {
        box_free(b);
        return NULL;
    }
    return b;
}

static void load_box(void *arg, uint64_t resource, bool bound, int64_t at_us)
{
    struct mailbox *mb = arg;
    struct box *b = box_of(mb, resource);
    if (!b)
        return;
    b->known = true;
    b->bound_us = bound ? control_now_us(mb->control) : at_us;      /* it was bound until the process ended */
}

enum err mailbox_new(struct mailbox **out, struct control *control)
{
    struct mailbox *mb = calloc(1, sizeof *mb);
    if (!mb)
        return ERR_NOMEM;
    *mb = (struct mailbox){ .control = control, .boxes = map_new(), .keep_us = KEEP_US };
    if (!mb->boxes) {
        free(mb);
        return ERR_NOMEM;
    }
    *out = mb;
    return ERR_NONE;
}

void mailbox_free(struct mailbox *mb)
{
    uint64_t key;
    void *box;
    if (!mb)
        return;
    purge_free(mb->purge);
    for (size_t at = 0; map_next(mb->boxes, &at, &key, &box);)
        box_free(box);
    map_free(mb->boxes);
    free(mb);
}

enum err mailbox_load(struct mailbox *mb)
{
    uint64_t newest = 0;
    enum err err = esme_box_rows_each(mb->control->db, load_box, mb);
    if (!err)
        err = esme_mail_newest(mb->control->db, &newest);
    if (!err && newest)
        ids_after(mb->control->ids, newest);
    return err;
}

void mailbox_set_postman(struct mailbox *mb, const struct letter_ops *ops, void *self)
{
    mb->ops = ops;
    mb->postman = self;
}

enum err mailbox_keep(struct mailbox *mb, int64_t keep_us)
{
    mb->keep_us = keep_us;
    enum err err = purge_new(&mb->purge, mb->control, keep_us, esme_mail_rows_purge);
    return err ? err : purge_start(mb->purge);
}

/* -- what comes in -------------------------------------------------------------------------------------------------- */

void mailbox_put(struct mailbox *mb, struct db_unit *u, const struct letter *l)
{
    esme_mail_row_put(u, &(struct esme_mail_row){
        .key = ids_next(mb->control->ids), .resource = l->resource, .message = l->message, .answered = l->answered,
        .receipt = l->receipt, .from = l->from, .to = l->to, .body = l->text, .state = l->state, .reference = l->reference,
        .error = l->error, .submitted_us = l->submitted_us, .at_us = l->at_us });
    metric_add(&put_total, 1);
}

bool mailbox_wants(const struct mailbox *mb, uint64_t resource)
{
    const struct box *b = map_find(mb->boxes, resource);
    return b && b->known && (b->receivers || control_now_us(mb->control) - b->bound_us < mb->keep_us);
}

void mailbox_go(struct mailbox *mb, uint64_t resource)
{
    struct box *b = map_find(mb->boxes, resource);
    if (!b)
        return;                         /* nobody has bound: it is read when somebody does */
    b->more = true;
    pump(b);
}

/* -- on its way to the ESMEs ---------------------------------------------------------------------------------------- */

struct fetching {
    struct db_read  read;
    struct mailbox *mb;
    uint64_t        resource;
};

static void hand_out(struct box *b, struct db_rows *rows)
{
    struct esme_mail_row row;
    struct mailbox *mb = b->mb;
    size_t n = 0;
    while (esme_mail_row_next(rows, &row)) {
        struct letter l = { .key = row.key, .resource = row.resource, .receipt = row.receipt, .message = row.message,
                            .answered = row.answered, .from = row.from, .to = row.to, .text = row.body, .state = row.state,
                            .reference = row.reference, .error = row.error, .submitted_us = row.submitted_us, .at_us = row.at_us };
        if (mb->ops->deliver(mb->postman, &l)) {
            b->more = true;             /* out of memory: when something else has ended */
            return;
        }
        b->read_to = row.key;
        b->out++;
        n++;
    }
    b->more = b->more || n == SLICE;
}

static void on_fetched(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct fetching *f = container_of(item, struct fetching, read.item);
    struct box *b = map_find(f->mb->boxes, f->resource);
    if (b) {
        b->reading = false;
        if (f->read.err)
            b->more = true;
        else if (b->receivers && !b->rewind)
            hand_out(b, f->read.rows);
        else
            b->more = true;
        if (f->read.err)
            log_error("messages", "letters for ESMEs could not be read: %s", err_words(f->read.err));
        else
            pump(b);
    }
    db_rows_free(f->read.rows);
    free(f);
}

static void drop_fetched(struct inbox_item *item)
{
    struct fetching *f = container_of(item, struct fetching, read.item);
    db_rows_free(f->read.rows);
    free(f);
}

static const struct inbox_kind fetched_kind = { "messages.letters", on_fetched, drop_fetched };

static void fetch(struct box *b)
{
    struct mailbox *mb = b->mb;
    struct fetching *f = calloc(1, sizeof *f);
    if (!f)
        return;                         /* the next letter, or the next bind, asks again */
    *f = (struct fetching){ .read = { .item.kind = &fetched_kind, .to = control_inbox(mb->control) }, .mb = mb, .resource = b->resource };
    b->more = false;
    b->reading = true;
    if (esme_mail_rows_ask(mb->control->db, b->resource, b->read_to, SLICE, &f->read)) {
        free(f);
        b->reading = false;
        b->more = true;
        b->paused = true;
        loop_timer_start(&b->pause, PAUSE_US);
    }
}

static void pump(struct box *b)
{
    if (!b->receivers || b->reading || b->paused || !b->mb->ops)
        return;
    if (b->rewind) {
        if (b->out || b->ending)
            return;
        b->rewind = false;
        b->read_to = 0;
        b->more = true;
    }
    if (b->more && b->out < OUT_LOW)
        fetch(b);
}

void mailbox_bound(struct mailbox *mb, uint64_t resource, unsigned receivers)
{
    struct box *b = box_of(mb, resource);
    if (!b)
        return;
    bool turned = !b->receivers != !receivers;
    b->receivers = receivers;
    if (turned) {
        struct db_unit *u = db_unit_new();
        struct db_done *done = calloc(1, sizeof *done);
        b->known = true;
        b->bound_us = control_now_us(mb->control);
        esme_box_row_put(u, resource, receivers > 0, b->bound_us);
        if (!done || db_post(mb->control->db, u, done)) {
            log_warn("messages", "that a receiver bound, or went, could not be noted");
            free(done);
            db_unit_free(u);
        }
        b->more = true;
    }
    pump(b);
}

/* -- settled -------------------------------------------------------------------------------------------------------- */

struct ending {
    struct mailbox *mb;
    uint64_t        resource;
};

static void on_row_ended(void *mine, enum err err)
{
    const struct ending *e = mine;
    struct box *b = map_find(e->mb->boxes, e->resource);
    if (err)
        log_error("messages", "a letter an ESME took is still there, and goes once more: %s", err_words(err));
    if (!b)
        return;
    b->ending--;
    pump(b);
}

/* Away with its row. One that stays is delivered again after the next start, or the next time something comes back. */
static void end_row(struct box *b, uint64_t key, uint64_t message, enum letter_outcome outcome, struct str words)
{
    struct mailbox *mb = b->mb;
    scoped_buf trail = { 0 };
    struct ending *e = malloc(sizeof *e);
    struct db_unit *u = db_unit_new();
    trail_line(&trail, control_now_us(mb->control), "esme", "deliver_sm %s " STR_FMT,
               outcome == LETTER_TAKEN ? "taken by" : "refused for good:", STR_ARG(words));
    if (e)
        *e = (struct ending){ mb, b->resource };
    esme_mail_row_end(u, key, message, buf_str(&trail));
    if (control_write(mb->control, u, on_row_ended, e) == ERR_NONE)
        b->ending++;
}

static void come_again(struct box *b, enum letter_outcome outcome)
{
    metric_add(&again_total, 1);
    b->rewind = true;
    if (outcome != LETTER_AGAIN || b->paused)
        return;
    b->pause_us = b->pause_us ? 2 * b->pause_us : PAUSE_US;
    if (b->pause_us > PAUSE_MOST_US)
        b->pause_us = PAUSE_MOST_US;
    b->paused = true;
    loop_timer_start(&b->pause, b->pause_us);
}

void mailbox_settle(struct mailbox *mb, uint64_t resource, uint64_t key, uint64_t message, enum letter_outcome outcome,
                    struct str words)
{
    struct box *b = map_find(mb->boxes, resource);
    if (!b)
        return;                         /* its resource has ended */
    b->out--;
    if (outcome == LETTER_TAKEN || outcome == LETTER_REFUSED) {
        metric_add(outcome == LETTER_TAKEN ? &taken_total : &refused_total, 1);
        b->pause_us = outcome == LETTER_TAKEN ? 0 : b->pause_us;
        end_row(b, key, message, outcome, words);
    } else {
        come_again(b, outcome);
    }
    pump(b);
}

/* -- a resource ends ------------------------------------------------------------------------------------------------- */

struct parting {
    void (*done)(void *arg, enum err err);
    void  *arg;
};

static void on_parted(void *mine, enum err err)
{
    const struct parting *p = mine;
    p->done(p->arg, err);
}

enum err mailbox_end(void *mailbox, uint64_t resource, void (*done)(void *arg, enum err err), void *arg)
{
    struct mailbox *mb = mailbox;
    struct box *b = map_take(mb->boxes, resource);
    struct db_unit *u = db_unit_new();
    struct parting *p = malloc(sizeof *p);
    if (b)
        box_free(b);
    if (p)
        *p = (struct parting){ done, arg };
    esme_rows_end(u, resource);
    return control_write(mb->control, u, on_parted, p);
}

void mailbox_write(const struct mailbox *mb, uint64_t resource, struct jw *w)
{
    const struct box *b = map_find(mb->boxes, resource);
    jw_int(w, "receivers", b ? b->receivers : 0);
    jw_int(w, "underWay", b ? b->out : 0);
}
