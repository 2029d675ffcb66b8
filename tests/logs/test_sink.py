from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot4.logs import sink as module
from bot4.logs.sink import Sink, open_file


def test_a_reader_that_stopped_reading_does_not_stop_the_writer():
    out, into = os.pipe()
    sink = Sink(into, owned=True)
    line = b"x" * 15_999 + b"\n"

    written = [sink.write(line) for _ in range(200)]

    assert written[0]
    assert not written[-1]
    assert sink.dropped > 0
    os.close(out)
    sink.close()


def test_what_was_kept_is_written_whole_and_in_order_when_the_reader_is_back():
    out, into = os.pipe()
    sink = Sink(into, owned=True)
    lines = [b"%03d" % n + b"x" * 9_996 + b"\n" for n in range(20)]
    for line in lines:
        sink.write(line)

    seen = b""
    while len(seen) < sum(map(len, lines)):
        seen += os.read(out, 65_536)
        sink.write(b"")

    assert seen == b"".join(lines)
    assert sink.dropped == 0
    os.close(out)
    sink.close()


def test_closing_gives_a_slow_reader_a_moment_and_counts_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "DRAIN_LIMIT_MS", 1)
    out, into = os.pipe()
    sink = Sink(into, owned=True)
    for _ in range(10):
        sink.write(b"x" * 15_999 + b"\n")

    sink.close()

    assert sink.dropped > 0
    os.close(out)


def test_a_full_disk_loses_the_line_and_not_the_bot():
    sink = Sink(os.open("/dev/full", os.O_WRONLY), owned=True)

    assert sink.write(b"line\n") is False
    assert sink.write(b"line\n") is False

    assert sink.dropped == 2
    sink.close()


def test_a_pipe_that_refuses_to_wait_keeps_the_line():
    out, into = os.pipe()
    os.set_blocking(into, False)
    sink = Sink(into, owned=True)
    while sink.write(b"x" * 1000):
        pass

    os.read(out, 1_000_000)

    assert sink.write(b"") is True
    assert sink.dropped == 0
    os.close(out)
    sink.close()


def test_a_closed_descriptor_never_raises(tmp_path: Path):
    sink = open_file(tmp_path / "x.log")
    sink.close()

    assert sink.write(b"line\n") is False
    sink.close()

    assert sink.dropped == 1
