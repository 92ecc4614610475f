# A foreign ESME at the product's own SMPP server: every PDU, every refusal, receipts and messages of phones, keys that change.
set -u
. tests/lib.sh
start_server
lease() {
    search=$(ctl numbers search "$@" | sed -n 's/.*numbers buy //p')
    ctl numbers buy "$search" >"$TMPDIR/bought" || { cat "$TMPDIR/bought" >&2; exit 1; }
    sed -n 's/^bought //p' "$TMPDIR/bought"
}
NUMBER=$(lease --type toll-free --for application --sms inbound+outbound) || exit 1
SECOND=$(lease --type local --for application --calling inbound+outbound --area-code 206) || exit 1
AT=$(ready smpp) SERVER_LOG=$TMPDIR/server.log
export NUMBER SECOND AT DATA SERVER_LOG
unset CARTERFONE_CONNECTION_STRING
(cd tests && "$NODE" --test smpp/esme.mjs) || { tail -n 40 "$SERVER_LOG"; exit 1; }
