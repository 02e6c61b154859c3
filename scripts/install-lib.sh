# shellcheck shell=sh
# shellcheck disable=SC2154 # workdir is of lib.sh
# Shared by the scripts that need other people's programs: installs what is missing, or ends the script
# with exit code 77 (1 if CI=true). Sourced after lib.sh, not run. The script defines missing(), which
# prints the Debian packages of missing programs.

cannot_run() {
  echo "SKIPPED: $*" >&2
  [ "${CI:-}" != true ] || exit 1
  exit 77
}

# Installs what missing() names, with apt-get as root. INSTALL_ONLY=1 ends the script then.
have_packages() {
  install_packages
  [ -z "${INSTALL_ONLY:-}" ] || exit 0
}

install_packages() {
  packages=$(missing | tr '\n' ' ')
  [ -n "$packages" ] || return 0
  if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    echo "installing with apt-get: $packages" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 || echo "apt-get update failed; trying anyway" >&2
    # shellcheck disable=SC2086 # packages are words
    apt-get install -y -qq --no-install-recommends $packages >"$workdir/apt" 2>&1 ||
      tail -n 5 "$workdir/apt" >&2
    packages=$(missing | tr '\n' ' ')
    [ -n "$packages" ] || return 0
  fi
  cannot_run "missing: $packages(Debian package names)"
}

# npm_install PACKAGE...: into $workdir/node_modules, from which the driver of a script takes them.
npm_install() {
  npm install --prefix "$workdir" --cache "$workdir/npm" --no-audit --no-fund --loglevel=error "$@" \
    >"$workdir/npm.log" 2>&1 || cannot_run "npm could not install $*: $(tail -n 2 "$workdir/npm.log")"
}

# pip_install PACKAGE...: into a virtual environment; $python is its interpreter.
pip_install() {
  python=$workdir/python/bin/python
  if ! { python3 -m venv "$workdir/python" && "$python" -m pip install --quiet --no-cache-dir \
    --disable-pip-version-check "$@"; } >"$workdir/pip.log" 2>&1; then
    cannot_run "pip could not install $*: $(tail -n 2 "$workdir/pip.log")"
  fi
}
