#!/usr/bin/env bash
# Everything that must hold before a change is merged: the gate, on this machine or on any other.
#
#   scripts/ci.sh             all of it
#   scripts/ci.sh --help      this text
#
# In this order: format, clippy and rustdoc with warnings denied, the four sets of features, the tests,
# kqueue's code on Linux, the simulation, the fuzz targets, the scripts with the quick build. Then the steps that may
# download something, such as shellcheck, irssi, WeeChat and Chromium (apt-get, as root), clients' libraries (pip, npm).
# Beside the steps that wait more than they work, at low priority: the simulation, a minute of fuzzing, and clippy for
# macOS and FreeBSD, whose standard libraries rustup may have to download. It stops at the first step that fails. There
# is no benchmark: nothing here depends on the speed of the machine.
#
# Almost all of the time is the compiler's, so each step builds over what those before it have built: one target
# directory, one profile, the same features of every dependency.
#
# Needs Rust with rustfmt and clippy, a C compiler, and the registry's crates. A step whose tools are
# missing and cannot be installed is skipped, and the last lines say so.

# bash 3.2 will do: that is what macOS has.
# shellcheck disable=SC2030,SC2031 # the settings of the stand-in end with its subshell on purpose
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  '') ;;
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "${0##*/}: unexpected argument '$1' (see --help)" >&2; exit 2 ;;
esac

began=$SECONDS
skipped=
# What runs beside other steps: the output of each in a file, and its process.
outputs=$(mktemp -d)
beside=
# shellcheck disable=SC2086 # processes are words
trap '[ -z "$beside" ] || kill $beside 2>/dev/null; rm -rf "$outputs"' EXIT
# Nothing is built here a second time after a change.
[ "${CI:-}" != true ] || export CARGO_INCREMENTAL=0

step() {
  printf '\n==> %s (at %d s)\n' "$1" "$((SECONDS - began))"
}

# bounded SECONDS COMMAND...: fails if the command takes longer, where the system has timeout(1).
bounded() {
  local limit=$1 code=0
  shift
  if command -v timeout >/dev/null; then
    timeout -k 10 "$limit" "$@" </dev/null || code=$?
    [ "$code" -ne 124 ] || echo "ci: gave up after $limit s: $*" >&2
    return "$code"
  fi
  "$@" </dev/null
}

# outcome CODE OUTPUT COMMAND...: prints the output only on failure. Code 77 means that it cannot run here.
outcome() {
  local code=$1 output=$2
  shift 2
  case $code in
    0) echo "ok: $*" ;;
    77)
      cat "$output"
      skipped="$skipped $1"
      ;;
    *)
      cat "$output" >&2
      echo "ci: failed: $*" >&2
      return 1
      ;;
  esac
}

try() {
  local code=0
  bounded 900 "$@" >"$outputs/now" 2>&1 || code=$?
  outcome "$code" "$outputs/now" "$@"
}

# behind NAME NICENESS COMMAND...: starts it beside the next steps, until `gather NAME`.
behind() {
  local name=$1 niceness=$2
  shift 2
  echo "$*" >"$outputs/$name.command"
  command -v timeout >/dev/null && set -- timeout -k 10 900 "$@"
  nice -n "$niceness" "$@" >"$outputs/$name" 2>&1 </dev/null &
  echo "$!" >"$outputs/$name.process"
  beside="$beside $!"
}

gather() {
  local code=0 process
  process=$(cat "$outputs/$1.process")
  wait "$process" || code=$?
  beside=${beside/ $process/}
  # shellcheck disable=SC2046 # a command is words
  outcome "$code" "$outputs/$1" $(cat "$outputs/$1.command")
}

# Installs shellcheck if it is missing.
have_shellcheck() {
  command -v shellcheck >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    echo "ci: shellcheck is missing; installing it with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    bounded 300 apt-get update -qq || echo "ci: apt-get update failed; trying to install anyway" >&2
    bounded 300 apt-get install -y -qq --no-install-recommends shellcheck >/dev/null || true
    command -v shellcheck >/dev/null && return
    echo "ci: apt-get could not install shellcheck" >&2
  else
    echo "ci: shellcheck is missing, and only root can install it, with apt-get" >&2
  fi
  return 1
}

for tool in fmt clippy; do
  cargo "$tool" --version >/dev/null 2>&1 || {
    echo "ci: 'cargo $tool' is missing: 'rustup component add rustfmt clippy', or the packages" \
      "rustfmt and rust-clippy of the system" >&2
    exit 1
  }
done
cargo --version

# While the first steps compile: what the last ones need of other people's programs.
if [ "${CI:-}" = true ]; then
  # shellcheck disable=SC2016 # of the inner shell
  behind install 5 env INSTALL_ONLY=1 bash -c 'for it in "$@"; do "scripts/$it.sh"; done; true' \
    install edges real-clients irc-libraries browser
fi

step 'format'
cargo fmt --all --check

step 'clippy, warnings denied'
bounded 1200 cargo clippy --locked --workspace --all-targets -- -D warnings

step 'documentation, warnings denied'
RUSTDOCFLAGS='-D warnings' bounded 600 cargo doc --locked --workspace --no-deps --document-private-items

step "tests, with the README's command"
bounded 1200 cargo test --locked

step 'tests without features, with the journal on disk alone, with the lab alone'
for features in '' disk lab; do
  echo "features: ${features:-none}"
  bounded 900 cargo clippy --locked --quiet --all-targets --no-default-features \
    ${features:+--features "$features"} -- -D warnings
  bounded 900 cargo test --locked --quiet --no-default-features ${features:+--features "$features"} \
    --lib --test server --test journal
done

if [ "$(uname)" = Linux ]; then
  step "kqueue's code on Linux, over its stand-in: contract, server, a swarm of 200"
  (
    export CHATLOOP_PROFILE=dev CHATLOOP_FEATURES=kqueue-stand-in SERVER_FLAGS='--backend kqueue'
    bounded 900 cargo test --locked --quiet -p chatloop-reactor --features kqueue-stand-in
    bounded 900 cargo test --locked --quiet --features kqueue-stand-in --test server -- kqueue::
    try scripts/swarm.sh --clients 200 --senders 150 --messages 2000 --one-order --backend kqueue
  )
fi

step 'the whole server on a simulated network: 300 seeds, beside the next steps'
bounded 900 cargo clippy --locked --quiet --workspace --all-targets --features simulation -- -D warnings
bounded 600 cargo test --locked --quiet -p chatloop-reactor --features simulation --lib simulated
try scripts/simulate.sh --check-mutations
# The quick build takes longer for it, but an optimised one would take longer than that to compile.
bounded 900 cargo build --locked --quiet --features simulation --bin chatloop-lab
cp "${CARGO_TARGET_DIR:-target}/debug/chatloop-lab" "$outputs/lab"
behind simulation 10 env TMPDIR="$([ -w /dev/shm ] && echo /dev/shm || echo "$outputs")" \
  "$outputs/lab" simulate --seeds 300 --jobs "$(getconf _NPROCESSORS_ONLN)"

step 'the fuzz targets: their corpus; a minute in all, beside the next steps'
export CHATLOOP_PROFILE=dev
bounded 900 cargo test --locked --quiet -p chatloop-fuzz --features simulation
if command -v "${CXX:-c++}" >/dev/null; then
  bounded 900 scripts/fuzz.sh --build
  behind fuzz 19 scripts/fuzz.sh all 6
else
  echo 'ci: libFuzzer needs a C++ compiler'
  skipped="$skipped fuzz"
fi
[ "$(uname)" != Linux ] || behind check-macos 19 scripts/check-macos.sh --clippy -- --workspace --all-targets

step 'the scripts, with the quick build'
[ ! -e "$outputs/install" ] || gather install
# They type at nc.
if [ "${CI:-}" = true ] && ! command -v nc >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  bounded 300 apt-get update -qq || true
  bounded 300 apt-get install -y -qq --no-install-recommends netcat-openbsd >/dev/null || true
fi
bounded 1200 cargo build --locked --bins
try scripts/code-lines.sh
try scripts/demo.sh
try scripts/slow-reader.sh 4
try scripts/swarm.sh --clients 50 --senders 40 --messages 2000 --one-order
try scripts/backends.sh 40 200
try scripts/ft_irc-sheet.sh

# From here on, steps that may download something.
step 'shellcheck'
if have_shellcheck; then
  shellcheck -x scripts/*.sh scripts/bench/*.sh .ci/run
else
  skipped="$skipped shellcheck"
fi

step "other people's tools: promtool, curl, openssl"
try scripts/edges.sh
try scripts/proxies.sh

step "other people's clients: irssi and WeeChat, libraries, Chromium"
try scripts/real-clients.sh
try scripts/irc-libraries.sh
try scripts/browser.sh

step 'what ran beside them: the simulation, fuzzing, macOS and FreeBSD'
gather simulation
[ "$(uname)" != Linux ] || gather check-macos
[ ! -e "$outputs/fuzz.process" ] || gather fuzz

printf '\nci: all steps passed in %d s%s\n' "$((SECONDS - began))" "${skipped:+; skipped:$skipped}"
