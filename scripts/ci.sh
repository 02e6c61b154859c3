#!/usr/bin/env bash
# Everything that must hold before a change is merged: the gate, on this machine or on any other.
#
#   scripts/ci.sh             all of it
#   scripts/ci.sh --help      this text
#
# In this order: format, clippy and rustdoc with warnings denied, the four sets of features, the tests,
# kqueue's code on Linux, the simulation, the scripts with the quick build. Then the steps that may download something,
# such as shellcheck, irssi, WeeChat and Chromium (apt-get, as root), clients' libraries (pip, npm), the
# standard libraries of macOS and FreeBSD (rustup), libFuzzer (cargo). It stops at the first step that fails. There is no benchmark: nothing here
# depends on the speed of the machine.
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

# try COMMAND...: prints the output only on failure. Exit code 77 means that it cannot run here.
try() {
  local output code=0
  output=$(bounded 900 "$@" 2>&1) || code=$?
  case $code in
    0) echo "ok: $*" ;;
    77)
      printf '%s\n' "$output"
      skipped="$skipped $1"
      ;;
    *)
      printf '%s\nci: failed: %s\n' "$output" "$*" >&2
      return 1
      ;;
  esac
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
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/kqueue-stand-in
    export CHATLOOP_PROFILE=dev CHATLOOP_FEATURES=kqueue-stand-in SERVER_FLAGS='--backend kqueue'
    bounded 900 cargo test --locked --quiet -p chatloop-reactor --features kqueue-stand-in
    bounded 900 cargo test --locked --quiet --features kqueue-stand-in --test server -- kqueue::
    try scripts/swarm.sh --clients 200 --senders 150 --messages 2000 --one-order --backend kqueue
  )
fi

step 'the whole server on a simulated network: 300 seeds'
bounded 900 cargo clippy --locked --quiet --all-targets --features simulation -- -D warnings
bounded 600 cargo test --locked --quiet -p chatloop-reactor --features simulation --lib simulated
try scripts/simulate.sh --gate
try scripts/simulate.sh --check-mutations

step 'the scripts, with the quick build'
# They type at nc.
if [ "${CI:-}" = true ] && ! command -v nc >/dev/null && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  bounded 300 apt-get update -qq || true
  bounded 300 apt-get install -y -qq --no-install-recommends netcat-openbsd >/dev/null || true
fi
export CHATLOOP_PROFILE=dev
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

step "other people's clients: irssi and WeeChat, libraries, Chromium"
try scripts/real-clients.sh
try scripts/irc-libraries.sh
try scripts/browser.sh

step 'macOS and FreeBSD: clippy for their targets'
try scripts/check-macos.sh --clippy -- --workspace --all-targets

step 'the fuzz target builds'
if command -v c++ >/dev/null; then
  bounded 600 cargo check --quiet --manifest-path tests/fuzz/Cargo.toml \
    --target-dir "${CARGO_TARGET_DIR:-target}/fuzz"
else
  echo 'ci: libFuzzer needs a C++ compiler'
  skipped="$skipped fuzz"
fi

printf '\nci: all steps passed in %d s%s\n' "$((SECONDS - began))" "${skipped:+; skipped:$skipped}"
