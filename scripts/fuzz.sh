#!/usr/bin/env bash
# Fuzzing: input that is drawn to reach code not reached before, by libFuzzer on stable Rust.
#
#   scripts/fuzz.sh                    the targets, and what each is about
#   scripts/fuzz.sh TARGET SECONDS     draws for so long, from the inputs in tests/fuzz/corpus/TARGET
#   scripts/fuzz.sh all SECONDS        each target for so long
#   scripts/fuzz.sh TARGET FILE        repeats one input
#   scripts/fuzz.sh --build            builds and ends
#   scripts/fuzz.sh --help             this text
#
# Builds with optimisation, or quickly with CHATLOOP_PROFILE=dev. What it finds is in target/fuzz/TARGET/, beside the
# inputs that it has kept: give them to TARGET FILE, and once the fault is mended, to the corpus. Needs a C++
# compiler: exit code 77 without one. FUZZ_FLAGS are flags for libFuzzer (-help=1).
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
-h | --help) sed -n '2,/^$/s/^# \{0,1\}//p; /^set/q' "$0"; exit 0 ;;
esac
command -v "${CXX:-c++}" >/dev/null || { echo 'fuzz: libFuzzer needs a C++ compiler' >&2; exit 77; }
target=${CARGO_TARGET_DIR:-target} profile=${CHATLOOP_PROFILE:-simulation}
RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh cargo build --locked --quiet --profile "$profile" \
  -p chatloop-fuzz --features libfuzzer,simulation
[ "$profile" != dev ] || profile=debug
fuzz=$target/$profile/chatloop-fuzz

# run TARGET SECONDS: new inputs are kept in target/, and found again by the next run.
run() {
  mkdir -p "$target/fuzz/$1"
  echo "==> $1, $2 s"
  # shellcheck disable=SC2086 # flags are words
  CHATLOOP_FUZZ=$1 "$fuzz" "$target/fuzz/$1" "tests/fuzz/corpus/$1" -artifact_prefix="$target/fuzz/$1/" \
    -max_total_time="$2" -max_len=4096 -timeout=30 -rss_limit_mb=1024 -verbosity=0 -print_final_stats=1 ${FUZZ_FLAGS:-}
}

case ${1:-},${2:-} in
--build,) ;;
,) "$fuzz" ;;
all,[1-9]*) for name in $("$fuzz" | cut -d ' ' -f 1); do run "$name" "$2"; done ;;
*,[1-9]*) run "$1" "$2" ;;
*,?*) CHATLOOP_FUZZ=$1 "$fuzz" "$2" ;;
*) echo "usage: scripts/${0##*/} [TARGET|all SECONDS] (see --help)" >&2; exit 2 ;;
esac
