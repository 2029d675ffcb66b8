"""What one venue is asked: lists, accounts, orders and what became of them; and cancels.

A row that cannot be read is told and stepped over: it is no reason to know nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import TypeVar

from bot4.domain.fill import Fill
from bot4.domain.market import Market, MarketKey
from bot4.domain.order import Order, OrderReport, OrderState
from bot4.domain.position import Account, Position
from bot4.errors import ProtocolViolation, VenueRefused
from bot4.ports import Errand, FillPage, PaymentPage, Unread
from bot4.strategy.receiving import MOST_MS
from bot4.tasks.line import Line

T = TypeVar("T")


class Inquiries(Line):
    """The questions to one venue, and cancelling: everything but sending orders."""

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

    async def position(self, key: MarketKey) -> tuple[Decimal, int]:
        """What is held on one market, signed base units, and the venue's clock when it said so.

        The clock as in ``find``: never too late. Raises as ``positions``.
        """
        asked_ms = self._world.wall_ms()
        held = [one.size for one in await self.positions((key.symbol,)) if one.key == key]
        await self.sync_clock()
        return sum(held, Decimal(0)), asked_ms + self.offset_ms - self.clock_error_ms

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


def _somebodys(row: Unread) -> OrderReport:
    """What can be said of an order that cannot be read: it is there, and may be cancelled."""
    return OrderReport(row.venue, "", row.row_id, OrderState.OPEN, symbol=row.symbol)
