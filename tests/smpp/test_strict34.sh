# libsmpp34, which is not ours and wants each PDU as it would write it itself, as an ESME at our server and as the SMSC of our client.
set -u
. tests/lib.sh
STRICT34=$(dirname "$CARTERFONE")/smpp/strict34
start_server
ctl numbers buy --type toll-free --for application --area-code 833 >"$TMPDIR/bought" || exit 1
NUMBER=$(grep -o '+1833[0-9]*' "$TMPDIR/bought" | head -n 1)
AT=$(ready smpp)
SERVER=$server_pid          # strict34_smsc ends it, to see its binds unbound
export STRICT34 NUMBER AT DATA SERVER
unset CARTERFONE_CONNECTION_STRING
for side in strict34_esme strict34_smsc; do
    (cd tests && "$NODE" --test smpp/$side.mjs) || { tail -n 40 "$TMPDIR/server.log"; exit 1; }
done
