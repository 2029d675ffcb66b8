"""What is said of positions and orders that the bot did not bring about itself."""

from __future__ import annotations

from decimal import Decimal

import structlog

from bot4.domain.fill import Fill
from bot4.domain.market import MarketKey
from bot4.domain.order import OrderReport
from bot4.domain.units import plain
from bot4.invocation import command
from bot4.strategy.saga import Trade

log = structlog.get_logger()


def say_unknown(notice: OrderReport | Fill) -> str:
    """An order or fill that is not ours; returns the words."""
    what = "fill" if isinstance(notice, Fill) else "order"
    why = f"{notice.venue} reports a {what} on {notice.symbol or 'a market'} that is not ours"
    log.warning(
        "order.unknown",
        message=f"[SAFETY] {why}",
        venue=notice.venue,
        venue_order_id=notice.venue_order_id,
        why=why,
        do=f"if you traded by hand, wait: it is compared again; else run {command('flatten')}",
    )
    return why


def say_forced(trade: Trade, fill: Fill, lost: Decimal) -> str:
    """The venue itself closed some of a position; returns the words."""
    key = trade.plan.key(fill.venue)
    why = f"{key}: the venue closed {plain(abs(lost))} that we held ({fill.kind})"
    say_closed_outside(trade, key, lost, why)
    return why


def say_closed_outside(trade: Trade, key: MarketKey, lost: Decimal, why: str) -> None:
    """A position shrank that the bot did not close."""
    log.warning(
        "trade.closed_outside",
        message=f"[SAFETY] {why}",
        trade_id=trade.plan.trade_id,
        venue=key.venue,
        pair=trade.plan.pair,
        size=plain(lost),
        why=why,
        do="nothing: the other leg is reduced by the same amount",
    )


def say_reopened(trade: Trade, *, taken_back: bool) -> None:
    """A trade that was over goes on."""
    why = "a fill was taken back by the venue" if taken_back else "a fill was told late"
    log.error(
        "trade.reopened",
        message=f"[SAFETY] {trade.plan.pair}: {trade.plan.trade_id} was over, but {why}: "
        f"net {plain(trade.net)} is closed now",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        net=plain(trade.net),
        why=why,
        do="nothing: it is reduced; look at the venue's page if it lasts",
    )


def say_journal_failed(why: str) -> None:
    """A row could not be written."""
    log.error(
        "journal.failed",
        message=f"[SAFETY] The journal cannot be written: {why}",
        why=why,
        do="free the disk; the bot goes on closing from memory and opens nothing",
    )
