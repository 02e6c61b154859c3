#!/bin/sh
# A crowd that talks at once, and every byte of it checked.
#
# Starts a server on a free port and lets `chatloop-lab swarm` loose on it: by default 500 members,
# of whom 100 send, 100 messages in flight. The lab counts lost, doubled, reordered and torn
# messages (there should be none) and says how fast it went and what it cost the server.
#
#   scripts/swarm.sh                                    the default
#   scripts/swarm.sh --clients 50 --messages 100000     any flags of `chatloop-lab swarm`
#   scripts/swarm.sh --help                             this text
#
# SERVER_FLAGS="--backend poll" hands flags to the server. The exit code is the lab's: 0 clean,
# 1 faults found, 3 connections failed.

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
stop_server || die "the server ended with exit code $?: $(cat "$workdir/log")"
# Limits that struck, if any.
grep -E 'WARN|ERROR' "$workdir/log"
exit "$code"
