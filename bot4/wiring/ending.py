"""The last lines of a run: clean, or what is left, or what stays open, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from bot4.domain.units import plain
from bot4.invocation import command
from bot4.tasks.results import Results
from bot4.wiring.figures import Figures, say_left_open

log = structlog.get_logger()


def say_ended(results: Results, uptime: Mapping[str, float], lived_s: float) -> None:
    """Log what the run did and earned, and how long each feed was up, in percent."""
    words = ", ".join(f"{venue} {share}%" for venue, share in uptime.items())
    log.info(
        "bot.ended",
        message=f"[SHUTDOWN] {results.trades} trades, {results.taken_back} of them taken "
        f"back unhedged, net {plain(results.net)} USDC, feeds up {words}",
        trades=results.trades,
        taken_back=results.taken_back,
        net_usdc=plain(results.net),
        uptime_percent=uptime,
        seconds=round(lived_s, 1),
    )


def say_last(left: Sequence[str], figures: Sequence[Figures], *, compared: bool, lost: str) -> None:
    """Log the last lines; what a person must not overlook comes last.

    Args:
        left: what is open or not proven, one line each.
        figures: of the hedged pairs, which stay on.
        compared: whether both venues were compared with the journal at all: without, nothing is
            called clean.
        lost: what became of the journal, in words; "" where it is in its place.
    """
    if not compared:
        say_early(left, _held(figures))
        return
    if not left:
        log.info(
            "shutdown.clean",
            message="[SHUTDOWN] Clean exit, no pending orders",
            held=_held(figures),
        )
    for one in figures:
        say_left_open(one)
    if left:
        log.critical(
            "shutdown.left",
            message=f"[SHUTDOWN] NOT clean: {'; '.join(left)}",
            left=list(left),
            held=_held(figures),
            why=f"{lost}; the next start would know nothing of what is open"
            if lost
            else "it could not be proven closed in time",
            do=f"put it back before the next start; if that cannot be, run {command('flatten')}"
            if lost
            else _do(),
        )


def say_early(left: Sequence[str], held: Mapping[str, Mapping[str, str]]) -> None:
    """Log that the bot stopped before it had compared both venues with the journal.

    Args:
        left: what may be open all the same; empty when the journal says that nothing is.
        held: by pair and venue, as the journal says.
    """
    if left:
        log.critical(
            "shutdown.left",
            message=f"[SHUTDOWN] Stopped before looking: {'; '.join(left)}",
            left=list(left),
            held=held,
            why="the venues were not compared with the journal, so this may be open",
            do=_do(),
        )
        return
    log.warning(
        "shutdown.early",
        message="[SHUTDOWN] Stopped before looking: by the journal nothing is held",
        held=held,
        why="the venues were not compared with the journal",
        do=f"nothing, unless the journal is wrong: {command('status')} asks both venues",
    )


def _held(figures: Sequence[Figures]) -> dict[str, dict[str, str]]:
    return {
        one.trade.plan.pair: {key.venue: plain(size) for key, size in one.held.items()}
        for one in figures
    }


def _do() -> str:
    return f"run {command('flatten')}, or start the bot again: it takes up where it stopped"
