# The planner and the price of a number on the command line; what a plan says to type next is accepted.
set -eu
. tests/lib.sh
start_server

# says CODE WORDS COMMAND...: the exit code, and words on either output
says() {
    code=$1 words=$2; shift 2
    rc=0; said=$(ctl "$@" 2>&1) || rc=$?
    case $rc:$said in "$code:"*"$words"*) ;; *) echo "$*: ended with $rc, wanted $code and '$words': $said"; exit 1 ;; esac
}

says 0 'call: 0.015 USD for each started minute (United Kingdom-London, prefix 4420)' price +442071838750
says 0 'call: no (CallDestinationNotAllowed)' price +442071838750
says 0 'SMS:  0.01 USD a segment, of which 0.0025 is the carrier' price +12065550100 --from toll-free
says 0 '0.09 USD for each started minute' price +19075550100 --from local
says 0 '"microUsdPerStartedMinute":13000' price +12065550100 --json
says 1 'rule: CallDestinationNotAllowed' price +442071838750 --from toll-free
says 1 'rule: DestinationClosed' price +19005550100
says 1 'rule: CallDestinationInvalid' price 12
says 1 'rule: PhoneNumberTypeUnknown' price +12065550100 --from mobile
says 2 'price NUMBER' price

says 0 'a local number for a person, acquired in US' plan --for person
says 0 'a toll-free number for an application, acquired in US' plan --for application --sms outbound
says 0 'a month     20.50 USD' plan --for application --minutes 500 --messages 1000
says 0 'calls in   50 x 0.0085 = 0.425' plan --for person --calling both --minutes 101
says 0 '"possible":true' plan --for person --json
says 1 '"possible":false' plan --for person --sms both --json
says 1 '(rule: TollFreeNotForPerson)' plan --for person --sms both
says 1 'The nearest that works, with two numbers: one to call with' plan --for person --calling both --sms both
says 1 '(rule: CountryNotOffered)' plan --for person --country FR
says 1 'The nearest that works, in US:' plan --for person --country FR
says 1 'without reaching +442071838750' plan --for application --sms outbound --to +442071838750
says 1 'rule: AssignmentTypeUnknown' plan --for robot
says 1 'rule: CapabilityUnknown' plan --for person --sms sometimes
says 1 "no account named 'nobody'" plan --for person --account nobody
says 2 '--for person|application is needed' plan
says 2 "did you mean --messages?" plan --for person --message 5

ctl account add poor --offer trial
ctl account add abroad --billing-country GB
says 0 'default may buy it' plan --for person --account default
says 1 'poor may not buy it (rule: TrialSubscriptionNotEligible)' plan --for person --account poor
says 1 'abroad may not buy it (rule: BillingCountryNotEligible)' plan --for application --sms both --account abroad
says 1 'Nothing near it works for account poor (rule: TrialSubscriptionNotEligible)' plan --for person --account poor
says 1 'Use a resource of a paid subscription' plan --for person --account poor
says 1 '"blockedBy":{"rule":"TrialSubscriptionNotEligible"' plan --for person --account poor --sms both --json

# what it says to type next works as it stands
for who in person application; do
    ctl plan --for $who | sed -n 's/^  next  *carterfone //p' >"$TMPDIR/next"
    [ -s "$TMPDIR/next" ]
    while read -r line; do
        # shellcheck disable=SC2086
        ctl $line </dev/null | grep '^search'
    done <"$TMPDIR/next"
done
