# An operator's catalogue folder: check-config tells what it changes, serve refuses one that is at fault, a good one is in force; and
# edition current on the command line.
set -eu
. tests/lib.sh
folder=$TMPDIR/catalogue
mkdir "$folder"
printf 'edition: current\ncatalogue: %s\n' "$folder" >"$TMPDIR/site.yaml"

# says CODE WORDS COMMAND...: the exit code, and words on either output
says() {
    code=$1 words=$2; shift 2
    rc=0; said=$("$@" 2>&1) || rc=$?
    case $rc:$said in "$code:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted $code and '$words': $said"; exit 1 ;; esac
}

echo 'JP,tolFree,application,inbound,none,,rated,,,30000000,payg,US' >"$folder/availability.csv"
says 2 "availability.csv:1: column 2 (type): 'tolFree' is no type; did you mean 'tollFree'?" "$CARTERFONE" check-config "$TMPDIR/site.yaml"
says 2 "did you mean 'tollFree'?" "$CARTERFONE" serve --data "$DATA" --listen 127.0.0.1:0 --catalogue "$folder"
[ ! -e "$DATA" ] || { echo "a server that refused to start made its folder"; exit 1; }
CARTERFONE_CATALOGUE=$TMPDIR/absent says 2 'catalogue folder' "$CARTERFONE" serve --data "$DATA" --listen 127.0.0.1:0

echo 'JP,tollFree,application,inbound,none,,rated,,,30000000,payg,US' >"$folder/availability.csv"
echo 'JP,Japan,81' >"$folder/countries.csv"
echo 'JP,tollFree,callIn,,200000' >"$folder/usage.csv"
echo 'Global,mixed,,900000,883' >"$folder/rates.csv"
says 0 'changes edition current in 4 places' "$CARTERFONE" check-config "$TMPDIR/site.yaml"
says 0 'availability.csv:1: adds JP tollFree application' "$CARTERFONE" check-config "$TMPDIR/site.yaml"
says 0 '"catalogueChanges":4' "$CARTERFONE" check-config "$TMPDIR/site.yaml" --json

start_server --config "$TMPDIR/site.yaml"
says 0 'a toll-free number for an application, acquired in JP' ctl plan --for application --country JP --calling inbound --minutes 100
says 0 'calls in   100 x 0.20 = 20.00' ctl plan --for application --country JP --calling inbound --minutes 100
says 0 'call: 0.90 USD for each started minute (Global, prefix 883)' ctl price +8835100012345 --from local --country FR
says 0 'kinds more do not reach it' ctl price +8835100012345
says 0 'GB   local number           person             0.90          -       1.00' ctl price +8835100012345 --from local
says 0 'an alphanumeric sender ID for an application, applied for in SI' ctl plan --for application --country SI --sms outbound
says 0 'register    short code program brief' ctl plan --for application --country GB --sms both
says 0 'once        650.00 USD to set it up' ctl plan --for application --country US --sms both
says 0 'for own use, not to be sold on' ctl plan --for person --country IT
says 0 'more that cost as much or more: --country CC narrows it' ctl plan --for person
says 1 'local number in FI (rule: NumberTypeNotOffered)' ctl plan --for person --country FI --calling both
says 1 'The nearest that works, in ' ctl plan --for person --country FI --calling both
echo 'contry,type,assignment,calling,sms,calls_to,calls_from,sms_to,sms_from,lease,offers,billing' >"$folder/availability.csv"
says 2 "availability.csv:1: column 1 (country): the header says 'contry' here" "$CARTERFONE" check-config "$TMPDIR/site.yaml"
