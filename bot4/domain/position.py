"""What one venue says we hold and own."""

from __future__ import annotations

from decimal import Decimal

import attrs

from bot4.domain.market import MarketKey


@attrs.frozen
class Position:
    """A position as the venue reports it."""

    key: MarketKey
    size: Decimal
    """Signed, base units; positive is long."""
    entry_price: Decimal | None
    """None: not said."""
    liquidation_price: Decimal | None = None
    funding: Decimal | None = None
    """Funding that came with it and is not settled yet, USDC; received is positive. None: not said.
    """


@attrs.frozen
class Account:
    """An account as the venue reports it. Quote currency."""

    venue: str
    equity: Decimal
    free_collateral: Decimal
    maintenance_margin: Decimal
    leverages: tuple[tuple[str, int], ...] = ()
    """(symbol, leverage) where the venue tells."""
    venue_time_ms: int | None = None
    trouble: str = ""
    """Why nothing may be opened with it now, in words; "" when it is well."""
    stranger: str = ""
    """The address that the venue says it is of, where that is not the configured one."""
