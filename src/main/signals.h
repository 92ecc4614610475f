/* signals.h - how the long-running commands end: every thread blocks the signals, the first one waits for them.
 *
 * Thread: the process's first, before any other is made. */
#pragma once
#include <signal.h>

/** SIGTERM, SIGINT and SIGHUP are blocked from here on, in every thread made later; SIGPIPE is ignored. */
void signals_block(sigset_t *set);
/** Until SIGTERM or SIGINT. Each SIGHUP calls reload(arg). */
void signals_wait(const sigset_t *set, void (*reload)(void *arg), void *arg);
