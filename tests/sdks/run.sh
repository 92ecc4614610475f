#!/bin/sh
# The Python and Java SDKs, once each, against one server: `make test-sdks`. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.."
CARTERFONE=${CARTERFONE:-$PWD/build/carterfone}
OUT=$PWD/build/sdks
passed=0 failed=0
mkdir -p "$OUT"

# installed once: again only when what is wanted has changed
want=$(cat tests/sdks/requirements.txt tests/sdks/java/pom.xml tests/sdks/java/src/main/java/*.java | cksum)
if [ "$(cat "$OUT/have" 2>/dev/null)" != "$want" ]; then
    rm -rf "$OUT/python" "$OUT/classes"
    python3 -m venv "$OUT/python" && "$OUT/python/bin/pip" install -q --disable-pip-version-check -r tests/sdks/requirements.txt ||
        { echo "the Python SDKs could not be installed"; exit 1; }
    (cd tests/sdks/java && mvn -q -B -DbuildDirectory="$OUT/maven" compile \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath -Dmdep.outputFile="$OUT/classpath") ||
        { echo "the Java SDKs could not be built"; exit 1; }
    printf '%s\n' "$want" >"$OUT/have"
fi

TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/carterfone-sdks.XXXXXX")
export TMPDIR CARTERFONE
. tests/lib.sh
start_server
CARTERFONE_CONNECTION_STRING=$(ready connectionString)
CA=$(ready caFile)
export CARTERFONE_CONNECTION_STRING

count() { if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "not ok - $2 ended with $1"; fi; }

CARTERFONE_DATA=$DATA
export CARTERFONE_DATA
for tour in tour sms_tour; do
    REQUESTS_CA_BUNDLE=$CA "$OUT/python/bin/python" tests/sdks/$tour.py
    count $? "Python's $tour"
done

rm -f "$TMPDIR/trust.p12"
keytool -importcert -noprompt -alias carterfone -file "$CA" -keystore "$TMPDIR/trust.p12" -storetype PKCS12 -storepass carterfone 2>/dev/null
for tour in Tour SmsTour; do
    java -Djavax.net.ssl.trustStore="$TMPDIR/trust.p12" -Djavax.net.ssl.trustStorePassword=carterfone \
        -cp "$OUT/maven/classes:$(cat "$OUT/classpath")" $tour
    count $? "Java's $tour"
done

stop_server
count $? "the server"
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ] || { tail -n 40 "$TMPDIR/server.log"; exit 1; }
