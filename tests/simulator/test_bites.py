"""A position that the venue takes away bite by bite."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import trio

from bot4.simulator.box import TwoVenues
from bot4.simulator.faults import UnknownFault
from bot4.simulator.options import Options

D = Decimal
MARKETS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}


@pytest.fixture
async def box(nursery) -> TwoVenues:
    made = TwoVenues(Options(profile="calm", bases=("BTC",)), wall_ms=lambda: 1)
    await nursery.start(made.run)
    for name, symbol in MARKETS.items():
        getattr(made, name).house_order(symbol, "buy", D("0.02"), "MANUAL")
    await trio.sleep(0.01)
    return made


def held(box: TwoVenues, venue: str) -> Decimal:
    return D(box.truth()[venue]["positions"].get(MARKETS[venue], "0"))


async def sizes(box: TwoVenues, venue: str, times: int, every_s: float) -> list[Decimal]:
    """The position now, and every so many seconds after."""
    seen = []
    for _ in range(times):
        seen.append(held(box, venue))
        await trio.sleep(every_s)
    return seen


@pytest.mark.parametrize("venue", MARKETS)
async def test_a_position_is_taken_bite_by_bite(autojump_clock, box, venue):
    box.faults.add({"venue": venue, "kind": "liquidate", "bites": 4, "every_s": 2})

    assert await sizes(box, venue, 5, 2.001) == [D("0.015"), D("0.01"), D("0.005"), 0, 0]


@pytest.mark.parametrize("venue", MARKETS)
async def test_each_bite_takes_its_share_of_what_was_held_first(autojump_clock, box, venue):
    spec: dict[str, Any] = {"venue": venue, "kind": "liquidate", "share": "0.2"}
    box.faults.add({**spec, "bites": 3, "every_s": 1, "market": MARKETS[venue]})

    assert await sizes(box, venue, 4, 1.001) == [D("0.016"), D("0.012"), D("0.008"), D("0.008")]


@pytest.mark.parametrize("venue", MARKETS)
async def test_the_account_is_being_liquidated_from_the_first_bite_to_the_last(
    autojump_clock, box, venue
):
    assert box.truth()[venue].get("being_liquidated") is False
    box.faults.add({"venue": venue, "kind": "liquidate", "bites": 3, "every_s": 1})

    seen = []
    for _ in range(4):
        seen.append(box.truth()[venue].get("being_liquidated"))
        await trio.sleep(1.001)

    assert seen == [True, True, False, False]


@pytest.mark.parametrize("venue", MARKETS)
async def test_the_bites_end_when_the_menu_is_cleared(autojump_clock, box, venue):
    box.faults.add({"venue": venue, "kind": "liquidate", "bites": 4, "every_s": 1})
    box.faults.clear()

    assert await sizes(box, venue, 3, 1.001) == [D("0.015")] * 3


async def test_fills_and_orders_carry_their_type(autojump_clock, box):
    for venue in MARKETS:
        box.faults.add({"venue": venue, "kind": "liquidate", "bites": 2, "every_s": 1})
    await trio.sleep(3)
    truth = box.truth()

    assert [order["kind"] for order in truth["vest"]["orders"][1:]] == ["LIQUIDATION"] * 2
    assert [fill["fill_type"] for fill in truth["paradex"]["fills"][-2:]] == ["LIQUIDATION"] * 2
    assert len(box.paradex.liquidations) == 2


async def test_what_paradex_takes_may_be_an_unwind_transfer_without_a_penalty(autojump_clock, box):
    spec = {"venue": "paradex", "kind": "liquidate", "fill_type": "UNWIND_TRANSFER"}
    box.faults.add({**spec, "bites": 2, "every_s": 1})
    await trio.sleep(2)

    fills = box.truth()["paradex"]["fills"][-2:]
    assert [(fill["fill_type"], D(fill["fee"])) for fill in fills] == [("UNWIND_TRANSFER", 0)] * 2
    assert list(box.paradex.liquidations) == []


@pytest.mark.parametrize(
    "wrong", [{"bites": 0}, {"every_s": -1}, {"fill_type": "ADL"}, {"market": "MOON"}]
)
async def test_a_liquidation_that_makes_no_sense_is_named(autojump_clock, box, wrong):
    with pytest.raises(UnknownFault):
        box.faults.add({"venue": "paradex", "kind": "liquidate", **wrong})
    assert held(box, "paradex") == D("0.02")
