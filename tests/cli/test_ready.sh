# A server in memory with a relative ready file: caFile is absolute and there, and SIGHUP leaves the authority that clients trust.
set -eu
cd "${TMPDIR:?}"
unset CARTERFONE_CONNECTION_STRING CARTERFONE_DATA CARTERFONE_OPERATOR_KEY
"$CARTERFONE" serve --in-memory --listen 127.0.0.1:0 --sip 127.0.0.1:0 --smpp 127.0.0.1:0 --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 --rtp-ports 0 \
    --ready-file ready.json >server.log 2>&1 &
pid=$!
trap 'kill -TERM $pid 2>/dev/null || true' EXIT
for _ in $(seq 600); do [ -s ready.json ] && break; sleep 0.05; done
ca=$(sed -n 's/.*"caFile":"\([^"]*\)".*/\1/p' ready.json)
case $ca in /*) ;; *) echo "caFile is not absolute: '$ca'"; exit 1 ;; esac
cp "$ca" before.pem
kill -HUP $pid
for _ in $(seq 100); do grep -q SIGHUP server.log && break; sleep 0.05; done
cmp "$ca" before.pem
trap - EXIT
kill -TERM $pid
wait $pid || { echo "the server ended with $?"; exit 1; }
[ ! -e ready.json ] || { echo "the ready file is still there"; exit 1; }
