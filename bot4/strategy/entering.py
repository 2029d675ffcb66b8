"""Whether a flat pair is opened now, on which side, and how."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bot4.domain.market import VENUES, VEST, other
from bot4.domain.order import Side
from bot4.domain.units import percent
from bot4.strategy.confirmation import Waiting
from bot4.strategy.edge import expected_exit, net_of, round_trip_fees
from bot4.strategy.hold import Hold, Reason
from bot4.strategy.memory import Memory
from bot4.strategy.rules import Rules
from bot4.strategy.sizing import Sized, size_entry
from bot4.strategy.spread import touch_spread
from bot4.strategy.view import Enter, View

_BELOW: Final = Hold(Reason.BELOW_ENTRY)
_PRICE: Final = (Reason.BELOW_ENTRY, Reason.THIN, Reason.ROUNDING, Reason.SUSPECT)
"""Holds that say there is no gap to trade; the others say that we may not trade it."""


def enter(view: View, rules: Rules, memory: Memory) -> Enter | Hold:
    """Judge both directions on a usable picture. At most one can be above its threshold."""
    holds = []
    for long_venue in VENUES:
        judged = _one_way(view, rules, memory, long_venue)
        if isinstance(judged, Enter):
            return judged
        holds.append(judged)
    return next((hold for hold in holds if hold.reason is not Reason.BELOW_ENTRY), holds[0])


def _one_way(view: View, rules: Rules, memory: Memory, long_venue: str) -> Enter | Hold:
    books, entry = view.books(), rules.entry
    touch = touch_spread(books[long_venue], books[other(long_venue)], view.rate)
    sized: Sized | Hold = _BELOW
    if touch > entry.max_spread:
        sized = Hold(Reason.SUSPECT, f"{percent(touch)} between the venues is too good to be true")
    elif touch >= entry.spread_entry:
        sized = size_entry(view.pair, long_venue, books, view.rate, view.room, entry, rules.size)
    enough = isinstance(sized, Sized) or sized.reason not in _PRICE
    seen = memory.saw(view, long_venue, enough=enough)
    if isinstance(sized, Hold):
        return sized
    if isinstance(seen, Waiting):
        return Hold(Reason.CONFIRMING, f"{seen.left_ms} ms left: {seen.why}")
    if view.blocked is not None:
        return view.blocked
    net = _net(view, rules, memory, long_venue, sized)
    if net < entry.min_profit:
        return Hold(
            Reason.EDGE,
            f"{percent(sized.spread, 3)} leaves {percent(net, 3)} after a round trip",
        )
    return Enter(
        long=long_venue,
        size=sized.size,
        long_limit=sized.long_limit,
        short_limit=sized.short_limit,
        spread=sized.spread,
        marginal_spread=sized.marginal_spread,
        net=net,
        target=entry.spread_entry,
        long_price=sized.long_price,
        short_price=sized.short_price,
        rate=view.rate,
        confirmed_ms=seen.lived_ms or 0,
        detected_at=memory.detected_at,
    )


def _net(view: View, rules: Rules, memory: Memory, long_venue: str, sized: Sized) -> Decimal:
    side = Side.BUY if long_venue == VEST else Side.SELL
    price = sized.long_price if long_venue == VEST else sized.short_price
    return net_of(
        sized.spread,
        expected_exit(memory.history[long_venue], rules.entry, rules.leave),
        round_trip_fees(view.pair),
        view.premium.round_trip(side, sized.size * price),
        view.carry(long_venue),
    )
