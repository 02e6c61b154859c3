#!/usr/bin/env bash
# What does keeping everything cost? The same swarms on the journal in memory and on --data.
#
#     scripts/bench-journal.sh [ROUNDS]        (default 5; about twelve seconds a round)
#
# Builds, then measures the two in turns, each in a fresh process and a fresh directory: 500 members
# of whom 100 send, and one message at a time among ten. Prints one line for each run; compare the
# medians. The directory is made where TMPDIR says, so that another disk can be tried.
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
        printf '%-6s  500 members, 100 senders: %.0f deliveries/s;  one message among ten: p50 %s us, p99 %s us\n' \
            "$journal" "$(latest many "$journal" deliveries_per_second)" \
            "$(latest single "$journal" latency_p50_us)" "$(latest single "$journal" latency_p99_us)"
    done
    round=$((round + 1))
done
