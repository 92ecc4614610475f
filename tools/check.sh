#!/bin/sh
# What `make check` reads without running anything: blanks and line length of our text, then clang-tidy (.clang-tidy).
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

if command -v clang-tidy >/dev/null; then
    flags="-std=c17 -D_GNU_SOURCE -Isrc -Ibuild/gen $(pkg-config --cflags sofia-sip-ua | sed 's/-I/-isystem /g')"
    # shellcheck disable=SC2086
    git ls-files 'src/*.c' | xargs -P "$(nproc)" -I F clang-tidy --quiet F -- $flags 2>/dev/null | sed "s|$PWD/||" >build/tidy.log
    # advice, not a verdict: the analyser does not follow our scoped cleanup, so it sees leaks that are none
    echo "clang-tidy: $(grep -c 'warning:' build/tidy.log) opinions in build/tidy.log"
    ! grep -q 'error:' build/tidy.log || bad=1
fi
exit $bad
