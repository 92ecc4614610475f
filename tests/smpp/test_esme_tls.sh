# Customers' ESMEs over TLS: --smpps shows the certificate of the API, serves all binds, and tells octets that are no TLS from it.
set -u
. tests/lib.sh
start_server --smpps 127.0.0.1:0
ctl numbers buy --type toll-free --for application --area-code 833 >"$TMPDIR/bought" || exit 1
NUMBER=$(grep -o '+1833[0-9]*' "$TMPDIR/bought" | head -n 1)
AT=$(ready smpps) PLAIN=$(ready smpp) CA=$(ready caFile) SERVER_LOG=$TMPDIR/server.log SERVER_PID=$server_pid
export NUMBER AT PLAIN CA DATA SERVER_LOG SERVER_PID
unset CARTERFONE_CONNECTION_STRING
(cd tests && "$NODE" --test smpp/esme_tls.mjs) || { tail -n 40 "$SERVER_LOG"; exit 1; }
