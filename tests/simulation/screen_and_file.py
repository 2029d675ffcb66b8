"""Logging of a played bot, as a real one does it: to a screen and a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import structlog

from bot4.logs.setup import configure


def log_to(path: Path, run: Any, mode: str) -> io.StringIO:
    """Log to the file and to the screen that is returned; the run still hears every event."""
    screen = io.StringIO()
    configure(mode=mode, stream=screen, file=path)

    def hear(_logger: Any, level: str, event: dict[str, Any]) -> dict[str, Any]:
        run.events.append({"level": level, **event})
        return event

    structlog.configure(processors=[hear, *structlog.get_config()["processors"]])
    return screen
