#!/bin/sh
# One client stops reading (SIGSTOP, as by Ctrl-Z) while others flood the room.
#
# Two clients listen; one of them is stopped. Then a swarm sends some 20 MB through the room, far
# more than the kernel's socket buffers hold. The others must not notice: the latencies are shown
# beside those of the same flood with everyone awake. Then the sleeper is continued, and what it
# gets must be, byte for byte, what the one who was awake has got.
#
#   scripts/slow-reader.sh [MEGABYTES]     how much to send, default 20
#   scripts/slow-reader.sh --help          this text
#
# The server's hard limit is set above the flood, so that the sleeper is not dropped. With the
# default (--outbox-hard 8M) it might be, and the log would name the limit. Exit code 0: all as it
# must be.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *[!0-9]*) echo "${0##*/}: '$1' is not a number; see --help" >&2; exit 2 ;;
esac
megabytes=${1:-20}
size=512
messages=$((megabytes * 1000000 / size))
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

build
start_server --quiet --outbox-hard "$((2 * megabytes + 64))M" ||
  die "the server did not start: $(cat "$workdir/log")"

# Both type nothing and stay: their standard input is a pipe that is held open, here, on 3.
mkfifo "$workdir/keys" || exit 1
listen_as() {
  "$bin/chatloop-client" 127.0.0.1 "$port" --plain <"$workdir/keys" >"$workdir/$1" 2>&1 3>&- &
  children="$children $!"
  listener=$!
}
listen_as sleeper
sleeper=$listener
listen_as awake
exec 3>"$workdir/keys"
for who in sleeper awake; do
  wait_until 'connected as ' "$workdir/$who" || die "no way in: $(cat "$workdir/$who")"
done

flood() {
  "$bin/chatloop-lab" swarm 127.0.0.1 "$port" --clients 20 --messages "$messages" \
    --size "$size" --window 20 >"$workdir/report" || die "faults: $(cat "$workdir/report")"
  sed -n 's/^latency  */    /p; s/^clean  */    /p' "$workdir/report"
}

# say TEXT: as one more client, who comes, says it and goes.
say() {
  echo "$1" | "$bin/chatloop-client" 127.0.0.1 "$port" --linger 0 >/dev/null ||
    die "cannot say '$1'"
}

# What the chat said, without the server's own lines: who came first saw one of those more.
words() {
  grep -v '^\* ' "$workdir/$1"
}

echo "everyone awake, $megabytes MB through the room; 20 members measure:"
flood
say 'first flood over'
wait_until 'first flood over' "$workdir/awake" || die "the one awake did not hear the end"
wait_until 'first flood over' "$workdir/sleeper" || die "the sleeper did not hear the end"
echo "    server memory: $(server_memory) KiB"

kill -STOP "$sleeper"
before=$(words sleeper | wc -l | tr -d ' ')
echo "one stopped (kill -STOP $sleeper), the same again:"
flood
say 'second flood over'
wait_until 'second flood over' "$workdir/awake" || die "the one awake did not hear the end"
echo "    server memory: $(server_memory) KiB, the backlog of the sleeper among it"
heard=$(words sleeper | wc -l | tr -d ' ')
[ "$heard" -eq "$before" ] || die "a stopped process has read $((heard - before)) lines?"
owed=$(($(words awake | wc -l | tr -d ' ') - heard))
echo "    the sleeper has read nothing since; it is owed $owed lines"

kill -CONT "$sleeper"
echo "continued (kill -CONT $sleeper):"
wait_until 'second flood over' "$workdir/sleeper" || die "the sleeper did not get its backlog"
words awake >"$workdir/awake.words"
words sleeper >"$workdir/sleeper.words"
cmp "$workdir/awake.words" "$workdir/sleeper.words" || die "the sleeper got something else"
echo "    it has got all $owed lines, whole and in order: the same bytes as the one awake"
stop_server || die "the server ended with exit code $?"
