"""Whether the picture is fresh enough to build an order on (invariant I7)."""

from __future__ import annotations

from bot4.domain.book import Book
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.rules import AgeRules


def stale(
    now_s: float,
    vest: Book | None,
    paradex: Book | None,
    vest_heartbeat_at: float | None,
    rules: AgeRules,
) -> Hold | None:
    """Return why no order may be built on these books, or None when one may.

    Args:
        now_s: Trio time, as ``received_at`` and the heartbeat.
        vest: newest book of Vest. A quiet market sends nothing, so its age alone proves little.
        paradex: newest book of Paradex, which sends a frame for every change.
        vest_heartbeat_at: when the last ping that Vest answered was sent; None before the first.
        rules: the limits.
    """
    if vest is None or paradex is None:
        missing = "Vest" if vest is None else "Paradex"
        return Hold(Reason.NO_BOOK, f"no book of {missing}")
    paradex_age, vest_age = now_s - paradex.received_at, now_s - vest.received_at
    if paradex_age > rules.paradex_book_s:
        return Hold(Reason.PARADEX_STALE, f"the Paradex book is {paradex_age:.1f} s old")
    if vest_age > rules.vest_book_s:
        return Hold(Reason.VEST_STALE, f"the Vest book is {vest_age:.1f} s old")
    if vest_heartbeat_at is None:
        return Hold(Reason.VEST_SILENT, "Vest has not answered a ping yet")
    if now_s - vest_heartbeat_at > rules.vest_heartbeat_s:
        silent = now_s - vest_heartbeat_at
        return Hold(Reason.VEST_SILENT, f"the last answered ping to Vest is {silent:.1f} s old")
    if abs(vest_age - paradex_age) > rules.skew_s:
        return Hold(
            Reason.SKEW,
            f"the books are {vest_age:.1f} s (Vest) and {paradex_age:.1f} s (Paradex) old",
        )
    return None
