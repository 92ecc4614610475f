/* ctl.h - the command line: every command but `serve` and `sim`.
 *
 * A client of the HTTP API like any other; the first thread, blocking, one command and out.
 * Exit codes: 0 done, 1 refused (the server said why), 2 usage, 3 no server to talk to. */
#pragma once

/** @param argv  without the program's name */
int ctl_main(int argc, char **argv);
