# Our SIP stack and SIPp call each other: answered, held, busy, cancelled, over UDP and TCP.
set -u
. tests/sip/lib.sh
PEER=${SIP_PEER:-$(dirname "$CARTERFONE")/sip/sip_peer}

# we_call SCENARIO udp|tcp MODE EVENT...: SIPp is called, and our events are these
we_call() {
    scenario=$1 transport=$2 mode=$3; shift 3
    flag=u1; [ "$transport" = udp ] || flag=t1
    port=$(free_port)
    sipp_run "$scenario" 127.0.0.1:9 -p "$port" -t $flag & sipp=$!
    wait_port "$port" || fail "SIPp does not listen"
    timeout 20 "$PEER" call "127.0.0.1:$port" "$transport" "$mode" >"$TMPDIR/peer" 2>&1 || fail "$scenario $transport: our side: $(cat "$TMPDIR/peer")"
    wait $sipp || fail "$scenario $transport: SIPp"
    for event; do grep -q "^$event" "$TMPDIR/peer" || fail "$scenario $transport: no '$event' in: $(cat "$TMPDIR/peer")"; done
}

# sipp_calls SCENARIO u1|t1 MODE EVENT...: SIPp calls us
sipp_calls() {
    scenario=$1 flag=$2 mode=$3; shift 3
    : >"$TMPDIR/peer"
    timeout 20 "$PEER" listen "$mode" 1 >"$TMPDIR/peer" 2>&1 & peer=$!
    wait_line "$TMPDIR/peer" '^[0-9]' || fail "our side does not listen"
    sipp_run "$scenario" "127.0.0.1:$(head -n 1 "$TMPDIR/peer")" -p "$(free_port)" -t "$flag" -s +18335550100 || fail "$scenario $flag: SIPp"
    wait $peer || fail "$scenario $flag: our side"
    for event; do grep -q "^$event" "$TMPDIR/peer" || fail "$scenario $flag: no '$event' in: $(cat "$TMPDIR/peer")"; done
}

for transport in udp tcp; do
    we_call uas_answer    $transport hangup 'progress 180' 'answered 127.0.0.1 [0-9]* 0' 'ended 200 16 us'
    we_call uas_busy      $transport hangup 'ended 486 17 peer'
    we_call uas_cancelled $transport cancel 'progress 180' 'ended 487 0 us'
done
for flag in u1 t1; do
    sipp_calls uac_answered $flag answer 'incoming +12065550111 +18335550100' 'answered 127.0.0.1 [0-9]* 8' 'changed 1' 'ended 200 16 peer'
    sipp_calls uac_refused  $flag busy   'ended 486 17 us'
done
exit $bad
