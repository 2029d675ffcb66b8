"""Our counter at one venue: ask, sign, send, find, cancel. One class for both venues.

What differs between venues is in the codec. Orders are carried by the gateway's own nursery, so
nobody who waits for an order can cancel its sending.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

import attrs
import trio

from bot4.domain.fill import Fill
from bot4.domain.market import Market
from bot4.domain.order import Order, OrderReport, OrderState
from bot4.domain.position import Account, Position
from bot4.errors import ProtocolViolation, VenueRefused
from bot4.ports import (
    Accepted,
    Answer,
    Errand,
    FillPage,
    HttpDoor,
    InDoubt,
    NotSent,
    PaymentPage,
    PlaceOutcome,
    Refused,
    Retry,
    Unread,
    VenueCodec,
    World,
)
from bot4.strategy.receiving import MOST_MS, ReceiveWindow
from bot4.tasks.gate import Gate
from bot4.tasks.health import Health
from bot4.tasks.line import Line
from bot4.tasks.parcel import Parcel
from bot4.tasks.refused_markets import RefusedMarkets, RefusedSizes
from bot4.tasks.suspend import SuspendWatch

T = TypeVar("T")

ORDER_TIMEOUT_S = 8.0
"""Of one order's exchange; the saga stops waiting for it long before."""
QUEUE = 64


class Gateway(Line):
    """One venue's counter. ``run`` must be running before anything is sent."""

    def __init__(
        self,
        codec: VenueCodec,
        door: HttpDoor,
        world: World,
        *,
        health: Health | None = None,
        window_ms: int = 2000,
        gate: Gate | None = None,
        stays_home: Callable[[], str] = lambda: "",
        hide: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            codec: how the venue speaks.
            door: the way to its REST side.
            world: for the wall clock.
            health: its error budget, where opening depends on it.
            window_ms: receive window of orders until enough of them were measured.
            gate: stops opening for what answers say; None where nothing opens.
            stays_home: why no opening order may leave now, "" when it may; asked last of all.
            hide: told of every token, so that no log line shows it.
        """
        super().__init__(codec, door, world, health=health, gate=gate, hide=hide)
        self._stays_home = stays_home
        self.refused_markets = RefusedMarkets(codec.venue, self.gate)
        self.suspend = SuspendWatch(world.suspended_s)
        """Notices that the machine slept; whoever decides shares it with the gate below."""
        self.refused_sizes = RefusedSizes(codec.venue, self.gate)
        self._queue, self._parcels = trio.open_memory_channel[Parcel](QUEUE)
        self.window = ReceiveWindow(window_ms)
        self.on_wire = 0
        """Orders sent whose exchange has not ended."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Carry parcels for ever; started at once.

        Cancellation: what is on the wire is shielded by the door and ends by its own timeout.
        """
        async with trio.open_nursery() as sending:
            task_status.started()
            async for parcel in self._parcels:
                sending.start_soon(self._carry, parcel)

    # ------------------------------------------------------------------------- asking

    async def markets(self) -> Sequence[Market]:
        """Every market the venue lists. Raises as ``ask``."""
        return await self.ask(self.codec.markets())

    async def state(self) -> str:
        """Why the venue takes no opening orders; "" when it does or has no word for it.

        Raises:
            As ``ask``.
        """
        errand = self.codec.state()
        return "" if errand is None else await self.ask(errand)

    async def account(self) -> Account:
        """The account. Raises as ``ask``."""
        return await self.ask_signed_in(self.codec.account)

    async def positions(self, symbols: Collection[str] | None = None) -> Sequence[Position]:
        """Every open position that can be read; of one that cannot it is told.

        Args:
            symbols: markets that must be readable. None: where one is not, only once nothing
                else is held is that no answer, so that what can be read can be closed first.

        Raises:
            ProtocolViolation: such a position cannot be read: it is not known what is held.
            As ``ask``.
        """
        rows = await self.ask_signed_in(self.codec.positions)
        held = self._readable(rows)
        for one in rows:
            if isinstance(one, Unread) and (
                not one.symbol or (not held if symbols is None else one.symbol in symbols)
            ):
                raise ProtocolViolation(
                    self.venue, f"the position of {one.symbol or 'a market'}: {one.why}"
                )
        return held

    async def set_leverage(self, symbol: str, value: int) -> None:
        """Set one symbol's leverage. Raises as ``ask``."""
        await self.ask_signed_in(lambda now_ms: self.codec.leverage(symbol, value, now_ms))

    async def open_orders(self) -> Sequence[OrderReport]:
        """Every open order; of one that cannot be read, its id and market. Raises as ``ask``."""
        rows = await self.ask_signed_in(self.codec.open_orders)
        self._readable(rows)
        return [_somebodys(one) if isinstance(one, Unread) else one for one in rows]

    async def find(self, order: Order) -> tuple[OrderReport | None, int]:
        """What became of an order, and the venue's clock when it said so. Raises as ``ask``.

        A "not found" is proof only past the order's fence, so the venue's clock is read anew after
        it, and the time told is when we asked, less the reading's error: never too early.
        """
        asked_ms = self._world.wall_ms()
        report = await self.ask_signed_in(lambda now_ms: self.codec.find(order, now_ms))
        if report is None:
            await self.sync_clock()
        return report, asked_ms + self.offset_ms - self.clock_error_ms

    async def fills(self, order: Order) -> Sequence[Fill]:
        """The fills of one order, as far as they can be read. Raises as ``ask``."""
        return self._fills(await self.ask_pages(partial(self.codec.fills, order)))

    async def market_fills(self, symbol: str, since_ms: int) -> Sequence[Fill]:
        """All of the account's fills on a market since a venue time that can be read, by pages.

        Raises:
            As ``ask``.
        """
        return self._fills(await self.ask_pages(partial(self.codec.market_fills, symbol, since_ms)))

    async def funding(self, order: Order) -> Mapping[str, Decimal]:
        """Funding received with the fills around an order, by fill id. Raises as ``ask``."""
        first = self.codec.funding(order, "", self.now_ms())
        if first is None:
            return {}

        def ask(page: str, now_ms: int) -> Errand[PaymentPage]:
            return self.codec.funding(order, page, now_ms) or first

        pages = await self.ask_pages(ask)
        # One that moved to the next page while they were read is there twice.
        paid = {one.payment_id: one for page in pages for one in page.payments}
        received: dict[str, Decimal] = {}
        for one in paid.values():
            received[one.fill_id] = received.get(one.fill_id, Decimal(0)) + one.amount
        return received

    async def cancel(self, report: OrderReport) -> None:
        """Cancel one order; one that already ended is not an error.

        Raises:
            VenueRefused: it has no name to cancel it by.
            As ``ask``.
        """
        if not report.venue_order_id and not report.client_order_id:
            raise VenueRefused(self.venue, "an order without an id cannot be cancelled")
        await self.ask_signed_in(lambda now_ms: self.codec.cancel(report, now_ms, MOST_MS))

    async def cancel_everything(self) -> int:
        """Cancel every open order of the account and return how many were seen.

        Raises:
            As ``ask``; of the orders that cannot be cancelled the first, when all were tried.
        """
        reports = await self.open_orders()
        if not reports or await self.cancel_all():
            return len(reports)
        await self.cancel_each(reports)
        return len(reports)

    async def cancel_all(self) -> bool:
        """Cancel whatever the account has open, where the venue can: False where it cannot.

        Raises:
            As ``ask``.
        """
        everything = self.codec.cancel_all(self.now_ms())
        if everything is None:
            return False
        await self.ask_signed_in(lambda now_ms: self.codec.cancel_all(now_ms) or everything)
        return True

    async def cancel_each(self, reports: Sequence[OrderReport]) -> None:
        """Cancel every one of these, one by one. Raises as ``cancel_everything``."""
        refused: VenueRefused | None = None
        for report in reports:
            try:
                await self.cancel(report)
            except VenueRefused as refusal:
                refused = refused or refusal
        if refused is not None:
            raise refused

    def _fills(self, pages: Sequence[FillPage]) -> list[Fill]:
        return [fill for page in pages for fill in self._readable(page.fills)]

    def _readable(self, rows: Sequence[T | Unread]) -> list[T]:
        for one in rows:
            if isinstance(one, Unread):
                self.tell(one)
        return [one for one in rows if not isinstance(one, Unread)]

    # ------------------------------------------------------------------------- sending

    def post(self, parcel: Parcel) -> None:
        """Hand over a signed, journaled order. Never blocks.

        Raises:
            trio.WouldBlock: the queue is full; nothing was sent.
        """
        self.on_wire += 1
        try:
            self._queue.send_nowait(parcel)
        except trio.WouldBlock:
            self.on_wire -= 1
            raise

    def wake(self) -> None:
        """The machine slept: connections of before are not used again, the clock is measured."""
        self._door.leave_connections()
        self.doubt_clock()

    def take_refusal(self, retry: Retry, symbol: str, why: str) -> None:
        """Note what a refused order, at once or later, says of our own time or of its market."""
        if retry is Retry.RESIGN:
            self.window.expired()
            self.doubt_clock()
        elif retry is Retry.SHUT:
            self.refused_markets.refused(symbol, why)
        elif retry is Retry.LIMIT:
            self.refused_sizes.refused(symbol, why)
            self.on_trouble()  # the limits are read anew at once

    async def _carry(self, parcel: Parcel) -> None:
        try:
            outcome, sent_at = await self._exchange(parcel)
        finally:
            self.on_wire -= 1
        parcel.answered(outcome, sent_at)

    def _held(self, parcel: Parcel) -> str:
        """The last gate, here and once more where the first byte leaves; "" lets it pass.

        Nothing leaves that was decided on a picture of before a sleep, and nothing opens after
        the stop sign or too late.
        """
        if self.suspend.look() != parcel.slept:
            return "this machine slept since the order was decided"
        if parcel.opens and (why := self._stays_home()):
            return why
        if parcel.opens and trio.current_time() > parcel.deadline:
            return "the deadline passed before the first byte"
        return ""

    async def _exchange(self, parcel: Parcel) -> tuple[PlaceOutcome, float | None]:
        if parcel.wait is not None and (why := await parcel.wait()):
            return NotSent(why), None
        if why := self._held(parcel):
            return NotSent(why), None
        parcel.sent()
        request = attrs.evolve(parcel.errand.request, held=partial(self._held, parcel))
        outcome = await self._door.send(request, timeout_s=ORDER_TIMEOUT_S)
        match outcome:
            case NotSent():
                self._note(good=False)
                return outcome, None
            case InDoubt():
                self._note(good=False)
                return outcome, outcome.sent_at
            case Answer():
                self.allowance.note(parcel.errand.pool, outcome)
                said = parcel.errand.read(outcome)
                self._note(good=not isinstance(said, InDoubt))
                lost = outcome.status == 401 or not self.codec.holds_session()
                if lost:
                    self.lose_session()
                if isinstance(said, Refused) and not (lost and said.retry is Retry.RESIGN):
                    self.take_refusal(said.retry, parcel.order.key.symbol, said.why)
                elif isinstance(said, Accepted):
                    # A venue that does not say when it received it had it before it answered.
                    received_ms = said.received_ms or self.now_ms()
                    self.window.took(received_ms - parcel.order.signed_ms)
                    self.refused_markets.accepted(parcel.order.key.symbol)
                return said, outcome.sent_at


def _somebodys(row: Unread) -> OrderReport:
    """What can be said of an order that cannot be read: it is there, and may be cancelled."""
    return OrderReport(row.venue, "", row.row_id, OrderState.OPEN, symbol=row.symbol)
