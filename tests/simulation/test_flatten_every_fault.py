"""The whole menu against flatten and what the guard does: no leg is alone that was not before.

Each fault lasts, so that nothing is to be had by waiting. What is shut is waited for in vain, what
is merely rude is got past; whatever comes of it, the exit code and the words must say what is so.
"""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.simulation.test_every_fault import CASES, arguments
from tests.simulation.test_flatten import CALM, CLIP, EVER_S, flatten, said
from tests.simulation.test_hard_days import DUST, MARKETS, hedged

pytestmark = pytest.mark.proof

STATES = ("hedged", "one leg", "under way")
CHANGES = ("manual_close", "liquidate", "bust", "delist")
"""Faults that take a leg themselves."""
LIMIT_S = 120.0
CELLS = [
    (state, venue, kind)
    for state in STATES
    for venue, kind in CASES
    if (state, kind) != ("under way", "bust")  # nothing is filled yet that could be taken back
]


async def brought(run: Any, state: str, venue: str) -> None:
    """Bring the account to a state, with the bot about to die."""
    if state == "under way":
        await run.until("feed.ready", 4)
        run.gap(45.0, 300.0)
        await run.until("pair.opening")
        await trio.sleep(0.06)
        return
    await hedged(run)
    if state == "one leg":
        run.fault(venue, "manual_close", market=MARKETS[venue])


@pytest.mark.parametrize("close", [True, False], ids=["flatten", "guard"])
@pytest.mark.parametrize(("state", "venue", "kind"), CELLS)
async def test_the_account_is_left_as_the_words_say(
    play: Any, events: Any, autojump_clock: Any, venue: str, kind: str, state: str, close: bool
):
    runs: list[Any] = []

    async def killed(run: Any) -> None:
        runs.append(run)
        await brought(run, state, venue)

    async with play.universe(simulation=CALM) as universe, play.killed(universe, killed) as after:
        run = runs[0]
        args = arguments(venue, kind)
        lasting = {"seconds": EVER_S, "count": -1}
        was = abs(run.net())
        run.fault(venue, kind, **{**args, **{k: v for k, v in lasting.items() if k in args}})
        watched = await flatten(after, run, close=close)

        net, held = abs(run.net()), run.positions()
        assert watched.took_s < LIMIT_S
        if state == "hedged" and kind not in CHANGES:
            assert was < DUST
            assert net <= CLIP
        if watched.code == 0:
            assert run.open_orders() == []
            assert net < DUST
            assert held == {} or not close
            assert bool(said(events, "pair.held")) == bool(held)
        else:
            assert said(events, "flatten.failed")
            assert watched.code == 3
        if net >= DUST:
            told = " ".join([*said(events, "exposure.left"), *said(events, "flatten.failed")])
            for market in held:
                assert market.partition(":")[2] in told or "could not be read" in told
        assert not any("holds ?" in line for line in said(events, "flatten.failed"))
