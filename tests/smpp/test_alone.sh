# `carterfone sim` for other people's gateways: it says where it listens, takes its settings from flag and config file, reads the
# file again on SIGHUP, keeps what it has when the file is wrong, and ends with 0 and without its ready file.
set -u
cat >"$TMPDIR/sim.yaml" <<'YAML'
sim-smsc: systemId=gate,password=secret,receiptDelay=1ms
YAML
"$CARTERFONE" sim --config "$TMPDIR/sim.yaml" --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 --rtp-ports 0 \
    --ready-file "$TMPDIR/sim.json" --accepted-log "$TMPDIR/accepted" >"$TMPDIR/sim.out" 2>"$TMPDIR/sim.log" &
sim=$!
trap 'kill $sim 2>/dev/null' EXIT
fail() { echo "FAILED: $*"; tail -n 20 "$TMPDIR/sim.log"; exit 1; }
# await FILE WORDS: until a line of the file has them
await() {
    tries=200
    until grep -q "$2" "$1" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "no '$2' in $1"
        sleep 0.05
    done
}
said() {
    got=$("$NODE" tests/smpp/alone.mjs "$at" "$2" "$3")
    [ "$got" = "$1" ] || fail "as $2/$3: '$got', not '$1'"
}

await "$TMPDIR/sim.json" simSmpp
at=$(sed -n 's/.*"simSmpp":"\([^"]*\)".*/\1/p' "$TMPDIR/sim.json")
await "$TMPDIR/sim.out" "SMPP $at"
said 'bind 15' stranger secret
said 'bind 14' gate guess
said 'bind 0 submit 0 receipt 2' gate secret
[ "$(wc -l <"$TMPDIR/accepted")" = 1 ] || fail "the log of what was accepted has not one line"

echo 'sim-smsc: refusePercent=100,refuseStatus=ESME_RTHROTTLED' >"$TMPDIR/sim.yaml"
kill -HUP $sim
await "$TMPDIR/sim.log" 'settings were read again'
said 'bind 0 submit 88' anybody anything

echo 'sim-smsc: refusePercent=many' >"$TMPDIR/sim.yaml"
kill -HUP $sim
await "$TMPDIR/sim.log" "'many' is not 0 to 100"
said 'bind 0 submit 88' anybody anything

kill -TERM $sim
wait $sim || fail "it ended with $?"
[ ! -e "$TMPDIR/sim.json" ] || fail "the ready file is still there"
"$CARTERFONE" sim --sim-smsc answerDelay=fast >"$TMPDIR/wrong" 2>&1
[ $? = 2 ] || fail "a wrong setting is no usage error"
grep -q "answerDelay: 'fast' is not a time" "$TMPDIR/wrong" || fail "it is not said what is wrong: $(cat "$TMPDIR/wrong")"
