"""`scripts/run` and its kin: what they install, what they say meanwhile, when they keep quiet.

A small project with an index of its own stands in for ours: real Python, real pip, no network.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from setuplib import child
from setuplib.link import bin_folder
from setuplib.locks import pins
from setuplib.messages import what_is_lacking, why_pip_failed
from setuplib.settings import asking, kept

from bot4.isolation import HARMLESS

FOREIGN = {
    "PIP_TARGET": "elsewhere",
    "PIP_PREFIX": "elsewhere",
    "PIP_USER": "1",
    "PIP_ROOT": "elsewhere",
    "PIP_CONSTRAINT": "no-such-file.txt",
    "PIP_NO_BINARY": ":all:",
    "PIP_NO_INDEX": "1",
    "PIP_DRY_RUN": "1",
    "PIP_NO_DEPS": "0",
    "PIP_REQUIRE_HASHES": "0",
    "PIP_REPORT": "report.json",
}
"""Settings of other people's pip that would make another .venv, or none."""

LOCKED = {"builder": "1.0", "alpha": "1.0", "beta-two": "1.5", "pyyaml": "6.0", "bot4": "0.1.0"}


@pytest.fixture(scope="module")
def first(make_project, tmp_path_factory):
    """The first run, under a hard umask and foreign settings: the project and what it said."""
    folder = tmp_path_factory.mktemp("first")
    project = make_project(folder / "mon bot à moi")
    hostile = folder / "hostile"
    (hostile / "attrs").mkdir(parents=True)
    for name in ("yaml.py", "attrs/__init__.py", "pip.py", "sitecustomize.py"):
        (hostile / name).write_text("raise SystemExit('foreign code ran')\n")
    python = {"PYTHONPATH": str(hostile), "PYTHONSTARTUP": str(hostile / "yaml.py")}
    said = project.run("--for", "60 s", umask=0o077, **FOREIGN, **python)
    return project, said


def test_the_first_run_sets_up_talks_on_stderr_only_and_hears_no_foreign_settings(first):
    project, done = first

    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "ran bot4 --for 60 s"), done.stderr
    assert "yaml is the pyyaml of the lock" in done.stdout
    assert "isolated True 1" in done.stdout
    assert f"from {project.folder.parent}" in done.stdout
    assert not (project.folder.parent / "elsewhere").exists()
    assert not (project.folder / "elsewhere").exists()


def test_what_is_locked_is_installed_though_newer_ones_are_offered(first):
    project, done = first

    assert project.installed() == LOCKED
    assert "9.0" not in done.stderr


def test_set_up_shows_a_line_a_package_in_the_order_of_the_lock(first):
    lines = first[1].stderr.splitlines()

    counted = [line for line in lines if re.search(r"\d+ of 3 ", line)]
    assert counted == [
        "bot4:   1 of 3  alpha 1.0",
        "bot4:   2 of 3  beta-two 1.5",
        "bot4:   3 of 3  pyyaml 6.0",
    ]
    assert re.fullmatch(r"bot4: set-up done: 6 packages, \d+ MB in \.venv, \d+ s", lines[-1])


def test_the_second_run_installs_nothing_and_says_nothing(first):
    project, _ = first
    before = (project.folder / ".venv.log").stat().st_mtime_ns

    done = project.run("--for", "1 s", PIP_INDEX_URL="file:///nowhere")

    assert done.stderr == ""
    assert done.stdout.startswith("ran bot4 --for 1 s\n")
    assert (project.folder / ".venv.log").stat().st_mtime_ns == before


def test_a_link_called_trio_run_starts_the_app_that_is_named(first, tmp_path):
    project, _ = first
    home = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/.local/bin:{os.environ['PATH']}"}

    linked = project.run("link", **home)
    link = tmp_path / ".local/bin/trio-run"
    assert linked.returncode == 0
    assert f"works in every shell now: {link} (to remove it: scripts/run unlink)" in linked.stderr
    done = project.run("bot4", "status", script=str(link), **home)
    removed = project.run("unlink", **home)

    assert done.stdout.startswith("ran bot4 status\n"), done.stderr
    assert removed.returncode == 0
    assert not link.exists()


def test_the_name_of_another_program_is_left_alone(first, tmp_path):
    project, _ = first
    other = tmp_path / "bin" / "trio-run"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n")
    home = {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}

    linked = project.run("link", **home)
    removed = project.run("unlink", **home)

    assert linked.returncode == 1
    assert f"{other} is another program's: left as it is" in linked.stderr
    assert "nothing to remove" in removed.stderr
    assert other.read_text() == "#!/bin/sh\n"


def test_the_bin_folder_is_one_where_commands_are_found():
    home = {"HOME": "/home/me"}

    def at(path: str, **more: bool) -> tuple[str, bool]:
        folder, found = bin_folder(home | {"PATH": path}, root_user=more.get("root_user", False))
        return str(folder), found

    assert at("/usr/bin:/home/me/bin") == ("/home/me/bin", True)
    assert at("/home/me/bin:/home/me/.local/bin") == ("/home/me/.local/bin", True)
    assert at("/usr/local/bin:/usr/bin") == ("/home/me/.local/bin", False)
    assert at("/usr/local/bin:/usr/bin", root_user=True) == ("/usr/local/bin", True)


FAKE_PYTHON = """#!/bin/sh
case "$*" in
*"print("*version_info*) echo python3.11 ;;
*works*) echo works ;;
*"sys.exit(not"*) exit "${FAKE_UNFIT:-0}" ;;
*"sys.exit(sys.version_info"*) exit "${FAKE_OLD:-0}" ;;
*ensurepip*) exit "${FAKE_NO_VENV:-0}" ;;
*python_version*) echo "$FAKE_VERSION" ;;
esac
"""


@pytest.mark.parametrize(
    ("environment", "problem", "fix"),
    [
        pytest.param(
            {"FAKE_UNFIT": "1", "FAKE_OLD": "1", "FAKE_VERSION": "3.10.13"},
            "is 3.10.13;",
            "unset BOT4_PYTHON",
            id="python too old",
        ),
        pytest.param(
            {"FAKE_UNFIT": "1", "FAKE_VERSION": "3.14.2"},
            "is 3.14.2; two packages that sign orders have no build for it yet",
            'README.md, "Only a newer Python"',
            id="python too new",
        ),
        pytest.param(
            {"BOT4_PYTHON": "no such python"}, "found: none", "unset BOT4_PYTHON", id="no python"
        ),
        pytest.param(
            {"FAKE_NO_VENV": "1"}, "ensurepip is missing", "apt install python3-venv", id="no venv"
        ),
    ],
)
def test_a_python_that_cannot_be_used_is_named_with_its_fix(
    make_project, tmp_path: Path, environment: dict[str, str], problem: str, fix: str
):
    project = make_project(tmp_path / "my bot")
    python = tmp_path / "my python3.11"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)

    done = project.run(**({"BOT4_PYTHON": str(python)} | environment))

    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (1, "")
    assert problem in last
    assert "Fix: " in last
    assert fix in last


def test_a_person_who_waits_is_told_what_for_again_and_again(tmp_path, monkeypatch):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    told = []

    def say(text: str) -> None:
        told.append(text)
        if len(told) == 3:
            fifo.write_text("the end\n")  # until then the command says nothing

    monkeypatch.setattr(child, "say", say)
    monkeypatch.setattr(child, "QUIET_S", 0.001)
    heard = []

    code = child.run(
        ["sh", "-c", f"cat '{fifo}'; exit 7"],
        os.environ,
        heard=heard.append,
        waiting=child.Waiting("making tea").text,
    )

    assert (code, heard) == (7, ["the end"])
    assert re.fullmatch(r"making tea, \d+ s", told[0])


@pytest.mark.parametrize(
    ("said", "problem", "fix"),
    [
        pytest.param(
            "WARNING: Retrying (Retry(total=1)) after NewConnectionError",
            "no network",
            "connect to the Internet",
            id="no network",
        ),
        pytest.param(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you\n"
            "    alpha==1.0 from file:///a/alpha.whl (from -r a.lock (line 1)):\n",
            "alpha==1.0 is not the file that a.lock vouches for, so nothing",
            "PIP_INDEX_URL",
            id="changed package",
        ),
        pytest.param(
            "OSError: [Errno 28] No space left on device", "disk is full", "1 GB", id="disk full"
        ),
        pytest.param(
            "ERROR: No matching distribution found for coincurve==21.0.0",
            "no ready-built package for this machine",
            "64-bit Linux",
            id="no wheel",
        ),
        pytest.param("ERROR: something new", "something new", "rm -rf .venv", id="other"),
        pytest.param("", "it said nothing", "rm -rf .venv", id="silent"),
    ],
)
def test_why_pip_failed_is_told_in_one_line_with_its_fix(said: str, problem: str, fix: str):
    line = why_pip_failed(said, "a.lock", ".venv.log")

    assert "\n" not in line
    assert problem in line
    assert fix in line.partition("Fix: ")[2]


def test_what_would_silence_pip_or_lead_it_elsewhere_is_not_there_when_it_is_asked():
    told = {"PIP_QUIET": "3", "PIP_LOG": "/x", "PIP_PYTHON": "/y", "PYTHONPATH": "/z", "LANG": "C"}
    way = {"PIP_INDEX_URL": "https://a.example", "PIP_CONFIG_FILE": "/etc/own.conf"}

    assert asking(told | way) == way | {"LANG": "C"}


def test_the_shell_and_the_bot_agree_on_what_of_python_may_stay(root: Path):
    text = (root / "scripts" / "_setup.sh").read_text()
    kept_by_sh = re.findall(r"PYTHON[A-Z0-9]+(?= \||\))", text)

    assert set(kept_by_sh) == HARMLESS


def test_the_packages_are_all_explained(root: Path):
    told = (root / "docs" / "packages.md").read_text()
    names = [name for lock in root.glob("requirements*.lock") for name in pins(lock)]

    assert len(names) > 100
    assert [n for n in names if not re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", told)] == []


def test_what_the_lock_lacks_is_told_in_one_line():
    line = what_is_lacking("alpha 1.0 requires gamma, which is not installed.\nmore\n", "a.lock")

    assert line.startswith("a.lock does not fit together: alpha 1.0 requires gamma, which is not")
    assert "\n" not in line


def test_of_pips_settings_only_those_that_reach_the_index_are_kept():
    listing = [
        "global.index-url='https://a.example/simple'",
        "install.index-url='https://b.example/simple'",
        "global.find-links='/a\\n/b'",
        "global.constraint='/etc/constraints.txt'",
        "install.target='/elsewhere'",
        ":env:.cert='/a.pem'",
        ":env:.no-index='1'",
        "global.timeout='7'",
        "freeze.timeout='9'",
        "a line of something else",
        "global.proxy=broken",
    ]

    assert kept(listing) == {
        "PIP_INDEX_URL": "https://b.example/simple",
        "PIP_FIND_LINKS": "/a\n/b",
        "PIP_CERT": "/a.pem",
        "PIP_TIMEOUT": "7",
    }
