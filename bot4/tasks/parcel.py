"""One signed order on its way from a desk to a venue's counter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from bot4.domain.order import Order
from bot4.ports import Errand, PlaceOutcome


@attrs.frozen
class Parcel:
    """One signed order on its way."""

    order: Order
    errand: Errand[PlaceOutcome]
    opens: bool
    deadline: float
    """Trio time after which an opening order does not leave any more."""
    wait: Callable[[], Awaitable[str]] | None
    """Asked before everything else, where it must not leave yet; returns why it must not at all,
    "" when it may go."""
    slept: int
    """How often the machine had slept when it was decided: after another sleep it stays home."""
    sent: Callable[[], None]
    """Called just before the first byte."""
    answered: Callable[[PlaceOutcome, float | None], None]
    """Called once with the outcome and the time of the last byte."""
