# shellcheck shell=sh
# Sourced by the scripts beside it: `set_up run` makes .venv ready for the bot, `set_up dev` for checks and tests
# too, and both cost next to nothing when it already is. The work itself is in setuplib.
#
# .venv/bot4-PURPOSE.stamp, written last, says what .venv was made from: the locks, pyproject.toml, set-up
# itself and the folder (a moved .venv has dead paths inside).
#
# Everything said here goes to stderr: stdout belongs to the bot's log lines.

bot4_door=${bot4_door:-$0}
root=$(CDPATH='' cd -- "$(dirname -- "$bot4_door")/.." && pwd -P)
venv=$root/.venv

supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))'

# What a person or a shell set for other Pythons must not reach ours, but for what changes no line of code that runs.
for name in $(env | sed -n 's/^\(PYTHON[A-Z0-9_]*\)=.*/\1/p'); do
  case $name in
  PYTHONDONTWRITEBYTECODE | PYTHONFAULTHANDLER | PYTHONHASHSEED | PYTHONIOENCODING) ;;
  PYTHONNOUSERSITE | PYTHONSAFEPATH | PYTHONUNBUFFERED | PYTHONUTF8) ;;
  *) unset "$name" ;;
  esac
done

say() { printf 'bot4: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

sha256() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

# PURPOSE: the files that say what .venv is made from.
sources_of() {
  echo requirements-build.lock requirements.lock pyproject.toml
  [ "$1" = run ] || echo "requirements-$1.lock"
}

# PURPOSE: what its stamp must say.
wanted_stamp() {
  (
    cd "$root" || exit
    # shellcheck disable=SC2046 # a list of names without blanks
    { printf '%s\n' "$root" && cat $(sources_of "$1") scripts/_setup.sh scripts/setuplib/*.py; } | sha256
  )
}

is_ready() {
  for name in $(sources_of "$1"); do
    [ -f "$root/$name" ] || die "$name is missing. Fix: git checkout $name, then run this again."
  done
  wanted=$(wanted_stamp "$1")
  [ -n "$wanted" ] || die "no sha256sum here. Fix: sudo apt install coreutils, then run this again."
  [ -x "$venv/bin/python" ] && [ -x "$venv/bin/trio-run" ] &&
    [ "$(cat "$venv/bot4-$1.stamp" 2>/dev/null)" = "$wanted" ]
}

# Prints the path of the first Python that fits and can make a .venv; else dies with the fix.
# 3.11 comes first: it is the one the tests run on most. BOT4_PYTHON names another.
find_python() {
  cure="sudo apt install python3 python3-venv on Debian 12, Ubuntu 24.04 or later (macOS: brew install python@3.13)"
  if [ -n "${BOT4_PYTHON-}" ]; then
    set -- "$BOT4_PYTHON"
    cure="unset BOT4_PYTHON, or let it name a Python 3.11, 3.12 or 3.13"
  else
    set -- python3.11 python3.12 python3.13 python3
  fi
  seen=
  newer=
  without_venv=
  for name do
    [ "$("$name" -I -c 'print("works")' 2>/dev/null)" = works ] || continue
    if ! "$name" -I -c "$supported" 2>/dev/null; then
      seen="$seen $name is $("$name" -I -c 'import platform; print(platform.python_version())');"
      "$name" -I -c 'import sys; sys.exit(sys.version_info[:2] < (3, 14))' && newer=yes
    elif ! "$name" -I -c 'import ensurepip, venv' 2>/dev/null; then
      without_venv=${without_venv:-$("$name" -I -c 'import sys; print("python%d.%d" % sys.version_info[:2])')}
    else
      printf '%s\n' "$name"
      return
    fi
  done
  if [ -n "$without_venv" ]; then
    die "$without_venv is here but cannot make a virtual environment (its ensurepip is missing)." \
      "Fix: sudo apt install python3-venv (or $without_venv-venv), then run this again."
  elif [ -n "$newer" ]; then
    die "Python 3.11, 3.12 or 3.13 is needed; found:$seen two packages that sign orders have no build for it yet." \
      "Fix: README.md, \"Only a newer Python\", has the words for that."
  fi
  die "Python 3.11, 3.12 or 3.13 is needed; found:${seen:- none.}" \
    "Fix: $cure, then run this again."
}

# Runs a program with SIGINT, SIGTERM and SIGHUP held back until it wants them: an interpreter that is interrupted
# while it starts prints a traceback. Where env cannot do that (macOS), it is a plain call.
held_back='--block-signal=INT,TERM,HUP'
env "$held_back" true 2>/dev/null || held_back=

# WORDS: the Python side of set-up. Ctrl+C is its business; we only learn how it ended.
setuplib() {
  python=$(find_python) || exit 1
  stopped=
  trap 'stopped=yes' INT TERM HUP
  code=0
  env ${held_back:+"$held_back"} "$python" -I "$root/scripts/setuplib/__main__.py" "$root" "$@" || code=$?
  trap - INT TERM HUP
  [ -z "$stopped" ] || [ "$code" != 0 ] || {
    say "stopped. Nothing was started; set-up is done"
    code=130
  }
  [ "$code" = 0 ] || exit "$code"
}

# PURPOSE [ask]: leaves $venv ready to use, or ends with one line that says what to do. With `ask`, a person at a
# terminal is asked whether trio-run shall work everywhere.
set_up() {
  if is_ready "$1"; then return; fi
  # What was ready for another purpose stays so.
  others=
  for stamp in "$venv"/bot4-*.stamp; do
    name=${stamp##*/bot4-}
    name=${name%.stamp}
    if [ "$name" != "$1" ] && [ "$name" != run ] && [ -f "$root/requirements-$name.lock" ]; then
      others="$others $name=$(wanted_stamp "$name")"
    fi
  done
  [ "$1" = run ] || others="$others $1=$(wanted_stamp "$1")"
  # shellcheck disable=SC2086 # a list of words without blanks
  setuplib install "${2:-quiet}" "run=$(wanted_stamp run)" $others
}

# WORDS: becomes `trio-run WORDS` in the project's own Python, in the project's folder.
become_trio_run() {
  BOT4_SHELL_DIR=$PWD
  export BOT4_SHELL_DIR
  cd "$root" || exit
  exec env ${held_back:+"$held_back"} "$venv/bin/python" -P -s "$venv/bin/trio-run" "$@"
}

# MODULE WORDS: becomes one of the packages beside this file.
become_module() {
  module=$1
  shift
  cd "$root/scripts" || exit
  exec "$venv/bin/python" -s -m "$module" "$@"
}
