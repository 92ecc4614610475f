# A server that is told to stop does not wait for those who wait for events; a snapshot that is being taken then comes to its end.
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

start_server
for name in a b c; do ctl snapshot $name >"$TMPDIR/snapshot-$name" 2>&1 & done
tries=1000                              # until the first is being written, or is there
until [ -n "$(ls "$DATA/snapshots" 2>/dev/null)" ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "no snapshot is begun"; cat "$TMPDIR"/snapshot-*; exit 1; }
    sleep 0.02
done
stop_server
wait
for file in "$DATA"/snapshots/*.snapshot; do [ -s "$file" ] || { echo "$file is empty"; exit 1; }; done
