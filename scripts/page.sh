#!/bin/sh
# The page's scripts in node against a real server: entering, chatting, history, and a server that is
# killed three times. Prints one line per step.
#
#   scripts/page.sh            exit code 0 on success, 77 if it cannot run here
#   scripts/page.sh --help     show this help
#
# Needs node 20.10 or newer, whose WebSocket is that of a browser. The document is a stand-in
# (tests/page/dom.mjs): layout, style and focus are for a real browser.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  '') ;;
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) echo "${0##*/}: no arguments expected; see --help" >&2; exit 2 ;;
esac
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

flag=
if ! node -e 'process.exit(typeof WebSocket === "undefined" ? 1 : 0)' 2>/dev/null; then
  flag=--experimental-websocket
  node "$flag" -e 'process.exit(typeof WebSocket === "undefined" ? 1 : 0)' 2>/dev/null || {
    echo "${0##*/}: node 20.10 or newer is missing" >&2
    exit 77
  }
fi
build
# shellcheck disable=SC2086 # no flag is no word
node $flag --no-warnings tests/page/page.mjs "$(realpath "$bin/chatloop-server")" "$workdir" &
children="$children $!"
wait "$!"
