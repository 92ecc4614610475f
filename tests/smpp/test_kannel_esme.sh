# Kannel (configured as docs/simulator.md says) as a customer's ESME at our own SMPP server: it binds with the resource's credentials,
# sends 1,000 messages, has 1,000 delivery reports and 20 messages from a handset. All of it went through the product's own pipeline.
set -u
. tests/lib.sh
[ -x /usr/sbin/bearerbox ] || { echo "FAILED: Kannel is not installed"; exit 1; }
start_server
search=$(ctl numbers search --type toll-free --for application --sms inbound+outbound | sed -n 's/.*numbers buy //p')
ctl numbers buy "$search" >"$TMPDIR/bought" || { cat "$TMPDIR/bought"; exit 1; }
FROM=$(sed -n 's/^bought //p' "$TMPDIR/bought")
SYSTEM_ID=default
PASSWORD=$(ctl resource keys default --json | sed -n 's/.*"password":"\([^"]*\)".*/\1/p')
export FROM SYSTEM_ID PASSWORD
# a phone writes once Kannel is bound; from then on its messages wait for it
{
    tries=600
    until ctl resource keys default | grep -q '^receivers bound  *1$'; do
        tries=$((tries - 1))
        [ $tries != 0 ] || exit 1
        sleep 0.1
    done
    for n in $(seq 20); do ctl handset sms +12065550101 --to "$FROM" "from a handset $n" >/dev/null || exit 1; done
} &
phone=$!
MO_WANTED=20 "$NODE" tests/smpp/kannel.mjs "$(ready smpp)" || { tail -n 30 "$TMPDIR/server.log"; exit 1; }
wait $phone || { echo "FAILED: the phone could not write"; exit 1; }
ctl usage --by kind | grep -q '^smsOut .* 1000 ' || { echo 'FAILED: 1,000 segments were not charged:'; ctl usage --by kind; exit 1; }
