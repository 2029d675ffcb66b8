"""What Vest's documents leave open, as switches, and what the face is set to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import attrs

from bot4.simulator.choices import check_choices


@attrs.frozen
class VestSwitches:
    """Choices for one simulated Vest."""

    contract: Literal["prod", "dev"] = "dev"
    """Whose registration proofs are accepted."""
    account_group: int = 0
    frames: Literal["text", "binary", "mixed"] = "mixed"
    """How WebSocket JSON travels."""
    errors: Literal["plain", "detail", "ok"] = "plain"
    """Shape of an error body, see ``refusals``."""
    dead_key: Literal["401", "403", "401_plain", "403_plain"] = "401"
    """HTTP status of a missing or dead API key; ``plain`` is without code 1002. Source: one client
    of 2026 has met all four."""
    keys: Literal["one", "another", "newest"] = "one"
    """What registering again gives: the same API key, another beside the old ones, or another
    that ends them. The documents do not say."""
    cancel_needs_time: bool = True
    """Answer a cancel without ``time`` in its query 422. Source: one client of 2026 has met it."""
    nonce_needs_time: bool = True
    """The same for GET /account/nonce; the documents want it on every private GET."""
    ended_cancel_status: Literal[200, 400] = 400
    """HTTP status under the 3017 of an ended order. Source: one client of 2026 allows both."""
    flat_positions: bool = False
    """Keep a row of size 0 for each symbol once held. Source: one client of 2026 skips them."""
    account_time: Literal["now", "changed", "off"] = "now"
    """``time`` of GET /account: the clock, when the account last changed, or the clock and
    ``account_time_off_ms``. The documents do not say what it means."""
    account_time_off_ms: int = 5000
    account_address: str = ""
    """``address`` of GET /account; empty is the primary address. Another one is seen under a wrong
    account group. Source: one client of 2026 refuses to go on then."""
    house_nonce: bool = True
    """Whether a liquidation carries a nonce, or null. The documents do not say."""
    leverage_required: bool = True
    """Refuse orders (3020) on a symbol whose leverage was never set."""
    ioc_accepted: bool = False
    """Take the undocumented time in force IOC, as FOK."""
    limit_killed: Literal["REJECTED", "CANCELLED"] = "REJECTED"
    """What becomes of a LIMIT FOK order that cannot fill."""
    listen_key_s: float = 3600.0
    """Life of a listen key. Source: Vest API docs, Listen key, seen 2025-11."""
    most_window_ms: int = 120_000
    """Longest receive window; beyond it 1131. Source: ours, undocumented."""
    most_proof_days: int = 90
    """Longest life of a registration proof. Source: ours, undocumented."""
    requests_per_s: int = 50
    """Private requests, and as many public ones, answered in a second; 0 is no limit.
    Source: ours, undocumented; public clients keep below 10."""
    too_many_code: Literal[429, 1003] = 1003
    """Code of what is refused above that; clients of the real venue have met both."""
    tape_share: float = 0.1
    """Chance of a stranger's trade at each new picture of a market."""
    verify_every: int = 1
    """Check the signature of one order or cancel in so many; the others are believed."""
    oi_cap: Decimal | None = None
    """Largest position of a market, base units; an order beyond it ends as 3010. The code is
    documented, what it counts is not: here the account's own position. None is without a cap."""
    settles_delisted: bool = True
    """Whether positions of a delisted market are settled at the mark; undocumented."""
    premium_bps: Decimal = Decimal("0.8")
    """Risk premium on what a fill adds to the position, before its size."""
    premium_in: Literal["fees", "price", "both"] = "fees"
    """Where it is charged: ``both`` is half in each."""
    premium_doubles_at: Decimal = Decimal(20_000)
    """USDC of added notional at which the premium is twice the base."""

    @classmethod
    def read(cls, switches: Mapping[str, Any]) -> VestSwitches:
        """Take switches by name; decimals may come as text.

        Raises:
            ValueError: a name that is none of ours, or a value that its switch does not know.
        """
        values = dict(switches)
        unknown = set(values) - set(attrs.fields_dict(cls))
        if unknown:
            raise ValueError(f"Vest has no switch {sorted(unknown)}")
        check_choices("Vest", cls, values)
        for name in ("premium_bps", "premium_doubles_at", "oi_cap"):
            if values.get(name) is not None:
                values[name] = Decimal(str(values[name]))
        return cls(**values)
