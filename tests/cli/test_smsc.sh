# What was changed of an SMSC, or that it was removed, holds over a restart.
set -eu
. tests/lib.sh
start_server
ctl smsc add acme --host 127.0.0.1:9 --system-id x --password x --rate 5 --tlv 0x1400=a --simulated
ctl smsc add gone --host 127.0.0.1:9 --system-id x --password x --simulated
if ctl smsc add acme --host 127.0.0.1:9 --system-id x --password x --simulated 2>"$TMPDIR/taken"; then echo "added twice"; exit 1; fi
grep -q 'carterfone smsc set acme' "$TMPDIR/taken"
ctl smsc set acme --host "$(ready simSmpp)" --rate 70 --unset tlv >"$TMPDIR/said"
ctl smsc remove gone
up() { ctl smsc list --json | tr -d ' \n' | grep -q '"name":"acme",[^}]*"up":true'; }
tries=200
until up; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "acme never came up"; ctl smsc list; exit 1; }
    sleep 0.05
done
host=$(ready simSmpp)
stop_server

start_server
ctl smsc list >"$TMPDIR/list"
grep -q "^acme .*$host.* 70 " "$TMPDIR/list" || { echo "not as it was set ($host, 70)"; cat "$TMPDIR/list"; exit 1; }
if grep -q '^gone' "$TMPDIR/list"; then echo "gone is there again"; exit 1; fi
stop_server
