"""What crosses the wall: requests and their answers, outcomes of orders, messages of streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import attrs

from bot4.domain.book import BookUpdate
from bot4.domain.fill import Fill
from bot4.domain.order import OrderReport

T = TypeVar("T")

# ------------------------------------------------------------------------------ requests


class Pool(StrEnum):
    """Which of a venue's rate limits a request counts against."""

    ORDER = "order"
    SAFETY = "safety"
    """Cancels and reduce-only orders: reserved tokens, served first."""
    READ = "read"
    PUBLIC = "public"
    AUTH = "auth"


@attrs.frozen
class Request:
    """One HTTP request, complete but for the host."""

    method: str
    path: str
    """Absolute path with its query, below the venue's base URL: ``/orders?id=1``."""
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    held: Callable[[], str] = attrs.field(default=lambda: "", repr=False, eq=False)
    """Asked when the first byte is about to leave: why it stays here after all, "" lets it go."""


@attrs.frozen
class Answer:
    """A complete HTTP answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    sent_at: float
    """Trio time when the request's last byte was handed to TLS."""
    received_at: float
    """Trio time when the answer was complete."""


@attrs.frozen
class NotSent:
    """The request failed before its first byte: nothing happened at the venue."""

    why: str


@attrs.frozen
class InDoubt:
    """Something may have reached the venue, and no readable answer came back."""

    why: str
    sent_at: float | None = None
    """Trio time when the last byte was handed to TLS, None when it was not."""


@attrs.frozen
class Errand(Generic[T]):
    """A request together with the reading of its answer.

    ``read`` raises ``ProtocolViolation``, ``VenueRefused`` or ``AuthRefused``.
    """

    request: Request
    read: Callable[[Answer], T]
    pool: Pool = Pool.READ


# ------------------------------------------------------------------- outcomes of an order


class Retry(StrEnum):
    """What a definite refusal allows."""

    NEVER = "never"
    REQUOTE = "requote"
    """The price moved: a new order at a new price may do."""
    WAIT = "wait"
    """Rate limited or briefly unavailable."""
    RESIGN = "resign"
    """Clock or window: sign again with a fresh time."""
    SHUT = "shut"
    """The market or the venue executes no orders now."""
    LIMIT = "limit"
    """The market's limits allow no order of this size, or no further one."""


@attrs.frozen
class Accepted:
    """The venue queued the order. Not a fill."""

    venue_order_id: str
    received_ms: int | None = None
    """When it arrived, by the venue's clock, where the venue says so."""


@attrs.frozen
class Refused:
    """A definitive refusal, on the venue's allow-list of such: nothing will ever fill."""

    code: str
    why: str
    retry: Retry = Retry.NEVER


PlaceOutcome = Accepted | Refused | NotSent | InDoubt

# ------------------------------------------------------------------------------- streams


@attrs.frozen
class Frame:
    """One WebSocket message. ``received_at`` is Trio time, seconds."""

    data: str | bytes = attrs.field(repr=False)
    received_at: float


@attrs.frozen
class Pong:
    """The venue answered our heartbeat, or sent one of its own."""


@attrs.frozen
class Acknowledged:
    """The venue accepted request ``id`` on the stream (a subscription, an authentication)."""

    id: int | None


@attrs.frozen
class Replied:
    """The venue answered call ``id`` that went over a stream, in the words of an HTTP answer."""

    id: int
    status: int
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class AccountChanged:
    """Something about the account or a position changed: read it again."""

    venue: str


@attrs.frozen
class FillBusted:
    """The venue took a fill back: it never was, and the position and the money are as before."""

    venue: str
    fill_id: str


@attrs.frozen
class Unread:
    """A row of a list, or an event of a stream, that could not be read; it costs itself alone."""

    venue: str
    what: str
    """``order``, ``fill``, ``position`` or ``payment``."""
    row_id: str
    """The venue's id of it; "" when that could not be read either."""
    why: str
    client_order_id: str = ""
    """Of the order that it is or belongs to, as its client named it; "" when it does not say."""
    symbol: str = ""
    new: bool = False
    """Whether it is well formed, and of a word or type that we do not know."""


@attrs.frozen
class FillPage:
    """Some of an account's fills on one market, in any order."""

    fills: tuple[Fill | Unread, ...]
    next: str = ""
    """Names the page after this one in the venue's own words; "" when this was the last."""


@attrs.frozen
class Payment:
    """Funding that was settled with one fill, USDC; received is positive."""

    payment_id: str
    fill_id: str
    amount: Decimal


@attrs.frozen
class PaymentPage:
    """Some of an account's funding payments on one market, in any order."""

    payments: tuple[Payment, ...]
    next: str = ""
    """As in ``FillPage``."""


Notice = (
    BookUpdate
    | OrderReport
    | Fill
    | FillBusted
    | Pong
    | Acknowledged
    | Replied
    | AccountChanged
    | Unread
)


class Wire(Protocol):
    """One open WebSocket connection."""

    async def send(self, text: str) -> None:
        """Send one text message.

        Raises:
            ConnectionLost: the link broke.

        Cancellation: leaves the link broken; abandon it.
        """

    async def receive(self) -> Frame:
        """Wait for the next message.

        Raises:
            ConnectionLost: the link broke or was closed.

        Cancellation: safe.
        """


Connect = Callable[[str], AbstractAsyncContextManager[Wire]]
"""Opens a WebSocket to a URL; leaving the block normally closes it with 1000."""


class HttpDoor(Protocol):
    """Requests to one venue over warm connections."""

    async def send(self, request: Request, *, timeout_s: float) -> Answer | NotSent | InDoubt:
        """Send one request and wait for its answer, at most ``timeout_s``.

        Never raises for a network fault. The exchange is shielded: a cancelled caller still
        waits for the outcome, at most ``timeout_s``, so that no connection is left half used.
        """

    def hurry(self, at: float) -> None:
        """Have every exchange, under way or to come, end by this Trio time: we are leaving."""

    def leave_connections(self) -> None:
        """Send what comes next over new connections; what is under way ends where it is."""
