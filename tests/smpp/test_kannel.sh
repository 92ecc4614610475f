# Kannel (as Debian packages it, configured as docs/simulator.md says) sends 1,000 messages through the simulated SMSC and has
# 1,000 delivery reports: alone, with ids in hexadecimal in answers and decimal in receipts, while handsets write to it; and
# inside a whole server.
set -u
. tests/lib.sh
[ -x /usr/sbin/bearerbox ] || { echo "FAILED: Kannel is not installed"; exit 1; }

"$CARTERFONE" sim --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 --rtp-ports 0 --ready-file "$TMPDIR/sim.json" \
    --sim-smsc 'systemId=kannel,password=secret,answerId=hex,receiptId=dec,moRate=50,moFrom=+12065550101,moTo=+18335550100,moText=from a handset {n}' \
    >"$TMPDIR/sim.log" 2>&1 &
sim=$!
tries=200
until [ -s "$TMPDIR/sim.json" ]; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then echo "FAILED: the simulator is not ready"; cat "$TMPDIR/sim.log"; kill $sim; exit 1; fi
    sleep 0.05
done
at=$(sed -n 's/.*"simSmpp":"\([^"]*\)".*/\1/p' "$TMPDIR/sim.json")
MO_WANTED=20 "$NODE" tests/smpp/kannel.mjs "$at" 0x01
rc=$?
kill -TERM $sim
wait $sim || { echo "FAILED: the simulator ended with $?"; rc=1; }
[ $rc = 0 ] || { tail -n 30 "$TMPDIR/sim.log"; exit 1; }

start_server
"$NODE" tests/smpp/kannel.mjs "$(ready simSmpp)" || exit 1
ctl sim smsc | grep -q '^accepted  *1000$' || { echo "FAILED: the SMSC did not take 1,000:"; ctl sim smsc; exit 1; }
