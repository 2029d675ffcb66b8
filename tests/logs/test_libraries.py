from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot4.logs.setup import install_hooks

OpenLog = Callable[..., Any]

log = structlog.get_logger()


def test_libraries_are_capped_and_routed(open_log: OpenLog):
    lines = open_log()

    logging.getLogger("httpx").info("GET https://x/?listenKey=abc")
    logging.getLogger("trio-websocket").debug("frame")
    logging.getLogger("httpcore").warning("odd %s", "thing")
    broken = logging.LogRecord("else", logging.ERROR, "", 0, "broken %d", ("format",), None)
    for handler in logging.root.handlers:
        if handler.__module__ == "bot4.logs.setup":
            handler.handle(broken)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old call", DeprecationWarning, stacklevel=1)

    assert [(line["level"], line["library"]) for line in lines.lines()] == [
        ("warning", "httpcore"),
        ("error", "else"),
        ("warning", "py.warnings"),
    ]
    assert lines.lines()[0]["message"] == "[httpcore] odd thing"
    assert lines.lines()[1]["why"] == "a message that cannot be shown"


def test_configuring_twice_says_a_librarys_warning_once(open_log: OpenLog):
    open_log()
    lines = open_log()

    logging.getLogger("else").warning("once")

    assert len(lines.lines()) == 1


def test_errors_nobody_can_catch_become_lines(
    open_log: OpenLog, capsys: pytest.CaptureFixture[str]
):
    lines = open_log()
    install_hooks()

    class Bad:
        def __del__(self) -> None:
            raise RuntimeError("in the finaliser")

    Bad()
    gc.collect()
    thread = threading.Thread(target=lambda: 1 / 0, name="t1")
    thread.start()
    thread.join()

    assert [line["why"] for line in lines.lines()] == [
        "RuntimeError: in the finaliser",
        "ZeroDivisionError: division by zero",
    ]
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path):
    code = (
        "import sys, structlog\n"
        "from bot4.logs.setup import configure, close\n"
        "configure(mode='json', stream=sys.stdout)\n"
        "log = structlog.get_logger()\n"
        "sys.stdin.readline()\n"
        "for n in range(100): log.info('feed.ready', n=n, text='x' * 2000)\n"
        "close()\n"
        "print('survived', file=sys.stderr)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.close()
        child.stdin.write("\n")
        child.stdin.close()
        assert child.stderr
        assert child.stderr.read() == "survived\n"
