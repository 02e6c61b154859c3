#!/bin/sh
# A crowd that sends at once, with every byte verified.
#
# Starts a server on a free port and runs `chatloop-lab swarm` against it: by default 500 members,
# 100 of them sending, 100 messages in flight. The lab counts lost, duplicated, reordered and
# corrupted messages (there should be none) and reports the throughput and the server's CPU time.
#
#   scripts/swarm.sh                                    the default
#   scripts/swarm.sh --clients 50 --messages 100000     with flags for `chatloop-lab swarm`
#   scripts/swarm.sh --help                             show this help
#
# SERVER_FLAGS="--backend poll" passes flags to the server. The exit code is that of the lab: 0 clean,
# 1 errors found, 3 connections failed.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

[ $# -gt 0 ] || set -- --clients 500 --senders 100 --messages 20000 --window 100
build
# shellcheck disable=SC2086 # flags are words
start_server --quiet ${SERVER_FLAGS:-} || die "the server did not start: $(cat "$workdir/log")"
echo "server      $ready"
"$bin/chatloop-lab" swarm 127.0.0.1 "$port" --pid "$server" "$@"
code=$?
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"
# Exceeded limits, if any.
grep -E 'WARN|ERROR' "$workdir/log"
exit "$code"
