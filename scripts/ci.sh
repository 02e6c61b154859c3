#!/usr/bin/env bash
# Everything that must hold before a change goes in: the gate, on this machine or on any other.
#
# Format, clippy with warnings denied, the documentation with warnings denied, shellcheck, a look
# through the eyes of macOS and FreeBSD where ../shared/check-macos.sh is there, the scripts (with
# the quick build), and `cargo test` last. It stops at the first that fails. No benchmark: nothing
# here depends on how fast the machine is.
#
#   scripts/ci.sh             all of it
#   scripts/ci.sh --help      this text
#
# It needs Rust with rustfmt and clippy, shellcheck, and irssi and WeeChat for the script that drives
# them. What of the last three is missing is installed, if apt-get may (as root). Otherwise the step
# is skipped, which is said, or fails if CI=true.

# bash 3.2 will do: that is what macOS has.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
  '') ;;
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "${0##*/}: no arguments are wanted; see --help" >&2; exit 2 ;;
esac

began=$SECONDS
skipped=

step() {
  printf '\n==> %s (at %d s)\n' "$1" "$((SECONDS - began))"
}

# bounded SECONDS COMMAND...: a step that hangs is a failure, where the system has timeout(1).
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

# A tool that Rust does not bring: there already, or installed, or said to be missing.
have_shellcheck() {
  command -v shellcheck >/dev/null && return
  if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    echo "ci: shellcheck is missing; installing it with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    bounded 300 apt-get update -qq || echo "ci: apt-get update failed; trying all the same" >&2
    bounded 300 apt-get install -y -qq --no-install-recommends shellcheck >/dev/null || true
    command -v shellcheck >/dev/null && return
    echo "ci: apt-get could not install shellcheck" >&2
  else
    echo "ci: shellcheck is missing, and this is not root on a system with apt-get" >&2
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
cargo fmt --check

step 'clippy, warnings denied'
bounded 1200 cargo clippy --locked --all-targets -- -D warnings

step 'documentation, warnings denied'
RUSTDOCFLAGS='-D warnings' bounded 600 cargo doc --locked --no-deps --document-private-items

step 'shellcheck'
if have_shellcheck; then
  shellcheck -x scripts/*.sh scripts/bench/*.sh .ci/run
elif [ "${CI:-}" = true ]; then
  exit 1
else
  skipped="$skipped shellcheck"
fi

if [ -f ../shared/check-macos.sh ]; then
  step 'macOS and FreeBSD: clippy for their targets'
  # It looks at Rust only, and there is no C compiler for these systems here: SQLite's C is not
  # compiled but stood in for by empty files, which nothing of a check ever links.
  stand_in=$(mktemp -d)
  trap 'rm -rf "$stand_in"' EXIT
  for tool in cc ar; do
    # Makes the file that follows -o, and every library it is given.
    cat >"$stand_in/$tool" <<'SCRIPT'
#!/bin/sh
for word; do
  case $last in -o) : >"$word" ;; esac
  case $word in *.a) : >"$word" ;; esac
  last=$word
done
SCRIPT
    chmod +x "$stand_in/$tool"
  done
  for target in aarch64_apple_darwin x86_64_unknown_freebsd; do
    export "CC_$target=$stand_in/cc" "AR_$target=$stand_in/ar"
  done
  SDKROOT=$stand_in bounded 1200 ../shared/check-macos.sh --clippy -- --all-targets
else
  skipped="$skipped check-macos"
fi

step 'the scripts, with the quick build'
export CHATLOOP_PROFILE=dev
# Quiet when it succeeds, everything when it fails. A script that cannot run here ends with 77.
try() {
  local said code=0
  said=$(bounded 300 "$@" 2>&1) || code=$?
  case $code in
    0) echo "ok: $*" ;;
    77)
      printf '%s\n' "$said"
      skipped="$skipped $1"
      ;;
    *)
      printf '%s\nci: failed: %s\n' "$said" "$*" >&2
      return 1
      ;;
  esac
}
bounded 1200 cargo build --locked --bins
try scripts/demo.sh
try scripts/slow-reader.sh 4
try scripts/swarm.sh --clients 50 --senders 40 --messages 2000 --one-order
try scripts/backends.sh 40 200
try scripts/ft_irc-sheet.sh
try scripts/real-clients.sh

[ -z "$skipped" ] || printf '\nci: skipped, not here:%s\n' "$skipped"

# Last, so that the last lines are its result.
step 'tests'
bounded 2400 cargo test --locked
