#!/usr/bin/env bash
# The one port as other people's tools see it: promtool on the metrics and the examples in docs/, curl by
# TLS and as a proxy, and openssl s_client for the versions and ciphers that are accepted.
#
#   scripts/edges.sh            exit code 0 on success, 77 if it cannot run here
#   scripts/edges.sh --help     show this help
#
# Needs promtool (Debian package prometheus), curl and openssl. If one is missing and the script runs as
# root, it is installed with apt-get; otherwise the script names what is missing and exits with code 77.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=scripts/lib.sh
. scripts/lib.sh
no_arguments "$@"

# The Debian packages of missing programs.
missing() {
  command -v promtool >/dev/null || echo prometheus
  command -v curl >/dev/null || echo curl
  command -v openssl >/dev/null || echo openssl
}
packages=$(missing | tr '\n' ' ')
if [ -n "$packages" ] && command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  echo "installing with apt-get: $packages" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >&2 || echo "apt-get update failed; trying anyway" >&2
  # shellcheck disable=SC2086 # packages are words
  apt-get install -y -qq --no-install-recommends $packages >"$workdir/apt" 2>&1 ||
    tail -n 5 "$workdir/apt" >&2
  packages=$(missing | tr '\n' ' ')
fi
[ -z "${INSTALL_ONLY:-}" ] || exit 0
if [ -n "$packages" ]; then
  echo "SKIPPED: missing: $packages(Debian package names)" >&2
  exit 77
fi

build
start_server --tls --quiet --log warn || die "the server did not start: $(cat "$workdir/log")"
step() {
  echo "ok: $1"
}

# Metrics.
url=https://127.0.0.1:$port
get() {
  curl --silent --show-error --fail --insecure --max-time 10 "$@"
}
[ "$(get "$url/health")" = ok ] || die "/health by TLS is not ok"
step "/health by TLS"
get "$url/metrics" >"$workdir/metrics" || die "no /metrics by TLS"
if ! promtool check metrics <"$workdir/metrics" >"$workdir/lint" 2>&1 || [ -s "$workdir/lint" ]; then
  die "promtool check metrics: $(cat "$workdir/lint")"
fi
grep -q '^chatloop_connections{dialect="http",tls="true"} 1$' "$workdir/metrics" ||
  die "the scrape itself is not counted"
step "promtool check metrics is clean"
get -H 'Accept: application/openmetrics-text; version=1.0.0' -D "$workdir/head" "$url/metrics" \
  >"$workdir/open" || die "no OpenMetrics"
grep -qi '^content-type: application/openmetrics-text; version=1.0.0' "$workdir/head" ||
  die "Accept has asked for OpenMetrics in vain: $(cat "$workdir/head")"
[ "$(tail -n 1 "$workdir/open")" = '# EOF' ] || die "OpenMetrics does not end with # EOF"
step "OpenMetrics on request"
promtool check rules docs/alerts.yml >"$workdir/rules" 2>&1 || die "$(cat "$workdir/rules")"
step "promtool check rules docs/alerts.yml"

# What a proxy says of its client, before the handshake and in the request.
status() {
  curl --silent --insecure --max-time 10 --output /dev/null --write-out '%{http_code}' "$@"
}
[ "$(status -H 'X-Forwarded-For: 192.0.2.7' "$url/metrics")" = 403 ] ||
  die "a forwarded request counts as one from loopback"
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"
start_server --tls --quiet --log warn --proxy-from 127.0.0.1 --metrics-from 192.0.2.7 ||
  die "the server did not start: $(cat "$workdir/log")"
url=https://127.0.0.1:$port
[ "$(status -H 'X-Forwarded-For: 192.0.2.7' "$url/metrics")" = 200 ] || die "X-Forwarded-For is ignored"
[ "$(status -H 'X-Forwarded-For: 192.0.2.8' "$url/metrics")" = 403 ] || die "X-Forwarded-For is not used"
step "X-Forwarded-For counts from a trusted proxy only"
[ "$(status --haproxy-protocol "$url/metrics")" = 200 ] || die "no PROXY protocol before TLS"
# by_proxy ADDRESS: the first line of the answer to a client there.
by_proxy() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'PROXY TCP4 %s 127.0.0.1 5 6\r\nGET /metrics HTTP/1.0\r\n\r\n' "$1" >&3
  head -n 1 <&3
  exec 3>&-
}
case $(by_proxy 192.0.2.7)$(by_proxy 192.0.2.8) in
  *' 200 '*' 403 '*) ;;
  *) die "the PROXY protocol is ignored" ;;
esac
step "the PROXY protocol, before TLS as well"

# TLS: what is accepted, and nothing else. openssl's own defaults must not be what rejects it.
handshake() {
  openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null >"$workdir/tls" 2>&1 &&
    grep -q 'Cipher is [A-Z]' "$workdir/tls"
}
accepted() {
  handshake "$@" || die "not accepted: $*: $(tail -n 3 "$workdir/tls")"
}
rejected() {
  handshake "$@" -cipher 'ALL:@SECLEVEL=0' && die "accepted: $*"
  return 0
}
accepted -tls1_3
accepted -tls1_2
for version in tls1_1 tls1; do
  openssl s_client -help 2>&1 | grep -q -- "-$version " || continue
  rejected "-$version"
done
step "TLS 1.2 and 1.3, and none before"
for cipher in AES128-SHA AES256-GCM-SHA384 ECDHE-ECDSA-AES128-SHA DHE-RSA-AES128-GCM-SHA256 NULL; do
  handshake -tls1_2 -cipher "$cipher:@SECLEVEL=0" && die "accepted: $cipher"
done
for cipher in ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-CHACHA20-POLY1305; do
  accepted -tls1_2 -cipher "$cipher"
done
step "forward secrecy and AEAD only"
accepted -tls1_2
grep -q 'Compression: NONE' "$workdir/tls" || die "compression"
grep -q 'TLS session ticket' "$workdir/tls" && die "a session ticket"
step "no compression, no tickets"
printf '/nick ada\n/quit\n' | openssl s_client -quiet -connect "127.0.0.1:$port" \
  >"$workdir/chat" 2>/dev/null
grep -q 'goodbye' "$workdir/chat" || die "no chat by openssl s_client: $(cat "$workdir/chat")"
step "a chat by openssl s_client"
stop_server || die "the server exited with code $?: $(cat "$workdir/log")"
