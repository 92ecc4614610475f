# README.md is true: its five-minute tour, line by line as printed, then its JavaScript, then its carriers; only the line that sets
# PATH is left out. Every line must succeed but the one text that the tour says is refused.
set -eu
. tests/lib.sh
readme=$PWD/README.md modules=$PWD/tests/node_modules

# block LANGUAGE N: the Nth fenced block of that language
block() { awk -v fence="\`\`\`$1" -v want="$2" '$0 == fence { n++; on = 1; next } /^```/ { on = 0 } on && n == want' "$readme"; }

for page in $(grep -o '](\(docs/\)*[A-Za-z-]*\.md)' "$readme" | tr -d '])('; grep -o '`docs/[a-z][^`]*`' "$readme" | tr -d '`'); do
    [ -f "$page" ] || { echo "README.md names $page, which is not there"; exit 1; }
done

start_server
mkdir "$TMPDIR/bin"
ln -s "$CARTERFONE" "$TMPDIR/bin/carterfone"
PATH=$TMPDIR/bin:$PATH
unset CARTERFONE_CONNECTION_STRING CARTERFONE_OPERATOR_KEY
export PATH CARTERFONE_DATA="$DATA"
cd "$TMPDIR"

# steps FILE: each line of a block, then its exit code behind it
steps() { awk '{ print } /^[^#]/ { print "echo \"ended $?: " NR "\"" }'; }
[ "$(block sh 2 | grep -c '^carterfone ')" -ge 15 ]
{ block sh 2 | sed '/^export PATH=/d'; block sh 3 | sed '/^node /d'; echo 'echo "free=$FREE"'; } >tour.sh
steps <tour.sh >steps.sh
sh steps.sh >said 2>&1 || true
cat said
refused=$(grep -n '^carterfone sms send --from "$LOCAL"' tour.sh | cut -d: -f1)
grep '^ended ' said | grep -v '^ended 0:' >failed || true
[ "$(cat failed)" = "ended 1: $refused" ] || { echo "-- these lines of the tour failed; only $refused may --"; cat failed; exit 1; }
for words in 'held until' 'bought +1206555' 'bought +1833555' 'rule: SmsNotAvailableForNumberType' 'next: Lease a toll-free' \
    '+1833555[0-9]*  hello from Carterfone' 'SMSReceived .*hello back' 'SMSDeliveryReportReceived .*Delivered' \
    'inbound .*hello back' 'outbound .*disconnected' 'INVITE by trunk sim' 'PlayCompleted'; do
    grep -q "$words" said || { echo "the tour never said: $words"; exit 1; }
done
[ "$(wc -c <heard.wav)" -gt 30000 ]

# the request id of the refusal tells the same story
$(sed -n 's/^  why:  \(carterfone explain .*\)/\1/p' said) | grep -q SmsNotAvailableForNumberType

if [ -x "${NODE:-}" ] && [ -d "$modules/@azure/communication-sms" ]; then
    ln -s "$modules" node_modules
    block js 1 >first.mjs
    eval "$(carterfone trust)"
    connection=$(carterfone connection-string)
    # a bare machine may have no /etc/hosts, and so no localhost: the certificate names 127.0.0.1 too
    getent hosts localhost >/dev/null || connection=$(echo "$connection" | sed 's|//localhost:|//127.0.0.1:|')
    "$NODE" first.mjs "$connection" "$(sed -n 's/^free=//p' said)" | tee sent
    grep -q 'successful: true' sent
fi

# real carriers: the development key and simulated targets end, and the list shows them
block sh 4 | sed 's/smsc.example.net/127.0.0.2/; s/203.0.113.7/127.0.0.3/' | sh -e
carterfone smsc list | grep '^acme  *no  *no '
carterfone trunk list | grep '^acme-sip  *no '
