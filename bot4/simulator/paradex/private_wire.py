"""Private events on the wire: JSON, or the binary templates where there is one."""

from __future__ import annotations

from typing import Any, Final

from bot4.simulator.paradex import sbe
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.feed import Wire

TEMPLATED: Final = frozenset({"orders", "fills", "positions", "account"})
"""Kinds of event that have a template; the others are JSON on every session."""


def private_frame(
    engine: ParadexEngine, wire: Wire, kind: str, body: dict[str, Any]
) -> bytes | None:
    """Return the binary frame of an event, None when it goes out as JSON."""
    if wire is None or not engine.switches.private_sbe or kind not in TEMPLATED:
        return None
    time_us = engine.wall_ms() * 1000
    match kind:
        case "orders":
            return sbe.order_frame(wire, body, time_us=time_us)
        case "fills":
            return sbe.fill_frame(wire, body, time_us=time_us, seq_no=engine.stamp())
        case "positions":
            return sbe.position_frame(wire, body, time_us=time_us)
        case _:
            return sbe.account_frame(wire, body, time_us=time_us)
