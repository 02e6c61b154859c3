#!/usr/bin/env bash
# This build compared with another one: speed, CPU time and memory.
#
#     scripts/bench-against.sh DIRECTORY [ROUNDS]     (default 9; about 40 seconds per round)
#
# DIRECTORY contains the other build's chatloop-server, such as target/release of a checkout of an
# earlier commit. Measures the two in alternating rounds with the same generator, each in a fresh
# process, and prints the median of the ratios round by round: a machine whose speed drifts changes
# both halves of a pair alike. ONLY="many data" measures those rows alone.
#
#     scripts/bench-against.sh DIRECTORY instructions
#
# counts the server's user-space instructions per delivery instead (valgrind), which no neighbour on
# the machine disturbs: it decides where a ratio is within 3 % of its bar. Each test runs with some
# messages and with three times as many; what is counted is the difference, without the joins.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in
-h | --help) sed -n '/^#!/d; /^set/q; s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
[ -x "${1:-}/chatloop-server" ] || {
    echo "usage: scripts/${0##*/} DIRECTORY [ROUNDS | instructions]: no chatloop-server in '${1:-}'" >&2
    exit 2
}
other=$(cd "$1" && pwd)
set -- "${2:-9}"
# shellcheck disable=SC2034 # for common.sh
counts=yes
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh

pin_cores
ours=$(cd "$programs" && pwd)
register='NICK n{}\nUSER u 0 * :r\nJOIN #r'

# measure TEST: one swarm on a fresh server of each build.
measure() {
    local flags=() swarm=()
    case $1 in
    one) swarm=(--clients 500 --senders 1 --window 1 --messages "$((2000 * scale / 30))" --one-order) ;;
    many) swarm=(--clients 500 --senders 100 --window 100 --messages "$((40000 * scale / 30))" --one-order) ;;
    irc)
        flags=(--greeting-delay=10000)
        swarm=(--clients 500 --senders 100 --window 100 --messages "$((40000 * scale / 30))" --one-order
            --prefix 'PRIVMSG #r :' --hello "$register" --welcome ' 366 ')
        ;;
    data) swarm=(--clients 500 --senders 100 --window 100 --messages "$((40000 * scale / 30))") ;;
    idle) swarm=(--clients 0 --idle 5000) ;;
    esac
    for build in theirs ours; do
        if [ "$1" = data ]; then
            rm -rf "$work/data"
            flags=(--data "$work/data")
        fi
        if [ "$build" = ours ]; then server=$ours; else server=$other; fi
        start "$server/chatloop-server" 127.0.0.1 0 --quiet --log warn \
            ${flags[@]+"${flags[@]}"}
        swarm "$1" "$build" "${swarm[@]}"
        count_instructions "$1" "$build"
    done
}

# ratio NAME TEST KEY BAR: the median of ours by theirs, pair by pair.
ratio() {
    [ -f "$work/$2.ours" ] || return 0
    local key="s/.*\"$3\":\\([-0-9.e]*\\).*/\\1/p"
    paste <(sed -n "$key" "$work/$2.theirs") <(sed -n "$key" "$work/$2.ours") |
        awk '$1 > 0 { print $2 / $1, $1, $2 }' | sort -n | awk -v name="$1" -v bar="$4" '
            { ratio[NR] = $1 }
            END { printf "| %s | %.3f (%.3f to %.3f) | %s |\n", name,
                (ratio[int((NR + 1) / 2)] + ratio[int(NR / 2) + 1]) / 2, ratio[1], ratio[NR], bar }'
    printf '|   medians: theirs %s, ours %s | | |\n' "$(median "$2" theirs "$3")" "$(median "$2" ours "$3")"
}

tests=${ONLY:-one many irc data idle}
# How many thirtieths of the messages each test sends.
scale=30
if [ "$how" = counted ]; then
    for test in $tests; do
        [ "$test" != idle ] || continue
        for scale in 3 9; do measure "$test"; done
        instructions_per_delivery "$test" theirs ours
    done
    exit 0
fi

round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds" >&2
    for test in $tests; do measure "$test"; done
    round=$((round + 1))
done
echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) cores, $rounds alternating rounds"
echo
echo "| measured | ours by theirs: median (least to greatest) | bar |"
echo "|---|---|---|"
ratio "1 sender, 500 members: deliveries/s" one deliveries_per_second "at least 0.98"
ratio "— server CPU per delivery" one server_cpu_us_per_delivery "at most 1.02"
ratio "100 of 500 send: deliveries/s" many deliveries_per_second "at least 0.98"
ratio "— server CPU per delivery" many server_cpu_us_per_delivery "at most 1.02"
ratio "100 of 500 send, IRC: deliveries/s" irc deliveries_per_second "at least 0.98"
ratio "— server CPU per delivery" irc server_cpu_us_per_delivery "at most 1.02"
ratio "100 of 500 send, --data: deliveries/s" data deliveries_per_second "at least 0.98"
ratio "— server CPU per delivery" data server_cpu_us_per_delivery "at most 1.02"
ratio "5,000 idle: RSS per connection" idle server_rss_per_connection "at most 1.02"
