"""Two far orders at once, one of them changed, both cancelled at once: what only some venues take.

The bot trades without any of it. It is tried so that a person knows before it is relied upon.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from typing import Final

import trio

from bot4.domain.market import Market
from bot4.domain.order import Order, OrderReport
from bot4.domain.units import floor_step, plain
from bot4.ports import BatchCodec, Refused
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID
from bot4.wiring.probe import (
    LIMIT_S,
    REST_LIMIT_S,
    WINDOW_MS,
    cancelled,
    failed,
    far_order,
    look,
    rests,
)

FURTHER: Final = Decimal("0.99")
"""Of the first limit: further from the market still."""


async def probe_batch(gateway: Gateway, codec: BatchCodec, market: Market) -> str:
    """Send two small buy orders far below the market, change one, cancel both.

    Raises:
        VenueRefused: one was refused, did not rest, changed its id, did not end, or filled.
        As ``Gateway.ask``, when nothing was sent.

    Cancellation: shielded, at most ``LIMIT_S``: orders that were sent are cancelled first.
    """
    orders = [await far_order(gateway, market, attempt) for attempt in (2, 3)]
    size = plain(orders[0].size)
    ended: list[OrderReport] = []
    whys: list[str] = []
    with trio.move_on_after(LIMIT_S, shield=True):
        whys += await _send(gateway, codec, orders)
        if not whys:
            whys += await _change(gateway, codec, orders[0], market)
        whys += await _cancel_both(gateway, codec, orders)
        async with trio.open_nursery() as waiting:
            for order in orders:
                waiting.start_soon(partial(_end, gateway, order, ended))
    said = f"2 x {size} {market.key.symbol}"
    if len(ended) < len(orders):
        raise failed(gateway, f"{said}: {len(orders) - len(ended)} of them may still be open")
    if any(report.filled for report in ended):
        raise failed(gateway, f"{said}: something of them filled")
    if whys:
        raise failed(gateway, f"{said}: {'; '.join(whys)}")
    return f"{said} rested, one was changed in place, and both were cancelled at once"


async def _send(gateway: Gateway, codec: BatchCodec, orders: list[Order]) -> list[str]:
    """Send both; return what went wrong. What was refused is dropped: it never existed."""
    await gateway.sign_in()
    signed, errand = codec.sign_batch(orders, gateway.now_ms(), WINDOW_MS)
    try:
        outcomes = await gateway.ask(errand)
    except SAID as said:
        return [f"sending: {said}"]
    parts = list(zip(signed, outcomes, strict=True))
    orders[:] = [order for order, outcome in parts if not isinstance(outcome, Refused)]
    refused = [outcome.why for _, outcome in parts if isinstance(outcome, Refused)]
    if refused:
        return [f"refused: {why}" for why in refused]
    for order in orders:
        with trio.move_on_after(REST_LIMIT_S):
            if await rests(gateway, order):
                continue
        return [f"{order.client_order_id} never rested"]
    return []


async def _change(
    gateway: Gateway, codec: BatchCodec, order: Order, market: Market
) -> Sequence[str]:
    limit = floor_step(order.limit * FURTHER, market.tick)
    try:
        before = await look(gateway, order)
        if before is None:
            return ["the order to be changed is not found"]
        await gateway.ask_signed_in(lambda now_ms: codec.modify(order, before, limit, now_ms))
        after = await look(gateway, order)
    except SAID as said:
        return [f"changing: {said}"]
    if after is None or after.venue_order_id != before.venue_order_id or after.state.terminal:
        return ["the changed order is not the same order any more"]
    return []


async def _cancel_both(
    gateway: Gateway, codec: BatchCodec, orders: Sequence[Order]
) -> Sequence[str]:
    found = [report for order in orders if (report := await look(gateway, order)) is not None]
    try:
        if found:
            await gateway.ask_signed_in(lambda now_ms: codec.cancel_batch(found, now_ms))
    except SAID as said:
        return [f"cancelling at once: {said}"]
    return []


async def _end(gateway: Gateway, order: Order, ended: list[OrderReport]) -> None:
    """See an order end, cancelling it alone where the batch did not."""
    with suppress(*SAID):
        ended.append(await cancelled(gateway, order))
