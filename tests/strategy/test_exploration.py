"""The saga, explored to closure in small bounds, and its planted bugs."""

from __future__ import annotations

import pytest
from modelchecklib.explore import Violation, explore
from modelchecklib.model import Bounds, Saga
from modelchecklib.mutants import MUTANTS

from bot4.strategy.events import step, todo
from bot4.strategy.saga import State

SMALL = Bounds(compensations=1, exits=1, crashes=1, hands=0)


def test_every_invariant_holds_in_every_reachable_state():
    found = explore(SMALL, Saga(step, todo))

    assert found.saga_states == set(State)
    assert found.states > 5_000


@pytest.mark.parametrize("name", MUTANTS)
def test_every_planted_bug_is_caught(name: str):
    with pytest.raises((Violation, ValueError, KeyError)):
        explore(SMALL, MUTANTS[name])
