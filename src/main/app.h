/* app.h - the whole server: builds every object, connects ports, starts and ends the threads.
 *
 * Thread: the process's first. Order matters and is written down once, in app.c. */
#pragma once
#include "base/problem.h"
#include "main/datadir.h"
#include "main/settings.h"

struct app;

/** Build everything; nothing listens to the world before app_start().
 *  @return ERR_CONFLICT (a given port or the data directory is in use), others with `why` */
MUST_USE enum err app_new(struct app **out, const struct settings *s, const struct datadir *dir, struct problem *why);
MUST_USE enum err app_start(struct app *app, struct problem *why);
/** SIGHUP: certificates are read (or renewed) and used from the next connection on; a bad pair changes nothing. */
void app_reload(struct app *app);
/** Drain: what was accepted is answered and stored, calls end, binds unbind. */
void app_stop(struct app *app);
/** A restore failed half-way, and nothing is served any more. After app_stop(). */
bool app_is_broken(const struct app *app);
void app_free(struct app *app);
SCOPED_FREE(app)

/** The ready file's JSON (design: pid, api, connectionString, caFile, console, sip, smpp, simSip, simSmpp). */
struct buf;
void app_write_ready(const struct app *app, struct buf *out);
/** What a person is told at start. */
void app_greet(const struct app *app);
