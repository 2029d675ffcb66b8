"""What one venue lets us ask for still, as the headers of its answers say; room kept for closing.

Source: Paradex API docs, rate limits (X-RateLimit headers), seen 2026-08; Vest sends none of them.
``Retry-After`` of an HTTP 429, in seconds: RFC 9110, 10.2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import trio

from bot4.ports import Answer, Pool
from bot4.tasks.gate import Gate

HTTP_TOO_MANY: Final = 429
RESERVED: Final = 5
"""One part in so many of the limit of orders is kept for orders that close, and for cancels."""
FRESH_S: Final = 60.0
"""What was said longer ago says nothing: buckets fill again."""
ORDERS: Final = (Pool.ORDER, Pool.SAFETY)
"""They share one limit at the venue."""
LONGEST_PAUSE_S: Final = 60
"""A venue that asks us to wait for longer is asked again all the same: legs may be open."""
_DIGITS: Final = 9
_WINDOW_CHARS: Final = 12


@attrs.frozen
class Said:
    """One limit, as an answer told it."""

    left: int
    limit: int
    window: str
    """In the venue's own words; "" when it does not say."""
    at: float
    """Trio time."""


def read_headers(headers: Mapping[str, str], at: float) -> Said | None:
    """Return what the headers of an answer say of a limit; None when they say nothing readable."""
    left = _whole(headers.get("x-ratelimit-remaining", ""))
    limit = _whole(headers.get("x-ratelimit-limit", ""))
    if left is None or not limit:
        return None
    window = headers.get("x-ratelimit-window", "")[:_WINDOW_CHARS]
    return Said(left, limit, window if window.isascii() and window.isprintable() else "", at)


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


class Allowance:
    """The newest word on each limit of one venue.

    While few orders are left nothing opens, so that what is open can still be closed.
    """

    def __init__(self, venue: str, gate: Gate) -> None:
        self._venue = venue
        self._gate = gate
        self._said: dict[str, Said] = {}
        self.refused = 0
        """Answers that said we ask too often."""
        self.paused_until = float("-inf")
        """Trio time before which the venue asked us not to ask again."""

    def note(self, pool: Pool, answer: Answer) -> None:
        """Take what one answer says."""
        if answer.status == HTTP_TOO_MANY:
            self.refused += 1
            self._pause(answer)
        said = read_headers(answer.headers, answer.received_at)
        if said is None:
            return
        orders = pool in ORDERS
        self._said["orders" if orders else pool.value] = said
        if orders:
            self._judge(said)

    def refresh(self) -> None:
        """Forget what is too old to go by."""
        if trio.current_time() >= self.paused_until:
            self._gate.clear(self._wait)
        orders = self._said.get("orders")
        if orders is not None and trio.current_time() - orders.at > FRESH_S:
            del self._said["orders"]
            self._gate.clear(self._reason)

    def known(self) -> dict[str, dict[str, Any]]:
        """Return every limit in JSON values, by its name."""
        now = trio.current_time()
        return {
            name: {
                "left": said.left,
                "of": said.limit,
                "window": said.window,
                "age_s": round(now - said.at, 1),
            }
            for name, said in sorted(self._said.items())
        }

    async def wait(self, pool: Pool) -> None:
        """Wait as long as the venue asked us to; what closes or cancels does not.

        Cancellation: safe.
        """
        if pool is not Pool.SAFETY and trio.current_time() < self.paused_until:
            await trio.sleep_until(self.paused_until)
            self._gate.clear(self._wait)

    def _pause(self, answer: Answer) -> None:
        seconds = min(_whole(answer.headers.get("retry-after", "")) or 0, LONGEST_PAUSE_S)
        until = answer.received_at + seconds
        if until > self.paused_until and seconds:
            self.paused_until = until
            why = f"{self._venue} asks us to wait for {seconds} s"
            do = "nothing: what closes goes all the same"
            self._gate.block(self._wait, why, do, on=self._venue)

    @property
    def _wait(self) -> str:
        return f"{self._venue} asks to wait"

    @property
    def _reason(self) -> str:
        return f"{self._venue} limits"

    def _judge(self, said: Said) -> None:
        if said.left * RESERVED >= said.limit:
            self._gate.clear(self._reason)
            return
        why = f"{self._venue} takes only {said.left} more orders of {said.limit}"
        why += f" in {said.window}" if said.window else ""
        self._gate.block(
            self._reason, why, "nothing: what is left is kept for closing, and more come by and by"
        )
