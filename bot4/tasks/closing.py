"""The account of a trade that is over: complete its fills, add it up, say it, book it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import structlog
import trio

from bot4.domain.market import VEST
from bot4.domain.order import Purpose
from bot4.domain.units import percent, plain
from bot4.strategy.premium import Premium
from bot4.strategy.result import TradeResult, trade_result
from bot4.strategy.risk import Attempt
from bot4.strategy.saga import State, Trade
from bot4.tasks.fills import FILLS_LIMIT_S, Collected, collect, complete_fills
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.line import SAID
from bot4.tasks.stopwatch import Stopwatch

log = structlog.get_logger()


async def finish(
    trade: Trade,
    judge: Judge,
    watch: Stopwatch,
    gateways: Mapping[str, Gateway],
    exit_seen: Decimal | None,
) -> bool:
    """Add a flat trade up, tell it in one line, journal it, and learn from it.

    Returns:
        False when its fills, asked for, say that it is not flat after all: then it goes on.

    Cancellation: the trade stays unfinished and is finished after the next start.
    """
    trade = await complete_fills(trade, gateways, judge.ledger)
    if trade.state is not State.FLAT:
        return False
    told = collect(trade, lambda venue: judge.pair.on(venue).taker_fee)
    rate = judge.quote().rate if told.fills else trade.plan.quote_rate
    result = add_up(trade, told, rate, exit_seen)
    body = account(trade, result, watch, judge.wall_ms()) | doubts(told, rate)
    if told.unknown and trade.plan.equity is not None:
        now = await equity_of(gateways)
        if now is not None:
            body["net_usdc"] = plain(round(now - trade.plan.equity, 6))
    _tell(trade, result, body)
    judge.ledger.finish(trade.plan.trade_id, body)
    judge.premium = learn(judge.premium, told, judge.pair.vest.taker_fee, watch)
    if told.opening or told.fills or watch.any_left:
        judge.attempted(
            Attempt(
                at_s=trio.current_time(),
                # What a person or a venue closed counts too: pause before opening again.
                failed=not trade.closing or bool(trade.corrections),
                cost=max(Decimal(0), -Decimal(body["net_usdc"])),
                expected=trade.plan.spread * trade.plan.size * first_price(trade),
            )
        )
    return True


def sums(result: TradeResult) -> dict[str, Any]:
    """The money of an account, JSON-ready."""
    return {
        "gross_usdc": plain(round(result.gross, 6)),
        "fees_usdc": plain(round(result.fees, 6)),
        "funding_usdc": None if result.funding is None else plain(round(result.funding, 6)),
        "net_usdc": plain(round(result.net, 6)),
    }


def add_up(
    trade: Trade, told: Collected, exit_rate: Decimal, exit_seen: Decimal | None
) -> TradeResult:
    """Add up what was collected of a trade.

    Args:
        trade: the trade.
        told: its fills and funding.
        exit_rate: USD per USDC when it was closed.
        exit_seen: exit spread detected, a ratio; None when it was not closed by an exit.
    """
    return trade_result(
        trade.plan.long.venue,
        told.opening,
        told.fills,
        trade.plan.quote_rate,
        exit_rate,
        seen_entry=trade.plan.spread,
        seen_exit=exit_seen,
        funding=told.funding,
    )


def doubts(told: Collected, exit_rate: Decimal) -> dict[str, Any]:
    """What is not known yet, and what booking it later needs; empty when all is known."""
    if not told.estimated and not told.unknown:
        return {}
    return {
        "estimated": list(told.estimated),
        "unknown": list(told.unknown),
        "exit_rate": plain(exit_rate),
    }


async def equity_of(gateways: Mapping[str, Gateway]) -> Decimal | None:
    """Ask what both accounts are worth now, USDC; None when a venue does not answer.

    Cancellation: safe.
    """
    total = Decimal(0)
    with trio.move_on_after(FILLS_LIMIT_S) as limit:
        for gateway in gateways.values():
            try:
                account = await gateway.account()
            except SAID:
                return None
            total += account.equity
    return None if limit.cancelled_caught else total


def hedged_once(trade: Trade) -> bool:
    """Whether the pair was ever on: closed by an exit, or by a hand that found it hedged."""
    return trade.closing or bool(trade.corrections)


def first_price(trade: Trade) -> Decimal:
    """A price of the trade, for turning sizes into money roughly."""
    return trade.legs[0].order.limit


def account(trade: Trade, result: TradeResult, watch: Stopwatch, closed_ms: int) -> dict[str, Any]:
    """The whole account of a trade, JSON-ready: the one line to paste."""
    naked_usd_s, naked_s = watch.naked(first_price(trade), trio.current_time())
    hedged = hedged_once(trade)
    touched = any(leg.filled for leg in trade.legs)  # not by the fees: some accounts pay none
    mended = any(leg.order.purpose is Purpose.MEND and leg.filled for leg in trade.legs)
    return {
        "pair": trade.plan.pair,
        "long": trade.plan.long.venue,
        "short": trade.plan.short.venue,
        "outcome": "closed" if hedged else ("unwound" if touched else "missed"),
        "size": plain(result.matched),
        "entry_spread_percent": _percent(result.entry_spread),
        "detected_spread_percent": _percent(trade.plan.spread),
        "target_percent": _percent(trade.plan.target),
        "exit_spread_percent": _percent(result.exit_spread),
        "entry_slippage_bps": _plain(result.entry_slippage_bps),
        "exit_slippage_bps": _plain(result.exit_slippage_bps),
        **sums(result),
        "mended": mended,
        "orders": len(trade.legs),
        "naked_usd_s": plain(round(naked_usd_s, 3)),
        "naked_s": round(naked_s, 3),
        "dust": {venue: plain(size) for venue, size in result.left.items() if size},
        "latency_ms": watch.stages_ms(),
        "decided_ms": trade.plan.decided_ms,
        "closed_ms": closed_ms,
    }


def learn(premium: Premium, told: Collected, taker_fee: Decimal, watch: Stopwatch) -> Premium:
    """Learn Vest's premium from the fills of this trade's own orders.

    Where it is in the price, only planned orders tell it: of the others no price was promised.
    """
    for fills, closes in ((told.opening, False), (told.closing, True)):
        for fill in fills:
            if fill.venue != VEST or fill.size * fill.price <= 0:
                continue
            bps = premium.found_bps(fill, taker_fee, watch.seen.get(fill.client_order_id))
            if bps is not None:
                premium = premium.saw(fill.side, fill.size * fill.price, bps, closing=closes)
    return premium


def _tell(trade: Trade, result: TradeResult, body: dict[str, Any]) -> None:
    known = {"trade_id": trade.plan.trade_id, **body}
    money = money_of(body)
    if body["outcome"] == "closed" and trade.corrections:
        log.warning(
            "pair.closed",
            message=f"[TRADE] {trade.plan.pair} is over, and not by the bot alone: {money}",
            why="a person, a liquidation or another tool closed some of it",
            do="nothing: what it cost is in the figures, as the venues tell it",
            **known,
        )
    elif body["outcome"] == "closed":
        entry, leave = result.entry_spread, result.exit_spread
        log.info(
            "pair.closed",
            message=f"[TRADE] Exit executed: {trade.plan.pair} {money}, entry "
            f"{percent(entry) if entry is not None else 'unknown'}, exit "
            f"{percent(leave) if leave is not None else 'unknown'}",
            **known,
        )
    elif body["outcome"] == "unwound":
        log.warning(
            "pair.unwound",
            message=f"[TRADE] {trade.plan.pair} taken back, nothing is held: {money}",
            why="one leg did not fill and completing it was not worth it",
            do="nothing: the bot pauses, then looks again",
            **known,
        )
    else:
        reasons = "; ".join(dict.fromkeys(leg.reason for leg in trade.legs if leg.reason))
        log.info(
            "pair.missed",
            message=f"[TRADE] {trade.plan.pair} missed, nothing filled: {reasons or 'too late'}",
            **known,
        )


def money_of(body: Mapping[str, Any]) -> str:
    """What an account comes to, in words; what is not known yet is named."""
    net, fees = (round(Decimal(body[name]), 4) for name in ("net_usdc", "fees_usdc"))
    money = f"net={plain(net)} USDC, fees={plain(fees)}"
    if body["funding_usdc"] and (shown := round(Decimal(body["funding_usdc"]), 4)):
        money += f", funding={plain(shown)}"
    if body.get("unknown"):
        money += f" (by both accounts' equity: not told yet {', '.join(body['unknown'])})"
    elif body.get("estimated"):
        money += f" (an estimate: not told yet {', '.join(body['estimated'])})"
    return money


def _percent(ratio: Decimal | None) -> str | None:
    return None if ratio is None else percent(ratio, 4)


def _plain(number: Decimal | None) -> str | None:
    return None if number is None else plain(round(number, 3))
