"""`scripts/run` and its kin: what they say when something is missing, and when they keep quiet.

A shell script stands in for Python and pip, so that nothing is installed and no network is needed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

FAKE_PYTHON = """#!/bin/sh
echo "$*" >>"$FAKE_CALLS"
case "$*" in
*"print("*version_info*) echo python3.11 ;;
*version_info*) exit "${FAKE_TOO_OLD:-0}" ;;
*ensurepip*) exit "${FAKE_NO_VENV:-0}" ;;
*python_version*) echo 3.10.13 ;;
*realpath*) echo "$0" ;;
"-m venv"*)
  mkdir -p "$4/bin"
  cp "$0" "$4/bin/python"
  echo "#!$4/bin/python" >"$4/bin/pip"
  ;;
"-m pip install"*)
  if [ -n "${FAKE_PIP_SAYS-}" ]; then echo "$FAKE_PIP_SAYS" && exit 1; fi
  folder=$(dirname "$0")
  printf '#!/bin/sh\\necho ran "$@"\\n' >"$folder/trio-run"
  chmod +x "$folder/trio-run"
  ;;
esac
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(root: Path, tmp_path: Path) -> Path:
    """A folder like the project's, with a blank in its name and nothing set up."""
    home = tmp_path / "my bot"
    shutil.copytree(root / "scripts", home / "scripts")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, home)
    python = home / "python3.11"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    return home


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """Run `scripts/run` from another folder."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        # The script splits BOT4_PYTHON at blanks, so the stand-in is found on the path.
        path = f"{home}:{os.environ['PATH']}"
        names = {"PATH": path, "BOT4_PYTHON": "python3.11", "FAKE_CALLS": str(home / "calls")}
        return subprocess.run(
            [home / "scripts" / "run", *arguments],
            env=os.environ | names | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


def installs(home: Path) -> int:
    return (home / "calls").read_text().count("-m pip install")


def test_the_first_run_sets_up_and_talks_on_stderr_only(home: Path, run: Run):
    done = run("--for", "60 s")

    assert done.returncode == 0
    assert done.stdout == "ran bot4 --for 60 s\n"
    assert "installing" in done.stderr
    assert "--require-hashes" in (home / "calls").read_text()


def test_the_second_run_installs_nothing_and_says_nothing(home: Path, run: Run):
    run()
    before = installs(home)

    done = run()

    assert (done.stdout, done.stderr) == ("ran bot4\n", "")
    assert installs(home) == before


def test_a_changed_lock_is_installed(home: Path, run: Run):
    run()
    before = installs(home)
    with (home / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")

    run()

    assert installs(home) == 2 * before


def test_an_interrupted_set_up_is_started_over(home: Path, run: Run):
    run(FAKE_PIP_SAYS="Killed")
    (home / "calls").unlink()

    done = run()

    assert done.stdout == "ran bot4\n"
    assert "-m venv --clear" in (home / "calls").read_text()


def test_a_moved_folder_is_set_up_anew(home: Path, run: Run):
    run()
    (home / ".venv" / "bin" / "pip").write_text("#!/elsewhere/.venv/bin/python\n")
    (home / ".venv" / "bot4.stamp").write_text("made for elsewhere\n")
    (home / "calls").unlink()

    done = run()

    assert done.stdout == "ran bot4\n"
    assert "-m venv --clear" in (home / "calls").read_text()


@pytest.mark.parametrize(
    ("environment", "problem", "fix"),
    [
        pytest.param(
            {"FAKE_TOO_OLD": "1"},
            "python3.11 is 3.10.13",
            "apt install python3",
            id="python too old",
        ),
        pytest.param(
            {"BOT4_PYTHON": "no-such-python"}, "found: none", "apt install python3", id="no python"
        ),
        pytest.param(
            {"FAKE_NO_VENV": "1"}, "ensurepip is missing", "apt install python3-venv", id="no venv"
        ),
        pytest.param(
            {"FAKE_PIP_SAYS": "WARNING: Retrying (Retry(total=1)) after NewConnectionError"},
            "no network",
            "connect to the Internet",
            id="no network",
        ),
        pytest.param(
            {"FAKE_PIP_SAYS": "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES"},
            "differs from what requirements.lock vouches for",
            "PIP_INDEX_URL",
            id="changed package",
        ),
        pytest.param(
            {"FAKE_PIP_SAYS": "OSError: [Errno 28] No space left on device"},
            "disk is full",
            "free about 1 GB",
            id="disk full",
        ),
        pytest.param(
            {"FAKE_PIP_SAYS": "ERROR: something new"}, "something new", "rm -rf .venv", id="other"
        ),
    ],
)
def test_what_is_missing_is_named_in_one_line_with_its_fix(
    run: Run, environment: dict[str, str], problem: str, fix: str
):
    done = run(**environment)

    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert done.stdout == ""
    assert problem in last
    assert "Fix: " in last
    assert fix in last
