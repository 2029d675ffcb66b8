"""Journals of earlier versions, as they were written, are replayed to the same trades and sums."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot4.ports import CLOSED
from bot4.report.account import account_of
from bot4.storage.mirror.fold import Fold
from bot4.strategy.events import Planned, step
from bot4.strategy.journal_format import KINDS, read_event, text_of
from bot4.strategy.legs import Leg, LegState
from bot4.strategy.saga import State, Trade
from bot4.tasks.gate import Gate
from bot4.tasks.ledger import Ledger

GOLDEN = Path(__file__).parents[1] / "golden/journals"
VERSIONS = sorted(path.stem for path in GOLDEN.glob("*.sql"))
IDENTITY = {"vest": "0x1111111111111111111111111111111111111111", "paradex": "0x2222"}
NEVER_WRITTEN = {"Sent"}
"""The first byte is not waited for: that it left is known in memory alone."""


def text(number: Decimal | None) -> str | None:
    return None if number is None else str(number)


def summed(leg: Leg) -> dict[str, Any]:
    return {
        "order": leg.order.client_order_id,
        "fence_ms": leg.order.fence_ms,
        "state": text_of(leg.state),
        "filled": text(leg.filled),
        "average": text(leg.average()),
        "fee": text(leg.fee),
        "fees": text(sum((fill.fee or Decimal(0) for fill in leg.fills), Decimal(0))),
        "settled": text(leg.settled()),
        "missing_since_ms": leg.missing_since_ms,
        "reason": leg.reason,
    }


def told(trade: Trade) -> dict[str, Any]:
    return {
        "state": text_of(trade.state),
        "net": text(trade.net),
        "positions": {venue: text(trade.position(venue)) for venue in trade.venues},
        "unexplained": {venue: text(trade.unexplained(venue)) for venue in trade.venues},
        "closing": trade.closing,
        "unwinding": trade.unwinding,
        "stopping": trade.stopping,
        "compensations": trade.compensations,
        "legs": [summed(leg) for leg in trade.legs],
    }


@pytest.fixture(params=VERSIONS)
def golden(request: pytest.FixtureRequest, reopen: Any, path: Path) -> Any:
    """A journal as a file of today, and what it has to be replayed to."""
    path.parent.mkdir(mode=0o700)
    database = sqlite3.connect(path)
    database.executescript((GOLDEN / f"{request.param}.sql").read_text())
    database.close()
    expected = json.loads((GOLDEN / f"{request.param}.json").read_text())
    return reopen(mode="live", identity=IDENTITY), expected


def test_every_trade_is_replayed_to_what_it_was(golden: Any):
    journal, expected = golden
    trades: dict[str, Trade] = {}
    for entry in journal.entries():
        if entry.kind == CLOSED:
            continue
        event = read_event(entry.kind, entry.body)
        if isinstance(event, Planned):
            trades[entry.trade_id] = Trade(event.plan)
        else:
            trades[entry.trade_id] = step(trades[entry.trade_id], event, 0.0)

    assert {name: told(trade) for name, trade in trades.items()} == expected


async def test_the_bot_starts_from_it(golden: Any):
    journal, expected = golden
    ledger = Ledger(journal, Gate())

    orders = ledger.replay()

    open_trades = {trade.plan.trade_id for trade in ledger.trades}
    closed = {entry.trade_id for entry in journal.entries() if entry.kind == CLOSED}
    assert open_trades == expected.keys() - closed
    assert [order.client_order_id for order in orders] == [
        order["client_order_id"]
        for entry in journal.entries()
        if entry.kind == "Intended"
        for order in entry.body["orders"]
    ]
    for trade in ledger.trades:
        now = told(trade)["positions"]
        assert now == expected[trade.plan.trade_id]["positions"]


def test_the_reports_of_its_closed_trades_are_read(golden: Any):
    journal, _ = golden
    reports = [
        account_of(entry.trade_id, entry.body)
        for entry in journal.entries()
        if entry.kind == CLOSED
    ]

    assert [report.outcome for report in reports] == ["missed", "closed", "unwound"]
    assert [str(report.net) for report in reports] == ["0", "0.2774", "-0.1048"]


def test_the_copy_reads_every_row(golden: Any):
    journal, expected = golden
    fold = Fold()
    stories = {}
    for entry in journal.entries():
        row = fold.read(entry)
        assert row is not None
        assert row.story is not None, f"row {entry.row} is not understood"
        stories[entry.trade_id] = row.story.trade

    assert {name: text_of(trade.state) for name, trade in stories.items()} == {
        name: trade["state"] for name, trade in expected.items()
    }


def test_it_holds_every_kind_of_row_and_a_trade_in_every_state(golden: Any):
    journal, expected = golden

    assert {entry.kind for entry in journal.entries()} == {*KINDS, CLOSED} - NEVER_WRITTEN
    assert {trade["state"] for trade in expected.values()} == {*map(text_of, State)}
    legs = {leg["state"] for trade in expected.values() for leg in trade["legs"]}
    assert legs == {*map(text_of, LegState)} - {"sending"}
