"""The first moments of a process: what was held back, what is kept out, and where it cannot run."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from timeouts import COMMAND_S

from bot4.isolation import clean, python
from bot4.signals import OWNED

TRIO_RUN = [str(Path(sys.executable).parent / "trio-run")]
MODULE = [sys.executable, "-m", "bot4.trio_run"]
LAUNCHED = python("bot4.trio_run")
APP = """
import json, os, sys

async def main(argv, signals):
    import attrs, decimal, structlog, trio, yaml
    if "wait" in argv:
        await signals.wait_first()
    print(json.dumps({
        "argv": argv,
        "signals": signals.names,
        "told": [name for name in os.environ if name.startswith("PYTHON")],
        "pid": os.getpid(),
    }))
    return 0
"""
TRAP = "import os\nos.write(2, f'{__name__} is foreign'.encode())\nos._exit(99)\n"
FOREIGN = ("yaml.py", "attrs/__init__.py", "structlog.py", "trio.py", "decimal.py", "startup.py")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder that holds an app."""
    package = tmp_path / "here" / "someapp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text(APP)
    return package.parent


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of modules that end the process which imports them."""
    return lay_traps(tmp_path / "hostile")


def lay_traps(folder: Path) -> Path:
    for name in FOREIGN:
        trap = folder / name
        trap.parent.mkdir(parents=True, exist_ok=True)
        trap.write_text(TRAP)
    return folder


@pytest.fixture
def terminal() -> Iterator[int]:
    person, ours = os.openpty()
    yield ours
    os.close(person)
    os.close(ours)


def held(*numbers: signal.Signals, terminal: int = -1) -> Callable[[], None]:
    """Block as a launcher does, at a terminal if given; these arrive before Python starts."""

    def hold() -> None:
        if terminal >= 0:
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
        signal.pthread_sigmask(signal.SIG_BLOCK, OWNED)
        for number in numbers:
            os.kill(os.getpid(), number)

    return hold


def play(
    command: Sequence[str],
    *,
    folder: Path,
    before: Callable[[], None] | None = None,
    **told: str,
) -> tuple[int, str, str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env={n: v for n, v in os.environ.items() if not n.startswith("PYTHON")} | told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
        preexec_fn=before,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("door", [TRIO_RUN, MODULE, LAUNCHED], ids=["trio-run", "-m", "launcher"])
def test_what_arrived_before_python_started_is_obeyed(here: Path, door: list[str]):
    number = signal.SIGINT
    code, out, err = play([*door, "someapp", "wait"], folder=here, before=held(number))

    assert (code, json.loads(out)["signals"], err) == (0, ["SIGINT"], "")


@pytest.mark.parametrize("number", OWNED)
def test_a_wish_to_stop_outlives_the_new_start(
    here: Path, hostile: Path, terminal: int, number: signal.Signals
):
    before = held(number, terminal=terminal)
    code, out, err = play(
        [*TRIO_RUN, "someapp", "wait"], folder=here, before=before, PYTHONPATH=str(hostile)
    )

    assert (code, json.loads(out)["signals"], err) == (0, [number.name], "")


@pytest.mark.parametrize("door", [TRIO_RUN, MODULE], ids=["trio-run", "-m"])
@pytest.mark.parametrize("in_the_folder", [False, True], ids=["path", "path and folder"])
@pytest.mark.ordinary("path-trio-run", "path and folder--m")
def test_no_foreign_code_runs(here: Path, hostile: Path, door: list[str], in_the_folder: bool):
    if in_the_folder:
        lay_traps(here)

    code, out, err = play(
        [*door, "someapp", "a b", "--c"],
        folder=here,
        PYTHONPATH=f"{hostile}:.",
        PYTHONSTARTUP=str(hostile / "startup.py"),
        PYTHONINSPECT="1",
        PYTHONUSERBASE=str(hostile),
        PYTHONBREAKPOINT="startup.x",
        PYTHONWARNINGS="error",
        PYTHONUTF8="1",
    )

    assert (code, err) == (0, "")
    said = json.loads(out)
    assert (said["argv"], said["told"]) == (["a b", "--c"], ["PYTHONUTF8"])


@pytest.mark.parametrize("door", [TRIO_RUN, MODULE], ids=["trio-run", "-m"])
def test_the_folder_one_stands_in_hides_nothing(here: Path, door: list[str]):
    lay_traps(here)

    code, _, err = play([*door, "someapp"], folder=here)

    assert (code, err) == (0, "")


def test_the_process_stays_the_same(here: Path, hostile: Path):
    child = subprocess.Popen(
        [*TRIO_RUN, "someapp"],
        cwd=here,
        env=clean(os.environ) | {"PYTHONPATH": str(hostile)},
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = child.communicate(timeout=COMMAND_S)

    assert json.loads(out)["pid"] == child.pid


@pytest.mark.parametrize("words", [["-m", "bot4"], ["-m", "bot4.trio_run", "bot4"]])
def test_the_bot_by_its_module(root: Path, tmp_path: Path, words: list[str]):
    code, out, err = play(
        [sys.executable, *words, "version"], folder=tmp_path, PYTHONPATH=str(tmp_path)
    )

    assert (code, out.split()[0], err) == (0, "bot4", "")


WINDOWS = """
import importlib.abc, os, runpy, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "pwd", "grp", "termios", "resource", "trio"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in ("fcntl", "pwd", "grp", "termios", "resource"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
import signal
import bot4  # found while paths are still those of this machine
del signal.pthread_sigmask, signal.SIGHUP
sys.platform, os.name = "win32", "nt"
module = sys.argv.pop(1)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("words", [["bot4"], ["bot4.trio_run", "bot4", "flatten"]])
def test_windows_itself_is_refused_in_one_sentence(tmp_path: Path, words: list[str]):
    code, out, err = play([sys.executable, "-c", WINDOWS, *words], folder=tmp_path)

    assert (code, out, err.count("\n")) == (4, "", 1)
    assert r"WSL2 on Windows: start scripts\run.cmd" in err
