"""What kinds of market the simulator knows. Their money means nothing; demo says so loudest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

Span = tuple[float, float]
"""Shortest and longest, or smallest and largest."""
Lives = tuple[tuple[float, Span], ...]
"""Weight and span of life, by class."""

NEVER_S: Final = 1e12


@attrs.frozen
class Shape:
    """How one venue's depth looks."""

    half_spread_bps: float
    step_bps: float
    """Distance between levels."""
    level_quote: float
    """Notional resting at one level, quote units, before variety."""
    refill_s: float
    """Time after which two thirds of what a fill took has come back."""
    retail_factor: float = 1.0
    """How many times more an interactive order meets."""
    uneven: float = 1.0
    """Levels of the Paradex book differ by up to this factor both ways; 1 is mild variety."""
    tides: float = 1.0
    """So do its sides as a whole, for a while; 1 is none."""


@attrs.frozen
class Profile:
    """One kind of market. Times in seconds, price moves in basis points."""

    name: str
    volatility_bps: float
    """Standard deviation of the latent price over one second."""
    jump_every_s: float
    """Mean time between jumps of the latent price."""
    jump_bps: float
    delay_s: Mapping[str, float]
    """How late a venue quotes the latent price."""
    noise_bps: float
    """Standard deviation of a venue's own noise, which reverts within half a second."""
    basis_bps: float
    """The mean gap of a base is drawn between minus and plus this."""
    gap_bps: float
    """Standard deviation of the mean-reverting gap around its mean."""
    gap_reverts_s: float
    first_s: Span
    """When the first dislocation comes."""
    every_s: Span
    """Rest between two dislocations of a base."""
    size_bps: Span
    lives: Lives
    decay_s: float
    """Time constant with which a dislocation fades once its life is over."""
    causes: Mapping[str, float]
    """Weight by cause: inventory (Vest's curve), touch (either venue's own quote), sweep
    (Paradex book, a third of it stays), stale (the price moves and Vest's published picture is
    late to show it), glitch (the picture is wrong by itself)."""
    picture_every_s: Span
    """How often Vest takes a picture for its feed."""
    picture_age_s: Span
    """How old the picture is when it is published."""
    shapes: Mapping[str, Shape]
    size_mean_bps: float | None = None
    """Sizes fall off exponentially from the smallest, with this mean beyond it, cut at the
    largest; None: all sizes are as likely."""
    funding_turns_s: Span | None = None
    """From one turn of the funding rates to the next but one; None: they stay what they are."""
    own_lives: Mapping[str, Lives] = attrs.field(factory=dict)
    """Lives of the causes that have their own."""


CALM: Final = Profile(
    name="calm",
    volatility_bps=0.1,
    jump_every_s=NEVER_S,
    jump_bps=0.0,
    delay_s={"vest": 0.05, "paradex": 0.05},
    noise_bps=0.0,
    basis_bps=0.0,
    gap_bps=0.0,
    gap_reverts_s=10.0,
    first_s=(NEVER_S, NEVER_S),
    every_s=(1.0, 1.0),
    size_bps=(1.0, 1.0),
    lives=((1.0, (1.0, 1.0)),),
    decay_s=0.3,
    causes={"touch": 1.0},
    picture_every_s=(0.1, 0.2),
    picture_age_s=(0.0, 0.05),
    shapes={
        "vest": Shape(0.6, 0.25, 1500, 2.0),
        "paradex": Shape(0.6, 0.5, 1500, 2.0),
    },
)
"""Nothing happens unless a fault forces a gap: for tests that want one trade at a known time."""

DEMO: Final = Profile(
    name="demo",
    volatility_bps=0.5,
    jump_every_s=45.0,
    jump_bps=4.0,
    delay_s={"vest": 0.10, "paradex": 0.05},
    noise_bps=0.15,
    basis_bps=0.3,
    gap_bps=0.5,
    gap_reverts_s=8.0,
    first_s=(5.0, 9.0),
    every_s=(4.0, 9.0),
    size_bps=(30.0, 60.0),
    lives=((0.15, (0.2, 0.8)), (0.2, (0.8, 2.0)), (0.55, (2.0, 7.0)), (0.1, (7.0, 20.0))),
    decay_s=0.5,
    causes={"inventory": 0.45, "touch": 0.4, "sweep": 0.1, "glitch": 0.05},
    picture_every_s=(0.10, 0.20),
    picture_age_s=(0.02, 0.08),
    shapes={
        "vest": Shape(0.6, 0.25, 1500, 3.0),
        "paradex": Shape(0.6, 0.5, 1500, 3.0, retail_factor=2.0),
    },
)
"""Compressed, so that a trade comes within half a minute."""

CALIBRATED: Final = Profile(
    name="calibrated",
    volatility_bps=0.9,
    jump_every_s=120.0,
    jump_bps=8.0,
    delay_s={"vest": 0.10, "paradex": 0.10},
    noise_bps=0.4,
    basis_bps=6.0,
    gap_bps=1.5,
    gap_reverts_s=60.0,
    first_s=(10.0, 60.0),
    every_s=(15.0, 90.0),
    size_bps=(5.0, 80.0),
    size_mean_bps=6.0,
    lives=((0.5, (0.1, 0.5)), (0.3, (0.5, 3.0)), (0.2, (3.0, 10.0))),
    own_lives={
        # On top of the picture's age and the time between two of them.
        "stale": ((1.0, (0.0, 0.1)),),
        "inventory": ((0.3, (1.0, 5.0)), (0.5, (5.0, 20.0)), (0.2, (20.0, 60.0))),
    },
    funding_turns_s=(3_600.0, 14_400.0),
    decay_s=0.4,
    causes={"stale": 0.6, "sweep": 0.3, "inventory": 0.1},
    picture_every_s=(0.15, 0.35),
    picture_age_s=(0.10, 0.60),
    shapes={
        "vest": Shape(1.0, 0.5, 1000, 4.0),
        "paradex": Shape(0.9, 1.0, 150, 5.0, retail_factor=4.0, uneven=6.0, tides=4.0),
    },
)
"""Close to what the two venues looked like in 2026; a first version.

What it is held to: a bot that fires at the touch without waiting keeps 0.00 to 0.04 % of about
0.10 % seen (``scripts/exposure`` measures it), and of such shots two thirds leave one leg alone.
The Paradex book is as thin as a captured one, which showed 616 and 17 148 USD within 10 bp of its
middle.
"""

PROFILES: Final = {profile.name: profile for profile in (CALM, DEMO, CALIBRATED)}


def hurried(profile: Profile, least_bps: float) -> Profile:
    """Return the same market without its waiting: dislocations one after the other.

    ``least_bps`` leaves out those too small to matter: with sizes that fall off exponentially,
    what is left is exactly what the profile has above that size.
    """
    return attrs.evolve(
        profile,
        name=f"{profile.name}, hurried",
        first_s=(1.0, 4.0),
        every_s=(1.0, 4.0),
        size_bps=(max(least_bps, profile.size_bps[0]), profile.size_bps[1]),
    )


def check_money(name: str) -> None:
    """Let a measurement of money go on only where money means something.

    Raises:
        ValueError: the profile is compressed for show.
    """
    if name != CALIBRATED.name:
        raise ValueError(
            f"profile {name}: its money means nothing, so nothing is measured there; "
            f"use --profile {CALIBRATED.name}"
        )
