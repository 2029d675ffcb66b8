"""Orders: what we mean to send, and what a venue says became of it."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import attrs

from bot4.domain.market import MarketKey


class Side(StrEnum):
    """The side of an order."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Purpose(StrEnum):
    """Why an order exists."""

    ENTER = "enter"
    EXIT = "exit"
    MEND = "mend"
    UNWIND = "unwind"
    FLATTEN = "flatten"

    @property
    def closes(self) -> bool:
        """Whether such an order only takes back what is held."""
        return self not in (Purpose.ENTER, Purpose.MEND)


@attrs.frozen
class Order:
    """One order as it is journaled before the first byte. Immutable."""

    client_order_id: str
    """Ours, never reused. Paradex: its ``client_id``; Vest: the decimal text of its nonce."""
    trade_id: str
    key: MarketKey
    side: Side
    size: Decimal
    """Base units, > 0, a multiple of the venue's lot."""
    limit: Decimal
    """Worst acceptable price, in the venue's quote currency, on the venue's tick."""
    purpose: Purpose
    attempt: int
    reduce_only: bool
    signed_ms: int = 0
    """Venue wall clock, ms, that the signature covers; 0 until signed."""
    window_ms: int = 0
    """Receive window: the venue refuses the order after ``signed_ms + window_ms``."""

    @property
    def closes(self) -> bool:
        """Whether it only takes back what is held, with or without the venue seeing to that."""
        return self.reduce_only or self.purpose.closes

    @property
    def fence_ms(self) -> int:
        """Venue time after which an order not yet received can never exist."""
        return self.signed_ms + self.window_ms


class OrderState(StrEnum):
    """What a venue says of an order, coarsest first; higher rank never goes back."""

    ACCEPTED = "accepted"
    """Queued, before the venue's own risk check (Paradex NEW, Vest NEW)."""
    OPEN = "open"
    """Resting or partially filled."""
    CLOSED = "closed"
    """Terminal: filled in full, in part or not at all."""
    REFUSED = "refused"
    """Terminal: nothing was or will be filled."""

    @property
    def terminal(self) -> bool:
        """Whether nothing more can happen to the order."""
        return self in (OrderState.CLOSED, OrderState.REFUSED)


@attrs.frozen
class OrderReport:
    """One statement of a venue about one order, from an answer, a stream or a question."""

    venue: str
    client_order_id: str
    """"" when the venue does not say (then match by ``venue_order_id``)."""
    venue_order_id: str
    state: OrderState
    symbol: str = ""
    """"" when the venue does not say."""
    side: Side | None = None
    size: Decimal | None = None
    filled: Decimal | None = None
    """Cumulative, base units; None when this statement does not say."""
    average_price: Decimal | None = None
    fee: Decimal | None = None
    """Cumulative, paid is positive; None when this statement does not say."""
    reason: str = ""
    """The venue's code or words for a refusal or cancellation."""
    venue_time_ms: int | None = None
    funding: Decimal | None = None
    """Cumulative, settled with the order's fills, USDC; received is positive, None as above."""
