# What waits for an ESME outlives kill -9: receipts when nobody is bound, receipts in the window of an ESME that did not answer, a
# phone's message, and a part of a message whose other part comes later. None is lost; none that was answered comes again.
set -u
. tests/lib.sh
crash() { kill -9 "$server_pid"; wait "$server_pid" 2>/dev/null; server_pid=; }
step() { (cd tests && AT=$(ready smpp) "$NODE" smpp/esme_crash.mjs "$1" "$TMPDIR/ids.json") || { echo "FAILED: $1"; tail -n 30 "$TMPDIR/server.log"; exit 1; }; }
unset CARTERFONE_CONNECTION_STRING
start_server
search=$(ctl numbers search --type toll-free --for application --sms inbound+outbound | sed -n 's/.*numbers buy //p')
ctl numbers buy "$search" >"$TMPDIR/bought" || { cat "$TMPDIR/bought"; exit 1; }
NUMBER=$(sed -n 's/^bought //p' "$TMPDIR/bought")
PASSWORD=$(ctl resource keys default --json | sed -n 's/.*"password":"\([^"]*\)".*/\1/p')
export NUMBER PASSWORD DATA
step submit
crash
start_server
step hold
crash
start_server
ctl handset sms +12065550111 --to "$NUMBER" 'written while no ESME was bound' >/dev/null || { echo 'FAILED: the phone could not write'; exit 1; }
tries=100
until ctl sms list | grep -q 'written while'; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then echo 'FAILED: it did not arrive:'; ctl sms list; exit 1; fi
    sleep 0.1
done
crash
start_server
step take
