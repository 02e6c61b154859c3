# shellcheck shell=bash
# Shared by the benchmarks: rounds from the command line, a fresh server for every measurement, the
# swarm, medians and rows of a table. Sourced at the top of scripts/bench*.sh, not run.
#
# bash 3.2 will do: that is what macOS has. An empty array counts as unset there, hence the plus in
# ${array[@]+"${array[@]}"}.

rounds=${1:-5}
how=timed # or counted: instructions instead of rounds, where the script says `counts=yes`
case $rounds in
-h | --help) sed -n '/^#!/d; /^set/q; s/^# \{0,1\}//p' "$0"; exit 0 ;;
instructions) [ -z "${counts:-}" ] || { how=counted rounds=1; } ;;
esac
case $rounds in
'' | *[!0-9]* | 0) echo "usage: scripts/${0##*/} [ROUNDS${counts:+ | instructions}]" >&2; exit 2 ;;
esac

# shellcheck source=scripts/lib.sh
. scripts/lib.sh
work=$workdir
server_pid=
stop_server() {
    if [ -n "$server_pid" ]; then
        kill "$server_pid" 2>/dev/null || true
        wait "$server_pid" 2>/dev/null || true
        server_pid=
        children=
    fi
}

CHATLOOP_PROFILE=release build
programs=$bin

# The descriptor limit of server and generator, raised to what the system allows.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true

# pin_cores: separate cores for the server and the generator, if taskset(1) is available. Otherwise the
# scheduler may place both on the same core in some runs.
on_server_core=() on_lab_core=()
pin_cores() {
    if [ "${PIN:-yes}" = yes ] && command -v taskset >/dev/null && taskset -c 0,1 true 2>/dev/null
    then
        on_server_core=(taskset -c 0) on_lab_core=(taskset -c 1)
    fi
}

# Flags of `chatloop-lab swarm` for two loads: deliveries differ a hundredfold in what a turn can gather.
# shellcheck disable=SC2034 # for those who source this
{
    one=(--clients 500 --senders 1 --window 1 --messages 4000 --one-order)
    many=(--clients 500 --senders 100 --window 100 --messages 40000 --one-order)
}

# With `instructions`, the server runs in callgrind, on which no neighbour on the machine has an influence.
under=()
if [ "$how" = counted ]; then
    command -v valgrind >/dev/null || { echo "${0##*/}: valgrind is missing" >&2; exit 1; }
    under=(valgrind --tool=callgrind "--callgrind-out-file=$work/callgrind.out")
fi

# count_instructions TEST SERVER: for `instructions_per_delivery`, what callgrind has counted in the latest
# run, and the deliveries of it.
count_instructions() {
    [ "$how" = counted ] || return 0
    local total
    total=$(sed -n 's/^summary: //p; s/^totals: //p' "$work/callgrind.out" | head -n 1)
    echo "$total $(latest "$1" "$2" deliveries)" >>"$work/$1.$2.counted"
}

# instructions_per_delivery TEST FLOOR SERVER: a line about two servers, each counted twice, with some
# messages and with more of them: the difference is without the joins.
instructions_per_delivery() {
    for server in "$2" "$3"; do
        paste -d ' ' - - <"$work/$1.$server.counted" | awk '{ print ($3 - $1) / ($4 - $2) }'
    done | paste -d ' ' - - | awk -v name="$1" -v floor="$2" -v server="$3" '{
        printf "%-5s instructions per delivery: %s %.1f, %s %.1f, ratio %.3f\n", name, floor, $1, server, $2, $2 / $1 }'
}

# build_relay: the floor that servers are measured against, as $work/relay.
build_relay() {
    "${CC:-cc}" -O2 -o "$work/relay" scripts/bench/relay.c
}

# start COMMAND…: starts a server; sets server_pid and port. When ready, the server prints a line
# with its port, alone or at the end of the address.
start() {
    : >"$work/ready"
    ${on_server_core[@]+"${on_server_core[@]}"} ${under[@]+"${under[@]}"} "$@" >"$work/ready" 2>&1 &
    server_pid=$!
    children=$server_pid
    until port=$(sed -n 's/^listening on \([0-9][0-9]*\)$/\1/p; s/.*127\.0\.0\.1:\([0-9][0-9]*\).*/\1/p' \
        "$work/ready" | head -n 1) && [ -n "$port" ]; do
        if ! kill -0 "$server_pid" 2>/dev/null; then
            cat "$work/ready" >&2
            exit 1
        fi
        sleep 0.05
    done
}

# start_chatloop [FLAGS…], start_relay
start_chatloop() {
    start "$programs/chatloop-server" 127.0.0.1 0 --quiet --log warn "$@"
}
start_relay() {
    start "$work/relay" 0
}

# swarm TEST SERVER ARGUMENTS…: a swarm on the server that was started, and the end of that; its
# JSON is one more line of a file.
swarm() {
    local test=$1 server=$2
    shift 2
    if ! ${on_lab_core[@]+"${on_lab_core[@]}"} "$programs/chatloop-lab" swarm 127.0.0.1 "$port" \
        --pid "$server_pid" --json --timeout 60 "$@" >>"$work/$test.$server"; then
        echo "${0##*/}: $test with $server was not clean:" >&2
        tail -n 1 "$work/$test.$server" >&2
        exit 1
    fi
    stop_server
}

# latest TEST SERVER KEY: the value of the last run.
latest() {
    tail -n 1 "$work/$1.$2" | sed -n "s/.*\"$3\":\\([-0-9.e]*\\).*/\\1/p"
}

# median TEST SERVER KEY: of all runs.
median() {
    sed -n "s/.*\"$3\":\\([-0-9.e]*\\).*/\\1/p" "$work/$1.$2" | sort -n | awk '
        { value[NR] = $1 }
        END { if (NR) print (value[int((NR + 1) / 2)] + value[int(NR / 2) + 1]) / 2; else print "-" }'
}

# table_head FLOOR OURS: the head of a table of markdown, under a line about this machine.
table_head() {
    echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) cores, $rounds rounds, medians"
    echo
    echo "| measurement | $1 | $2 | ratio | goal |"
    echo "|---|---|---|---|---|"
}

# row NAME KEY SCALE DIGITS GOAL TEST SERVER TEST SERVER: the medians of two, and the second by the
# first. A test that was not made is a dash.
row() {
    local floor=- ours
    [ ! -f "$work/$6.$7" ] || floor=$(median "$6" "$7" "$2")
    ours=$(median "$8" "$9" "$2")
    awk -v name="$1" -v floor="$floor" -v ours="$ours" -v scale="$3" -v digits="$4" -v goal="$5" '
        function shown(value) { return value == "-" ? "-" : sprintf("%." digits "f", value / scale) }
        BEGIN {
            ratio = floor == "-" || ours == "-" || floor == 0 ? "-" : sprintf("%.2f", ours / floor)
            printf "| %s | %s | %s | %s | %s |\n", name, shown(floor), shown(ours), ratio, goal
        }'
}
