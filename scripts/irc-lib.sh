# shellcheck shell=bash
# shellcheck disable=SC2154 # workdir, server and port are of lib.sh
# Shared by the scripts that speak IRC: users at nc, what they saw, and one line of report per step.
# Sourced after lib.sh, not run. Works with bash 3.2, which macOS has.
#
# No check sleeps: each one waits for a line, with a timeout. A line did not come if the reply to a
# later PING has come first, because lines keep their order.

# How long any single wait may take, in hundredths of a second.
WAIT=1500

failed=0
passed=0
# Descriptors of this shell, one per client, from here on.
next_keys=20
# Why the current item has failed.
why=

# A client may be killed while the script writes to it.
trap '' PIPE

# item TEXT FUNCTION: one line of the report.
item() {
  why=
  if "$2" && alive; then
    printf 'ok      %s\n' "$1"
    passed=$((passed + 1))
  else
    printf 'FAILED  %s: %s\n' "$1" "${why:-unknown reason}"
    failed=$((failed + 1))
  fi
  [ -z "$server" ] || kill -0 "$server" 2>/dev/null || die "the server is gone; log: $(cat "$workdir/log")"
}

# The server runs, if it should, and has logged no error.
alive() {
  [ -z "$server" ] || kill -0 "$server" 2>/dev/null || { why="the server is gone"; return 1; }
  if grep -qE 'ERROR|panicked' "$workdir/log"; then
    why="the server's log: $(grep -E 'ERROR|panicked' "$workdir/log" | head -n 1)"
    return 1
  fi
}

# The last line of the script.
verdict() {
  if [ "$failed" -eq 0 ]; then
    echo "all $passed passed"
  else
    echo "$failed of $((failed + passed)) FAILED"
  fi
  [ "$failed" -eq 0 ]
}

# open_client NAME COMMAND...: starts COMMAND with a named pipe as its input. No client may inherit
# another's pipe, because a pipe is closed only when its last writer is gone.
open_client() {
  local name=$1 keys=$next_keys fd=20
  shift
  next_keys=$((next_keys + 1))
  rm -f "$workdir/$name.keys"
  mkfifo "$workdir/$name.keys" || exit 1
  : >"$workdir/$name.saw"
  (
    while [ "$fd" -lt "$keys" ]; do
      eval "exec $fd>&-"
      fd=$((fd + 1))
    done
    exec "$@" <"$workdir/$name.keys" >"$workdir/$name.saw" 2>&1
  ) &
  printf -v "pid_$name" '%s' "$!"
  children="$children $!"
  eval "exec $keys>'$workdir/$name.keys'"
  printf -v "keys_$name" '%s' "$keys"
  printf -v "mark_$name" '%s' 0
}

# connect NAME: a new user at nc.
connect() {
  open_client "$1" nc 127.0.0.1 "$port"
}

# Closes the input of NAME: nc closes its side of the connection.
hang_up() {
  local keys="keys_$1"
  eval "exec ${!keys}>&-"
}

# The descriptor of the input of NAME.
keys() {
  local keys="keys_$1"
  echo "${!keys}"
}

# signal NAME -SIGNAL
signal() {
  local pid="pid_$1"
  kill "$2" "${!pid}" || return 1
  # Discards the shell's notice about a killed child.
  [ "$2" != -9 ] || wait "${!pid}" 2>/dev/null || true
}

# piece NAME BYTES: as printf writes them, without an end of line.
piece() {
  local keys="keys_$1"
  printf '%b' "$2" 2>/dev/null 1>&"${!keys}" || { why="$1 is not there to type"; return 1; }
}

# types NAME LINE
types() {
  local keys="keys_$1"
  printf '%s\r\n' "$2" 2>/dev/null 1>&"${!keys}" || { why="$1 is not there to type"; return 1; }
}

# What NAME saw since the last check. CR is not shown.
since() {
  local mark="mark_$1"
  tail -n "+$((${!mark} + 1))" "$workdir/$1.saw" | tr -d '\r'
}

# sees NAME PATTERN: waits for the next line that matches the extended regular expression. Earlier
# lines are skipped.
sees() {
  local name=$1 mark="mark_$1" tries=0 found
  until found=$(since "$name" | grep -n -m 1 -E -- "$2"); do
    tries=$((tries + 1))
    if [ "$tries" -ge "$WAIT" ]; then
      why="$name never saw '$2', but: $(since "$name" | tail -n 3 | tr '\n' '|')"
      return 1
    fi
    sleep 0.01
  done
  printf -v "$mark" '%s' "$((${!mark} + ${found%%:*}))"
}

# ask NAME LINE: sends the line; what NAME received until it was done is in $answer.
fences=0
ask() {
  local name=$1 mark="mark_$1" from
  fences=$((fences + 1))
  from=${!mark}
  types "$name" "$2" && types "$name" "PING :fence$fences" &&
    sees "$name" "PONG [^ ]+ :?fence$fences\$" || return 1
  answer=$(head -n "$((${!mark} - 1))" "$workdir/$name.saw" | tail -n "+$((from + 1))" | tr -d '\r')
}

# has PATTERN: the last answer has a matching line.
has() {
  grep -qE -- "$1" <<<"$answer" && return
  why="no line like '$1' in the answer: $(tr '\n' '|' <<<"$answer")"
  return 1
}

# lacks PATTERN
lacks() {
  ! grep -qE -- "$1" <<<"$answer" && return
  why="unwanted: $(grep -E -- "$1" <<<"$answer" | head -n 1)"
  return 1
}

# answers: how many lines of the last answer come from the server itself, not from users.
answers() {
  grep -cvE '^(:[^ ]+![^ ]+ .*)?$' <<<"$answer"
}

# refused NAME NUMERIC LINE: the answer is this numeric only.
refused() {
  ask "$1" "$3" || return 1
  has "^:[^ ]+ $2 $1( |\$)" || { why="'$3' by $1: $why"; return 1; }
  [ "$(answers)" -eq 1 ] && return
  why="'$3' by $1 is answered with more than $2: $(tr '\n' '|' <<<"$answer")"
  return 1
}

# unanswered NAME LINE: there is no answer, and no echo.
unanswered() {
  ask "$1" "$2" && lacks "^:$1!" || return 1
  [ "$(answers)" -eq 0 ] && return
  why="'$2' by $1 is answered: $(tr '\n' '|' <<<"$answer")"
  return 1
}

# hears_nothing NAME PATTERN: no matching line has come.
hears_nothing() {
  ask "$1" 'PING :quiet' && lacks "$2"
}

# enter NAME [PASSWORD]: connects with nc and registers.
enter() {
  connect "$1"
  [ -z "${2:-}" ] || types "$1" "PASS $2" || return 1
  types "$1" "NICK $1" && types "$1" "USER $1 0 * :$1 of the sheet" && sees "$1" " 001 $1 " &&
    sees "$1" ' (376|422) '
}

# The number of the server's open descriptors.
descriptors() {
  if [ -d "/proc/$server/fd" ]; then
    find "/proc/$server/fd" -mindepth 1 | wc -l | tr -d ' '
  else
    lsof -p "$server" 2>/dev/null | wc -l | tr -d ' '
  fi
}
