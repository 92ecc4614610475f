/* operator_clock.c - reading and moving the product clock.
 *
 * Advancing fires what became due, then waits until the store has decided everything that this caused, and looks again:
 * only when nothing new became due, and no work that it began is under way, is the caller answered. */
#include "domain/rules.h"
#include "edge/api/operator_priv.h"
#include "store/messages.h"
#include "store/meta.h"

enum { ADVANCE_MAX_DAYS = 3660 };

static void clock_write(struct http_call *hc, int64_t fired)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_time(&w, "productTime", control_now_us(hc->api->control));
    jw_int(&w, "offsetSeconds", (clock_offset_us(hc->api->control->clock) + US_PER_S / 2) / US_PER_S);
    jw_textz(&w, "clock", hc->api->clock_moves ? "virtual" : "real");
    if (fired >= 0)
        jw_int(&w, "fired", fired);
    jw_end(&w);
}

enum err clock_get(struct http_call *hc)
{
    clock_write(hc, -1);
    http_reply(hc, 200);
    return ERR_NONE;
}

struct advancing {
    struct db_done    done;
    struct http_call *hc;
    int64_t           fired;
};

static void settle(struct advancing *a);

static void on_settled(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct advancing *a = container_of(item, struct advancing, done.item);
    struct http_call *hc = a->hc;
    if (a->done.err) {
        problem_set(&hc->why, a->done.err, "ServiceUnavailable", "The clock has moved, but that could not be stored.");
        http_fail(hc, a->done.err);
        free(a);
        return;
    }
    size_t more = agenda_catch_up(hc->api->control->agenda);
    a->fired += (int64_t)more;
    if (more || agenda_is_held(hc->api->control->agenda)) {
        settle(a);
        return;
    }
    clock_write(hc, a->fired);
    free(a);
    http_reply(hc, 200);
}

static const struct inbox_kind settled_kind = { "clock.settled", on_settled, NULL };

/* Units are decided in posted order: when this one is, everything before it is. */
static void settle(struct advancing *a)
{
    struct control *c = a->hc->api->control;
    struct db_unit *u = db_unit_new();
    meta_row_put_int(u, STR("clock_offset_us"), clock_offset_us(c->clock));
    a->done = (struct db_done){ .item.kind = &settled_kind, .to = control_inbox(c) };
    enum err err = db_post(c->db, u, &a->done);
    if (err) {
        db_unit_free(u);
        a->done.err = err;
        on_settled(NULL, &a->done.item);
    }
}

enum err clock_advance_post(struct http_call *hc)
{
    enum err err = operator_only(hc);
    int64_t seconds = json_int_of(hc->json, "seconds", 0);
    if (!err && !hc->api->clock_moves)
        err = rule_problem(&hc->why, ERR_FORBIDDEN, RULE_CLOCK_IS_REAL);
    if (!err && (seconds < 1 || seconds > ADVANCE_MAX_DAYS * (int64_t)86400)) {
        err = problem_set(&hc->why, ERR_RANGE, "BadRequest", "seconds must be 1 to %lld.", ADVANCE_MAX_DAYS * 86400LL);
        problem_target(&hc->why, "seconds");
    }
    if (err)
        return err;
    struct advancing *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->hc = hc;
    a->fired = (int64_t)agenda_advance(hc->api->control->agenda, control_now_us(hc->api->control) + seconds * US_PER_S);
    settle(a);
    return ERR_NONE;
}

/* -- snapshots: main/snapshots.c takes and restores them ------------------------------------------------------------- */

static enum err snapshots_ask(struct http_call *hc, const char *verb, struct str name)
{
    enum err err = operator_only(hc);
    return err ? err : hc->api->snapshots_do(hc->api->snapshots, verb, name, hc);
}

enum err snapshots_get(struct http_call *hc)
{
    enum err err = http_query_known(hc, NULL, 0);
    return err ? err : snapshots_ask(hc, "list", (struct str){ NULL, 0 });
}

enum err snapshots_post(struct http_call *hc)
{
    return snapshots_ask(hc, json_bool_of(hc->json, "force", false) ? "replace" : "take", json_text_of(hc->json, "name"));
}

enum err snapshot_delete(struct http_call *hc)
{
    return snapshots_ask(hc, "delete", hc->params[0]);
}

/* With a real carrier it is a slip of the hand, unless it is forced. */
static enum err replace_state(struct http_call *hc, const char *verb, struct str name)
{
    static const struct json_shape shapes[] = { { "force", JSON_IS_BOOL } };
    const char *real = hc->api->real_carrier;
    enum err err = operator_only(hc);
    if (!err && hc->json)
        err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    if (!err && real[0] && !json_bool_of(hc->json, "force", false))
        err = rule_problem(&hc->why, ERR_CONFLICT, RULE_REAL_CARRIER_THERE, real, verb);
    return err ? err : snapshots_ask(hc, verb, name);
}

enum err snapshot_restore_post(struct http_call *hc)
{
    return replace_state(hc, "restore", hc->params[0]);
}

enum err reset_post(struct http_call *hc)
{
    return replace_state(hc, "reset", (struct str){ NULL, 0 });
}
