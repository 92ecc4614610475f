# Two servers, and the simulated networks alone, side by side without a flag but their folders: a default port in use gives way to
# the next free one. A given port in use does not, nor does a folder.
set -eu
cd "${TMPDIR:?}"
unset CARTERFONE_CONNECTION_STRING CARTERFONE_DATA CARTERFONE_OPERATOR_KEY
pids=
trap 'kill -TERM $pids 2>/dev/null || true' EXIT

# starts FILE COMMAND...: in the background, until FILE is there
starts() {
    file=$1; shift
    "$CARTERFONE" "$@" --ready-file "$file" >"$file.log" 2>&1 &
    pid=$!
    pids="$pids $pid"
    for _ in $(seq 600); do [ -s "$file" ] && return 0; kill -0 $pid 2>/dev/null || break; sleep 0.05; done
    echo "carterfone $* is not ready:"; cat "$file.log"; exit 1
}
member() { sed -n "s/.*\"$2\": *\"\([^\"]*\)\".*/\1/p" "$1"; }
# refused WORDS COMMAND...: ends with 2 and these words
refused() {
    words=$1; shift
    if said=$("$CARTERFONE" "$@" 2>&1); then rc=0; else rc=$?; fi
    case $rc:$said in 2:*"$words"*) ;; *) echo "carterfone $*: ended with $rc, wanted 2 and '$words': $said"; exit 1 ;; esac
}

starts one.json serve --data one
starts two.json serve --data two
starts sim.json sim
for what in api sip smpp simSip simSmpp; do
    [ "$(member one.json $what)" != "$(member two.json $what)" ] || { echo "both have $what $(member one.json $what)"; exit 1; }
done
[ "$(member sim.json simSmpp)" != "$(member one.json simSmpp)" ]
"$CARTERFONE" numbers list --data two
grep -q 'is in use' two.json.log

refused 'another server uses one' serve --data one
# given LISTEN SIM-SIP SIM-SMPP
given() { refused 'in use' serve --data three --sip 127.0.0.1:0 --smpp 127.0.0.1:0 --rtp-ports 0 --listen "$1" --sim-sip "$2" --sim-smpp "$3"; }
given "$(member one.json api | sed 's|https://||')" 127.0.0.1:0 127.0.0.1:0
given 127.0.0.1:0 "$(member one.json simSip)" 127.0.0.1:0
given 127.0.0.1:0 127.0.0.1:0 "$(member one.json simSmpp)"
# a given SIP port does not keep the default SMPP port from moving
starts four.json serve --data four --sip 127.0.0.1:0 --rtp-ports 0 --listen 127.0.0.1:0 --sim-sip 127.0.0.1:0
[ "$(member four.json simSmpp)" != "$(member one.json simSmpp)" ]
refused 'in use' sim --sim-smpp "$(member one.json simSmpp)" --sim-sip 127.0.0.1:0
for pid in $pids; do kill -TERM $pid; wait $pid || { echo "a server ended with $?"; exit 1; }; done
pids=
