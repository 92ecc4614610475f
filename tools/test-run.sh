#!/bin/sh
# Run every test against the ASan+UBSan build and count:  tools/test-run.sh [suite...]
# FLAVOUR=tsan takes that build instead (make FLAVOUR=tsan test-build first), OUT another folder for the logs.
# Suites: unit replay fuzz api sip smpp faults. Each writes build/test/<suite>.log; the last line printed is
# "N passed, N failed", alone. Exit 1 when a test failed or none ran.
#
# A test in tests/{sip,smpp,faults,cli} is a script test_*.sh, run from the top of the tree with CARTERFONE (the program under
# test), NODE and TMPDIR (its own empty folder) set; its exit status is its verdict and its header says what it shows.
set -u
cd "$(dirname "$0")/.."

B=build/${FLAVOUR:-asan}
OUT=${OUT:-build/test}
SECONDS_EACH=${SECONDS_EACH:-5}
NODE=${NODE:-$PWD/tests/node_modules/.bin/node}
CARTERFONE=$PWD/$B/carterfone
export NODE CARTERFONE
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export ASAN_OPTIONS=abort_on_error=0:detect_stack_use_after_return=1
passed=0 failed=0
started=$(date +%s)
rm -rf "$OUT" && mkdir -p "$OUT"

# count SUITE PASSED FAILED
count() {
    passed=$((passed + $2)) failed=$((failed + $3))
    printf '%-8s %5d passed %4d failed   %4d s\n' "$1" "$2" "$3" $(($(date +%s) - started))
    [ "$3" = 0 ] || { echo "-- $1: what failed (all of it: $OUT/$1.log) --"; grep -aE '^ *not ok|ERROR: (Add|Leak)|ThreadSanitizer:|runtime error|^FAILED' "$OUT/$1.log" | head -40; }
}

# Cmocka binaries speak TAP; one that dies before its plan is done has failed once more. Two at a time.
cmocka() {
    suite=$1; shift
    mkdir -p "$OUT/$suite"
    printf '%s\n' "$@" | xargs -P 2 -I @ sh -c '
        log='"$OUT/$suite"'/$(printf %s "@" | tr / _).log
        { echo "# @"; CMOCKA_MESSAGE_OUTPUT=TAP timeout 120 "@"; } >"$log" 2>&1; rc=$?
        if [ $rc -ne 0 ] && ! grep -aq "^not ok" "$log"; then echo "not ok - @ ended with $rc" >>"$log"; fi
        if ! grep -aqE "^(not )?ok" "$log"; then echo "not ok - @ ran no test" >>"$log"; fi'
    cat "$OUT/$suite"/*.log >"$OUT/$suite.log"
    count "$suite" "$(grep -ac '^ok ' "$OUT/$suite.log")" "$(grep -ac '^not ok ' "$OUT/$suite.log")"
}

unit()   { cmocka unit $(find $B/unit -type f -name 'test_*' -executable ! -name '*.d' 2>/dev/null | sort); }
replay() { set -- $(find $B/replay -type f -name 'test_*' -executable 2>/dev/null | sort); [ $# = 0 ] || cmocka replay "$@"; }

# two at a time: the machine this must fit has two cores
fuzz() {
    ls build/fuzz/ 2>/dev/null | grep '^fuzz_' | grep -v '\.d$' >"$OUT/targets"
    xargs -P 2 -I @ sh -c '
        name=@; corpus=tests/fuzz/corpus/${name#fuzz_}; mkdir -p '"$OUT"'/corpus/@
        if build/fuzz/@ -max_total_time='"$SECONDS_EACH"' -timeout=10 -rss_limit_mb=1024 -artifact_prefix='"$OUT"'/@- \
            '"$OUT"'/corpus/@ $([ -d "$corpus" ] && echo "$corpus") >'"$OUT"'/@.log 2>&1
        then echo "ok - @ $(sed -n "s/^Done //p" '"$OUT"'/@.log)"; else echo "not ok - @: see '"$OUT"'/@.log"; fi' \
        <"$OUT/targets" >"$OUT/fuzz.log"
    count fuzz "$(grep -c '^ok ' "$OUT/fuzz.log")" "$(grep -c '^not ok ' "$OUT/fuzz.log")"
}

# the official JavaScript SDKs
api() {
    "$NODE" tests/api/run.mjs >"$OUT/api.log" 2>&1; rc=$?
    p=$(sed -n 's/^# total pass //p' "$OUT/api.log") f=$(sed -n 's/^# total fail //p' "$OUT/api.log")
    [ -n "$p" ] && [ -n "$f" ] || { p=0 f=1; echo "not ok - the runner ended with $rc" >>"$OUT/api.log"; }
    count api "$p" "$f"
}

scripts() {
    suite=$1
    set -- $(find "tests/$suite" -name 'test_*.sh' 2>/dev/null | sort)
    [ $# = 0 ] && return
    for t in "$@"; do
        folder=$(mktemp -d "${TMPDIR:-/tmp}/carterfone-test.XXXXXX")
        echo "# $t"
        if TMPDIR=$folder timeout 180 sh "$t" 2>&1; then echo "ok - $t"; else echo "not ok - $t ended with $?"; fi
        rm -rf "$folder"
    done >"$OUT/$suite.log"
    count "$suite" "$(grep -ac '^ok ' "$OUT/$suite.log")" "$(grep -ac '^not ok ' "$OUT/$suite.log")"
}

[ $# -gt 0 ] || set -- unit replay fuzz api cli sip smpp faults
for suite in "$@"; do
    case $suite in
    unit | replay | fuzz | api) $suite ;;
    *) scripts "$suite" ;;
    esac
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
