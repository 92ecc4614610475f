# The command line against a server: numbers, a refused SMS and a sent one, the handset's answer, events, a call, why, the clock.
set -eu
. tests/lib.sh
start_server

# field NAME: from a fact table on standard input
field() { sed -n "s/^$1  *//p"; }
# fails WORDS COMMAND...: exit code 1 and these words
fails() {
    words=$1; shift
    if said=$(ctl "$@" 2>&1); then echo "not refused: $*"; exit 1; else rc=$?; fi
    case $rc:$said in "1:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted 1 and '$words': $said"; exit 1 ;; esac
}

ctl connection-string | grep -q '^endpoint=https://localhost:[0-9]*/;accesskey='
ctl trust | grep -q "NODE_EXTRA_CA_CERTS='$(ready caFile)'"

search=$(ctl numbers search --type local --for application --area-code 206 | field search)
ctl numbers buy "$search" | grep '^bought +1206555'
local=$(ctl numbers list | sed -n 's/^\(+1206[0-9]*\) .*/\1/p')
search=$(ctl numbers search --type toll-free --for application --area-code 833 | field search)
ctl numbers buy "$search" | grep '^bought +1833'
free=$(ctl numbers list | sed -n 's/^\(+1833[0-9]*\) .*/\1/p')
ctl numbers list
ctl numbers list --json | grep -q "\"phoneNumber\":\"$free\""
ctl numbers show "$free" | grep -q '^sms  *inbound+outbound'
fails 'rule:' numbers search --type toll-free --for person
# what the service calls an internal error is told in the rule's own words
why=$(ctl numbers search --type toll-free --for person 2>&1 | sed -n 's/.*carterfone explain //p')
! ctl explain "$why" | grep '^why  *The server encountered an internal error'
ctl explain "$why" | grep '^next  *We are unable to find phone plans.*never to a person'
fails 'EventTypeUnknown' events subscribe --url http://127.0.0.1:9/ --type SMSRecieved
fails 'EventFilterInvalid' events subscribe --url http://127.0.0.1:9/ --where to=x
fails 'NotFound' numbers show +14155550100

# the local one may not text; the answer says which rule and what to lease
fails 'SmsNotAvailableForNumberType' sms send --from "$local" --to +12065550101 hello
message=$(ctl sms send --from "$free" --to +12065550101 "hello  'there' ünï" --json | sed -n 's/.*"messageId":"\([^"]*\)".*/\1/p')
[ -n "$message" ]
# of many recipients one is refused: the table says why, and what to ask for more
fails 'carterfone explain' sms send --from "$free" --to +12065550102 --to 12 hello
for _ in $(seq 100); do ctl handset inbox +12065550101 | grep -q "hello  'there' ünï" && break; sleep 0.1; done
ctl handset inbox +12065550101 | grep "hello  'there' ünï"
ctl handset sms +12065550101 --to "$free" 'answer from a handset'
ctl events tail --all --type SMSReceived --count 1 --wait 20 | grep 'answer from a handset'
ctl events tail --all --type SMSDeliveryReportReceived --count 1 --wait 20 | grep "$message"
ctl sms list
[ "$(ctl sms list --limit 1 | grep -c '[+]12065550101')" = 1 ]
ctl sms list --limit 1 | grep -q '^older ones: --before '
ctl sms list | grep -q 'answer from a handset'
# what a stranger writes does not command the terminal: ESC, U+009B (the same in one character), U+202E (the rest from right to left)
ctl handset sms +12065550101 --to "$free" "$(printf 'esc\033[31mape\302\2335mall\342\200\256done')"
for _ in $(seq 100); do ctl sms list | grep -q 'esc .31mape 5mall done' && break; sleep 0.1; done
ctl sms list | grep -q 'esc .31mape 5mall done'
for _ in $(seq 100); do ctl explain "$message" | grep -qi 'deliver' && break; sleep 0.1; done
ctl explain "$message"
fails 'Invalid To phone number format.' sms send --from "$free" --to +14255550123456 bad

# a call that rings until the handset answers
ctl handset attach +12065550105
call=$(ctl call place --from "$local" --to +12065550105 | field call)
[ -n "$call" ]
ctl handset answer +12065550105 --record "$TMPDIR/heard.wav"
for _ in $(seq 100); do ctl call show "$call" | grep -q connected && break; sleep 0.1; done
ctl call show "$call" | grep connected
ctl call play "$call" examples/chime.wav | grep playing
ctl call play "$call" /carterfone/prompts/hello.wav | grep playing
sleep 2.5
ctl handset list | grep +12065550105
ctl call hangup "$call"
for _ in $(seq 100); do [ -s "$TMPDIR/heard.wav" ] && break; sleep 0.1; done
[ "$(wc -c <"$TMPDIR/heard.wav")" -gt 30000 ]
ctl explain "$call"
ctl call list --limit 1 | grep -q "$call"

# a hold expires when product time has passed it
search=$(ctl numbers search --type local --for person --area-code 206 | field search)
ctl clock advance 17m
fails 'ReservationExpired' numbers buy "$search"
ctl numbers release "$free" | grep released
! ctl numbers list | grep -q "$free"

# a number that is free again keeps its past; one that nobody ever had has none
ctl clock advance 90d
ctl numbers history "$free" | grep 'is not in the inventory now'
ctl numbers history "$free" | grep ' freed '
fails 'InventoryHasNoSuch' numbers history +12065550777

# another account, of the kind that may not buy
ctl account add poor --offer trial
ctl resource add poor-res --account poor
ctl resource list | grep -q poor-res
poor_buys() { s=$(ctl numbers search --type local --for person --resource poor-res | field search) && ctl numbers buy "$s" --resource poor-res; }
if said=$(poor_buys 2>&1); then echo "a trial account bought a number"; exit 1; fi
case $said in *"rule: "*) ;; *) echo "no rule in: $said"; exit 1 ;; esac
ctl account list
ctl status
ctl doctor >/dev/null
