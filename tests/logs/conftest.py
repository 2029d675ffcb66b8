from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import structlog
from timeouts import COMMAND_S

from bot4.logs import sink
from bot4.logs.redact import REDACTOR
from bot4.logs.setup import close, configure

NOW_MS = 1_795_564_800_123


@attrs.define
class Log:
    """What the log wrote, on the screen and into the file."""

    screen: io.StringIO
    file: Path

    def texts(self) -> list[str]:
        return self.screen.getvalue().splitlines()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.texts()]

    def filed(self) -> list[dict[str, Any]]:
        written()
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def everything(self) -> str:
        written()
        return self.screen.getvalue() + (self.file.read_text() if self.file.exists() else "")


def written() -> None:
    """Wait until every line that was logged is in its file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sink, "DRAIN_LIMIT_S", COMMAND_S)
        sink.drain()


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave structlog, the hooks and the redactor as they were."""
    hooks = sys.unraisablehook, threading.excepthook
    yield
    close()
    structlog.reset_defaults()
    REDACTOR.clear()
    sys.unraisablehook, threading.excepthook = hooks


@pytest.fixture
def open_log(tmp_path: Path) -> Callable[..., Log]:
    def open_it(*, mode: str = "json", **more: Any) -> Log:
        log = Log(io.StringIO(), tmp_path / "logs" / "bot4.log")
        configure(
            mode=mode,
            stream=log.screen,
            file=log.file,
            **{"strict": True, "now_ms": lambda: NOW_MS} | more,
        )
        return log

    return open_it
