#!/usr/bin/env bash
# The cost of IRC: fan-out compared with a minimal relay, memory, and registration.
#
#     scripts/bench-irc.sh [ROUNDS]        (default 5; about twenty seconds per round)
#
# Like scripts/bench.sh, with IRC clients: 500 members of one channel, 100 of them sending, compared with
# the minimal relay, measured alternately; the memory of 5,000 members of one channel; the time for
# 5,000 to register, and for 1,000 to register and join, 32 at a time. Prints a table of medians.
#
# An IRC server adds `:nick!~user@host ` to every line it relays. The relay is therefore measured twice:
# with lines as long as the senders' (the goal applies to this measurement, which charges the prefix to
# the server), and with lines as long as the recipients'.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

build_relay
pin_cores

register='NICK n{}\nUSER u 0 * :r'
said='PRIVMSG #r :'
# What the server makes of it, for a nick of an average length; there is also a CR at the end.
heard=':n55!~u@127.0.0.1 PRIVMSG #r :'
crowd=(--clients 500 --senders 100 --window 100 --messages 40000 --one-order)
# The last numeric of a welcome without a message of the day, and of a JOIN.
welcome=' 422 ' joined=' 366 '
# The generator, busy reading for thousands, may send late: no client may be taken for plain text.
patient=--greeting-delay=10000

round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds" >&2
    start_relay
    swarm said relay "${crowd[@]}" --prefix "$said"
    start_chatloop "$patient"
    swarm many chatloop "${crowd[@]}" --prefix "$said" --hello "$register\nJOIN #r" --welcome "$joined"
    start_relay
    swarm heard relay "${crowd[@]}" --prefix "$heard" --size 65
    start_chatloop "$patient"
    swarm memory chatloop --clients 0 --idle 5000 --hello "$register\nJOIN #r" --welcome "$joined"
    start_chatloop "$patient"
    swarm register chatloop --clients 0 --idle 5000 --connecting 32 --hello "$register" \
        --welcome "$welcome"
    start_chatloop "$patient"
    swarm join chatloop --clients 0 --idle 1000 --connecting 32 --hello "$register\nJOIN #r" \
        --welcome "$joined"
    round=$((round + 1))
done

# relayed NAME KEY DIGITS GOAL RELAY: compared with the relay, with one kind of lines.
relayed() {
    row "$1" "$2" 1 "$3" "$4" "$5" relay many chatloop
}
# alone NAME KEY SCALE DIGITS GOAL TEST
alone() {
    row "$1" "$2" "$3" "$4" "$5" none none "$6" chatloop
}

table_head relay "chatloop, IRC"
relayed "500 in a channel, 100 send, lines as sent: deliveries/s" deliveries_per_second 0 "at least 0.45" said
relayed "— server CPU per delivery, µs" server_cpu_us_per_delivery 3 "" said
relayed "— generator CPU per delivery, µs" lab_cpu_us_per_delivery 3 "" said
relayed "the same, lines as long as received: deliveries/s" deliveries_per_second 0 "" heard
relayed "— server CPU per delivery, µs" server_cpu_us_per_delivery 3 "" heard
relayed "— generator CPU per delivery, µs" lab_cpu_us_per_delivery 3 "" heard
alone "5,000 in one channel: RSS per connection, bytes" server_rss_per_connection 1 0 "at most 1536 bytes" memory
alone "5,000 register, 32 at a time: seconds" connect_seconds 1 2 "" register
alone "1,000 register and join one channel, 32 at a time: seconds" connect_seconds 1 2 "" join
