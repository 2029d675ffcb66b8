"""Writes one event as one line: JSON for files and pipes, coloured words for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot4.logs.redact import scrub_text

LINE_LIMIT: Final = 16 * 1024
"""Bytes, newline included."""
CUTS: Final = (4000, 1000, 200, 40)

COLOURS: Final = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33;1m",
    "error": "\x1b[31;1m",
    "critical": "\x1b[41;97;1m",
}
DIM: Final = "\x1b[2m"
BOLD: Final = "\x1b[1m"
RESET: Final = "\x1b[0m"

_encode = json.JSONEncoder(check_circular=False, allow_nan=False).encode


def json_line(event: Mapping[str, Any]) -> bytes:
    """Return the event as one line of ASCII JSON, secrets taken out, at most 16 KiB."""
    line = _encode(event)
    if len(line) >= LINE_LIMIT:
        line = _fitted(event)
    clean = scrub_text(line)
    if clean is not line and clean != line and not _is_json(clean):
        # A mask fell outside a text: rather no line than a leak or a broken one.
        clean = _encode({key: event[key] for key in ("ts", "level", "event")} | _LOST)
    return clean.encode("ascii") + b"\n"


def pretty_line(
    event: Mapping[str, Any], *, colours: bool, time: str | None = None, note: str = ""
) -> bytes:
    """Return the same event for a person: time, level, message; why and what to do, if any.

    The numbers and ids are in the JSON of the same line, in the log file.

    Args:
        event: with its own time, UTC.
        colours: whether the screen has any.
        time: instead of the event's own.
        note: put behind everything else.
    """
    ts, level, message = event["ts"], event["level"], str(event["message"])
    why, advice = event.get("why"), event.get("do")
    words = [f"why: {visible(str(why))}"] if why and str(why) not in message else []
    if advice and not str(advice).startswith("nothing"):
        words.append(f"do: {visible(str(advice))}")
    if note:
        words.append(note)
    time, tag = time or ts[11:-1], f"{level.upper():<8}"
    head, tail = visible(message), "; ".join(words)
    limit = LINE_LIMIT - 256
    head = head[:limit]
    if len(head.encode()) + len(tail.encode()) > limit:
        room = max(0, limit - len(head.encode()))
        tail = tail.encode()[:room].decode("utf-8", "ignore") + "..."
    head, tail = scrub_text(head), scrub_text(tail)
    if colours:
        loud = BOLD if level != "info" else ""
        line = f"{DIM}{time}{RESET} {COLOURS[level]}{tag}{RESET} {loud}{head}{RESET}"
        line += f"  {DIM}{tail}{RESET}" if tail else ""
    else:
        line = f"{time} {tag} {head}" + (f"  {tail}" if tail else "")
    return line.encode() + b"\n"


_LOST: Final = {"message": "This line held a secret and was left out"}


def _fitted(event: Mapping[str, Any]) -> str:
    """Return the longest rendering that fits, texts cut shorter and shorter."""
    for cut in CUTS:
        line = _encode({**{key: _cut(value, cut) for key, value in event.items()}, "cut": True})
        if len(line) < LINE_LIMIT:
            return line
    kept = {key: _cut(event[key], CUTS[-1]) for key in ("ts", "level", "event", "message")}
    return _encode({**kept, "cut": True})


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= limit else f"{value[:limit]}... ({len(value)} characters)"
    if isinstance(value, list):
        return [_cut(item, limit) for item in value[:limit]]
    if isinstance(value, dict):
        return {key[:limit]: _cut(item, limit) for key, item in list(value.items())[:limit]}
    return value


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def visible(text: str) -> str:
    """Return the text with every control character, line break and direction mark escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
