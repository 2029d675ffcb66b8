"""The far order: proof that orders and cancels work, with next to no chance of a trade."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Final

import trio

from bot4.domain.book import BadBook, Keeper
from bot4.domain.market import Market
from bot4.domain.order import Order, OrderReport, OrderState, Purpose, Side
from bot4.domain.units import ceil_step, floor_step, from_e8, plain
from bot4.errors import ProtocolViolation, VenueRefused
from bot4.ports import Accepted, InDoubt, NotSent, PlaceOutcome, Refused
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID
from bot4.tasks.parcel import Parcel

FAR: Final = Decimal("0.8")
"""Of the best bid: the market would have to fall by a fifth within seconds. Source: ours."""
ROOM: Final = Decimal("1.2")
"""Above the venue's least notional: that is counted at the mark price."""
WINDOW_MS: Final = 5000
LIMIT_S: Final = 15.0
REST_LIMIT_S: Final = 5.0
SETTLE_S: Final = 1.0
POLL_S: Final = 0.25


async def probe(gateway: Gateway, market: Market, leverage: int) -> str:
    """Send a small buy order a fifth below the market, see it rest, cancel it, see it end.

    Raises:
        VenueRefused: it was refused, did not rest, did not end in time, or something filled.
        As ``Gateway.ask``, before anything was sent.

    Cancellation: shielded, at most ``LIMIT_S``: an order that was sent is cancelled first.
    """
    order: Order | None = None
    rested, ended = False, None
    with trio.move_on_after(LIMIT_S, shield=True):
        await _set_leverage(gateway, market, leverage)
        order = await _place(gateway, market)
        with trio.move_on_after(REST_LIMIT_S):
            rested = await rests(gateway, order)
        ended = await cancelled(gateway, order)
    if order is None:
        raise failed(gateway, f"not sent within {LIMIT_S:g} s")
    said = f"{plain(order.size)} {market.key.symbol} at {plain(order.limit)}"
    if ended is None:
        raise failed(gateway, f"{said} ({order.client_order_id}) may still be open")
    if ended.filled:
        raise failed(gateway, f"{said}: {plain(ended.filled)} of it filled")
    if not rested:
        raise failed(gateway, f"{said} never rested: {ended.reason or ended.state.value}")
    return f"{said} rested, and was cancelled"


async def far_order(gateway: Gateway, market: Market, attempt: int) -> Order:
    """Return the smallest buy order that the venue takes, a fifth below the market.

    Raises:
        As ``Gateway.ask``.
    """
    update = await gateway.ask(gateway.codec.book(market.key.symbol))
    try:
        book = Keeper(market.key).apply(update, trio.current_time())
    except BadBook as bad:
        raise ProtocolViolation(gateway.venue, f"{market.key.symbol} book: {bad}") from None
    if book is None:
        raise ProtocolViolation(gateway.venue, f"{market.key.symbol}: no book")
    limit = floor_step(from_e8(book.bid) * FAR, market.tick)
    least = max(market.min_size, market.min_notional * ROOM / limit)
    return Order(
        client_order_id=gateway.codec.next_handle(gateway.now_ms(), 1, "D", attempt),
        trade_id="doctor",
        key=market.key,
        side=Side.BUY,
        size=ceil_step(least, market.lot),
        limit=limit,
        purpose=Purpose.ENTER,
        attempt=attempt,
        reduce_only=False,
    )


async def _place(gateway: Gateway, market: Market) -> Order:
    slept = gateway.suspend.look()
    order = await far_order(gateway, market, 1)
    now_ms = gateway.now_ms()
    signed, errand = gateway.codec.sign_resting(order, now_ms, WINDOW_MS)
    outcomes: list[PlaceOutcome] = []
    answered = trio.Event()

    def on_answer(outcome: PlaceOutcome, _at: float | None) -> None:
        outcomes.append(outcome)
        answered.set()

    deadline = trio.current_time() + WINDOW_MS / 1000
    gateway.post(
        Parcel(
            signed,
            errand,
            opens=True,
            deadline=deadline,
            wait=None,
            slept=slept,
            sent=_noted,
            answered=on_answer,
        )
    )
    await answered.wait()
    match outcomes[0]:
        case Refused(code, why):
            raise failed(gateway, f"refused: {code} {why}")
        case NotSent(why):
            raise failed(gateway, f"not sent: {why}")
        case Accepted() | InDoubt():
            return signed  # asked about either way


def _noted() -> None:
    """Nothing to note: there is no journal here."""


async def rests(gateway: Gateway, order: Order) -> bool:
    """Wait until the order rests; False when it ended by itself.

    Vest has no word for resting: there it rests when it is accepted and nothing more happens.
    """
    accepted_at: float | None = None
    while True:
        report = await look(gateway, order)
        now = trio.current_time()
        if report is not None:
            if report.state.terminal:
                return False
            accepted_at = now if accepted_at is None else accepted_at
            if report.state is OrderState.OPEN or now - accepted_at > SETTLE_S:
                return True
        await trio.sleep(POLL_S)


async def cancelled(gateway: Gateway, order: Order) -> OrderReport:
    """Ask for its cancelling until it has ended."""
    while True:
        report = await look(gateway, order)
        if report is not None and report.state.terminal:
            return report
        if report is not None:
            with suppress(*SAID):
                await gateway.cancel(report)
        await trio.sleep(POLL_S)


async def look(gateway: Gateway, order: Order) -> OrderReport | None:
    """Ask once; no answer is no news."""
    try:
        report, _ = await gateway.find(order)
    except SAID:
        return None
    return report


async def _set_leverage(gateway: Gateway, market: Market, leverage: int) -> None:
    """Vest wants it set once before the first order. Source: Vest API docs, seen 2025-11."""
    wanted = min(leverage, int(market.max_leverage))
    account, positions = await gateway.account(), await gateway.positions()
    if dict(account.leverages).get(market.key.symbol) != wanted and not positions:
        await gateway.set_leverage(market.key.symbol, wanted)


def failed(gateway: Gateway, why: str) -> VenueRefused:
    """Return what a probe raises when the venue did not do as it should."""
    return VenueRefused(gateway.venue, why)
