"""Paradex's REST side: a port's questions as requests, its answers as values. Sans-IO."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote

import attrs
import msgspec

from bot4.config.schema import ParadexConfig
from bot4.domain.book import BookUpdate
from bot4.domain.market import PARADEX, Market
from bot4.domain.order import Order, OrderReport
from bot4.domain.position import Account, Position
from bot4.ports import (
    Answer,
    Errand,
    FillPage,
    PaymentPage,
    PlaceOutcome,
    Request,
    Retry,
    Unread,
)
from bot4.secret import Secret
from bot4.venues.paradex import asking, fills, funding, markets, messages, placing, rules
from bot4.venues.paradex.encoding import Encoding
from bot4.venues.paradex.session import ParadexSession, headers
from bot4.venues.paradex.signing import StarkSigner
from bot4.venues.reading import Unreadable, as_row, read_text, read_whole

_BOOK_LEVELS: Final = 50


class ParadexCodec:
    """Speaks Paradex's REST side and holds its session. See ``bot4.ports.VenueCodec``.

    Args:
        config: network and profile.
        account: the main account's address.
        private_key: of the account, or better of a subkey of it, which cannot withdraw.
        tag: six characters of this journal, part of every client order id.

    Raises:
        ValueError: an address or key is unusable. The text never quotes it.
    """

    venue = PARADEX
    tells_halts = False
    """No field of a market says so. Source: Paradex API docs (OpenAPI 1.132), seen 2026-08."""

    def __init__(
        self, config: ParadexConfig, account: Secret, private_key: Secret, tag: str
    ) -> None:
        self.config = config
        self.encoding = Encoding(config)
        self.session = ParadexSession(wants_interactive=config.profile == "retail")
        self._signer = StarkSigner(account, private_key, config.chain_id)
        self._tag = tag

    @property
    def api_version(self) -> str:
        """What is spoken now."""
        return f"v1 {self.encoding.words}"

    # ------------------------------------------------------------------------ session

    def logins(self, now_ms: int) -> Sequence[Errand[str]]:
        """Fetch a Pro token, and with the retail profile an interactive one too."""
        kinds = (False, True) if self.session.wants_interactive else (False,)
        return tuple(
            asking.log_in(self.session, self._signer, now_ms, interactive=kind) for kind in kinds
        )

    def login_due_ms(self) -> int:
        """Three minutes after the last log-in; tokens live five."""
        return self.session.due_ms()

    def holds_session(self) -> bool:
        """Whether there is a token."""
        return self.session.token is not None

    def session_lost(self) -> None:
        """Forget the tokens."""
        self.session.lose()

    def secrets(self) -> Sequence[Secret]:
        """What the log must never show."""
        return self.session.secrets()

    # ---------------------------------------------------------------------- questions

    def clock(self) -> Errand[int]:
        """Ask for Paradex's clock."""
        return asking.public(
            "/system/time", "clock", lambda value: read_whole(as_row(value), "server_time")
        )

    def markets(self) -> Errand[Sequence[Market]]:
        """Ask for every market; those that this bot could not trade (options) are left out."""
        interactive = self.session.wants_interactive

        def read(value: object) -> Sequence[Market]:
            return markets.read_markets(value, interactive=interactive)

        return asking.public("/markets", "markets", read)

    def book(self, symbol: str) -> Errand[BookUpdate]:
        """Ask for one market's book, without what only Retail may take."""
        path = f"/orderbook/{quote(symbol, safe='')}?depth={_BOOK_LEVELS}"
        return asking.public(path, "book", messages.read_book)

    def state(self) -> Errand[str] | None:
        """Ask for the system's state: weekdays 04:30 UTC it is maintained for minutes."""
        return asking.public(
            "/system/state",
            "system state",
            lambda value: rules.why_shut(read_text(as_row(value), "status")),
        )

    def account(self, now_ms: int) -> Errand[Account]:
        """Ask for equity and margin; Paradex tells leverages market by market only."""
        return asking.get(self.session, "/account", "account", messages.read_account)

    def positions(self, now_ms: int) -> Errand[Sequence[Position | Unread]]:
        """Ask for open positions."""
        return asking.get(self.session, "/positions", "positions", messages.read_positions)

    def balances(self, now_ms: int) -> Errand[Sequence[tuple[str, Decimal]]]:
        """Ask how much of each token the account has."""
        return asking.get(self.session, "/balance", "balances", messages.read_balances)

    def leverage(self, symbol: str, value: int, now_ms: int) -> Errand[None]:
        """Set a market's leverage, cross margin."""
        path = f"/account/margin/{quote(symbol, safe='')}"
        request = self._send("POST", path, {"leverage": value, "margin_type": "CROSS"})

        def check(answer: object) -> None:
            if read_whole(as_row(answer), "leverage") != value:
                raise Unreadable("another leverage was set")

        return asking.private(self.session, request, "leverage", check)

    def find(self, order: Order, now_ms: int) -> Errand[OrderReport | None]:
        """Ask for an order by its client id, in every status.

        The question by client id alone (``/orders/by_client_id``) shows open orders only.
        """

        def read(value: object) -> OrderReport | None:
            rows = messages.read_results(value)
            # What is ours must be readable; what else is in the list need not be.
            named = [as_row(row) for row in rows if isinstance(row, dict)]
            own = [row for row in named if row.get("client_id") == order.client_order_id]
            ours = [messages.read_order(row) for row in own]
            if not ours and (rows or as_row(value).get("next")):
                # A list of something else, or a part of one, is no proof that it is not there.
                raise Unreadable("orders of another client id")
            return max(ours, key=lambda report: report.venue_time_ms or 0, default=None)

        path = f"/orders-history?client_id={quote(order.client_order_id, safe='')}"
        return asking.get(self.session, path, "order", read)

    def fills(self, order: Order, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for a page of an order's fills."""
        return fills.of_order(self.session, order, page)

    def market_fills(self, symbol: str, since_ms: int, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for a page of the account's fills on a market."""
        return fills.of_market(self.session, symbol, since_ms, page)

    def funding(self, order: Order, page: str, now_ms: int) -> Errand[PaymentPage]:
        """Ask for a page of the funding received with the fills around an order's time."""

        def read(value: object) -> PaymentPage:
            return funding.read_payments(value, order.key.symbol)

        path = f"/funding/payments?{fills.around(order, page)}"
        return asking.get(self.session, path, "funding payments", read)

    def open_orders(self, now_ms: int) -> Errand[Sequence[OrderReport | Unread]]:
        """Ask for open orders, those still before the risk check included."""
        return asking.get(self.session, "/orders", "open orders", messages.read_orders)

    # ------------------------------------------------------------------------- orders

    def sign(self, order: Order, now_ms: int, window_ms: int) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign an order: LIMIT, immediate or cancel.

        Raises:
            ValueError: a number does not fit, or the client order id is too long.
        """
        return self._sign(order, now_ms, window_ms, placing.IMMEDIATE)

    def sign_resting(
        self, order: Order, now_ms: int, window_ms: int
    ) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign the same as good till cancelled. Raises as ``sign``."""
        return self._sign(order, now_ms, window_ms, placing.RESTING)

    def _sign(
        self, order: Order, now_ms: int, window_ms: int, instruction: str
    ) -> tuple[Order, Errand[PlaceOutcome]]:
        body = placing.order_body(order, now_ms, window_ms, self._signer, instruction)
        used = self.session.token_for(urgent=rules.is_urgent(order))

        def read(answer: Answer) -> PlaceOutcome:
            fault = messages.read_fault(answer)
            if fault is not None and rules.is_signed_out(answer, fault.code):
                self.session.lose(used)
            return placing.read_placed(answer)

        signed = attrs.evolve(order, signed_ms=now_ms, window_ms=window_ms)
        request = Request("POST", "/orders", headers(used), msgspec.json.encode(body))
        return signed, Errand(request, read, rules.order_pool(order))

    def cancel(self, report: OrderReport, now_ms: int, window_ms: int) -> Errand[None]:
        """Cancel by the venue's id, else by ours. It is queued: a fill can still win.

        Raises:
            ValueError: the report has neither id.
        """
        if report.venue_order_id:
            path = f"/orders/{quote(report.venue_order_id, safe='')}"
        elif report.client_order_id:
            path = f"/orders/by_client_id/{quote(report.client_order_id, safe='')}"
            path += f"?market={quote(report.symbol, safe='')}" if report.symbol else ""
        else:
            raise ValueError("nothing to cancel by")
        request = Request("DELETE", path, headers(self.session.token))
        return asking.done(self.session, request, "cancel", fine=rules.ENDED)

    def cancel_all(self, now_ms: int) -> Errand[None] | None:
        """Cancel every open order of the account."""
        request = Request("DELETE", "/orders", headers(self.session.token))
        return asking.done(self.session, request, "cancel all")

    def next_handle(self, now_ms: int, row: int, leg: str, attempt: int) -> str:
        """Return a client order id from the journal's row: never the same again."""
        return f"b4-{self._tag}-{row}-{leg}{attempt}"

    def seen_handle(self, client_order_id: str) -> None:
        """Nothing to learn: the journal never gives a row twice, and its tag is its own."""

    def retry(self, reason: str) -> Retry:
        """Return what a refusal told later (``OrderReport.reason``) allows."""
        return rules.retry(reason)

    # ------------------------------------------------------------------------ insides

    def _send(self, method: str, path: str, body: Any) -> Request:
        return Request(method, path, headers(self.session.token), msgspec.json.encode(body))
