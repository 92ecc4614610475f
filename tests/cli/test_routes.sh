# docs/conformance.md is what `carterfone routes` prints, and the routes are exactly the published operations of
# docs/operations.csv (method, path up to the names of its parameters, operation).
set -eu
bad=0
"$CARTERFONE" routes >"$TMPDIR/now.md"
diff -u docs/conformance.md "$TMPDIR/now.md" || { echo "docs/conformance.md is old: carterfone routes >docs/conformance.md"; bad=1; }

flat() { sed 's/{[^}]*}/{}/g' | LC_ALL=C sort; }
awk -F, 'NR > 1 { print $3 " " $4 " " $2 }' docs/operations.csv | flat >"$TMPDIR/published"
awk -F ' [|] ' '/^\| [A-Za-z]+_?[A-Za-z]* \|/ && !/^\| (operation|Carterfone_)/ { sub(/^\| /, "", $1); gsub(/`/, "", $3); print $2 " " $3 " " $1 }' \
    "$TMPDIR/now.md" | flat >"$TMPDIR/routed"
[ -s "$TMPDIR/routed" ]
diff -u "$TMPDIR/published" "$TMPDIR/routed" || { echo "the routes differ from docs/operations.csv"; bad=1; }

# an operation is built only when a test that exists shows it
awk -F ' [|] ' '/ \| (built|partly) \| / { sub(/ *\|$/, "", $5); print $1 " : " $5 }' "$TMPDIR/now.md" | while IFS= read -r line; do
    for t in $(printf '%s\n' "${line##* : }" | tr ',' ' '); do
        [ -e "tests/$t" ] || [ -e "tests/unit/$t" ] || [ -e "$t" ] || { echo "$line: no such test '$t'"; exit 1; }
    done
    case $line in *" : ") echo "$line names no test"; exit 1 ;; esac
done || bad=1
exit $bad
