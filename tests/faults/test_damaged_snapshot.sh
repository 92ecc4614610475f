#!/bin/sh
# Snapshots that are cut, emptied, overwritten, from nowhere, without a table, with a clock or a key that cannot be: each is refused, and
# the server goes on with what it had. One whose rows cannot be loaded ends the server, with 1, and the next start says so.
exec "$NODE" --experimental-sqlite --disable-warning=ExperimentalWarning tests/faults/damaged_snapshot.mjs
