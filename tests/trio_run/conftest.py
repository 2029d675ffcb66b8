from __future__ import annotations

import signal
from collections.abc import Iterator
from types import ModuleType

import pytest


@pytest.fixture
def trio_run() -> Iterator[ModuleType]:
    """Give the module, and the signals back: importing it takes them."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    from bot4 import trio_run

    yield trio_run
    for number, handler in before.items():
        signal.signal(number, handler)
