#!/bin/sh
# A chat between three people, from the first hello to the shutdown.
#
# Builds and starts a server on a free port and runs three clients: Ann and Bob in plain text with nc
# (or chatloop-client --plain if there is no nc), Carol in IRC with chatloop-client in script mode.
# Shows what each of them and the operator saw, and shuts the server down.
#
#   scripts/demo.sh            run the demo; exit code 0 on success
#   scripts/demo.sh --help     show this help
#
# To try it yourself, run `cargo run --release --bin chatloop-server` in one terminal and
# `nc 127.0.0.1 7777` in two others.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"

build
start_server --style plain || die "the server did not start: $(cat "$workdir/log")"
echo "server:  $ready"

# Each client's input is a named pipe that the script writes to. No client may inherit another's pipe,
# because a pipe is closed only when its last writer is gone.
talk() {
  mkfifo "$workdir/$1.keys" || exit 1
  if [ "$2" = nc ]; then
    nc 127.0.0.1 "$port" <"$workdir/$1.keys" >"$workdir/$1.saw" 2>&1 3>&- 4>&- 5>&- &
  else
    # shellcheck disable=SC2086 # the flags are words
    "$bin/chatloop-client" 127.0.0.1 "$port" $3 \
      <"$workdir/$1.keys" >"$workdir/$1.saw" 2>&1 3>&- 4>&- 5>&- &
  fi
  children="$children $!"
}

netcat=client
command -v nc >/dev/null && netcat=nc

# Each step waits for its effect, not for a fixed time.
sees() {
  wait_until "$2" "$workdir/$1.saw" || die "$1 never saw '$2'; log: $(cat "$workdir/log")"
}

talk ann "$netcat" --plain
exec 3>"$workdir/ann.keys"
sees ann ', 1 user online'
talk bob "$netcat" --plain
exec 4>"$workdir/bob.keys"
sees bob ', 2 users online'
talk carol client '--nick Carol'
exec 5>"$workdir/carol.keys"
sees carol '3 users'
sees ann 'Carol'
echo '/nick Ann' >&3
sees bob 'is now known as Ann'
echo '/nick Bob' >&4
sees carol 'is now known as Bob'

echo 'hello from Ann' >&3
sees bob 'hello from Ann'
sees carol 'hello from Ann'
# In two pieces: a newline ends a line, not a read.
printf 'Bob here, ' >&4
printf 'in two pieces\n' >&4
sees ann 'Bob here, in two pieces'
sees carol 'Bob here, in two pieces'
# Two lines in one: they arrive as two messages.
printf 'one from Carol\ntwo from Carol\n' >&5
sees ann 'two from Carol'
sees bob 'two from Carol'
echo '/frobnicate' >&4
sees bob '/frobnicate'
echo '/quit' >&4
sees ann '2 users online'
exec 4>&-
sees bob goodbye

stop_server
code=$?
sees ann 'shutting down'
sees carol 'shutting down'
exec 3>&- 5>&-

show() {
  printf '\n%s\n' "$1"
  sed 's/^/    /' "$2"
}
show "what Ann saw ($netcat):" "$workdir/ann.saw"
show "what Bob saw ($netcat), who quit first:" "$workdir/bob.saw"
show "what Carol saw (chatloop-client, script mode, IRC):" "$workdir/carol.saw"
show "what the operator saw (the server's stdout):" "$workdir/transcript"
show "the log (the server's stderr):" "$workdir/log"
printf '\nthe server stopped with exit code %s\n' "$code"
exit "$code"
