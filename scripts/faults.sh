#!/bin/sh
# A crowd on a server whose system calls fail on purpose, with every byte verified: in plain text, in
# IRC, by TLS, and in WebSockets without and with TLS.
#
# By default 500 members, 100 of them sending; half of all writes are short, a fifth of all calls are
# interrupted, a fifth of all reads and writes find the socket not ready after all. Nothing may be
# lost, duplicated, reordered or corrupted.
#
#   scripts/faults.sh                                   the default
#   scripts/faults.sh --clients 50 --senders 20         with flags for `chatloop-lab swarm`
#
# FAULTS=reset=0.01 has other calls fail. The exit code is 0 if every crowd was clean.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
case ${1:-} in
  -h | --help) show_help; exit 0 ;;
esac

[ $# -gt 0 ] || set -- --clients 500 --senders 100 --messages 2000
build
start_server --tls --greeting-delay=60000 --fault="${FAULTS:-short-write=0.5,eintr=0.2,eagain=0.2}" ||
  die "the server did not start: $(cat "$workdir/log")"
echo "server      $ready"
code=0

# crowd NAME FLAGS...: its verdict, or all of its report if it was not clean.
crowd() {
  name=$1
  shift
  if "$bin/chatloop-lab" swarm 127.0.0.1 "$port" --one-order "$@" >"$workdir/report"; then
    printf '%-20s %s\n' "$name" "$(grep ' lost, ' "$workdir/report")"
  else
    code=1
    printf '%s\n' "$name"
    cat "$workdir/report"
  fi
}

irc() {
  crowd "$@" --hello 'NICK i{}\nUSER u 0 * :r\nJOIN #r' --welcome ' 366 ' --prefix 'PRIVMSG #r :'
}

tls=${ready##* }
crowd 'plain text' "$@" --hello '/nick n{}' --welcome 'now known as'
irc IRC "$@"
irc 'IRC, TLS' "$@" --tls-fingerprint "$tls"
irc WebSocket "$@" --websocket
irc 'WebSocket, TLS' "$@" --websocket --tls-fingerprint "$tls"
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"
exit "$code"
