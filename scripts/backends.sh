#!/bin/sh
# The same swarm on every backend that this system has, in one table.
#
# For each of epoll, kqueue, poll and select: starts a server and measures a room of 500 members, once
# with one message at a time and once with 100 in flight. Backends that the system lacks are marked.
#
#   scripts/backends.sh [CLIENTS [MESSAGES]]     default: 500 1000
#   scripts/backends.sh --help                   show this help
#
# One run each, whatever else the machine does: a comparison, not a benchmark. The exit code is 1 if any
# message was lost, duplicated, reordered or corrupted.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
for number in "$@"; do
  case $number in
    '' | *[!0-9]*) echo "${0##*/}: '$number' is not a number; see --help" >&2; exit 2 ;;
  esac
done
clients=${1:-500}
messages=${2:-1000}
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# measure WINDOW: one swarm; its JSON goes to $workdir/report.
measure() {
  "$bin/chatloop-lab" swarm 127.0.0.1 "$port" --clients "$clients" --messages "$messages" \
    --window "$1" --json >"$workdir/report" 2>"$workdir/trouble"
}

# value KEY: a number of the last report, whole.
value() {
  sed -n "s/.*\"$1\":\([0-9][0-9]*\).*/\1/p" "$workdir/report"
}

build
echo "$clients clients, all of them sending, $messages messages of 64 bytes"
echo
format='%-9s %14s %9s %9s   %14s %9s %9s   %s\n'
# shellcheck disable=SC2059 # one format for head and rows
row() { printf "$format" "$@"; }
row '' 'one at a time' '' '' '100 in flight' '' '' ''
row backend deliveries/s 'p50 µs' 'p99 µs' deliveries/s 'p50 µs' 'p99 µs' verdict
worst=0
for backend in epoll kqueue poll select; do
  if ! start_server --quiet --backend "$backend"; then
    grep -q 'this system has no' "$workdir/log" || die "$backend: $(cat "$workdir/log")"
    row "$backend" 'not available' '' '' '' '' '' ''
    continue
  fi
  set -- "$backend"
  verdict=clean
  for window in 1 100; do
    measure "$window"
    code=$?
    if [ "$code" -ne 0 ]; then
      verdict="exit code $code $(cat "$workdir/trouble")"
      worst=1
    fi
    set -- "$@" "$(value deliveries_per_second)" "$(value latency_p50_us)" "$(value latency_p99_us)"
  done
  row "$@" "$verdict"
  stop_server || die "$backend: the server exited with code $?: $(cat "$workdir/log")"
done
exit "$worst"
