"""SIGKILL at five places, then the ordinary command again: one trade, carried home, never twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow


@attrs.frozen
class Death:
    """Where it dies, what the venues do meanwhile, and how the trade may end after the restart."""

    place: str
    ends: Sequence[str]
    entered: int
    """Entry orders that reach the venues, both together."""
    fault: dict[str, Any] | None = None
    twice: bool = False
    """Whether the next run is killed as well, while it recovers."""


LATE = {"venue": "paradex", "kind": "delay_landing", "ms": 1200}
NEVER = {"venue": "paradex", "kind": "no_fill"}

DEATHS = {
    "intent": Death("intent", ["pair.missed"], 0),
    "between": Death("between", ["pair.unwound", "pair.missed"], 1),
    "one fill, the other comes later": Death("one-fill", ["pair.closed"], 2, LATE),
    "one fill, the other never comes": Death("one-fill", ["pair.unwound"], 2, NEVER),
    "hedged, and again while recovering": Death("hedged", ["pair.closed"], 2, twice=True),
    "closing": Death("closing", ["pair.closed"], 2),
}


@pytest.mark.parametrize("name", DEATHS)
@pytest.mark.ordinary("between", "hedged, and again while recovering")
async def test_a_killed_trade_is_found_and_carried_home(home: Any, judge: Any, name: str):
    death = DEATHS[name]
    with trio.fail_after(STORY_S):
        async with home.bot(dies=death.place) as killed:
            await killed.ready()
            if death.fault is not None:
                await killed.fault(**death.fault)
            await killed.open_gap()
            if death.place == "closing":
                await killed.until("pair.opened")
                await killed.close_gap()
            assert await killed.end() == -9
            # At once: the new venues wait until the old ones have let every order land.
            if death.twice:
                async with home.bot() as recovering:
                    await recovering.until("trade.recovered")
                    await recovering.kill()
            async with home.bot() as again:
                found = await again.until("trade.recovered")
                ended = await again.until(*judge.over)
                assert await again.stop() == 0

    assert ended["trade_id"] == found["trade_id"]
    assert ended["event"] in death.ends
    assert [line["event"] for line in again.lines if line["event"] in judge.over] == [
        ended["event"]
    ]
    assert again.said("pair.opening") == []
    assert [line for line in again.said("leg.sent") if line["purpose"] == "enter"] == []
    assert again.said("exposure.found") == []
    truth = home.truth()
    judge.as_claimed(again.last, truth)
    assert judge.positions(truth) == {}
    reached = {venue: judge.entries(truth, venue) for venue in ("vest", "paradex")}
    assert all(len(orders) <= 1 for orders in reached.values()), reached
    assert sum(len(orders) for orders in reached.values()) == death.entered
