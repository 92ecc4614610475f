# kill -9 somewhere in a restore: the next start has the old state or the restored one, whole, and serves.
set -eu
. tests/lib.sh
start_server
names() { ctl account list --json | tr ',{' '\n\n' | sed -n 's/.*"name":"\([a-z0-9]*\)".*/\1/p' | sort | tr '\n' ' '; }

ctl account add early --offer payg --billing-country US >/dev/null
ctl snapshot kept
restored=$(names)
for delay in 0.02 0.05 0.08 0.1 0.12 0.15 0.3; do
    case "$(names)" in *late*) ;; *) ctl account add late --offer payg --billing-country US >/dev/null ;; esac
    before=$(names)
    ctl restore kept >/dev/null 2>&1 &
    asked=$!
    sleep $delay
    kill -9 "$server_pid"
    wait "$server_pid" 2>/dev/null || true
    wait $asked || true
    start_server
    now=$(names)
    case "$now" in
    "$before") echo "$delay s: the old state" ;;
    "$restored") echo "$delay s: the restored state" ;;
    *) echo "$delay s: neither the old state nor the restored one: '$now'"; exit 1 ;;
    esac
    number=$(ctl numbers buy --type local --for person --area-code 206 | sed -n 's/^bought //p')
    [ -n "$number" ]
    ctl numbers release "$number" >/dev/null
done
ctl restore kept
[ "$(names)" = "$restored" ]
