"""The saga, explored to closure in small bounds, and its planted bugs."""

from __future__ import annotations

import pytest
from modelchecklib.explore import SMALL, Violation, catch, explore
from modelchecklib.model import Saga
from modelchecklib.mutants import MUTANTS

from bot4.strategy.events import step, todo
from bot4.strategy.saga import State

pytestmark = pytest.mark.proof


def test_every_invariant_holds_in_every_reachable_state():
    found = explore(SMALL, Saga(step, todo))

    assert found.saga_states == set(State)
    assert found.states > 5_000


@pytest.mark.parametrize("name", MUTANTS)
def test_every_planted_bug_is_caught(name: str):
    with pytest.raises((Violation, ValueError, KeyError)):
        catch(MUTANTS[name])
