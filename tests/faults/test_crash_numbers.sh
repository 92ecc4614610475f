#!/bin/sh
# kill -9 among concurrent searches, purchases, changes, releases and reservations of two resources on one area code: after a restart
# what was answered is there, what was not is whole or not at all, no number has two owners, every number is somewhere, operations are
# finished, and each lease is charged once. Then eleven weeks go by, with a kill in them: each month is charged once, and what was
# released is free again. ROUNDS=4 by default.
exec "$NODE" tests/faults/crash_numbers.mjs
