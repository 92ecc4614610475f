# SIPp and the whole server. First SIPp calls it: refused with status and Q.850 cause; garbage and scanners are survived.
# Then the server starts again without its simulated carrier, SIPp is the trunk, and the server calls: answered, refused.
set -u
. tests/sip/lib.sh
PEER=${SIP_PEER:-$(dirname "$CARTERFONE")/sip/sip_peer} DATA=$TMPDIR/data READY=$TMPDIR/ready.json
unset CARTERFONE_CONNECTION_STRING CARTERFONE_DATA CARTERFONE_OPERATOR_KEY
server=

# serve FLAG...: start, and wait until it is ready
serve() {
    rm -f "$READY"
    "$CARTERFONE" serve --data "$DATA" --listen 127.0.0.1:0 --sip 127.0.0.1:0 --rtp-ports 0 --ready-file "$READY" "$@" \
        >"$TMPDIR/serve.log" 2>&1 & server=$!
    i=0; while [ ! -s "$READY" ]; do i=$((i + 1)); [ $i -lt 200 ] || { cat "$TMPDIR/serve.log"; exit 1; }; sleep 0.1; done
    sip=$(sed 's/.*"sip":"\([0-9.:]*\)".*/\1/' "$READY")
}
stop() { [ -z "$server" ] || { kill "$server"; wait "$server" || fail "the server ended with $?"; server=; }; }
trap '[ -z "$server" ] || kill "$server"' EXIT
cf() { "$CARTERFONE" "$@" --data "$DATA"; }

# refused NUMBER STATUS CAUSE: SIPp calls, and hears exactly that
refused() {
    sed "s/486/$2/g; s/cause=17/cause=$3/g" "$SIP/uac_refused.xml" >"$TMPDIR/refused_$2.xml"
    SIP=$TMPDIR sipp_run "refused_$2" "$sip" -p "$(free_port)" -s "$1" || fail "a call to $1 is not refused with $2 and cause $3"
}

# placed SCENARIO CALLED hangup|wait WORDS: the server calls over its trunk, where SIPp runs the scenario; when it is over,
# `explain` says these words
placed() {
    sipp_run "$1" 127.0.0.1:9 -p "$port" & sipp=$!
    wait_port "$port" || fail "SIPp does not listen"
    cf call place --from "$number" --to "$2" >"$TMPDIR/placed" 2>&1
    id=$(grep -o '[0-9a-f]\{8\}-[0-9a-f-]\{27\}' "$TMPDIR/placed" | head -n 1)
    [ -n "$id" ] || { fail "the call to $2 is not placed: $(cat "$TMPDIR/placed")"; wait $sipp; return; }
    [ "$3" = hangup ] && { wait_call "$id" connected; cf call hangup "$id" >/dev/null || fail "hang-up of $id"; }
    wait $sipp || fail "$1: SIPp"
    wait_call "$id" disconnected
    cf explain "$id" | grep -q "$4" || fail "$1: explain does not say '$4': $(cf explain "$id")"
}
wait_call() {
    i=0; while ! cf call show "$1" 2>&1 | grep -qi "^state *$2"; do
        i=$((i + 1)); [ $i -lt 80 ] || { fail "call $1 does not become $2: $(cf call show "$1" 2>&1)"; return; }; sleep 0.1
    done
}

serve --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0
held=$(cf numbers search --type local --for application --area-code 206 --calling inbound+outbound | sed -n 's/^search *//p')
cf numbers buy "$held" >/dev/null || fail "no number"
number=$(cf numbers list | grep -o '+1206[0-9]*' | head -n 1)
refused "$number" 480 20            # leased, and nobody subscribed
refused +12065559999 404 1          # not leased
port=$(free_port)
"$PEER" noise "$sip" || fail "noise"
refused +12065559999 404 1          # and it lives
stop

serve --simulator off
cf trunk add sipp --host "127.0.0.1:$port" --simulated >/dev/null || fail "no trunk"
placed uas_answer +12065550100 hangup 'sip *answered, audio to 127.0.0.1'
placed uas_busy   +12065550100 wait 'sip *486 Busy Here'
stop
exit $bad
