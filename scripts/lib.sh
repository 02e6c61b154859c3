# shellcheck shell=sh
# Shared by the scripts: build, start a server on a free port, wait for an event, and clean up on
# every way out. Sourced, not run. POSIX sh; Linux and macOS; works under set -e, too.
#
# CHATLOOP_PROFILE=dev takes the quick build instead of the optimised one; CHATLOOP_FEATURES adds
# Cargo features.

# How long any single wait may take, in tenths of a second.
PATIENCE=300

children=
workdir=$(mktemp -d "${TMPDIR:-/tmp}/chatloop.XXXXXX") || exit 1

# Ends the started processes and removes the written files. A process stopped by SIGSTOP must be
# continued to receive SIGTERM.
cleanup() {
  trap - EXIT
  set +e
  trap '' INT TERM HUP
  for child in $children; do
    kill -TERM "$child" 2>/dev/null && kill -CONT "$child" 2>/dev/null
  done
  for child in $children; do
    tenths=0
    while kill -0 "$child" 2>/dev/null; do
      [ "$tenths" -lt 30 ] || kill -KILL "$child" 2>/dev/null
      tenths=$((tenths + 1))
      sleep 0.1
    done
    # Collects the exit code, so that the shell does not print one line for each killed child.
    wait "$child" 2>/dev/null
  done
  rm -rf "$workdir"
}
trap cleanup EXIT
# In POSIX sh a signal that is not caught skips the EXIT trap.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

die() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# The comment at the head of the script is its help.
show_help() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

# no_arguments "$@": for a script that takes none, but for --help.
no_arguments() {
  case ${1:-} in
    '') ;;
    -h | --help) show_help; exit 0 ;;
    *) echo "${0##*/}: no arguments expected; see --help" >&2; exit 2 ;;
  esac
}

# Builds the programs and sets $bin to where they are.
build() {
  profile=${CHATLOOP_PROFILE:-release}
  echo "building ($profile) ..." >&2
  cargo build --quiet --locked --profile "$profile" --bins \
    ${CHATLOOP_FEATURES:+--features "$CHATLOOP_FEATURES"} || die "the build failed"
  case $profile in
    dev) bin=${CARGO_TARGET_DIR:-target}/debug ;;
    *) bin=${CARGO_TARGET_DIR:-target}/$profile ;;
  esac
}

# wait_until TEXT FILE [PID]: waits until FILE holds a line with TEXT; fails after a while, or when
# the process PID has ended.
wait_until() {
  tenths=0
  until grep -qF -- "$1" "$2" 2>/dev/null; do
    if [ -n "${3:-}" ] && ! kill -0 "$3" 2>/dev/null; then
      # It may have written the line just before it ended.
      grep -qF -- "$1" "$2" 2>/dev/null
      return
    fi
    tenths=$((tenths + 1))
    [ "$tenths" -lt "$PATIENCE" ] || return 1
    sleep 0.1
  done
}

# start_server [FLAGS...]: sets $server, $port and $ready. Port 0 lets the system pick a free one,
# which the ready line names. Output goes to $workdir/transcript and $workdir/log. Fails, with the
# reason in the log, if the server does not start.
start_server() {
  : >"$workdir/log"
  "$bin/chatloop-server" 127.0.0.1 0 "$@" >"$workdir/transcript" 2>"$workdir/log" </dev/null &
  server=$!
  children="$children $server"
  wait_until 'listening on ' "$workdir/log" "$server" || return 1
  ready=$(sed -n '/listening on /{p;q;}' "$workdir/log")
  port=$(echo "$ready" | sed -n 's/^listening on .*:\([0-9][0-9]*\) with .*/\1/p')
  [ -n "$port" ] || die "no port in the ready line: $ready"
}

# Asks the server to stop and returns its exit code.
stop_server() {
  kill -TERM "$server" 2>/dev/null
  wait "$server"
}

# The server's resident memory in KiB.
server_memory() {
  ps -o rss= -p "$server" | tr -d ' '
}
