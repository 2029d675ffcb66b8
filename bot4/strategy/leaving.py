"""Whether a held pair is closed now, and how."""

from __future__ import annotations

from decimal import Decimal

import attrs

from bot4.domain.market import VEST, other
from bot4.domain.order import Side
from bot4.domain.units import floor_step, from_e8, percent, to_e8
from bot4.strategy.clips import cut, smallest
from bot4.strategy.depth import Taken, ThinBook, take, take_shown
from bot4.strategy.edge import round_trip_fees
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.limits import couple, couple_forced
from bot4.strategy.memory import Memory
from bot4.strategy.rules import ExitRules, Rules
from bot4.strategy.spread import spread_of
from bot4.strategy.view import Exit, Holding, View, Why


def exit_threshold(view: View, holding: Holding, rules: ExitRules) -> Decimal:
    """Return the exit spread that is enough now.

    From half of the longest hold on, breaking even is enough, when that is less.
    """
    if holding.held_s * 2 < rules.max_hold_s:
        return rules.spread_exit
    return min(rules.spread_exit, break_even(view, holding))


def break_even(view: View, holding: Holding) -> Decimal:
    """Return the exit spread at which the whole round trip earns nothing."""
    side = Side.BUY if holding.long == VEST else Side.SELL
    price = from_e8(view.books()[VEST].ask)
    premium = view.premium.round_trip(side, holding.vest_size * price)
    costs = round_trip_fees(view.pair) + premium + view.carry(holding.long)
    return costs - holding.entry_spread


def forced_by(view: View, holding: Holding, rules: ExitRules) -> Why | None:
    """Return why the pair is closed whatever it earns, or None."""
    if view.must_leave is not None:
        return view.must_leave
    return Why.HOLD_TIME if holding.held_s >= rules.max_hold_s else None


def leave(view: View, holding: Holding, rules: Rules, memory: Memory) -> Exit | Hold:
    """Judge the exit on a usable picture: at target, or because it has to be."""
    why = forced_by(view, holding, rules.leave)
    short_venue, books = other(holding.long), view.books()
    holding = _clipped(view, holding, to_shown=why is not None)
    if not holding.vest_size or not holding.paradex_size:
        return Hold(Reason.MINIMUM, "less than one lot of today is held")
    walk = take if why is None else take_shown
    try:
        sell = walk(books[holding.long].bids, to_e8(holding.size(holding.long)))
        buy = walk(books[short_venue].asks, to_e8(holding.size(short_venue)))
    except ThinBook as thin:
        return Hold(Reason.THIN, f"not enough depth to close: {thin}")
    # The two sizes may differ by dust: averages are compared, without dividing.
    spread = spread_of(buy.notional * sell.size, sell.notional * buy.size, short_venue, view.rate)
    target = exit_threshold(view, holding, rules.leave)
    if why is None:
        refused = _too_little(spread, target, rules.leave)
        if refused is not None:
            return refused
    prices = (view.pair, short_venue, buy.marginal, sell.marginal)
    if why is None:
        limits = couple(*prices, target - rules.leave.tolerance, view.rate)
    else:
        limits = couple_forced(*prices, rules.leave.forced_exit_cap, view.rate)
    if limits is None:
        return Hold(Reason.ROUNDING, "no two safe limits on the ticks are marketable for the exit")
    return Exit(
        long=holding.long,
        vest_size=holding.vest_size,
        paradex_size=holding.paradex_size,
        long_limit=from_e8(limits.sell),
        short_limit=from_e8(limits.buy),
        spread=spread,
        marginal_spread=_marginal(buy, sell, short_venue, view),
        target=target,
        long_price=sell.average,
        short_price=buy.average,
        rate=view.rate,
        why=why or Why.TARGET,
        detected_at=memory.detected_at,
    )


def _clipped(view: View, holding: Holding, *, to_shown: bool) -> Holding:
    """Return what is closed now of a pair: no more than one order may take on either venue.

    What has to go takes no more than both books show; at target it waits for depth instead.
    """
    books, markets = view.books(), (view.pair.vest, view.pair.paradex)
    most = [market.max_order for market in markets if market.max_order is not None]
    if to_shown:
        sides = books[holding.long].bids, books[other(holding.long)].asks
        most += [from_e8(sum(ladder.sizes)) for ladder in sides]
    if any(holding.size(market.key.venue) % market.lot for market in markets):
        # Its lot grew while the pair was on: what is no whole lot of today stays, hedged.
        whole = floor_step(min(holding.vest_size, holding.paradex_size), view.pair.lot)
        holding = attrs.evolve(holding, vest_size=whole, paradex_size=whole)
    if not most or max(holding.vest_size, holding.paradex_size) <= min(most):
        return holding
    least = max(smallest(market, from_e8(books[market.key.venue].bid)) for market in markets)
    size = min(holding.vest_size, holding.paradex_size)
    part = cut(size, min(most), least, view.pair.lot)
    return attrs.evolve(holding, vest_size=part, paradex_size=part) if part else holding


def _too_little(spread: Decimal, target: Decimal, rules: ExitRules) -> Hold | None:
    if spread < target:
        return Hold(Reason.BELOW_EXIT)
    if spread > rules.max_spread:
        return Hold(Reason.SUSPECT, f"an exit at {percent(spread)} is too good to be true")
    return None


def _marginal(buy: Taken, sell: Taken, buy_venue: str, view: View) -> Decimal:
    return spread_of(buy.marginal, sell.marginal, buy_venue, view.rate)
