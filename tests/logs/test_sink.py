from __future__ import annotations

import errno
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from timeouts import COMMAND_S, ENDS_S

from bot4.logs import sink as module
from bot4.logs.sink import Sink

LINE = b"x" * 15_999 + b"\n"

FLOOD = """
import sys, structlog
from bot4.logs.setup import close, configure
sys.stdin.readline()
configure(mode="pretty", stream=sys.stdout)
log = structlog.get_logger()
for number in range(20_000):
    log.info("feed.ready", message=f"line {number:05} " + "x" * 100)
print("all are logged", file=sys.stderr, flush=True)
sys.stdin.readline()
log.info("feed.ready", message="after the gap")
close()
print("closed", file=sys.stderr, flush=True)
"""


def emptied(out: int, until: bytes) -> bytes:
    """Read a pipe or terminal until its last words."""
    seen = b""
    while not seen.endswith(until):
        seen += read(out)
    return seen


def read(out: int) -> bytes:
    ready, _, _ = select.select([out], [], [], ENDS_S)
    assert ready, "nothing comes"
    return os.read(out, 65_536)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """A terminal: the end a person has, and ours."""
    person, ours = pty.openpty()
    yield person, ours
    os.close(person)
    os.close(ours)


@pytest.fixture
def flood(terminal: tuple[int, int]) -> Iterator[subprocess.Popen[str]]:
    """A process that logs more than any terminal takes, once it is told to."""
    with subprocess.Popen(
        [sys.executable, "-c", FLOOD],
        stdin=subprocess.PIPE,
        stdout=terminal[1],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line that it prints, or nothing when it does not come."""
    assert process.stderr is not None
    lines: list[str] = []
    reading = threading.Thread(target=lambda: lines.append(process.stderr.readline()), daemon=True)
    reading.start()
    reading.join(timeout=ENDS_S)
    return lines[0].strip() if lines else ""


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.slow
def test_a_terminal_that_nobody_reads_stops_neither_the_lines_nor_the_end(
    flood: subprocess.Popen[str],
):
    go_on(flood)
    assert said(flood) == "all are logged"
    go_on(flood)
    assert said(flood) == "closed"
    assert flood.wait(timeout=ENDS_S) == 0


@pytest.mark.slow
def test_a_terminal_that_is_read_again_shows_whole_lines_and_how_many_are_missing(
    terminal: tuple[int, int], flood: subprocess.Popen[str]
):
    go_on(flood)
    assert said(flood) == "all are logged"
    seen, reading = b"", terminal[0]
    # All that was kept is shown; the end of it is not announced, but the gap is long.
    while seen.count(b"\n") < 5_000:
        seen += read(reading)
    go_on(flood)
    while b"[LOG]" not in seen:
        seen += read(reading)
    while not seen.endswith(b"\n"):
        seen += read(reading)

    *kept, after, notice = seen.decode().splitlines()
    assert [line.partition("line ")[2][:5] for line in kept] == [
        f"{n:05}" for n in range(len(kept))
    ]
    assert "after the gap" in after
    assert f"{20_000 - len(kept)} lines could not be written here" in notice


@pytest.mark.slow
def test_a_terminal_we_share_with_a_shell_still_waits_for_the_shell(
    terminal: tuple[int, int], flood: subprocess.Popen[str]
):
    go_on(flood)
    assert said(flood) == "all are logged"

    assert os.get_blocking(terminal[1])


def test_a_reader_that_stopped_reading_does_not_stop_the_writer():
    out, into = os.pipe()
    sink = Sink(into)

    written = [sink.write(LINE) for _ in range(200)]

    assert written[0]
    assert not written[-1]
    assert sink.dropped > 0
    os.close(out)
    sink.close()


def test_what_was_kept_is_written_whole_and_in_order_when_the_reader_is_back():
    out, into = os.pipe()
    sink = Sink(into)
    lines = [b"%03d" % n + b"x" * 9_996 + b"\n" for n in range(20)]
    for line in lines:
        sink.write(line)

    assert emptied(out, lines[-1]) == b"".join(lines)
    sink.close()
    assert sink.dropped == 0
    os.close(out)


def test_closing_gives_a_slow_reader_a_moment_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DRAIN_LIMIT_S", 0.001)
    out, into = os.pipe()
    sink = Sink(into)
    for _ in range(10):
        sink.write(LINE)

    closing = threading.Thread(target=sink.close, daemon=True)
    closing.start()
    closing.join(timeout=COMMAND_S)

    assert not closing.is_alive()
    assert emptied(out, LINE)
    os.close(out)


def test_a_full_disk_loses_the_line_and_not_the_bot():
    sink = Sink(os.open("/dev/full", os.O_WRONLY))

    sink.write(b"line\n")
    sink.close()
    assert sink.write(b"line\n") is False
    sink.close()

    assert sink.dropped == 2


def test_a_line_that_was_begun_is_finished_before_the_next(monkeypatch: pytest.MonkeyPatch):
    out, into = os.pipe()
    sink = Sink(into)
    write, torn = os.write, iter([3, OSError(errno.ENOSPC, "full"), OSError(errno.ENOSPC, "full")])

    def refuse(number: int, data: bytes) -> int:
        step = next(torn, None) if number == into else None
        if isinstance(step, OSError):
            raise step
        return write(number, data if step is None else data[:step])

    monkeypatch.setattr(os, "write", refuse)
    for line in (b"first\n", b"lost\n", b"third\n"):
        sink.write(line)
        sink.close()

    assert emptied(out, b"third\n") == b"first\nthird\n"
    assert sink.dropped == 1
    os.close(out)


def test_a_closed_descriptor_never_raises(tmp_path: Path):
    number = os.open(tmp_path / "x", os.O_WRONLY | os.O_CREAT)
    sink = Sink(number)
    os.close(number)

    sink.write(b"line\n")
    sink.close()

    assert sink.dropped == 1
