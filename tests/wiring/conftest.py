"""A journal of its own, and a clock that only a test moves."""

from __future__ import annotations

import pytest

from bot4.storage.journal import open_journal
from bot4.transport.world import RealWorld
from bot4.wiring.files import journal_file
from bot4.wiring.universe import plain_config


class World(RealWorld):
    now_ms = 1_795_000_009_000

    def wall_ms(self):
        return self.now_ms


@pytest.fixture
def world():
    return World()


@pytest.fixture
def config(tmp_path):
    return plain_config(tmp_path / "state", 1)


@pytest.fixture
def journal(config, world):
    opened = open_journal(world, journal_file(config), mode="simulation", identity={})
    yield opened
    opened.close()
