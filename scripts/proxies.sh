#!/usr/bin/env bash
# nginx and HAProxy in front of a server, as docs/OPERATING.md configures them.
#
# Takes the two configurations out of that page, and changes nothing but addresses, ports and the paths of a
# certificate. Behind nginx: the page's server by TLS, a WebSocket in which a swarm loses nothing, a file
# up and down, and whose request it was. Behind HAProxy, by both versions of its protocol: plain text, TLS that
# stays the server's, and whose connection it was.
#
#   scripts/proxies.sh          exit code 0 on success, 77 if it cannot run here
#   scripts/proxies.sh --help   show this help
#
# Needs Linux, whose loopback has more than one address, nginx, haproxy, curl and openssl 3. What is missing
# is installed with apt-get if the script runs as root.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"
# shellcheck source=scripts/install-lib.sh
. scripts/install-lib.sh

PATH=$PATH:/usr/sbin
# The Debian packages of missing programs.
missing() {
  command -v nginx >/dev/null || echo nginx-light
  command -v haproxy >/dev/null || echo haproxy
  command -v curl >/dev/null || echo curl
  command -v openssl >/dev/null || echo openssl
}
if [ "$(uname)" != Linux ]; then
  echo "SKIPPED: this system has no 127.0.0.2" >&2
  exit 77
fi
have_packages

step() {
  echo "ok: $1"
}
# configuration NAME: that block of the page.
configuration() {
  sed -n "/^\`\`\`$1\$/,/^\`\`\`\$/{/^\`\`\`/d;p;}" docs/OPERATING.md
}
answers() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}
# free_port: sets $front to a port at which no one listens, below those that systems give to clients.
free_port() {
  front=$((RANDOM % 10000 + 20000))
  while answers "$front"; do front=$((RANDOM % 10000 + 20000)); done
}
# run_proxy COMMAND...: starts a proxy that listens at $front; sets $proxy.
run_proxy() {
  "$@" >"$workdir/proxy.log" 2>&1 </dev/null &
  proxy=$!
  children="$children $proxy"
  tenths=0
  until answers "$front"; do
    if ! kill -0 "$proxy" 2>/dev/null || [ "$tenths" -ge "$PATIENCE" ]; then
      die "$1 did not start: $(cat "$workdir/proxy.log")"
    fi
    tenths=$((tenths + 1))
    sleep 0.1
  done
}
stop_proxy() {
  kill -TERM "$proxy"
  wait "$proxy"
}
get() {
  curl --silent --show-error --fail --insecure --max-time 20 "$@"
}
status() {
  curl --silent --insecure --max-time 20 --output /dev/null --write-out '%{http_code}' "$@"
}
# swarm ARGUMENTS...: members at $front, of whom none loses anything.
swarm() {
  "$bin/chatloop-lab" swarm 127.0.0.1 "$front" --clients 20 --messages 500 --timeout 30 "$@" \
    >"$workdir/swarm" || die "a swarm: $(cat "$workdir/swarm")"
}

build

# nginx.
free_port
start_server --quiet --log warn --proxy-from 127.0.0.1 --metrics-from 127.0.0.2 --greeting-delay 10000 \
  --url "https://127.0.0.1:$front" || die "the server did not start: $(cat "$workdir/log")"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$workdir/front.key" -out "$workdir/front.pem" \
  >"$workdir/req" 2>&1 || die "no certificate: $(cat "$workdir/req")"
configuration nginx >"$workdir/page.conf"
sed "s|listen 443 |listen 127.0.0.1:$front |; s|127.0.0.1:6667|127.0.0.1:$port|
  s|/etc/ssl/chat.example.org|$workdir/front|" "$workdir/page.conf" >"$workdir/server.conf"
[ "$(diff "$workdir/page.conf" "$workdir/server.conf" | grep -c '^>')" -eq 4 ] ||
  die "docs/OPERATING.md has another nginx configuration than this script knows"
# Its workers would give up root, and could not write into $workdir what a slow client has not taken yet.
cat >"$workdir/nginx.conf" <<END
user $(id -un) $(id -gn);
daemon off;
pid $workdir/nginx.pid;
error_log stderr;
worker_processes 1;
events {}
http {
  access_log off;
  client_body_temp_path $workdir/body;
  proxy_temp_path $workdir/temp;
  fastcgi_temp_path $workdir/temp;
  uwsgi_temp_path $workdir/temp;
  scgi_temp_path $workdir/temp;
  include $workdir/server.conf;
}
END
run_proxy nginx -p "$workdir" -c "$workdir/nginx.conf"
url=https://127.0.0.1:$front
get "$url/" | grep -q '<title>chatloop</title>' || die "no page through nginx"
get "$url/health" | grep -qx ok || die "no /health through nginx"
step "nginx: the page and /health by its TLS"
[ "$(status --interface 127.0.0.2 "$url/metrics")" = 200 ] || die "nginx did not say who its client is"
[ "$(status "$url/metrics")" = 403 ] || die "a request through nginx counts as one from loopback"
[ "$(status -H 'X-Forwarded-For: 127.0.0.2' "$url/metrics")" = 403 ] || die "a client of nginx has lied"
step "nginx: a request is its client's, whatever the client says"
fingerprint=$(openssl x509 -in "$workdir/front.pem" -noout -fingerprint -sha256 | sed 's/.*=//')
swarm --websocket --tls-fingerprint "$fingerprint" --prefix 'PRIVMSG #r :' --welcome ' 366 ' \
  --hello 'NICK n{}\nUSER u 0 * :r\nJOIN #r'
step "nginx: WebSockets"
mkfifo "$workdir/keys" || exit 1
"$bin/chatloop-client" 127.0.0.1 "$port" --plain <"$workdir/keys" >"$workdir/chat" 2>&1 &
children="$children $!"
exec 4>"$workdir/keys"
echo /upload >&4
wait_until 'curl -T FILE ' "$workdir/chat" || die "no token: $(cat "$workdir/chat")"
upload=$(sed -n 's/.*curl -T FILE //p' "$workdir/chat")
head -c 5000000 /dev/urandom >"$workdir/file"
file=$(get -T "$workdir/file" "$upload") || die "no upload to $upload"
get -o "$workdir/copy" "$file" ||
  die "no download from $file: $(tail -n 5 "$workdir/proxy.log" "$workdir/log")"
cmp "$workdir/file" "$workdir/copy" || die "the file has changed"
step "nginx: a file of 5 MB up and down"
! grep -E '\[(crit|alert|emerg)\]' "$workdir/proxy.log" || die "nginx could not do what it was asked to"
exec 4>&-
stop_proxy
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"

# HAProxy.
start_server --quiet --log warn --tls --proxy-from 127.0.0.1 ||
  die "the server did not start: $(cat "$workdir/log")"
configuration haproxy >"$workdir/page.cfg"
for version in send-proxy-v2 send-proxy; do
  free_port
  sed "s|bind :6697|bind 127.0.0.1:$front|; /bind :443/d; s|127.0.0.1:6667|127.0.0.1:$port|
    s|send-proxy-v2|$version|" "$workdir/page.cfg" >"$workdir/haproxy.cfg"
  run_proxy haproxy -db -f "$workdir/haproxy.cfg"
  printf '/nick ada\n/whois ada\n/quit\n' |
    openssl s_client -quiet -bind 127.0.0.2:0 -connect "127.0.0.1:$front" >"$workdir/chat" 2>/dev/null
  grep -q '127\.0\.0\.2' "$workdir/chat" || die "$version: not from 127.0.0.2: $(cat "$workdir/chat")"
  step "HAProxy, $version: TLS of the server, and whose connection it is"
  swarm
  step "HAProxy, $version: plain text"
  stop_proxy
done
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"
