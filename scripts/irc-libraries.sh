#!/usr/bin/env bash
# Client libraries for IRC: each logs in by SASL, joins a room, and says 700 characters, of which a user of
# nc must see all.
#
# irc, irc3, miniirc and pydle (Python), irc-framework and matrix-org-irc (node), and irc-framework once more
# over a WebSocket. Two of them cut a text by the 512 bytes of a line, without room for the sender that the
# server adds. Prints one line per library.
#
#   scripts/irc-libraries.sh            exit code 0 on success, 77 if it cannot run here
#   scripts/irc-libraries.sh --help     show this help
#
# Needs Python 3.9 or newer with venv, node 20 or newer with npm, and nc. What is missing is installed with
# apt-get if the script runs as root; the libraries come from PyPI and npm into a temporary directory.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"
# shellcheck source=scripts/irc-lib.sh
. scripts/irc-lib.sh
# shellcheck source=scripts/install-lib.sh
. scripts/install-lib.sh

# The Debian packages of missing programs.
missing() {
  python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
  command -v nc >/dev/null || echo netcat-openbsd
}

have_packages
pip_install 'irc~=20.5' 'irc3~=1.1' 'miniirc~=1.10' 'pydle~=1.2' pure-sasl
npm_install irc-framework@4 matrix-org-irc@3
build
start_server --quiet || die "the server did not start: $(cat "$workdir/log")"
echo "server: $ready"

text=$(seq -s ' ' 1000 1139) # 699 characters, and the same words in no two places
text=$text.
connect ned
if ! { types ned '/nick ned' && types ned '/join #lab' && sees ned 'you joined'; }; then
  die "$why"
fi

# speaks LIBRARY COMMAND...: registers an account and lets the program of a user run.
speaks() {
  local library=$1 nick said
  shift
  nick=$(tr -dc a-z0-9 <<<"$library")
  enter "$nick" && ask "$nick" "REGISTER * * secret-of-$nick" && has "REGISTER SUCCESS $nick " &&
    types "$nick" QUIT && sees "$nick" '^ERROR ' || return 1
  hang_up "$nick"
  if ! bounded "$@" "$port" "$nick" "secret-of-$nick" "$text" >"$workdir/$nick.out" 2>&1; then
    why="$library: $(tail -n 3 "$workdir/$nick.out")"
    return 1
  fi
  # Only who has logged in has the nick of an account.
  sees ned "^\* ${nick}_* quit" || return 1
  said=$(sed -n "s/^#lab \[${nick}_*\]: //p" "$workdir/ned.saw" | tr -d '\r\n ')
  [ "$said" = "$(tr -d ' ' <<<"$text")" ] || { why="not all: $said"; return 1; }
}

bounded() { timeout 60 "$@"; }
python() { speaks "$1" "$python" tests/libraries/python.py "$1"; }
javascript() {
  speaks "$1" node --experimental-websocket --no-warnings tests/libraries/node.mjs "$workdir" "$1"
}
jaraco() { python irc; }
irc3() { python irc3; }
miniirc() { python miniirc; }
pydle() { python pydle; }
framework() { javascript irc-framework; }
matrix() { javascript matrix-org-irc; }
websocket() { javascript websocket; }

item 'irc (Python)' jaraco
item 'irc3 (Python)' irc3
item 'miniirc (Python)' miniirc
item 'pydle (Python)' pydle
item 'irc-framework (node)' framework
item 'matrix-org-irc (node)' matrix
item 'irc-framework over a WebSocket (node)' websocket
verdict
