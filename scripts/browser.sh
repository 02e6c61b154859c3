#!/bin/sh
# The pages in headless browsers: the chat with users of nc and irssi in one room, and the loop.
#
# Starts a server, enters as a guest by the keys alone and with an account by SCRAM, talks both ways,
# replies, reacts, deletes, changes rooms, scrolls back, kills the server twice, and looks at the page
# light and dark, 1280 and 400 pixels wide. Then it looks at /loop: a quiet and a busy room, a stopped reader,
# a crowd, step mode and faults. Prints one line per step.
#
#   scripts/browser.sh [DIRECTORY]   exit code 0 on success, 77 if it cannot run here; DIRECTORY is
#                                    for pictures of the page
#   scripts/browser.sh --help        show this help
#
# Needs Chromium or Chrome, node 20 or newer with npm, irssi, and script(1) from util-linux. What is
# missing is installed with apt-get if the script runs as root; puppeteer-core, which drives the browser,
# comes from npm into a temporary directory.

set -u
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "${0##*/}: unexpected argument '$1' (see --help)" >&2; exit 2 ;;
esac
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
# shellcheck source=scripts/install-lib.sh
. scripts/install-lib.sh

browser() {
  command -v chromium || command -v chromium-browser || command -v google-chrome || return 1
}
# The Debian packages of missing programs.
missing() {
  browser >/dev/null || echo chromium
  command -v irssi >/dev/null || echo irssi
  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || echo nodejs
  command -v npm >/dev/null || echo npm
  script --version 2>/dev/null | grep -q util-linux || echo bsdutils
}

pictures=
if [ -n "${1:-}" ]; then
  mkdir -p "$1" && pictures=$(cd "$1" && pwd) || exit 1
fi
have_packages
npm_install puppeteer-core@24
build
cp "$bin/chatloop-server" "$workdir/chatloop-server" || exit 1
# If it is Chromium itself that has gone (75), which happens under load, a test may try once more.
for page in browser loop; do
  for attempt in 1 2; do
    mkdir "$workdir/$page$attempt" || exit 1
    HOME=$workdir node "tests/page/$page.mjs" "$workdir/chatloop-server" "$(browser)" \
      "$workdir/$page$attempt" ${pictures:+"$pictures"} &
    children="$children $!"
    code=0
    wait "$!" || code=$?
    [ "$code" = 75 ] || break
    echo "Chromium has exited"
  done
  [ "$code" = 0 ] || exit "$code"
done
