"""The proof of the README on a bare machine, without a root and without a network.

The real thing is `scripts/fresh`; here is what it carries, how it judges, when it refuses and that
it cleans up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import pytest
from freshlib import __main__ as door
from freshlib import machine, refusals, story, verdict, wheels
from freshlib.follow import Heard, Stopped, follow, stopping
from freshlib.refusals import Refused
from freshlib.settings import Settings, carry_in, gather
from freshlib.systems import FOR_TESTS, OLDER_PYTHON_STEPS, README_PACKAGES, REFUSAL, SYSTEMS
from setuplib.install import size_mb
from timeouts import STORY_S

CLEAN = "01:14:27.543 INFO     [SHUTDOWN] Clean exit, no pending orders"
ENTRY = "01:14:10.103 INFO     [TRADE] Entry executed: spread=0.33%, target=0.20%"
SECRET = "hunter2"


def heard(*lines: str, code: int = 0, **changes: Any) -> Heard:
    return Heard(code, list(lines), [float(at) for at in range(1, len(lines) + 1)], **changes)


def quiet(line: str) -> None:
    """Show nothing."""


# ------------------------------------------------------------------------------- what is carried in


@pytest.fixture
def gathered() -> Settings:
    return gather(
        {
            "HTTPS_PROXY": f"http://me:{SECRET}@proxy.example:3128",
            "no_proxy": f"{SECRET}.example",
            "HTTP_PROXY": "",
            "HOME": "/root",
        },
        f"global.extra-index-url='file:///opt/index https://me:{SECRET}@b.example/simple'\n"
        "global.timeout='60'\n"
        f":env:.index-url='https://me:{SECRET}@index.example/simple'\n"
        ":env:.find-links='/opt/wheels'\n"
        ":env:.require-virtualenv='1'\n"
        "global.cache-dir='/kept'\n"
        "global.constraint='/etc/constraints.txt'\n"
        "user.name='x'\n",
        f'Acquire::http::Proxy "http://{SECRET}.example";\nAcquire::Check-Valid-Until "false";\n',
        f"# deb http://old.example/debian bookworm main\nURIs: http://{SECRET}.example/debian\n",
    )


def test_how_packages_are_reached_goes_in_and_nothing_else(gathered: Settings):
    assert gathered.environment == {
        "HTTPS_PROXY": f"http://me:{SECRET}@proxy.example:3128",
        "no_proxy": f"{SECRET}.example",
        "PIP_INDEX_URL": f"https://me:{SECRET}@index.example/simple",
        "PIP_EXTRA_INDEX_URL": f"https://me:{SECRET}@b.example/simple",
        "PIP_TIMEOUT": "60",
    }
    assert list(gathered.apt) == ["Acquire::http::Proxy"]
    assert gathered.mirrors == {"debian": f"http://{SECRET}.example/debian"}
    assert gathered.left == ["PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"]


def test_names_are_told_and_never_values(gathered: Settings):
    said = gathered.names()

    for name in ("HTTPS_PROXY", "no_proxy", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "Acquire"):
        assert name in said
    assert SECRET not in said
    assert "example" not in said


def test_a_value_that_is_printed_inside_is_shown_by_its_name(gathered: Settings, tmp_path: Path):
    bundle = tmp_path / SECRET
    bundle.write_text("certificates")
    named = gather({"SSL_CERT_FILE": str(bundle)}, "", "", "")
    said: list[str] = []

    done = follow(
        ["echo", f"E: http://me:{SECRET}@proxy.example:3128 does not answer, 60"],
        os.environ,
        limit_s=STORY_S,
        show=said.append,
        hide=gathered.hide,
    )

    assert said == done.lines == ["E: <HTTPS_PROXY> does not answer, 60"]
    assert SECRET not in named.names()
    assert "and the files that these name" in named.names()


def test_a_file_that_a_setting_names_is_copied_to_the_same_path(tmp_path: Path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    root = tmp_path / "root"
    there = root / str(bundle).lstrip("/")
    there.parent.mkdir(parents=True)
    (root / "etc").mkdir()
    outside = tmp_path / "outside"
    outside.write_text("not mine")
    there.symlink_to(outside)
    found = gather({"SSL_CERT_FILE": str(bundle)}, "", "", "")
    found.files = [bundle]

    carry_in(found, root)

    assert there.read_text() == "certificates"
    assert outside.read_text() == "not mine"


# -------------------------------------------------------------------------------------- the verdict


def test_a_run_that_trades_and_ends_clean_is_ok():
    ran = heard("bot4: making .venv", "bot4: set-up done", ENTRY, ENTRY, CLEAN, "")

    assert list(verdict.wrong_run(ran)) == []
    assert verdict.entries(ran) == 2
    assert verdict.set_up_s(ran) == 2.0
    assert verdict.longest_silence_s(ran) == 1.0
    assert verdict.longest_silence_s(heard("all is there", ENTRY)) == 0.0


def test_a_pair_that_stays_on_is_told_behind_the_last_word():
    held = "01:14:27.543 WARNING  [SHUTDOWN] BTC is STILL OPEN: 0.0036 long on vest"

    assert list(verdict.wrong_run(heard(ENTRY, CLEAN, held))) == []


@pytest.mark.parametrize(
    ("ran", "fault"),
    [
        (heard(CLEAN), "no entry was executed"),
        (heard(ENTRY, CLEAN, code=3), "ended with exit 3"),
        (heard(ENTRY, CLEAN, "Traceback"), "last line is: Traceback"),
        (heard(ENTRY, "[SHUTDOWN] Clean exit, nothing was started"), "last line is"),
        (heard(ENTRY, CLEAN, too_long=True, seconds=9.0), "did not end within 9 s"),
    ],
)
def test_every_other_end_is_found(ran: Heard, fault: str):
    (found,) = verdict.wrong_run(ran)

    assert fault in found


def test_silence_is_found():
    assert len(list(verdict.wrong_run(heard()))) == 2
    assert verdict.set_up_s(heard()) == 0.0


def test_a_set_up_that_fails_says_its_last_line():
    assert list(verdict.wrong_set_up(heard("bot4.yaml is fine"))) == []
    assert "disk is full" in list(verdict.wrong_set_up(heard("the disk is full", code=1)))[-1]


def test_a_refusal_is_one_line_and_an_exit_code():
    line = "bot4: Python 3.11, 3.12 or 3.13 is needed; found: python3 is 3.14.4;"

    assert list(verdict.wrong_refusal(heard(line, code=1))) == []
    assert len(list(verdict.wrong_refusal(heard(line)))) == 1
    assert len(list(verdict.wrong_refusal(heard(line, line, code=1)))) == 1
    assert len(list(verdict.wrong_refusal(heard("Traceback", code=1)))) == 1


def test_the_closing_line_of_the_tests_is_read():
    good = heard("12 tests", "===== 2451 passed, 3 skipped in 190.05s (0:03:10) =====")
    bad = heard("=== 1 failed, 2450 passed in 9.05s ===", code=1)
    quiet_one = heard("2451 passed in 190.05s")

    assert verdict.tested(good) == ("2451 passed, 3 skipped", [])
    assert verdict.tested(quiet_one) == ("2451 passed", [])
    assert verdict.tested(bad)[1] == ["the tests ended with exit 1", "1 failed, 2450 passed"]
    assert verdict.tested(heard("Killed", code=137))[1][1] == "no closing line of the tests"
    assert len(verdict.tested(heard("=== no tests ran in 0.01s ==="))[1]) == 1


def test_the_last_line_has_the_figures_and_the_verdict():
    found = verdict.Outcome("debian12", ["Python 3.11.2", "78 packages"], ["root 29 s"])
    assert found.line() == "fresh: debian12 Python 3.11.2, 78 packages: root 29 s: ok"

    found.faults += ["no entry was executed"]
    assert found.line().endswith(": NOT ok: no entry was executed")


def test_a_file_with_two_names_takes_its_place_once(tmp_path: Path):
    (tmp_path / "one").write_bytes(os.urandom(2_000_000))
    os.link(tmp_path / "one", tmp_path / "two")

    assert round(size_mb(tmp_path)) == 2
    assert size_mb(tmp_path / "nowhere") == 0


def test_the_python_of_a_venv_is_read(tmp_path: Path):
    assert verdict.python_of(tmp_path) == "no .venv"
    (tmp_path / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    assert verdict.python_of(tmp_path) == "Python 3.11.2"


# ----------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "problem", "fix"),
    [
        ({"uid": lambda: 1000}, "root", "sudo -E scripts/fresh"),
        ({"which": lambda tool: None if tool == "mmdebstrap" else tool}, "mmdebstrap", "apt"),
        ({"which": lambda tool: None if tool == "unshare" else tool}, "unshare", "util-linux"),
        ({"free": lambda _: 10**9}, "1.0 GB free", "TMPDIR"),
    ],
)
def test_what_is_missing_is_named_in_one_line_with_its_fix(
    changes: dict[str, Any], problem: str, fix: str, tmp_path: Path
):
    fine = {"uid": lambda: 0, "which": str, "free": lambda _: 10**10}
    refusals.check(tmp_path, **fine)

    with pytest.raises(Refused) as refused:
        refusals.check(tmp_path, **(fine | changes))

    line = str(refused.value)
    assert problem in line
    assert fix in line.partition("Fix: ")[2]
    assert "\n" not in line


def test_the_door_refuses_in_one_line_and_needs_no_venv(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["scripts/fresh", "--wheels", "2.7"])

    assert door.main() == 2
    assert capsys.readouterr().err == (
        "scripts/fresh: 2.7 is no Python. Fix: scripts/fresh --wheels 3.14\n"
    )
    helped = subprocess.run([root / "scripts/fresh", "--help"], capture_output=True, check=True)
    assert b"ubuntu26.04" in helped.stdout


def test_a_time_is_read_as_the_run_command_reads_it():
    assert story.seconds("90s") == 90.0
    assert story.seconds("1.5 m") == 90.0
    with pytest.raises(ValueError, match="is no time"):
        story.seconds("90; rm -rf /")


# --------------------------------------------------------------------------- made, entered, removed


def test_a_command_is_heard_to_its_end_and_on_a_screen_if_wanted():
    said: list[str] = []
    words = "test -t 1 && echo on; printf '\\033[31mred\\033[0m\\n'; printf 'a\\rb\\nlast'; exit 3"

    done = follow(["sh", "-c", words], os.environ, limit_s=30, screen=True, show=said.append)
    piped = follow(["sh", "-c", "test -t 1"], os.environ, limit_s=30, show=said.append)

    assert done.lines == ["on", "red", "b", "last"]
    assert said[1] == "\x1b[31mred\x1b[0m"
    assert done.code == 3
    assert not done.too_long
    assert piped.code == 1


def test_a_command_that_hangs_is_ended_with_its_children():
    words = ["sh", "-c", "echo $$; sleep 600 & sleep 600"]

    done = follow(words, os.environ, limit_s=0, show=quiet)

    assert done.too_long
    assert done.code == -signal.SIGKILL
    assert done.seconds < 60


def test_a_signal_ends_the_command_and_goes_on():
    def interrupt(line: str) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Stopped) as stopped, stopping():
        follow(["sh", "-c", "echo up; sleep 600"], os.environ, limit_s=60, show=interrupt)

    assert stopped.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_root_is_removed_after_an_interrupt(number: int, tmp_path: Path):
    def half(_: object, root: Path, *__: object) -> None:
        (root / "etc").mkdir(parents=True)
        signal.raise_signal(number)

    with pytest.raises(Stopped), stopping():
        with machine.bare_root(SYSTEMS["debian12"], [], Settings(), tmp_path, half):
            pytest.fail("the builder was interrupted")

    assert list(tmp_path.iterdir()) == []


def test_the_root_is_removed_after_an_error_and_told_apart_from_a_verdict(tmp_path: Path):
    def failing(_: object, root: Path, *__: object) -> None:
        root.mkdir()
        raise Refused("mmdebstrap could not make debian12: E: no route")

    request = story.Request(tmp_path, "HEAD", Settings(), tmp_path)

    with pytest.raises(Refused):
        story.play(SYSTEMS["debian12"], request, failing)

    assert list(tmp_path.iterdir()) == []


def test_nothing_is_removed_while_something_is_mounted_below(tmp_path: Path):
    root = tmp_path / "a root"
    root.mkdir()
    point = str(root / "proc").replace(" ", "\\040")
    info = f"36 35 98:0 / {point} rw,noatime master:1 - proc proc rw\n"

    with pytest.raises(machine.LeftBehind, match="still mounted"):
        machine.remove(root, mountinfo=lambda: info)

    assert root.exists()
    assert machine.mounted_below(root, info.replace("a\\040root", "a\\040root2")) == []
    machine.remove(root, mountinfo=lambda: "")
    assert not root.exists()


def test_a_process_that_is_just_dying_is_waited_for(tmp_path: Path):
    waits: list[float] = []
    tries: list[Path] = []

    with pytest.raises(machine.LeftBehind, match="could not be removed"):
        machine.remove(tmp_path, mountinfo=lambda: "", erase=tries.append, sleep=waits.append)

    assert len(tries) == len(waits) == machine.REMOVALS


def test_a_revision_that_is_not_there_is_refused(root: Path):
    with pytest.raises(Refused, match="no commit no-such-thing"):
        machine.commit_named(root, "no-such-thing")


def test_ubuntu_is_trusted_by_its_own_keys_only(tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr(machine, "UBUNTU_RING", "no/such/ring.gpg")
    monkeypatch.setattr(machine.urllib.request, "urlopen", lambda *_, **__: _Answer())

    with pytest.raises(Refused, match="not those that are vouched for"):
        machine.archive(SYSTEMS["ubuntu24.04"], tmp_path, Settings())


class _Answer:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self) -> bytes:
        return b"somebody's keys"


# ------------------------------------------------------------------------------------------- wheels


def test_what_is_tried_where_python_is_too_new_is_what_the_readme_says(root: Path):
    readme = (root / "README.md").read_text()
    section = readme.partition("### Only a newer Python")[2].partition("\n## ")[0]

    said = [line.strip() for line in section.splitlines() if line.startswith("    sudo ")]
    assert said == [f"sudo {words}" for words in OLDER_PYTHON_STEPS]
    assert all(name in readme for name in (*README_PACKAGES, *FOR_TESTS))
    assert REFUSAL in (root / "scripts/_setup.sh").read_text()
    assert '"Only a newer Python\\"' in (root / "scripts/_setup.sh").read_text()


def test_of_one_package_the_locked_version_is_asked_for_first_and_then_a_newer_one():
    def verdict(*there: str) -> str:
        return wheels.verdict("a", "1.0", "3.14", "x86_64", lambda one, *_: one in there)

    assert verdict("a==1.0", "a>=1.0") == "there"
    assert verdict("a>=1.0") == "a newer one has it"
    assert verdict() == "none"


def test_only_what_is_built_for_one_python_is_asked_about(tmp_path: Path):
    for name, tag in (
        ("pure-1.0", "py3-none-any"),
        ("Built_one-2.0", "cp311-cp311-linux_x86_64"),
        ("starknet_py-0.30.0", "cp311-cp311-linux_x86_64"),
    ):
        wheel = tmp_path / f"lib/python3.11/site-packages/{name}.dist-info/WHEEL"
        wheel.parent.mkdir(parents=True)
        wheel.write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")

    assert wheels.built(tmp_path) == {"built-one": "2.0"}
