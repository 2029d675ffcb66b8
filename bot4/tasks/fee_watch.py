"""Holds the fees that one venue charges against those that it lists, and says where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import structlog

from bot4.domain.market import Market, MarketKey
from bot4.domain.units import percent
from bot4.strategy.charged import MATERIAL, ChargedFees
from bot4.strategy.events import Event, Filled
from bot4.strategy.saga import Trade

log = structlog.get_logger()


class FeeWatch:
    """Hears every fill of one venue; ``applied`` is what decisions count with.

    Args:
        venue: whose.
        markets: what the venue lists now, by symbol.
        retail: whether planned orders go with an interactive token.
    """

    def __init__(self, venue: str, markets: Mapping[str, Market], *, retail: bool) -> None:
        self._venue = venue
        self._markets = markets
        self._retail = retail
        self._charged = ChargedFees()
        self._told: dict[MarketKey, Decimal] = {}

    def applied(self, market: Market) -> Market:
        """Return a market with the fee that was really seen, where it is higher."""
        return self._charged.applied(market)

    def heard(self, trade_id: str, event: Event, trade: Trade) -> None:
        """Take an event of the ledger."""
        del trade_id
        leg = trade.leg(event.client_order_id) if isinstance(event, Filled) else None
        if leg is None or leg.order.key.venue != self._venue or not isinstance(event, Filled):
            return
        self._charged = self._charged.saw(leg.order, event.fill)
        if (listed := self._markets.get(leg.order.key.symbol)) is not None:
            self._tell(listed, self.applied(listed).taker_fee)

    def _tell(self, listed: Market, charged: Decimal) -> None:
        """Say a difference once, again when it changed, and when it is gone."""
        told, expected = self._told.get(listed.key), percent(listed.taker_fee, 4)
        if charged == listed.taker_fee:
            if self._told.pop(listed.key, None) is not None:
                log.info(
                    "fees.agree",
                    message=f"[FEES] {listed.key} charges {expected} a fill again, as expected",
                    venue=listed.key.venue,
                    market=listed.key.symbol,
                    fee=expected,
                )
            return
        if told is not None and abs(charged - told) <= MATERIAL:
            return
        self._told[listed.key] = charged
        log.warning(
            "fees.differ",
            message=f"[FEES] {listed.key} charges {percent(charged, 4)} a fill, expected was "
            f"{expected}: entries have to pay for it now",
            venue=listed.key.venue,
            market=listed.key.symbol,
            fee=percent(charged, 4),
            expected=expected,
            why="it ignores or withdrew the interactive token of the retail profile, or more "
            "orders went out than it allows"
            if self._retail
            else "a fee tier or an allowance of the account changed",
            do=f"look at {listed.key.venue}'s page for the account's profile; if it stays, set "
            "profile: pro in bot4.yaml and look whether spread_entry pays for it"
            if self._retail
            else f"look at {listed.key.venue}'s page for the account's fees, and whether "
            "spread_entry pays for them",
        )
