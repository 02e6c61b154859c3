#!/usr/bin/env bash
# The cost of what is around a line: plain text, IRC, TLS, WebSocket, and both, side by side.
#
#     scripts/bench-wire.sh [ROUNDS]        (default 5; about a minute and a half per round)
#
# One chatloop-server for each measurement, alternately, and the same `chatloop-lab swarm`: one sender and
# 500 recipients, then 100 of 500 that send at once. TLS carries plain lines and is compared with plain
# text; the WebSocket carries IRC and is compared with IRC; both together are compared with IRC as well.
# What counts is the server's CPU per delivery: the generator encrypts and frames, too, on its own core.
# At the end, the memory of 5,000 idle connections, all registered in IRC and in no room. Prints tables of
# medians.
#
#     scripts/bench-wire.sh instructions
#
# counts the server's user-space instructions per delivery of one sender instead (valgrind): a TLS record is
# that member's alone, and a WebSocket frame is everybody's.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck disable=SC2034 # for common.sh
counts=yes
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

pin_cores

idle=(--clients 0 --idle 5000)
irc=(--prefix 'PRIVMSG #r :' --hello 'NICK n{}\nUSER u 0 * :r\nJOIN #r' --welcome ' 366 ')
outside=(--hello 'NICK n{}\nUSER u 0 * :r' --welcome ' 422 ')
# The generator, busy with thousands, may send late: no client may be taken for plain text, and no
# handshake for one that stalls.
patient=(--greeting-delay=10000 --tls-timeout=60)

# measure TEST KIND ARGUMENTS…: one swarm of that kind on a fresh server.
measure() {
    local test=$1 kind=$2 wrapping=()
    shift 2
    case $kind in
    plain | irc) start_chatloop "${patient[@]}" ;;
    *) start_chatloop --tls "${patient[@]}" ;;
    esac
    case $kind in
    tls | secure) wrapping=(--tls-fingerprint "$(sed -n 's/.* certificate //p' "$work/ready" | head -n 1)") ;;
    esac
    case $kind in
    websocket | secure) wrapping+=(--websocket) ;;
    esac
    case $test,$kind in
    idle,*) wrapping+=("${outside[@]}") ;;
    *,plain | *,tls) wrapping+=(--hello '/color off' --welcome 'connected as') ;;
    *) wrapping+=("${irc[@]}") ;;
    esac
    swarm "$test" "$kind" "$@" ${wrapping[@]+"${wrapping[@]}"}
    count_instructions "$test" "$kind"
}

kinds="plain tls irc websocket secure"
if [ "$how" = counted ]; then # with a few messages instead of the 4,000
    for kind in $kinds; do
        for messages in 200 600; do measure one "$kind" "${one[@]/#4000/$messages}"; done
    done
    instructions_per_delivery one plain tls
    instructions_per_delivery one irc websocket
    instructions_per_delivery one irc secure
    exit 0
fi

round=1
while [ "$round" -le "$rounds" ]; do
    for kind in $kinds; do
        echo "round $round of $rounds: $kind" >&2
        measure one "$kind" "${one[@]}"
        measure many "$kind" "${many[@]}"
        [ "$kind" = plain ] || measure idle "$kind" "${idle[@]}"
    done
    round=$((round + 1))
done

# cost NAME TEST GOAL FLOOR KIND: the CPU of one kind and of what it is compared with. The ratio is of
# CPU: a goal of 0.85 of the deliveries is one of 1.18 of the CPU.
cost() {
    row "$1: deliveries/s" deliveries_per_second 1 0 "" "$2" "$4" "$2" "$5"
    row "— server CPU per delivery, µs" server_cpu_us_per_delivery 1 3 "$3" "$2" "$4" "$2" "$5"
    row "— generator CPU per delivery, µs" lab_cpu_us_per_delivery 1 3 "" "$2" "$4" "$2" "$5"
}
memory() {
    row "5,000 idle, IRC: RSS per connection, bytes" server_rss_per_connection 1 0 "$1" idle irc idle "$2"
}

table_head plain TLS
cost "1 sender, 500 members" one "at most 1.18" plain tls
cost "100 senders, 500 members" many "" plain tls
memory "at most 4500 bytes" tls
echo
table_head IRC WebSocket
cost "1 sender, 500 members" one "at most 1.05" irc websocket
cost "100 senders, 500 members" many "" irc websocket
memory "" websocket
echo
table_head IRC "WebSocket by TLS"
cost "1 sender, 500 members" one "" irc secure
cost "100 senders, 500 members" many "" irc secure
memory "" secure
