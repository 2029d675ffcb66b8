"""Fixtures every test may ask for."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

# The machine may be loaded: a slow example is no failure. A test that wants more examples than
# usual asks for a multiple of the profile's, so that `scripts/test --fast` draws fewer everywhere.
settings.register_profile("bot4", deadline=None, max_examples=100)
settings.register_profile("fast", settings.get_profile("bot4"), max_examples=10)
settings.load_profile("bot4")

# What a shell ignores for us (nohup, &), every bot that a test starts would ignore too. A handler
# that does nothing leaves us deaf as before, and is not handed on.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, lambda *_: None)


TOGETHER = ("tests/supabase/", "tests/scripts/test_setup.py::")
"""What one worker has all of: a database, or a whole set-up, costs each that has any."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Group tests by where they stand: xdist's own groups do not reach a pytest of 9.1 or later."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((one for one in TOGETHER if nodeid.startswith(one)), nodeid)

    return Together(config, log)


# Collecting makes thousands of things that all stay: looking through them again and again for
# garbage was an eighth of its work, in every worker.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, among what the tests make and not among the tests."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Whatever a test did with the log ends with it: the next one may read what is printed."""
    yield
    structlog.reset_defaults()
