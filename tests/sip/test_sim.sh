# SIPp and the simulated phone network alone (`carterfone sim`), over UDP and TCP: a handset is heard and hears, each behaviour of
# --sim-handsets, faults of --fault, an INVITE of 4 KB, the emergency desk, and handsets that are many at once.
# SIPp echoes RTP (-rtp_echo): what a handset said comes back to its own recording, so SIPp heard it; what SIPp plays (rtp_stream) is
# in the handset's recording too.
set -u
. tests/sip/lib.sh
CORRELATE=${CORRELATE:-build/correlate}
READY=$TMPDIR/ready.json
sim=
trap '[ -z "$sim" ] || kill "$sim"' EXIT

# a sound unlike itself at every other shift, as raw mu-law and as WAV (format 7): a gliding tone in syllables, 2 s
LC_ALL=C awk 'function ulaw(v,   s, e, m) { s = v < 0 ? 128 : 0; if (v < 0) v = -v; v += 132; for (e = 7; e && v < 2 ^ (e + 7);) e--;
                m = int(v / 2 ^ (e + 3)) % 16; return 255 - s - e * 16 - m }
    BEGIN { for (i = 0; i < 16000; i++) { p += 2 * 3.14159265 * (400 + 900 * ((i / 8000) % 1)) / 8000
                b = ulaw(int(8000 * sin(p) * (0.5 - 0.5 * cos(2 * 3.14159265 * 4 * i / 8000)))); printf "%c", b ? b : 1 } }' >"$TMPDIR/speech.ulaw"
{ printf 'RIFF\244\076\000\000WAVEfmt \020\000\000\000\007\000\001\000\100\037\000\000\100\037\000\000\001\000\010\000data\200\076\000\000'
  cat "$TMPDIR/speech.ulaw"; } >"$TMPDIR/speech.wav"

message() { # METHOD CSEQ BODY|-, to be sent
    echo '<send retrans="500"><![CDATA['
    printf '%s sip:[service]@[remote_ip]:[remote_port];user=phone SIP/2.0\n%s\n' "$1" 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "SIPp" <sip:+12065550111@[local_ip]:[local_port]>;tag=[pid]SIPp[call_number]'
    [ "$1" = INVITE ] && echo 'To: <sip:[service]@[remote_ip]:[remote_port]>' || echo 'To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]'
    printf 'Call-ID: [call_id]\nCSeq: %s %s\nContact: <sip:[local_ip]:[local_port];transport=[transport]>\nMax-Forwards: 70\n' "$2" "$1"
    [ -z "$large" ] || [ "$1" != INVITE ] || printf 'X-Long: %s\n' "$(printf '%04000d' 0)"
    [ "$3" = - ] && printf 'Content-Length: 0\n\n' || printf 'Content-Type: application/sdp\nContent-Length: [len]\n\n%s\n' "v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [$media_word] RTP/AVP 0 101
a=rtpmap:101 telephone-event/8000"
    echo ']]></send>'
}
large= media_word=media_port echo=-rtp_echo

# scenario NAME STEP...: what SIPp does. A number is a response that must come, with NNN/CAUSE its Q.850 cause too, with NNN+ an SDP.
scenario() {
    name=$1; shift
    { echo '<?xml version="1.0" encoding="UTF-8"?><scenario name="'"$name"'">'
      for step; do case $step in
        invite) message INVITE 1 sdp; echo '<recv response="100" optional="true"/>' ;;
        ack)    message ACK 1 - ;;
        bye)    message BYE 2 - ;;
        cancel) message CANCEL 1 - | sed 's/\[peer_tag_param\]//; s/branch=\[branch\]/branch=[branch-4]/' ;;
        got-bye) printf '<recv request="BYE"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n]]></send>\n' ;;
        pause)  echo '<pause/>' ;;
        play)   echo '<nop><action><exec rtp_stream="'"$TMPDIR"'/speech.ulaw,1,0"/></action></nop>' ;;
        nothing) echo '<recv response="100" timeout="1500" ontimeout="end"/><nop><action><exec int_cmd="stop_now"/></action></nop><label id="end"/><pause milliseconds="1"/>' ;;
        *+)     echo "<recv response=\"${step%+}\"><action><ereg regexp=\"m=audio [0-9]+ RTP/AVP 0\" search_in=\"body\" check_it=\"true\" assign_to=\"sdp$step\"/></action></recv>" | tr -d '+' | sed 's/\[0-9\] RTP/[0-9]+ RTP/'
                echo "<Reference variables=\"sdp${step%+}\"/>" ;;
        */*)    echo "<recv response=\"${step%/*}\"><action><ereg regexp=\"Q\\.850;cause=${step#*/}\" search_in=\"msg\" check_it=\"true\" assign_to=\"cause\"/></action></recv><Reference variables=\"cause\"/>" ;;
        *)      echo "<recv response=\"$step\"/>" ;;
      esac; done
      echo '</scenario>'; } >"$TMPDIR/$name.xml"
}

# next_ports: ports..ports+7 are nobody's; SIPps that run beside each other must not draw the same
ports=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 1000 * 8))
next_ports() {
    ports=$((ports + 8))
    while for p in 0 2 3 4 5; do printf ':%04X \n' $((ports + p)); done | grep -qf - /proc/net/udp /proc/net/tcp; do ports=$((ports + 8)); done
}
# run NAME NUMBER FLAG...: SIPp plays the scenario to this number, beside others; all_ran waits for them
run() {
    one=$1.$2.$transport name=$1 number=$2; shift 2
    cp "$TMPDIR/$name.xml" "$TMPDIR/$one.xml"
    next_ports
    { SIP=$TMPDIR sipp_run "$one" "$at" -p "$ports" -mp $((ports + 2)) $echo -s "$number" -t "$transport" "$@" ||
        echo "$name to $number over $transport" >>"$TMPDIR/failed"; } & pids="$pids $!"
}
all_ran() {
    wait $pids
    pids=
    while read -r what; do fail "$what"; done <"$TMPDIR/failed"
    : >"$TMPDIR/failed"
}
pids=
: >"$TMPDIR/failed"

# heard FILE WHAT: is the speech in it?
heard() {
    i=0; until [ -s "$1" ]; do i=$((i + 1)); [ $i -lt 100 ] || { fail "$2: there is no recording"; return; }; sleep 0.1; done
    "$CORRELATE" "$TMPDIR/speech.wav" "$1" >"$TMPDIR/correlation" || fail "$2: $(cat "$TMPDIR/correlation")"
    echo "$2: $(cat "$TMPDIR/correlation")"
}

"$CARTERFONE" sim --data "$TMPDIR/data" --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 --rtp-ports 0 --ready-file "$READY" --quiet \
    --fault 'phone silent number=+12065552001' --fault 'phone reject=488 number=+12065552002' --fault 'phone drop delay=300ms number=+12065552003' \
    --sim-handsets "+12065551001 answer-after=200ms say=$TMPDIR/speech.wav record=$TMPDIR/said.wav; +12065551002 answer-after=0 record=$TMPDIR/heard.wav;
 +12065551003 refuse=480/20; +12065551004 refuse=486 refuse-after=300ms; +12065551005 answer-after=0 drop-after=500ms;
 +12065551006 early-media=ringback answer-after=500ms; +12065551007 early-media=busy refuse=486 refuse-after=500ms;
 +12065551008 answer-after=never; +12065551009 answer-after=1s; +12065551010 answer-after=0 one-way=receive say=$TMPDIR/speech.wav record=$TMPDIR/oneway.wav;
 +12065551011 answer-after=0 echo=audio; * answer-after=0" >"$TMPDIR/sim.log" 2>&1 & sim=$!
i=0; while [ ! -s "$READY" ]; do i=$((i + 1)); [ $i -lt 200 ] || { cat "$TMPDIR/sim.log"; exit 1; }; sleep 0.1; done
at=$(sed 's/.*"simSip":"\([0-9.:]*\)".*/\1/' "$READY")

scenario talk    invite 180 200+ ack pause bye 200
scenario early   invite 183+ 200+ ack pause bye 200
scenario engaged invite 183+ 486/17
scenario refused invite 480/20
scenario late    invite 180 486/17
scenario fit     invite 488/88
scenario dropped invite 180 200+ ack got-bye
scenario rings   invite 180 pause cancel 200 487
scenario silent  invite nothing
scenario gone    invite 180 200+ ack pause bye 481
for name in engaged refused late fit rings; do sed -i 's|</scenario>||' "$TMPDIR/$name.xml"; message ACK 1 - >>"$TMPDIR/$name.xml"; echo '</scenario>' >>"$TMPDIR/$name.xml"; done
sed -i '/^<send retrans="500">/{N;/ACK/s/ retrans="500"//}' "$TMPDIR"/*.xml
sed -i 's|<recv response="100" optional="true"/>||' "$TMPDIR/silent.xml"
large=yes
scenario large   invite 180 200+ ack pause bye 200
sed -i '/^<send retrans="500">/{N;/ACK/s/ retrans="500"//}' "$TMPDIR/large.xml"
large= media_word=rtpstream_audio_port
scenario speak   invite 180 200+ ack play pause bye 200
sed -i '/^<send retrans="500">/{N;/ACK/s/ retrans="500"//}' "$TMPDIR/speak.xml"

for transport in u1 t1; do
    rm -f "$TMPDIR/said.wav" "$TMPDIR/heard.wav" "$TMPDIR/oneway.wav"
    run talk    +12065551001 -d 2600
    echo=
    run speak   +12065551002 -d 2400
    echo=-rtp_echo
    run talk    +12065551010 -d 700
    run refused +12065551003
    run late    +12065551004
    run dropped +12065551005
    all_ran
    run early   +12065551006 -d 200
    run engaged +12065551007
    run rings   +12065551008 -d 400
    run talk    +12065551009 -d 200
    run talk    +12065553333 -d 200          # as everybody was told
    run large   +12065553334 -d 200
    run fit     +12065552002
    run gone    +12065552003 -d 800
    run talk    911 -d 1000
    heard "$TMPDIR/said.wav" "$transport: what a handset says is heard by SIPp and comes back"
    heard "$TMPDIR/heard.wav" "$transport: what SIPp says is heard by a handset"
    i=0; until [ -f "$TMPDIR/oneway.wav" ]; do i=$((i + 1)); [ $i -lt 50 ] || { fail "one way: no recording"; break; }; sleep 0.1; done
    [ "$(wc -c <"$TMPDIR/oneway.wav")" -le 44 ] || fail "$transport: one that sends no RTP heard an echo of it"
    all_ran
done
transport=u1
run silent +12065552001
# fifty at once, each with sound both ways, to numbers that nobody was told of
run talk +12065554444 -m 50 -r 50 -l 50 -d 1000
all_ran
[ "$(find "$TMPDIR/data/handsets" -name '911-*.wav' | wc -l)" = 2 ] || fail "911: $(ls -l "$TMPDIR/data/handsets" 2>&1)"
kill "$sim" && wait "$sim" || fail "the networks ended with $?"
sim=
exit $bad
