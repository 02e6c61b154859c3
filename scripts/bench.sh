#!/usr/bin/env bash
# How far is chatloop-server from the least a relay can do?
#
#     scripts/bench.sh [ROUNDS]        (default 5; about a minute a round)
#
# Builds both, then measures them in turns (relay, chatloop, relay, chatloop …), each in a fresh
# process, with the same `chatloop-lab swarm`, and prints one table of medians. What changes on
# the machine in the meantime meets both alike. Traffic stays on the loopback interface.
#
# Where `taskset` is there, the server gets one core and the load generator another: on two cores
# the scheduler otherwise puts both on one for some runs and not for others. PIN=no turns it off.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-5}
case $rounds in '' | *[!0-9]* | 0) echo "usage: scripts/bench.sh [ROUNDS]" >&2; exit 2 ;; esac

work=$(mktemp -d)
server_pid=
stop_server() {
    if [ -n "$server_pid" ]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
        server_pid=
    fi
}
trap 'stop_server; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

cargo build --release --quiet --bin chatloop-server --bin chatloop-lab
"${CC:-cc}" -O2 -o "$work/relay" scripts/bench/relay.c

# The limit both servers and the generator run into, raised to what the system allows.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

on_server_core=() on_lab_core=()
if [ "${PIN:-yes}" = yes ] && command -v taskset >/dev/null && taskset -c 0,1 true 2>/dev/null; then
    on_server_core=(taskset -c 0) on_lab_core=(taskset -c 1)
fi

# start relay|chatloop: sets server_pid and port. Both say one line with their port at its end
# of the address when they are ready.
start() {
    : >"$work/ready"
    case $1 in
    relay) set -- "$work/relay" 0 ;;
    chatloop) set -- target/release/chatloop-server 127.0.0.1 0 --quiet --log warn ;;
    esac
    # An empty array counts as unset in bash 3.2, hence the plus.
    ${on_server_core[@]+"${on_server_core[@]}"} "$@" >"$work/ready" 2>&1 &
    server_pid=$!
    until port=$(sed -n 's/^listening on \([0-9][0-9]*\)$/\1/p; s/.*127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' \
        "$work/ready" | head -n 1) && [ -n "$port" ]; do
        if ! kill -0 "$server_pid" 2>/dev/null; then
            cat "$work/ready" >&2
            exit 1
        fi
        sleep 0.05
    done
}

# measure TEST SERVER ARGUMENTS…: one swarm on a fresh server; its JSON goes to a line of a file.
measure() {
    local test=$1 server=$2
    shift 2
    start "$server"
    if ! ${on_lab_core[@]+"${on_lab_core[@]}"} target/release/chatloop-lab swarm 127.0.0.1 "$port" \
        --pid "$server_pid" --json --timeout 60 "$@" >>"$work/$test.$server"; then
        echo "bench: $test with $server was not clean:" >&2
        tail -n 1 "$work/$test.$server" >&2
        exit 1
    fi
    stop_server
}

# median TEST SERVER KEY
median() {
    sed -n "s/.*\"$3\":\\([-0-9.e]*\\).*/\\1/p" "$work/$1.$2" | sort -n | awk '
        { value[NR] = $1 }
        END { if (NR) print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2; else print "-" }'
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

# row NAME TEST KEY SCALE DIGITS GOAL
row() {
    awk -v name="$1" -v relay="$(median "$2" relay "$3")" -v ours="$(median "$2" chatloop "$3")" \
        -v scale="$4" -v digits="$5" -v goal="$6" 'BEGIN {
        if (relay == "-" || ours == "-") { printf "| %s | - | - | - | %s |\n", name, goal; exit }
        format = "| %s | %." digits "f | %." digits "f | %.2f | %s |\n"
        printf format, name, relay / scale, ours / scale, relay ? ours / relay : 0, goal
    }'
}

echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) cores, $rounds rounds, medians"
echo
echo "| measured | relay | chatloop | ratio | goal |"
echo "|---|---|---|---|---|"
row "1 sender, window 1, 500 members: deliveries/s" one deliveries_per_second 1 0 "at least 0.90"
row "— server CPU per delivery, µs" one server_cpu_us_per_delivery 1 3 ""
row "— latency p99, µs" one latency_p99_us 1 0 ""
row "100 senders, window 100, 500 members: deliveries/s" many deliveries_per_second 1 0 "at least 0.60"
row "— server CPU per delivery, µs" many server_cpu_us_per_delivery 1 3 ""
row "— generator CPU per delivery, µs" many lab_cpu_us_per_delivery 1 3 ""
row "5,000 idle: RSS per connection, bytes" idle server_rss_per_connection 1 0 "at most 1024 bytes"
row "18,500 members: server CPU per delivery, µs" crowd server_cpu_us_per_delivery 1 3 "at most 1.15"
row "19,000 held: connections" hold connections 1 0 "19000"
row "— connects/s" hold connects_per_second 1 0 ""
