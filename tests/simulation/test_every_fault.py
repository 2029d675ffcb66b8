"""The whole menu, one fault after the other: whatever a venue does, the bot ends hedged or flat.

What each fault should lead to is the matter of the other files here; this one is complete.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio
from universelib.menu import ARGS, CASES, arguments

from bot4.config.schema import SimulationConfig
from bot4.simulator.faults import COUNTED, IMMEDIATE, LASTING

pytestmark = pytest.mark.proof

CALM = SimulationConfig(profile="calm", seed=3)
DUST = Decimal("0.00013")
NEEDS_A_FILL = {"bust"}


async def settled(run: Any) -> None:
    """Wait until nothing is naked and nothing rests, and stays so for a second."""
    quiet = 0
    with trio.fail_after(90):
        while quiet < 5:
            await trio.sleep(0.2)
            ok = abs(run.net()) < DUST and not run.open_orders()
            quiet = quiet + 1 if ok else 0


def test_no_fault_of_the_menu_is_left_out():
    assert set(ARGS) == COUNTED | LASTING | IMMEDIATE


@pytest.mark.parametrize(("venue", "kind"), CASES)
async def test_the_bot_survives(play: Any, autojump_clock: Any, venue: str, kind: str):
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            await run.until("feed.ready", 4)
            if kind not in NEEDS_A_FILL:
                run.fault(venue, kind, **arguments(venue, kind))
            run.gap(45.0, 6.0)
            await trio.sleep(3)
            # Once more, while the pair is on or being mended; what it does then meets the exit.
            run.fault(venue, kind, **arguments(venue, kind))
            await trio.sleep(6)
            universe.box.faults.clear()
            # Stopped at once it might rightly say that something is unproven: answers were lost.
            await trio.sleep(5)
            await settled(run)

        assert run.code == 0
        run.clean()
