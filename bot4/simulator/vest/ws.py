"""Vest's WebSocket: PING, SUBSCRIBE, UNSUBSCRIBE, and private events by listen key.

Source: Vest API docs, WebSocket, seen 2025-11.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

import trio
from trio_websocket import WebSocketConnection

from bot4.simulator.links import Link
from bot4.simulator.serve import serve_websocket
from bot4.simulator.vest.feed import Framer, depth_frame

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

VERSION: Final = "1.0"
PRIVATE: Final = "account_private"


async def serve_socket(venue: VestVenue, stream: trio.abc.Stream) -> None:
    """Serve one connection until either side ends it. Always closes the stream."""
    await serve_websocket(stream, partial(_talk, venue), refuse=partial(_refuse, venue))


def _refuse(venue: VestVenue, target: str, headers: dict[str, str]) -> int | None:
    """Return 403 while the fault ``blocked`` is in force: the page is in front of sockets too."""
    del target, headers
    return None if venue.faults.active(venue.name, "blocked") is None else 403


async def _talk(
    venue: VestVenue, target: str, headers: dict[str, str], connection: WebSocketConnection
) -> None:
    del headers  # Nothing in them matters: key and group travel in the URL.
    query = dict(parse_qsl(urlsplit(target).query))
    code = _close_code(venue, query)
    if code is not None:
        await connection.aclose(code, "refused")
        return
    link = Link(connection)
    if "listenKey" in query:
        link.kinds.add("private")
    framer = Framer(venue)
    stop = venue.subscribe_private(partial(_tell, link, framer))
    try:
        with venue.links.attach(link):
            async with trio.open_nursery() as talking:
                talking.start_soon(link.keep_sending)
                while True:
                    message = await connection.get_message()
                    _obey(venue, link, framer, message)
    finally:
        stop()


def _close_code(venue: VestVenue, query: dict[str, str]) -> int | None:
    """Return the close code a URL earns, None when it is good."""
    if query.get("version") != VERSION:
        return 4000
    # The documents spell the name both ways.
    group = query.get("xwebsocketserver", query.get("websocketserver", ""))
    number = group.removeprefix("restserver")
    if not group.startswith("restserver") or not number.isdecimal():
        return 4002
    if int(number) != venue.switches.account_group:
        return 4001
    if "listenKey" in query:
        return venue.sessions.close_code(query["listenKey"], venue.wall_ms())
    return None


def _tell(link: Link, framer: Framer, kind: str, body: Any) -> None:
    if kind in link.subscriptions:
        link.post(framer.frame(body))


def _obey(venue: VestVenue, link: Link, framer: Framer, message: str | bytes) -> None:
    try:
        asked = json.loads(message)
        method, params, number = asked["method"], asked.get("params", []), asked.get("id")
        channels = [str(channel) for channel in params]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        link.post(framer.frame({"error": {"code": 1130, "msg": "INVALID_PARAMETER"}}))
        return
    if method == "PING":
        link.post(framer.frame({"data": "PONG"}))
    elif method == "UNSUBSCRIBE":
        link.subscriptions.difference_update(channels)
        link.post(framer.frame({"result": None, "id": number}))
    elif method == "SUBSCRIBE":
        if PRIVATE in channels and "private" not in link.kinds:
            link.close(4003, "listen key required")
            return
        link.post(framer.frame({"result": None, "id": number}))
        _subscribe(venue, link, framer, channels)
    else:
        link.post(framer.frame({"error": {"code": 1130, "msg": "INVALID_PARAMETER"}, "id": number}))


def _subscribe(venue: VestVenue, link: Link, framer: Framer, channels: list[str]) -> None:
    """Remember channels and send the first snapshot of each book; unknown ones stay silent."""
    link.subscriptions.update(channels)
    if any(channel != PRIVATE for channel in channels):
        link.kinds.add("public")
    if venue.faults.active(venue.name, "silence") is not None:
        return
    for channel in channels:
        symbol = channel.removesuffix("@depth")
        if symbol != channel and symbol in venue.listed():
            link.post(framer.frame(depth_frame(venue, symbol)))
