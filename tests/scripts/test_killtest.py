"""The judge of real deaths: an honest account passes, and every planted wrong is found."""

from __future__ import annotations

from typing import Any

import pytest
from killtestlib import emergency, judge
from killtestlib.__main__ import figures
from killtestlib.rounds import Tally
from universelib.aftermath import STATES, TOOLS
from universelib.flatproof import Outcome

EARLY = f"[SHUTDOWN] {judge.EARLY}: by the journal nothing is held"
CLEAN = {"event": "shutdown.clean", "message": judge.CLEAN}
SYMBOLS = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}


def order(handle: str, **changes: Any) -> dict[str, Any]:
    row = {"id": f"id-{handle}", "handle": handle, "symbol": "BTC-PERP", "filled": "0.001"}
    return {**row, "reduce_only": False, "sent_ms": 1000, **changes}


def fill(handle: str, venue: str) -> dict[str, Any]:
    return {"order_id": f"id-{handle}", "symbol": SYMBOLS[venue], "price": "80000"}


def truth(**sizes: str) -> dict[str, Any]:
    """Both venues with one filled order each; sizes are what they hold."""
    return {
        venue: {
            "orders": [order(f"{venue}-1")],
            "open_orders": [],
            "positions": {SYMBOLS[venue]: sizes.get(venue, "0")},
            "fills": [fill(f"{venue}-1", venue)],
        }
        for venue in SYMBOLS
    }


HEDGED = truth(vest="0.001", paradex="-0.001")
CLAIM = {"BTC": {"vest": "0.001", "paradex": "-0.0010"}}


def test_an_honest_end_is_found_to_be_one():
    lines = [{**CLEAN, "held": CLAIM}]

    assert list(judge.untrue(0, lines, HEDGED)) == []
    assert judge.resting(HEDGED) == []
    assert list(judge.reused(HEDGED)) == []
    assert list(judge.accepted_after(HEDGED, judge.handles(HEDGED))) == []
    assert list(judge.entered_after(HEDGED, (), 1000)) == []


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (3, {**CLEAN, "held": CLAIM}),
        (None, {**CLEAN, "held": CLAIM}),
        (0, {**CLEAN, "held": {}}),
        (0, {**CLEAN, "held": {"BTC": {"vest": "0.001", "paradex": "-0.002"}}}),
        (0, {"event": "shutdown.left", "message": "[SHUTDOWN] NOT clean: ..."}),
        (0, {"event": "shutdown.early", "message": EARLY}),
        (0, {"event": "shutdown.left", "message": EARLY}),
        (0, {**CLEAN, "message": "[SHUTDOWN] Clean exit", "held": CLAIM}),
    ],
)
def test_a_last_line_that_is_not_true_is_found(code: int | None, line: dict[str, Any]):
    assert len(list(judge.untrue(code, [line], HEDGED))) == 1


def test_a_stop_before_looking_claims_nothing_and_a_pair_that_stays_on_follows_the_last_word():
    early = {"event": "shutdown.left", "message": EARLY}
    held = [{**CLEAN, "held": CLAIM}, {"event": "shutdown.held", "message": "STILL OPEN"}]

    assert list(judge.untrue(3, [early], HEDGED)) == []
    assert list(judge.untrue(0, held, HEDGED)) == []


def test_silence_is_no_clean_exit():
    assert list(judge.untrue(0, [], HEDGED)) == ["the last line is nothing: "]


def test_a_leg_alone_and_an_order_that_rests_are_found():
    alone = truth(vest="0.001")
    alone["paradex"]["open_orders"] = [order("paradex-1", symbol="BTC-USD-PERP")]

    assert [one.split(" ")[0] for one in judge.resting(alone)] == ["open:", "BTC"]


def test_what_is_too_small_to_be_an_order_is_no_naked_leg():
    assert judge.resting(truth(vest="0.00110", paradex="-0.00100")) == []


def test_a_name_used_twice_is_found():
    twice = truth()
    twice["vest"]["orders"].append(order("vest-1"))

    assert list(judge.reused(twice)) == ["vest saw vest-1 2 times"]


def test_a_pair_that_opens_beside_an_unresolved_trade_is_found():
    found = {"event": "trade.recovered", "pair": "BTC", "trade_id": "t1"}
    opening = {"event": "pair.opening", "pair": "BTC"}
    closed = {"event": "pair.closed", "pair": "BTC"}

    assert list(judge.reopened([found, closed, opening])) == []
    assert list(judge.reopened([opening, {**found, "pair": "ETH"}])) == []
    assert list(judge.reopened([found, opening, closed])) == ["BTC opened again beside trade t1"]


def test_an_opening_order_signed_after_the_stop_is_found_and_a_closing_one_is_not():
    late = truth()
    late["vest"]["orders"] += [
        order("vest-2", sent_ms=2000),
        order("vest-3", sent_ms=2000, reduce_only=True),
    ]

    assert len(list(judge.entered_after(late, (), 1500))) == 1
    assert list(judge.entered_after(late, {"vest-2"}, 1500)) == []


def test_an_order_taken_after_the_end_is_found():
    before, after = truth(), truth()
    after["paradex"]["orders"].append(order("paradex-9"))

    assert len(list(judge.accepted_after(after, judge.handles(before)))) == 1


def test_a_fill_of_no_trade_or_of_two_or_of_another_size_is_found():
    good = {"vest-1": {"t1"}, "paradex-1": {"t1"}}
    filled = {"vest-1": judge.D("0.001"), "paradex-1": judge.D("0.001")}

    assert list(judge.unbooked(HEDGED, good)) == []
    assert list(judge.misbooked(HEDGED, filled)) == []
    assert len(list(judge.unbooked(HEDGED, {"vest-1": {"t1"}}))) == 1
    assert len(list(judge.unbooked(HEDGED, {**good, "vest-1": {"t1", "t2"}}))) == 1
    assert len(list(judge.misbooked(HEDGED, {**filled, "vest-1": judge.D(0)}))) == 1


def test_a_crash_and_a_position_nobody_explains_are_found_and_a_cancelled_order_is_not():
    lines = [
        {"event": "bot.crashed", "message": "x"},
        {"event": "exposure.found", "message": "x", "market": "BTC-PERP"},
        {"event": "exposure.found", "message": "2 open orders found and cancelled"},
        {"event": "pair.opened", "message": "x"},
    ]

    assert len(list(judge.wrong(lines))) == 2


def test_the_closing_line_counts_the_violations():
    tally = Tally(kills=3, stops=2)
    tally.blame("kill 1", ["BTC is naked"])

    assert figures(tally, 7, 12.0).endswith("12 s, 1 violations")
    assert "3 kills and 2 stops" in figures(tally, 7, 12.0)


def test_two_dozen_cells_of_an_emergency_have_every_state_both_tools_and_no_fault_twice():
    cells = emergency.draw(7, 24)

    assert {(cell.state, cell.tool) for cell in cells} == {(s, t) for s in STATES for t in TOOLS}
    assert len({(cell.venue, cell.kind) for cell in cells}) == 24
    assert [cell.lasts for cell in cells] == sorted((cell.lasts for cell in cells), reverse=True)
    assert any(cell.lasts for cell in cells)
    assert cells == emergency.draw(7, 24) != emergency.draw(8, 24)


def test_the_closing_line_of_an_emergency_counts_endings_codes_and_violations():
    good = Outcome("hedged/vest/cut/flatten", (), 0, "flat", "", 0.0, 9.0)
    bad = Outcome("bot-hung/vest/halt/flatten", ("x",), 3, "a leg", "--force", 0.0, 90.0)

    line = emergency.figures([good, bad], 7, 60.0)
    assert "2 cells with real processes, 1 ended flat, 1 with code 0, 1 with 3, 1 refused" in line
    assert line.endswith("60 s, 1 violations")
