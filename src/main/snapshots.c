#include "main/snapshots.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/log.h"
#include "domain/events/events.h"
#include "domain/messages/messages.h"
#include "domain/rules.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "main/app_priv.h"
#include "sim/sim.h"
#include "store/db.h"
#include "store/meta.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_ = 64, SNAPSHOTS_MAX = 100, QUIET_TRIES = 150, FACT_SIZE = 700 };
static const char SUFFIX[] = ".snapshot", FIRST[] = ".first";
static const int64_t QUIET_STEP_US = 2 * US_PER_MS, HOLD_US = 5 * (int64_t)US_PER_S;

/* One that is kept in memory. */
struct kept {
    struct kept     *next;
    char             name[NAME_MAX_ + 1];
    int64_t          taken_us;          /* wall */
    struct db_image *image;
};

struct snapshots {
    struct app *app;
    struct kept *kept;                  /* in memory; the newest first */
    pthread_t   thread;
    bool        threaded;               /* there is a thread to join */
    bool        taking;
    _Atomic bool restoring, stopping;
};

static bool on_disk(const struct snapshots *s)
{
    return s->app->dir->path[0] != '\0';
}

static void path_of(const struct app *app, const char *name, char path[DATADIR_PATH_SIZE])
{
    char file[NAME_MAX_ + 32];
    snprintf(file, sizeof file, "snapshots/%s%s", name, SUFFIX);
    datadir_path(app->dir, file, path);
}

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && (c == '-' || c == '_' || c == '.'))))
            return false;
    }
    return name.n && name.n <= NAME_MAX_;
}

static struct kept **kept_find(struct snapshots *s, const char *name)
{
    struct kept **k = &s->kept;
    while (*k && strcmp((*k)->name, name))
        k = &(*k)->next;
    return k;
}

static void kept_drop(struct kept **at)
{
    struct kept *k = *at;
    *at = k->next;
    db_image_free(k->image);
    free(k);
}

static enum err kept_put(struct snapshots *s, const char *name, struct db_image *image)
{
    struct kept *k = calloc(1, sizeof *k), **old = kept_find(s, name);
    if (!k)
        return ERR_NOMEM;
    if (*old)
        kept_drop(old);
    *k = (struct kept){ .next = s->kept, .taken_us = clock_wall_us(), .image = image };
    str_copyz(k->name, sizeof k->name, str_of(name));
    s->kept = k;
    return ERR_NONE;
}

/* -- what a copy carries beside its rows ------------------------------------------------------------------------------ */

static void put_part(struct db_unit *u, const char *name, struct str value)
{
    db_do(u, DB_SNAPSHOT_PART_PUT, 1, DB_Z(name), DB_B(value));
}

/* One fault a line, its text last. */
static void write_faults(struct buf *out)
{
    struct fault_info *f = calloc(FAULT_MAX, sizeof *f);
    size_t n = f ? fault_list(f, FAULT_MAX) : 0;
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%u %d %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRIu64 " %s\n", f[i].id, f[i].armed, f[i].seen, f[i].hits,
                   f[i].left_us, f[i].chance, f[i].text);
    free(f);
}

static void read_faults(struct str text)
{
    struct fault_info *f = calloc(FAULT_MAX, sizeof *f);
    struct str line;
    size_t n = 0;
    while (f && text.n && n < FAULT_MAX) {
        char z[FACT_SIZE];
        int armed = 0, at = 0;
        struct fault_info *one = &f[n];
        str_cut(text, '\n', &line, &text);
        str_copyz(z, sizeof z, line);
        if (sscanf(z, "%u %d %" SCNu64 " %" SCNu64 " %" SCNd64 " %" SCNu64 " %n", &one->id, &armed, &one->seen, &one->hits, &one->left_us,
                   &one->chance, &at) < 6 || !at)
            continue;
        one->armed = armed;
        str_copyz(one->text, sizeof one->text, str_of(z + at));
        n++;
    }
    if (!f || fault_put_back(f, n))
        log_error("snapshots", "the faults of the snapshot cannot be read: none is armed");
    free(f);
}

/* @param product_us  0: the clock of a first start, which is not ahead */
static struct db_unit *parts_unit(const struct app *app, int64_t product_us, struct str networks, bool faults)
{
    char us[24], key[2 * ID_KEY_OCTETS + 1];
    scoped_buf lines = { 0 };
    struct db_unit *u = db_unit_new();
    snprintf(us, sizeof us, "%lld", (long long)product_us);
    hex_write(key, app->dir->id_key, ID_KEY_OCTETS);
    if (faults)
        write_faults(&lines);
    put_part(u, "product_us", str_of(us));
    put_part(u, "faults", buf_str(&lines));
    put_part(u, "networks", networks);
    db_do(u, DB_META_PUT, 1, DB_Z("id_key"), DB_Z(key));
    return u;
}

/* *out: the rows, whose first has it; NULL: absent. */
static enum err load_part(const struct app *app, const char *name, struct db_rows **out)
{
    struct db_rows *rows = NULL;
    enum err err = db_load(app->control.db, DB_SNAPSHOT_PART_GET, (const struct db_val[]){ DB_Z(name) }, 1, &rows);
    if (!err && !db_rows_next(rows)) {
        db_rows_free(rows);
        rows = NULL;
    }
    *out = rows;
    return err;
}

/* -- taking one in ------------------------------------------------------------------------------------------------------ */

/* Public ids are those of the key that made them, wherever the rows came from. */
static enum err adopt_ids(struct app *app)
{
    scoped(db_rows) struct db_rows *r = NULL;
    uint8_t key[ID_KEY_OCTETS];
    size_t n = 0;
    memcpy(key, app->dir->id_key, sizeof key);
    enum err err = db_load(app->control.db, DB_META_GET, (const struct db_val[]){ DB_Z("id_key") }, 1, &r);
    if (!err && db_rows_next(r) && (hex_read(key, sizeof key, db_text(r, 0), &n) || n != sizeof key))
        err = ERR_STORE;
    if (!err && !app->control.ids) {
        app->control.ids = ids_new(key, 0);
        return app->control.ids ? ERR_NONE : ERR_NOMEM;
    }
    return err;
}

static enum err adopt_clock(struct app *app)
{
    scoped(db_rows) struct db_rows *r = NULL;
    int64_t offset_us = 0;
    enum err err = meta_load_int(app->control.db, STR("clock_offset_us"), &offset_us);
    if (!err)
        err = load_part(app, "product_us", &r);
    int64_t product_us = !err && r ? strtoll(db_text(r, 0).p, NULL, 10) : 0;
    if (r)
        offset_us = product_us ? product_us - clock_wall_us() : 0;
    if (!err && r) {
        struct db_unit *u = db_unit_new();
        meta_row_put_int(u, STR("clock_offset_us"), offset_us);
        err = db_run(app->control.db, u);
    }
    if (err)
        return err;
    if (app->settings->clock != SETTINGS_CLOCK_VIRTUAL)
        offset_us = 0;
    if (!app->control.clock)
        app->control.clock = clock_new(offset_us);
    else
        clock_set_offset_us(app->control.clock, offset_us);
    return app->control.clock ? ERR_NONE : ERR_NOMEM;
}

enum err snapshots_adopt(struct app *app)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = adopt_ids(app);
    if (!err)
        err = adopt_clock(app);
    if (!err)
        err = load_part(app, "faults", &r);
    if (!err && r && app->settings->faults != SETTINGS_FAULTS_OFF)
        read_faults(db_text(r, 0));
    return err;
}

/* A command to the networks, waited for: they have a thread of their own. */
struct told {
    pthread_mutex_t lock;
    pthread_cond_t  cond;
    bool            done;
    enum err        err;
};

static void on_told(void *arg, enum err err, struct str answer, const struct problem *why)
{
    (void)answer;
    struct told *t = arg;
    if (err)
        log_error("snapshots", "the simulated networks: %s", why->text);
    pthread_mutex_lock(&t->lock);
    t->done = true;
    t->err = err;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->lock);
}

static enum err tell_networks(struct app *app, struct str state)
{
    struct told t = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
    if (!app->sim)
        return ERR_NONE;
    enum err err = sim_command(app->sim, state.n ? STR("sim.load") : STR("sim.clear"), state.n ? state : STR("{}"), on_told, &t);
    if (err)
        return err;
    pthread_mutex_lock(&t.lock);
    while (!t.done)
        pthread_cond_wait(&t.cond, &t.lock);
    pthread_mutex_unlock(&t.lock);
    return t.err;
}

enum err snapshots_adopt_networks(struct app *app)
{
    scoped(db_rows) struct db_rows *r = NULL;
    enum err err = load_part(app, "networks", &r);
    if (err || !r)
        return err;
    (void)!tell_networks(app, db_text(r, 0));       /* said; they are a simulation, the rows are what counts */
    struct db_unit *u = db_unit_new();
    db_do(u, DB_SNAPSHOT_PART_CLEAR, DB_ANY_ROWS);
    return db_run(app->control.db, u);
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
    char path[DATADIR_PATH_SIZE], dir[DATADIR_PATH_SIZE];
    struct db_image *image = NULL;
    bool disk = on_disk(app->snapshots);
    path_of(app, FIRST, path);
    if (disk && access(path, F_OK) == 0)
        return ERR_NONE;
    datadir_path(app->dir, "snapshots", dir);
    if (disk && mkdir(dir, 0700) && errno != EEXIST)
        return ERR_IO;
    enum err err = copy_now(app, disk ? path : NULL, parts_unit(app, 0, (struct str){ "", 0 }, false), &image);
    return err || disk ? err : kept_put(app->snapshots, FIRST, image);
}

/* -- taking one --------------------------------------------------------------------------------------------------------- */

struct taking {
    struct db_copy    copy;
    struct inbox_item networks_item;
    struct snapshots *s;
    struct http_call *hc;
    char              name[NAME_MAX_ + 1], path[DATADIR_PATH_SIZE];
    struct loop_timer timer;
    unsigned          tries;
    size_t            under_way;
    int64_t           product_us;
    struct mono       began;
    enum err          err;
    struct buf        networks;
};

static void write_one(struct jw *w, const char *name, int64_t taken_us, int64_t octets)
{
    jw_object(w, NULL);
    jw_textz(w, "name", name);
    jw_time(w, "takenAt", taken_us);
    if (octets >= 0)
        jw_int(w, "octets", octets);
    else
        jw_null(w, "octets");
}

static void taken(struct taking *t, enum err err)
{
    struct http_call *hc = t->hc;
    struct app *app = t->s->app;
    struct stat st = { 0 };
    messages_pause(app->messages, false);
    t->s->taking = false;
    loop_timer_done(&t->timer);
    if (err) {
        problem_set(&hc->why, err, "ServiceUnavailable", "The snapshot could not be taken: %s.", err_words(err));
        http_fail(hc, err);
    } else {
        struct jw w = jw_of(&hc->out);
        write_one(&w, t->name, clock_wall_us(), t->copy.path && stat(t->path, &st) == 0 ? (int64_t)st.st_size : -1);
        jw_time(&w, "productTime", t->product_us);
        jw_int(&w, "underWay", (int64_t)t->under_way);
        jw_int(&w, "tookMs", (clock_mono().us - t->began.us) / US_PER_MS);
        jw_end(&w);
        http_reply(hc, 201);
    }
    buf_done(&t->networks);
    free(t);
}

static void on_copied(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct taking *t = container_of(item, struct taking, copy.item);
    enum err err = t->copy.err;
    if (!err && !t->copy.path) {
        err = kept_put(t->s, t->name, t->copy.image);
        if (err)
            db_image_free(t->copy.image);
    }
    taken(t, err);
}
static const struct inbox_kind copied_kind = { "snapshot.copied", on_copied, NULL };

static void copy(struct taking *t)
{
    struct app *app = t->s->app;
    t->product_us = control_now_us(&app->control);
    t->under_way = messages_under_way(app->messages);
    t->copy = (struct db_copy){ .item.kind = &copied_kind, .to = control_inbox(&app->control), .path = on_disk(t->s) ? t->path : NULL,
                                .also = parts_unit(app, t->product_us, buf_str(&t->networks), true) };
    db_post_copy(app->control.db, &t->copy);
}

static void on_networks(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct taking *t = container_of(item, struct taking, networks_item);
    if (t->err)
        taken(t, t->err);
    else
        copy(t);
}
static const struct inbox_kind networks_kind = { "snapshot.networks", on_networks, NULL };

/* On the networks' thread. */
static void on_saved(void *arg, enum err err, struct str answer, const struct problem *why)
{
    (void)why;
    struct taking *t = arg;
    buf_puts(&t->networks, answer);
    t->err = err ? err : buf_err(&t->networks);
    t->networks_item.kind = &networks_kind;
    inbox_post_always(control_inbox(&t->s->app->control), &t->networks_item);
}

/* Carriers have answered for what they have, or do not in time: then it is counted, and goes again after a restore. */
static void on_quiet(void *arg)
{
    struct taking *t = arg;
    struct app *app = t->s->app;
    if (messages_under_way(app->messages) && t->tries++ < QUIET_TRIES) {
        loop_timer_start(&t->timer, QUIET_STEP_US);
        return;
    }
    enum err err = ERR_NONE;
    if (app->sim)
        err = sim_command(app->sim, STR("sim.save"), STR("{}"), on_saved, t);
    else
        copy(t);
    if (err)
        taken(t, err);
}

static bool is_busy(const struct snapshots *s)
{
    return s->taking || s->restoring || s->stopping;
}

static enum err busy(struct http_call *hc)
{
    return problem_set(&hc->why, ERR_BUSY, "TooManyRequests", "A snapshot is being taken or restored already.");
}

/* One more in memory, where each is a whole database; or another of a name that is there. */
static bool has_room(struct snapshots *s, struct str name)
{
    char z[NAME_MAX_ + 1];
    size_t n = 0;
    str_copyz(z, sizeof z, name);
    for (const struct kept *k = s->kept; k; k = k->next)
        n += k->name[0] != '.';
    return n < SNAPSHOTS_MAX || *kept_find(s, z);
}

static enum err take(struct snapshots *s, struct str name, struct http_call *hc)
{
    char when[ISO8601_SIZE], made[NAME_MAX_ + 1];
    if (!name.n) {
        time_iso8601(when, clock_wall_us());
        snprintf(made, sizeof made, "%.10s-%.2s%.2s%.2s", when, when + 11, when + 14, when + 17);
        name = str_of(made);
    }
    if (!name_ok(name))
        return rule_problem(&hc->why, ERR_RANGE, RULE_SNAPSHOT_NAME);
    if (is_busy(s))
        return busy(hc);
    if (!has_room(s, name))
        return problem_set(&hc->why, ERR_RANGE, "BadRequest", "There are %d snapshots: delete one of them first.", SNAPSHOTS_MAX);
    struct taking *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    *t = (struct taking){ .s = s, .hc = hc, .began = clock_mono() };
    str_copyz(t->name, sizeof t->name, name);
    path_of(s->app, t->name, t->path);
    enum err err = loop_timer_init(s->app->control.loop, &t->timer, on_quiet, t);
    if (err) {
        free(t);
        return err;
    }
    s->taking = true;
    messages_pause(s->app->messages, true);
    on_quiet(t);
    return ERR_NONE;
}

/* -- looking ------------------------------------------------------------------------------------------------------------- */

static void list_folder(const struct snapshots *s, struct jw *w)
{
    char path[DATADIR_PATH_SIZE], name[NAME_MAX_ + 1];
    struct stat st;
    datadir_path(s->app->dir, "snapshots", path);
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct str file = str_of(e->d_name);
        if (file.n <= sizeof SUFFIX - 1 || !str_ends(file, str_of(SUFFIX)) || file.n - (sizeof SUFFIX - 1) > NAME_MAX_ || file.p[0] == '.')
            continue;
        str_copyz(name, sizeof name, (struct str){ file.p, file.n - (sizeof SUFFIX - 1) });
        path_of(s->app, name, path);
        if (stat(path, &st))
            continue;
        write_one(w, name, (int64_t)st.st_mtime * US_PER_S, (int64_t)st.st_size);
        jw_end(w);
    }
    if (dir)
        closedir(dir);
}

static enum err list(struct snapshots *s, struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    if (on_disk(s))
        list_folder(s, &w);
    for (const struct kept *k = s->kept; k; k = k->next)
        if (k->name[0] != '.') {
            write_one(&w, k->name, k->taken_us, -1);
            jw_end(&w);
        }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err no_such(struct http_call *hc)
{
    return problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no snapshot of this name.");
}

static enum err delete(struct snapshots *s, struct str name, struct http_call *hc)
{
    char z[NAME_MAX_ + 1], path[DATADIR_PATH_SIZE];
    if (!name_ok(name))
        return no_such(hc);
    if (s->restoring)                   /* from this one, perhaps */
        return busy(hc);
    str_copyz(z, sizeof z, name);
    path_of(s->app, z, path);
    struct kept **k = kept_find(s, z);
    if (on_disk(s) ? unlink(path) != 0 : !*k)
        return no_such(hc);
    if (!on_disk(s))
        kept_drop(k);
    http_reply(hc, 204);
    return ERR_NONE;
}

/* -- restoring ------------------------------------------------------------------------------------------------------------ */

struct restoring {
    struct snapshots *s;
    struct http_call *hc;
    struct db_image  *image;
    bool              owned;            /* the image, of a file; else it is kept */
    char              path[DATADIR_PATH_SIZE];
    struct mono       began;
};

static void say_restored(struct restoring *r)
{
    struct http_call *hc = r->hc;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_time(&w, "productTime", control_now_us(&r->s->app->control));
    jw_int(&w, "tookMs", (clock_mono().us - r->began.us) / US_PER_MS);
    jw_end(&w);
    log_info("snapshots", "restored in %lld ms", (long long)(clock_mono().us - r->began.us) / US_PER_MS);
    http_reply(hc, 200);
}

static void restore_done(struct restoring *r)
{
    r->s->restoring = false;
    if (r->owned)
        db_image_free(r->image);
    free(r);
}

/* A large one takes its time: not on control. False: it is told, and nothing has changed. */
static bool image_opened(struct restoring *r)
{
    enum err err = r->owned ? db_image_open(&r->image, r->path, &r->hc->why) : ERR_NONE;
    if (err == ERR_ABSENT)
        (void)no_such(r->hc);
    if (err)
        http_fail(r->hc, err);
    return !err;
}

static void *restore_main(void *arg)
{
    struct restoring *r = arg;
    struct app *app = r->s->app;
    struct problem why = { 0 };
    if (!image_opened(r)) {
        restore_done(r);
        return NULL;
    }
    events_let_go(app->events);         /* who waits for events is answered with what there is */
    enum err held = http_server_hold(app->http, HOLD_US), err = held ? held : app_exchange(app, r->image, &why);
    if (!err) {
        say_restored(r);
    } else if (held) {
        events_take_on(app->events);
        rule_problem(&r->hc->why, ERR_CONFLICT, RULE_RESTORE_HELD_UP);
        http_fail(r->hc, ERR_CONFLICT);
    } else {
        log_error("snapshots", "the restore came to nothing, the server ends: %s", why.text[0] ? why.text : err_words(err));
        http_reply(r->hc, 500);
    }
    restore_done(r);
    if (err && !held)
        kill(getpid(), SIGTERM);        /* nothing is served any more; the next start takes it in or says why not */
    else
        http_server_let_go(app->http);
    return NULL;
}

static void join(struct snapshots *s)
{
    if (s->threaded)
        pthread_join(s->thread, NULL);
    s->threaded = false;
}

static enum err restore(struct snapshots *s, const char *name, struct http_call *hc)
{
    struct restoring *r;
    if (is_busy(s))
        return busy(hc);
    join(s);
    r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    *r = (struct restoring){ .s = s, .hc = hc, .owned = on_disk(s), .began = clock_mono() };
    path_of(s->app, name, r->path);
    struct kept **k = kept_find(s, name);
    enum err err = r->owned || *k ? ERR_NONE : no_such(hc);
    if (!err && !r->owned)
        r->image = (*k)->image;
    if (!err) {
        s->restoring = s->threaded = true;
        if (pthread_create(&s->thread, NULL, restore_main, r)) {
            s->restoring = s->threaded = false;
            err = ERR_NOMEM;
        }
    }
    if (err)
        free(r);
    return err;
}

enum err snapshots_do(void *snapshots, const char *verb, struct str name, struct http_call *hc)
{
    struct snapshots *s = snapshots;
    char z[NAME_MAX_ + 1];
    if (!strcmp(verb, "take"))
        return take(s, name, hc);
    if (!strcmp(verb, "list"))
        return list(s, hc);
    if (!strcmp(verb, "delete"))
        return delete(s, name, hc);
    if (strcmp(verb, "reset") && !name_ok(name))
        return no_such(hc);
    str_copyz(z, sizeof z, strcmp(verb, "reset") ? name : str_of(FIRST));
    return restore(s, z, hc);
}

/* -- life ------------------------------------------------------------------------------------------------------------------ */

enum err snapshots_new(struct snapshots **out, struct app *app)
{
    struct snapshots *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->app = app;
    *out = s;
    return ERR_NONE;
}

void snapshots_stop(struct snapshots *s)
{
    if (!s)
        return;
    s->stopping = true;
    join(s);
}

void snapshots_free(struct snapshots *s)
{
    if (!s)
        return;
    join(s);
    while (s->kept)
        kept_drop(&s->kept);
    free(s);
}
