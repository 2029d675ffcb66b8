"""Limit prices: chosen together, so that two fills at their worst still earn the spread.

Integers of 1e-8 inside, fractions where a fill's average comes in: no step of the arithmetic
rounds but the one onto the tick, and that one always rounds to our side.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Final

import attrs

from bot4.domain.book import Book
from bot4.domain.market import PARADEX, VEST, Market, Pair, other
from bot4.domain.order import Side
from bot4.domain.quote import QuoteRate
from bot4.domain.units import BPS, from_e8, to_e8

PARADEX_SHARE: Final = (7, 10)
"""The part of the room that the slower venue's limit gets. Source: ours."""
UNKNOWN_BAND: Final = Decimal("0.05")
"""Price band assumed where a venue tells none. Source: Paradex's usual width."""
BAND_MARGIN: Final = Decimal("0.9")
"""We stay this far inside the band: it is measured from the mark, which we do not see."""


@attrs.frozen
class Coupled:
    """Two limits that belong together, e8, each on its market's tick."""

    buy: int
    sell: int


def coupling(buy_venue: str, least: Decimal, rate: QuoteRate) -> tuple[int, int]:
    """Return the smallest allowed ratio of the sell limit to the buy limit, as a fraction.

    Both limits are in their own venue's currency; the bound of the rate that is worse for us is
    taken, so the spread holds at any rate between them.

    Args:
        buy_venue: where we buy.
        least: the worst spread allowed, a ratio above -1.
        rate: USD per USDC.
    """
    up, down = (1 + least).as_integer_ratio()
    if buy_venue == VEST:
        high_up, high_down = rate.high.as_integer_ratio()
        return up * high_up, down * high_down
    low_up, low_down = rate.low.as_integer_ratio()
    return up * low_down, down * low_up


def couple(
    pair: Pair, buy_venue: str, ask: int, bid: int, least: Decimal, rate: QuoteRate
) -> Coupled | None:
    """Choose both limits: safe at their worst, marketable now, the room split 70:30.

    ``sell_limit / buy_limit - 1 >= least`` in USDC at any rate between ``rate.low`` and
    ``rate.high``; ``buy_limit >= ask`` and ``sell_limit <= bid``. What lies between ``least`` and
    the prices seen is room for the books to move in: 70 % of it goes to Paradex, which is slower.

    Args:
        pair: for the ticks.
        buy_venue: where we buy; we sell on the other.
        ask: price of the last unit bought, e8, in the buying venue's currency.
        bid: price of the last unit sold, e8, in the selling venue's currency.
        least: the worst spread allowed, a ratio above -1.
        rate: USD per USDC.

    Returns:
        None when no two prices on the ticks are both safe and marketable.
    """
    buy_tick, sell_tick = to_e8(pair.on(buy_venue).tick), to_e8(pair.on(other(buy_venue)).tick)
    up, down = coupling(buy_venue, least, rate)
    lowest_buy = -(-ask // buy_tick) * buy_tick
    highest_sell = bid // sell_tick * sell_tick
    highest_buy = highest_sell * down // (up * buy_tick) * buy_tick
    if highest_buy < lowest_buy or highest_sell <= 0:
        return None
    part, whole = PARADEX_SHARE
    if buy_venue != PARADEX:
        part = whole - part
    wanted = (whole - part) * ask * up + part * bid * down
    buy = wanted // (whole * up * buy_tick) * buy_tick
    buy = min(max(buy, lowest_buy), highest_buy)
    sell = -(-buy * up // (down * sell_tick)) * sell_tick
    return Coupled(buy, sell)


def couple_forced(
    pair: Pair, buy_venue: str, ask: int, bid: int, cap: Decimal, rate: QuoteRate
) -> Coupled:
    """Choose both limits of an exit that must go: ``cap`` beyond the prices seen, in all.

    Always marketable; the rate's uncertainty is left out, it must not stop a forced exit.
    """
    sure = rate.sure()
    seen = Fraction(bid, ask) / Fraction(*coupling(buy_venue, Decimal(0), sure)) - 1
    least = Decimal(seen.numerator) / Decimal(seen.denominator) - cap
    limits = couple(pair, buy_venue, ask, bid, least, sure)
    if limits is not None:
        return limits
    buy_tick, sell_tick = to_e8(pair.on(buy_venue).tick), to_e8(pair.on(other(buy_venue)).tick)
    return Coupled(-(-ask // buy_tick) * buy_tick, max(bid // sell_tick, 1) * sell_tick)


def mend_limit(
    market: Market, side: Side, filled_price: Decimal, least: Decimal, rate: QuoteRate
) -> Decimal:
    """Return the worst price at which a missing entry leg may still be filled.

    Args:
        market: where the leg is missing.
        side: of the missing leg.
        filled_price: average price of the leg that is on, in its own venue's currency.
        least: the worst spread allowed between the two, a ratio above -1.
        rate: USD per USDC.

    Returns:
        In the market's currency, on its tick, rounded to our side; it may not be positive, then
        no price will do.
    """
    venue = market.key.venue
    buy_venue = venue if side is Side.BUY else other(venue)
    ratio = Fraction(*coupling(buy_venue, least, rate))
    filled, tick = Fraction(filled_price), Fraction(market.tick)
    if side is Side.SELL:
        return ceil(filled * ratio / tick) * market.tick
    return floor(filled / ratio / tick) * market.tick


def unwind_limit(book: Book, side: Side, rung_bps: int | None, market: Market) -> Decimal:
    """Return the limit of an order that reduces a position, always marketable now.

    Args:
        book: newest book of the market.
        side: of the reducing order.
        rung_bps: how far beyond the touch; None is as far as the venue's price band lets us.
        market: for its tick and price band.

    Returns:
        In the market's currency, on its tick, never further than the rung nor outside the band.
    """
    band = (UNKNOWN_BAND if market.price_band is None else market.price_band) * BAND_MARGIN
    reach = Fraction(band if rung_bps is None else min(rung_bps * BPS, band))
    tick = Fraction(market.tick)
    if side is Side.BUY:
        touch = Fraction(from_e8(book.ask))
        return max(floor(touch * (1 + reach) / tick), ceil(touch / tick)) * market.tick
    touch = Fraction(from_e8(book.bid))
    return max(min(ceil(touch * (1 - reach) / tick), floor(touch / tick)), 1) * market.tick


def cost_of_one(book: Book, market: Market) -> Decimal:
    """Return what taking one unit costs: half of the spread and the fee, quote currency."""
    bid, ask = from_e8(book.bid), from_e8(book.ask)
    return (ask - bid) / 2 + (ask + bid) / 2 * market.taker_fee


def shown_within(book: Book, side: Side, limit: Decimal) -> Decimal:
    """Return how much the book shows at this limit or better, base units."""
    ladder = book.asks if side is Side.BUY else book.bids
    bound = Fraction(limit) * 10**8
    shown = 0
    for price, size in zip(ladder.prices, ladder.sizes, strict=True):
        if (price > bound) if side is Side.BUY else (price < bound):
            break
        shown += size
    return from_e8(shown)
