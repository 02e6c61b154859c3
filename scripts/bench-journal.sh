#!/usr/bin/env bash
# The cost of persistence: the same swarms with history in memory and on disk (--data).
#
#     scripts/bench-journal.sh [ROUNDS]        (default 5; about twelve seconds per round)
#
# Builds the programs and measures both alternately, each in a fresh process and a fresh directory: 500
# members, 100 of them sending, and one message at a time among ten. Prints one line per run;
# compare the medians. The directory is created in TMPDIR, so that other disks can be measured.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

# measure TEST JOURNAL ARGUMENTS…: one swarm on a fresh server.
measure() {
    local flags=()
    if [ "$2" = disk ]; then
        rm -rf "$work/data"
        flags+=(--data "$work/data")
    fi
    start_chatloop ${flags[@]+"${flags[@]}"}
    swarm "$@"
}

round=1
while [ "$round" -le "$rounds" ]; do
    for journal in memory disk; do
        measure many "$journal" --clients 500 --senders 100 --window 100 --messages 40000
        measure single "$journal" --clients 10 --senders 1 --window 1 --messages 3000
        printf '%-6s  500 members, 100 senders: %.0f deliveries/s;  one message at a time, ten members: p50 %s us, p99 %s us\n' \
            "$journal" "$(latest many "$journal" deliveries_per_second)" \
            "$(latest single "$journal" latency_p50_us)" "$(latest single "$journal" latency_p99_us)"
    done
    round=$((round + 1))
done
