"""The ledger: journal first, nothing twice, and a restart that stands where the crash stood."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport, OrderState, Purpose, Side
from bot4.errors import JournalFault
from bot4.ports import CLOSED, Entry, FillBusted
from bot4.strategy.events import Answered, Corrected, Overdue, Sent, Stopped, Verdict
from bot4.strategy.legs import LegState
from bot4.strategy.saga import State
from bot4.tasks.gate import Gate
from bot4.tasks.ledger import FINISHED_KEPT, Ledger

D = Decimal
SIZE = D("0.0030")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def ledger(journal: Any, gate: Gate, lines: Any) -> Ledger:
    return Ledger(journal, gate)


@pytest.fixture
def entry(make_order: Any) -> tuple[Any, Any]:
    return make_order("1", "vest"), make_order("2", "paradex")


def filled(order: Any, size: Decimal | None = None, number: int = 1, named: bool = True) -> Fill:
    return Fill(
        order.key.venue,
        f"{order.client_order_id}-{number}",
        order.client_order_id if named else "",
        f"v{order.client_order_id}",
        order.key.symbol,
        order.side,
        order.limit,
        order.size if size is None else size,
        D(0),
    )


def closed(order: Any, size: Decimal, named: bool = True) -> OrderReport:
    return OrderReport(
        order.key.venue,
        order.client_order_id if named else "",
        f"v{order.client_order_id}",
        OrderState.CLOSED,
        filled=size,
    )


EXIT = {"purpose": Purpose.EXIT, "reduce_only": True}
ACCOUNT = {
    "pair": "BTC",
    "outcome": "closed",
    "net_usdc": "0",
    "closed_ms": 1_795_000_000_000,
}


def kinds(journal: Any) -> list[str]:
    return [row.kind for row in journal.rows]


async def test_a_trade_begins_with_one_durable_commit(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    trade = ledger.begin(plan, entry)

    assert journal.commits == [["Planned", "Intended"]]
    assert journal.durable == [True, True]
    assert trade.state is State.OPENING
    assert ledger.trades == (trade,)


async def test_a_trade_that_could_not_be_written_does_not_exist(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    journal.broken = True

    with pytest.raises(JournalFault):
        ledger.begin(plan, entry)

    assert ledger.trades == ()
    assert ledger.of_pair("BTC") is None


async def test_every_event_is_written_before_it_is_believed(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    written: list[int] = []
    ledger.watch(lambda _id, _event, trade: written.append(len(journal.rows)))
    ledger.begin(plan, entry)
    ledger.hear(filled(entry[0]))

    assert written == [2, 3]
    assert kinds(journal) == ["Planned", "Intended", "Filled"]


async def test_what_changes_nothing_is_not_written(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)
    ledger.hear(filled(entry[0]))
    before = len(journal.rows)

    ledger.hear(filled(entry[0]))
    ledger.hear(closed(entry[0], SIZE))
    ledger.hear(closed(entry[0], SIZE))

    assert len(journal.rows) <= before + 1
    assert ledger.get("abc123-1").position("vest") == SIZE


async def test_the_first_byte_is_noted_without_the_disk(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)
    ledger.happen("abc123-1", Sent("1"))

    assert "Sent" not in kinds(journal)
    assert ledger.get("abc123-1").leg("1").state is LegState.SENDING


async def test_a_reducing_order_goes_ahead_without_the_journal_and_stops_opening(
    ledger: Any, journal: Any, gate: Any, plan: Any, entry: Any, make_order: Any, lines: Any
):
    ledger.begin(plan, entry)
    ledger.hear(filled(entry[0]))
    journal.broken = True
    back = make_order("3", side=Side.SELL, purpose=Purpose.UNWIND, reduce_only=True)

    trade = ledger.intend("abc123-1", (back,))

    assert trade.leg("3") is not None
    assert "journal" in gate.reasons
    (failed,) = [line for line in lines if line["event"] == "journal.failed"]
    assert failed["do"]


async def test_a_further_opening_order_needs_the_journal(
    ledger: Any, journal: Any, gate: Any, plan: Any, entry: Any, make_order: Any
):
    ledger.begin(plan, entry)
    journal.broken = True

    with pytest.raises(JournalFault):
        ledger.intend("abc123-1", (make_order("3", "paradex", purpose=Purpose.MEND),))

    assert ledger.get("abc123-1").leg("3") is None
    assert "journal" in gate.reasons


# ------------------------------------------------------------------------------------ hearing


async def test_a_venue_that_names_only_its_own_id_is_understood(ledger: Any, plan: Any, entry: Any):
    ledger.begin(plan, entry)
    ledger.happen("abc123-1", Answered("2", Verdict.ACCEPTED, "v2"))

    ledger.hear(filled(entry[1], named=False))
    ledger.hear(closed(entry[1], SIZE, named=False))

    assert ledger.get("abc123-1").position("paradex") == -SIZE


@pytest.mark.parametrize("named", [True, False])
async def test_a_fill_that_is_not_ours_stops_opening(
    ledger: Any, gate: Any, lines: Any, entry: Any, named: bool
):
    ledger.hear(filled(entry[0], named=named))

    assert "foreign order" in gate.reasons
    assert [line["event"] for line in lines] == ["order.unknown"]


async def test_a_fill_that_is_not_ours_puts_in_question_what_we_hold_on_its_market(
    ledger: Any, gate: Any, plan: Any, entry: Any, make_order: Any
):
    ledger.begin(plan, entry)
    ledger.hear(attrs.evolve(filled(make_order("77")), symbol="ETH-PERP"))
    assert "unknown order" not in gate.reasons

    ledger.hear(filled(make_order("78")))
    assert "unknown order" in gate.reasons


async def test_an_order_of_somebody_else_that_filled_nothing_is_no_matter(
    ledger: Any, gate: Any, entry: Any
):
    ledger.hear(closed(entry[0], D(0)))
    ledger.hear(attrs.evolve(closed(entry[0], D(0)), filled=None))

    assert gate.open


async def test_an_order_of_somebody_else_that_filled_stops_opening(
    ledger: Any, gate: Any, entry: Any
):
    ledger.hear(closed(entry[0], SIZE))

    assert "foreign order" in gate.reasons


async def finished(ledger: Any, plan: Any, entry: Any) -> None:
    ledger.begin(plan, entry)
    for order in entry:
        ledger.happen(plan.trade_id, Answered(order.client_order_id, Verdict.REFUSED, why="no"))
    ledger.finish(plan.trade_id, ACCOUNT)


async def held(ledger: Any, plan: Any, entry: Any, *, leave: bool = True) -> tuple[Any, Any]:
    """Open the pair; then intend both exits."""
    ledger.begin(plan, entry)
    for order in entry:
        ledger.hear(filled(order))
    long, short = entry
    exits = (
        attrs.evolve(long, client_order_id="3", side=Side.SELL, **EXIT),
        attrs.evolve(short, client_order_id="4", side=Side.BUY, **EXIT),
    )
    if leave:
        ledger.intend(plan.trade_id, exits)
    return exits


async def test_a_trade_is_only_finished_when_it_is_flat(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)

    with pytest.raises(ValueError, match="not flat"):
        ledger.finish(plan.trade_id, {})

    assert CLOSED not in kinds(journal)


async def test_a_finished_trade_is_booked_durably_and_forgotten(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    await finished(ledger, plan, entry)

    assert ledger.trades == ()
    assert journal.commits[-1] == [CLOSED]
    assert journal.durable[-1]
    assert ledger.results.last == ACCOUNT


async def test_a_trade_finishes_even_when_the_disk_is_full(
    ledger: Any, journal: Any, gate: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)
    for order in entry:
        ledger.happen(plan.trade_id, Answered(order.client_order_id, Verdict.REFUSED, why="no"))
    journal.broken = True
    ledger.finish(plan.trade_id, ACCOUNT)

    assert ledger.trades == ()
    assert "journal" in gate.reasons


async def test_what_a_full_disk_kept_out_is_written_before_what_follows_from_it(
    ledger: Any, journal: Any, plan: Any, entry: Any, make_order: Any
):
    ledger.begin(plan, entry)
    journal.broken = True
    for order in entry:
        ledger.hear(closed(order, order.size))
    journal.broken = False
    ledger.intend(plan.trade_id, (make_order("3", "paradex", purpose=Purpose.EXIT),))

    again = Ledger(journal, Gate())
    again.replay()

    assert journal.commits[-2] == ["Reported", "Reported", "Intended"]
    assert again.get(plan.trade_id).leg("3") is not None


async def test_late_words_on_a_finished_trade_change_nothing(
    ledger: Any, gate: Any, journal: Any, plan: Any, entry: Any
):
    await finished(ledger, plan, entry)
    before = len(journal.rows)

    ledger.hear(closed(entry[0], D(0)))

    assert gate.open
    assert len(journal.rows) == before


async def test_a_late_fill_on_a_finished_trade_takes_it_up_again(
    ledger: Any, gate: Any, journal: Any, plan: Any, entry: Any, lines: Any
):
    await finished(ledger, plan, entry)
    told: list[State] = []
    ledger.watch(lambda _id, _event, trade: told.append(trade.state))

    ledger.hear(filled(entry[0]))
    ledger.hear(filled(entry[0]))

    (trade,) = ledger.trades
    assert trade.state is State.UNWINDING
    assert trade.net == SIZE
    assert told == [State.UNWINDING]
    assert kinds(journal)[-2:] == [CLOSED, "Filled"]
    assert [line["event"] for line in lines].count("trade.reopened") == 1
    assert gate.open


async def test_a_reopened_trade_is_found_after_a_restart_and_booked_once(
    ledger: Any, journal: Any, plan: Any, entry: Any, make_order: Any
):
    await finished(ledger, plan, entry)
    ledger.hear(filled(entry[0]))

    again = Ledger(journal, Gate())
    again.replay()
    (trade,) = again.trades
    assert (trade.state, trade.net) == (State.UNWINDING, SIZE)
    back = make_order("3", "vest", side=Side.SELL, purpose=Purpose.UNWIND, reduce_only=True)
    again.intend(plan.trade_id, (back,))
    again.hear(filled(back))
    again.finish(plan.trade_id, {**ACCOUNT, "net_usdc": "-1.5"})

    assert again.trades == ()
    assert (again.results.trades, again.results.net) == (1, D("-1.5"))
    once_more = Ledger(journal, Gate())
    once_more.replay()
    assert once_more.trades == ()
    assert once_more.results.lost(ACCOUNT["closed_ms"]) == D("1.5")


async def test_a_fill_that_is_told_after_its_sum_is_journaled_and_changes_nothing_else(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    exits = await held(ledger, plan, entry)
    for order in exits:
        ledger.hear(closed(order, SIZE))
    ledger.finish(plan.trade_id, ACCOUNT)
    ledger.hear(filled(exits[0]))
    ledger.hear(filled(exits[0]))

    assert ledger.trades == ()
    assert kinds(journal)[-2:] == [CLOSED, "Filled"]


async def test_a_closing_fill_that_is_taken_back_takes_the_trade_up_again(
    ledger: Any, gate: Any, plan: Any, entry: Any
):
    exits = await held(ledger, plan, entry)
    for order in exits:
        ledger.hear(filled(order))
    ledger.finish(plan.trade_id, ACCOUNT)
    ledger.hear(FillBusted("paradex", f"{exits[1].client_order_id}-1"))
    ledger.hear(FillBusted("paradex", f"{exits[1].client_order_id}-1"))
    ledger.hear(filled(exits[1]))  # told again: it is still taken back

    (trade,) = ledger.trades
    assert trade.state is State.UNWINDING
    assert (trade.position("vest"), trade.position("paradex")) == (0, -SIZE)
    assert gate.open


async def test_an_opening_fill_that_is_taken_back_leaves_the_other_leg_to_reduce(
    ledger: Any, plan: Any, entry: Any
):
    await held(ledger, plan, entry, leave=False)
    ledger.hear(FillBusted("paradex", "2-1"))

    (trade,) = ledger.trades
    assert (trade.state, trade.net) == (State.UNWINDING, SIZE)
    assert trade.leg("2").filled == 0


async def test_a_bust_of_somebody_elses_fill_is_none_of_ours(
    ledger: Any, gate: Any, plan: Any, entry: Any
):
    trade = ledger.begin(plan, entry)
    ledger.hear(FillBusted("paradex", "stranger-1"))

    assert ledger.trades == (trade,)
    assert gate.open


async def test_trades_finished_long_ago_are_forgotten(
    ledger: Any, gate: Any, plan: Any, make_order: Any
):
    for number in range(FINISHED_KEPT + 2):
        name = f"abc123-{number}"
        pair = (
            make_order(f"{number}a", "vest", trade_id=name),
            make_order(f"{number}b", "paradex", trade_id=name),
        )
        await finished(ledger, attrs.evolve(plan, trade_id=name), pair)

    ledger.hear(filled(make_order("0a")))

    assert "foreign order" in gate.reasons  # until the positions have been compared
    assert len(ledger._finished) == FINISHED_KEPT


async def test_what_is_held_on_a_market_is_the_sum_of_its_trades(
    ledger: Any, plan: Any, entry: Any, make_order: Any
):
    other = attrs.evolve(plan, trade_id="abc123-2", pair="BTC2")
    ledger.begin(plan, entry)
    ledger.begin(
        other,
        (make_order("3", trade_id="abc123-2"), make_order("4", "paradex", trade_id="abc123-2")),
    )
    ledger.hear(filled(entry[0]))
    ledger.hear(filled(make_order("3"), D("0.0010")))
    ledger.happen("abc123-2", Corrected("vest", D("-0.0004"), "by hand"))

    assert ledger.held(plan.long) == D("0.0036")
    assert ledger.held(plan.short) == 0
    assert ledger.of_pair("BTC2").plan == other


# ------------------------------------------------------------------------------------- replay


async def test_a_restart_finds_the_trade_and_doubts_what_had_not_ended(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)
    ledger.happen(plan.trade_id, Answered("2", Verdict.ACCEPTED, "v2"))
    ledger.hear(filled(entry[0]))

    again = Ledger(journal, Gate())
    orders = again.replay()

    (trade,) = again.trades
    assert [order.client_order_id for order in orders] == ["1", "2"]
    assert trade.state is State.SETTLING
    assert trade.position("vest") == SIZE
    assert (trade.leg("1").state, trade.leg("2").state) == (LegState.FILLED, LegState.DOUBT)
    again.hear(filled(entry[1], named=False))
    assert again.trades[0].state is State.HEDGED


async def test_a_restart_after_the_end_knows_results_and_used_names(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    await finished(ledger, plan, entry)

    again = Ledger(journal, Gate())
    orders = again.replay()

    assert again.trades == ()
    assert again.results.last == ACCOUNT
    assert len(orders) == 2


async def test_a_stop_is_over_after_a_restart(ledger: Any, journal: Any, plan: Any, entry: Any):
    ledger.begin(plan, entry)
    ledger.happen(plan.trade_id, Stopped())

    again = Ledger(journal, Gate())
    again.replay()

    assert not again.trades[0].stopping


@pytest.mark.parametrize(
    "row",
    [
        Entry("Unheard", "abc123-1", {}),
        Entry("Overdue", "abc123-1", {"nonsense": 1}),
        Entry("Planned", "abc123-1", {"plan": None}),
    ],
    ids=lambda row: row.kind,
)
async def test_a_row_of_another_version_stops_the_start(ledger: Any, journal: Any, row: Entry):
    journal.append([row], durable=True)

    with pytest.raises(JournalFault, match="row 1"):
        ledger.replay()


async def test_a_row_that_cannot_follow_the_one_before_stops_the_start(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    ledger.begin(plan, entry)
    journal.append([Entry("Unwound", plan.trade_id, {})], durable=True)

    with pytest.raises(JournalFault, match="row 3 of the journal cannot follow"):
        Ledger(journal, Gate()).replay()


async def test_an_event_without_its_trade_is_passed_over(
    ledger: Any, journal: Any, plan: Any, entry: Any
):
    await finished(ledger, plan, entry)
    overdue = Overdue("1")
    journal.append([Entry("Overdue", plan.trade_id, attrs.asdict(overdue))], durable=False)

    again = Ledger(journal, Gate())
    again.replay()

    assert again.trades == ()
