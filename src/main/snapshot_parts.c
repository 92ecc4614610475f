/* snapshot_parts.c - what a copy carries beside its rows, and how it is taken in: the clock, the key of the ids, the faults, the
 * simulated networks. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "main/snapshots_priv.h"
#include "sim/sim.h"
#include "store/meta.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

enum { FACT_SIZE = 700 };

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

struct db_unit *snapshot_parts(const struct app *app, int64_t product_us, struct str networks, bool faults)
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

static enum err prove_ids(struct db_image *image)
{
    scoped(db_rows) struct db_rows *r = NULL;
    uint8_t key[ID_KEY_OCTETS];
    size_t n = 0;
    enum err err = db_image_load(image, DB_META_GET, (const struct db_val[]){ DB_Z("id_key") }, 1, &r);
    if (!err && db_rows_next(r) && (hex_read(key, sizeof key, db_text(r, 0), &n) || n != sizeof key))
        err = ERR_STORE;
    return err;
}

static enum err prove_clock(struct db_image *image)
{
    static const uint64_t YEAR_10000_US = 253402300800 * (uint64_t)US_PER_S;
    scoped(db_rows) struct db_rows *r = NULL;
    uint64_t us;
    enum err err = db_image_load(image, DB_SNAPSHOT_PART_GET, (const struct db_val[]){ DB_Z("product_us") }, 1, &r);
    if (!err && (!db_rows_next(r) || str_u64(db_text(r, 0), YEAR_10000_US - 1, &us)))
        err = ERR_STORE;
    return err;
}

enum err snapshot_parts_prove(struct db_image *image, struct problem *why)
{
    enum err err = prove_ids(image);
    if (!err)
        err = prove_clock(image);
    return err == ERR_STORE ? problem_set(why, err, "StoreFailed", "This is no snapshot, or a damaged one.") : err;
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

