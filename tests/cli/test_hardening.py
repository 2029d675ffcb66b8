"""What a crash leaves behind: nothing of the memory that held a key. And whose files are ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from timeouts import COMMAND_S

PAIRS = "pairs: [{name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}]\n"

COMMAND = """
import ctypes, os, sys, trio, types
from bot4.cli import main
from bot4.signals import Signals

async def work(*args):
    print("dumpable", ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), file=sys.stderr)
    return types.SimpleNamespace(complete=True)

async def run(*args):
    await work()
    return 0

for name in ("run", "flatten", "guard"):
    fake = types.ModuleType(name)
    setattr(fake, "run" if name == "run" else f"run_{name}", run)
    sys.modules[f"bot4.wiring.{name}"] = fake
fake = types.ModuleType("status")
fake.run_status, fake.table = work, lambda known: []
sys.modules["bot4.wiring.status"] = fake
if not os.geteuid() == 0:
    os.geteuid = lambda: 0 if "--as-root" in sys.argv else os.getuid()
words = [word for word in sys.argv[1:] if word != "--as-root"]
sys.exit(trio.run(main, words, Signals()))
"""


def play(folder: Path, *words: str, **told: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command whose work is a word on standard error: code, log lines, that word."""
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words],
        cwd=folder,
        env=os.environ | told,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bot4.yaml").write_text(f"mode: testnet\n{PAIRS}")
    return tmp_path


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such switch")
@pytest.mark.parametrize("words", [["run"], ["flatten", "--yes"], ["guard"], ["status"]])
def test_no_program_that_collects_cores_gets_the_memory_of_keys(folder: Path, words: list[str]):
    code, _, said = play(folder, *words)

    assert (code, said.splitlines()[-1]) == (0, "dumpable 0")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_other_authorities_than_the_systems_are_told(folder: Path, name: str):
    code, lines, _ = play(folder, "run", **{name: "/somebody/cert.pem"})

    told = [line for line in lines if "cert.pem" in line["message"]]
    assert [(line["event"], line["level"]) for line in told] == [("config.questioned", "warning")]
    assert code == 0
    assert f"{name}=/somebody/cert.pem" in told[0]["why"]
    assert "unset" in told[0]["do"]


@pytest.fixture
def foreign(folder: Path) -> Path:
    """A state folder of another user's than the one that root is."""
    state = folder / "state" / "testnet"
    state.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(state, 12345, 12345)
    return state


@pytest.mark.slow
def test_root_does_not_start_in_the_state_folder_of_another_user(folder: Path, foreign: Path):
    code, lines, said = play(folder, "run", "--as-root")

    assert (code, said) == (4, "")
    assert lines[-1]["event"] == "start.refused"
    assert str(foreign.stat().st_uid) in lines[-1]["why"]
    assert lines[-1]["do"]
    assert list(foreign.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("words", [["flatten", "--yes"], ["guard"]])
def test_root_ends_an_emergency_in_any_folder(folder: Path, foreign: Path, words: list[str]):
    code, _, said = play(folder, *words, "--as-root")

    assert code == 0
    assert "dumpable" in said


ASKED = """
import resource
# As much as the system lets us: then it is the bot, and not the machine, that says no.
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from bot4.cli.hardening import harden
harden()
print(resource.getrlimit(resource.RLIMIT_CORE), oct(__import__("os").umask(0)))
"""


def test_no_core_file_can_be_written_and_new_files_are_ours_alone():
    done = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)

    assert done.stdout.split("\n")[0] == "(0, 0) 0o77"
