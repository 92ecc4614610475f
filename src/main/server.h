/* server.h - the two long-running commands: `carterfone serve` and `carterfone sim`.
 *
 * Thread: the process's first, which then waits for signals. main.c reads the settings and calls one of these. */
#pragma once

struct settings;

/** Run the platform until SIGTERM or SIGINT. @return the exit code: 0, 1 (could not start), 2 (a given port is in use) */
int serve_main(const struct settings *s);

/** Run the simulated networks alone, as a peer in another process. @return the exit code, as above */
int sim_main(const struct settings *s, int argc, char *const *argv, char *const *env);    /* to be read again on SIGHUP */
