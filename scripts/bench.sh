#!/usr/bin/env bash
# chatloop-server compared with a minimal relay.
#
#     scripts/bench.sh [ROUNDS]        (default 5; about a minute per round)
#
# Builds both and measures them alternately (relay, chatloop, relay, chatloop …), each in a fresh
# process, with the same `chatloop-lab swarm`, and prints a table of medians. Other load on the
# machine affects both alike. All traffic is on the loopback interface.
#
# If `taskset` is available, the server and the load generator are pinned to separate cores. PIN=no turns
# this off.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

build_relay
pin_cores

# measure TEST SERVER ARGUMENTS…: one swarm on a fresh server.
measure() {
    "start_$2"
    swarm "$@"
}

round=1
while [ "$round" -le "$rounds" ]; do
    for server in relay chatloop; do
        echo "round $round of $rounds: $server" >&2
        measure one "$server" --clients 500 --senders 1 --window 1 --messages 2000 --one-order
        measure many "$server" --clients 500 --senders 100 --window 100 --messages 40000 --one-order
        measure idle "$server" --clients 0 --idle 5000
        measure crowd "$server" --clients 18500 --senders 1 --window 1 --messages 40 --one-order
    done
    round=$((round + 1))
done
echo "holding 19,000" >&2
measure hold chatloop --clients 0 --idle 19000
measure hold relay --clients 0 --idle 19000

# both NAME TEST KEY DIGITS GOAL
both() {
    row "$1" "$3" 1 "$4" "$5" "$2" relay "$2" chatloop
}

table_head relay chatloop
both "1 sender, window 1, 500 members: deliveries/s" one deliveries_per_second 0 "at least 0.90"
both "— server CPU per delivery, µs" one server_cpu_us_per_delivery 3 ""
both "— latency p99, µs" one latency_p99_us 0 ""
both "100 senders, window 100, 500 members: deliveries/s" many deliveries_per_second 0 "at least 0.60"
both "— server CPU per delivery, µs" many server_cpu_us_per_delivery 3 ""
both "— generator CPU per delivery, µs" many lab_cpu_us_per_delivery 3 ""
both "5,000 idle: RSS per connection, bytes" idle server_rss_per_connection 0 "at most 1024 bytes"
both "18,500 members: server CPU per delivery, µs" crowd server_cpu_us_per_delivery 3 "at most 1.15"
both "19,000 connected: connections" hold connections 0 "19000"
both "— connects/s" hold connects_per_second 0 ""
