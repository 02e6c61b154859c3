#!/usr/bin/env bash
# irssi and WeeChat, over TLS, in one room with users of nc, openssl, ncat and chatloop-client.
#
# Builds and starts a server on a free port and drives the two IRC clients like a user: irssi through
# a terminal, weechat-headless through its fifo. They log in with SASL, by a certificate (EXTERNAL) and
# by SCRAM, join, send messages, set the topic and modes, kick, fetch history, send direct messages, change nicks and quit. The script waits
# for the effects in the logs of all four clients. In the end, the logs must be free of warnings
# and error numerics. Prints one line per step.
#
#   scripts/real-clients.sh            exit code 0 on success, 77 if it cannot run here
#   scripts/real-clients.sh --help     show this help
#
# Needs irssi, weechat-headless with its fifo plugin, nc, ncat, openssl, and script(1) from util-linux. If one is missing
# and the script runs as root, it is installed with apt-get; otherwise the script names what is
# missing and exits with code 77, or 1 if CI=true. All files are in a temporary directory.

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
  command -v irssi >/dev/null || echo irssi
  command -v weechat-headless >/dev/null || echo weechat-headless
  # The fifo is in its own package, and so is a directory that differs by machine.
  find /usr/lib /usr/local/lib /opt -path '*weechat/plugins/fifo.so' 2>/dev/null | grep -q . ||
    echo weechat-plugins
  command -v nc >/dev/null || echo netcat-openbsd
  command -v ncat >/dev/null || echo ncat
  command -v openssl >/dev/null || echo openssl
  script --version 2>/dev/null | grep -q util-linux || echo bsdutils
}

have_packages
build
cat >"$workdir/motd" <<'MOTD'
There is tea.
MOTD
start_server --quiet --tls --motd="$workdir/motd" ||
  die "the server did not start: $(cat "$workdir/log")"
echo "server: $ready"
# No authority vouches for its certificate; the clients know it by its fingerprint.
fingerprint=$(grep -oE '[0-9A-Fa-f:]{64,95}' "$workdir/log" | head -n 1 | tr -d : | tr a-f A-F)
[ "${#fingerprint}" -eq 64 ] || die "no fingerprint in the log: $(cat "$workdir/log")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=iris \
  -keyout "$workdir/iris.key" -out "$workdir/iris.crt" 2>"$workdir/openssl" || die "$(cat "$workdir/openssl")"
cat "$workdir/iris.key" "$workdir/iris.crt" >"$workdir/iris.pem"
export HOME="$workdir/home" LANG=C.UTF-8 LC_ALL=C.UTF-8 TERM=xterm
mkdir "$HOME" "$workdir/irssi" "$workdir/weechat"

# --- The clients ----------------------------------------------------------------------------------

# iris, on irssi: its log of everything is what she saw, and she has its keyboard.
start_irssi() {
  cat >"$workdir/irssi/config" <<CONFIG
servers = ({ address = "127.0.0.1"; port = "$port"; chatnet = "loop"; autoconnect = "yes";
             use_tls = "yes"; tls_verify = "no"; tls_cert = "$workdir/iris.pem";
             tls_pinned_cert = "$(sed 's/../&:/g; s/:$//' <<<"$fingerprint")"; });
chatnets = { loop = { type = "IRC"; nick = "iris"; sasl_mechanism = "EXTERNAL"; sasl_username = "iris"; }; };
settings = {
  core = { real_name = "Iris"; user_name = "iris"; nick = "iris"; rawlog_lines = "5000"; };
  "irc/core" = { cmd_queue_speed = "1msec"; cmds_max_at_once = "100"; };
  "fe-common/irc" = { group_multi_mode = "no"; };
  "fe-text" = { paste_verify_line_count = "0"; };
};
logs = { "$workdir/iris.saw" = { auto_open = "yes"; level = "ALL"; }; };
CONFIG
  # The outer shell's output would be the screen.
  open_client iris sh -c "exec script -qfc 'stty cols 160 rows 50; exec irssi --home=$workdir/irssi' \
    '$workdir/iris.screen' >/dev/null 2>&1"
}

# wendy, on WeeChat: the fifo is her keyboard. What she saw is in a log for each buffer: the room
# (wendy), the server (wendy_server), iris and cleo (wendy_iris, wendy_cleo), WeeChat's own
# (wendy_core).
start_weechat() {
  local fifo=$workdir/weechat.fifo setting log tries=0 tls=tls
  # Before version 4, its options were called so.
  [ "$(weechat-headless --version | cut -d . -f 1)" -ge 4 ] || tls=ssl
  set --
  for setting in logger.file.path="$workdir" logger.file.flush_delay=0 logger.file.info_lines=off \
    logger.mask.core.weechat=wendy_core.saw logger.mask.irc.server.loop=wendy_server.saw \
    'logger.mask.irc.loop.#talk=wendy.saw' logger.mask.irc.loop.iris=wendy_iris.saw \
    logger.mask.irc.loop.cleo=wendy_cleo.saw logger.file.auto_log=on fifo.file.path="$fifo" \
    irc.look.display_join_message=329,332,333,353,366 irc.look.smart_filter=off \
    irc.server_default.anti_flood_prio_high=0 irc.server_default.anti_flood_prio_low=0; do
    set -- "$@" -r "/set ${setting%%=*} ${setting#*=}"
  done
  set -- "$@" -r "/server add loop 127.0.0.1/$port -$tls -nicks=wendy,wendy_ -username=wendy -realname=Wendy"
  for setting in sasl_mechanism=scram-sha-256 sasl_username=wendy sasl_password=secret-of-wendy \
    "${tls}_fingerprint=$fingerprint"; do
    set -- "$@" -r "/set irc.server.loop.${setting%%=*} ${setting#*=}"
  done
  for log in wendy wendy_server wendy_iris wendy_cleo wendy_core; do
    : >"$workdir/$log.saw"
    printf -v "mark_$log" '%s' 0
  done
  weechat-headless --dir "$workdir/weechat" --stdout "$@" -r '/connect loop' \
    </dev/null >"$workdir/weechat.out" 2>&1 &
  pid_wendy=$!
  children="$children $pid_wendy"
  # It makes the fifo when it is ready. Opened for both, it never blocks if WeeChat is gone.
  until [ -p "$fifo" ]; do
    tries=$((tries + 1))
    [ "$tries" -lt "$WAIT" ] || { why="no fifo: $(tail -n 3 "$workdir/weechat.out")"; return 1; }
    sleep 0.01
  done
  exec 19<>"$fifo"
}

# says NAME LINE: in the room, or a command of that client.
says() {
  case $1 in
    wendy) printf 'irc.loop.#talk *%s\n' "$2" >&19 ;;
    *) printf '%s\n' "$2" >&"$(keys "$1")" ;;
  esac
}

# all_see PATTERN NAME...
all_see() {
  local pattern=$1 name
  shift
  for name; do
    sees "$name" "$pattern" || return 1
  done
}

# step TEXT FUNCTION: an item of the report, skipped after a failure.
step() {
  if [ "$failed" -gt 0 ]; then
    printf -- '-       %s: skipped\n' "$1"
  else
    item "$@"
  fi
}

# --- The steps ------------------------------------------------------------------------------------

# Both are registered by hand: iris over TLS with her certificate, which her account then knows.
accounts() {
  local name
  for name in iris wendy; do
    if [ "$name" = iris ]; then
      open_client iris openssl s_client -quiet -cert "$workdir/iris.crt" -key "$workdir/iris.key" \
        -connect "127.0.0.1:$port"
      types iris 'NICK iris' && types iris 'USER iris 0 * :Iris' && sees iris ' (376|422) ' || return 1
    else
      enter wendy || return 1
    fi
    ask "$name" "REGISTER * * secret-of-$name" && has "^:[^ ]+ REGISTER SUCCESS $name " &&
      { [ "$name" != iris ] || { ask iris 'CERT ADD' && has 'Certificate added'; }; } &&
      types "$name" QUIT && sees "$name" '^ERROR ' || return 1
    hang_up "$name"
  done
}

irssi_comes() {
  start_irssi
  sees iris 'You are now logged in as iris' && sees iris 'SASL authentication succeeded' &&
    sees iris 'Welcome to the chatloop chat, iris!~iris@127.0.0.1' && sees iris 'There is tea\.' &&
    sees iris 'End of /?MOTD'
}

weechat_comes() {
  start_weechat && sees wendy_server 'You are now logged in as wendy' &&
    sees wendy_server 'SASL authentication successful' &&
    sees wendy_server 'Welcome to the chatloop chat, wendy!~wendy@127.0.0.1' &&
    sees wendy_server 'There is tea\.' && sees wendy_server 'End of /MOTD'
}

irc_clients_join() {
  says iris '/join #talk' && sees iris 'Irssi: #talk: Total of 1 nicks \[1 ops,' &&
    printf 'irc.server.loop */join #talk\n' >&19 && sees wendy 'has joined #talk' &&
    sees wendy 'Nicks #talk: \[@iris wendy\]' && sees iris 'wendy \[~wendy@127.0.0.1\] has joined #talk' &&
    says iris 'early words' && sees wendy 'iris[^a-z]*early words' &&
    says wendy 'early answer' && sees iris '<.?wendy> early answer'
}

line_clients_come() {
  connect ned
  open_client cleo "$bin/chatloop-client" 127.0.0.1 "$port" --nick cleo
  sees ned . && sees cleo 'as cleo;' && says ned '/nick ned' && sees ned 'ned'
}

# History is shown on join, by clients that request it.
line_clients_join() {
  says ned '/join #talk' && sees ned 'iris.*early words' && sees ned 'wendy.*early answer' &&
    sees iris 'ned \[.*\] has joined #talk' && sees wendy 'ned \(ned\) \(~user@127.0.0.1\) has joined #talk' &&
    says cleo '/join #talk' && sees cleo 'you joined #talk' && says cleo '/history' &&
    sees cleo 'iris.*early words' && sees cleo 'wendy.*early answer' &&
    all_see 'cleo .*has joined #talk' iris wendy
}

# Each sends a message, and each of the others receives it from the right user.
everyone_talks() {
  local name
  for name in iris wendy ned cleo; do
    says "$name" "$name says grüße ☃ to all" || return 1
    for other in iris wendy ned cleo; do
      [ "$other" = "$name" ] || sees "$other" "[^a-z]${name}[]>: 	]+$name says grüße ☃ to all" || return 1
    done
  done
}

actions() {
  says iris '/me waves' && sees wendy '\*[^a-z]*iris waves' && all_see 'iris.* waves' ned cleo &&
    says wendy '/me waves back' && sees iris '\* wendy waves back' && sees ned 'wendy.* waves back'
}

topic() {
  says iris '/topic tea at five' && sees iris 'iris changed the topic of #talk to: tea at five' &&
    sees wendy 'iris has changed topic for #talk to "tea at five"' && all_see 'tea at five' ned cleo
}

modes() {
  says iris '/op wendy' && sees iris 'mode/#talk \[\+o wendy\] by iris' &&
    sees wendy 'Mode #talk \[\+o wendy\] by iris' && says wendy '/voice ned' &&
    sees iris 'mode/#talk \[\+v ned\] by wendy' && says wendy '/mode +m' &&
    sees iris 'mode/#talk \[\+m\] by wendy' && says ned 'ned has a voice' &&
    all_see 'ned has a voice' iris wendy cleo && says iris '/mode -m' &&
    sees wendy 'Mode #talk \[-m\] by iris' && says iris '/ban *!*@192.0.2.1' &&
    sees wendy 'Mode #talk \[\+b \*!\*@192.0.2.1\] by iris' && says iris '/unban *!*@192.0.2.1' &&
    sees wendy 'Mode #talk \[-b \*!\*@192.0.2.1\] by iris'
}

whispers() {
  says iris '/msg wendy psst from iris' && sees wendy_iris 'iris[^a-z]*psst from iris' &&
    says wendy '/msg iris psst from wendy' && sees iris 'wendy.*> psst from wendy' &&
    says wendy '/msg ned psst to ned' && sees ned 'wendy.*psst to ned' &&
    says ned '/msg iris psst from ned' && sees iris 'ned.*> psst from ned' &&
    says cleo '/msg wendy psst from cleo' && sees wendy_cleo 'cleo[^a-z]*psst from cleo' &&
    says iris '/notice wendy a notice' && sees wendy_iris 'iris.*: a notice'
}

questions() {
  says iris '/whois wendy' && sees iris 'wendy \[~wendy@127.0.0.1\]' && sees iris 'ircname *: Wendy' &&
    sees iris 'End of WHOIS' && says wendy '/whois iris' && sees wendy_server '\[iris\] \(~iris@127.0.0.1\): Iris' &&
    sees wendy_server 'End of /WHOIS' && says wendy '/names' &&
    sees wendy 'Nicks #talk: \[@iris @wendy \+ned cleo\]' && says iris '/names' &&
    sees iris 'Total of 4 nicks \[2 ops, 0 halfops, 1 voices, 1 normal\]' && says iris '/list -yes' &&
    sees iris '#talk 4 tea at five' && says wendy '/away at tea' && sees wendy_server 'marked as being away' &&
    says wendy '/away' && sees wendy_server 'no longer marked as being away'
}

# Neither asks for it by itself; both show it when they are told to ask.
past() {
  says iris '/quote CHATHISTORY LATEST #talk * 100' && sees iris '<.?iris> early words' &&
    sees iris '<.?wendy> early answer' && sees iris '<.?cleo> cleo says grüße ☃ to all' &&
    says wendy '/quote CHATHISTORY LATEST #talk * 100' && sees wendy 'iris[^a-z]*early words' &&
    sees wendy 'cleo says grüße ☃ to all'
}

nicks() {
  says wendy '/nick wanda' && sees wendy 'You are now known as wanda' &&
    sees iris 'wendy is now known as wanda' && all_see 'wanda' ned cleo && says ned '/nick nell' &&
    sees iris 'ned is now known as nell' && sees wendy 'ned is now known as nell' &&
    says iris '/nick irma' && sees iris "You're now known as irma" && sees wendy 'iris is now known as irma'
}

kick() {
  says wendy '/kick cleo out with you' && sees iris 'cleo was kicked from #talk by wanda \[out with you\]' &&
    sees wendy 'wanda has kicked cleo \(out with you\)' && all_see 'out with you' ned cleo &&
    says cleo '/join #talk' && all_see 'cleo .*has joined #talk' iris wendy &&
    says cleo 'here again' && all_see 'here again' iris wendy ned
}

# Plain users over TLS: one sees what the other says.
line_clients_over_tls() {
  open_client olga openssl s_client -quiet -connect "127.0.0.1:$port"
  open_client nora ncat --ssl 127.0.0.1 "$port"
  for name in olga nora; do
    sees "$name" 'connected as' && says "$name" "/nick $name" && sees "$name" "known as $name" &&
      says "$name" '/join #talk' && sees "$name" 'you joined #talk' || return 1
  done
  says olga 'olga over TLS' && all_see 'olga over TLS' nora iris wendy ned cleo &&
    says nora 'nora over TLS' && all_see 'nora over TLS' olga iris wendy ned cleo &&
    says olga /quit && says nora /quit && all_see 'nora .*quit' iris wendy && ended olga nora
}

leaving() {
  says iris "/rawlog save $workdir/iris.raw"
  says cleo '/quit' && all_see 'cleo .*has quit' iris wendy && says iris '/quit tea time' &&
    sees wendy 'irma .*has quit \(Quit: tea time\)' && sees ned 'irma' && says wendy '/quit' &&
    sees ned 'wanda' && says ned '/quit' && ended iris wendy ned cleo
}

# The programs of these users have exited by themselves.
ended() {
  local name pid tries=0
  for name; do
    [ "$name" = wendy ] || hang_up "$name"
    pid="pid_$name"
    while kill -0 "${!pid}" 2>/dev/null; do
      tries=$((tries + 1))
      [ "$tries" -lt "$WAIT" ] || { why="the client of $name does not exit"; return 1; }
      sleep 0.01
    done
  done
}

# Neither client may show warnings or an error numeric (400 and up). Except: irssi always sends JOIN
# before it registers, and hides the reply.
irssi_is_content() {
  why=$(grep -m 3 -aiE 'Irssi: (warning|critical)|GLib|Unknown command|not recognized' "$workdir/iris.saw")
  [ -z "$why" ] || return 1
  why=$(grep -m 1 -aiE 'warning|critical' "$workdir/iris.screen")
  [ -z "$why" ] || return 1
  grep -q ' 001 iris ' "$workdir/iris.raw" || { why='no raw log'; return 1; }
  why=$(grep -m 3 -E '^>> :[^ ]+ ([4-8][0-9][0-9]|90[24-9]|FAIL|WARN) ' "$workdir/iris.raw" |
    grep -vE '^>> :[^ ]+ 451 \* :')
  [ -z "$why" ]
}

weechat_is_content() {
  why=$(grep -m 3 -E '	=!=	|Unknown command|not found' "$workdir"/wendy*.saw)
  [ -z "$why" ] || return 1
  why=$(grep -m 3 -iE '=!=|error' "$workdir"/weechat/weechat.log 2>/dev/null)
  [ -z "$why" ]
}

server_is_content() {
  stop_server || { why="exit code $?"; return 1; }
  server=
  why=$(grep -m 3 -E 'WARN|ERROR' "$workdir/log")
  [ -z "$why" ]
}

step 'nc and openssl: two accounts are registered, one with a certificate' accounts
step 'irssi over TLS: login by SASL EXTERNAL, welcome' irssi_comes
step 'WeeChat over TLS: login by SCRAM-SHA-256, welcome' weechat_comes
step 'irssi and WeeChat join a room and talk' irc_clients_join
step 'nc and chatloop-client connect' line_clients_come
step 'they join and are shown history' line_clients_join
step 'all four send and receive messages' everyone_talks
step 'actions (/me)' actions
step 'the topic' topic
step 'modes: o, v, m, b' modes
step 'direct messages and a notice' whispers
step 'queries: whois, names, list, away' questions
step 'irssi and WeeChat show history (CHATHISTORY)' past
step 'nick changes' nicks
step 'a kick and a rejoin' kick
step 'openssl s_client and ncat --ssl: plain users over TLS' line_clients_over_tls
step 'everyone quits' leaving
item 'irssi shows no warnings or errors' irssi_is_content
item 'WeeChat shows no warnings or errors' weechat_is_content
item 'the server has logged no warnings' server_is_content
verdict
