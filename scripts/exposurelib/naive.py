"""A bot that believes the touch, and what the market leaves of what it saw.

It fires at once when the touches are far enough apart, both legs at market, without waiting and
without limits. How little of the gap it keeps says how much a market bites back: a market that
lets it keep everything would praise every policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean
from typing import Final

import attrs
import trio

from bot4.simulator.latency import Latency
from bot4.simulator.liquidity import BookLiquidity, CurveLiquidity, Liquidity
from bot4.simulator.market import MarketModel
from bot4.simulator.options import BASES, Options
from bot4.simulator.orders import Execution, SimMarket
from bot4.simulator.profiles import Profile
from exposurelib.clock import JumpClock

BASE: Final = "BTC"
ENTRY: Final = 0.0006
"""The touch spread it fires at, a ratio: then what it sees is about 0.10 % on average."""
NOTIONAL: Final = Decimal(300)
STEP_S: Final = 0.05
SLIP: Final = Decimal("0.005")
"""How far a market order may walk at Paradex. Source: docs, 0.1-0.5 %, 2026-11."""
SEEN: Final = (0.0008, 0.0014)
KEPT: Final = (0.0, 0.0004)
"""What a market is accepted with: mean spread seen, and mean spread realised of it."""


@attrs.frozen
class Shot:
    """One attempt, as ratios."""

    seen: float
    """Touch to touch, when it fired."""
    realised: float
    """Of what both legs filled."""


@attrs.frozen
class Verdict:
    """What a profile makes of the naive bot."""

    profile: str
    shots: int
    seen: float
    realised: float
    lost: float
    """Share of attempts that realised less than nothing."""

    @property
    def accepted(self) -> bool:
        """Whether the market bites as real ones do."""
        return SEEN[0] <= self.seen <= SEEN[1] and KEPT[0] <= self.realised <= KEPT[1]

    def line(self) -> str:
        """Return it in one line."""
        word = "accepted" if self.accepted else "REFUSED"
        return (
            f"market {self.profile}: a naive top-of-book bot saw {100 * self.seen:.3f} % and "
            f"realised {100 * self.realised:.3f} % over {self.shots} attempts, "
            f"{100 * self.lost:.0f} % of them below zero: {word}"
        )


def judge(profile: Profile, seeds: Sequence[int], seconds: float) -> Verdict:
    """Let the naive bot trade one world a seed, so many simulated seconds each."""
    shots = [shot for seed in seeds for shot in _world(profile, seed, seconds)]
    return Verdict(
        profile.name,
        len(shots),
        fmean(shot.seen for shot in shots) if shots else 0.0,
        fmean(shot.realised for shot in shots) if shots else 0.0,
        sum(shot.realised < 0 for shot in shots) / max(len(shots), 1),
    )


def _world(profile: Profile, seed: int, seconds: float) -> list[Shot]:
    clock = JumpClock()

    async def live() -> list[Shot]:  # noqa: ASYNC124 - only the time is Trio's
        return _Naive(profile, seed, clock).trade(seconds)

    return trio.run(live, clock=clock)


class _Naive:
    """One world and the bot in it. Needs no loop: it moves the time itself."""

    def __init__(self, profile: Profile, seed: int, clock: JumpClock) -> None:
        options = Options(seed=seed, bases=(BASE,))
        self._clock = clock
        self._model = MarketModel(seed, profile, {BASE: BASES[BASE].price})
        self._markets: dict[str, SimMarket] = {
            venue: next(iter(options.markets(venue).values())) for venue in ("vest", "paradex")
        }
        self._liquidity: dict[str, Liquidity] = {
            "vest": CurveLiquidity(profile.shapes["vest"]),
            "paradex": BookLiquidity(profile.shapes["paradex"], seed),
        }
        self._latency = {venue: Latency(venue, seed) for venue in self._markets}

    def trade(self, seconds: float) -> list[Shot]:
        shots, armed = [], True
        while trio.current_time() < seconds:
            self._clock.forward(STEP_S)
            # From middle to middle: cheap, and never below the touch spread.
            seen = self._model.shown_gap_bps(BASE) / 1e4
            if abs(seen) < ENTRY:
                armed = True  # One gap is one attempt.
            elif armed:
                buy = "vest" if seen < 0 else "paradex"
                touch = self._touch_spread(buy)
                if touch >= ENTRY:
                    shots += self._shoot(buy, touch)
                    armed = False
        return shots

    def _touch_spread(self, buy: str) -> float:
        sell = "paradex" if buy == "vest" else "vest"
        depth = {
            venue: self._liquidity[venue].depth(market, self._model.picture(venue, BASE))
            for venue, market in self._markets.items()
        }
        return float(depth[sell].bids[0][0] / depth[buy].asks[0][0]) - 1

    def _shoot(self, buy: str, seen: float) -> list[Shot]:
        lot = max(market.lot for market in self._markets.values())
        size = NOTIONAL / self._model.picture("vest", BASE) // lot * lot
        lands = sorted((self._latency[venue].draw("landing"), venue) for venue in self._markets)
        fills: dict[str, Execution] = {}
        passed = 0.0
        for at, venue in lands:
            self._clock.forward(at - passed)
            passed = at
            mid = self._model.mid(venue, BASE)
            worst = mid * (1 + (SLIP if venue == buy else -SLIP))
            fills[venue] = self._liquidity[venue].execute(
                self._markets[venue],
                "buy" if venue == buy else "sell",
                size,
                None if venue == "vest" else worst,
                mid,
            )
        sell = "paradex" if buy == "vest" else "vest"
        if not fills[buy].fills or not fills[sell].fills:
            return []
        return [Shot(seen, float(fills[sell].average / fills[buy].average) - 1)]
