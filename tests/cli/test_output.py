"""What commands print: nothing in it forges a line, and no reader holds up the end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import structlog
import trio
from timeouts import COMMAND_S, ENDS_S

from bot4.cli import main
from bot4.logs.setup import close
from bot4.signals import Signals

FORGED = "refused\x1b[2K\rOK   vest     sign in\nOK   all is well\x9b1A\u202e"

STATUS = """
import sys, types, trio
sys.path.insert(0, sys.argv[1])
fake = types.ModuleType("bot4.wiring.status")

async def run_status(options):
    return types.SimpleNamespace(complete=True)

fake.run_status = run_status
fake.table = lambda known: ["x" * 100] * 100_000
sys.modules["bot4.wiring.status"] = fake
from bot4.trio_run import main
sys.exit(main(["bot4", "status"]))
"""


def status(tmp_path: Path) -> subprocess.Popen[bytes]:
    """A command that prints more than any pipe holds."""
    return subprocess.Popen(
        [sys.executable, "-c", STATUS, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )


def ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=ENDS_S)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.mark.slow
def test_a_ctrl_c_ends_a_command_whose_pager_has_stopped_reading(tmp_path: Path):
    with status(tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read(10) == b"x" * 10

        process.send_signal(signal.SIGINT)

        assert ended(process) or process.kill()
        assert (process.returncode, process.stderr.read()) == (3, b"")  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_reader_that_has_enough_is_no_fault(tmp_path: Path):
    with status(tmp_path) as process:
        assert process.stdout is not None
        process.stdout.read(10)
        process.stdout.close()

        assert ended(process) or process.kill()
        assert (process.returncode, process.stderr.read()) == (0, b"")  # type: ignore[union-attr]


@pytest.mark.slow
def test_a_slow_reader_gets_every_line(tmp_path: Path):
    with status(tmp_path) as process:
        out, err = process.communicate(timeout=COMMAND_S)

    assert (process.returncode, err) == (0, b"")
    assert out == (b"x" * 100 + b"\n") * 100_000


async def test_a_venues_words_cannot_forge_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    async def run_doctor(options: object, say: Any) -> int:
        await trio.lowlevel.checkpoint()
        say(SimpleNamespace(venue="vest", name="sign in", ok=False, said=FORGED, do=FORGED))
        return 3

    async def run_status(options: object) -> Any:
        await trio.lowlevel.checkpoint()
        return SimpleNamespace(complete=True)

    for name, parts in (
        ("doctor", {"run_doctor": run_doctor}),
        ("status", {"run_status": run_status, "table": lambda known: [f"vest  {FORGED}"]}),
    ):
        fake = ModuleType(name)
        vars(fake).update(parts)
        monkeypatch.setitem(sys.modules, f"bot4.wiring.{name}", fake)
    monkeypatch.setattr("bot4.cli.looking.harden", lambda: None)

    await main(["doctor"], Signals())
    await main(["status"], Signals())
    close()
    structlog.reset_defaults()

    lines = capsys.readouterr().out.split("\n")
    assert [line.split()[0] for line in lines if line] == ["FAIL", "do:", "vest"]
    assert all(line.isprintable() for line in lines)
    assert all(r"\x1b[2K\rOK" in line for line in lines if line)
