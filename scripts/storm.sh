#!/bin/sh
# What do two honest users notice while 250 connections of another address attack?
#
# Starts a server with the limits that apply to remote clients, and attacks it with every command of
# both dialects in turn, with the most expensive arguments, while 2,000 users are connected. Prints one
# row for each command as soon as it is measured; about 6 minutes.
#
#   scripts/storm.sh [OPTIONS] [-- SERVER FLAGS]
#   scripts/storm.sh --only WHO,/search            these attacks alone
#   scripts/storm.sh --markdown >table.md          the table of docs/SECURITY.md
#   scripts/storm.sh -- --data /tmp/d              a server that keeps its history on disk
#   scripts/storm.sh --help                        this text; chatloop-lab storm --help: the options
#
# The server has one core and the attackers have another, where taskset(1) is there: with one core
# for both, or with other work on the machine, the latencies say little. OTHER=DIRECTORY attacks the
# chatloop-server of another build. Needs 127.0.0.2 and the like, which Linux has and macOS has not
# without `ifconfig lo0 alias`.
#
# A server that does not recover from an attack is replaced by a new one for the next rows. The exit code
# is not 0 if some row does not pass.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

build
lab=$bin/chatloop-lab
bin=${OTHER:-$bin}

# The options, each quoted for the shell, up to --; what is left are the server's flags.
options=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  options="$options '$(printf %s "$1" | sed "s/'/'\\\\''/g")'"
  shift
done
[ $# -eq 0 ] || shift

# shellcheck disable=SC3045 # dash, bash and zsh know it
ulimit -n "$(ulimit -Hn)" 2>/dev/null
pinned=
if command -v taskset >/dev/null && taskset -c 0,1 true 2>/dev/null; then
  pinned=yes
  lab="taskset -c 1 $lab"
fi
# A build from before there were shares for origins has no flag for them.
shares=
"$bin/chatloop-server" --help | grep -q -- --origin-work && shares='--origin-work 4'
# The attackers come anew for each row.
"$bin/chatloop-server" --help | grep -q -- --connect-limit && shares="$shares --connect-limit off"
skip=0
worst=0
while [ -n "$skip" ]; do
  # shellcheck disable=SC2086
  start_server --quiet --log warn --flood-limit 100/s --max-per-address 256 $shares \
    --oper root:correct-horse "$@" || die "the server did not start: $(cat "$workdir/log")"
  [ -z "$pinned" ] || taskset -a -p -c 0 "$server" >/dev/null
  eval "$lab storm 127.0.0.1 $port $options --skip $skip" 2>"$workdir/trouble"
  code=$?
  cat "$workdir/trouble" >&2
  [ "$code" -le "$worst" ] || worst=$code
  # The server did not recover from an attack: the next ones need a new server.
  skip=$(sed -n 's/.*--skip \([0-9]*\)$/\1/p' "$workdir/trouble")
  if [ -n "$skip" ]; then
    kill -KILL "$server" && wait "$server" 2>/dev/null
  else
    stop_server || die "the server ended with exit code $?: $(cat "$workdir/log")"
  fi
done
exit "$worst"
