"""What one simulated venue is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from bot4.simulator.faults import FaultMenu
from bot4.simulator.latency import Latency
from bot4.simulator.ledger import SimFill
from bot4.simulator.liquidity import Liquidity
from bot4.simulator.market import MarketModel
from bot4.simulator.orders import SimMarket, SimOrder

TICK_S: Final = 0.1
"""How often resting orders, funding and margins are looked at. Source: ours."""

Save = Callable[[str, SimOrder | None, list[SimFill], dict[str, Any]], None]
"""Venue, the order that changed, new fills, the venue's state: made durable before returning."""


def save_nothing(
    venue: str, order: SimOrder | None, fills: list[SimFill], state: dict[str, Any]
) -> None:
    """Keep nothing: for worlds that live in memory."""


@attrs.frozen
class VenueSetup:
    """What a venue is built from."""

    name: str
    seed: int
    markets: Mapping[str, SimMarket]
    """By symbol."""
    model: MarketModel
    liquidity: Liquidity
    faults: FaultMenu
    latency: Latency
    wall_ms: Callable[[], int]
    """The venue's clock, milliseconds since the epoch."""
    save: Save = save_nothing
    tick_s: float = TICK_S
    switches: Mapping[str, Any] = attrs.field(factory=dict)
    """What the documents leave open, by name; each face lists its own."""
