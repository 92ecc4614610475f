# A server that is told to stop does not wait for those who wait for events.
set -eu
. tests/lib.sh
start_server
ctl events tail --wait 60 >"$TMPDIR/tail" 2>&1 & tail=$!
sleep 1
began=$(date +%s)
stop_server
took=$(($(date +%s) - began))
[ "$took" -lt 8 ] || { echo "it took $took s to stop"; exit 1; }
wait $tail || true
