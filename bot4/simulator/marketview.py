"""The market as one venue sees it: prices now, the book in force, the book its feed shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final

from bot4.simulator.faults import Fault
from bot4.simulator.ghosts import haunted
from bot4.simulator.orders import Depth, Execution, Side, SimMarket
from bot4.simulator.setup import VenueSetup


class MarketView:
    """Reads prices and takes liquidity for one venue."""

    def __init__(self, setup: VenueSetup) -> None:
        self.setup: Final = setup
        self.name: Final = setup.name
        self.markets: Final = setup.markets
        self.faults: Final = setup.faults

    def mark(self, symbol: str) -> Decimal:
        """Return the venue's own price now, unrounded."""
        return self.setup.model.mid(self.name, self.markets[symbol].base)

    def index(self, symbol: str) -> Decimal:
        """Return the reference price both venues share now, unrounded."""
        return self.setup.model.index(self.markets[symbol].base)

    def book(self, symbol: str, *, retail: bool = False) -> Depth:
        """Return the book in force now, best first.

        Args:
            symbol: the market.
            retail: with the liquidity only interactive orders meet (Paradex RPI).
        """
        market = self.markets[symbol]
        return self.setup.liquidity.depth(market, self.mark(symbol), retail=retail)

    def published(self, symbol: str) -> Depth:
        """Return the book as a public feed shows it now: late where the venue's feed is late.

        The fault ``ghost`` shows a level that is not there.
        """
        market = self.markets[symbol]
        shown = self.setup.model.picture(self.name, market.base)
        depth = self.setup.liquidity.depth(market, shown)
        return haunted(depth, market, self.faults.active(self.name, "ghost", symbol=symbol))

    def public_book(self, symbol: str) -> tuple[Depth, int]:
        """Return the book and the sequence number the public sees now; 0 where there is none."""
        return self.published(symbol), 0

    def halted(self, symbol: str) -> Fault | None:
        """Return the fault ``halt`` or ``delist`` that closes a market now, or None."""
        halt = self.faults.active(self.name, "halt", symbol=symbol)
        return halt or self.faults.active(self.name, "delist", symbol=symbol)

    def listed(self) -> Mapping[str, SimMarket]:
        """Return the markets the venue shows: all but those that the fault ``delist`` took away."""
        if self.faults.active(self.name, "delist") is None:
            return self.markets
        gone = partial(self.faults.active, self.name, "delist")
        return {s: market for s, market in self.markets.items() if gone(symbol=s) is None}

    def execute(
        self,
        symbol: str,
        side: Side,
        size: Decimal,
        limit: Decimal | None,
        *,
        retail: bool = False,
        reduce_only: bool = False,
    ) -> Execution:
        """Take liquidity now, down to ``limit``; what is taken comes back over seconds.

        The venue's liquidity decides whether an order may fill in part (Paradex) or only whole
        (Vest). Takes the faults ``no_fill`` and ``partial_fill``.
        """
        occasion: dict[str, Any] = {"symbol": symbol, "side": side, "reduce_only": reduce_only}
        if self.faults.take(self.name, "no_fill", **occasion) is not None:
            return Execution()
        market = self.markets[symbol]
        part = self.faults.take(self.name, "partial_fill", **occasion)
        if part is not None:
            share = size * Decimal(str(part.args.get("fraction", "0.5")))
            size = share // market.lot * market.lot
            if size <= 0:
                return Execution()
        return self.setup.liquidity.execute(
            market, side, size, limit, self.mark(symbol), retail=retail
        )

    def quote(self, symbol: str, side: Side, size: Decimal) -> Execution:
        """Return what an order without a limit would get now, taking nothing."""
        market = self.markets[symbol]
        return self.setup.liquidity.execute(
            market, side, size, None, self.mark(symbol), consume=False
        )

    def hourly_funding(self, symbol: str) -> Decimal:
        """Return the funding rate per hour; positive is paid by longs.

        The fault ``funding`` replaces it by ``hourly``, or turns its sign.
        """
        rate = self.setup.model.hourly_funding(self.name, self.markets[symbol].base)
        fault = self.faults.active(self.name, "funding", symbol=symbol)
        if fault is None:
            return rate
        return Decimal(str(fault.args["hourly"])) if "hourly" in fault.args else -rate
