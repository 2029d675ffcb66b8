"""The simulated Paradex as the box builds it: engine, REST face, WebSocket face."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import trio

from bot4.simulator.orders import Side, SimOrder
from bot4.simulator.paradex.busts import bust
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.foreign import place_foreign
from bot4.simulator.paradex.health import check_margin
from bot4.simulator.paradex.house import execute_for_house
from bot4.simulator.paradex.rest import RestFace
from bot4.simulator.paradex.stream import PublicStream
from bot4.simulator.paradex.ws import WebSocketFace
from bot4.simulator.setup import VenueSetup


class ParadexVenue(ParadexEngine):
    """Paradex in a box.

    ``run`` must run while ``serve_rest`` and ``serve_ws`` serve streams whose TLS is already taken
    off. One account, whose key comes from the seed; ``credentials`` names it. Switches that start
    with ``paradex.`` are this face's: see ``bot4.simulator.paradex.switches.Switches``.

    Args:
        setup: seed, markets, prices, faults, latency, clock, keeping and switches.
    """

    def __init__(self, setup: VenueSetup) -> None:
        super().__init__(setup)
        self._looked_at = float("-inf")
        self.faults.on_immediate(self.name, "bust", partial(bust, self))
        self.faults.on_immediate(self.name, "foreign_order", partial(place_foreign, self))
        self._stream = PublicStream(self)
        self._rest_face = RestFace(self)
        self._ws_face = WebSocketFace(self, self._stream)

    async def serve_rest(self, stream: trio.abc.Stream) -> None:
        """Serve one HTTP connection. Cancellation: closes the stream forcefully."""
        await self._rest_face.serve(stream)

    async def serve_ws(self, stream: trio.abc.Stream) -> None:
        """Serve one WebSocket connection. Cancellation: closes the stream forcefully."""
        await self._ws_face.serve(stream)

    def house_order(self, symbol: str, side: Side, size: Decimal, kind: str) -> None:
        """Execute a liquidation, or an order a human gave through the web page."""
        execute_for_house(self, symbol, side, size, kind)

    @property
    def settles_delisted(self) -> bool:
        """Whether positions of a delisted market are settled, as the switch says."""
        return self.switches.settles_delisted

    def withdraw(self, order: SimOrder) -> None:
        """End a resting order whose market is gone, and tell."""
        self.end_order(order, self.switches.halt_reason, [])

    def check_health(self) -> None:
        """Look at the margin every ``health_s`` seconds."""
        now = trio.current_time()
        if now - self._looked_at >= self.switches.health_s:
            self._looked_at = now
            check_margin(self)

    async def services(self) -> None:
        """Push the public channels, for ever. Cancellation: safe."""
        await self._stream.keep_pushing()

    def truth_order(self, order: SimOrder) -> dict[str, Any]:
        """Return what the truth says of an order beyond what every venue says."""
        return {"client_id": order.handle, "cancel_reason": order.reason}
