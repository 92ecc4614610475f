# The command line without a server: exit codes, and what is said.
set -u
bad=0
cd "${TMPDIR:?}"
unset CARTERFONE_CONNECTION_STRING CARTERFONE_DATA CARTERFONE_OPERATOR_KEY

# expect CODE "WORDS" ARGUMENT...: the exit code, and words on standard output or error
expect() {
    code=$1 words=$2; shift 2
    said=$("$CARTERFONE" "$@" 2>&1); rc=$?
    case $rc:$said in
    "$code:"*"$words"*) ;;
    *) echo "carterfone $*: ended with $rc, wanted $code and '$words'; said: $said"; bad=1 ;;
    esac
}

expect 2 'serve --help'
expect 0 'Exit code: 0 done' --help
expect 0 'help AREA' --help
expect 0 'numbers buy [SEARCHID]' help all
# the first screen is one screen, and every command is in an area of it
[ "$("$CARTERFONE" --help | wc -l)" -le 58 ] || { echo "the first screen of help is long"; bad=1; }
"$CARTERFONE" help all | sed -n "s/^  \([a-z][a-z-]*\) .*/\1/p" | sort -u | while read -r family; do
    "$CARTERFONE" --help | grep -q "^  $family " || echo "$family"
done >missing
[ ! -s missing ] || { echo "not in any area of help: $(cat missing)"; bad=1; }
expect 2 "did you mean 'numbers'?" number list
expect 2 "did you mean 'search'?" numbers serch
expect 2 'numbers buy [SEARCHID]' numbers
expect 0 'numbers buy [SEARCHID]' numbers --help
expect 0 '--area-code N' numbers search --help
expect 2 'did you mean --type?' numbers search --typ local
expect 2 '--for person|application is needed' numbers search --type local
expect 2 '--type is local, toll-free or mobile' numbers search --type big --for person
expect 2 'not a whole number in 1..1000000' numbers search --type local --for person --quantity 0
expect 2 '--type wants' numbers search --for person --type
expect 2 'stands twice' numbers list --json --json
expect 2 'one word too many' sms send --from +18335550100 --to +12065550101 two words
expect 2 'it wants the SEARCHID' numbers buy
expect 2 'either a SEARCHID' numbers buy 1 --type local
expect 2 'FILE.wav|URL is missing' call play 1
expect 2 'ID is missing' explain
expect 0 'numbers buy [SEARCHID]' help numbers buy
expect 0 'numbers buy [SEARCHID]' numbers help
expect 0 'numbers buy [SEARCHID]' numbers buy -h
expect 0 'numbers buy [SEARCHID]' help numbers
expect 0 'carterfone 0.' --version
expect 2 'no duration' clock advance fortnight
expect 2 'no duration' clock advance 5x
expect 3 'no server runs on ./carterfone-data' numbers list
expect 3 'no answer from http://127.0.0.1:9' --server http://127.0.0.1:9 numbers list
expect 2 'names another machine' numbers list --server http://example.com
expect 2 'wants a URL' numbers list --server localhost
CARTERFONE_CONNECTION_STRING='endpoint=nowhere'
export CARTERFONE_CONNECTION_STRING
expect 2 'is not endpoint=URL;accesskey=KEY' numbers list
CARTERFONE_CONNECTION_STRING='AccessKey=AAAA;Endpoint=http://127.0.0.1:9/'
expect 3 'no answer from http://127.0.0.1:9' numbers list
unset CARTERFONE_CONNECTION_STRING
printf 'garbage' >ready.json
expect 3 'cannot be read' numbers list --data .

printf 'data: x\nlisten:\n  - 127.0.0.1:4500\nsipp: a\n' >site.yaml
expect 2 "site.yaml:4: there is no setting 'sipp'; did you mean 'sip'?" check-config site.yaml
printf 'data: x\nlisten: "127.0.0.1:1"\n' >site.yaml
expect 0 'data in x, the API on 127.0.0.1:1' check-config site.yaml
expect 2 'No such file' check-config absent.yaml
expect 2 "there is no setting 'lisen'; did you mean 'listen'?" serve --lisen x
expect 0 '--rtp-ports A-B' serve --help
expect 0 'words=' completion
expect 0 'settings set reset cut outage inject' completion
expect 0 'subcommand_from smsc; and __fish_seen_subcommand_from route' completion fish
expect 0 'compadd' completion zsh
expect 0 'complete -c carterfone' completion fish
expect 2 'bash, zsh and fish' completion csh
expect 0 '{"good":true' check-config site.yaml --json
command -v bash >/dev/null && {
    offered=$(bash -c 'eval "$("$CARTERFONE" completion)"; COMP_WORDS=(carterfone numbers buy --ty) COMP_CWORD=3; _carterfone; echo "${COMPREPLY[@]}"
        COMP_WORDS=(carterfone numbers se) COMP_CWORD=2; _carterfone; echo "${COMPREPLY[@]}"')
    [ "$offered" = "$(printf -- '--type\nsearch')" ] || { echo "completion offers: $offered"; bad=1; }
}
exit $bad
