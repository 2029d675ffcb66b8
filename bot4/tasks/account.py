"""The private side of one venue: order events and fills into the ledger."""

from __future__ import annotations

import trio

from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport, OrderState
from bot4.errors import AuthRefused, ConnectionLost
from bot4.ports import AccountChanged, FillBusted, Notice, Retry, Unread
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger


class OrderListener:
    """Takes what one venue says of our orders; remembers when the account needs a new reading."""

    def __init__(self, gateway: Gateway, ledger: Ledger) -> None:
        self.useful_when_greeted = True
        self._gateway = gateway
        self._ledger = ledger
        self._stale = trio.Event()
        gateway.on_trouble = self.lost

    def hear(self, notice: Notice, at: float) -> bool:
        """Pass orders and fills on."""
        del at
        if isinstance(notice, OrderReport | Fill | FillBusted):
            self._ledger.hear(notice)
            self._stale.set()
            if isinstance(notice, OrderReport) and notice.state.terminal and not notice.filled:
                self._take_end(notice)
        elif isinstance(notice, Unread):
            self._gateway.tell(notice, ours=self._ledger.owns(notice))
            self._stale.set()
        elif isinstance(notice, AccountChanged):
            self._stale.set()
        return False

    def _take_end(self, report: OrderReport) -> None:
        """An order of ours ended without a fill: perhaps it says why no other would fill."""
        retry = self._gateway.codec.retry(report.reason)
        if report.state is OrderState.REFUSED or retry is Retry.SHUT:
            self._gateway.take_refusal(retry, self._symbol(report), report.reason)

    def _symbol(self, report: OrderReport) -> str:
        legs = (trade.leg(report.client_order_id) for trade in self._ledger.trades)
        known = (leg.order.key.symbol for leg in legs if leg is not None)
        return report.symbol or next(known, "")

    def lost(self) -> None:
        """Events may have been missed: read the account again."""
        self._stale.set()

    async def prepare(self) -> None:
        """Sign in before dialling: the URL or the greeting carries a key.

        Raises:
            VenueError: it could not.
        """
        try:
            await self._gateway.sign_in()
        except AuthRefused as refused:
            self._gateway.codec.session_lost()
            raise ConnectionLost(refused.venue, f"signing in was refused: {refused.why}") from None

    async def wait_stale(self) -> None:
        """Block until the account should be read again. Cancellation: safe."""
        await self._stale.wait()
        self._stale = trio.Event()
