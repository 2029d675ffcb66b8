"""Makes one line of one event and hands it to the sinks. Nothing in here raises in production."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import attrs

from bot4.logs.events import EVENTS, MEANINGS
from bot4.logs.file import QueuedFile
from bot4.logs.plain import error_text, plain
from bot4.logs.render import json_line, pretty_line
from bot4.logs.sink import Sink, TextSink

FIRST: Final = ("ts", "level", "event", "message")
LOUD: Final = frozenset({"warning", "error", "critical"})
FRAMES_LIMIT: Final = 40
TRACE_LIMIT: Final = 12_000

HELD_LIMIT_MS: Final = 30_000
"""After so long it is said that another process keeps the log file."""
HUNG_LIMIT_MS: Final = 5_000
"""After so long without a line written it is said that the log file's disk does not answer."""

Screen = Sink | TextSink


@attrs.define
class Desk:
    """The one place where events become lines: the logger that structlog hands its events to."""

    screen: Screen
    file: QueuedFile | None
    pretty: bool
    colours: bool
    strict: bool
    now_ms: Callable[[], int]
    """Our wall clock, ms since the epoch."""
    _second: int = attrs.field(default=-1, init=False)
    _prefix: str = attrs.field(default="", init=False)
    _local: tuple[int, str, str] = attrs.field(default=(-1, "", ""), init=False)
    """A second, its local time, and how far that is from UTC."""
    _told_offset: str = attrs.field(default="", init=False)
    _told: dict[int, int] = attrs.field(factory=dict, init=False)
    _told_held: bool = attrs.field(default=False, init=False)
    _progress: tuple[int, int] = attrs.field(default=(-1, 0), init=False)
    """Lines that the file's disk has taken, and when that was seen to change, ms."""
    _told_hung: bool = attrs.field(default=False, init=False)

    def write(self, event: MutableMapping[str, Any]) -> None:
        """Make the line and write it where its level belongs.

        Raises:
            ValueError: only when strict: an event that is not on the list, or one without ``why``.
        """
        if self.strict:
            _judge(event)
        try:
            error = _error(event.pop("exc_info", None))
            if error is not None and not event.get("why"):
                event["why"] = error_text(error)
            self._write_line(event)
            if error is not None:
                self._write_trace(event, error)
        except Exception as fault:  # noqa: BLE001  a line is never worth a trade
            self._write_line(
                {
                    "event": "log.dropped",
                    "level": "warning",
                    "why": f"a line could not be made: {type(fault).__name__}",
                }
            )

    debug = info = warning = error = critical = exception = write

    def _write_line(self, event: MutableMapping[str, Any]) -> None:
        name, level = str(event.get("event", "")), str(event.get("level", "info"))
        line: dict[str, Any] = {
            "ts": self._timestamp(),
            "level": level,
            "event": plain(name),
            "message": plain(event.get("message") or MEANINGS.get(name, name)),
        }
        if name not in EVENTS:
            line["unlisted"] = True
        for key, value in event.items():
            if key not in FIRST:
                line[str(key)] = plain(value)
        as_json = json_line(line) if self.file or not self.pretty else b""
        if self.file is not None:
            self._tell_hung(self.file)
            self._put(self.file, as_json, pretty=False)
            self._tell_held(self.file)
        if level != "debug":
            text = self._pretty(line) if self.pretty else as_json
            self._put(self.screen, text, pretty=self.pretty)

    def _write_trace(self, event: MutableMapping[str, Any], error: BaseException) -> None:
        """Write where it happened, into the file only, without the value of any variable."""
        if self.file is None:
            return
        lines = traceback.TracebackException.from_exception(
            error, limit=-FRAMES_LIMIT, capture_locals=False
        ).format()
        trace = "".join(lines)[-TRACE_LIMIT:]
        told = {"event": "error.traced", "level": "debug", "of": event.get("event")}
        self._write_line({**told, "traceback": trace})

    def _put(self, sink: Screen | QueuedFile, line: bytes, *, pretty: bool) -> None:
        lost = sink.dropped - self._told.get(id(sink), 0)
        if sink.write(line) and lost > 0:
            self._told[id(sink)] = sink.dropped
            shown = sink is not self.file and self.file is not None
            notice = {
                "message": f"[LOG] {lost} lines not shown, they are in the log file"
                if shown
                else f"[LOG] {lost} lines could not be written here",
                "why": "the reader was gone or slow, or the disk was full",
                "do": "nothing" if shown else "see that the disk has room and the reader reads",
                "lines": lost,
            }
            self._notice(sink, notice, pretty=pretty)

    def _tell_held(self, file: QueuedFile) -> None:
        since_ms = file.held_since_ms
        if since_ms is None or self._told_held or self.now_ms() - since_ms < HELD_LIMIT_MS:
            return
        self._told_held = True
        notice = {
            "message": f"[LOG] {file.path.name} is another process's: lines are shown here only",
            "why": "one log file has one writer, and somebody else began first",
            "do": "end the other process, or name another file with --log-file",
        }
        self._notice(self.screen, notice, pretty=self.pretty)

    def _tell_hung(self, file: QueuedFile) -> None:
        now_ms, (handled, since_ms) = self.now_ms(), self._progress
        if not file.waiting or handled != file.handled:
            self._progress, self._told_hung = (file.handled, now_ms), False
        elif not self._told_hung and now_ms - since_ms >= HUNG_LIMIT_MS:
            self._told_hung = True
            notice = {
                "message": f"[LOG] The disk of {file.path.name} does not answer: "
                "lines wait, and are shown here",
                "why": f"a write has not ended for {HUNG_LIMIT_MS // 1000} s",
                "do": f"look at the disk that {file.path.parent} is on; the bot goes on, and tells "
                "in the file how many lines are missing",
            }
            self._notice(self.screen, notice, pretty=self.pretty)

    def close(self) -> None:
        """Write what is kept, within a moment; tell what could not be."""
        left = 0 if self.file is None else self.file.close()
        if left:
            notice = {
                "message": f"[LOG] {left} lines are not in the log file",
                "why": "its disk did not answer in time",
                "do": "look at the disk; the lines were shown here",
                "lines": left,
            }
            self._notice(self.screen, notice, pretty=self.pretty)
        self.screen.close()

    def _notice(self, sink: Screen | QueuedFile, notice: dict[str, Any], *, pretty: bool) -> None:
        line = {
            "ts": self._timestamp(),
            "level": "warning",
            "event": "log.dropped",
            **{key: plain(value) for key, value in notice.items()},
        }
        sink.write(self._pretty(line) if pretty else json_line(line))

    def _pretty(self, line: dict[str, Any]) -> bytes:
        """Return the line with the time of where we are; what that is, is said when it changes."""
        second, ms = divmod(self.now_ms(), 1000)
        if second != self._local[0]:
            local = time.localtime(second)
            zone = time.strftime("%z", local)
            clock = time.strftime("%H:%M:%S", local)
            self._local = second, clock, f"UTC{zone[:3]}:{zone[3:]}"
        _, clock, offset = self._local
        note = "" if offset == self._told_offset else f"(times are {offset})"
        self._told_offset = offset
        return pretty_line(line, colours=self.colours, time=f"{clock}.{ms:03d}", note=note)

    def _timestamp(self) -> str:
        second, ms = divmod(self.now_ms(), 1000)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._prefix}.{ms:03d}Z"


def _judge(event: MutableMapping[str, Any]) -> None:
    name, level = event.get("event"), event.get("level")
    if name not in EVENTS:
        raise ValueError(f"{name!r} is not in bot4.logs.events: add it there, with its meaning")
    if level in LOUD and not event.get("why") and not event.get("exc_info"):
        raise ValueError(f"{name} is logged as {level} without saying why")


def _error(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return _error(given[1]) if len(given) > 1 else None
    return sys.exc_info()[1] if given else None
