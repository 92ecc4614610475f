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
/** Why nothing is served any more: after app_stop(). @return ERR_NONE (as told), ERR_STORE with `why` (a restore that failed half-way, a
 *  database that cannot be trusted with more) */
MUST_USE enum err app_ended(const struct app *app, struct problem *why);
void app_free(struct app *app);
SCOPED_FREE(app)

/** The ready file's JSON (design: pid, api, connectionString, caFile, console, sip, smpp, smpps, simSip, simSmpp). */
struct buf;
void app_write_ready(const struct app *app, struct buf *out);
/** What a person is told at start. */
void app_greet(const struct app *app);
