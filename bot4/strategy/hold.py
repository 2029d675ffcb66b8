"""Why nothing is done: a closed list of words, so that holds can be counted and explained."""

from __future__ import annotations

from enum import StrEnum

import attrs


class Reason(StrEnum):
    """One word per cause; they never change, logs and counters depend on them."""

    # the picture
    NO_BOOK = "no_book"
    PARADEX_STALE = "paradex_stale"
    VEST_STALE = "vest_stale"
    VEST_SILENT = "vest_silent"
    """No answer to a recent heartbeat."""
    SKEW = "skew"
    """The two books are of too different an age."""
    QUOTE_RATE = "quote_rate"
    MARKET_CLOSED = "market_closed"
    SUSPECT = "suspect"
    """Too good to be true: more than ``max_spread``."""
    # the price
    BELOW_ENTRY = "below_entry"
    BELOW_EXIT = "below_exit"
    THIN = "thin"
    """Not enough depth inside the limits."""
    ROUNDING = "rounding"
    """No two limit prices on the ticks are both marketable and safe."""
    CONFIRMING = "confirming"
    EDGE = "edge"
    """A round trip would not pay."""
    # the size
    MINIMUM = "minimum"
    """What is left is below a venue's smallest order."""
    CAP = "cap"
    # the gates that the tasks keep
    UNEXPLAINED = "unexplained"
    """A position or order that no trade of ours accounts for."""
    BLOCKED = "blocked"
    """Another reason of the tasks, told in the detail."""
    COOLDOWN = "cooldown"
    BREAKER = "breaker"
    DAILY_LOSS = "daily_loss"
    ORDER_RATE = "order_rate"
    PREMIUM = "premium"
    """Vest charges more than we learned to expect."""
    SLOW = "slow"
    """Orders take too long to reach a venue."""


@attrs.frozen
class Hold:
    """Do nothing, and why."""

    reason: Reason
    detail: str = ""
    """One clause in plain words, with numbers and units; may be empty."""
