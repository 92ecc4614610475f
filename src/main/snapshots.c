#include "main/snapshots.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "domain/events/events.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "main/snapshot_shelf.h"
#include "main/snapshots_priv.h"
#include "sim/sim.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { ASKED_MAX = 64, QUIET_TRIES = 150 };
static const char FIRST[] = ".first";
static const int64_t QUIET_STEP_US = 2 * US_PER_MS, HOLD_US = 5 * (int64_t)US_PER_S;

struct snapshots {
    struct app     *app;
    struct loop    *loop;               /* files, and the wait of a restore: none of it is control's */
    struct shelf   *shelf;
    pthread_mutex_t lock;
    pthread_cond_t  idle;               /* nothing is being taken or restored */
    enum { NOTHING, TAKING, RESTORING } doing;      /* under the lock */
    bool            stopping;           /* under the lock */
};

static void nothing_more(struct snapshots *s)
{
    pthread_mutex_lock(&s->lock);
    s->doing = NOTHING;
    pthread_cond_broadcast(&s->idle);
    pthread_mutex_unlock(&s->lock);
}

static enum err no_such(struct http_call *hc)
{
    return problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no snapshot of this name.");
}

/* -- the first state ---------------------------------------------------------------------------------------------------- */

static void on_copied_now(void *owner, struct inbox_item *item)
{
    *(bool *)owner = true;
    (void)item;
}

static enum err copy_now(struct app *app, const char *path, struct db_unit *also, struct db_image **image)
{
    static const struct inbox_kind kind = { "first.copied", on_copied_now, NULL };
    bool done = false;
    scoped(inbox) struct inbox *in = inbox_new("first", 4, &done);
    struct db_copy copy = { .item.kind = &kind, .to = in, .path = path, .also = also };
    if (!in) {
        db_unit_free(also);
        return ERR_NOMEM;
    }
    db_post_copy(app->control.db, &copy);
    while (!done) {
        inbox_wait(in, -1);
        inbox_drain(in);
    }
    *image = copy.image;
    return copy.err;
}

enum err snapshots_keep_first(struct app *app)
{
    char path[DATADIR_PATH_SIZE];
    struct shelf *shelf = app->snapshots->shelf;
    scoped(db_image) struct db_image *image = NULL;
    bool disk = shelf_on_disk(shelf);
    shelf_path(shelf, FIRST, path);
    if (shelf_has(shelf, FIRST))
        return ERR_NONE;
    enum err err = shelf_prepare(shelf);
    if (!err)
        err = copy_now(app, disk ? path : NULL, snapshot_parts(app, 0, (struct str){ "", 0 }, false), &image);
    if (!err && !disk && !(err = shelf_put(shelf, FIRST, image)))
        image = NULL;
    return err;
}

/* -- taking one: asked here, done on control, which knows what is under way, and ended here ---------------------------------- */

struct taking {
    struct db_copy    copy;
    struct inbox_item item;             /* on its way from one thread to the next: one at a time */
    struct snapshots *s;
    struct http_call *hc;
    char              name[SNAPSHOT_NAME_MAX + 1], path[DATADIR_PATH_SIZE];
    struct loop_timer timer;
    unsigned          tries;
    size_t            under_way;
    int64_t           product_us;
    struct mono       began;
    enum err          err;
    struct buf        networks;
};

/* Stopping waits for it: none of these is ever dropped. */
static void pass_on(struct taking *t, struct inbox *to, const struct inbox_kind *kind)
{
    t->item.kind = kind;
    inbox_post_always(to, &t->item);
}

static void say_taken(struct taking *t)
{
    struct http_call *hc = t->hc;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    shelf_write(t->s->shelf, t->name, &w);
    jw_time(&w, "productTime", t->product_us);
    jw_int(&w, "underWay", (int64_t)t->under_way);
    jw_int(&w, "tookMs", (clock_mono().us - t->began.us) / US_PER_MS);
    jw_end(&w);
    http_reply(hc, 201);
}

static void on_over(void *owner, struct inbox_item *item)
{
    struct snapshots *s = owner;
    struct taking *t = container_of(item, struct taking, item);
    nothing_more(s);                    /* before it is told: who hears it may ask for the next */
    if (t->err) {
        problem_set(&t->hc->why, t->err, "ServiceUnavailable", "The snapshot could not be taken: %s.", err_words(t->err));
        http_fail(t->hc, t->err);
    } else {
        say_taken(t);
    }
    buf_done(&t->networks);
    free(t);
}
static const struct inbox_kind over_kind = { "snapshots.over", on_over, NULL };

/* On control. */
static void go_on(struct taking *t)
{
    messages_pause(t->s->app->messages, false);
    loop_timer_done(&t->timer);
    pass_on(t, loop_inbox(t->s->loop), &over_kind);
}

static void on_go_on(void *owner, struct inbox_item *item)
{
    (void)owner;
    go_on(container_of(item, struct taking, item));
}
static const struct inbox_kind go_on_kind = { "snapshots.go_on", on_go_on, NULL };

static void on_copied(void *owner, struct inbox_item *item)
{
    struct snapshots *s = owner;
    struct taking *t = container_of(item, struct taking, copy.item);
    t->err = t->copy.err;
    if (!t->err && !t->copy.path) {
        t->err = shelf_put(s->shelf, t->name, t->copy.image);
        if (t->err)
            db_image_free(t->copy.image);
    }
    pass_on(t, control_inbox(&s->app->control), &go_on_kind);
}
static const struct inbox_kind copied_kind = { "snapshots.copied", on_copied, NULL };

/* On control. */
static void copy(struct taking *t)
{
    struct app *app = t->s->app;
    t->product_us = control_now_us(&app->control);
    t->under_way = messages_under_way(app->messages);
    t->copy = (struct db_copy){ .item.kind = &copied_kind, .to = loop_inbox(t->s->loop),
                                .path = shelf_on_disk(t->s->shelf) ? t->path : NULL,
                                .also = snapshot_parts(app, t->product_us, buf_str(&t->networks), true) };
    db_post_copy(app->control.db, &t->copy);
}

static void on_networks(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct taking *t = container_of(item, struct taking, item);
    if (t->err)
        go_on(t);
    else
        copy(t);
}
static const struct inbox_kind networks_kind = { "snapshots.networks", on_networks, NULL };

/* On the networks' thread. */
static void on_saved(void *arg, enum err err, struct str answer, const struct problem *why)
{
    (void)why;
    struct taking *t = arg;
    buf_puts(&t->networks, answer);
    t->err = err ? err : buf_err(&t->networks);
    pass_on(t, control_inbox(&t->s->app->control), &networks_kind);
}

/* On control. Carriers have answered for what they have, or do not in time: then it is counted, and goes again after a restore. */
static void on_quiet(void *arg)
{
    struct taking *t = arg;
    struct app *app = t->s->app;
    if (messages_under_way(app->messages) && t->tries++ < QUIET_TRIES) {
        loop_timer_start(&t->timer, QUIET_STEP_US);
        return;
    }
    enum err err = ERR_NONE;        /* a copy of our own: from here on `t` may be another thread's */
    if (app->sim)
        err = sim_command(app->sim, STR("sim.save"), STR("{}"), on_saved, t);
    else
        copy(t);
    if (err) {
        t->err = err;
        go_on(t);
    }
}

static void on_pause(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct taking *t = container_of(item, struct taking, item);
    struct app *app = t->s->app;
    messages_pause(app->messages, true);
    t->err = loop_timer_init(app->control.loop, &t->timer, on_quiet, t);
    if (t->err)
        go_on(t);
    else
        on_quiet(t);
}
static const struct inbox_kind pause_kind = { "snapshots.pause", on_pause, NULL };

/* By the time; a second one of the same second has a number behind it. */
static void name_by_time(const struct snapshots *s, char name[SNAPSHOT_NAME_MAX + 1])
{
    char when[ISO8601_SIZE];
    time_iso8601(when, clock_wall_us());
    int n = snprintf(name, SNAPSHOT_NAME_MAX + 1, "%.10s-%.2s%.2s%.2s", when, when + 11, when + 14, when + 17);
    for (int again = 2; again < 100 && shelf_has(s->shelf, name); again++)
        snprintf(name + n, (size_t)(SNAPSHOT_NAME_MAX + 1 - n), "-%d", again);
}

static enum err replace(struct snapshots *s, const char *name, struct http_call *hc)
{
    char made[SNAPSHOT_NAME_MAX + 1];
    int max;
    enum err err = shelf_prepare(s->shelf);     /* somebody may have deleted the folder */
    if (err)
        return err;
    if (!name[0]) {
        name_by_time(s, made);
        name = made;
    }
    if (!shelf_has_room(s->shelf, name, &max))
        return problem_set(&hc->why, ERR_RANGE, "BadRequest", "There are %d snapshots: delete one of them first.", max);
    struct taking *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *t = (struct taking){ .s = s, .hc = hc, .began = clock_mono() };
    str_copyz(t->name, sizeof t->name, str_of(name));
    shelf_path(s->shelf, t->name, t->path);
    pass_on(t, control_inbox(&s->app->control), &pause_kind);
    return ERR_NONE;
}

static enum err take(struct snapshots *s, const char *name, struct http_call *hc)
{
    if (name[0] && shelf_has(s->shelf, name))
        return rule_problem(&hc->why, ERR_CONFLICT, RULE_SNAPSHOT_EXISTS, name);
    return replace(s, name, hc);
}

/* -- restoring ------------------------------------------------------------------------------------------------------------ */

static void say_restored(struct snapshots *s, struct mono began, struct http_call *hc)
{
    int64_t took_ms = (clock_mono().us - began.us) / US_PER_MS;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_time(&w, "productTime", control_now_us(&s->app->control));
    jw_int(&w, "tookMs", took_ms);
    jw_end(&w);
    log_info("snapshots", "restored in %lld ms", (long long)took_ms);
    http_reply(hc, 200);
}

/* With nobody inside but the asker, who is answered. */
static void exchange(struct snapshots *s, struct db_image *image, struct mono began, struct http_call *hc)
{
    struct app *app = s->app;
    struct problem why = { 0 };
    enum err err = app_exchange(app, image, &why);
    if (!err)
        say_restored(s, began, hc);
    nothing_more(s);
    if (!err) {
        http_server_let_go(app->http);
        return;
    }
    log_error("snapshots", "the restore came to nothing, the server ends: %s", why.text[0] ? why.text : err_words(err));
    http_reply(hc, 500);
    kill(getpid(), SIGTERM);            /* nothing is served any more; the next start takes it in or says why not */
}

static enum err restore(struct snapshots *s, const char *name, struct http_call *hc)
{
    char path[DATADIR_PATH_SIZE];
    struct mono began = clock_mono();
    scoped(db_image) struct db_image *file = NULL;
    struct db_image *image = shelf_image(s->shelf, name);
    enum err err = ERR_NONE;
    shelf_path(s->shelf, name, path);
    if (shelf_on_disk(s->shelf)) {
        err = db_image_open(&file, path, &hc->why);
        image = file;
    }
    if (err == ERR_ABSENT || (!err && !image))
        return no_such(hc);
    if (!err)
        err = snapshot_parts_prove(image, &hc->why);
    if (err)
        return err;
    events_let_go(s->app->events);      /* who waits for events is answered with what there is */
    err = http_server_hold(s->app->http, HOLD_US);
    if (!err) {
        exchange(s, image, began, hc);
        return ERR_NONE;
    }
    events_take_on(s->app->events);
    http_server_let_go(s->app->http);
    return rule_problem(&hc->why, ERR_CONFLICT, RULE_RESTORE_HELD_UP);
}

/* -- asking --------------------------------------------------------------------------------------------------------------- */

static enum err list(struct snapshots *s, const char *name, struct http_call *hc)
{
    (void)name;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    shelf_list(s->shelf, &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err delete(struct snapshots *s, const char *name, struct http_call *hc)
{
    if (shelf_drop(s->shelf, name))
        return no_such(hc);
    http_reply(hc, 204);
    return ERR_NONE;
}

static enum err reset(struct snapshots *s, const char *name, struct http_call *hc)
{
    (void)name;
    return restore(s, FIRST, hc);
}

static const struct verb {
    const char *word;
    bool        named;
    int         does;                   /* what nothing else of this kind may go beside */
    /* On the snapshots' thread. hc is answered, at once or later, but with an error and hc->why */
    enum err  (*run)(struct snapshots *s, const char *name, struct http_call *hc);
} verbs[] = {
    { "list",    false, NOTHING,   list },
    { "take",    false, TAKING,    take },
    { "replace", false, TAKING,    replace },
    { "delete",  true,  NOTHING,   delete },
    { "restore", true,  RESTORING, restore },
    { "reset",   false, RESTORING, reset },
};

struct asked {
    struct inbox_item   item;
    const struct verb  *verb;
    struct http_call   *hc;
    char                name[SNAPSHOT_NAME_MAX + 1];
};

static void on_asked(void *owner, struct inbox_item *item)
{
    struct snapshots *s = owner;
    struct asked *a = container_of(item, struct asked, item);
    enum err err = a->verb->run(s, a->name, a->hc);
    if (err && a->verb->does)
        nothing_more(s);
    if (err)
        http_fail(a->hc, err);
    free(a);
}
static const struct inbox_kind asked_kind = { "snapshots.asked", on_asked, NULL };

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && (c == '-' || c == '_' || c == '.'))))
            return false;
    }
    return name.n && name.n <= SNAPSHOT_NAME_MAX;
}

/* While one is restored nobody may be let in behind it: the restore waits until nobody else is inside. */
static bool has_time(const struct snapshots *s, const struct verb *v)
{
    return !s->stopping && s->doing != RESTORING && (!v->does || s->doing == NOTHING);
}

static enum err ask(struct snapshots *s, const struct verb *v, struct str name, struct http_call *hc)
{
    struct asked *a = calloc(1, sizeof *a);
    enum err err = ERR_BUSY;
    if (!a)
        return ERR_NOMEM;
    *a = (struct asked){ .item.kind = &asked_kind, .verb = v, .hc = hc };
    str_copyz(a->name, sizeof a->name, name);
    pthread_mutex_lock(&s->lock);
    if (has_time(s, v))
        err = inbox_post(loop_inbox(s->loop), &a->item);
    if (!err && v->does)
        s->doing = v->does;
    pthread_mutex_unlock(&s->lock);
    if (!err)
        return ERR_NONE;
    free(a);
    return problem_set(&hc->why, err, "TooManyRequests", "A snapshot is being taken or restored already.");
}

enum err snapshots_do(void *snapshots, const char *word, struct str name, struct http_call *hc)
{
    const struct verb *v = verbs;
    while (strcmp(v->word, word))
        v++;
    if (v->named && !name_ok(name))
        return no_such(hc);
    if (name.n && !name_ok(name))
        return rule_problem(&hc->why, ERR_RANGE, RULE_SNAPSHOT_NAME);
    return ask(snapshots, v, name, hc);
}

/* -- life ------------------------------------------------------------------------------------------------------------------ */

enum err snapshots_new(struct snapshots **out, struct app *app)
{
    struct snapshots *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->app = app;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->idle, NULL);
    enum err err = shelf_new(&s->shelf, app->dir);
    if (!err)
        err = loop_new(&s->loop, "snapshots", ASKED_MAX, s);
    if (!err)
        err = loop_start(s->loop);
    if (err) {
        loop_free(s->loop);
        s->loop = NULL;
        snapshots_free(s);
        return err;
    }
    *out = s;
    return ERR_NONE;
}

void snapshots_stop(struct snapshots *s)
{
    if (!s || !s->loop)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    while (s->doing)
        pthread_cond_wait(&s->idle, &s->lock);
    pthread_mutex_unlock(&s->lock);
    loop_stop(s->loop);
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    snapshots_stop(s);
    loop_free(s->loop);
    shelf_free(s->shelf);
    pthread_cond_destroy(&s->idle);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
