from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
from timeouts import COMMAND_S, ENDS_S, NEXT_WISH_S

from bot4.cli.endings import exit_code
from bot4.errors import (
    AuthRefused,
    ConfigError,
    ExitCode,
    ExposureLeft,
    JournalFault,
    StartRefused,
)
from bot4.logs.redact import REDACTOR, register_secret

APP = """
import os, sys, time
import trio

def say(text):
    print(text, flush=True)

if "slow-import" in sys.argv:
    say("importing")
    sys.stdin.readline()

async def main(argv, signals):
    how = argv[0] if argv else "plain"
    say("running")
    if how == "code":
        return int(argv[1])
    if how == "crash":
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail, "one\\nline")
            nursery.start_soon(fail, "two")
    if how == "exit":
        sys.exit(int(argv[1]))
    if how == "panic":
        raise BaseException("a panic")
    if how == "deaf":
        await trio.sleep_forever()
    if how == "busy":
        while True:
            time.sleep(0.01)
    await signals.wait_first()
    say("first " + signals.names[0])
    if how == "stubborn":
        await signals.wait_second()
        say("second")
        return 70
    return 0

async def fail(text):
    raise ValueError(text)
"""

AT_A_TERMINAL = (
    "import fcntl, os, pty, termios; os.setsid(); "
    "fcntl.ioctl(pty.openpty()[1], termios.TIOCSCTTY, 0)\n"
)
AS_A_SERVICE = "import os; os.setsid()\n"

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``trio-run someapp ARGS`` as a real process in a folder that holds the app."""
    package = tmp_path / "someapp"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text(APP)
    with ExitStack() as stack:

        def start_it(
            *argv: str,
            app: str = "someapp",
            before: str = "",
            session: str = AT_A_TERMINAL,
            stderr: int = subprocess.PIPE,
        ) -> subprocess.Popen[str]:
            command = "from bot4.trio_run import main; import sys; sys.exit(main(sys.argv[1:]))"
            child = subprocess.Popen(
                [sys.executable, "-c", session + before + command, app, *argv],
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            )
            stack.enter_context(child)
            stack.callback(child.kill)
            return child

        yield start_it


def line(child: subprocess.Popen[str]) -> str:
    assert child.stdout
    return child.stdout.readline().strip()


def end(child: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = child.communicate(timeout=COMMAND_S)
    return child.returncode, out, err


def test_the_main_of_the_app_gives_the_exit_code(start: Start):
    assert end(start("code", "3")) == (3, "running\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_is_the_apps_to_obey(start: Start, number: signal.Signals):
    child = start()
    assert line(child) == "running"

    child.send_signal(number)

    assert end(child) == (0, f"first {number.name}\n", "")


def test_a_hangup_asks_nothing_of_a_process_without_a_terminal(start: Start):
    child = start("stubborn", session=AS_A_SERVICE)
    assert line(child) == "running"

    # Blocked meanwhile, both are taken at once, SIGHUP first: it has the lower number.
    for number in (signal.SIGSTOP, signal.SIGHUP, signal.SIGTERM, signal.SIGCONT):
        child.send_signal(number)

    assert line(child) == "first SIGTERM"


def test_a_signal_while_the_app_is_imported_is_not_lost(start: Start):
    child = start("slow-import")
    assert line(child) == "importing"

    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)

    assert end(child) == (0, "running\nfirst SIGINT\n", "")


def test_doubled_signals_are_one_and_a_later_one_hurries(start: Start):
    child = start("stubborn")
    assert line(child) == "running"
    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGINT)
    assert line(child) == "first SIGINT"
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(NEXT_WISH_S)

    child.send_signal(signal.SIGTERM)

    assert end(child) == (70, "second\n", "")


QUICK = "import bot4.signals; bot4.signals.REPEAT_S = 0.0\n"


def test_an_app_deaf_to_the_second_signal_is_cancelled(start: Start):
    early = QUICK + "import bot4.trio_run; bot4.trio_run.SECOND_LIMIT_S = 0.05\n"
    child = start("deaf", before=early)
    assert line(child) == "running"

    child.send_signal(signal.SIGINT)
    child.send_signal(signal.SIGTERM)

    assert end(child) == (70, "", "")


@pytest.mark.parametrize("how", ["deaf", "busy", "stubborn"])
def test_the_third_signal_ends_the_process_at_once(start: Start, how: str):
    child = start(how, before=QUICK)
    assert line(child) == "running"

    # Three different ones: equal ones could be merged by the kernel. They come together, or the
    # app might obey the second one while we are kept from sending the third.
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT):
        child.send_signal(number)

    code, _, err = end(child)
    assert (code, err) == (130, "")


def test_the_third_signal_works_while_the_app_is_imported(start: Start):
    child = start("slow-import", before=QUICK)
    assert line(child) == "importing"

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        child.send_signal(number)

    assert end(child) == (130, "", "")


def test_a_signal_after_the_loop_has_ended_changes_nothing(start: Start):
    before = (
        "import atexit, os, signal, sys\n"
        "from bot4.trio_run import SIGNALS\n"
        "@atexit.register\n"
        "def late(): os.kill(os.getpid(), signal.SIGINT); print('late', SIGNALS.count)\n"
        "class Last:\n"
        "    def __del__(self): os.kill(os.getpid(), signal.SIGTERM)\n"
        "last = Last()\n"
    )

    assert end(start("code", "0", before=before)) == (0, "running\nlate 1\n", "")


def test_an_error_that_nobody_reads_does_not_hold_up_the_end(start: Start):
    out, into = os.pipe()
    os.set_blocking(into, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(into, b"." * 4096):
            pass
    os.set_blocking(into, True)

    child = start("crash", stderr=into)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=ENDS_S)

    assert child.poll() == 1
    os.close(out)
    os.close(into)


def test_errors_are_one_line_each_and_no_stack_is_shown(start: Start):
    code, out, err = end(start("crash"))

    assert (code, out) == (1, "running\n")
    assert sorted(err.splitlines()) == ["[FATAL] ValueError: one line", "[FATAL] ValueError: two"]


def test_an_exit_and_a_panic_keep_their_codes(start: Start):
    exits, panics = start("exit", "5"), start("panic")

    assert end(exits) == (5, "running\n", "")
    assert end(panics) == (1, "running\n", "[FATAL] BaseException: a panic\n")


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("nothing", "there is no application named 'nothing'"),
        ("../x", "there is no application named '../x'"),
        ("some.app", "there is no application named 'some.app'"),
        ("someapp.cli", "'someapp.cli' is not an application"),
        ("json", "'json' is not an application"),
    ],
)
def test_what_is_no_application_is_one_line(start: Start, app: str, said: str):
    code, out, err = end(start(app=app))

    assert (code, out) == (64, "")
    assert err.startswith(f"trio-run: {said}")
    assert err.count("\n") == 1


def test_an_app_that_cannot_be_imported_says_what_is_missing(start: Start, tmp_path: Path):
    (tmp_path / "someapp" / "cli.py").write_text("import not_installed\n")

    code, _, err = end(start())

    assert code == 1
    assert err == "[FATAL] ModuleNotFoundError: No module named 'not_installed'\n"


def test_a_reader_that_went_away_does_not_change_the_code(start: Start):
    child = start("plain")
    assert line(child) == "running"
    assert child.stdout
    child.stdout.close()

    child.send_signal(signal.SIGINT)

    # The app's own print failed, and is not followed by a second fault.
    assert child.wait(COMMAND_S) == 1
    assert child.stderr
    assert child.stderr.read().count("\n") == 1


def test_usage_is_said_without_an_app(trio_run: ModuleType, capsys: pytest.CaptureFixture[str]):
    assert trio_run.main([]) == 64
    assert "usage: trio-run APP" in capsys.readouterr().err
    assert trio_run.main(["--help"]) == 0
    assert "usage: trio-run APP" in capsys.readouterr().out


ERRORS = [
    (ExposureLeft("x"), ExitCode.LEFT_OPEN),
    (StartRefused("x", "y"), ExitCode.REFUSED),
    (JournalFault("x"), ExitCode.REFUSED),
    (ConfigError(["x"]), ExitCode.CONFIG),
    (AuthRefused("vest", "x"), ExitCode.CONFIG),
    (ValueError("x"), ExitCode.CRASHED),
    (KeyboardInterrupt(), ExitCode.CRASHED),
    (SystemExit(7), 7),
    (SystemExit("text"), 1),
    (SystemExit(None), 0),
    (ExceptionGroup("g", [ConfigError(["x"]), ValueError("x")]), ExitCode.CRASHED),
    (ExceptionGroup("g", [ValueError("x"), ExposureLeft("x")]), ExitCode.LEFT_OPEN),
    (ExceptionGroup("g", [ConfigError(["x"]), StartRefused("x", "y")]), ExitCode.REFUSED),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_the_loudest_error_names_the_exit_code(error: BaseException, code: int):
    assert exit_code(error) == code


def test_fatal_lines_hold_no_secret_and_no_control_character(trio_run: ModuleType):
    register_secret("a-secret-of-the-test")
    errors = [
        ValueError("x\x1b[2J a-secret-of-the-test \n" + "y" * 1000),
        ConfigError(["one", "two"]),
        SystemExit(1),
    ]

    lines = list(trio_run.flat_lines(BaseExceptionGroup("g", errors)))
    REDACTOR.clear()

    assert lines[1:] == ["[FATAL] ConfigError: one", "[FATAL] ConfigError: two"]
    assert lines[0].startswith("[FATAL] ValueError: x [2J <secret>")
    assert lines[0].isprintable()
    assert len(lines[0]) < 600
