#!/bin/sh
# How long a snapshot and a restore take of a server with 10,000 messages:  make bench T=snapshot
set -eu
cd "$(dirname "$0")/.."
CARTERFONE=$PWD/build/carterfone
TMPDIR=$(mktemp -d)
export CARTERFONE TMPDIR
. tests/lib.sh
start_server --quiet
N=${N:-10000}
number=$(ctl numbers buy --type toll-free --for application --area-code 833 | sed -n 's/^bought //p')
sent=0
set --
while [ $# -lt 200 ]; do set -- "$@" --to "$(printf '+1206555%04d' $((1000 + $# / 2)))"; done
while [ $sent -lt "$N" ]; do
    ctl sms send --from "$number" "$@" 'ten thousand of these' >/dev/null
    sent=$((sent + 100))
done
for _ in 1 2 3; do
    ctl snapshot bench
    ctl restore bench
done
ls -l "$DATA/snapshots/bench.snapshot" | awk -v n="$sent" '{ print n " messages, " $5 " octets" }'
ctl reset
stop_server
rm -rf "$TMPDIR"
trap - EXIT
