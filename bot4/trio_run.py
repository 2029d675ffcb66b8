"""``trio-run APP [ARGS]``: import APP, run its async main under Trio, own the signals throughout.

APP is a package with an async ``main(argv, signals) -> int`` in ``APP.cli`` or ``APP.__main__``.
Importing this module takes SIGINT, SIGTERM and SIGHUP: from here to the last instruction of the
process they are counted (see ``bot4.signals``), never turned into KeyboardInterrupt, never lost.
A launcher blocks them before Python starts, so that they wait until here.
Between the first and the second the app decides; a while after the second it is cancelled.
"""

from __future__ import annotations

from bot4.signals import Signals, exit_at_once

SIGNALS = Signals(on_third=exit_at_once)
SIGNALS.own()
SIGNALS.unblock()

# Only now anything slower. Registered first, so run last: until then a signal still counts.
import atexit  # noqa: E402
import contextlib  # noqa: E402
import importlib  # noqa: E402
import importlib.util  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Awaitable, Callable, Iterator, Sequence  # noqa: E402
from typing import TYPE_CHECKING, Final  # noqa: E402

from bot4.errors import ConfigError, ExitCode, leaves  # noqa: E402
from bot4.isolation import isolate  # noqa: E402

if TYPE_CHECKING:
    import trio

atexit.register(Signals.disown)

Main = Callable[[Sequence[str], Signals], Awaitable[int]]

SECOND_LIMIT_S: Final = 5.0
"""What an app gets after the second signal before it is cancelled: its cancels take 2 s."""
LINE_LIMIT: Final = 500
ON_WINDOWS: Final = (
    r"bot4 runs in WSL2 on Windows: start scripts\run.cmd in the folder of the project "
    "(before the first time: wsl --install)"
)


class UnknownApp(Exception):
    """There is nothing to run under this name."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one app from first to last and return the exit code of the process.

    Args:
        argv: the app and its words; None takes those of the process, and makes it a clean one.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if os.name == "nt":
        _say(ON_WINDOWS, error=True)
        return _leave(ExitCode.REFUSED)
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        _say(usage(), error=not arguments)
        return _leave(ExitCode.CLEAN if arguments else ExitCode.USAGE)
    try:
        if argv is None:
            isolate(arguments, SIGNALS)
        app_main = find_main(arguments[0])
        import trio

        code = trio.run(_supervise, app_main, arguments[1:])
    except UnknownApp as error:
        _say(f"trio-run: {error}", error=True)
        code = ExitCode.USAGE
    # Outside of trio.run; a panic in Rust derives from BaseException.
    except BaseException as error:  # noqa: BLE001, ASYNC103
        from bot4.cli.endings import exit_code

        code = exit_code(error)
        for line in flat_lines(error):
            _say(line, error=True)
    return _leave(code)


def usage() -> str:
    """Return what a command line looks like."""
    from bot4.invocation import command

    return (
        "usage: trio-run APP [ARGS]    runs the async main of APP under Trio\n"
        f"to trade: {command()}; {command('help')} says more"
    )


async def _supervise(app_main: Main, argv: Sequence[str]) -> int:
    import trio

    code: int = ExitCode.SECOND_SIGNAL
    with SIGNALS.listening():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_hurried, nursery.cancel_scope)
            code = int(await app_main(argv, SIGNALS))
            nursery.cancel_scope.cancel(reason="the app has ended")
    return code


async def _cancel_when_hurried(app: trio.CancelScope) -> None:
    import trio

    await SIGNALS.wait_second()
    await trio.sleep(SECOND_LIMIT_S)
    app.cancel(reason="the app did not end after the second signal")


def find_main(name: str) -> Main:
    """Import APP and return its async main.

    Raises:
        UnknownApp: no such package, or it has no main. Any other error is the app's own.
    """
    if os.getcwd() not in sys.path:  # noqa: PTH109  sys.path holds texts
        sys.path.append(os.getcwd())  # noqa: PTH109  last, so that it hides nothing
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts) or not _exists(name):
        from bot4.invocation import command

        raise UnknownApp(f"there is no application named {name!r}; try: {command()}")
    for module_name in (f"{name}.cli", f"{name}.__main__"):
        if _exists(module_name):
            found = getattr(importlib.import_module(module_name), "main", None)
            if callable(found):
                app_main: Main = found
                return app_main
    raise UnknownApp(f"{name!r} is not an application: no main in {name}.cli or {name}.__main__")


def _exists(module_name: str) -> bool:
    try:
        return importlib.util.find_spec(module_name) is not None
    except ModuleNotFoundError as error:
        # Only the absence of the thing itself: a parent that fails to import is the app's error.
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            return False
        raise


def flat_lines(error: BaseException) -> Iterator[str]:
    """Yield one line for each plain exception, without control characters or known secrets."""
    for leaf in leaves(error):
        if isinstance(leaf, SystemExit):
            continue
        texts = leaf.faults if isinstance(leaf, ConfigError) else (str(leaf),)
        for text in texts:
            line = f"[FATAL] {type(leaf).__name__}: {text}"
            # Where no redactor was ever imported, no secret was ever read.
            redact = sys.modules.get("bot4.logs.redact")
            scrubbed = redact.scrub_text(line) if redact else line
            plain = "".join(c if c.isprintable() else " " for c in scrubbed)
            yield plain if len(plain) <= LINE_LIMIT else plain[:LINE_LIMIT] + "..."


def _say(line: str, *, error: bool) -> None:
    from bot4.logs.sink import open_stream

    stream = sys.stderr if error else sys.stdout
    if stream is not None:
        # A terminal that is closed or reads no more must not change how we end, or when.
        sink = open_stream(stream)
        sink.write(line.encode(errors="backslashreplace") + b"\n")
        sink.close()


def _leave(code: int) -> int:
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            # The reader is gone. Python would try again on its way out, and exit with 120.
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
