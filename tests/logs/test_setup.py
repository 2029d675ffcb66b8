from __future__ import annotations

import io
import os
import pty
import stat
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio

from bot4.errors import ConfigError
from bot4.logs.events import EVENTS, MEANINGS
from bot4.logs.setup import close, configure, dropped_lines

OpenLog = Callable[..., Any]

log = structlog.get_logger()

SPRING_MS = 1_774_746_000_000
"""When Paris goes from 2 to 3 o'clock, 2026."""


def test_a_line_has_its_fields_in_order(open_log: OpenLog):
    lines = open_log()

    log.info("leg.sent", venue="vest", message="buy", size=Decimal("0.10"), ms=1.23456789)

    (text,) = lines.texts()
    assert text == (
        '{"ts": "2026-11-25T00:00:00.123Z", "level": "info", "event": "leg.sent", "message": "buy",'
        ' "venue": "vest", "size": "0.10", "ms": 1.234568}'
    )
    assert lines.filed() == lines.lines()


def test_without_a_message_the_meaning_of_the_event_is_said(open_log: OpenLog):
    lines = open_log()

    log.info("feed.ready")

    assert lines.lines()[0]["message"] == MEANINGS["feed.ready"]


def test_event_names_are_unique_and_explained():
    assert set(MEANINGS) == EVENTS
    assert all(text and text.isprintable() and not text.endswith(".") for text in MEANINGS.values())


def test_an_event_off_the_list_is_refused_when_strict(open_log: OpenLog):
    open_log()

    with pytest.raises(ValueError, match=r"'feed.odd' is not in bot4.logs.events"):
        log.info("feed.odd")


def test_an_event_off_the_list_is_marked_in_production(open_log: OpenLog):
    lines = open_log(strict=False)

    log.info("feed.odd", message="hm")

    assert lines.lines()[0]["unlisted"] is True


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_what_is_loud_says_why(open_log: OpenLog, level: str):
    lines = open_log()

    with pytest.raises(ValueError, match="without saying why"):
        getattr(log, level)("feed.lost", message="lost")
    getattr(log, level)("feed.lost", message="lost", why="the link broke", do="wait")

    assert [(line["level"], line["why"]) for line in lines.lines()] == [(level, "the link broke")]


def test_what_is_below_info_is_only_in_the_file(open_log: OpenLog):
    lines = open_log()

    log.debug("feed.ready")

    assert lines.texts() == []
    assert [line["level"] for line in lines.filed()] == ["debug"]


def boom(secret_local: str) -> None:
    del secret_local
    raise ExceptionGroup("two", [ValueError("first\nfault"), KeyError("second")])


def test_an_error_is_one_line_on_the_screen_and_a_trace_without_locals_in_the_file(
    open_log: OpenLog,
):
    lines = open_log()

    try:
        boom("THE-LOCAL-VALUE".lower())
    except ExceptionGroup as group:
        log.error("bot.crashed", exc_info=group)
        log.exception("bot.crashed")

    assert [line["why"] for line in lines.lines()] == [
        "ValueError: first fault; KeyError: 'second'"
    ] * 2
    assert not any("Traceback" in text or "traceback" in text for text in lines.texts())
    first, trace, _, _ = lines.filed()
    assert first == lines.lines()[0]
    assert (trace["event"], trace["level"], trace["of"]) == ("error.traced", "debug", "bot.crashed")
    assert "in boom" in trace["traceback"]
    assert "the-local-value" not in lines.everything()


def test_exc_info_outside_an_error_is_no_trouble(open_log: OpenLog):
    lines = open_log()

    log.error("bot.crashed", why="hm", exc_info=True)  # noqa: LOG014
    log.error("bot.crashed", why="hm", exc_info=(None, None, None))

    assert len(lines.lines()) == len(lines.filed()) == 2


async def test_bound_context_is_in_the_lines_of_a_task(open_log: OpenLog):
    lines = open_log()

    async def work(venue: str) -> None:
        structlog.contextvars.bind_contextvars(venue=venue)
        await trio.lowlevel.checkpoint()
        log.info("feed.ready")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(work, "vest")
        nursery.start_soon(work, "paradex")

    assert {line["venue"] for line in lines.lines()} == {"vest", "paradex"}


def test_pretty_and_json_render_the_same_event(open_log: OpenLog):
    lines = open_log(mode="pretty")

    log.warning(
        "leg.refused", message="[ORDER] no", why="no margin", size=Decimal(2), ok=True, n=None
    )

    (text,), (filed,) = lines.texts(), lines.filed()
    assert text.startswith("00:00:00.123 WARNING  [ORDER] no  why: no margin")
    assert (filed["message"], filed["why"], filed["size"]) == ("[ORDER] no", "no margin", "2")


def shown_on_a_terminal() -> str:
    main, child = pty.openpty()
    with os.fdopen(child, "w") as terminal:
        configure(mode="pretty", stream=terminal)
        log.error("feed.lost", message="gone", why="x\x1b[2Jy")
        close()
        seen = os.read(main, 4096).decode()
    os.close(main)
    return seen


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move the machine to another time zone."""

    def move(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def test_a_person_sees_the_time_of_where_they_are_and_a_program_utc(
    open_log: OpenLog, zone: Callable[[str], None]
):
    # Paris, without a database of time zones: an hour ahead, two in summer.
    zone("CET-1CEST,M3.5.0,M10.5.0/3")
    now_ms = SPRING_MS - 1000
    lines = open_log(mode="pretty", now_ms=lambda: now_ms)

    log.info("feed.ready", message="in winter")
    log.info("feed.ready", message="in winter")
    now_ms += 2000
    log.info("feed.ready", message="in summer")
    log.info("feed.ready", message="in summer")

    assert lines.texts() == [
        "01:59:59.000 INFO     in winter  (times are UTC+01:00)",
        "01:59:59.000 INFO     in winter",
        "03:00:01.000 INFO     in summer  (times are UTC+02:00)",
        "03:00:01.000 INFO     in summer",
    ]
    assert [line["ts"][11:] for line in lines.filed()[1:3]] == ["00:59:59.000Z", "01:00:01.000Z"]


@pytest.mark.parametrize(
    ("name", "value"), [("NO_COLOR", "1"), ("NO_COLOR", "anything"), ("TERM", "dumb")]
)
def test_a_terminal_without_colours_gets_none(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)

    assert "\x1b" not in shown_on_a_terminal()


def test_pretty_is_coloured_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "xterm")
    seen = shown_on_a_terminal()

    assert seen.startswith("\x1b[")
    assert "gone" in seen
    assert "\x1b[2J" not in seen
    assert r"x\x1b[2Jy" in seen


def test_the_file_is_ours_alone_and_appended_to(tmp_path: Path):
    path = tmp_path / "new" / "bot4.log"

    for _ in range(2):
        configure(mode="json", stream=io.StringIO(), file=path)
        log.info("bot.started")
    close()
    path.chmod(0o644)
    configure(mode="json", stream=io.StringIO(), file=path)

    assert len(path.read_text().splitlines()) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_file_that_cannot_be_opened_is_a_config_error(tmp_path: Path):
    link, fifo = tmp_path / "link", tmp_path / "fifo"
    link.symlink_to(tmp_path / "else")
    os.mkfifo(fifo)

    for path in (tmp_path, link, fifo, tmp_path / "a\0b", Path("/dev/null/x")):
        with pytest.raises(ConfigError, match="log file"):
            configure(mode="json", stream=io.StringIO(), file=path)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("strict", [True, False])
def test_nothing_a_caller_logs_can_raise(open_log: OpenLog, strict: bool):
    lines = open_log(strict=strict)
    endless: dict[str, Any] = {}
    endless["self"] = endless

    log.info(
        "feed.ready", a=Unprintable(), b=endless, c=float("nan"), d=10**5000, e=b"\0", f={1: {2}}
    )
    log.info("feed.ready", exc_info=Unprintable)
    log.info("feed.ready", **{"ts": 1, "level": "x", "a b": Decimal("1e999999")})

    first, second, third = lines.lines()
    assert first["a"] == "(a Unprintable that cannot be shown)"
    assert (first["c"], first["e"], first["f"]) == ("nan", "1 bytes", {"1": [2]})
    assert second["event"] == third["event"] == "feed.ready"
    assert third["level"] == "info"


def test_lines_that_cannot_be_written_are_counted_and_said_later(tmp_path: Path):
    class Full(io.StringIO):
        full = False

        def write(self, text: str) -> int:
            if self.full:
                raise OSError(28, "No space left on device")
            return super().write(text)

    stream = Full()
    configure(mode="json", stream=stream)

    log.info("bot.started")
    stream.full = True
    log.info("feed.ready")
    log.info("feed.ready")
    stream.full = False
    log.info("bot.ended")

    assert dropped_lines() == 2
    assert [
        line.split('"event": ')[1].split(",")[0] for line in stream.getvalue().splitlines()
    ] == [
        '"bot.started"',
        '"bot.ended"',
        '"log.dropped"',
    ]


def test_after_close_events_go_nowhere(open_log: OpenLog, capsys: pytest.CaptureFixture[str]):
    lines = open_log()
    close()

    log.info("feed.ready")
    log.error("feed.lost", why="x")

    assert lines.texts() == []
    assert capsys.readouterr().out == ""
