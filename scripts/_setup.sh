# shellcheck shell=sh
# Sourced by run, test and check: makes .venv ready, and costs next to nothing when it already is.
#
# .venv/bot4.stamp, written last, says what .venv was made from: the lock, pyproject.toml, this file and
# the folder (a moved .venv has dead paths inside). .venv.lock is held while one script sets up, so that
# two started at once do not both install; it has a word in it while the work is unfinished, so that the
# next run starts an interrupted .venv over instead of trusting half of it.
#
# Everything said here goes to stderr: stdout belongs to the bot's log lines.

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$root/.venv
stamp=$venv/bot4.stamp
setup_lock=$root/.venv.lock
setup_log=$root/.venv.log

# 3.11 comes first: it is the one the tests run on most. BOT4_PYTHON names another.
pythons=${BOT4_PYTHON:-python3.11 python3.12 python3.13 python3}
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'

say() { printf 'bot4: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

wanted_stamp() {
  {
    printf '%s\n' "$root"
    cat "$root/requirements.lock" "$root/pyproject.toml" "$root/scripts/_setup.sh"
  } | sha256
}

is_ready() {
  [ -x "$venv/bin/python" ] && [ -x "$venv/bin/trio-run" ] &&
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]
}

# Prints the real path of the first Python that fits and can make a .venv; else dies with the fix.
# The real path, so that a system upgrade leaves a dead link, which is noticed, and not another Python.
find_python() {
  seen=
  without_venv=
  for name in $pythons; do
    "$name" -c '' 2>/dev/null || continue
    if ! "$name" -c "$supported" 2>/dev/null; then
      seen="$seen $name is $("$name" -c 'import platform; print(platform.python_version())');"
    elif ! "$name" -c 'import ensurepip, venv' 2>/dev/null; then
      without_venv=${without_venv:-$("$name" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')}
    else
      "$name" -c 'import os, sys; print(os.path.realpath(sys.executable))'
      return
    fi
  done
  if [ -n "$without_venv" ]; then
    die "$without_venv is here but cannot make a virtual environment (its ensurepip is missing)." \
      "Fix: sudo apt install python3-venv (or $without_venv-venv), then run this again."
  fi
  die "Python 3.11, 3.12 or 3.13 is needed; found:${seen:- none.}" \
    "Fix: sudo apt install python3 python3-venv on Debian 12, Ubuntu 24.04 or later" \
    "(macOS: brew install python@3.13), then run this again."
}

# Why pip failed, in one line, from what it said.
explain_pip() {
  again="then run this again (pip's own words: $setup_log)"
  if grep -qE 'No space left on device' "$setup_log"; then
    die "the disk is full. Fix: free about 1 GB, $again."
  elif grep -qE 'DO NOT MATCH THE HASHES' "$setup_log"; then
    die "a package differs from what requirements.lock vouches for, so nothing of it was installed." \
      "Fix: unset PIP_INDEX_URL and any mirror in 'pip config list', $again."
  elif grep -qE 'Retrying|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded' \
    "$setup_log"; then
    die "the packages could not be downloaded: no network, or the package index does not answer." \
      "Fix: connect to the Internet (behind a proxy: export HTTPS_PROXY), $again."
  elif grep -qE 'No matching distribution' "$setup_log"; then
    die "no ready-built package for this machine: $(grep -E 'No matching distribution' "$setup_log" | tail -n 1)." \
      "Fix: use 64-bit Linux or macOS with Python 3.11 to 3.13, $again."
  fi
  die "pip failed: $(grep -E 'ERROR' "$setup_log" | tail -n 1)" "Fix: rm -rf .venv, $again."
}

pip_install() {
  PIP_USER=0 "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --retries 2 --timeout 20 "$@" >>"$setup_log" 2>&1 </dev/null || explain_pip
}

locked_install() {
  pip_install --require-hashes --only-binary :all: "$@"
}

# Whether .venv can be brought up to date where it stands, rather than made anew.
is_sound() {
  [ ! -s "$setup_lock" ] && "$venv/bin/python" -c "$supported" 2>/dev/null &&
    "$venv/bin/python" -m pip --version >/dev/null 2>&1 && grep -qF "$venv/bin/" "$venv/bin/pip"
}

install() {
  : >"$setup_log"
  if is_sound; then fresh=; else fresh=yes; fi
  echo unfinished >"$setup_lock"
  rm -f "$stamp"
  if [ -n "$fresh" ]; then
    say "making .venv with $python"
    "$python" -m venv --clear "$venv" >>"$setup_log" 2>&1 ||
      die "could not make .venv: $(tail -n 1 "$setup_log") Fix: sudo apt install python3-venv, rm -rf .venv, then run this again."
  fi
  say "installing the packages of requirements.lock into .venv (the first time takes a minute or two)"
  # starknet-py and bot4 itself come as source. They are built with the setuptools of the lock, put in first:
  # left alone, pip would download builders that no hash vouches for.
  awk '/^setuptools==/ { on = 1 } on { print } on && !/\\$/ { exit }' "$root/requirements.lock" >"$venv/builder.txt"
  locked_install -r "$venv/builder.txt"
  locked_install --no-build-isolation --no-binary starknet-py -r "$root/requirements.lock"
  pip_install --no-deps --no-build-isolation -e "$root"
  echo "$wanted" >"$stamp"
  : >"$setup_lock"
  say "set-up done"
}

# Leaves $venv ready to use, or dies with one line that says what to do.
set_up() {
  wanted=$(wanted_stamp)
  if is_ready; then return; fi
  unset PYTHONHOME PIP_TARGET PIP_PREFIX
  python=$(find_python) || exit 1
  [ -w "$root" ] || die "cannot write in $root. Fix: sudo chown -R \"\$(id -un)\" '$root', then run this again."
  # The lock lives on file 9 of this shell and dies with it, however it dies.
  exec 9>>"$setup_lock"
  if ! "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null; then
    say "another set-up is at work here; waiting for it"
    "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
  fi
  if ! is_ready; then install; fi
  exec 9>&-
}
