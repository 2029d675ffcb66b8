"""The simulated Paradex as the box builds it: engine, REST face, WebSocket face."""

from __future__ import annotations

from typing import Any

import trio

from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex.engine import ParadexEngine
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
        self._stream = PublicStream(self)
        self._rest_face = RestFace(self)
        self._ws_face = WebSocketFace(self, self._stream)

    async def serve_rest(self, stream: trio.abc.Stream) -> None:
        """Serve one HTTP connection. Cancellation: closes the stream forcefully."""
        await self._rest_face.serve(stream)

    async def serve_ws(self, stream: trio.abc.Stream) -> None:
        """Serve one WebSocket connection. Cancellation: closes the stream forcefully."""
        await self._ws_face.serve(stream)

    async def services(self) -> None:
        """Push the public channels, for ever. Cancellation: safe."""
        await self._stream.keep_pushing()

    def truth_order(self, order: SimOrder) -> dict[str, Any]:
        """Return what the truth says of an order beyond what every venue says."""
        return {"client_id": order.handle, "cancel_reason": order.reason}
