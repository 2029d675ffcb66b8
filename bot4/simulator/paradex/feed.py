"""The public stream of one Paradex market: a book that is a snapshot and then changes.

Every tick is one frame with the next sequence number, empty when nothing changed. All sessions
see the same book; each encodes a frame once for each wire it is wanted on.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.simulator.faults import FaultMenu
from bot4.simulator.orders import Depth, Level
from bot4.simulator.paradex import sbe
from bot4.simulator.paradex.shapes import text

Wire = int | None
"""SBE version of a session, None for JSON."""

SNAPSHOT_LEVELS: Final = 15
_FIRST_SEQ_NO: Final = 7_687_000_000
"""Where counters start, of the size seen on production. Source: capture, 2026-10."""

_GHOST_TICKS: Final = 3


@attrs.frozen
class Frame:
    """What changed in a book at one tick. A size of 0 removes a level."""

    market: str
    seq_no: int
    time_us: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    whole: bool
    before: Depth = Depth((), ())
    """The book until now, for the JSON wire that tells inserts from updates."""

    def encode(self, wire: Wire) -> bytes | dict[str, Any]:
        """Return the SBE frame, or the JSON data of the event."""
        if wire is None:
            return self._as_json()
        return sbe.book_frame(
            wire,
            time_us=self.time_us,
            seq_no=self.seq_no,
            package=sbe.SNAPSHOT if self.whole else sbe.DELTA,
            bids=[(sbe.scaled(price), sbe.scaled(size)) for price, size in self.bids],
            asks=[(sbe.scaled(price), sbe.scaled(size)) for price, size in self.asks],
            market=self.market,
        )

    def _as_json(self) -> dict[str, Any]:
        parts: dict[str, list[dict[str, str]]] = {"inserts": [], "updates": [], "deletes": []}
        before = self.before
        for side, levels, olds in (
            ("BUY", self.bids, before.bids),
            ("SELL", self.asks, before.asks),
        ):
            known = {price for price, _ in olds}
            for price, size in levels:
                name = "deletes" if size == 0 else "updates" if price in known else "inserts"
                parts[name].append({"side": side, "price": text(price), "size": text(size)})
        return {
            "market": self.market,
            "seq_no": self.seq_no,
            "last_updated_at": self.time_us // 1000,
            "update_type": "s" if self.whole else "d",
            **parts,
            **(self._touch() if self.whole else {}),
        }

    def _touch(self) -> dict[str, Any]:
        """Return the best levels, as a whole book names them."""
        if not self.bids or not self.asks:
            return {}
        (bid, bid_size), (ask, ask_size) = self.bids[0], self.asks[0]
        best_bid = {"side": "BUY", "price": text(bid), "size": text(bid_size)}
        best_ask = {"side": "SELL", "price": text(ask), "size": text(ask_size)}
        return {
            "best_bid_api": best_bid,
            "best_ask_api": best_ask,
            "best_bid_interactive": best_bid,
            "best_ask_interactive": best_ask,
            "relative_spread": text((ask - bid) / bid),
        }


class BookFeed:
    """The book of one market as the public sees it. Plain functions; the caller keeps time.

    Takes the faults ``gap`` (a frame is counted, never sent) and ``crossed`` (a bid above the
    best ask, gone at the next frame).
    """

    def __init__(self, market: str, tick: Decimal, faults: FaultMenu, venue: str) -> None:
        self.market: Final = market
        self.seq_no = _FIRST_SEQ_NO
        self.shown = Depth((), ())
        self._tick = tick
        self._faults = faults
        self._venue = venue

    def snapshot(self, time_us: int, *, depth: int | None = None) -> Frame:
        """Return the book as the last frame left it, whole or cut to some levels a side."""
        return Frame(
            market=self.market,
            seq_no=self.seq_no,
            time_us=time_us,
            bids=self.shown.bids[:depth],
            asks=self.shown.asks[:depth],
            whole=True,
        )

    def step(self, book: Depth, time_us: int, *, watched: bool) -> Frame | None:
        """Move to a new picture of the book; return the frame, None when nobody gets one.

        Faults strike only while somebody is watching.
        """
        self.seq_no += 1
        if not watched:
            self.shown = book
            return None
        if self._faults.take(self._venue, "crossed", symbol=self.market) is not None:
            book = self._crossed(book)
        before, self.shown = self.shown, book
        if self._faults.take(self._venue, "gap", symbol=self.market) is not None:
            return None
        return Frame(
            market=self.market,
            seq_no=self.seq_no,
            time_us=time_us,
            bids=_changes(before.bids, book.bids),
            asks=_changes(before.asks, book.asks),
            whole=False,
            before=before,
        )

    def _crossed(self, book: Depth) -> Depth:
        if not book.asks or not book.bids:
            return book
        price, size = book.asks[0]
        return Depth(((price + _GHOST_TICKS * self._tick, size), *book.bids), book.asks)


def _changes(before: tuple[Level, ...], after: tuple[Level, ...]) -> tuple[Level, ...]:
    """Return the levels that are new, changed or gone (size 0), in the order of the new book."""
    if before == after:
        return ()
    old, new = dict(before), dict(after)
    gone = [(price, Decimal(0)) for price in old if price not in new]
    return (*gone, *((price, size) for price, size in after if old.get(price) != size))
