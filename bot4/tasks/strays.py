"""Orders that rest at a venue and are of no trade of ours: cancelled at start, or told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog
import trio

from bot4.domain.market import MarketKey
from bot4.domain.order import OrderReport
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import SAID

log = structlog.get_logger()

TRIES: Final = 3
"""Cancels of one order, a second apart, before it is left to a person. Source: ours."""
AGAIN_S: Final = 1.0
LOOK_EVERY_S: Final = 15.0
"""While one of them rests, it is looked for this often."""


class Strays:
    """Cancels what rests when we come; what cannot be cancelled stops opening where it is."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._left: dict[str, set[str]] = {}
        """By venue, the gate's reasons for what rests there."""
        self._looked_at = float("-inf")
        self.resting: dict[str, str] = {}
        """By venue, a line on what rests there and could not be cancelled; a stop adds to it."""

    async def clear_start(self, gateway: Gateway) -> None:
        """Cancel what rests at one venue; tell what was found, and what would not go.

        Returns when its orders could be read, however long that takes.

        Cancellation: safe.
        """
        found = await self._read(gateway)
        rest, why = found, ""
        for attempt in range(TRIES):
            if not rest:
                break
            if attempt:
                why = await self._cancel(gateway, rest) or why
            else:
                with suppress(*SAID):
                    await gateway.cancel_everything()
            await trio.sleep(AGAIN_S)
            rest = await self._read(gateway)
        if found and len(rest) < len(found):
            gone = len(found) - len(rest)
            log.warning(
                "exposure.found",
                message=f"[SAFETY] {gone} open orders found on {gateway.venue} and cancelled",
                venue=gateway.venue,
                why="an earlier run or a person left them",
                do="nothing",
            )
        self._leave(gateway.venue, rest, why)

    async def look_again(self, gateways: Mapping[str, Gateway]) -> None:
        """Try once more what would not go, now and then; opening goes on when it is gone.

        Cancellation: safe.
        """
        now = trio.current_time()
        if not self._left or now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        for venue in tuple(self._left):
            try:
                rest = await gateways[venue].open_orders()
            except SAID:
                continue  # no answer is no news
            names = {_name(venue, one) for one in rest}
            for gone in self._left[venue] - names:
                self._gate.clear(gone)
            self._left[venue] &= names
            if not self._left[venue]:
                del self._left[venue]
                self.resting.pop(venue, None)
            else:
                stuck = [one for one in rest if _name(venue, one) in self._left[venue]]
                await self._cancel(gateways[venue], stuck)

    async def _read(self, gateway: Gateway) -> Sequence[OrderReport]:
        while True:
            try:
                return await gateway.open_orders()
            except SAID as said:
                log.warning(
                    "venue.unreachable",
                    message=f"[VENUE] {said}",
                    venue=gateway.venue,
                    why=f"open orders cannot be read: {said}",
                    do="nothing: it is asked again",
                )
            await trio.sleep(AGAIN_S)

    async def _cancel(self, gateway: Gateway, rest: Sequence[OrderReport]) -> str:
        """Cancel each by itself; return why the first that was not was not, else ""."""
        try:
            await gateway.cancel_each(rest)
        except SAID as said:
            return str(said)
        return ""

    def _leave(self, venue: str, rest: Sequence[OrderReport], why: str) -> None:
        for report in rest:
            name, order_id = _name(venue, report), report.venue_order_id or "without an id"
            where = f"order {order_id} of {report.symbol or 'a market that it does not name'}"
            words = f"{venue}: {where} cannot be cancelled" + (f": {why}" if why else "")
            do = f"cancel it by hand on {venue}'s page, under open orders"
            log.error(
                "exposure.found",
                message=f"[SAFETY] {words}",
                venue=venue,
                market=report.symbol,
                order_id=report.venue_order_id,
                why=words,
                do=do,
            )
            on = MarketKey(venue, report.symbol) if report.symbol else ""
            self._gate.block(name, words, do, on=on)
            self._left.setdefault(venue, set()).add(name)
            self.resting[venue] = f"{', '.join(sorted(self._left[venue]))} not cancelled"


def _name(venue: str, report: OrderReport) -> str:
    return f"{venue} order {report.venue_order_id}"
