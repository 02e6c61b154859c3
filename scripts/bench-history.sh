#!/usr/bin/env bash
# What do others notice while ten users search a long history for the worst words?
#
#     scripts/bench-history.sh [MESSAGES]      (default 1000000; about a minute)
#
# Fills a room on disk (--data), then ten users search it again and again, for words that are in
# every message but not in this order. Meanwhile one user asks for the last 20 messages, and new
# ones join. Prints the median and the longest time of each, in milliseconds; the exit code is not 0 if
# one took longer than 300 ms, or if someone who joined was dropped. Bash 5, for its clock.
set -euo pipefail
cd "$(dirname "$0")/.."
messages=1000000
case ${1:-} in
    -h | --help) ;;
    *) messages=${1:-$messages}; set -- 1 ;;
esac
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh
[ -n "${EPOCHREALTIME:-}" ] || { echo "${0##*/}: this needs bash 5" >&2; exit 2; }

# ask FILE-DESCRIPTOR LINE...: sends lines, and reads until all are answered; false at the end of input.
ask() {
    local fd=$1 line
    shift
    printf '%s\n' "$@" '/fence' >&"$fd"
    while IFS= read -r -t 60 -u "$fd" line; do
        case $line in *'/fence'*) return 0 ;; esac
    done
    return 1
}

# timed FILE COMMAND...: appends the milliseconds that it took, or "lost".
timed() {
    local file=$1 began=${EPOCHREALTIME/[.,]/}
    shift
    if "$@"; then
        echo $(((${EPOCHREALTIME/[.,]/} - began) / 1000)) >>"$file"
    else
        echo lost >>"$file"
    fi
}

# shellcheck disable=SC2317 # timed calls it
join() {
    local fd joined=0
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    ask "$fd" '/join #long' || joined=1
    exec {fd}>&-
    return "$joined"
}

start_chatloop --data "$work/data"
# Words that nearly all messages have, and a few that nearly none has.
awk -v messages="$messages" 'BEGIN {
    print "/join #long"
    for (i = 0; i < messages; i++) printf "a b a c the message %d of b a and c%s\n", i, i % 99991 ? "" : " zebra"
}' >"$work/lines"
exec 3<>"/dev/tcp/127.0.0.1/$port"
cat <&3 >"$work/heard" &
reader=$!
cat "$work/lines" >&3
echo '/filled' >&3
until grep -q '/filled' "$work/heard"; do sleep 0.2; done
kill "$reader"
echo "$messages messages, $(du -sm "$work/data" | cut -f1) MB"

searches() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    ask "$fd" '/join #long'
    while ask "$fd" '/search a.b.b.a'; do echo >>"$work/searches"; done
}
for _ in 1 2 3 4 5 6 7 8 9 10; do searches & searchers="${searchers:-} $!"; done
sleep 1
exec 4<>"/dev/tcp/127.0.0.1/$port"
ask 4 '/join #long'
for _ in $(seq 30); do
    timed "$work/history" ask 4 '/history 20'
    timed "$work/joined" join
done
# shellcheck disable=SC2086 # several
kill $searchers
# shellcheck disable=SC2086
wait $searchers 2>/dev/null || true
echo "searches meanwhile: $(wc -l <"$work/searches")"
code=0
for what in history joined; do
    sort -n "$work/$what" | awk -v what="$what" '
        { value[NR] = $1 }
        END { printf "%-8s median %s ms, longest %s ms\n", what, value[int((NR + 1) / 2)], value[NR] }'
    awk '$1 == "lost" || $1 > 300 { bad = 1 } END { exit bad }' "$work/$what" || code=1
done
exit "$code"
