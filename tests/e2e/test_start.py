"""How the real bot is started: with signals held back, where Python is told foreign things."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trio
from timeouts import STORY_S

from bot4.isolation import python
from bot4.signals import OWNED

pytestmark = pytest.mark.slow

HELD = ("env", "--block-signal=INT,TERM,HUP")
TRIO_RUN = [str(Path(sys.executable).parent / "trio-run"), "bot4"]
NAMES = ("yaml.py", "attrs/__init__.py", "structlog.py", "trio.py", "json.py", "startup.py")
TRAP = "import os\nos.write(2, f'{__name__} is foreign'.encode())\nos._exit(99)\n"


def hold() -> None:
    """Block as a launcher does; somebody pressed Ctrl+C before Python started."""
    signal.pthread_sigmask(signal.SIG_BLOCK, OWNED)
    os.kill(os.getpid(), signal.SIGINT)


def shown(pid: int, part: str) -> list[str]:
    return Path(f"/proc/{pid}/{part}").read_bytes().decode().split("\0")


def blocked(pid: int) -> set[int]:
    """The signals of ours that a process does not let in."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.partition("SigBlk:")[2].split()[0], 16)
    return {number for number in OWNED if mask >> number - 1 & 1}


@pytest.mark.parametrize(
    "door",
    [TRIO_RUN, [sys.executable, "-m", "bot4"], [*python("bot4.trio_run"), "bot4"]],
    ids=["trio-run", "-m bot4", "launcher"],
)
@pytest.mark.ordinary("launcher")
def test_a_ctrl_c_before_python_has_started_stops_the_bot_before_it_looks(
    home: Any, door: list[str]
):
    done = subprocess.run(
        [*door, "run", "--config", str(home.config), "--log", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=STORY_S,
        check=False,
        preexec_fn=hold,
    )

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    # Nobody has seen this account's journal before: it cannot say that nothing is held.
    assert (done.returncode, done.stderr) == (3, b"")
    assert "SIGINT" in [line.get("signal") for line in lines]
    assert "Stopped before looking" in lines[-1]["message"]


def test_a_ctrl_c_before_python_has_started_ends_the_flatten_script(home: Any, root: Path):
    script = [sys.executable, str(root / "scripts" / "flatten.py")]
    done = subprocess.run(
        [*script, "--config", str(home.config), "--log", "json", "--yes"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=STORY_S,
        check=False,
        preexec_fn=hold,
    )

    assert (done.returncode, done.stderr) == (3, b"")
    assert b"flatten.done" not in done.stdout


async def test_no_process_of_ours_is_deaf_to_what_the_launcher_held_back(home: Any):
    home.launcher = HELD
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.until("simulator.started")
            deaf = [blocked(bot.process.pid), blocked(bot.simulator)]
            assert await bot.stop() in (0, 3)

    assert deaf == [set(), set()]


async def test_no_foreign_code_gets_beside_the_keys(
    home: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    hostile = tmp_path / "hostile"
    for name in NAMES:
        (hostile / name).parent.mkdir(parents=True, exist_ok=True)
        (hostile / name).write_text(TRAP)
    told = {
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "startup.py"),
        "PYTHONUSERBASE": str(hostile),
        "PYTHONINSPECT": "1",
        "PYTHONBREAKPOINT": "startup.stop",
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(hostile)

    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            pids = bot.process.pid, bot.simulator
            for pid in pids:
                assert {"-P", "-s"} <= set(shown(pid, "cmdline"))
                names = {entry.partition("=")[0] for entry in shown(pid, "environ")}
                assert not names & set(told)
            assert await bot.stop() == 0
        looked = await home.run("flatten", "--dry-run")

    assert looked.process.returncode == 0


def test_the_flatten_script_keeps_foreign_code_out_too(
    home: Any, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("yaml.py", "structlog.py", "trio.py"):
        (tmp_path / name).write_text(TRAP)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    script = [sys.executable, str(root / "scripts" / "flatten.py")]

    done = subprocess.run(
        [*script, "--config", str(home.config), "--log", "json", "--dry-run"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=STORY_S,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_flatten_script_says_in_one_line_that_nothing_is_set_up(root: Path, tmp_path: Path):
    script = tmp_path / "my bot" / "scripts" / "flatten.py"
    script.parent.mkdir(parents=True)
    script.write_bytes((root / "scripts" / "flatten.py").read_bytes())

    done = subprocess.run(
        [sys.executable, script, "--yes"],
        capture_output=True,
        text=True,
        timeout=STORY_S,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "scripts/flatten.py: there is no .venv yet: "
        f"'{tmp_path}/my bot/scripts/run' help makes it\n"
    )
