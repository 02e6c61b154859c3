#!/usr/bin/env bash
# The cost of the trace: chatloop-server with --trace FILE beside the same one without, alternately.
#
#     scripts/bench-trace.sh [ROUNDS]       (default 5; about twenty seconds per round)
#
# One sender and 500 recipients, then 100 of 500 that send at once, which makes millions of deliveries
# per second. Where the file takes less than that, the ring loses events and not time, and the trace
# says how many; they are counted here. Prints a table of medians.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

pin_cores

round=1
while [ "$round" -le "$rounds" ]; do
    for test in one many; do
        echo "round $round of $rounds: $test" >&2
        arguments=("${one[@]}")
        [ "$test" = one ] || arguments=("${many[@]}")
        start_chatloop
        swarm "$test" off "${arguments[@]}"
        start_chatloop --trace "$work/trace.$test"
        swarm "$test" on "${arguments[@]}"
    done
    round=$((round + 1))
done

table_head off on
row "1 sender, 500 members: deliveries/s" deliveries_per_second 1 0 "at least 0.98" one off one on
row "— server CPU per delivery, µs" server_cpu_us_per_delivery 1 3 "" one off one on
row "100 senders, 500 members: deliveries/s" deliveries_per_second 1 0 "at least 0.98" many off many on
row "— server CPU per delivery, µs" server_cpu_us_per_delivery 1 3 "" many off many on
echo
for test in one many; do
    awk -v test="$test" '
        /^ *lost / { lost += $3 }
        { lines++ }
        END { print "last trace of " test ": " lines " lines, " lost + 0 " events lost and counted" }' \
        "$work/trace.$test"
done
