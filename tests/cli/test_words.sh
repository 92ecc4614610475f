# What the command line says where a new user was told nothing: texts to nobody, why a message failed, submits that were put off, snapshots
# that are there already, imports that nobody can lease, a server that is gone, how long a text is of use.
set -eu
. tests/lib.sh
start_server
grep -q "sms inbound+outbound --data $DATA\$" "$TMPDIR/server.log"

# says CODE WORDS ARGS...: the command line ends with that code and says that, on either output
says() {
    code=$1 words=$2
    shift 2
    if ctl "$@" >"$TMPDIR/said" 2>&1; then got=0; else got=$?; fi
    [ "$got" = "$code" ] || { echo "$* ended with $got, not $code:"; cat "$TMPDIR/said"; exit 1; }
    grep -qe "$words" "$TMPDIR/said" || { echo "$* does not say '$words':"; cat "$TMPDIR/said"; exit 1; }
}
until_state() { i=0; until ctl sms show "$1" | grep -q "^STATE *$2"; do i=$((i + 1)); [ $i -lt 200 ] || { echo "$1 is not $2"; exit 1; }; sleep 0.05; done; }
sent() { ctl sms send --from "$free" --to "$@" --json | grep -o 'Outgoing_[^"]*'; }

free=$(ctl numbers buy --type toll-free --for application --area-code 833 | grep -o '+1833[0-9]*' | head -n 1)
oneway=$(ctl numbers buy --type toll-free --for application --area-code 844 --sms outbound | grep -o '+1844[0-9]*' | head -n 1)

# the key of ready.json is that of the start: one that was rotated since is asked for
ctl resource rotate-key default primary >/dev/null
says 0 '202' sms send --from "$free" --to +12065550107 "with the newer key"
says 1 'SenderNotLeased' sms send --from +18335550177 --to +12065550107 "no number of mine"

says 0 '^sent$' handset sms +12065550101 "$free" hi
says 0 'sent, but +18335559999 is no number that is leased here: nobody takes it' handset sms +12065550101 +18335559999 hi
says 0 "sent, but nobody takes it: $oneway has no inbound SMS" handset sms +12065550101 "$oneway" hi

says 1 'rule: MessageEmpty' sms send --from "$free" --to +12065550101 ''
says 1 'rule: MessageEmpty' sms preview '' --from "$free" --to +12065550101
says 1 'rule: EmergencyHasNoPrice' price 911

failed=$(sent +12065550160 'to nowhere')
until_state "$failed" failed
says 0 '^REPORT  *4004: ' sms show "$failed"
says 0 '^WHY  *receipt of sim: id [0-9]* stat:UNDELIV' sms show "$failed"
ctl sms show "$failed" --json | grep -q '"deliveryStatusDetails":"4004: .*"why":"receipt of sim'

ctl fault add smsc throttle count=5
held=$(sent +12065550102 'put off')
until_state "$held" delivered
says 0 'smpp  *sim put it off 5 times, the last at 20[0-9T:.+-]*: command_status 0x00000058' explain "$held"
ctl fault add smsc throttle count=1
held=$(sent +12065550102 'put off once')
until_state "$held" delivered
says 0 'smpp  *sim put it off: command_status 0x00000058' explain "$held"

# nothing carries it, so it is failed when it is of use no more; without the option it goes on waiting
says 2 'report-timeout' sms send --from "$free" --to +12065550103 --report-timeout 59 short
ctl sim smsc outage 1h >/dev/null
short=$(sent +12065550103 --report-timeout 60 'of use for a minute') long=$(sent +12065550103 'of use for days')
says 0 'validity  *until 20' explain "$short"
ctl clock advance 61s >/dev/null
until_state "$short" failed
says 0 '^REPORT  *5001: ' sms show "$short"
until_state "$long" queued
ctl sim smsc outage 1ms >/dev/null

says 0 'snapshot one taken' snapshot one
says 1 'rule: SnapshotExists' snapshot one
says 1 'snapshot one --force' snapshot one
says 0 'snapshot one taken' snapshot one --force
ctl snapshot >/dev/null && ctl snapshot >/dev/null
[ "$(ctl snapshot list --json | grep -o '"name"' | wc -l)" = 3 ]

printf 'number,type,capabilities\n+447700900123,mobile,sms:both calling:none\n+447700900124,mobile,sms:both calling:none\n+12063000001,local,calling:both sms:none\n' >"$TMPDIR/abroad.csv"
says 0 'warning: 2 mobile numbers of GB: this edition offers none' numbers import "$TMPDIR/abroad.csv" --carrier sim --dry-run
says 0 'warning: 2 mobile numbers of GB: this edition offers none' numbers import "$TMPDIR/abroad.csv" --carrier sim
printf 'number,type,capabilities\n+12063000002,local,calling:both sms:none\n' >"$TMPDIR/home.csv"
says 0 'imported 1 number' numbers import "$TMPDIR/home.csv" --carrier sim
! grep -q warning "$TMPDIR/said"

gone=$(ready api)
stop_server
code=0
CARTERFONE_CONNECTION_STRING="endpoint=$gone/;accesskey=bm9ib2R5" "$CARTERFONE" sms list >"$TMPDIR/said" 2>&1 || code=$?
[ $code = 3 ]
grep -q "no answer from $gone" "$TMPDIR/said" || { cat "$TMPDIR/said"; exit 1; }
