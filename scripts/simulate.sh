#!/usr/bin/env bash
# The whole server on a simulated network, one seed after the other, until the time is up or one fails.
#
#     scripts/simulate.sh [SECONDS [FIRST-SEED]]     (default 3600 seconds, a first seed by the clock)
#     scripts/simulate.sh --gate                     300 seeds, always the same
#
# Builds chatloop-lab with the feature "simulation". A failure prints its seed, which repeats it:
#
#     cargo run --profile simulation --features simulation --bin chatloop-lab -- simulate --seed S --steps
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
-h | --help) sed -n '/^#!/d; /^set/q; s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
cargo build --locked --quiet --profile simulation --features simulation --bin chatloop-lab
lab=${CARGO_TARGET_DIR:-target}/simulation/chatloop-lab
# Its journals are small and many.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
echo "commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)"
case ${1:-} in
--gate) exec "$lab" simulate --seeds 300 ;;
*) exec "$lab" simulate --seconds "${1:-3600}" --seed "${2:-$(date +%s)}" ;;
esac
