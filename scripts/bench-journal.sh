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

rounds=${1:-5}
case $rounds in
-h | --help) sed -n '/^#!/d; /^set/q; s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
case $rounds in '' | *[!0-9]* | 0) echo "usage: scripts/bench-journal.sh [ROUNDS]" >&2; exit 2 ;; esac

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

# field KEY FILE
field() {
    sed -n "s/.*\"$1\":\\([-0-9.e]*\\).*/\\1/p" "$2"
}

# measure JOURNAL ARGUMENTS…: one swarm on a fresh server.
measure() {
    local journal=$1
    shift
    local flags=(127.0.0.1 0 --quiet --log off)
    if [ "$journal" = disk ]; then
        rm -rf "$work/data"
        flags+=(--data "$work/data")
    fi
    : >"$work/ready"
    target/release/chatloop-server "${flags[@]}" 2>"$work/ready" &
    server_pid=$!
    until port=$(sed -n 's/.*127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' "$work/ready") && [ -n "$port" ]; do
        kill -0 "$server_pid" 2>/dev/null || { cat "$work/ready" >&2; exit 1; }
        sleep 0.05
    done
    target/release/chatloop-lab swarm 127.0.0.1 "$port" --json "$@" >"$work/report"
    stop_server
}

round=1
while [ "$round" -le "$rounds" ]; do
    for journal in memory disk; do
        measure "$journal" --clients 500 --senders 100 --window 100 --messages 40000
        many=$(field deliveries_per_second "$work/report")
        measure "$journal" --clients 10 --senders 1 --window 1 --messages 3000
        printf '%-6s  500 members, 100 senders: %.0f deliveries/s;  one message among ten: p50 %s us, p99 %s us\n' \
            "$journal" "$many" "$(field latency_p50_us "$work/report")" \
            "$(field latency_p99_us "$work/report")"
    done
    round=$((round + 1))
done
