# For test scripts:  . tests/lib.sh; start_server [FLAG...]
# Starts a server with a folder and ports of its own, waits until it is ready, and stops it when the script ends: a server that
# does not end with 0 on SIGTERM fails the script. Needs CARTERFONE and TMPDIR. Afterwards: DATA, READY (a file), ready NAME, and
# ctl COMMAND... (the command line against this server).
DATA=${TMPDIR:?}/data
READY=$TMPDIR/ready.json
server_pid=

start_server() {
    rm -f "$READY"
    "$CARTERFONE" serve --data "$DATA" --listen 127.0.0.1:0 --sip 127.0.0.1:0 --smpp 127.0.0.1:0 --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 \
        --rtp-ports 0 --clock virtual --ready-file "$READY" "$@" >"$TMPDIR/server.log" 2>&1 &
    server_pid=$!
    trap 'stop_server_at_exit $?' EXIT
    tries=600
    until [ -s "$READY" ]; do
        tries=$((tries - 1))
        if [ $tries = 0 ] || ! kill -0 "$server_pid" 2>/dev/null; then echo "the server is not ready"; exit 1; fi
        sleep 0.05
    done
}

# ready api: one member of the ready file
ready() { sed -n "s/.*\"$1\": *\"\\([^\"]*\\)\".*/\\1/p" "$READY"; }

ctl() { env -u CARTERFONE_CONNECTION_STRING "$CARTERFONE" --data "$DATA" "$@"; }

# stop_server: SIGTERM and wait; its exit code
stop_server() {
    kill -TERM "$server_pid" 2>/dev/null
    wait "$server_pid"; stopped=$?
    server_pid=
    return $stopped
}

stop_server_at_exit() {
    verdict=$1
    if [ -n "$server_pid" ] && ! stop_server; then
        echo "the server ended with $stopped"
        [ "$verdict" != 0 ] || verdict=1
    fi
    [ "$verdict" = 0 ] || { echo "-- the server's log --"; tail -n 60 "$TMPDIR/server.log"; }
    exit "$verdict"
}
