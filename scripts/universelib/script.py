"""What goes wrong in one universe, drawn from its seed."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import attrs

Fault = dict[str, Any]

VENUES: Final = ("vest", "paradex")
ORDER_KINDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("lose_request", {}),
    ("lose_request", {"how": "cut"}),
    ("lose_answer", {}),
    ("lose_answer", {"how": "cut"}),
    ("delay_answer", {"ms": 2500}),
    ("delay_request", {"ms": 900}),
    ("delay_landing", {"ms": 700}),
    ("delay_event", {"ms": 1500}),
    ("double_event", {}),
    ("mute_private", {}),
    ("no_fill", {}),
    ("http_error", {"status": 503, "with_effect": True}),
    ("http_error", {"status": 503, "with_effect": False, "html": True}),
)
PARTIALS: Final = (("partial_fill", {"fraction": 0.4}), ("partial_fill", {"fraction": 0.01}))
REFUSALS: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "vest": ({"code": 3001}, {"code": 3002}, {"code": 3003}, {"status": 429, "code": 1003}),
    "paradex": (
        {"cancel_reason": "NOT_ENOUGH_MARGIN"},
        {"status": 429, "code": "RATE_LIMIT_EXCEEDED"},
        {"status": 400, "code": "INVALID_ORDER_SIZE"},
    ),
}
FEED_KINDS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("cut", {"which": "public"}),
    ("cut", {"which": "private"}),
    ("cut", {"which": "all"}),
    ("silence", {"seconds": 4}),
    ("refuse_connect", {"seconds": 3}),
    ("expire_token", {}),
)
PARADEX_FEED: Final = ("gap", "crossed", "garbage")
MARKETS: Final = {"vest": "BTC-PERP", "paradex": "BTC-USD-PERP"}


@attrs.frozen
class Death:
    """An end of the bot, and a new one on the same venues."""

    at_s: float
    kind: str
    """``kill`` (SIGKILL), ``stop`` (one signal) or ``hurry`` (two signals)."""


@attrs.frozen
class Script:
    """Everything that a seed decides about its universe besides the market."""

    faults: tuple[tuple[float, Fault], ...]
    deaths: tuple[Death, ...]
    on_stop: str


def draw(seed: int, seconds: float, *, calm: bool = False) -> Script:
    """Draw one universe's troubles: each seed leaves out a random half of the kinds.

    Args:
        seed: decides everything.
        seconds: of trouble; afterwards the world is honest again.
        calm: no trouble at all.
    """
    random = Random(f"{seed}/troubles")  # noqa: S311 - one seed, one universe
    on_stop = random.choice(("hold", "flatten"))
    if calm:
        return Script((), (), on_stop)
    kinds = _swarm(random)
    rate = random.choice((0.05, 0.2, 0.6))
    faults: list[tuple[float, Fault]] = []
    at = random.expovariate(rate)
    while at < seconds and kinds:
        venue, kind, args = random.choice(kinds)
        count = random.choice((1, 1, 1, 2, 5))
        faults.append((at, {"venue": venue, "kind": kind, "count": count, **args}))
        at += random.expovariate(rate)
    jump = random.uniform(3, 9)
    while jump < seconds:
        bps = random.choice((-1, 1)) * random.uniform(28, 60)
        lives = random.choice((0.4, 0.8, 1.5, 4.0, 9.0))
        faults.append((jump, {"venue": "vest", "kind": "gap_jump", "bps": bps, "seconds": lives}))
        jump += random.uniform(4, 12)
    deaths = []
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        kind = random.choice(("kill", "kill", "kill", "stop", "hurry"))
        deaths.append(Death(random.uniform(2, seconds), kind))
    return Script(
        tuple(sorted(faults, key=lambda fault: fault[0])),
        tuple(sorted(deaths, key=lambda death: death.at_s)),
        on_stop,
    )


def _swarm(random: Random) -> list[tuple[str, str, dict[str, Any]]]:
    every = [(venue, kind, args) for venue in VENUES for kind, args in ORDER_KINDS + FEED_KINDS]
    every += [(venue, "refuse", args) for venue in VENUES for args in REFUSALS[venue]]
    every += [("paradex", kind, args) for kind, args in PARTIALS]
    every += [("paradex", kind, {}) for kind in PARADEX_FEED]
    every += [(venue, "manual_close", {"market": MARKETS[venue]}) for venue in VENUES]
    return [kind for kind in every if random.random() < 0.5]
