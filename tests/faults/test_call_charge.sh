# kill -9 during a call: after the restart it is charged once, for the time it is known to have lasted, whatever time the server was
# off; a number bought before is charged once too, and its month goes on.
set -eu
. tests/lib.sh
start_server

has() { printf '%s' "$1" | grep -q "$2" || { echo "no '$2' in: $1"; exit 1; }; }
until_true() { tries=200; until "$@"; do tries=$((tries - 1)); [ $tries -gt 0 ] || { echo "not so: $*"; exit 1; }; sleep 0.05; done; }

search=$(ctl numbers search --type toll-free --for application --calling both --json | sed 's/.*"searchId":"\([^"]*\)".*/\1/')
ctl numbers buy "$search"
number=$(ctl numbers list --json | sed 's/.*"phoneNumber":"\([^"]*\)".*/\1/')
call=$(ctl call place --from "$number" --to +12065550102 --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
connected() { ctl call show "$call" --json | grep -q '"state":"connected"'; }
until_true connected
ctl clock advance 61s                   # two minutes have begun ...
sleep 11                                # ... and that the call goes on has been noted
kill -9 "$server_pid"
wait "$server_pid" || true
server_pid=
start_server

has "$(ctl call show "$call" --json)" '"state":"disconnected"'
usage=$(ctl usage --csv)
echo "$usage"
has "$usage" "$number,callOut,US,USA,2,minute,13000,0,26000,$call,0"
has "$usage" "$number,voipLeg,US,application,2,minute,4000,0,8000,$call,0"
[ "$(printf '%s\n' "$usage" | wc -l)" = 4 ] || { echo 'not three charges'; exit 1; }
has "$(ctl invoice --json)" '"microUsd":2034000,"lines"'
ctl clock advance 40d
has "$(ctl usage --kind lease --from 2020-01-01 --to 2100-01-01 --by kind --csv)" 'lease,2,month,0,4000000'
