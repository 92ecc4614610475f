# An ESME queries, replaces and cancels what still waits: for its time, the night's end, a limit, a carrier's window; a replaced text
# outlives kill -9. Then what ends its leave to send: an account that is suspended, a resource deleted, keys taken out of use.
set -u
. tests/lib.sh
start_server
ctl numbers buy --type toll-free --for application --area-code 833 >"$TMPDIR/bought" || exit 1
NUMBER=$(grep -o '+1833[0-9]*' "$TMPDIR/bought" | head -n 1)
KEPT=$TMPDIR/kept SERVER_LOG=$TMPDIR/server.log
export NUMBER DATA KEPT SERVER_LOG
unset CARTERFONE_CONNECTION_STRING
told() {
    (cd tests && AT=$(ready smpp) API=$(ready api) NODE_EXTRA_CA_CERTS=$(ready caFile) "$NODE" --test ${2:+--test-name-pattern="$2"} "smpp/$1") ||
        { tail -n 40 "$SERVER_LOG"; exit 1; }
}
told esme_held.mjs '^(waits|kept)'
kill -9 "$server_pid"; wait "$server_pid" 2>/dev/null; server_pid=
start_server
told esme_held.mjs '^after'
told esme_ended.mjs
