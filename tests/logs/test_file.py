from __future__ import annotations

import gzip
import io
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from timeouts import COMMAND_S

from bot4.logs import sink
from bot4.logs.setup import close, configure
from tests.hung_disk import Disk, under

OpenLog = Callable[..., Any]

log = structlog.get_logger()

DAY_MS = 86_400_000
MONDAY_MS = 1_795_564_800_000
"""A midnight, UTC."""

OTHER = """
import sys, structlog
from pathlib import Path
from bot4.logs.setup import close, configure
configure(mode="json", stream=sys.stderr, file=Path(sys.argv[1]))
log = structlog.get_logger()
log.info("bot.started", message="the bot that runs")
print("started", flush=True)
sys.stdin.readline()
log.info("bot.ended", message="the bot that ran")
close()
"""


def written() -> None:
    """Wait until every line that was logged is in its file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sink, "DRAIN_LIMIT_S", COMMAND_S)
        sink.drain()


def parsed(path: Path) -> list[dict[str, Any]]:
    """Every line of a log file; one that does not parse fails the test here."""
    written()
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            pytest.fail(f"does not parse: {line}")
    return found


def messages(path: Path) -> list[str]:
    return [line["message"] for line in parsed(path)]


def settled() -> None:
    """Wait for the threads that compress."""
    for thread in threading.enumerate():
        if thread.name == "archive":
            thread.join(timeout=COMMAND_S)
            assert not thread.is_alive()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bot4.log"


@contextmanager
def a_disk_that_is_full_at(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def other_bot(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that writes its log there."""
    with subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        yield process


def test_on_a_full_disk_every_line_that_stands_there_is_whole(path: Path):
    configure(mode="json", stream=io.StringIO(), file=path)
    log.info("feed.ready", message="first")
    written()

    with a_disk_that_is_full_at(path.stat().st_size + 50):
        log.info("feed.ready", message="second")
        on_the_full_disk = messages(path)
    log.info("feed.ready", message="third")
    written()
    log.info("feed.ready", message="fourth")
    close()

    assert on_the_full_disk == ["first"]
    notice = "[LOG] 1 lines could not be written here"
    assert messages(path) == ["first", "third", "fourth", notice]


def test_a_line_that_a_power_cut_tore_does_not_swallow_the_next(path: Path):
    path.write_text('{"message": "whole"}\n{"mess')

    configure(mode="json", stream=io.StringIO(), file=path)
    log.info("feed.ready", message="after")
    close()

    torn, after = path.read_text().splitlines()[1:]
    assert torn == '{"mess'
    assert json.loads(after)["message"] == "after"


def test_a_day_that_is_over_gets_a_file_of_its_own_compressed(path: Path):
    now_ms = MONDAY_MS
    configure(mode="json", stream=io.StringIO(), file=path, now_ms=lambda: now_ms)
    log.info("feed.ready", message="monday")
    written()
    now_ms += DAY_MS - 1
    log.info("feed.ready", message="monday still")
    written()
    now_ms += 1
    log.info("feed.ready", message="tuesday")
    written()
    now_ms -= 1
    log.info("feed.ready", message="the clock was set back")
    close()
    settled()

    turned_over = list(path.parent.glob("bot4.log.*"))
    assert len(turned_over) == 1
    monday = turned_over[0]
    assert monday.name.startswith("bot4.log.20261126-000000")
    assert monday.suffix == ".gz"
    assert messages(monday) == ["monday", "monday still"]
    assert messages(path) == ["tuesday", "the clock was set back"]
    assert {one.stat().st_mode & 0o777 for one in path.parent.iterdir()} == {0o600}


def test_a_log_of_yesterday_turns_over_at_the_next_start(path: Path):
    path.write_text('{"message": "yesterday"}\n')
    os.utime(path, (MONDAY_MS / 1000 - 60, MONDAY_MS / 1000 - 60))

    configure(mode="json", stream=io.StringIO(), file=path, now_ms=lambda: MONDAY_MS)
    log.info("feed.ready", message="today")
    close()
    settled()

    assert messages(path) == ["today"]
    assert [messages(one) for one in path.parent.glob("*.gz")] == [["yesterday"]]


def test_what_an_end_in_the_middle_of_compressing_left_is_taken_up(path: Path):
    left = path.with_name("bot4.log.20261125-000000-000")
    left.write_text('{"message": "left"}\n')
    left.with_name(f"{left.name}.gz.part").write_bytes(b"\x1f\x8b")

    configure(mode="json", stream=io.StringIO(), file=path)
    close()
    settled()

    assert [one.name for one in path.parent.glob("bot4.log.*")] == [f"{left.name}.gz"]
    assert messages(left.with_name(f"{left.name}.gz")) == ["left"]


def test_the_log_goes_on_in_the_file_that_logrotate_made(path: Path):
    configure(mode="json", stream=io.StringIO(), file=path)
    log.info("feed.ready", message="before")
    written()
    path.rename(path.with_name("bot4.log.1"))
    path.touch()
    log.info("feed.ready", message="after")
    written()
    path.unlink()
    log.info("feed.ready", message="removed")
    close()

    assert messages(path.with_name("bot4.log.1")) == ["before"]
    assert messages(path) == ["removed"]


def test_what_logrotate_put_there_is_still_an_ordinary_file_of_ours_alone(path: Path):
    configure(mode="json", stream=io.StringIO(), file=path)
    log.info("feed.ready", message="before")
    written()
    aside = path.rename(path.with_name("bot4.log.1"))
    path.symlink_to(path.with_name("elsewhere"))
    log.info("feed.ready", message="not through a link")
    written()
    path.unlink()
    path.touch(mode=0o644)
    log.info("feed.ready", message="here again")
    close()

    assert messages(aside) == ["before", "not through a link"]
    assert messages(path) == ["here again"]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.slow
def test_nothing_gets_into_the_log_of_a_bot_that_runs(path: Path):
    with other_bot(path) as other:
        configure(mode="json", stream=io.StringIO(), file=path)
        log.error("start.refused", message="a second start", why="another bot runs", do="stop it")
        close()
        other.communicate("\n", timeout=COMMAND_S)

    assert messages(path) == ["the bot that runs", "the bot that ran"]


@pytest.mark.slow
def test_what_was_said_beside_a_bot_is_in_the_log_once_that_one_has_ended(path: Path):
    with other_bot(path) as other:
        configure(mode="json", stream=io.StringIO(), file=path)
        log.info("flatten.planned", message="asked it to stop")
        written()
        other.communicate("\n", timeout=COMMAND_S)
        log.info("flatten.done", message="flat")
        close()

    assert messages(path) == ["the bot that runs", "the bot that ran", "asked it to stop", "flat"]


@pytest.mark.slow
def test_two_that_share_a_log_file_by_mistake_are_told(path: Path):
    screen, now_ms = io.StringIO(), MONDAY_MS
    with other_bot(path) as other:
        configure(mode="json", stream=screen, file=path, now_ms=lambda: now_ms)
        for _ in range(4):
            log.info("feed.ready", message="unfiled")
            written()
            now_ms += 20_000
        close()
        other.communicate("\n", timeout=COMMAND_S)

    warned = [json.loads(line) for line in screen.getvalue().splitlines() if "warning" in line]
    assert [line["event"] for line in warned] == ["log.dropped"]
    assert "another process" in warned[0]["message"]
    assert "--log-file" in warned[0]["do"]


@pytest.fixture
def disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The disk of the log file, which answers until it is told not to."""
    with under(path, monkeypatch) as disk:
        yield disk


def test_a_disk_that_does_not_answer_keeps_nobody_and_what_is_missing_is_told(
    path: Path, disk: Disk
):
    screen, now_ms = io.StringIO(), MONDAY_MS
    configure(mode="json", stream=screen, file=path, now_ms=lambda: now_ms)
    log.info("feed.ready", message="before")
    written()

    disk.answers.clear()
    for number in range(1_200):
        log.error("loop.stalled", message=f"{number:04} " + "x" * 1_000, why="w", do="d")
        now_ms += 10
    assert disk.kept_the_loop == 0
    shown = [json.loads(line) for line in screen.getvalue().splitlines()]
    assert sum(line["event"] == "loop.stalled" for line in shown) == 1_200
    (told,) = [line for line in shown if line["event"] == "log.dropped"]
    assert "does not answer" in told["message"]
    assert told["do"]

    disk.answers.set()
    written()
    log.info("feed.ready", message="after")
    close()

    first, *kept, after, notice = messages(path)
    assert [first, after] == ["before", "after"]
    assert [one[:4] for one in kept] == [f"{n:04}" for n in range(len(kept))]
    assert 0 < len(kept) < 1_200
    assert notice == f"[LOG] {1_200 - len(kept)} lines could not be written here"


def test_an_end_waits_for_such_a_disk_a_moment_only_and_says_what_is_missing(
    path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("bot4.logs.file.CLOSE_LIMIT_S", 0.001, raising=False)
    screen = io.StringIO()
    configure(mode="json", stream=screen, file=path)
    disk.answers.clear()
    for message in ("one", "two"):
        log.info("feed.ready", message=message)
    close()

    assert disk.kept_the_loop == 0
    last = json.loads(screen.getvalue().splitlines()[-1])
    assert last["message"] == "[LOG] 2 lines are not in the log file"
    assert last["do"]
