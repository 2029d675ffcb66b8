"""What Vest pushes: depth whenever the engine's picture is new, tickers, lapsed listen keys."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Final

import trio

from bot4.simulator.links import Link
from bot4.simulator.prices import STEP_S
from bot4.simulator.vest import public

if TYPE_CHECKING:
    from bot4.simulator.vest.venue import VestVenue

TICKERS_EVERY: Final = 10
"""Steps between two frames of tickers: half a second. Source: ours."""


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
    framer, numbers, steps = Framer(venue), dict[str, int](), 0
    while True:
        await trio.sleep(STEP_S)
        steps += 1
        _close_lapsed(venue)
        if venue.faults.active(venue.name, "maintenance") is not None:
            for link in venue.links:
                link.close(1012, "service restart")
        fresh = [s for s in venue.markets if _is_fresh(venue, s, numbers)]
        if venue.faults.active(venue.name, "silence") is not None or not len(venue.links):
            continue
        for symbol in fresh:
            _push(venue, framer, f"{symbol}@depth", symbol)
        if steps % TICKERS_EVERY == 0:
            _push(venue, framer, "tickers", None)


def _is_fresh(venue: VestVenue, symbol: str, numbers: dict[str, int]) -> bool:
    number = venue.setup.model.picture_number(venue.markets[symbol].base)
    before = numbers.get(symbol)
    numbers[symbol] = number
    return number != before


def _push(venue: VestVenue, framer: Framer, channel: str, symbol: str | None) -> None:
    listeners: list[Link] = [link for link in venue.links if channel in link.subscriptions]
    if not listeners:
        return
    if symbol is None:
        frame = framer.frame({"channel": channel, "data": public.tickers(venue, {})})
    elif venue.faults.take(venue.name, "garbage", symbol=symbol) is not None:
        frame = '{"channel":"' + channel + '","data":{"bids":[["NaN",'
    else:
        frame = framer.frame(depth_frame(venue, symbol))
    for link in listeners:
        link.post(frame)


def _close_lapsed(venue: VestVenue) -> None:
    if venue.sessions.listening(venue.wall_ms()):
        return
    for link in venue.links:
        if "private" in link.kinds:
            link.close(4005, "listen key expired")
