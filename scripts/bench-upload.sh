#!/usr/bin/env bash
# A chat of 500 members while someone uploads files of 2 GB, one after the other.
#
#     scripts/bench-upload.sh [ROUNDS]        (default 3; about a minute per round)
#
# Alternately a chat alone, and the same chat during uploads (curl, by a token), each on a fresh server with
# a fresh data directory: ten of the members send 20 messages a second, and every delivery is verified.
# Prints the latency of the chat, and the largest resident set of the server, which must not hold what passes
# through it. Needs Linux, curl, and 6 GB in TMPDIR for the time of a run.
#
# SIZE=500M uploads smaller files. UPLOAD_RATE=100M limits curl: without it, one upload takes all of the machine
# that it can get, and curl, the hash, the server's loop and the generator share its cores.
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 3
# shellcheck source=scripts/bench/common.sh
. scripts/bench/common.sh
command -v curl >/dev/null || die "curl is missing"
size=${SIZE:-2G}
truncate -s "$size" "$work/file"
flags=(--data "$work/data" --file-max 3G --files-per-address 100G --files-all 100G)
chat=(--clients 500 --senders 10 --rate 20 --messages 400)

# token: prints where to upload. The client that asked stays, as its token is of no use without it.
token() {
    local before
    before=$(grep -c 'curl -T FILE ' "$work/said" || true)
    printf '/upload\n' >&4
    until [ "$(grep -c 'curl -T FILE ' "$work/said")" -gt "$before" ]; do sleep 0.05; done
    sed -n 's/.*curl -T FILE //p' "$work/said" | tail -n 1
}

# upload_on: uploads until it is ended, and deletes each file when it is there; a line for each.
upload_on() {
    rm -f "$work/keys"
    mkfifo "$work/keys"
    "$programs/chatloop-client" 127.0.0.1 "$port" --plain <"$work/keys" >"$work/said" 2>&1 &
    exec 4>"$work/keys"
    local url
    while url=$(curl -sS --fail ${UPLOAD_RATE:+--limit-rate "$UPLOAD_RATE"} -w '\n%{time_total} %{size_upload}' \
        -T "$work/file" "$(token)" 2>&1); do
        echo "$url" | tail -n 1 >>"$work/uploads"
        printf '/delfile %s\n' "$(echo "$url" | head -n 1)" >&4
    done
}

# measure KIND: one chat on a fresh server.
measure() {
    rm -rf "$work/data"
    start_chatloop "${flags[@]}"
    uploader=
    if [ "$1" = upload ]; then
        : >"$work/uploads"
        upload_on &
        uploader=$!
        until [ -s "$work/uploads" ]; do
            kill -0 "$uploader" 2>/dev/null || die "no upload: $(cat "$work/said")"
            sleep 0.1
        done
    fi
    "$programs/chatloop-lab" swarm 127.0.0.1 "$port" --pid "$server_pid" --json --timeout 60 "${chat[@]}" \
        >>"$work/chat.$1" || die "the chat was not clean: $(tail -n 1 "$work/chat.$1")"
    sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/{"peak":\1000}/p' "/proc/$server_pid/status" >>"$work/memory.$1"
    if [ -n "$uploader" ]; then
        kill "$uploader" 2>/dev/null || true
        wait "$uploader" 2>/dev/null || true
        awk '{ time += $1; bytes += $2 } END { printf "%d uploads, %.0f MB/s\n", NR, bytes / time / 1e6 }' \
            "$work/uploads" >&2
    fi
    stop_server
}

round=1
while [ "$round" -le "$rounds" ]; do
    for kind in alone upload; do
        echo "round $round of $rounds: $kind" >&2
        measure "$kind"
    done
    round=$((round + 1))
done

table_head alone "during uploads"
row "latency p50, µs" latency_p50_us 1 0 "" chat alone chat upload
row "latency p99, µs" latency_p99_us 1 0 "at most 2.00" chat alone chat upload
row "largest RSS of the server, MB" peak 1000000 1 "8 MB more" memory alone memory upload
