"""What the desk says: one line for everything it decides, in the owner's words."""

from __future__ import annotations

from decimal import Decimal

import structlog

from bot4.domain.market import other
from bot4.domain.order import Purpose
from bot4.domain.units import percent, plain
from bot4.invocation import command
from bot4.strategy.bound import NakedBound
from bot4.strategy.complete_or_unwind import Complete
from bot4.strategy.decision import Enter, Exit
from bot4.strategy.saga import Trade
from bot4.tasks.dispatch import LONG, Wanted

log = structlog.get_logger()


def say_recovered(trade: Trade) -> None:
    """A trade of an earlier run goes on."""
    log.warning(
        "trade.recovered",
        message=f"[RECOVERY] Trade {trade.plan.trade_id} found in the journal, "
        f"{trade.state}, {trade.plan.pair}",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        state=trade.state.value,
        why="the last run ended before this trade did",
        do="nothing: it is compared with both venues and carried on",
    )


def say_entering(pair: str, trade_id: str, decision: Enter) -> None:
    """Both entry orders leave."""
    log.info(
        "pair.opening",
        message=f"[TRADE] Entering {pair}: long {plain(decision.size)} on "
        f"{decision.long} at {plain(decision.long_limit)} or better, short on "
        f"{other(decision.long)} at {plain(decision.short_limit)} or better, "
        f"spread={percent(decision.spread)}, target={percent(decision.target)}",
        trade_id=trade_id,
        pair=pair,
        long=decision.long,
        short=other(decision.long),
        size=plain(decision.size),
        long_limit=plain(decision.long_limit),
        short_limit=plain(decision.short_limit),
        spread_percent=percent(decision.spread, 4),
        target_percent=percent(decision.target, 4),
        net_percent=percent(decision.net, 4),
    )


def say_bound(pair: str, bound: NakedBound, notional: Decimal, cost: Decimal) -> None:
    """What is promised of a leg that is alone."""
    log.info(
        "bound.stated",
        message=f"[SAFETY] {pair}: a leg may be alone for {bound.answered_s:.1f} s, for "
        f"{bound.doubt_s:.1f} s when an answer never comes; at {plain(notional)} USDC that may "
        f"cost {cost:.2f} USDC, then nothing opens any more",
        pair=pair,
        answered_s=round(bound.answered_s, 2),
        doubt_s=round(bound.doubt_s, 2),
        notional_usdc=plain(notional),
        worst_usdc=plain(round(cost, 2)),
    )


def say_hedged(trade: Trade, real: Decimal | None, stages: dict[str, float]) -> None:
    """Both legs are on."""
    shown = percent(real) if real is not None else "unknown"
    mended = any(leg.order.purpose is Purpose.MEND for leg in trade.legs)
    log.info(
        "pair.opened",
        message=f"[TRADE] Entry executed: spread={shown}, target={percent(trade.plan.target)}"
        + (", mended at a worse price" if mended and real and real < trade.plan.target else ""),
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        long=trade.plan.long.venue,
        short=trade.plan.short.venue,
        size=plain(abs(trade.position(trade.plan.long.venue))),
        spread_percent=percent(real, 4) if real is not None else None,
        detected_percent=percent(trade.plan.spread, 4),
        target_percent=percent(trade.plan.target, 4),
        mended=mended,
        latency_ms=stages,
    )


def say_held(trade: Trade, *, proven: bool = True) -> None:
    """The bot stops and the pair stays on, hedged as far as is known."""
    if not proven:
        log.warning(
            "pair.held",
            message=f"[SHUTDOWN] {trade.plan.pair} stays on; its positions could not be compared",
            trade_id=trade.plan.trade_id,
            pair=trade.plan.pair,
            why="a venue did not say in time what it holds",
            do="start the bot again: it compares first; or look at both venues' pages",
        )
        return
    log.info(
        "pair.held",
        message=f"[SHUTDOWN] {trade.plan.pair} stays hedged, as on_stop: hold says",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        held={venue: plain(trade.position(venue)) for venue in trade.venues},
    )


def say_leaving(trade: Trade, decision: Exit) -> None:
    """Both closing orders leave."""
    log.info(
        "pair.closing",
        message=f"[TRADE] Closing {trade.plan.pair}: spread={percent(decision.spread)}, "
        f"target={percent(decision.target)}, {decision.why.value}",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        spread_percent=percent(decision.spread, 4),
        target_percent=percent(decision.target, 4),
        because=decision.why.value,
    )


def say_exit_held(trade: Trade, why: str) -> None:
    """A hedged pair would be closed, and one venue executes no order."""
    log.warning(
        "exit.held",
        message=f"[HOLD] {trade.plan.pair} stays on, hedged: {why}",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        why=f"one leg alone would be left until that venue executes orders again: {why}",
        do="nothing: it is asked every second and closed then",
    )


def say_unwinding(trade: Trade, why: str) -> None:
    """The filled leg will be taken back, and why."""
    log.warning(
        "leg.retried",
        message=f"[RETRY] Not completing {trade.plan.pair}: {why}; the filled leg is closed",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        net=plain(trade.net),
        why=why,
        do="nothing: the filled leg is taken back, reduce-only",
    )


def say_reducing(trade: Trade, wanted: Wanted, rung: int) -> None:
    """A reducing order leaves."""
    log.warning(
        "leg.retried",
        message=f"[RETRY] Reducing {plain(wanted.size)} on {wanted.key.venue}, attempt "
        f"{trade.compensations + 1}/{trade.plan.attempts}, within {rung} bps of the market",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        venue=wanted.key.venue,
        side=wanted.side.value,
        size=plain(wanted.size),
        limit=plain(wanted.limit),
        net=plain(trade.net),
        why="one leg holds more than the other",
        do="nothing: it is reduced until the pair is even",
    )


def say_mending(trade: Trade, wanted: Wanted, attempt: str, choice: Complete) -> None:
    """The missing leg is tried again."""
    who = "Long" if wanted.leg == LONG else "Short"
    last = [leg for leg in trade.legs if leg.order.key == wanted.key][-1]
    why = last.reason or "not filled in full"
    log.warning(
        "leg.retried",
        message=f"[RETRY] {who} failed, attempt {attempt}: {why}",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        venue=wanted.key.venue,
        side=wanted.side.value,
        size=plain(wanted.size),
        limit=plain(wanted.limit),
        choice=choice.why,
        why=why,
        do="nothing: it is tried again, else the other leg is closed",
    )


def say_stranded(trade: Trade) -> None:
    """Cry that a leg is alone and that every allowed attempt to close it failed."""
    held = ", ".join(f"{venue} {plain(trade.position(venue))}" for venue in trade.venues)
    log.critical(
        "exposure.left",
        message=f"[DANGER] {trade.plan.pair} is not hedged: {held}; still trying",
        trade_id=trade.plan.trade_id,
        pair=trade.plan.pair,
        held=held,
        net=plain(trade.net),
        why="every allowed attempt to close the leg failed",
        do=f"close it on the venue's page, or run {command('flatten')}",
    )
