# One ESME over each of --smpp-limits, at two servers: how many, and how long. A limit that is none keeps a server from starting.
set -u
. tests/lib.sh
"$CARTERFONE" serve --data "$TMPDIR/wrong" --smpp-limits widow=3 >"$TMPDIR/said" 2>&1
[ $? = 2 ] || { echo 'FAILED: a wrong limit is no usage error'; exit 1; }
grep -q "smpp-limits: there is no limit 'widow'; did you mean 'window'" "$TMPDIR/said" || { echo 'FAILED: it is not said:'; cat "$TMPDIR/said"; exit 1; }
echo 'smpp-limits: binds=0' >"$TMPDIR/site.yaml"
"$CARTERFONE" check-config "$TMPDIR/site.yaml" >"$TMPDIR/said" 2>&1 && { echo 'FAILED: check-config likes no binds at all'; exit 1; }
grep -q "binds: '0' is not 1 to 1000" "$TMPDIR/said" || { echo 'FAILED: check-config does not say it:'; cat "$TMPDIR/said"; exit 1; }

unset CARTERFONE_CONNECTION_STRING
export NUMBER DATA
told() { (cd tests && AT=$(ready smpp) "$NODE" --test --test-name-pattern="$1" smpp/esme_limits.mjs) || { tail -n 40 "$TMPDIR/server.log"; exit 1; }; }
start_server --smpp-limits binds=2,links=6,window=3,submits=20
ctl numbers buy --type toll-free --for application --area-code 833 >"$TMPDIR/bought" || exit 1
NUMBER=$(grep -o '+1833[0-9]*' "$TMPDIR/bought" | head -n 1)
told '^many'
stop_server || { echo "FAILED: the server ended with $?"; exit 1; }
start_server --smpp-limits bind=1s,enquire=1s,answer=1s,idle=3s
told '^long'
