"""Vest's REST side: a port's questions as requests, its answers as values. Sans-IO."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import quote

import attrs

from bot4.config.schema import VestConfig
from bot4.domain.book import BookUpdate
from bot4.domain.market import VEST, Market
from bot4.domain.order import Order, OrderReport
from bot4.domain.position import Account, Position
from bot4.errors import ProtocolViolation, VenueRefused
from bot4.ports import Accepted, Answer, Errand, FillPage, PlaceOutcome, Pool, Retry, Unread
from bot4.secret import Secret
from bot4.venues.reading import FAULTS, Unreadable, as_row, read_whole
from bot4.venues.rows import unread
from bot4.venues.vest import (
    asking,
    clock,
    depth,
    login,
    market_fills,
    messages,
    orders,
    placing,
    rules,
)
from bot4.venues.vest.lookup import Lookup
from bot4.venues.vest.session import VestSession
from bot4.venues.vest.signing import VestSigner

T = TypeVar("T")

_BOOK_LEVELS: Final = 100
"""The most there are. Source: Vest API docs (v2), Depth, seen 2025-11."""


class VestCodec:
    """Speaks Vest's REST side and holds its session. See ``bot4.ports.VenueCodec``.

    Args:
        config: hosts, contract, order type and switches.
        primary: the key of the account; signs registrations only.
        signing: the delegated key; signs orders and cancels.

    Raises:
        ValueError: a key or the contract is unusable. The text never quotes it.
    """

    venue = VEST
    api_version = "v2 ws 1.0"
    tells_halts = True

    def __init__(self, config: VestConfig, primary: Secret, signing: Secret) -> None:
        self.config = config
        self.session = VestSession()
        self._signer = VestSigner(primary, signing, config.verifying_contract)
        self._lookup = Lookup()
        self._decimals: dict[str, tuple[int, int]] = {}
        self._last_nonce = 0
        self._latest_ms = 0

    # ------------------------------------------------------------------------ session

    def logins(self, now_ms: int) -> Sequence[Errand[None]]:
        """Register when there is no good registration, then make or extend the listen key."""
        self._latest_ms = now_ms
        errands: list[Errand[None]] = []
        if self.session.must_register(now_ms):
            days = self.config.signer_days
            errands.append(login.register(self.session, self._signer, days, now_ms))
        errands.append(login.listen(self.session, now_ms))
        return errands

    def login_due_ms(self) -> int:
        """Half the life of the listen key, or a tenth before the registration's end."""
        return self.session.due_ms()

    def holds_session(self) -> bool:
        """Whether there is an API key."""
        return self.session.api_key is not None

    def session_lost(self) -> None:
        """Forget the API key and the listen key."""
        self.session.lose()

    def secrets(self) -> Sequence[Secret]:
        """What the log must never show."""
        return self.session.secrets()

    # ---------------------------------------------------------------------- questions

    def clock(self) -> Errand[int]:
        """Ask for Vest's clock: the account's ``time`` once signed in, else a Date header."""
        if self.session.api_key is not None:
            path, now_ms = "/account?", self._latest_ms
            told = self._get(path, now_ms, "clock", lambda row: read_whole(as_row(row), "time"))
            return Errand(told.request, lambda answer: clock.clock_of(told.read(answer), answer))

        def read(answer: Answer) -> int:
            messages.read_answer(answer, "clock", as_row)
            if (now_ms := clock.date_ms(answer)) is None:
                raise ProtocolViolation(VEST, "clock: no Date in the answer")
            return now_ms

        return Errand(asking.public(self.session, "/exchangeInfo"), read, Pool.PUBLIC)

    def markets(self) -> Errand[Sequence[Market]]:
        """Ask for every symbol; what is unreadable of one symbol costs that symbol only."""

        def read(value: object) -> Sequence[Market]:
            found, decimals = messages.read_markets(value)
            self._decimals |= decimals
            return found

        return Errand(
            asking.public(self.session, "/exchangeInfo"),
            lambda answer: messages.read_answer(answer, "markets", read),
            Pool.PUBLIC,
        )

    def book(self, symbol: str) -> Errand[BookUpdate]:
        """Ask for one symbol's book."""
        path = f"/depth?symbol={quote(symbol, safe='')}&limit={_BOOK_LEVELS}"
        channel = symbol + depth.SUFFIX
        return Errand(
            asking.public(self.session, path),
            lambda answer: messages.read_answer(
                answer, "book", lambda value: depth.slow_depth(channel, as_row(value))
            ),
            Pool.PUBLIC,
        )

    def state(self) -> Errand[str] | None:
        """None: Vest tells it market by market."""
        return None

    def account(self, now_ms: int) -> Errand[Account]:
        """Ask for equity, margin and leverages."""
        ours = self._signer.primary_address

        def read(value: object) -> Account:
            return messages.read_account(value, ours)

        ask = self._get("/account?", now_ms, "account", read)
        return Errand(ask.request, lambda answer: clock.judged(ask.read(answer), answer))

    def positions(self, now_ms: int) -> Errand[Sequence[Position | Unread]]:
        """Ask for open positions: Vest has them in the account."""
        return self._get("/account?", now_ms, "positions", messages.read_positions)

    def balances(self, now_ms: int) -> Errand[Sequence[tuple[str, Decimal]]]:
        """Ask how much of each token the account has: Vest has it in the account."""
        return self._get("/account?", now_ms, "balances", messages.read_balances)

    def leverage(self, symbol: str, value: int, now_ms: int) -> Errand[None]:
        """Set a symbol's leverage. Unsigned. Source: Vest API docs (v2), seen 2025-11."""
        body = {"time": now_ms, "symbol": symbol, "value": value}

        def check(answer: object) -> None:
            if read_whole(as_row(answer), "value") != value:
                raise Unreadable("another leverage was set")

        request = asking.post(self.session, "/account/leverage", body)
        return asking.private(self.session, request, "leverage", check)

    def find(self, order: Order, now_ms: int) -> Errand[OrderReport | None]:
        """Ask for an order by its id or its nonce, in every status."""

        def read(value: object) -> OrderReport | None:
            row = orders.pick_order(value, order)
            return None if row is None else orders.read_order(row)

        return self._get(f"/orders?{self._lookup.query(order)}&", now_ms, "order", read)

    def fills(self, order: Order, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for an order's fills: Vest has them in the order."""

        def read(value: object) -> FillPage:
            row = orders.pick_order(value, order)
            if row is None:
                return FillPage(())
            report = orders.read_order(row)
            try:
                return FillPage(tuple(orders.read_fills(row, report)))
            except FAULTS as fault:
                return FillPage((unread(VEST, "fill", row, fault),))

        return self._get(f"/orders?{self._lookup.query(order)}&", now_ms, "fills", read)

    def market_fills(self, symbol: str, since_ms: int, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for a page of the account's fills on a market: they are in its orders."""
        path = market_fills.query(symbol, since_ms, page)
        return self._get(path, now_ms, "fills of the market", market_fills.read_page)

    def funding(self, order: Order, page: str, now_ms: int) -> None:
        """None: Vest has it in the order."""

    def open_orders(self, now_ms: int) -> Errand[Sequence[OrderReport | Unread]]:
        """Ask for orders that are waiting."""
        return self._get("/orders?status=NEW&", now_ms, "open orders", orders.read_orders)

    def _get(self, path: str, now_ms: int, what: str, read: Callable[[object], T]) -> Errand[T]:
        # Every private GET carries the time. Source: Vest API docs (v2), seen 2025-11.
        self._latest_ms = max(now_ms, self._latest_ms)
        return asking.get(self.session, f"{path}time={now_ms}", what, read)

    # ------------------------------------------------------------------------- orders

    def sign(self, order: Order, now_ms: int, window_ms: int) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign an order; its nonce is its client order id.

        Raises:
            ValueError: the market is unknown, or a number does not fit its decimals.
        """
        return self._sign(order, now_ms, window_ms, rules.order_type(self.config))

    def sign_resting(
        self, order: Order, now_ms: int, window_ms: int
    ) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign a LIMIT that waits for its price until it is cancelled. Raises as ``sign``."""
        return self._sign(order, now_ms, window_ms, rules.RESTING)

    def _sign(
        self, order: Order, now_ms: int, window_ms: int, kind: tuple[str, str]
    ) -> tuple[Order, Errand[PlaceOutcome]]:
        decimals = self._decimals.get(order.key.symbol)
        if decimals is None:
            raise ValueError(f"{order.key} is not a market that Vest listed")
        order_type, time_in_force = kind
        reduce_only = order.reduce_only and self.config.reduce_only
        text = placing.order_text(order, now_ms, order_type, decimals, reduce_only=reduce_only)
        body = placing.order_body(text, time_in_force, window_ms, self._signer.order(text))
        key = self.session.api_key

        def read(answer: Answer) -> PlaceOutcome:
            fault = messages.read_fault(answer)
            if fault is not None and rules.is_signed_out(answer, fault.code):
                self.session.lose(key)
            outcome = placing.read_placed(answer, self.config)
            if isinstance(outcome, Accepted):
                self._lookup.learn(order.client_order_id, outcome.venue_order_id)
            return outcome

        request = asking.post(self.session, "/orders", body)
        signed = attrs.evolve(order, signed_ms=now_ms, window_ms=window_ms)
        return signed, Errand(request, read, rules.order_pool(order))

    def cancel(self, report: OrderReport, now_ms: int, window_ms: int) -> Errand[None]:
        """Cancel by the venue's id. "Not found" is fine: the order has ended.

        Raises:
            ValueError: the report has no venue order id.
        """
        if not report.venue_order_id:
            raise ValueError("Vest cancels by its own order id only")
        nonce = int(self.next_handle(now_ms, 0, "", 0))
        body = {
            "order": {"time": now_ms, "nonce": nonce, "id": report.venue_order_id},
            "recvWindow": window_ms,
            "signature": self._signer.cancel(now_ms, nonce, report.venue_order_id),
        }
        # Without the time one client of 2026 met HTTP 422.
        request = asking.post(self.session, f"/orders/cancel?time={now_ms}", body)
        ask = asking.private(self.session, request, "cancel", as_row)

        def read(answer: Answer) -> None:
            try:
                ask.read(answer)
            except VenueRefused as refusal:
                if refusal.code != str(rules.ORDER_NOT_FOUND):
                    raise

        return Errand(request, read, Pool.SAFETY)

    def cancel_all(self, now_ms: int) -> Errand[None] | None:
        """None: Vest cannot; cancel one by one."""
        return None

    def next_handle(self, now_ms: int, row: int, leg: str, attempt: int) -> str:
        """Return a nonce never used: the clock, or one more than the last."""
        self._last_nonce = max(now_ms, self._last_nonce + 1)
        return str(self._last_nonce)

    def seen_handle(self, client_order_id: str) -> None:
        """Learn of a nonce used before (from the journal), so that it is not used again."""
        if client_order_id.isascii() and client_order_id.isdigit():
            self._last_nonce = max(self._last_nonce, int(client_order_id))

    def retry(self, reason: str) -> Retry:
        """Return what a refusal told later (``OrderReport.reason``) allows."""
        return rules.retry(reason)
