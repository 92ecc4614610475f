# Numbers of an operator's own on the command line: a list with bad rows of each kind is brought in, found, leased, written down,
# noted, withdrawn and taken back; an import whose client or server is killed goes on with the same list and no other.
set -eu
. tests/lib.sh
start_server
list=$TMPDIR/list.csv

# says CODE WORDS COMMAND...: the exit code, and words on either output
says() {
    code=$1 words=$2; shift 2
    rc=0; said=$(ctl "$@" 2>&1) || rc=$?
    case $rc:$said in "$code:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted $code and '$words': $said"; exit 1 ;; esac
}
# same WHAT WANTED GOT
same() { [ "$2" = "$3" ] || { echo "$1: wanted $2, got $3"; exit 1; }; }
# lines FILTER...: how many numbers an export has
lines() { ctl numbers export "$@" | awk 'NR > 1' | wc -l | tr -d ' '; }

# -- 3000 rows, and among them one bad row of each kind ------------------------------------------------------------------
awk 'BEGIN {
    printf "number,type,capabilities,cost,tags,carrier\r\n"
    for (i = 0; i < 3000; i++) {
        if (i == 100) { bad = "+1206200x,,,,,"; print bad }
        if (i == 200) print "+12062000000,,,,,"
        if (i == 300) print "+12063100000,toll-free,,,,"
        if (i == 400) print "+12063100001,fixed,,,,"
        if (i == 500) print "+12063100002,,calling:perhaps,,,"
        if (i == 600) print "+12063100003,,,free,,"
        if (i == 700) print "+12063100004,,,,two words,"
        if (i == 800) print "+12063100005,,,,,nobody"
        if (i == 900) print "+12063100006,,"
        if (i == 1000) print "+1206\"3100007,,,,,"
        if (i == 1100) print "+12063100008,,\"calling:both sms:both\",,,\"open"
        if (i == 1200) print "+12063100009,,calling:none sms:none,,,"
        printf "+1206%07d,local,calling:both sms:none,0.85,\"block;west\",\n", 2000000 + i
    }
}' >"$list"

says 2 'FILE.csv is missing' numbers import
says 2 'cannot be opened' numbers import "$TMPDIR/nowhere.csv"
says 2 '--undo ID stands alone' numbers import "$list" --undo x
says 1 'rule: CarrierUnknown' numbers import "$list" --carrier nobody
printf 'number,carier\n+12062000000,sim\n' >"$TMPDIR/wrong.csv"
says 1 "did you mean 'carrier'?" numbers import "$TMPDIR/wrong.csv"
says 1 'dry run: 3,000 rows would be imported, 12 left out' numbers import "$list" --carrier sim --dry-run
same 'after a dry run' 0 "$(lines)"
says 1 'nothing was imported: 12 rows are bad' numbers import "$list" --carrier sim --all-or-nothing
# a list of bad rows alone has failed, and says what to do
printf 'number\n12\n13\n' >"$TMPDIR/bad-alone.csv"
says 1 '2 were left out. It has ended as failed' numbers import "$TMPDIR/bad-alone.csv" --carrier sim
says 1 'Correct the rows and import the list again' numbers import "$TMPDIR/bad-alone.csv" --carrier sim
ctl numbers imports | awk '/bad-alone/ && !/failed/ { exit 1 }'
failed=$(ctl numbers imports | awk '/bad-alone/ { print $1; exit }')
says 1 'it is failed' numbers import "$TMPDIR/bad-alone.csv" --resume "$failed"
printf 'number\n' >"$TMPDIR/empty.csv"
says 0 'the list has no rows' numbers import "$TMPDIR/empty.csv"
same 'after all or nothing' 0 "$(lines)"
ctl numbers imports | awk '$0 ~ /wrong|list/ && !/rolledBack/ { exit 1 }' || { echo "an import was left open"; exit 1; }

rc=0; ctl numbers import "$list" --carrier sim --report "$TMPDIR/bad.csv" >"$TMPDIR/out" 2>"$TMPDIR/err" || rc=$?
same 'exit of an import with bad rows' 1 $rc
grep -q '^imported 3,000 numbers in .* 12 rows were left out$' "$TMPDIR/out" || { cat "$TMPDIR/out"; exit 1; }
grep -q "^line 102: '+1206200x' is not a possible phone number. Write it with '+', country code" "$TMPDIR/err" || { cat "$TMPDIR/err"; exit 1; }
awk -F, 'NR > 1 { printf "%s ", $3 }' "$TMPDIR/bad.csv" >"$TMPDIR/rules"
same 'the report' 'RowNumberInvalid RowDoubled RowTypeWrong RowTypeUnknown RowCapabilityUnknown RowCostInvalid RowTagsInvalid CarrierUnknown RowMalformed RowMalformed RowMalformed RowWithoutCapability ' "$(cat "$TMPDIR/rules")"
id=$(sed -n 's/.*--undo //p' "$TMPDIR/out")

# -- found, leased, looked at --------------------------------------------------------------------------------------------
same 'inventory of Seattle' 3000 "$(lines --locality Seattle)"
same 'a pattern' 10 "$(lines --pattern '206200012?')"
same 'a tag, a type, a carrier and a state' 3000 "$(lines --tag west --type local --carrier sim --state available)"
says 0 '+12062000007' numbers inventory --prefix 12062000007
says 0 'There are more: --top N, or --after +12062000001' numbers inventory --top 2
says 0 '"phoneNumber":"+12062000002"' numbers inventory --top 1 --after +12062000001 --json
says 1 'rule: LocalityUnknown' numbers inventory --locality Atlantis
says 1 'carterfone numbers areas' numbers inventory --locality Atlantis
says 0 '206        US       local  Seattle' numbers areas --locality Seattle
says 0 'toll-free' numbers areas --type toll-free
says 1 'rule: LocalityUnknown' numbers areas --locality Atlantis
says 0 '"areaCode":"207"' numbers areas --locality 'Portland, ME' --json
says 0 '3000' numbers pools
bought=$(ctl numbers buy --type local --for person --area-code 206 | sed -n 's/^bought //p')
case $bought in +1206200*) ;; *) echo "bought '$bought', not one of the operator's own"; exit 1 ;; esac
says 0 "$bought" numbers list
same 'leased' 1 "$(lines --state leased)"
says 0 'default' numbers inventory --state leased
says 0 'leased' numbers history "$bought"
says 0 'vip' numbers tag "$bought" vip gold
says 0 'the mayor' numbers note "$bought" 'the mayor, and "friends"'
says 0 'tag added' numbers history "$bought"
says 0 'note set' numbers history "$bought"
says 2 'either tags, or --none' numbers tag "$bought"
says 0 'block, west' numbers tag "$bought" --none
says 0 'tag removed' numbers history "$bought"
says 1 'rule: NumberInUse' numbers withdraw "$bought"
says 1 'rule: ImportInUse' numbers import --undo "$id"
ctl numbers withdraw +12062000500
same 'after a withdrawal' 2999 "$(lines)"

# -- written down, and read again ----------------------------------------------------------------------------------------
ctl numbers export "$TMPDIR/export.csv" --state available
same 'exported' 2999 "$(wc -l <"$TMPDIR/export.csv" | tr -d ' ')"
ctl numbers release "$bought"
ctl clock advance 120d >/dev/null
says 0 'is undone' numbers import --undo "$id"
same 'after the undo' 0 "$(lines)"
says 0 'imported 2,998 numbers' numbers import "$TMPDIR/export.csv"
ctl numbers export - --state available | cut -d, -f1-8 >"$TMPDIR/again.cut"
cut -d, -f1-8 "$TMPDIR/export.csv" | diff - "$TMPDIR/again.cut" || { echo "what was read again is not what was written"; exit 1; }
says 0 'ROWS' numbers imports

# -- killed in the middle ------------------------------------------------------------------------------------------------
long=$TMPDIR/long.csv
awk 'BEGIN { print "number,tags"; for (i = 0; i < 30000; i++) printf "+1212%07d,%s\n", 2000000 + i, i == 20 ? "two words" : "long" }' >"$long"
mkfifo "$TMPDIR/pipe"

# taken ID: rows of an import so far
taken() { ctl numbers imports --json | sed -n "s/.*\"id\":\"$1\"[^}]*\"rows\":\\([0-9]*\\).*/\\1/p"; }
# half_way [OPTION...]: an import that waits for the second half of its list, with 8192 rows taken; its id in $id, its process in $client
half_way() {
    rm -f "$TMPDIR/err"
    env -u CARTERFONE_CONNECTION_STRING "$CARTERFONE" --data "$DATA" numbers import - --carrier sim "$@" <"$TMPDIR/pipe" \
        >"$TMPDIR/out" 2>"$TMPDIR/err" &
    client=$!
    exec 3>"$TMPDIR/pipe"
    head -n 20000 "$long" >&3
    tries=400 id=
    until [ -n "$id" ] && [ "$(taken "$id")" -gt 8000 ]; do
        tries=$((tries - 1)); [ $tries != 0 ] || { echo "the import does not begin"; cat "$TMPDIR/err"; exit 1; }
        sleep 0.05
        id=$(sed -n 's/^import \(.*\) begins.*/\1/p' "$TMPDIR/err" 2>/dev/null)
    done
}

half_way
kill -9 $client 2>/dev/null; wait $client 2>/dev/null || :
exec 3>&-
same 'what an open import shows' 0 "$(lines --prefix 1212 --state available)"
sed 's/+1212/+1315/' "$long" >"$TMPDIR/other.csv"
says 1 'is not the list that import' numbers import "$TMPDIR/other.csv" --resume "$id"
# a row in the middle of what was sent, behind its first 64 KiB: the same length, another number
awk 'NR == 7001 { sub("2006999", "9999999") } 1' "$long" >"$TMPDIR/other.csv"
says 1 'they differ before line' numbers import "$TMPDIR/other.csv" --resume "$id"
says 2 'a dry run as a dry run' numbers import "$long" --resume "$id" --dry-run
says 2 'has its carrier already' numbers import "$long" --resume "$id" --carrier sim
says 1 'imported 29,999 numbers' numbers import "$long" --resume "$id" --report "$TMPDIR/bad.csv"
grep -q '^22,+12122000020,RowTagsInvalid,' "$TMPDIR/bad.csv" || { echo "the report forgot what was bad before"; cat "$TMPDIR/bad.csv"; exit 1; }
same 'resumed' 29999 "$(lines --prefix 1212 --state available)"
says 1 'has ended: it is complete' numbers import "$long" --resume "$id"
says 1 "numbers import --undo $id" numbers import "$long" --resume "$id"
says 0 'is undone' numbers import --undo "$id"

# a dry run that was killed goes on as one, or goes by itself
half_way --dry-run
kill -9 $client 2>/dev/null; wait $client 2>/dev/null || :
exec 3>&-
says 1 'dry run: 29,999 rows would be imported' numbers import "$long" --resume "$id"
half_way --dry-run
kill -9 $client 2>/dev/null; wait $client 2>/dev/null || :
exec 3>&-
says 0 'open' numbers imports
ctl clock advance 16m >/dev/null
ctl numbers imports | awk -v id="$id" '$1 == id && !/rolledBack/ { exit 1 }' || { echo "a dry run was left open"; exit 1; }

half_way
kill -9 "$server_pid"; wait "$server_pid" 2>/dev/null || :
server_pid=
tail -n +20001 "$long" >&3 || :          # it may end before it has read all
exec 3>&-
rc=0; wait $client || rc=$?
same 'exit of a client whose server died' 3 $rc
grep -q -- "--resume $id" "$TMPDIR/err" || { cat "$TMPDIR/err"; exit 1; }
start_server
same 'an open import after a crash' 0 "$(lines --prefix 1212 --state available)"
says 1 'imported 29,999 numbers' numbers import - --resume "$id" <"$long"
same 'resumed after a crash' 29999 "$(lines --prefix 1212 --state available)"
