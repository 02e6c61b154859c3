#!/usr/bin/env bash
# The whole server on a simulated network, one seed after the other, until the time is up or one fails.
#
#     scripts/simulate.sh [SECONDS [FIRST-SEED]]     (default 3600 seconds, a first seed by the clock)
#     scripts/simulate.sh --gate                     300 seeds, always the same
#     scripts/simulate.sh --mutations [NAME...]      break the server on purpose, once for each patch in
#                                                    tests/mutations: how many seeds until it is found?
#     scripts/simulate.sh --check-mutations          do the patches still fit?
#
# Builds chatloop-lab with the feature "simulation". A failure prints its seed, which repeats it:
#
#     cargo run --profile simulation --features simulation --bin chatloop-lab -- simulate --seed S --steps
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
lab=$target/simulation/chatloop-lab
jobs=$(getconf _NPROCESSORS_ONLN)

build() {
  cargo build --locked --quiet --profile simulation --features simulation --bin chatloop-lab \
    --target-dir "$target" "$@"
}

# One line for each patch: its name, and the seeds until the simulation has found it.
mutations() {
  local tree=$target/mutations patch name said
  # To build takes longer than to run.
  local quickly=(--config profile.simulation.package.chatloop.opt-level=0)
  [ $# -gt 0 ] || set -- tests/mutations/*.patch
  rm -rf "$tree"
  mkdir -p "$tree"
  # The times of files stay, so that only what is patched is built again; and it always is.
  tar -cf - --exclude=./target --exclude=./.git . | tar -xf - -C "$tree"
  cat tests/mutations/*.patch | sed -n 's|^+++ b/||p' | (cd "$tree" && xargs touch)
  for name; do
    name=$(basename "$name" .patch)
    patch=$PWD/tests/mutations/$name.patch
    said=$(cd "$tree" && patch -sp1 <"$patch" && build "${quickly[@]}" 2>/dev/null && ulimit -t 900 &&
      "$lab" simulate --seeds 300 2>&1) || true
    (cd "$tree" && patch -Rsp1 <"$patch")
    said=$(sed -n 's/^seed \([0-9]*\): \(.*\)/\1 seeds: \2/p; s/, no failure.*/, not found/p' <<<"$said")
    printf '%-32s %s\n' "$name" "${said:-it does not build, or does not end}"
  done
  rm -rf "$tree"
}

# Its journals are small and many.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
case ${1:-} in
-h | --help) sed -n '/^#!/d; /^set/q; s/^# \{0,1\}//p' "$0" ;;
--check-mutations)
  for patch in tests/mutations/*.patch; do patch -sp1 --dry-run <"$patch"; done
  ;;
--mutations) shift && mutations "$@" ;;
*)
  build
  echo "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
  case ${1:-} in
  --gate) exec "$lab" simulate --seeds 300 --jobs "$jobs" ;;
  *) exec "$lab" simulate --jobs "$jobs" --seconds "${1:-3600}" --seed "${2:-$(date +%s)}" ;;
  esac
  ;;
esac
