"""Leaving: prove that nothing of ours is open, or list what is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog
import trio

from bot4.domain.units import plain
from bot4.errors import VenueRefused
from bot4.invocation import command
from bot4.strategy.saga import State
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID

log = structlog.get_logger()

ASK_AGAIN_S = 0.2
SHOT_S = 2.0
"""What a second signal still grants to the cancel-all of both venues."""


async def leave(
    gateways: Mapping[str, Gateway],
    ledger: Ledger,
    touched: Iterable[str],
    leave_by: float,
    seen_open: dict[str, str] | None = None,
) -> list[str]:
    """Cancel and prove, on every venue that this run may have orders on.

    Args:
        gateways: by venue.
        ledger: the trades as they stand.
        touched: venues where this run, or an unfinished trade, may have an open order.
        leave_by: Trio time by which it is over, whatever a venue does.
        seen_open: takes, by venue, a line on the orders that were seen open and not gone since.

    Returns:
        What is left, one line each; empty when nothing is.

    Cancellation: stops asking; of what is not proven by then, ``seen_open`` has what was seen.
    """
    left: dict[str, str] = {
        venue: f"{venue}: open orders could not be read" for venue in sorted(set(touched))
    }
    there = {} if seen_open is None else seen_open

    async def prove(venue: str) -> None:
        gateway, seen, refused = gateways[venue], set[str](), ""
        while True:
            try:
                open_orders = await gateway.open_orders()
                if not open_orders:
                    del left[venue]
                    there.pop(venue, None)
                    return
                again = [one for one in open_orders if one.venue_order_id in seen]
                seen = {one.venue_order_id for one in open_orders}
                left[venue] = refused or f"{venue}: {len(open_orders)} open orders, being cancelled"
                there[venue] = f"{venue}: {', '.join(sorted(seen))} not proven cancelled"
                try:
                    # Cancelling all of them is not said to have failed for one.
                    await (gateway.cancel_each(again) if again else gateway.cancel_everything())
                except VenueRefused as refusal:
                    names = ", ".join(one.venue_order_id for one in open_orders)
                    refused = f"{venue}: {names} cannot be cancelled: {refusal}"
                    left[venue] = refused
            except SAID as said:
                left[venue] = refused or f"{venue}: open orders could not be read: {said}"
            except Exception as error:
                what = f"{type(error).__name__}: {error}"
                left[venue] = f"{venue}: open orders could not be read: {what}"
                log.error(
                    "bot.crashed",
                    message=f"[FATAL] {what}",
                    venue=venue,
                    why=what,
                    do="send this line and the log file to whoever looks after the bot",
                    exc_info=error,
                )
                return
            await trio.sleep(ASK_AGAIN_S)

    hurry(gateways.values(), leave_by)
    with trio.move_on_at(leave_by):
        async with trio.open_nursery() as proving:
            for venue in tuple(left):
                proving.start_soon(prove, venue)
    return [*left.values(), *unfinished(ledger)]


def unfinished(ledger: Ledger) -> list[str]:
    """Trades that are neither finished nor safely hedged, one line each."""
    lines = []
    for trade in ledger.trades:
        if trade.state is State.HEDGED:
            continue
        doubts = [leg.order.client_order_id for leg in trade.open_legs()]
        held = ", ".join(f"{venue} {plain(trade.position(venue))}" for venue in trade.venues)
        doubt = f"; in doubt: {', '.join(doubts)}" if doubts else ""
        lines.append(f"trade {trade.plan.trade_id} ({trade.state}): holds {held}{doubt}")
    return lines


def hurry(gateways: Iterable[Gateway], at: float) -> None:
    """Have every exchange end by this Trio time; an order's is in doubt then."""
    for gateway in gateways:
        gateway.hurry(at)


async def fire_cancel_all(gateways: Mapping[str, Gateway]) -> None:
    """After a second signal: one shot at both venues, at most two seconds, no proof."""
    hurry(gateways.values(), trio.current_time() + SHOT_S)

    async def fire(gateway: Gateway) -> None:
        try:
            await gateway.cancel_everything()
        except SAID as said:
            log.warning(
                "venue.unreachable",
                message=f"[SHUTDOWN] {said}",
                venue=gateway.venue,
                why=str(said),
                do=f"run {command('flatten')}",
            )

    with trio.move_on_after(SHOT_S, shield=True):
        async with trio.open_nursery() as firing:
            for gateway in gateways.values():
                firing.start_soon(fire, gateway)
