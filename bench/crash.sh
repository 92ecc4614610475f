#!/bin/sh
# Two hundred times kill -9 under load with a backlog, a slow SMSC and receipts that are still to come: what is lost, what comes twice
# (tests/faults/crash_pipeline.mjs). ROUNDS and N in the environment change the size.
set -eu
cd "$(dirname "$0")/.."
NODE=${NODE:-$PWD/tests/node_modules/.bin/node}
[ -x "$NODE" ] || { echo "no Node: sh tools/setup.sh test installs it"; exit 1; }
CARTERFONE=${CARTERFONE:-$PWD/build/carterfone} ROUNDS=${ROUNDS:-200} N=${N:-400} exec "$NODE" tests/faults/crash_pipeline.mjs
