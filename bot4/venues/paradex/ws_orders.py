"""Orders over Paradex's WebSocket: REST requests as JSON-RPC calls, replies as REST answers.

So that an order has one codec and one reading, whichever way it goes. Sans-IO.

Source: Paradex API docs (OpenRPC 1.3.1, WebSocket, Cancel on disconnect), seen 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from bot4.domain.market import PARADEX
from bot4.errors import ProtocolViolation
from bot4.ports import Acknowledged, Frame, Notice, Pong, Replied, Request
from bot4.venues.paradex import sbe
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import TOKEN_REFUSED, ParadexStream, request
from bot4.venues.reading import FAULTS, MAX_BYTES, Unreadable, read_json, violation, words

_BY_CLIENT_ID: Final = "/orders/by_client_id/"
_QUIET_CHANNEL: Final = "account"
"""A connection without a subscription is closed with 4031. Source: live probe, 2026-10."""

_METHOD_ERROR: Final = 100
"""Business refusals; which of its fields holds the REST code is not documented."""
_GEO_BLOCK: Final = 40112
_TOO_MANY: Final = 42901
_NEVER_RAN: Final = (-32601, -32602)
"""No such method, wrong parameters: by JSON-RPC 2.0 the method was not run."""
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{2,63}")
_TOKEN_CODES: Final = ("INVALID_TOKEN", "UNAUTHORIZED_ERROR")


class _Reply(msgspec.Struct):
    id: Any = None
    method: Any = None
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


class _Created(msgspec.Struct):
    order: msgspec.Raw


class _Part(msgspec.Struct):
    order: msgspec.Raw = msgspec.Raw()
    error: dict[str, Any] | None = None


class _Parts(msgspec.Struct):
    results: list[_Part]


_BATCH: Final = msgspec.json.Decoder(_Parts)
_REPLY: Final = msgspec.json.Decoder(_Reply)
_CREATED: Final = msgspec.json.Decoder(_Created)


class ParadexOrders(ParadexStream):
    """The connection that orders and cancels go over. See ``bot4.ports.OrderStreamCodec``.

    Args:
        codec: Paradex's REST codec: its config, and the tokens of its session.
    """

    greetings = 3

    def __init__(self, codec: ParadexCodec) -> None:
        super().__init__(codec.config, codec.encoding)
        self._session = codec.session

    def hello(self) -> Sequence[str]:
        """Authenticate, arm the dead-man switch, subscribe to something quiet.

        Cancel on disconnect is off on every new connection, and of the connection alone.

        Raises:
            ProtocolViolation: there is no token yet.
        """
        if self._session.token is None:
            raise ProtocolViolation(PARADEX, "order stream: not signed in yet")
        return [
            request(1, "auth", {"bearer": self._session.token.reveal()}),
            request(2, "order.cancel_on_disconnect", {"enabled": True}),
            request(self.greetings, "subscribe", {"channel": _QUIET_CHANNEL}),
        ]

    def call(self, request: Request, number: int) -> str | None:
        """Return an order or a cancel as a call.

        The connection has a Pro token: what was made for a Retail one has to go by REST, since
        the class of its token is the class of an order.
        """
        if self._session.wants_interactive and not self._is_pro(request):
            return None
        method, params = _method_of(request)
        if not method:
            return None
        head = f'{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":'
        return head + params + "}"

    def read(self, frame: Frame) -> Sequence[Notice]:
        """Read one message: replies to greetings and calls; events are heard elsewhere.

        Raises:
            ProtocolViolation: it cannot be read, or a greeting was refused.
        """
        try:
            if isinstance(frame.data, bytes):
                heartbeat = sbe.template_of(frame.data) == sbe.HEARTBEAT
                return (Pong(),) if heartbeat else ()
            return self._read(frame.data)
        except FAULTS as fault:
            raise violation(PARADEX, "order stream", fault) from None

    def _read(self, text: str) -> Sequence[Notice]:
        if len(text) > MAX_BYTES:
            raise Unreadable("too large")
        reply = _REPLY.decode(text)
        if reply.method is not None:
            return ()
        error = _present(reply.error)
        if type(reply.id) is not int or reply.id <= self.greetings:
            if error is not None:
                return self._control({"error": read_json(error), "id": reply.id})
            return (Acknowledged(reply.id),) if type(reply.id) is int and reply.id > 0 else ()
        if error is not None:
            return (Replied(reply.id, *_refusal(read_json(error))),)
        return (Replied(reply.id, 200, _result(_present(reply.result) or b"{}")),)

    def _is_pro(self, request: Request) -> bool:
        token = self._session.token
        given = request.headers.get("authorization")
        return token is not None and given == f"Bearer {token.reveal()}"

    def _token_refused(self) -> None:
        self._session.lose()


def _method_of(request: Request) -> tuple[str, str]:
    """Return the call that does what a REST request does, and its parameters; "" for none."""
    parts, body = urlsplit(request.path), request.body.decode()
    if (request.method, parts.path) == ("POST", "/orders") and body:
        return "order.create", body
    if request.method != "DELETE" or not f"{parts.path}/".startswith("/orders/"):
        return "", ""
    query = dict(parse_qsl(parts.query))
    params: dict[str, str]
    if parts.path == "/orders":
        method, params = "order.cancel_all", query
    elif parts.path.startswith(_BY_CLIENT_ID):
        if "market" not in query:
            return "", ""  # REST finds it without, a call does not
        client_id = unquote(parts.path.removeprefix(_BY_CLIENT_ID))
        method, params = "order.cancel", {"client_id": client_id, "market": query["market"]}
    else:
        method, params = "order.cancel", {"id": unquote(parts.path.removeprefix("/orders/"))}
    return method, msgspec.json.encode(params).decode()


def _present(raw: msgspec.Raw) -> bytes | None:
    data = bytes(raw)
    return data if data and data != b"null" else None


def _result(data: bytes) -> bytes:
    """Return the order or orders that a call brought as REST would, else the result as it is."""
    with suppress(msgspec.MsgspecError):
        return bytes(_CREATED.decode(data).order)
    with suppress(msgspec.MsgspecError):
        rows = _BATCH.decode(data).results
        orders = [row.order for row in rows if _present(row.order)]
        errors = [_words_of(row.error) for row in rows if row.error is not None]
        if orders or errors:
            return msgspec.json.encode({"orders": orders, "errors": errors})
    return data


def _words_of(error: dict[str, Any]) -> dict[str, str]:
    return {"error": _name_of(error), "message": words(error.get("message"))}


def _refusal(error: Any) -> tuple[int, bytes]:
    """Return an error as the HTTP answer that would say the same."""
    row = error if isinstance(error, dict) else {}
    code, said, name = row.get("code"), words(row.get("message")), _name_of(row)
    if code in TOKEN_REFUSED or name in _TOKEN_CODES:
        return _answer(401, name or "INVALID_TOKEN", said)
    if code == _TOO_MANY:
        return _answer(429, name or "RATE_LIMIT_EXCEEDED", said)
    if code == _GEO_BLOCK:
        return _answer(403, "GEO_IP_BLOCK", said)
    if code in _NEVER_RAN:
        return _answer(400, "INVALID_REQUEST_PARAMETER", said)
    if code == _METHOD_ERROR:
        return _answer(400, name, said)
    # Internal, or new to us: it says nothing of what became of the order.
    return _answer(500, name, said)


def _name_of(row: dict[str, Any]) -> str:
    """Return the REST code that an error names, wherever it does, else ""."""
    data = row.get("data")
    inside = [data.get("error"), data.get("code")] if isinstance(data, dict) else [data]
    for text in (*inside, row.get("message")):
        if isinstance(text, str) and _CODE.fullmatch(text):
            return text
    return ""


def _answer(status: int, code: str, said: str) -> tuple[int, bytes]:
    return status, msgspec.json.encode({"error": code, "message": said})
