# usage, invoice and price on the command line: tables, sums, comma-separated values.
set -eu
. tests/lib.sh
start_server

# says CODE WORDS COMMAND...: the exit code, and words on either output; blanks in a row are one
says() {
    code=$1 words=$2; shift 2
    rc=0; said=$(ctl "$@" 2>&1) || rc=$?
    said=$(printf '%s' "$said" | tr -s ' ')
    case $rc:$said in "$code:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted $code and '$words': $said"; exit 1 ;; esac
}

says 0 'Nothing was charged then.' usage
says 0 'total USD 0.00' invoice
search=$(ctl numbers search --type toll-free --for application --calling both --sms both --json | sed 's/.*"searchId":"\([^"]*\)".*/\1/')
ctl numbers buy "$search"
number=$(ctl numbers list --json | sed 's/.*"phoneNumber":"\([^"]*\)".*/\1/')
ctl sms send --from "$number" --to +12065550101 hello
says 0 'sent' handset sms +12065550101 "$number" hi
tries=200
until [ "$(ctl usage --csv | wc -l)" -ge 4 ]; do tries=$((tries - 1)); [ $tries -gt 0 ] || { ctl usage; exit 1; }; sleep 0.05; done

says 0 'lease 1 month 0.00 2.00' usage --by kind
says 0 "$number smsOut" usage --by number
says 0 'US toll-free lease' usage --by destination
says 0 'segment 0.01 0.01 Outgoing_' usage
says 0 '"by":"day","value":[{"day":"' usage --by day --json
says 0 "$number,smsIn,US,US,1,segment,8500,1000,8500," invoice --csv
says 0 'total USD 2.0185' invoice
says 0 'spend cap USD none' invoice
says 0 'Nothing was charged then.' usage --month 2001-01
says 0 'Nothing was charged then.' usage --kind voipLeg
says 1 'rule: QueryUnreadable' usage --by colour
says 1 "no account named 'nobody'" invoice --account nobody
says 0 'total USD 2.0185' invoice --resource default

says 0 'default may spend 2.02 USD a month; it spent 2.0185 in this one' account set default --spend-cap 2.02
says 0 'spend cap USD 2.02' account show default
says 0 'spent this month 2.0185' account show default
says 1 'SpendCapReached' sms send --from "$number" --to +12065550101 hello
says 1 "Subscription 'default' may spend 2.02 USD" call place --from "$number" --to +12065550102
says 0 'default has no spend cap' account set default --spend-cap none
says 0 'spend cap USD none' account show default
says 2 "'lots' is neither an amount" account set default --spend-cap lots
says 2 "'1.0000001' is neither an amount" account set default --spend-cap 1.0000001
says 1 'SubscriptionNotFound' account set nobody --spend-cap 1

# the sum of the charges is the invoice's total
sum() { awk -F, 'NR > 1 { total += $12 } END { printf "%d", total }'; }
charges=$(ctl usage --csv | sum)
total=$(ctl invoice --json | sed 's/.*"microUsd":\([0-9]*\),"lines".*/\1/')
[ "$charges" = "$total" ] || { echo "charges $charges, invoice $total"; exit 1; }

says 0 'call: 0.013 USD for each started minute' price +12065550102 --from "$number"
says 0 "the application's VoIP leg of a call, out or in: 0.004 USD for each started minute more" price +12065550102 --from "$number"
says 0 'a call received: 0.022 USD' price +12065550102 --from "$number"
says 0 'an SMS received: 0.0085 USD a segment' price +12065550102 --from "$number"
says 0 'the number: 2.00 USD a month' price +12065550102 --from "$number"
says 1 'rule: CallDestinationNotAllowed' price +442071838750 --from "$number"
