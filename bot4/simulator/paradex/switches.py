"""What the Paradex documents leave open, or a test wants otherwise: the switches of this face."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal

import attrs

from bot4.simulator.choices import check_choices


@attrs.frozen
class Switches:
    """Read from the venue's ``switches``, by these names, plain or after ``paradex.``."""

    chain_id: str = "PRIVATE_SN_POTC_SEPOLIA"
    """What GET /system/config announces and signatures must name."""
    subkeys: tuple[str, ...] = ()
    """Further public keys registered for the account, 0x-hexadecimal."""
    token_life_s: float = 300.0
    recv_window_ms: int = 300_000
    """Receive window of an order that names none. Source: docs, receive window, 2026-11."""
    recv_window_min_ms: int = 10
    future_ms: int = 300_000
    """How far ahead an order may be signed. The documents do not say."""
    remainder_reason: str = "IOC_REMAINDER"
    """cancel_reason of what an IOC or market order left. The documents do not say."""
    reduce_only_reason: str = "REDUCE_ONLY"
    """cancel_reason of a reduce-only order with nothing to reduce. The documents do not say."""
    price_band_reason: str = "PRICE_BAND"
    """cancel_reason of a limit beyond the price band. The documents do not say."""
    halt_reason: str = "MARKET_NOT_OPEN"
    """cancel_reason of an order that lands while its market is halted. The documents do not say."""
    settles_delisted: bool = True
    """Whether positions of a delisted market are settled at the mark, for ``house.SETTLE_FEE``.
    Source: Paradex docs, Fees, "settlement on delisting", seen 2026-11."""
    deleverage_reason: str = "DELEVERAGE"
    """cancel_reason of an order cancelled for lack of margin. The documents do not say."""
    max_order_size: Decimal | None = None
    """Largest order of every market, base units; None is each market's own."""
    position_limit: Decimal | None = None
    """Largest position of every market, open orders of its side included; None likewise."""
    max_open_orders: int | None = None
    """Most live orders of every market; None likewise."""
    position_limit_reason: str = "ORDER_EXCEEDS_POSITION_LIMIT"
    """cancel_reason of an order beyond the position limit. Known from client code only."""
    modify_size: Literal["total", "remaining"] = "total"
    """"total": the size of a modify counts what is filled already; "remaining": it does not."""
    busted_fills_shown: bool = True
    """Whether GET /fills still lists a fill that was taken back. The documents do not say."""
    unique_client_ids: Literal["live", "all"] = "live"
    """"live": DUPLICATED_CLIENT_ID among live orders; "all": among closed ones too."""
    history_shows_new: bool = False
    """Whether GET /orders-history lists orders that have not reached the engine yet."""
    sbe_versions_to: Literal[0, 1, 2, 3, "none"] = 3
    """The newest SBE version served, 0 to 3; another is refused with HTTP 400. "none": sessions in
    JSON only. The documents serve 0 and 1, clients of 2026 ask for 2 and 3."""
    require_sbe: bool = False
    """Whether a WebSocket without SBE parameters is refused with HTTP 400."""
    private_sbe: bool = False
    """Whether private events are SBE frames (templates 20-23) on an SBE session."""
    close_unused_s: float = 0.0
    """Close with code 4031 a connection that had no subscription for so long; 0 is never."""
    cancel_on_polite_close: bool = False
    """Whether cancel-on-disconnect acts on a clean close too. The documents do not say."""
    rate_limits: bool = True
    verify_every: int = 1
    """Check the signature of one order or change in so many; the others are believed."""
    health_s: float = 5.0
    """Time between two looks at the account's margin. Source: docs, liquidations, 2026-11."""
    frame_s: float = 0.1
    """Time between two frames of an order book. Source: live capture, 10-12 a second, 2026-10."""
    heartbeat_s: float = 20.0
    ping_s: float = 55.0
    pong_s: float = 5.0
    bump_s: float = 0.3
    """Speed bump of Retail orders and cancels."""
    interactive: Literal["granted", "ignored", "refused"] = "granted"
    """What becomes of the wish for an interactive token: "granted", "ignored" (a Pro token comes)
    or "refused". That a bot may have one is not documented."""
    interactive_fee_shown: bool = True
    """Whether ``fee_config`` of a market has its interactive part. The documents do not insist."""
    maker_fee: Decimal = Decimal("0.00003")
    """Pro maker rate. The taker rate is the market's. Source: docs, fees, since 2026-07-03."""
    tape_share: float = 0.1
    """Chance of a stranger's trade at each frame of a market somebody watches the tape of."""

    def limits(self) -> dict[str, Decimal | int | None]:
        """Return the limits of every market by the names of ``MarketLimits``."""
        return {
            "order": self.max_order_size,
            "position": self.position_limit,
            "open_orders": self.max_open_orders,
        }

    @classmethod
    def read(cls, switches: Mapping[str, Any]) -> Switches:
        """Take the venue's switches; those of another venue, after its name, are left alone.

        Raises:
            ValueError: a name that is none of ours, or a value that its switch does not know.
        """
        values: dict[str, Any] = {}
        known = attrs.fields_dict(cls)
        for name, value in switches.items():
            room, dot, own = name.rpartition(".")
            if dot and room != "paradex":
                continue
            if own not in known:
                raise ValueError(f"Paradex has no switch {own!r}")
            values[own] = value
        check_choices("Paradex", cls, values)
        for name in ("maker_fee", "max_order_size", "position_limit"):
            if values.get(name) is not None:
                values[name] = Decimal(str(values[name]))
        if "subkeys" in values:
            values["subkeys"] = tuple(values["subkeys"])
        return cls(**values)
