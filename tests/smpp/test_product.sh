# A foreign ESME at the simulated SMSC of a whole server, which must live through its nonsense.
set -u
. tests/lib.sh
start_server
(cd tests && CARTERFONE_READY_FILE="$READY" "$NODE" --test smpp/foreign_esme.mjs) || exit 1
search=$(ctl numbers search --type toll-free --for application --sms inbound+outbound | sed -n 's/.*numbers buy //p')
ctl numbers buy "$search" >"$TMPDIR/bought" || { cat "$TMPDIR/bought"; exit 1; }
number=$(sed -n 's/^bought //p' "$TMPDIR/bought")
ctl sms send --from "$number" --to +12065550111 'still carried after all that' >"$TMPDIR/sent" || { cat "$TMPDIR/sent"; exit 1; }
tries=100
until ctl sms list | grep -q 'delivered'; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then echo 'FAILED: not delivered:'; ctl sms list; exit 1; fi
    sleep 0.1
done
