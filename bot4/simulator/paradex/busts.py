"""Trade busts: a fill that the chain did not accept is taken back, and announced.

Source: Paradex docs, Trade busts, and the tradebusts channel (AsyncAPI 1.3.1), seen 2026-11.
"""

from __future__ import annotations

from typing import Final

from bot4.simulator.faults import Fault, UnknownFault
from bot4.simulator.orders import ZERO
from bot4.simulator.paradex import shapes
from bot4.simulator.paradex.engine import ParadexEngine

CHANNEL: Final = "tradebusts"


def bust(engine: ParadexEngine, fault: Fault) -> None:
    """Carry out the fault ``bust``: take back the newest fills, ``count`` of them.

    ``fill_id`` names one; ``market`` narrows to one market.

    Raises:
        UnknownFault: there is no such fill.
    """
    named, market = fault.args.get("fill_id"), fault.args.get("market")
    wanted = [
        fill
        for fill in reversed(engine.ledger.standing)
        if named in (None, fill.id) and market in (None, fill.symbol)
    ][: max(1, fault.count)]
    if not wanted:
        raise UnknownFault("no such fill to take back")
    for fill in wanted:
        funding = engine.ledger.settle_funding(fill.symbol)
        engine.note_payment(fill, funding)
        engine.ledger.take_back(fill, engine.wall_ms())
        _amend_holding(engine, fill.symbol)
        engine.save()
        event = shapes.bust(engine, fill.id)
        engine.tell([(CHANNEL, event), *engine.standing_events(fill.symbol)])


def _amend_holding(engine: ParadexEngine, symbol: str) -> None:
    holding, size = engine.holdings[symbol], engine.ledger.position(symbol).size
    standing = [fill for fill in engine.ledger.standing if fill.symbol == symbol]
    since = [fill for fill in standing if fill.time_ms >= holding.created_ms]
    holding.realized = shapes.text(sum((fill.realized_pnl for fill in since), ZERO))
    holding.last_fill_id = standing[-1].id if standing else ""
    holding.updated_ms = engine.wall_ms()
    holding.closed_ms = 0 if size else engine.wall_ms()
    if size:
        holding.side = "LONG" if size > 0 else "SHORT"
