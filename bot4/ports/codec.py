"""How a venue is spoken to: pure readers and writers, no socket and no clock."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol

from bot4.domain.book import BookUpdate
from bot4.domain.market import Market
from bot4.domain.order import Order, OrderReport
from bot4.domain.position import Account, Position
from bot4.ports.wire import (
    Errand,
    FillPage,
    Frame,
    Notice,
    PaymentPage,
    PlaceOutcome,
    Request,
    Retry,
    Unread,
)
from bot4.secret import Secret


class StreamCodec(Protocol):
    """Speaks one WebSocket of a venue. Sans-IO; one instance per connection kind.

    Every method raises ``ProtocolViolation`` on what it cannot read, and nothing else.
    """

    venue: str

    def url(self) -> str:
        """The URL to dial now (it may carry a key: never log it)."""

    def hello(self) -> Sequence[str]:
        """Messages to send when the connection opens: authentication, subscriptions."""

    def ping(self) -> str | None:
        """A heartbeat to send, or None where the protocol's own pings are enough."""

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message into notices, in order; empty for what does not concern us."""

    def refused(self, status: int) -> str:
        """Take the HTTP status that the last dial was refused with.

        Returns:
            What the next dial will ask for instead, in words; "" when nothing changes.
        """


class OrderStreamCodec(StreamCodec, Protocol):
    """Speaks a WebSocket that takes orders and cancels. Sans-IO."""

    greetings: int
    """How many messages ``hello`` has; once all are acknowledged, orders may be sent."""

    def call(self, request: Request, number: int) -> str | None:
        """Return a REST request as a message of the stream, or None where it has to go by REST.

        Its answer comes as ``Replied(number, ...)``, to be read as the REST answer would be.
        """


class VenueCodec(Protocol):
    """Speaks a venue's REST side and holds its session (tokens, keys). Sans-IO.

    ``now_ms`` is always the venue's wall clock as we estimate it.
    """

    venue: str

    @property
    def api_version(self) -> str:
        """What is spoken now, for a person."""

    tells_halts: bool
    """Whether ``markets`` says which of them take no orders now; else only a refusal tells it."""

    def logins(self, now_ms: int) -> Sequence[Errand[Any]]:
        """The errands that make the session usable, to be run one after the other.

        One may return what the venue did not grant, in words.
        """

    def login_due_ms(self) -> int:
        """Venue wall clock when the session must be renewed by running ``logins`` again."""

    def holds_session(self) -> bool:
        """Whether an order signed now would carry a token or key that was not refused."""

    def session_lost(self) -> None:
        """Forget the session: an answer said that it is no longer valid."""

    def secrets(self) -> Sequence[Secret]:
        """Tokens and keys that the session holds now: what the log must never show."""

    def clock(self) -> Errand[int]:
        """Ask for the venue's wall clock, ms."""

    def markets(self) -> Errand[Sequence[Market]]:
        """Ask for every market the venue lists."""

    def state(self) -> Errand[str] | None:
        """Ask why the venue as a whole takes no opening orders, "" when it does.

        None where the venue has no such question.
        """

    def account(self, now_ms: int) -> Errand[Account]:
        """Ask for equity, margin and leverages."""

    def positions(self, now_ms: int) -> Errand[Sequence[Position | Unread]]:
        """Ask for every open position of the account."""

    def balances(self, now_ms: int) -> Errand[Sequence[tuple[str, Decimal]]]:
        """Ask how much of each token the account has."""

    def leverage(self, symbol: str, value: int, now_ms: int) -> Errand[None]:
        """Set the leverage of one symbol."""

    def sign(self, order: Order, now_ms: int, window_ms: int) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign an order: the order as to be journaled (time, window) and the errand that sends it.

        The errand's ``read`` never raises: what it cannot read is ``InDoubt``.
        """

    def sign_resting(
        self, order: Order, now_ms: int, window_ms: int
    ) -> tuple[Order, Errand[PlaceOutcome]]:
        """Sign an order that rests until it is cancelled: for a probe, never to trade."""

    def find(self, order: Order, now_ms: int) -> Errand[OrderReport | None]:
        """Ask what became of an order, in every status. None is "not found"."""

    def fills(self, order: Order, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for a page of the fills of one order; ``page`` as in ``market_fills``."""

    def market_fills(self, symbol: str, since_ms: int, page: str, now_ms: int) -> Errand[FillPage]:
        """Ask for all of the account's fills on a market since a venue time, whoever caused them.

        ``page`` is "" for the first page, then ``FillPage.next``.
        """

    def funding(self, order: Order, page: str, now_ms: int) -> Errand[PaymentPage] | None:
        """Ask for a page of the funding that came with the fills around an order.

        ``page`` as in ``market_fills``. None: the venue has no such list.
        """

    def open_orders(self, now_ms: int) -> Errand[Sequence[OrderReport | Unread]]:
        """Ask for all open orders of the account."""

    def cancel(self, report: OrderReport, now_ms: int, window_ms: int) -> Errand[None]:
        """Cancel one order by what the venue said of it. Already closed is not an error."""

    def book(self, symbol: str) -> Errand[BookUpdate]:
        """Ask for one market's book, as a snapshot. Public."""

    def seen_handle(self, client_order_id: str) -> None:
        """Never give this handle, nor one below it, again."""

    def cancel_all(self, now_ms: int) -> Errand[None] | None:
        """Cancel every order in one request, or None where the venue cannot."""

    def retry(self, reason: str) -> Retry:
        """What a refusal told later (``OrderReport.reason``) allows."""

    def next_handle(self, now_ms: int, row: int, leg: str, attempt: int) -> str:
        """A client order id never used before (Paradex text, Vest nonce as text)."""
