"""What the simulated Paradex pushes to its WebSocket sessions without being asked."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final, Protocol

import trio

from bot4.simulator.changes import changes, other_schema, other_types
from bot4.simulator.orders import Depth, Side
from bot4.simulator.paradex import markets, sbe, shapes
from bot4.simulator.paradex.channels import Channel
from bot4.simulator.paradex.engine import ParadexEngine
from bot4.simulator.paradex.feed import SNAPSHOT_LEVELS, BookFeed, Wire
from bot4.simulator.paradex.sbe_summary import funding_frame, summary_frame

SLOW_TICKS: Final = 10
"""Summaries and funding go out once in so many frames."""

_GARBAGE_BYTES: Final = 40


class Listener(Protocol):
    """A session as the stream sees it."""

    wire: Wire
    channels: dict[str, Channel]

    def push(self, channel: Channel, body: dict[str, Any] | bytes) -> None:
        """Send an event soon."""
        ...

    def push_raw(self, frame: bytes) -> None:
        """Send bytes that are no event."""
        ...


class PublicStream:
    """The public channels of every market, for all sessions."""

    def __init__(self, engine: ParadexEngine) -> None:
        self._engine = engine
        self._listeners: dict[Listener, None] = {}
        self._feeds = {
            symbol: BookFeed(symbol, market.tick, engine.faults, engine.name)
            for symbol, market in engine.markets.items()
        }
        self._by_family: dict[str, list[tuple[Listener, Channel]]] = {}
        self._touches: dict[str, tuple[Any, Any]] = {}
        self._tape = Random(f"{engine.setup.seed}/paradex/tape")
        self._junk = Random(f"{engine.setup.seed}/paradex/garbage")
        self._told = dict.fromkeys(engine.markets, 0)
        self._ticks = 0
        self._account_status = ""

    def add(self, listener: Listener) -> None:
        """Begin to serve a session."""
        self._listeners[listener] = None

    def remove(self, listener: Listener) -> None:
        """Stop serving a session."""
        del self._listeners[listener]

    def greet(self, listener: Listener, channel: Channel) -> None:
        """Send what a fresh subscription starts with: the whole book, or the prices now."""
        if channel.family == "order_book":
            feed = self._feeds[channel.market]
            if not feed.shown.bids and not feed.shown.asks:
                feed.shown = self._engine.published(channel.market)
                self._engine.public_books[channel.market] = (feed.shown, feed.seq_no)
            depth = SNAPSHOT_LEVELS if channel.style == "snapshot" else None
            frame = feed.snapshot(self._time_us(), depth=depth)
            listener.push(channel, frame.encode(listener.wire))
        elif channel.family in ("markets_summary", "funding_data"):
            self._push_slow(listener, channel)

    async def keep_pushing(self) -> None:
        """Push for ever. Cancellation: safe."""
        while True:
            await trio.sleep(self._engine.switches.frame_s)
            self._tell_status()
            # A silent stream stands still, so that its first word afterwards fits its last.
            if self._engine.faults.active(self._engine.name, "silence") is None:
                self.tick()

    def _tell_status(self) -> None:
        """Tell of an account whose status a fault changed."""
        status = shapes.forced_status(self._engine)
        if status != self._account_status:
            self._account_status = status
            self._engine.publish("account", shapes.account(self._engine))

    def tick(self) -> None:
        """Move every market by one frame and push what is listened to."""
        self._ticks += 1
        self._group()
        for symbol in self._engine.listed():
            self._push_market(symbol, self._feeds[symbol])
        if self._ticks % SLOW_TICKS == 0:
            for listener, channel in self._wanted("markets_summary", "funding_data"):
                self._push_slow(listener, channel)

    def _push_market(self, symbol: str, feed: BookFeed) -> None:
        engine = self._engine
        watching = self._wanted("order_book", market=symbol)
        time_us = self._time_us()
        if watching and engine.faults.take(engine.name, "garbage", symbol=symbol) is not None:
            for listener in {id(one): one for one, _ in watching}.values():
                listener.push_raw(self._junk.randbytes(_GARBAGE_BYTES))
        odd = bool(watching) and changes(engine.faults, engine.name, "schema", symbol=symbol)
        frame = feed.step(engine.published(symbol), time_us, watched=bool(watching))
        engine.public_books[symbol] = (feed.shown, feed.seq_no)
        encoded: dict[tuple[str, Wire], bytes | dict[str, Any]] = {}
        for listener, channel in watching:
            key = (channel.style, listener.wire)
            if key not in encoded:
                if channel.style == "snapshot":
                    whole = feed.snapshot(time_us, depth=SNAPSHOT_LEVELS)
                    encoded[key] = whole.encode(listener.wire)
                elif frame is not None:
                    encoded[key] = frame.encode(listener.wire)
            if key in encoded:
                body = encoded[key]
                changed = other_schema(body) if isinstance(body, bytes) else other_types(body)
                listener.push(channel, changed if odd else body)
        self._push_touch(symbol, feed, time_us)
        self._push_tape(symbol, feed.shown, time_us)

    def _push_touch(self, symbol: str, feed: BookFeed, time_us: int) -> None:
        touch = (feed.shown.bids[:1], feed.shown.asks[:1])
        if self._touches.get(symbol) == touch:
            return
        self._touches[symbol] = touch
        wanted = self._wanted("bbo", market=symbol)
        if not wanted:
            return
        data = markets.bbo(symbol, feed.shown, seq_no=feed.seq_no, time_ms=time_us // 1000)
        for listener, channel in wanted:
            binary = listener.wire is not None
            listener.push(
                channel,
                sbe.bbo_frame(listener.wire or 0, data, time_us=time_us) if binary else data,
            )

    def _push_tape(self, symbol: str, shown: Depth, time_us: int) -> None:
        """Let a stranger trade now and then, and tell of every trade since the last frame."""
        tape = self._engine.histories[symbol]
        if self._tape.random() < self._engine.switches.tape_share:
            side: Side = self._tape.choice(("buy", "sell"))
            levels = shown.asks if side == "buy" else shown.bids
            size = self._engine.markets[symbol].lot * self._tape.randint(1, 100)
            if levels:
                tape.trade(side, levels[0][0], size, time_us // 1000)
        news = tape.trades_after(self._told[symbol])
        self._told[symbol] = tape.traded
        for listener, channel in self._wanted("trades", market=symbol) if news else ():
            wire = listener.wire
            for one in news:
                data = markets.trade(symbol, one)
                stamp = self._engine.stamp()
                frame = sbe.trade_frame(wire or 0, data, time_us=time_us, seq_no=stamp)
                listener.push(channel, data if wire is None else frame)

    def _push_slow(self, listener: Listener, channel: Channel) -> None:
        summaries = channel.family == "markets_summary"
        shape = markets.summary if summaries else markets.funding
        encode = summary_frame if summaries else funding_frame
        for symbol in self._engine.listed():
            if not channel.carries(symbol):
                continue
            data = shape(self._engine, symbol)
            if listener.wire is None:
                listener.push(channel, data)
            else:
                stamp = self._engine.stamp()
                frame = encode(listener.wire, data, time_us=self._time_us(), seq_no=stamp)
                listener.push(channel, frame)

    def _group(self) -> None:
        """Note who listens to what: asked several times a frame, and the same all through it."""
        self._by_family = {}
        for listener in self._listeners:
            for channel in listener.channels.values():
                self._by_family.setdefault(channel.family, []).append((listener, channel))

    def _wanted(self, *families: str, market: str | None = None) -> list[tuple[Listener, Channel]]:
        return [
            (listener, channel)
            for family in families
            for listener, channel in self._by_family.get(family, ())
            if market is None or channel.carries(market)
        ]

    def _time_us(self) -> int:
        return self._engine.wall_ms() * 1000


def event_text(channel: str, data: dict[str, Any]) -> str:
    """Return a JSON event as it goes out."""
    params = {"channel": channel, "data": data}
    return json.dumps({"jsonrpc": "2.0", "method": "subscription", "params": params})
