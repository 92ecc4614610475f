#!/bin/sh
# How long until a server on an existing data directory accepts, and how much memory it holds when idle.
# Prints each run; then the median and the memory after two idle seconds. Targets: 150 ms, 40 MiB.
set -eu
cd "$(dirname "$0")/.."
CARTERFONE=${CARTERFONE:-$PWD/build/carterfone}
RUNS=${RUNS:-9}
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/carterfone-bench.XXXXXX")
READY=$TMPDIR/ready.json
pid=
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$TMPDIR"' EXIT

start() {
    rm -f "$READY"
    began=$(date +%s%N)
    "$CARTERFONE" serve --data "$TMPDIR/data" --listen 127.0.0.1:0 --sip 127.0.0.1:0 --smpp 127.0.0.1:0 --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 \
        --rtp-ports 0 --ready-file "$READY" >"$TMPDIR/log" 2>&1 &
    pid=$!
    until [ -s "$READY" ]; do kill -0 "$pid" || { cat "$TMPDIR/log"; exit 1; }; sleep 0.01; done
    ended=$(stat -c %.9Y "$READY" | tr -d .)        # the file's own time: polling costs nothing
    echo $(((ended - began) / 1000))
}
stop() { kill "$pid"; wait "$pid"; pid=; }

# start() runs in this shell: a subshell's child could not be waited for
start >"$TMPDIR/us"; echo "first start, makes the data directory: $(cat "$TMPDIR/us") us"; stop
: >"$TMPDIR/all"
for run in $(seq "$RUNS"); do
    start >"$TMPDIR/us"; cat "$TMPDIR/us" >>"$TMPDIR/all"; echo "start $run: $(cat "$TMPDIR/us") us"
    [ "$run" = "$RUNS" ] || stop
done
sleep 2
rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
stop
median=$(sort -n "$TMPDIR/all" | sed -n "$(((RUNS + 1) / 2))p")
echo "ready after $((median / 1000)) ms (median of $RUNS), idle memory $((rss / 1024)) MiB ($rss KiB)"
[ "$median" -lt 150000 ] && [ "$rss" -lt 40960 ] || { echo "slower or larger than wanted"; exit 1; }
