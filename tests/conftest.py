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


def pytest_itemcollected(item: pytest.Item) -> None:
    """Make a proof of every cell that a test does not name in its marker ``ordinary``."""
    kept = item.get_closest_marker("ordinary")
    if kept is not None and item.callspec.id not in kept.args:  # type: ignore[attr-defined]
        item.add_marker(pytest.mark.proof)


# Before -m takes cells away: a name that is no cell would leave a kind to the proofs alone.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a cell in a marker ``ordinary`` that the test does not have."""
    if any("::" in argument for argument in config.args):
        return  # A cell asked for by name comes without its others.
    named: dict[str, set[str]] = {}
    for item in items:
        kept = item.get_closest_marker("ordinary")
        if kept is not None:
            missing = named.setdefault(item.nodeid.partition("[")[0], set(kept.args))
            missing.discard(item.callspec.id)  # type: ignore[attr-defined]
    if wrong := [f"{test} has no cell {cells}" for test, cells in named.items() if cells]:
        raise pytest.UsageError("\n".join(wrong))


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
