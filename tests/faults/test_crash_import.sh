#!/bin/sh
# kill -9 in the middle of an import, between its last piece and its completion, while it completes, and while it is rolled back: each
# time it goes on where it was, at the end every row is there exactly once, and of what was rolled back nothing is left. By the API and
# by `carterfone numbers import`. ROUNDS=2 by default, ROWS=40000.
exec "$NODE" tests/faults/crash_import.mjs
