"""Reading one stream of a venue for a while, as the bot would, to see whether it works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from bot4.errors import HandshakeRefused
from bot4.ports import Notice, StreamCodec, Wire, World
from bot4.transport.websocket import connect

LIMIT_S: Final = 10.0


async def listen(world: World, codec: StreamCodec, hear: Callable[[Notice], bool]) -> float:
    """Read a stream until ``hear`` has what it wants, or ``LIMIT_S`` are over.

    Returns:
        How long it took, seconds.

    Raises:
        ConnectionLost, ProtocolViolation: it cannot be opened or read.

    Cancellation: the link is dropped.
    """
    begun = trio.current_time()
    with trio.move_on_after(LIMIT_S):
        while True:
            try:
                async with connect(world, codec.venue, codec.url()) as wire:
                    await _hear_out(codec, wire, hear)
                break
            except HandshakeRefused as refused:
                if not codec.refused(refused.status):
                    raise
    return trio.current_time() - begun


async def _hear_out(codec: StreamCodec, wire: Wire, hear: Callable[[Notice], bool]) -> None:
    for text in codec.hello():
        await wire.send(text)
    while True:
        frame = await wire.receive()
        # Every notice of a frame is heard, also after the one that was enough.
        if any(list(map(hear, codec.read(frame)))):
            return
