"""The WebSocket face of the simulated Paradex: who may connect, and one session.

Source: Paradex docs, WebSocket and Binary Encoding (SBE), seen 2026-11.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from bot4.simulator.links import Link
from bot4.simulator.paradex import sbe
from bot4.simulator.paradex.channels import Channel
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.feed import Wire
from bot4.simulator.paradex.private_wire import private_frame
from bot4.simulator.paradex.refusal import (
    GEO_BLOCKED,
    INVALID_BEARER,
    INVALID_PARAMS,
    MALFORMED_BEARER,
    METHOD_NOT_FOUND,
    NOT_AUTHENTICATED,
    Refused,
    RpcRefused,
)
from bot4.simulator.paradex.rpc import RpcCall, error_text, read_call, result_text, unread_text
from bot4.simulator.paradex.stream import PublicStream, event_text
from bot4.simulator.paradex.subscriptions import Subscriptions
from bot4.simulator.paradex.tokens import Token
from bot4.simulator.paradex.ws_orders import ORDER_METHODS, OrderMethods
from bot4.simulator.serve import serve_websocket

CLOSE_UNUSED: Final = 4031
"""Close code of a connection without subscriptions. Source: live probe, 2026-10."""

LOOK_S: Final = 1.0
"""How often a session looks whether it is idle."""

POLITE: Final = (1000, 1001)


def wire_of(target: str, newest: int | str = sbe.VERSIONS[-1]) -> Wire:
    """Return the SBE version a connection asks for in its URL, None for JSON.

    Args:
        target: path and query.
        newest: version that is served, or "none".

    Raises:
        ValueError: a schema or version that is not served.
    """
    query = dict(parse_qsl(urlsplit(target).query))
    if "sbeSchemaId" not in query:
        return None
    version = int(query.get("sbeSchemaVersion", "0"))
    served = sbe.VERSIONS[: int(newest) + 1] if newest != "none" else ()
    if int(query["sbeSchemaId"]) != sbe.SCHEMA_ID or version not in served:
        raise ValueError("unsupported SBE schema")
    return version


class WebSocketFace:
    """Serves the WebSocket connections of one venue."""

    def __init__(self, engine: ParadexEngine, stream: PublicStream) -> None:
        self._engine = engine
        self._stream = stream

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until either side ends it."""
        await serve_websocket(stream, self._talk, refuse=self._refuse)

    def _refuse(self, target: str, headers: dict[str, str]) -> int | None:
        del headers
        try:
            wire = wire_of(target, self._engine.switches.sbe_versions_to)
        except ValueError:
            return 400
        return 400 if wire is None and self._engine.switches.require_sbe else None

    async def _talk(
        self, target: str, headers: dict[str, str], connection: WebSocketConnection
    ) -> None:
        del headers
        session = Session(self._engine, self._stream, Link(connection), wire_of(target))
        await session.run()


class Session:
    """One connection: its login, its subscriptions and the orders it must cancel when it dies."""

    def __init__(self, engine: ParadexEngine, stream: PublicStream, link: Link, wire: Wire) -> None:
        self.wire: Wire = wire
        self._subscribed = Subscriptions(engine.markets, binary=wire is not None)
        self.channels: dict[str, Channel] = self._subscribed.channels
        self.link: Final = link
        self.token: Token | None = None
        self._engine = engine
        self._stream = stream
        self._orders = OrderMethods(engine, self)
        self._spoke_at = trio.current_time()
        self._used_at = trio.current_time()

    async def run(self) -> None:
        """Talk until the connection ends.

        Raises:
            ConnectionClosed: the client went away.
            BrokenResourceError: the venue cut the link.
        """
        engine = self._engine
        stop_hearing = engine.subscribe_private(self._hear)
        self._stream.add(self)
        try:
            with engine.links.attach(self.link):
                async with trio.open_nursery() as tasks:
                    tasks.start_soon(self.link.keep_sending)
                    tasks.start_soon(self._keep_pinging)
                    tasks.start_soon(self._watch_idleness)
                    try:
                        await self._read(tasks)
                    except ConnectionClosed:
                        tasks.cancel_scope.cancel(reason="the client went away")
        finally:
            self._stream.remove(self)
            stop_hearing()
            ending = self.link.connection.closed
            self._orders.leave(polite=ending is not None and ending.code in POLITE)
        # A cut is a broken line, not a goodbye.
        raise trio.BrokenResourceError

    def push(self, channel: Channel, body: dict[str, Any] | bytes) -> None:
        """Send an event soon, in JSON or binary as the caller chose."""
        self._post(body if isinstance(body, bytes) else event_text(channel.name, body))

    def push_raw(self, frame: bytes) -> None:
        """Send bytes that are no event; text on a JSON session."""
        self._post(frame if self.wire is not None else frame.decode("latin-1"))

    def reply(self, call: RpcCall, result: dict[str, Any]) -> None:
        """Answer yes to a request."""
        self._post(result_text(call, result))

    def refuse(self, call: RpcCall, refused: RpcRefused) -> None:
        """Answer no to a request."""
        self._post(error_text(call, refused.body))

    def logged_in(self) -> Token:
        """Return the session's token.

        Raises:
            RpcRefused: it has not logged in.
        """
        if self.token is None:
            raise RpcRefused(NOT_AUTHENTICATED, "not authenticated")
        return self.token

    def _post(self, frame: str | bytes) -> None:
        self._spoke_at = trio.current_time()
        self.link.post(frame)

    async def _read(self, tasks: trio.Nursery) -> None:
        while True:
            message = await self.link.connection.get_message()
            try:
                call = read_call(message, self._engine.wall_ms())
            except RpcRefused as refused:
                self._post(unread_text(refused.body, self._engine.wall_ms()))
                continue
            if call.method in ORDER_METHODS:
                tasks.start_soon(self._orders.answer, call)
                continue
            try:
                self._control(call)
            except RpcRefused as refused:
                self.refuse(call, refused)

    def _control(self, call: RpcCall) -> None:
        match call.method:
            case "auth":
                self._log_in(call)
            case "subscribe":
                self._subscribe(call)
            case "unsubscribe":
                name = call.param("channel")
                self._subscribed.remove(name)
                self._name_kinds()
                self.reply(call, {"channel": name})
            case "modify_subscription":
                parts = (call.param(name) for name in ("channel", "add", "remove"))
                self.reply(call, self._subscribed.modify(*parts))
            case "order.cancel_on_disconnect":
                self.logged_in()
                enabled = call.param("enabled")
                if not isinstance(enabled, bool):
                    raise RpcRefused(INVALID_PARAMS, "enabled: must be a boolean")
                self._orders.cancels_on_disconnect = enabled
                self.reply(call, {"enabled": enabled})
            case _:
                raise RpcRefused(METHOD_NOT_FOUND, "method not found", call.method)

    def _log_in(self, call: RpcCall) -> None:
        if self._engine.faults.active(self._engine.name, "blocked") is not None:
            raise RpcRefused(GEO_BLOCKED, "geo ip block")
        bearer = call.param("bearer")
        if not isinstance(bearer, str) or bearer.count(".") != 2:
            raise RpcRefused(MALFORMED_BEARER, "malformed bearer token")
        try:
            self.token = self._engine.tokens.read(bearer)
        except Refused as refused:
            raise RpcRefused(INVALID_BEARER, "invalid bearer token", refused.message) from refused
        self._name_kinds()
        self.reply(call, {"node_id": f"simulation-{self._engine.setup.seed}"})

    def _subscribe(self, call: RpcCall) -> None:
        channel = self._subscribed.read(call.param("channel"), call.param("markets"))
        if channel.is_private:
            self.logged_in()
        self.reply(call, {"channel": channel.name})
        self.channels[channel.name] = channel
        self._name_kinds()
        self._stream.greet(self, channel)

    def _name_kinds(self) -> None:
        """Tell the link what it carries, for faults that cut one kind of connection."""
        kinds = {"private" for _ in [self.token] if self.token is not None}
        if any(not channel.is_private for channel in self.channels.values()):
            kinds.add("public")
        self.link.kinds = kinds
        self.link.subscriptions = set(self.channels)

    def _hear(self, kind: str, body: dict[str, Any]) -> None:
        for channel in self.channels.values():
            if channel.family != kind or not channel.carries(body.get("market", channel.market)):
                continue
            self.push(channel, private_frame(self._engine, self.wire, kind, body) or body)

    async def _keep_pinging(self) -> None:
        switches = self._engine.switches
        while True:
            await trio.sleep(switches.ping_s)
            with trio.move_on_after(switches.pong_s) as waiting:
                await self.link.connection.ping()
            if waiting.cancelled_caught:
                self.link.cut()

    async def _watch_idleness(self) -> None:
        switches = self._engine.switches
        while True:
            await trio.sleep(min(LOOK_S, switches.heartbeat_s))
            now = trio.current_time()
            if self.wire is not None and now - self._spoke_at >= switches.heartbeat_s:
                time_us = self._engine.wall_ms() * 1000
                self._post(sbe.heartbeat_frame(self.wire, time_us=time_us, seq_no=0))
            if self.channels:
                self._used_at = now
            elif switches.close_unused_s and now - self._used_at >= switches.close_unused_s:
                self.link.close(CLOSE_UNUSED, "no active subscription")
