# Helpers for the SIPp tests: . tests/sip/lib.sh  (TMPDIR is the test's own folder)
SIP=$PWD/tests/sip
bad=0
fail() { echo "FAILED: $*"; bad=1; }

# free_port: SIPp wants to be told its port; one that nobody has just now, below the kernel's own range
free_port() {
    while :; do
        port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 10000))
        grep -qi ":$(printf '%04x' $port) " /proc/net/udp /proc/net/tcp || { echo $port; return; }
    done
}

# sipp_run SCENARIO REMOTE [FLAG...]: one call; SIPp's own words only when it failed
sipp_run() {
    scenario=$1 remote=$2; shift 2
    timeout 30 sipp "$remote" -sf "$SIP/$scenario.xml" -i 127.0.0.1 -m 1 -timeout 20 -timeout_error -nostdin -cid_str "%u-%p@sipp" \
        -trace_err -error_file "$TMPDIR/$scenario.err" "$@" >"$TMPDIR/$scenario.out" 2>&1
    rc=$?
    [ $rc = 0 ] || { tail -5 "$TMPDIR/$scenario.out"; cat "$TMPDIR/$scenario.err" 2>/dev/null; }
    return $rc
}

# wait_port PORT: until somebody listens there, at most 5 s
wait_port() {
    i=0
    while ! grep -qi ":$(printf '%04x' "$1") " /proc/net/udp /proc/net/tcp; do
        i=$((i + 1)); [ $i -lt 50 ] || return 1
        sleep 0.1
    done
}

# wait_line FILE PATTERN: until the file has such a line, at most 10 s
wait_line() {
    i=0
    while ! grep -q "$2" "$1" 2>/dev/null; do
        i=$((i + 1)); [ $i -lt 100 ] || { echo "no '$2' in $1:"; cat "$1"; return 1; }
        sleep 0.1
    done
}
