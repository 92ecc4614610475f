# A server's data is backed up while it runs, and a server on the copy has what the first one had; the doctor says what is worth
# mending in the folder, with what to do.
set -eu
. tests/lib.sh
start_server

# says CODE WORDS COMMAND...: the exit code, and words on either output
says() {
    code=$1 words=$2; shift 2
    rc=0; said=$(ctl "$@" 2>&1) || rc=$?
    case $rc:$said in "$code:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted $code and '$words': $said"; exit 1 ;; esac
}

bought=$(ctl numbers buy --type toll-free --for application | sed -n 's/^bought //p')
says 0 'backed up' backup "$TMPDIR/copy"
says 2 'is there already' backup "$TMPDIR/copy"
[ "$(stat -c %a "$TMPDIR/copy" "$TMPDIR/copy/carterfone.db" "$TMPDIR/copy/id.key" "$TMPDIR/copy/tls/ca.key" | tr '\n' ' ')" = '700 600 600 600 ' ] \
    || { stat -c '%a %n' "$TMPDIR"/copy "$TMPDIR"/copy/*; exit 1; }
later=$(ctl numbers buy --type toll-free --for application | sed -n 's/^bought //p')

says 0 'carrier sim' doctor
says 0 'TLS, and the server' doctor
says 0 '"what":"room on its disk"' doctor --json
chmod 644 "$DATA/operator.key"
says 0 "others may read it: chmod 600 $DATA/operator.key" doctor
chmod 600 "$DATA/operator.key"

stop_server
says 3 'port of the API' doctor
mv "$DATA" "$TMPDIR/first"
mv "$TMPDIR/copy" "$DATA"
start_server
says 0 "$bought" numbers list
case $said in *"$later"*) echo "the copy knows what came later"; exit 1 ;; esac
