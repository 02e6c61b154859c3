#!/usr/bin/env bash
# The evaluation sheet of 42's ft_irc project, as a script.
#
# Builds and starts a server with a connection password on a free port and goes through the sheet with
# nc: password, registration, several clients at once, partial commands, clients killed in the middle
# of a command, a client suspended (SIGSTOP) while its channel is flooded, private messages,
# channels, and operator permissions: KICK, INVITE, TOPIC, and MODE with i, t, k, o and l. Finally,
# the server's memory and descriptors. Prints one line per item.
#
#   scripts/ft_irc-sheet.sh            exit code 0 if all items pass
#   scripts/ft_irc-sheet.sh --help     show this help
#
# The items about the code itself (one poll, non-blocking descriptors) are not covered; see
# docs/ARCHITECTURE.md. Needs bash and an nc that sends its input at once, like OpenBSD's.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"
# shellcheck source=scripts/irc-lib.sh
. scripts/irc-lib.sh
command -v nc >/dev/null || die "nc is missing"

password=xyzzy-42
# Lines of the flood, and bytes of one: far more than the kernel keeps for a socket.
flood_lines=20000
flood_size=400

build
# The sleeper's backlog has to fit under the hard limit, or it is dropped. On a busy machine the first
# half of a command may be on its way for longer than the usual detection timeout.
start_server --quiet --password="$password" --outbox-hard=64M --greeting-delay=2000 ||
  die "the server did not start: $(cat "$workdir/log")"
echo "server: $ready"

# --- Registration ---------------------------------------------------------------------------------

right_password() {
  enter ann "$password"
}

wrong_password() {
  connect mallory
  types mallory 'PASS wrong' && types mallory 'NICK mallory' && types mallory 'USER m 0 * :m' &&
    sees mallory ' 464 mallory ' && sees mallory '^ERROR ' && gone mallory
}

# The password may still come, whatever the order; nothing else is answered until then.
no_password() {
  connect trudy
  types trudy 'NICK trudy' && types trudy 'USER t 0 * :t' && sees trudy ' 464 trudy ' &&
    ask trudy 'JOIN #sheet' && has ' 451 trudy ' && lacks ' (001|353|366) ' &&
    types trudy 'PASS wrong' && sees trudy ' 464 trudy ' && sees trudy '^ERROR ' && gone trudy
}

# The server has closed the connection of NAME: its nc ends.
gone() {
  local pid="pid_$1" tries=0
  hang_up "$1"
  while kill -0 "${!pid}" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt "$WAIT" ] || { why="the connection of $1 is still open"; return 1; }
    sleep 0.01
  done
}

before_registration() {
  connect eve
  types eve "PASS $password" && types eve 'NICK eve' && ask eve 'JOIN #sheet' && has ' 451 eve ' &&
    ask eve 'PRIVMSG ann :early' && has ' 451 eve ' && types eve 'USER eve 0 * :Eve' &&
    sees eve ' 001 eve ' && sees eve ' (376|422) eve ' && hears_nothing ann 'early'
}

nick_faults() {
  connect zoe
  types zoe "PASS $password" && ask zoe 'NICK' && has ' 431 ' && ask zoe 'NICK 4#2' && has ' 432 ' &&
    ask zoe 'NICK ANN' && has ' 433 ' && ask zoe 'USER zoe' && has ' 461 ' &&
    types zoe 'NICK zoe' && types zoe 'USER zoe 0 * :Zoe' && sees zoe ' 001 zoe ' &&
    sees zoe ' (376|422) zoe ' && refused zoe 433 'NICK ann' && refused zoe 462 'USER x 0 * :x' &&
    refused zoe 462 'PASS x'
}

nick_change() {
  ask zoe 'NICK zora' && has '^:zoe!.* NICK :?zora$' && refused ann 401 'PRIVMSG zoe :who' &&
    ask ann 'PRIVMSG zora :you' && sees zoe ' PRIVMSG zora :you$'
}

# --- Channels and messages ------------------------------------------------------------------------

many_at_once() {
  enter bob "$password" && enter carl "$password" && ask ann 'JOIN #sheet' &&
    has '^:ann!~ann@127.0.0.1 JOIN :?#sheet$' && has ' 353 ann = #sheet :@ann$' &&
    has ' 366 ann #sheet ' && ask bob 'JOIN #sheet' && has ' 353 bob = #sheet :.*@ann' &&
    has ' 353 bob = #sheet :.*bob' && ask carl 'JOIN #sheet' && sees ann '^:bob!.* JOIN :?#sheet$' &&
    sees ann '^:carl!.* JOIN :?#sheet$' && sees bob '^:carl!.* JOIN :?#sheet$'
}

channel_message() {
  unanswered ann 'PRIVMSG #sheet :hello all of you' &&
    sees bob '^:ann!~ann@127.0.0.1 PRIVMSG #sheet :hello all of you$' &&
    sees carl '^:ann!~ann@127.0.0.1 PRIVMSG #sheet :hello all of you$' &&
    hears_nothing eve 'hello all'
}

# All talk at once, and everyone receives each of the others' lines once, in their order.
all_at_once() {
  local name other count=200 talkers=
  for name in ann bob carl; do
    (seq -f "PRIVMSG #sheet :$name %.0f of $count" "$count" >&"$(keys "$name")") &
    talkers="$talkers $!"
  done
  # shellcheck disable=SC2086 # numbers are words
  wait $talkers
  for name in ann bob carl; do
    ask "$name" 'PING :said' || return 1
  done
  for name in ann bob carl; do
    ask "$name" 'PING :heard' || return 1
    for other in ann bob carl; do
      [ "$name" != "$other" ] || continue
      tr -d '\r' <"$workdir/$name.saw" | sed -n "s/^:$other!.* PRIVMSG #sheet :\($other .* of $count\)\$/\1/p" \
        >"$workdir/heard"
      seq -f "$other %.0f of $count" "$count" | cmp -s - "$workdir/heard" && continue
      why="$name heard $(wc -l <"$workdir/heard") lines of $other, or not in their order"
      return 1
    done
  done
}

# --- Commands in pieces ---------------------------------------------------------------------------

# A pause as a person's at Ctrl-D, and others go on meanwhile. The pause is the thing that is tried:
# without it nc would send the pieces as one.
others_go_on() {
  sleep 0.05
  ask bob "PRIVMSG #sheet :meanwhile $1" && sees carl "PRIVMSG #sheet :meanwhile $1\$"
}

pieces_from_the_sheet() {
  piece ann 'com' && others_go_on 1 && piece ann 'man' && others_go_on 2 && piece ann 'd\n' &&
    sees ann ' 421 ann command :Unknown command$' && hears_nothing bob 'command'
}

pieces_of_a_message() {
  local part
  for part in 'PRIV' 'MSG #she' 'et :he' 'llo in pi' 'eces'; do
    piece ann "$part" && others_go_on "after $part" || return 1
  done
  hears_nothing carl 'hello in' && piece ann '\r\n' &&
    sees bob '^:ann!.* PRIVMSG #sheet :hello in pieces$' &&
    sees carl '^:ann!.* PRIVMSG #sheet :hello in pieces$' && ask ann 'PING :x' && lacks ' 421 '
}

# One connection may have half a command pending for as long as it likes.
pieces_at_registration() {
  connect slow
  piece slow "PA" && others_go_on a && piece slow "SS $password\nNI" && others_go_on b &&
    piece slow 'CK sl' && others_go_on c && piece slow 'ow\nUSER slow 0 *' && others_go_on d &&
    piece slow ' :slow one\n' && sees slow ' 001 slow ' && sees slow ' (376|422) slow '
}

two_in_one() {
  piece ann 'PRIVMSG #sheet :first\r\nPRIVMSG #sheet :second\r\nPRIVMSG #sheet :th' &&
    sees bob ':first$' && sees bob ':second$' && piece ann 'ird\n' && sees bob ':third$'
}

# Who says nothing that looks like IRC is a plain client: same test, same room.
pieces_from_a_stranger() {
  connect stranger
  sees stranger 'password' && types stranger "/pass $password" && sees stranger 'users online' &&
    ask ann 'JOIN #lobby' && piece stranger 'com' &&
    others_go_on s1 && piece stranger 'man' && others_go_on s2 && hears_nothing ann 'man' &&
    piece stranger 'd\n' && sees ann ' PRIVMSG #lobby :command$' && ask ann 'PART #lobby' &&
    hang_up stranger
}

# --- Clients that go in a bad way -----------------------------------------------------------------

killed() {
  enter dan "$password" && ask dan 'JOIN #sheet' && sees bob '^:dan!.* JOIN' &&
    signal dan -9 && sees bob '^:dan!.* QUIT ' && sees carl '^:dan!.* QUIT ' &&
    newcomer_is_served new1
}

# Half of the command is with the server for certain: the whole one before it was received.
killed_in_mid_command() {
  enter dave "$password" && ask dave 'JOIN #sheet' && sees bob '^:dave!.* JOIN' &&
    piece dave 'PRIVMSG #sheet :the whole of it\r\nPRIVMSG #sheet :the half o' &&
    sees bob ':the whole of it$' && signal dave -9 && sees bob '^:dave!.* QUIT ' &&
    hears_nothing bob 'the half' && hears_nothing carl 'the half' && newcomer_is_served new2
}

killed_before_registration() {
  connect ghost
  piece ghost "PASS $password\\r\\nNICK ghost\\r\\nPING :there\\r\\nUSER gh" &&
    sees ghost 'PONG ' && signal ghost -9 && newcomer_is_served ghost
}

newcomer_is_served() {
  enter "$1" "$password" && ask "$1" 'JOIN #sheet' && has " 366 $1 #sheet " &&
    ask "$1" "PRIVMSG #sheet :I am $1" && sees bob ":I am $1\$" && ask "$1" "PRIVMSG bob :psst from $1" &&
    sees bob "PRIVMSG bob :psst from $1\$" && ask bob "PRIVMSG $1 :welcome" &&
    sees "$1" 'PRIVMSG .* :welcome$' && types "$1" 'QUIT :bye' && sees bob "^:$1!.* QUIT :.*bye"
}

# --- One who is stopped ---------------------------------------------------------------------------

# flood NAME WORD: NAME says so many lines in #sheet; bob has received them all when it is over.
flood() {
  local filler
  filler=$(printf "%${flood_size}s" '' | tr ' ' x)
  awk -v lines="$flood_lines" -v size="$flood_size" -v word="$2" -v filler="$filler" 'BEGIN {
    for (number = 1; number <= lines; number++) {
      line = "PRIVMSG #sheet :" word " " sprintf("%06d ", number)
      print line substr(filler, 1, size - length(line) - 1)
    }
  }' >&"$(keys "$1")" && ask "$1" "PRIVMSG #sheet :$2 over" && sees bob ":$2 over\$"
}

# heard NAME WORD FILE: the numbers of that flood which NAME has received, in the order they came.
heard() {
  sed -n "s/^:[^ ]* PRIVMSG #sheet :$2 \([0-9]*\) x.*/\1/p" "$workdir/$1.saw" >"$workdir/$3"
}

sleeper_before=
stopped() {
  enter sleeper "$password" && ask sleeper 'JOIN #sheet' || return 1
  signal sleeper -STOP
  sleeper_before=$(wc -c <"$workdir/sleeper.saw")
  memory_before=$(server_memory)
  flood ann asleep && ask carl 'PING :here' && ask bob 'PRIVMSG carl :still here' &&
    sees carl ':still here$' && newcomer_is_served new3 || return 1
  [ "$(wc -c <"$workdir/sleeper.saw")" -eq "$sleeper_before" ] || {
    why='a stopped process has read something?'
    return 1
  }
  backlog=$(server_memory)
}

# Others have said 8 MB since.
resumed() {
  signal sleeper -CONT
  sees sleeper ':asleep over$' || return 1
  heard sleeper asleep its
  heard bob asleep theirs
  seq -f '%06.0f' "$flood_lines" | cmp -s - "$workdir/its" || {
    why="of $flood_lines lines it has got $(wc -l <"$workdir/its")"
    return 1
  }
  cmp -s "$workdir/its" "$workdir/theirs" || { why='bob has heard something else'; return 1; }
  ask sleeper 'PRIVMSG #sheet :back again' && sees bob ':back again$'
}

# A client that is stopped while its commands are on the way: they are carried out.
stopped_with_commands() {
  local name count=300
  signal sleeper -STOP
  seq -f 'PRIVMSG #sheet :stored %.0f' "$count" >&"$(keys sleeper)"
  ask ann 'PRIVMSG #sheet :while it sleeps' && sees bob ':while it sleeps$' || return 1
  signal sleeper -CONT
  sees bob ":stored $count\$" && sees sleeper ':while it sleeps$' || return 1
  for name in bob carl; do
    ask "$name" 'PING :x' || return 1
    [ "$(grep -c ' PRIVMSG #sheet :stored ' "$workdir/$name.saw")" -eq "$count" ] || {
      why="$name has not heard all $count stored commands"
      return 1
    }
  done
}

# A backlog that has been delivered is given back: the same again needs no more.
no_leak() {
  local round first last limit
  for round in 1 2 3; do
    signal sleeper -STOP
    flood ann "round$round" || return 1
    last=$(server_memory)
    signal sleeper -CONT
    sees sleeper ":round$round over\$" || return 1
    [ "$round" -gt 1 ] || first=$last
  done
  # As much as a quarter of one flood may be the allocator's.
  limit=$((first + flood_lines * flood_size / 1024 / 4))
  [ "$last" -le "$limit" ] && return
  why="$first KiB in the first round, $last KiB in the third"
  return 1
}

# --- Private messages -----------------------------------------------------------------------------

private_message() {
  unanswered ann 'PRIVMSG bob :for you alone' && sees bob '^:ann!.* PRIVMSG bob :for you alone$' &&
    hears_nothing carl 'for you alone' && ask ann 'PRIVMSG bob,carl :for two' &&
    sees bob '^:ann!.* PRIVMSG bob :for two$' && sees carl '^:ann!.* PRIVMSG carl :for two$' &&
    ask ann 'PRIVMSG bob word' && sees bob '^:ann!.* PRIVMSG bob :?word$' &&
    ask ann 'PRIVMSG ann :to myself' && has '^:ann!.* PRIVMSG ann :to myself$'
}

private_message_faults() {
  refused ann 411 'PRIVMSG' && refused ann 412 'PRIVMSG bob' && refused ann 412 'PRIVMSG bob :' &&
    refused ann 401 'PRIVMSG nobody :hey' && refused eve 404 'PRIVMSG #sheet :from outside' &&
    refused ann '40[13]' 'PRIVMSG #nowhere :hey' && hears_nothing bob 'from outside'
}

# Nothing ever answers one.
notice() {
  unanswered ann 'NOTICE bob :a notice' && sees bob '^:ann!.* NOTICE bob :a notice$' &&
    unanswered ann 'NOTICE #sheet :for all' && sees carl '^:ann!.* NOTICE #sheet :for all$' &&
    unanswered ann 'NOTICE nobody :hey' && unanswered ann 'NOTICE'
}

# --- What operators may, and others may not -------------------------------------------------------

operators_only() {
  refused bob 482 'KICK #sheet carl :no' && refused bob 482 'MODE #sheet +i' &&
    refused bob 482 'MODE #sheet -t' && refused bob 482 'MODE #sheet +k key' &&
    refused bob 482 'MODE #sheet +l 5' && refused bob 482 'MODE #sheet +o bob' &&
    refused bob 482 'MODE #sheet -o ann' && ask bob 'MODE #sheet' && has ' 324 bob #sheet \+' &&
    lacks ' 324 bob #sheet \+[a-z]*[ikl]' && hears_nothing carl 'KICK|MODE'
}

kick() {
  ask ann 'KICK #sheet carl :off you go' && has '^:ann!.* KICK #sheet carl :off you go$' &&
    sees carl '^:ann!.* KICK #sheet carl :off you go$' && sees bob ' KICK #sheet carl :off you go$' &&
    refused carl 404 'PRIVMSG #sheet :still there' && refused ann 441 'KICK #sheet carl' &&
    refused ann 401 'KICK #sheet nobody' && refused carl 442 'KICK #sheet bob' &&
    refused ann 403 'KICK #nowhere bob' && refused ann 461 'KICK #sheet' && ask carl 'JOIN #sheet' &&
    has ' 366 carl #sheet ' && sees bob '^:carl!.* JOIN'
}

topic() {
  refused ann 331 'TOPIC #sheet' && ask ann 'MODE #sheet -t' && has '^:ann!.* MODE #sheet -t$' &&
    ask bob 'TOPIC #sheet :by anyone' && has '^:bob!.* TOPIC #sheet :by anyone$' &&
    sees ann '^:bob!.* TOPIC #sheet :by anyone$' && ask ann 'MODE #sheet +t' &&
    has '^:ann!.* MODE #sheet \+t$' && refused bob 482 'TOPIC #sheet :by nobody' &&
    ask ann 'TOPIC #sheet :by the operator' && sees bob ' TOPIC #sheet :by the operator$' &&
    ask bob 'TOPIC #sheet' && has ' 332 bob #sheet :by the operator$' &&
    has ' 333 bob #sheet ann[^ ]* [0-9]+$' && refused eve 442 'TOPIC #sheet :from outside' &&
    refused ann 403 'TOPIC #nowhere :x' && ask ann 'TOPIC #sheet :' && refused bob 331 'TOPIC #sheet'
}

invite_only() {
  ask ann 'MODE #sheet +i' && has '^:ann!.* MODE #sheet \+i$' && sees bob ' MODE #sheet \+i$' &&
    refused eve 473 'JOIN #sheet' && refused bob 482 'INVITE eve #sheet' &&
    ask ann 'INVITE eve #sheet' && has ' 341 ann eve #sheet$' &&
    sees eve '^:ann!.* INVITE eve :?#sheet$' && ask eve 'JOIN #sheet' && has ' 366 eve #sheet ' &&
    refused ann 443 'INVITE eve #sheet' && refused ann 401 'INVITE nobody #sheet' &&
    refused slow 442 'INVITE eve #sheet' && ask eve 'PART #sheet :done' &&
    sees bob '^:eve!.* PART #sheet :done$' && refused eve 473 'JOIN #sheet' &&
    ask ann 'MODE #sheet -i' && ask eve 'JOIN #sheet' && has ' 366 eve #sheet ' && ask eve 'PART #sheet'
}

key() {
  ask ann 'MODE #sheet +k open-sesame' && has '^:ann!.* MODE #sheet \+k open-sesame$' &&
    refused eve 475 'JOIN #sheet' && refused eve 475 'JOIN #sheet wrong' &&
    ask eve 'JOIN #sheet open-sesame' && has ' 366 eve #sheet ' && ask eve 'PART #sheet' &&
    refused bob 482 'MODE #sheet -k open-sesame' && ask ann 'MODE #sheet -k open-sesame' &&
    has '^:ann!.* MODE #sheet -k' && ask eve 'JOIN #sheet' && has ' 366 eve #sheet ' &&
    ask eve 'PART #sheet'
}

limit() {
  # ann, bob, carl, sleeper
  ask ann 'MODE #sheet +l 4' && has '^:ann!.* MODE #sheet \+l 4$' && refused eve 471 'JOIN #sheet' &&
    ask ann 'MODE #sheet' && has ' 324 ann #sheet \+[a-z]*l[a-z]* 4$' && ask ann 'MODE #sheet +l 5' &&
    ask eve 'JOIN #sheet' && has ' 366 eve #sheet ' && ask eve 'PART #sheet' &&
    ask ann 'MODE #sheet +l 4' && refused bob 482 'MODE #sheet -l' && ask ann 'MODE #sheet -l' &&
    has '^:ann!.* MODE #sheet -l$' && ask eve 'JOIN #sheet' && has ' 366 eve #sheet ' &&
    ask eve 'PART #sheet'
}

make_operator() {
  ask ann 'MODE #sheet +o bob' && has '^:ann!.* MODE #sheet \+o bob$' && sees bob ' MODE #sheet \+o bob$' &&
    ask carl 'NAMES #sheet' && has ' 353 carl = #sheet :.*@bob' &&
    ask bob 'TOPIC #sheet :bob may now' && has 'TOPIC #sheet :bob may now$' &&
    ask bob 'MODE #sheet +i' && ask bob 'MODE #sheet -i' && has ' MODE #sheet -i$' &&
    ask ann 'MODE #sheet -o bob' && sees bob ' MODE #sheet -o bob$' &&
    refused bob 482 'TOPIC #sheet :no more' && refused bob 482 'MODE #sheet +o bob' &&
    refused ann 401 'MODE #sheet +o nobody' && refused ann 441 'MODE #sheet +o eve' &&
    refused ann 403 'MODE #nowhere +o bob'
}

modes_together() {
  ask ann 'MODE #sheet +itkl word 9' && ask bob 'MODE #sheet' &&
    has ' 324 bob #sheet \+[a-z]*i[a-z]*t[a-z]*kl word 9$' && ask ann 'MODE #sheet -ikl word' &&
    ask bob 'MODE #sheet' && has ' 324 bob #sheet \+[^ikl]*$' && refused ann 472 'MODE #sheet +Z' &&
    ask ann 'MODE #sheet +k' && ask ann 'MODE #sheet +l none' && ask ann 'MODE #sheet +o' &&
    ask bob 'MODE #sheet' && has ' 324 bob #sheet \+[^ikl]*$'
}

# --- Whatever else is typed -----------------------------------------------------------------------

garbage() {
  refused ann 421 'FROBNICATE now' && refused ann 461 'JOIN' && refused ann 403 'JOIN sheet' &&
    piece ann '\r\n\n\r\r\n   \r\n:\r\n:only.a.source\r\n@tag\r\n' && ask ann 'PING :x' &&
    piece ann '\0\001\002\377\376\r\n' && ask ann 'PING :x' && ask ann 'JOIN :' && ask ann 'MODE #sheet +' &&
    ask ann 'MODE :' && ask ann 'KICK , ,' && ask ann 'PRIVMSG , :x' && ask ann 'WHOIS :' &&
    ask ann 'CAP' && has ' 461 ann CAP ' && newcomer_is_served new4
}

random_bytes() {
  local name
  for name in noise1 noise2 noise3; do
    connect "$name"
    head -c 200000 /dev/urandom 2>/dev/null 1>&"$(keys "$name")"
    hang_up "$name"
  done
  newcomer_is_served new5
}

# 512 bytes with CR LF is a line; a longer one is rejected, and costs nothing.
long_lines() {
  local before after long
  long=$(printf '%600s' '' | tr ' ' y)
  refused ann 417 "PRIVMSG #sheet :$long" && hears_nothing bob yyyy || return 1
  before=$(server_memory)
  head -c 20000000 /dev/zero | tr '\0' z >&"$(keys ann)"
  piece ann '\r\n' && sees ann ' 417 ann ' && ask ann 'PING :x' || return 1
  after=$(server_memory)
  [ "$after" -le $((before + 2048)) ] && return
  why="20 MB without an end of line: from $before to $after KiB"
  return 1
}

# Clients come and go, and nothing of them stays.
come_and_go() {
  local round number before after first last
  crowd() {
    for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      printf 'PASS %s\r\nNICK c%s\r\nUSER c 0 * :c\r\nJOIN #crowd\r\nPRIVMSG #crowd :hi\r\nQUIT\r\n' \
        "$password" "$number" | nc 127.0.0.1 "$port" >/dev/null || return 1
    done
  }
  for round in 1 2 3 4 5 6; do
    crowd || { why='nc could not connect'; return 1; }
    ask ann 'PING :x' || return 1
    # The first round is for what is made once.
    if [ "$round" -eq 1 ]; then
      before=$(descriptors)
      first=$(server_memory)
    fi
  done
  after=$(descriptors)
  last=$(server_memory)
  # Anyone who has just gone may linger for a moment.
  [ "$after" -le $((before + 3)) ] || { why="$before descriptors, then $after"; return 1; }
  [ "$last" -le $((first + 1024)) ] && return
  why="120 clients later: from $first to $last KiB"
  return 1
}

quit() {
  ask carl 'PART #sheet :so long' && has '^:carl!.* PART #sheet :so long$' &&
    sees bob '^:carl!.* PART #sheet :so long$' && types bob 'QUIT :gone fishing' &&
    sees ann '^:bob!.* QUIT :.*gone fishing$' && sees bob '^ERROR ' && gone bob
}

in_order() {
  stop_server || { why="exit code $?"; return 1; }
  server=
  sees ann '^ERROR '
}

echo '--- Registration'
item 'PASS, NICK, USER: welcome' right_password
item 'a wrong password is refused (464)' wrong_password
item 'no password is refused (464)' no_password
item 'before registration nothing else works (451)' before_registration
item 'nicks: none (431), bad (432), taken (433); no second USER (462)' nick_faults
item 'a nick is changed' nick_change
echo '--- Networking'
item 'several clients at once, in one channel' many_at_once
item 'what one says all others hear, and not those outside' channel_message
item 'three talk at once: nothing is lost or out of order' all_at_once
item 'com, man, d in pieces: one command, others go on' pieces_from_the_sheet
item 'a message in six pieces, others go on' pieces_of_a_message
item 'registration in pieces, others go on' pieces_at_registration
item 'two commands and a half in one packet' two_in_one
item 'a plain nc must give the password, too; com, man, d is one message' pieces_from_a_stranger
item 'kill -9 of a client: others and newcomers are served' killed
item 'kill -9 with half a command sent: nobody hears the half' killed_in_mid_command
item 'kill -9 in mid-registration: its nick is free' killed_before_registration
item "a client is stopped, its channel flooded with $flood_lines lines: nobody waits" stopped
item 'it goes on: it gets every line, once and in order' resumed
item 'commands of a stopped client are carried out when it goes on' stopped_with_commands
item 'stopped and flooded three times: memory comes back' no_leak
echo '--- Messages'
item 'PRIVMSG to one, to several, to oneself' private_message
item 'PRIVMSG: no recipient (411), no text (412), nobody (401), not in (404)' private_message_faults
item 'NOTICE, which nothing answers' notice
echo '--- Operators'
item 'who is not operator may not: KICK, MODE i t k o l (482)' operators_only
item 'KICK, and its faults (401 403 441 442 461)' kick
item 'TOPIC and MODE t: set, shown (332 333), cleared, refused (482 442 403)' topic
item 'MODE i and INVITE: 473, 341, 443, 401, 442; unset' invite_only
item 'MODE k: 475; unset' key
item 'MODE l: 471; raised; unset' limit
item 'MODE o: given and taken, with effect' make_operator
item 'modes together; unknown (472) or without argument: no effect' modes_together
echo '--- Whatever else'
item 'unknown commands (421), empty and broken lines' garbage
item 'random bytes' random_bytes
item 'a line too long (417); 20 MB without an end' long_lines
item '120 clients come and go: no descriptor, no memory stays' come_and_go
item 'PART and QUIT' quit
item 'SIGTERM: the server ends in order' in_order
echo "server memory: $memory_before KiB, with the sleeper's backlog $backlog KiB"
verdict
