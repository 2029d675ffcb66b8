"""The sockets in the wall: values that cross it, and the shapes of what stands on each side.

A codec (``bot4.venues``) turns our values into a ``Request`` and an ``Answer`` into our values.
A door (``bot4.transport``) turns a ``Request`` into an ``Answer``, ``NotSent`` or ``InDoubt``.
``bot4.tasks`` knows both only by these protocols; ``bot4.wiring`` brings them together.
``World`` is the only way out of the process, so that a universe can replace it and nothing else.
"""

from __future__ import annotations

from bot4.ports.codec import (
    OrderStreamCodec,
    StreamCodec,
    VenueCodec,
)
from bot4.ports.wire import (
    Accepted,
    AccountChanged,
    Acknowledged,
    Answer,
    Connect,
    Errand,
    FillBusted,
    FillPage,
    Frame,
    HttpDoor,
    InDoubt,
    Notice,
    NotSent,
    Payment,
    PaymentPage,
    PlaceOutcome,
    Pong,
    Pool,
    Refused,
    Replied,
    Request,
    Retry,
    Unread,
    Wire,
)
from bot4.ports.world import (
    CLOSED,
    AccountLock,
    AccountName,
    ByteStream,
    Database,
    Entry,
    Journal,
    World,
    account_taken,
)

__all__ = [
    "CLOSED",
    "Accepted",
    "AccountChanged",
    "AccountLock",
    "AccountName",
    "Acknowledged",
    "Answer",
    "ByteStream",
    "Connect",
    "Database",
    "Entry",
    "Errand",
    "FillBusted",
    "FillPage",
    "Frame",
    "HttpDoor",
    "InDoubt",
    "Journal",
    "NotSent",
    "Notice",
    "OrderStreamCodec",
    "Payment",
    "PaymentPage",
    "PlaceOutcome",
    "Pong",
    "Pool",
    "Refused",
    "Replied",
    "Request",
    "Retry",
    "StreamCodec",
    "Unread",
    "VenueCodec",
    "Wire",
    "World",
    "account_taken",
]
