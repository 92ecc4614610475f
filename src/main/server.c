/* server.c - `carterfone serve`: from settings to a server that accepts, until a signal ends it. */
#include "main/server.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/numbers/overlay.h"
#include "main/app.h"
#include "main/datadir.h"
#include "main/settings.h"
#include "main/signals.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_IN_USE = 2 };

/* DATA/ready.json always (how the CLI finds the server), and the file somebody asked for. */
static enum err ready_write(const struct app *app, const struct settings *s, const struct datadir *dir, struct problem *why)
{
    scoped_buf text = { 0 };
    char path[DATADIR_PATH_SIZE];
    enum err err = ERR_NONE;
    app_write_ready(app, &text);
    if (text.bad)
        return ERR_NOMEM;
    if (dir->path[0]) {
        datadir_path(dir, "ready.json", path);
        err = file_write_whole(path, buf_str(&text), 0600, why);
    }
    if (!err && s->ready_file[0])
        err = file_write_whole(s->ready_file, buf_str(&text), 0600, why);
    return err;
}

static void ready_remove(const struct settings *s, const struct datadir *dir)
{
    char path[DATADIR_PATH_SIZE];
    if (dir->path[0]) {
        datadir_path(dir, "ready.json", path);
        unlink(path);
    }
    if (s->ready_file[0])
        unlink(s->ready_file);
}

static int say(enum err err, const struct problem *why)
{
    fprintf(stderr, "carterfone: %s\n", why->text[0] ? why->text : err_words(err));
    return err == ERR_CONFLICT ? EXIT_IN_USE : EXIT_FAILED;
}

static void reload(void *arg)
{
    app_reload(arg);
}

static enum err run(const struct settings *s, const struct datadir *dir, const sigset_t *signals, struct problem *why)
{
    scoped(app) struct app *app = NULL;
    enum err err = app_new(&app, s, dir, why);
    if (!err)
        err = app_start(app, why);
    if (!err)
        err = ready_write(app, s, dir, why);
    if (err)
        return err;
    if (!s->quiet)
        app_greet(app);
    signals_wait(signals, reload, app);
    ready_remove(s, dir);
    app_stop(app);
    return app_ended(app, why);
}

/* The operator's changes to the catalogue: before anything reads it. A folder that is at fault is a fault of usage. */
static enum err use_catalogue(const struct settings *s, struct overlay **out, struct problem *why)
{
    size_t n;
    enum err err = s->catalogue[0] ? overlay_load(out, s->catalogue, settings_edition_word(s), why) : ERR_NONE;
    if (err || !*out)
        return err;
    overlay_use(*out);
    overlay_changes(*out, &n);
    log_info("server", "the catalogue %s has %zu changes from %s", settings_edition_word(s), n, s->catalogue);
    return ERR_NONE;
}

/* A connection is an open file, and shells give few: as many as this process may have. */
static void allow_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int serve_main(const struct settings *s)
{
    scoped(overlay) struct overlay *overlay = NULL;     /* outlives everything that reads the catalogue */
    sigset_t signals;
    struct datadir dir;
    struct problem why = { 0 };
    log_setup(s->quiet ? LOG_WARN : LOG_INFO, s->log_format);
    signals_block(&signals);
    allow_files();
    enum err err = use_catalogue(s, &overlay, &why);
    if (err) {
        say(err, &why);
        return EXIT_USAGE;
    }
    err = datadir_open(&dir, s->data, s->in_memory, &why);
    if (!err)
        err = run(s, &dir, &signals, &why);
    datadir_close(&dir);
    if (err)
        return say(err, &why);
    log_info("server", "ended");
    return EXIT_GOOD;
}
