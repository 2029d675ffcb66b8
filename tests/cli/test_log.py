"""The log file of each command: turned over as bot4.yaml says, and no obstacle in an emergency."""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import structlog
import trio
from timeouts import COMMAND_S

from bot4.cli import main
from bot4.errors import ExitCode
from bot4.logs import sink
from bot4.logs.redact import REDACTOR
from bot4.logs.setup import close
from bot4.signals import Signals

Stand = Callable[[str, str], list[object]]

log = structlog.get_logger()

CONFIG = (
    "mode: simulation\npairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
    "strategy:\n  spread_exit: -0.01\n"
)
LINES = 9_000


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with a bot4.yaml; leave the process as it was."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bot4.yaml").write_text(CONFIG)
    monkeypatch.setattr("bot4.cli.commands.harden", lambda: None)
    hooks = sys.unraisablehook, threading.excepthook
    yield tmp_path
    sys.unraisablehook, threading.excepthook = hooks
    close()
    structlog.reset_defaults()
    REDACTOR.clear()


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Put a command that logs a lot in the place of one of ``bot4.wiring``."""
    monkeypatch.setattr(sink, "DRAIN_LIMIT_S", COMMAND_S)

    def put(module: str, name: str) -> list[object]:
        calls: list[object] = []

        async def command(*args: object) -> ExitCode:
            await trio.lowlevel.checkpoint()
            calls.append(args)
            for number in range(LINES):
                log.debug("feed.ready", message=f"{number:06}", text="x" * 400)
                if number % 1_000 == 0:
                    sink.drain()  # no bot says so much at once
            return ExitCode.CLEAN

        fake = ModuleType(module)
        setattr(fake, name, command)
        monkeypatch.setitem(sys.modules, f"bot4.wiring.{module}", fake)
        return calls

    return put


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def test_the_log_turns_over_when_it_is_full_and_the_oldest_go(stand: Stand, folder: Path):
    (folder / "bot4.yaml").write_text(CONFIG + "log: {max_mb: 1, keep: 2}\n")
    stand("run", "run")

    assert await main(["run"], Signals()) == 0
    for thread in threading.enumerate():
        if thread.name == "archive":
            await trio.to_thread.run_sync(thread.join, COMMAND_S)

    state = folder / "state" / "simulation"
    old = sorted(state.glob("bot4.log.*"))
    assert [one.suffix for one in old] == [".gz", ".gz"]
    assert (state / "bot4.log").stat().st_size <= 1_000_000
    texts = [gzip.decompress(one.read_bytes()).decode() for one in old]
    assert all(900_000 < len(text) <= 1_000_000 for text in texts)
    told = lines("".join([*texts, (state / "bot4.log").read_text()]))
    numbers = [int(line["message"]) for line in told if line["event"] == "feed.ready"]
    assert numbers == list(range(LINES - len(numbers), LINES))


@pytest.mark.parametrize("text", ["max_mb: 0", "max_mb: 0.5", "keep: 0", "keep: -1", "days: 3"])
async def test_a_log_that_could_not_turn_over_is_refused(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str]
):
    (folder / "bot4.yaml").write_text(CONFIG + f"log: {{{text}}}\n")

    assert await main(["run"], Signals()) == 2
    assert f"log.{text.partition(':')[0]}" in lines(capsys.readouterr().out)[0]["message"]


async def test_a_tilde_is_the_home_on_the_command_line_too(
    stand: Stand, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("HOME", str(folder / "home"))
    stand("run", "run")

    assert await main(["run", "--log-file=~/here.log"], Signals()) == 0

    assert (folder / "home" / "here.log").exists()
    assert not (folder / "~").exists()


def no_folder(state: Path) -> None:
    state.parent.mkdir()
    state.write_text("somebody's file")


def no_file(state: Path) -> None:
    for name in ("bot4.log", "guard.log"):
        (state / name).mkdir(parents=True)


def a_link(state: Path) -> None:
    state.mkdir(parents=True)
    for name in ("bot4.log", "guard.log"):
        (state / name).symlink_to("/nowhere/at/all")


@pytest.mark.parametrize("spoil", [no_folder, no_file, a_link])
@pytest.mark.parametrize("command", ["flatten", "guard"])
async def test_what_ends_an_emergency_goes_on_without_a_log_file_and_says_so_once(
    command: str,
    spoil: Callable[[Path], None],
    stand: Stand,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
):
    spoil(folder / "state" / "simulation")
    calls = stand(command, f"run_{command}")

    code = await main([command, *(["--yes"] if command == "flatten" else [])], Signals())

    assert (code, len(calls)) == (0, 1)
    warned = [line for line in lines(capsys.readouterr().out) if line["level"] == "warning"]
    assert [line["event"] for line in warned] == ["log.dropped"]
    assert "log file" in warned[0]["message"]
    assert warned[0]["why"]
    assert warned[0]["do"]
