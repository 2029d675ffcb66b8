"""What a simulated world is made from, and the markets it knows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from bot4.simulator.latency import AUTO
from bot4.simulator.liquidity import LEVELS
from bot4.simulator.orders import MarketLimits, SimMarket
from bot4.simulator.profiles import PROFILES, Profile
from bot4.simulator.setup import TICK_S

D: Final = Decimal


@attrs.frozen
class BaseSpec:
    """One base and how both venues list it."""

    price: Decimal
    """Where the walk begins, quote units."""
    vest_lot: Decimal
    vest_tick: Decimal
    paradex_tick: Decimal
    paradex_lot: Decimal


BASES: Final = {
    # Steps of BTC, ETH and SOL. Source: captures of both venues, seen 2026-02 and 2026-10.
    "BTC": BaseSpec(D(83_000), D("0.0001"), D("0.01"), D("0.1"), D("0.00001")),
    "ETH": BaseSpec(D(2_900), D("0.001"), D("0.001"), D("0.01"), D("0.0001")),
    "SOL": BaseSpec(D(140), D("0.01"), D("0.0001"), D("0.001"), D("0.01")),
    # The others are ours.
    "XRP": BaseSpec(D("2.1"), D("0.1"), D("0.0001"), D("0.0001"), D("0.1")),
    "DOGE": BaseSpec(D("0.16"), D(1), D("0.000001"), D("0.00001"), D(1)),
    "HYPE": BaseSpec(D(32), D("0.01"), D("0.0001"), D("0.001"), D("0.01")),
    "LINK": BaseSpec(D(13), D("0.01"), D("0.0001"), D("0.001"), D("0.1")),
    "AVAX": BaseSpec(D(17), D("0.01"), D("0.0001"), D("0.001"), D("0.1")),
}
OTHER_BASE: Final = BaseSpec(D(10), D("0.01"), D("0.0001"), D("0.001"), D("0.1"))
"""A base nobody told us about."""

INITIAL_MARGIN: Final = {"vest": D("0.04"), "paradex": D("0.02")}
TAKER_FEES: Final = {"vest": D("0.0001"), "paradex": D("0.00045")}
"""Source: Vest API docs, exchangeInfo, seen 2025-11; Paradex docs, Fees, Pro taker, 2026-07."""
ORDER_MOST_USD: Final = D(8_300_000)
"""Largest order of Paradex at the first price, so that BTC's is 100. Source: ours."""
POSITION_IN_ORDERS: Final = 5
"""Its position limit in largest orders. Source: Paradex API docs, GET /markets, example of 100
and 500, seen 2026-11."""
OPEN_ORDERS: Final = 100
"""Live orders of one market at Paradex. Source: Paradex docs, rate limits, seen 2026-11."""
MIN_NOTIONAL: Final = {"vest": D(0), "paradex": D(10)}


@attrs.frozen
class Options:
    """One world. The same options give the same world."""

    seed: int = 1
    profile: str = "demo"
    """A name in ``profiles``: demo, calibrated or calm."""
    bases: tuple[str, ...] = ("BTC", "ETH", "SOL")
    collateral: Decimal = D(10_000)
    """USDC in each account at the beginning."""
    latency_scale: float = 1.0
    line: str = AUTO
    """A name in ``latency.LINES``: rack, city, adsl or rough; auto is the profile's own."""
    books_per_s: float | None = None
    """How often each venue shows a market's book; None is each venue's own pace."""
    levels: int = LEVELS
    """How many levels a side the feeds show."""
    tick_s: float = TICK_S
    """How often a venue looks at resting orders, funding and margins."""
    faults: tuple[Mapping[str, Any], ...] = ()
    """Faults to add by themselves; ``at_s`` says when, seconds from the start."""
    vest: Mapping[str, Any] = attrs.field(factory=dict)
    """Switches of Vest, see ``vest.switches``."""
    paradex: Mapping[str, Any] = attrs.field(factory=dict)
    """Switches of Paradex, see ``paradex.switches``."""

    def market_profile(self) -> Profile:
        """Return the profile; ValueError when there is none of that name."""
        if self.profile not in PROFILES:
            raise ValueError(f"profile must be one of {sorted(PROFILES)}, not {self.profile!r}")
        profile = PROFILES[self.profile]
        if self.books_per_s is None:
            return profile
        mean_s = 1 / self.books_per_s
        return attrs.evolve(profile, picture_every_s=(0.75 * mean_s, 1.25 * mean_s))

    def switches(self, venue: str) -> Mapping[str, Any]:
        """Return the switches of a venue, the pace of its books among them."""
        if venue == "vest":
            return self.vest
        pace = {} if self.books_per_s is None else {"frame_s": 1 / self.books_per_s}
        return {**pace, **self.paradex}

    def starts(self) -> dict[str, Decimal]:
        """Return the first price of each base."""
        return {base: BASES.get(base, OTHER_BASE).price for base in self.bases}

    def markets(self, venue: str) -> dict[str, SimMarket]:
        """Return what a venue lists, by symbol."""
        listed = [self._market(venue, base) for base in self.bases]
        return {market.symbol: market for market in listed}

    def _market(self, venue: str, base: str) -> SimMarket:
        spec = BASES.get(base, OTHER_BASE)
        at_vest = venue == "vest"
        return SimMarket(
            symbol=f"{base}-PERP" if at_vest else f"{base}-USD-PERP",
            base=base,
            tick=spec.vest_tick if at_vest else spec.paradex_tick,
            lot=spec.vest_lot if at_vest else spec.paradex_lot,
            min_notional=MIN_NOTIONAL[venue],
            initial_margin=INITIAL_MARGIN[venue],
            maintenance_margin=INITIAL_MARGIN[venue] / 2,
            taker_fee=TAKER_FEES[venue],
            limits=_limits(spec),
        )


def _limits(spec: BaseSpec) -> MarketLimits:
    order = ORDER_MOST_USD / spec.price // spec.paradex_lot * spec.paradex_lot
    return MarketLimits(order, POSITION_IN_ORDERS * order, OPEN_ORDERS)
