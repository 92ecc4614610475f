# SIPp as the phone network of the whole product: a call that SIPp answers and one that it refuses as busy, each placed by the API,
# and told as it went.
set -u
. tests/lib.sh
. tests/sip/lib.sh
start_server

search=$(ctl numbers search --type local --for application --area-code 206 --calling outbound --json | sed 's/.*"searchId":"\([^"]*\)".*/\1/')
ctl numbers buy "$search" >/dev/null || fail "no number"
from=$(ctl numbers list --json | sed 's/.*"phoneNumber":"\(+1206[0-9]*\)".*/\1/')

# over SCENARIO NAME: SIPp listens and is the newest simulated trunk; a call is placed; its state is waited for
over() {
    scenario=$1 name=$2 port=$(free_port)
    sipp_run "$scenario" 127.0.0.1:9 -p "$port" -t u1 & sipp=$!
    i=0; while ! grep -qi ":$(printf '%04x' "$port") " /proc/net/udp && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
    ctl trunk add "$name" --host "127.0.0.1:$port" --simulated >/dev/null || fail "trunk $name"
    call=$(ctl call place --from "$from" --to +12065550123 --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
    [ -n "$call" ] || fail "$scenario: the call was not placed"
}
state() { ctl call show "$call" --json | sed 's/.*"state":"\([^"]*\)".*/\1/'; }
reaches() {
    i=0; while [ "$(state)" != "$1" ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
    [ "$(state)" = "$1" ] || fail "$scenario: the call is $(state), wanted $1: $(ctl explain "$call")"
}

over uas_answer sipp-answers
reaches connected
ctl call hangup "$call" >/dev/null || fail "hang-up"
reaches disconnected
wait $sipp || fail "SIPp did not see an answered call end"
ctl explain "$call" | grep -q 'answered, audio to 127.0.0.1' || fail "explain: $(ctl explain "$call")"

over uas_busy sipp-is-busy
reaches disconnected
wait $sipp || fail "SIPp did not see a refused call"
ctl explain "$call" | grep -q '486' || fail "explain of the busy call: $(ctl explain "$call")"
exit $bad
