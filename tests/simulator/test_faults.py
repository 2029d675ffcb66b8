from __future__ import annotations

import pytest
import trio

from bot4.simulator.faults import FaultMenu, UnknownFault


def menu(**spec):
    made = FaultMenu()
    made.add({"venue": "vest"} | spec)
    return made


def strikes(made, times, kind="refuse", venue="vest", **occasion):
    return [made.take(venue, kind, **occasion) is not None for _ in range(times)]


async def test_a_fault_strikes_once_unless_told_otherwise():
    assert strikes(menu(kind="refuse"), 3) == [True, False, False]
    assert strikes(menu(kind="refuse", count=2), 3) == [True, True, False]
    assert strikes(menu(kind="refuse", count=-1), 3) == [True, True, True]
    assert strikes(menu(kind="refuse", skip=1), 3) == [False, True, False]


async def test_a_fault_belongs_to_its_venue_and_kind():
    made = menu(kind="refuse")

    assert strikes(made, 1, venue="paradex") == [False]
    assert strikes(made, 1, kind="no_fill") == [False]
    assert strikes(made, 1) == [True]


@pytest.mark.parametrize(
    ("spec", "occasion", "strikes_now"),
    [
        ({}, {"request": "order"}, True),
        ({}, {"request": "query"}, False),
        ({"request": "any"}, {"request": "query"}, True),
        ({"request": "query"}, {"request": "query"}, True),
        ({"request": "query"}, {"request": "order"}, False),
        ({"side": "buy"}, {"side": "sell"}, False),
        ({"side": "buy"}, {"side": "buy"}, True),
        ({"reduce_only": True}, {"reduce_only": False}, False),
        ({"symbol": "A"}, {"symbol": "B"}, False),
        ({"symbol": "A"}, {}, True),
    ],
)
async def test_filters_narrow_a_fault(spec, occasion, strikes_now):
    made = menu(kind="refuse", **spec)

    assert strikes(made, 1, **occasion) == [strikes_now]


async def test_an_occasion_that_does_not_match_uses_up_no_skip():
    made = menu(kind="refuse", skip=1, side="buy")

    assert strikes(made, 2, side="sell") == [False, False]
    assert strikes(made, 2, side="buy") == [False, True]


async def test_a_lasting_fault_ends_by_itself(autojump_clock):
    made = menu(kind="silence", seconds=3)

    assert made.active("vest", "silence") is not None
    assert made.active("paradex", "silence") is None
    await trio.sleep(3.1)
    assert made.active("vest", "silence") is None


async def test_an_immediate_fault_is_carried_out():
    made, seen = FaultMenu(), []
    made.on_immediate("vest", "cut", seen.append)

    made.add({"venue": "vest", "kind": "cut", "which": "public"})

    assert [fault.args for fault in seen] == [{"which": "public"}]


@pytest.mark.parametrize(
    "spec",
    [
        {"venue": "vest", "kind": "nonsense"},
        {"venue": "moon", "kind": "refuse"},
        {"kind": "refuse"},
        {"venue": "vest"},
        {"venue": "paradex", "kind": "cut"},
    ],
)
async def test_what_is_not_on_the_menu_is_named(spec):
    with pytest.raises(UnknownFault):
        FaultMenu().add(spec)


async def test_the_menu_can_be_cleared():
    made = menu(kind="refuse")
    made.clear()

    assert strikes(made, 1) == [False]
