#!/usr/bin/env bash
# Type-checks the workspace for macOS and FreeBSD on Linux (x86-64), with cargo check or clippy.
#
#   scripts/check-macos.sh [--clippy] [--link] [-t TARGET]... [-- CARGO-ARGUMENT...]
#   scripts/check-macos.sh --help      this text
#
# Default targets: aarch64-apple-darwin and x86_64-unknown-freebsd. Their standard libraries come from
# rustup: the ones of the active toolchain if it has these targets, otherwise a second copy of the
# same toolchain, which is downloaded once into $XDG_CACHE_HOME/check-macos (about 20 s) and changes
# nothing of the first. Rejected: Debian's rustc-web with the sources of its standard library; it is
# older than the rust-version of Cargo.toml.
#
# It finds code that does not compile there. It runs nothing, and C is not compiled: the C compiler
# is replaced by a program that writes empty files. --link builds for real, C included, with zig as
# compiler and linker, which pip downloads into the same cache.
#
# Exit code 77 if this machine cannot get the targets: no rustup, or no network.

set -euo pipefail
cd "$(dirname "$0")/.."
cache=${CHECK_MACOS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/check-macos}
jobs=${CHECK_MACOS_JOBS:-2}
sub=check link=0 targets=() extra=()
while [ $# -gt 0 ]; do case $1 in
  --clippy) sub=clippy;;
  --link) link=1;;
  -t) targets+=("${2:?-t needs a target}"); shift;;
  --) shift; extra=("$@"); break;;
  -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0;;
  *) echo "usage: scripts/${0##*/} [--clippy] [--link] [-t TARGET]... [-- CARGO-ARGUMENT...]" >&2; exit 2;;
esac; shift; done
[ ${#targets[@]} -gt 0 ] || targets=(aarch64-apple-darwin x86_64-unknown-freebsd)

mkdir -p "$cache"
exec 9>"$cache/lock"; flock 9

# The standard libraries of the targets.
have_targets() {
  local sysroot t
  sysroot=$(rustc --print sysroot)
  for t in "${targets[@]}"; do [ -d "$sysroot/lib/rustlib/$t" ] || return 1; done
}
if ! have_targets; then
  if ! command -v rustup >/dev/null; then
    echo "check-macos: the targets ${targets[*]} are missing, and rustup is not here to add them" >&2
    exit 77
  fi
  version=$(rustc --version | cut -d ' ' -f 2)
  export RUSTUP_HOME=$cache/rustup RUSTUP_TOOLCHAIN=$version
  if ! have_targets 2>/dev/null; then
    echo "check-macos: downloading Rust $version for ${targets[*]} (once)" >&2
    add=()
    for t in "${targets[@]}"; do add+=(-t "$t"); done
    rustup -q toolchain install "$version" --profile minimal -c clippy --no-self-update "${add[@]}" || {
      echo "check-macos: rustup could not download it" >&2
      exit 77
    }
  fi
fi

# zig as the linker, only for --link
if [ $link = 1 ]; then
  if [ ! -e "$cache/zig/ok" ]; then
    rm -rf "$cache/zig"; python3 -m venv "$cache/zig"; "$cache/zig/bin/pip" install -q ziglang; touch "$cache/zig/ok"
  fi
  export ZIG_GLOBAL_CACHE_DIR=$cache/zigcache ZIG_LOCAL_CACHE_DIR=$cache/zigcache SDKROOT=$cache
  for t in "${targets[@]}"; do
    case $t in aarch64-apple-*) z=aarch64-macos;; x86_64-apple-*) z=x86_64-macos;; x86_64-unknown-freebsd) z=x86_64-freebsd;;
      *) echo "no linker known for $t" >&2; exit 2;; esac
    # rustc's flags that zig takes from -target instead, and libraries the libc crate names that are not needed
    cat >"$cache/ld-$t" <<L
#!/bin/bash
a=(); while [ \$# -gt 0 ]; do case \$1 in -arch) shift;; -mmacosx-version-min=*|--target=*|-m64|-liconv|-lkvm|-lmemstat|-lprocstat|-ldevstat) ;;
  *) a+=("\$1");; esac; shift; done
exec $cache/zig/bin/python -m ziglang cc -target $z "\${a[@]}"
L
    chmod +x "$cache/ld-$t"; v=${t^^}; export "CARGO_TARGET_${v//-/_}_LINKER=$cache/ld-$t"
  done
fi
flock -u 9

# Without --link, a C compiler and an archiver that only create the files they are asked for
if [ $link = 0 ]; then
  stand_in=$(mktemp -d); trap 'rm -rf "$stand_in"' EXIT
  for tool in cc ar; do
    cat >"$stand_in/$tool" <<'SCRIPT'
#!/bin/sh
for word; do
  case $last in -o) : >"$word" ;; esac
  case $word in *.a) : >"$word" ;; esac
  last=$word
done
SCRIPT
    chmod +x "$stand_in/$tool"
  done
  for t in "${targets[@]}"; do export "CC_${t//-/_}=$stand_in/cc" "AR_${t//-/_}=$stand_in/ar"; done
  export SDKROOT=$stand_in
fi

key=$(pwd | sha256sum | cut -c1-12); export CARGO_TARGET_DIR=$cache/target-$key
platforms=()
for t in "${targets[@]}"; do platforms+=(--target "$t"); done
rc=0
echo "check-macos: cargo $sub ${platforms[*]}" >&2
if [ $sub = clippy ]; then cargo clippy -j"$jobs" "${platforms[@]}" "${extra[@]}" -- -D warnings || rc=1
else cargo check -j"$jobs" "${platforms[@]}" "${extra[@]}" || rc=1; fi
if [ $link = 1 ] && [ $rc = 0 ]; then cargo build -j"$jobs" "${platforms[@]}" "${extra[@]}" || rc=1; fi
[ $rc = 0 ] && echo "check-macos: ok" >&2
exit $rc
