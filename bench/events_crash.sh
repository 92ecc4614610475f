#!/bin/sh
# Fifty times kill -9 while events are delivered: what is lost, what comes twice (tests/faults/crash_events.mjs). ROUNDS, N and BATCHES in
# the environment change the size.
set -eu
cd "$(dirname "$0")/.."
NODE=${NODE:-$PWD/tests/node_modules/.bin/node}
[ -x "$NODE" ] || { echo "no Node: sh tools/setup.sh test installs it"; exit 1; }
CARTERFONE=${CARTERFONE:-$PWD/build/carterfone} ROUNDS=${ROUNDS:-50} N=${N:-600} exec "$NODE" tests/faults/crash_events.mjs
