"""Fixtures every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# The machine may be loaded: a slow example is no failure.
settings.register_profile("bot4", deadline=None)
settings.load_profile("bot4")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the project."""
    return Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Whatever a test did with the log ends with it: the next one may read what is printed."""
    yield
    structlog.reset_defaults()
