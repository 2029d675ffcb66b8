"""One leg of an entry is on, the other is not: finish the pair, or go back?

By what each would cost from here on, on both live books. What the filled leg already cost is the
same either way and counts in neither. Exits never ask: they always go forward.
"""

from __future__ import annotations

from decimal import Decimal

import attrs

from bot4.domain.book import Book
from bot4.domain.market import VEST, Pair, other
from bot4.domain.order import Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import floor_step, from_e8, percent, to_e8
from bot4.strategy.clips import clip
from bot4.strategy.depth import Taken, ThinBook, take, take_shown
from bot4.strategy.edge import round_trip_fees
from bot4.strategy.limits import mend_limit, unwind_limit
from bot4.strategy.premium import Premium
from bot4.strategy.rules import MendRules


@attrs.frozen
class Look:
    """What is known of an uneven entry. Only proven fills; nothing may be in doubt."""

    pair: Pair
    vest: Book | None
    paradex: Book | None
    """Fresh; None when there is no fresh one."""
    filled_venue: str
    """Whose leg is on, wholly or by more than the other."""
    side: Side
    """Of the leg that is on: BUY when it is the long one."""
    size: Decimal
    """Base units without a counterpart, > 0."""
    filled_price: Decimal
    """Average of the leg that is on, in its own venue's currency."""
    since_first_fill_s: float
    rate: QuoteRate
    leave: Decimal
    """Exit spread to count on, a ratio; see ``edge.expected_exit``."""
    premium: Premium = Premium()
    carry: Decimal = Decimal(0)
    rung_bps: int | None = 5
    """How far beyond the touch an unwinding order may go now; None is the venue's band."""
    filled_dark: bool = False
    """The venue whose leg is on does not answer at all."""
    other_dark: bool = False
    stopping: bool = False
    """The stop sign is up: nothing is completed any more."""
    may_complete: bool = True
    """Attempts are left and the last refusal was not a final one."""

    @property
    def missing_venue(self) -> str:
        """Where the order that would complete the pair goes."""
        return other(self.filled_venue)

    @property
    def missing_side(self) -> Side:
        """Its side."""
        return self.side.opposite

    @property
    def filled_book(self) -> Book | None:
        """The book to go back on."""
        return self.vest if self.filled_venue == VEST else self.paradex

    @property
    def missing_book(self) -> Book | None:
        """The book to complete on."""
        return self.paradex if self.filled_venue == VEST else self.vest


@attrs.frozen
class Costs:
    """What each way earns from here on, ratios of the notional; negative is a loss."""

    complete: Decimal | None
    """None when it cannot be known or done."""
    unwind: Decimal | None
    spread: Decimal | None = None
    """The entry spread if the pair is completed now."""


@attrs.frozen
class Complete:
    """Send the missing leg, ``size`` of it, at ``limit`` or better; not reduce-only."""

    venue: str
    side: Side
    size: Decimal
    limit: Decimal
    costs: Costs
    why: str


@attrs.frozen
class Unwind:
    """Take the filled leg back, ``size`` of it, at ``limit`` or better, reduce-only."""

    venue: str
    side: Side
    size: Decimal
    limit: Decimal
    costs: Costs
    why: str


@attrs.frozen
class Wait:
    """Neither is possible now: no fresh book to build an order on. Look again soon, loudly."""

    costs: Costs
    why: str


Choice = Complete | Unwind | Wait


def choose(look: Look, rules: MendRules) -> Choice:
    """Choose the cheaper way out, among those that are allowed now."""
    costs = _costs(look)
    barred = _barred(look, rules)
    if look.filled_dark and not look.stopping:
        return _complete_blindly(look, rules, costs)
    if barred:
        return _unwind(look, costs, barred)
    if costs.complete is None or costs.spread is None:
        return _unwind(look, costs, "the missing leg is too small or its book too thin")
    if costs.spread < rules.floor:
        return _unwind(look, costs, f"completing leaves only {percent(costs.spread, 3)}")
    if costs.unwind is None:
        return Wait(costs, "no fresh book of the filled leg to compare with")
    better_by = costs.complete - rules.margin - costs.unwind
    if better_by < 0:
        return _unwind(look, costs, "going back is cheaper")
    # At the limit the pair is still worth its floor, and no dearer than going back.
    least = max(rules.floor, costs.spread - better_by)
    return _complete(look, costs, least, "completing is cheaper")


def _barred(look: Look, rules: MendRules) -> str:
    """Return why completing is out of the question, "" when it is not."""
    if look.stopping:
        return "the bot is stopping"
    if look.other_dark or look.missing_book is None:
        return "the other venue cannot be traded on now"
    if not look.may_complete:
        return "no attempt is left"
    if look.since_first_fill_s >= rules.within_s:
        return f"{look.since_first_fill_s:.1f} s since the first fill"
    return ""


def _complete_blindly(look: Look, rules: MendRules, costs: Costs) -> Complete | Wait:
    """The filled leg cannot be taken back: complete it, however late, down to the floor."""
    if look.other_dark or look.missing_book is None:
        return Wait(costs, "neither venue can be traded on now")
    if not look.may_complete or costs.spread is None:
        return Wait(costs, "the filled leg cannot be taken back, nor the other completed")
    return _complete(look, costs, rules.floor, "the filled leg's venue does not answer")


def _costs(look: Look) -> Costs:
    """Price both ways at the size in question."""
    unwind, missing = _unwinding(look), _missing(look)
    if missing is None:
        return Costs(None, unwind)
    spread = _spread(look, missing)
    market = look.pair.on(look.missing_venue)
    closing = round_trip_fees(look.pair) / 2
    complete = spread + look.leave - market.taker_fee - closing
    return Costs(complete - _premium_if_completed(look) - look.carry, unwind, spread)


def _missing(look: Look) -> Taken | None:
    """Walk the other book for the missing leg; None when it cannot be ordered."""
    book, market = look.missing_book, look.pair.on(look.missing_venue)
    size = floor_step(look.size, market.lot)
    if book is None or size < market.min_size or size <= 0:
        return None
    if size * from_e8(book.bid) < market.min_notional:
        return None
    try:
        return take(book.asks if look.missing_side is Side.BUY else book.bids, to_e8(size))
    except ThinBook:
        return None


def _spread(look: Look, missing: Taken) -> Decimal:
    filled = look.rate.price_in_usdc(look.filled_venue, look.filled_price)
    price = look.rate.price_in_usdc(look.missing_venue, missing.average)
    return price / filled - 1 if look.side is Side.BUY else filled / price - 1


def _unwinding(look: Look) -> Decimal | None:
    """Return what taking the filled leg back earns, fee and premium included; usually a loss."""
    book = look.filled_book
    if book is None or look.filled_dark:
        return None
    ladder = book.bids if look.side is Side.BUY else book.asks
    price = take_shown(ladder, to_e8(look.size)).average
    gain = (price / look.filled_price - 1) * look.side.sign
    gain -= look.pair.on(look.filled_venue).taker_fee
    if look.filled_venue != VEST:
        return gain
    side, notional = look.side.opposite, look.size * price
    return gain - look.premium.ratio(side, notional, closing=True)


def _premium_if_completed(look: Look) -> Decimal:
    """Return Vest's premium on what is still to come: its closing, and its opening if missing."""
    vest_side = look.side if look.filled_venue == VEST else look.missing_side
    notional = look.size * look.filled_price
    closing = look.premium.ratio(vest_side.opposite, notional, closing=True)
    if look.filled_venue == VEST:
        return closing
    return closing + look.premium.ratio(vest_side, notional, closing=False)


def _complete(look: Look, costs: Costs, least: Decimal, why: str) -> Complete:
    market = look.pair.on(look.missing_venue)
    limit = mend_limit(market, look.missing_side, look.filled_price, least, look.rate)
    size = floor_step(look.size, market.lot)
    return Complete(market.key.venue, look.missing_side, size, limit, costs, why)


def _unwind(look: Look, costs: Costs, why: str) -> Unwind | Wait:
    book, market = look.filled_book, look.pair.on(look.filled_venue)
    if book is None or look.filled_dark:
        return Wait(costs, f"{why}, and the filled leg's venue cannot be traded on now")
    limit = unwind_limit(book, look.missing_side, look.rung_bps, market)
    size = clip(book, look.missing_side, look.size, limit, market)
    return Unwind(look.filled_venue, look.missing_side, size, limit, costs, why)
