#!/bin/sh
# Install what a fresh Debian 12 lacks:  tools/setup.sh run|test|sdks|check
#   run    compilers and libraries of the server          test   + test tools, Node and the JavaScript SDKs
#   sdks   + Python and Java for `make test-sdks`         check  + formatter and linter
# Does nothing, quickly, when all is there. Needs root or sudo only when a package is missing.
set -eu
cd "$(dirname "$0")/.."

RUN="gcc libc6-dev make pkg-config libmicrohttpd-dev libgnutls28-dev libcurl4-openssl-dev libuv1-dev libsofia-sip-ua-dev
     libspandsp-dev libsndfile1-dev libssl-dev libsqlite3-dev libjansson-dev libyaml-dev"
TEST="libcmocka-dev clang libclang-rt-14-dev sip-tester libsmpp34-dev kannel"
SDKS="python3-venv default-jdk-headless maven"
CHECK="clang-format clang-tidy"

say() { printf 'setup: %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else say "these packages are missing and only root can install them: $missing" >&2; exit 1
    fi
}

# apt_install PACKAGE...: those that are not installed, without what they merely recommend
apt_install() {
    missing=            # (RUNLEVEL: a package that is a service, Kannel, need not be started)
    for p in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    # shellcheck disable=SC2086
    if ! as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >build/setup.log 2>&1; then
        as_root apt-get update -qq >build/setup.log 2>&1 || true        # an old index: names have moved on
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing >build/setup.log 2>&1 ||
            { cat build/setup.log >&2; say "apt-get failed" >&2; exit 1; }
    fi
}

# Node 22 comes from npm itself, pinned in the lock file: Debian 12's own is too old for the SDKs.
npm_install() {
    sum=$(cksum <tests/package-lock.json)
    [ "$(cat tests/node_modules/.lock-sum 2>/dev/null)" = "$sum" ] && return 0
    command -v npm >/dev/null || apt_install npm
    say "installing the JavaScript SDKs and Node 22"
    (cd tests && npm ci --ignore-scripts --no-audit --no-fund >../build/setup.log 2>&1) ||
        { cat build/setup.log >&2; say "npm ci failed" >&2; exit 1; }
    # an old npm makes no link for a package whose bin the lock file does not repeat
    (cd tests/node_modules/.bin && ln -sf ../node-linux-*/bin/node node)
    tests/node_modules/.bin/node --version >/dev/null || { say "Node 22 does not run here" >&2; exit 1; }
    printf '%s\n' "$sum" >tests/node_modules/.lock-sum
}

# A bare machine may have no /etc/hosts; the connection string says localhost, as the certificate does.
know_localhost() {
    getent hosts localhost >/dev/null && return 0
    say "nothing here resolves localhost; adding it to /etc/hosts"
    missing="(and localhost to /etc/hosts)"
    as_root sh -c 'echo "127.0.0.1 localhost" >>/etc/hosts'
}

mkdir -p build
know_localhost
# shellcheck disable=SC2086
case "${1:-}" in
run)   apt_install $RUN ;;
test)  apt_install $RUN $TEST; npm_install ;;
sdks)  apt_install $RUN $SDKS ;;
check) apt_install $RUN $TEST $CHECK ;;
*)     echo "usage: tools/setup.sh run|test|sdks|check" >&2; exit 2 ;;
esac
