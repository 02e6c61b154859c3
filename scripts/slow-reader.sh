#!/bin/sh
# One client stops reading (SIGSTOP, as with Ctrl-Z) while others flood the room.
#
# Two clients listen, and one of them is suspended. Then a swarm sends about 20 MB through the room, far
# more than the kernel's socket buffers hold. The other members must not notice: the script prints
# their latencies next to those of the same flood without a suspended client. Then the client is
# resumed, and must receive exactly the same bytes as the other listener.
#
#   scripts/slow-reader.sh [MEGABYTES]     how much to send (default 20)
#   scripts/slow-reader.sh --help          show this help
#
# The server's hard limit (--outbox-hard) is set above the size of the flood. With the default of 8M the
# suspended client would be disconnected, and the log would name the limit. Exit code 0 on success.

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

# Both stay connected and send nothing: their standard input is a pipe that descriptor 3 keeps open.
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

# say TEXT: sends a message from another client, which then disconnects.
say() {
  echo "$1" | "$bin/chatloop-client" 127.0.0.1 "$port" --linger 0 >/dev/null ||
    die "cannot say '$1'"
}

# The messages without the server's own lines, of which the first client saw one more.
words() {
  grep -v '^\* ' "$workdir/$1"
}

echo "no client suspended, $megabytes MB through the room, measured by 20 members:"
flood
say 'first flood over'
wait_until 'first flood over' "$workdir/awake" || die "the awake listener did not receive the end of the flood"
wait_until 'first flood over' "$workdir/sleeper" || die "the suspended client did not receive the end of the flood"
echo "    server memory: $(server_memory) KiB"

kill -STOP "$sleeper"
before=$(words sleeper | wc -l | tr -d ' ')
echo "one client suspended (kill -STOP $sleeper), the same flood:"
flood
say 'second flood over'
wait_until 'second flood over' "$workdir/awake" || die "the awake listener did not receive the end of the flood"
echo "    server memory: $(server_memory) KiB, including the send queue of the suspended client"
heard=$(words sleeper | wc -l | tr -d ' ')
[ "$heard" -eq "$before" ] || die "the suspended process has read $((heard - before)) lines"
owed=$(($(words awake | wc -l | tr -d ' ') - heard))
echo "    the suspended client has $owed lines queued"

kill -CONT "$sleeper"
echo "resumed (kill -CONT $sleeper):"
wait_until 'second flood over' "$workdir/sleeper" || die "the resumed client did not receive its queue"
words awake >"$workdir/awake.words"
words sleeper >"$workdir/sleeper.words"
cmp "$workdir/awake.words" "$workdir/sleeper.words" || die "the resumed client received different bytes"
echo "    it received all $owed lines: the same bytes as the awake listener"
stop_server || die "the server exited with code $?"
