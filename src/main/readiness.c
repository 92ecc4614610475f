#include "main/readiness.h"
#include "base/log.h"
#include "store/messages.h"

#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static const int64_t ASK_EVERY_US = 2 * (int64_t)US_PER_S;
static const int64_t PATIENCE_US = 10 * (int64_t)US_PER_S;

struct readiness {
    struct control   *control;
    struct loop_timer timer;
    bool              asking;
    _Atomic int64_t   answered_us;      /* mono time of the last good answer */
    _Atomic int       last;             /* enum err of the last answer */
};

/* An answer may still lie in control's inbox when everything ends: it is an object of its own. */
struct asking {
    struct db_done    done;
    struct readiness *r;
};

static void on_answer(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct asking *a = container_of(item, struct asking, done.item);
    struct readiness *r = a->r;
    r->asking = false;
    r->last = (int)a->done.err;
    if (!a->done.err)
        r->answered_us = clock_mono().us;
    free(a);
}

static const struct inbox_kind answer_kind = { "readiness.answer", on_answer, NULL };

static void ask(void *arg)
{
    struct readiness *r = arg;
    if (db_is_broken(r->control->db)) {
        log_error("server", "the disk failed to keep what it had taken of the database: the server ends, and must be started again");
        kill(getpid(), SIGTERM);
        return;
    }
    loop_timer_start(&r->timer, ASK_EVERY_US);
    if (r->asking)
        return;
    struct db_unit *u = db_unit_new();
    struct asking *a = calloc(1, sizeof *a);
    message_row_nothing(u);
    if (a)
        *a = (struct asking){ .done = { .item.kind = &answer_kind, .to = control_inbox(r->control) }, .r = r };
    enum err err = a ? db_post(r->control->db, u, &a->done) : ERR_NOMEM;
    r->asking = !err;
    if (err) {
        free(a);
        db_unit_free(u);
        r->last = (int)err;
    }
}

enum err readiness_new(struct readiness **out, struct control *control)
{
    struct readiness *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->control = control;
    r->answered_us = clock_mono().us;
    enum err err = loop_timer_init(control->loop, &r->timer, ask, r);
    if (err) {
        free(r);
        return err;
    }
    *out = r;
    return ERR_NONE;
}

void readiness_free(struct readiness *r)
{
    if (!r)
        return;
    loop_timer_done(&r->timer);
    free(r);
}

void readiness_start(struct readiness *r)
{
    loop_timer_start(&r->timer, 0);
}

bool readiness_ask(void *readiness, struct buf *words)
{
    struct readiness *r = readiness;
    int64_t now_us = clock_mono().us, ago_us = now_us - r->answered_us;
    enum err last = (enum err)r->last;
    char failure[160];
    int64_t failed_us = db_failure(r->control->db, failure, sizeof failure);
    bool failed = failed_us && now_us - failed_us < PATIENCE_US;
    if (failed)
        buf_printf(words, "the store failed: %s", failure);
    else if (last)
        buf_printf(words, "the store failed: %s", err_words(last));
    else if (ago_us > PATIENCE_US)
        buf_printf(words, "the store has not answered for %lld s", (long long)(ago_us / US_PER_S));
    return !failed && !last && ago_us <= PATIENCE_US;
}
