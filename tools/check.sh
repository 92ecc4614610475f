#!/bin/sh
# What `make check` reads without running anything: blanks and line length of our text, then clang-tidy (.clang-tidy); with
# "deep" its analyser too, which takes minutes.
set -u
cd "$(dirname "$0")/.."
bad=0

# The shape of the code is the style guide's (CONTRIBUTING.md), with tables laid out by hand, so clang-format is a
# help while writing (.clang-format) and no judge here.
git ls-files '*.c' '*.h' '*.sh' '*.sql' '*.mjs' '*.awk' '*.md' Makefile | xargs awk '
    FNR == 1 && NR > 1 && last == "" { print prev ": ends in an empty line"; bad = 1 }
    /[ \t\r]+$/ { print FILENAME ":" FNR ": blanks at the end"; bad = 1 }
    /\t/ && FILENAME ~ /\.[ch]$/ { print FILENAME ":" FNR ": a tab"; bad = 1 }
    length($0) > 160 && FILENAME ~ /\.[ch]$/ && $0 !~ /\\$/ { print FILENAME ":" FNR ": over 160 columns"; bad = 1 }
    { last = $0; prev = FILENAME }
    END { exit bad }' || bad=1

# tidy LOG FLAG...: clang-tidy over every source file
tidy() {
    log=$1; shift
    flags="-std=c17 -D_GNU_SOURCE -Isrc -Ibuild/gen $(pkg-config --cflags sofia-sip-ua | sed 's/-I/-isystem /g')"
    # shellcheck disable=SC2086
    git ls-files 'src/*.c' | xargs -P "$(nproc)" -I F clang-tidy --quiet "$@" F -- $flags 2>/dev/null | sed "s|$PWD/||" >"$log"
}

if command -v clang-tidy >/dev/null; then
    tidy build/tidy.log
    ! grep -E '(warning|error):' build/tidy.log || bad=1
    if [ "${1:-}" = deep ]; then
        tidy build/analyser.log --checks='-*,clang-analyzer-*,-clang-analyzer-security.*,-clang-analyzer-optin.*' --warnings-as-errors=''
        echo "the analyser: $(grep -c 'warning:' build/analyser.log) opinions in build/analyser.log"
    fi
fi
exit $bad
