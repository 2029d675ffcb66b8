"""What flatten says and asks: what would be closed and its cost, and what is left of it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import structlog
import trio

from bot4.config.schema import Config
from bot4.domain.units import plain
from bot4.errors import ExitCode, StartRefused
from bot4.invocation import command
from bot4.strategy.exposure import Remark, described
from bot4.tasks.flatten import Flattener
from bot4.tasks.line import SAID
from bot4.tasks.reducing import cost_of
from bot4.transport.world import RealWorld
from bot4.wiring.files import refuse_second
from bot4.wiring.snapshot import fresh_status

log = structlog.get_logger()

YES: Final = frozenset({"yes", "y", "oui", "o"})
SILENT: Final = "a process holds the account and says nothing"


@attrs.frozen
class Preview:
    """What one venue has open and holds."""

    venue: str
    orders: int | None = None
    held: Mapping[str, Decimal] = attrs.field(factory=dict)
    cost: Decimal | None = None
    """Half of the spread and the taker fee for all of it, quote currency; None: not known."""
    why: str = ""
    """Why it could not be read; "" when it could."""


def beside_bot(
    config: Config, symbols: Mapping[str, frozenset[str] | None]
) -> list[Preview] | None:
    """Return what the running bot says it holds; None when none runs."""
    try:
        refuse_second(config)
    except StartRefused:
        said = fresh_status(config, RealWorld().wall_ms())
    else:
        return None
    if said is None:
        return [Preview(venue, why=SILENT) for venue in symbols]
    return [
        _told(venue, said["venues"].get(venue, {}), wanted) for venue, wanted in symbols.items()
    ]


def _told(venue: str, said: Mapping[str, Any], wanted: frozenset[str] | None) -> Preview:
    if "positions" not in said:
        return Preview(venue, why="the running bot has not read it yet")
    held = {
        symbol: Decimal(size)
        for symbol, size in said["positions"].items()
        if wanted is None or symbol in wanted
    }
    costs = said.get("half_costs", {})
    parts = [abs(size) * Decimal(costs[s]) for s, size in held.items() if costs.get(s)]
    cost = sum(parts, Decimal(0)) if len(parts) == len(held) else None
    return Preview(venue, said.get("open_orders"), held, cost)


async def look(flattener: Flattener) -> Preview:
    """Ask the venue. Cancellation: waits for the question under way."""
    venue = flattener.gateway.venue
    try:
        await flattener.gateway.sync_clock()
        orders, positions = await flattener.look()
        held = {position.key.symbol: position.size for position in positions}
        cost = await cost_of(flattener.gateway, held)
    except SAID as said:
        return Preview(venue, why=str(said))
    return Preview(venue, orders, held, cost)


def tell(previews: Iterable[Preview]) -> ExitCode:
    """Say it, a line a venue. Returns: CLEAN when all of it could be read."""
    code = ExitCode.CLEAN
    for preview in previews:
        venue = preview.venue
        if preview.why:
            code = ExitCode.LEFT_OPEN
            log.warning(
                "venue.unreachable",
                message=f"[FLATTEN] Could not look at {venue}: {preview.why}",
                venue=venue,
                why=preview.why,
                do="look at the venue's page; flatten tries it again for a minute",
            )
            continue
        held = {symbol: plain(size) for symbol, size in preview.held.items()}
        words = ", ".join(f"{size} {symbol}" for symbol, size in held.items()) or "nothing"
        cost = None if preview.cost is None else plain(round(preview.cost, 2))
        closing = f"; closing costs about {cost or '?'}" if held else ""
        orders = "?" if preview.orders is None else preview.orders
        log.info(
            "flatten.planned",
            message=f"[FLATTEN] {venue}: {orders} open orders, holds {words}{closing}",
            venue=venue,
            orders=preview.orders,
            held=held,
            cost=cost,
        )
    return code


async def agreed() -> bool:
    """Ask on the terminal. Cancellation: nothing was answered."""
    sys.stderr.write("Cancel and close all of this? yes or no (oui or non): ")
    sys.stderr.flush()
    # A terminal is readable once a whole line was typed.
    await trio.lowlevel.wait_readable(sys.stdin.fileno())
    if sys.stdin.readline().strip().lower() in YES:
        return True
    log.info("flatten.planned", message="[FLATTEN] Not agreed: nothing was touched")
    return False


def held_words(flatteners: list[Flattener]) -> str:
    """Return what each venue holds, as last read; "" when both are known to hold nothing."""
    words: list[str] = []
    for flattener in flatteners:
        exposure, venue = flattener.exposure, flattener.gateway.venue
        if not exposure.is_read(venue):
            words.append(f"{venue} could not be read")
        sizes = exposure.sizes(venue).items()
        words += [f"{venue} {described(size, symbol)}" for symbol, size in sizes]
    return ", ".join(words)


def tell_left(remark: Remark) -> None:
    """Say what is left of a pair."""
    if remark.naked:
        log.error(
            "exposure.left",
            message=f"[DANGER] {remark.text}",
            pair=remark.name,
            why="one leg could not be closed or read, see above",
            do="close it on the venue's page now, or run this again",
        )
        return
    log.warning(
        "pair.held",
        message=f"[HOLD] {remark.text}",
        pair=remark.name,
        why="both legs go or none, and nothing watches it until a bot runs",
        do=f"start the bot, or run {command('flatten')}; with --venue it closes one leg alone",
    )
