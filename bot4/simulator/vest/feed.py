"""What Vest pushes: depth whenever the engine's picture is new, tickers, lapsed listen keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

import trio

from bot4.simulator.changes import changes, other_types
from bot4.simulator.links import Link
from bot4.simulator.orders import Side
from bot4.simulator.vest import past, public

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

SLOW_S: Final = 0.5
"""Between two frames of tickers, and between two looks at who may go on listening. Source: ours."""


class Framer:
    """Turns JSON into frames, text or binary as the venue is set."""

    def __init__(self, venue: VestVenue) -> None:
        self._mode = venue.switches.frames
        self._roll = Random(f"{venue.setup.seed}/vest/frames")

    def frame(self, body: object) -> str | bytes:
        """Return one frame."""
        text = json.dumps(body, separators=(",", ":"))
        binary = self._mode == "binary" or (self._mode == "mixed" and self._roll.random() < 0.5)
        return text.encode() if binary else text


def depth_frame(venue: VestVenue, symbol: str) -> dict[str, object]:
    """Return a full snapshot, as after a subscription and at each new picture.

    Takes the fault ``crossed``: bids and asks change places in one frame.
    """
    rows = public.depth_rows(venue, symbol, venue.published(symbol))
    if venue.faults.take(venue.name, "crossed", symbol=symbol) is not None:
        rows = {"bids": rows["asks"], "asks": rows["bids"]}
    return {"channel": f"{symbol}@depth", "data": rows}


async def keep_publishing(venue: VestVenue) -> None:
    """Push to every subscriber, for ever.

    A fault ``silence`` stops public data while connections live; ``garbage`` spoils one frame.
    Cancellation: safe.
    """
    framer, numbers = Framer(venue), dict[str, int]()
    tape, slow_at = Tape(venue, framer), trio.current_time() + SLOW_S
    while True:
        await trio.sleep_until(min(slow_at, venue.setup.model.next_look_at()))
        slow = trio.current_time() >= slow_at
        if slow:
            slow_at += SLOW_S
            _close_lapsed(venue)
        fresh = [s for s in venue.listed() if _is_fresh(venue, s, numbers)]
        if not fresh and not slow:
            continue
        if venue.faults.active(venue.name, "maintenance") is not None:
            for link in venue.links:
                link.close(1012, "service restart")
        for symbol in fresh:
            tape.stranger(symbol)
        if venue.faults.active(venue.name, "silence") is not None or not len(venue.links):
            tape.skip()
            continue
        for symbol in fresh:
            _push_depth(venue, framer, symbol)
            tape.tell(symbol)
        if slow:
            _post(venue, "tickers", lambda: framer.frame(_tickers(venue)))


def _is_fresh(venue: VestVenue, symbol: str, numbers: dict[str, int]) -> bool:
    number = venue.setup.model.picture_number(venue.markets[symbol].base)
    before = numbers.get(symbol)
    numbers[symbol] = number
    return number != before


def _push_depth(venue: VestVenue, framer: Framer, symbol: str) -> None:
    channel = f"{symbol}@depth"

    def frame() -> str | bytes:
        if venue.faults.take(venue.name, "garbage", symbol=symbol) is not None:
            return '{"channel":"' + channel + '","data":{"bids":[["NaN",'
        body = depth_frame(venue, symbol)
        odd = changes(venue.faults, venue.name, "type", symbol=symbol)
        return framer.frame(other_types(body) if odd else body)

    _post(venue, channel, frame)


def _post(venue: VestVenue, channel: str, make: Callable[[], str | bytes]) -> None:
    """Send one frame to all who listen to a channel; it is made only when somebody does."""
    listeners: list[Link] = [link for link in venue.links if channel in link.subscriptions]
    if listeners:
        frame = make()
        for link in listeners:
            link.post(frame)


def _tickers(venue: VestVenue) -> dict[str, object]:
    rows = public.tickers(venue, {})
    for row in rows:
        row["priceChange"], row["priceChangePercent"] = past.changes(venue, row["symbol"])
    return {"channel": "tickers", "data": rows}


class Tape:
    """Strangers' trades, and the channels that tell of trades and of klines."""

    def __init__(self, venue: VestVenue, framer: Framer) -> None:
        self._venue = venue
        self._framer = framer
        self._roll = Random(f"{venue.setup.seed}/vest/tape")
        self._told = dict.fromkeys(venue.markets, 0)

    def stranger(self, symbol: str) -> None:
        """Let a stranger trade now and then, at the first level shown."""
        venue = self._venue
        if self._roll.random() >= venue.switches.tape_share:
            return
        shown, buys = venue.published(symbol), self._roll.random() < 0.5
        levels = shown.asks if buys else shown.bids
        size = venue.markets[symbol].lot * self._roll.randint(1, 100)
        if levels:
            side: Side = "buy" if buys else "sell"
            venue.histories[symbol].trade(side, levels[0][0], size, venue.wall_ms())

    def skip(self) -> None:
        """Forget what nobody could hear."""
        self._told = {symbol: one.traded for symbol, one in self._venue.histories.items()}

    def tell(self, symbol: str) -> None:
        """Push the trades noted since the last time, and the bars they belong to."""
        venue, market = self._venue, self._venue.markets[symbol]
        news = venue.histories[symbol].trades_after(self._told[symbol])
        if not news:
            return
        self._told[symbol] = news[-1].number
        for trade in news:
            shown = {**past.trade_row(market, trade), "id": f"0x{trade.number:064x}"}
            body = {"channel": f"{symbol}@trades", "data": shown}
            _post(venue, f"{symbol}@trades", partial(self._framer.frame, body))
        heard = {name for link in venue.links for name in link.subscriptions}
        for name, minutes in past.INTERVALS.items():
            channel = f"{symbol}@kline_{name}"
            if channel in heard:
                bar = venue.histories[symbol].candles(minutes)[-1]
                # The count of trades is a text here, a number in REST.
                *row, count = past.kline_row(market, bar, minutes)
                _post(
                    venue,
                    channel,
                    partial(self._framer.frame, {"channel": channel, "data": [*row, str(count)]}),
                )


def _close_lapsed(venue: VestVenue) -> None:
    if venue.sessions.listening(venue.wall_ms()):
        return
    for link in venue.links:
        if "private" in link.kinds:
            link.close(4005, "listen key expired")
