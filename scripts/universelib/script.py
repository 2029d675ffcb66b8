"""What goes wrong in one universe, drawn from its seed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import attrs

from universelib.grammar import VENUES, Fault, every, shaped, spelled, stranding

LATENCIES: Final = {"near": 0.4, "usual": 1.0, "far": 2.0, "slow": 3.0}
"""How long the venues take, as a multiple of what was seen of them, by profile."""
DEATHS: Final = ("kill", "kill", "kill", "power", "power", "stop", "term", "hurry", "edit")
EDITS: Final = ("notional", "entry", "on_stop")
STATES: Final = ("opening", "settling", "mending", "hedged", "closing", "unwinding", "stranded")
STRANDED: Final = 0.06
"""Share of the universes in which one leg is refused every way out."""
SHAPES: Final = (0, 0, 3, 5)
RARELY_MET: Final = {"odd_fill": 3}
"""How many times as often as the others: many a universe has no other fill at that venue."""
"""How many faults with a shape come besides, at times of their own: each is one of many, and most
wait for a fill, a cancel or an order of a Retail token before they act."""
RETAIL: Final = ("", "", "", "granted", "refused")
"""What Paradex makes of a Retail token; "" is a bot that asks for none."""


@attrs.frozen
class Death:
    """An end of the bot, and a new one on the same venues."""

    at_s: float
    kind: str
    """``kill`` (SIGKILL), ``power`` (what was not synced is lost), ``stop`` (SIGINT), ``term``
    (SIGTERM), ``hurry`` (two signals) or ``edit`` (SIGINT, and another bot4.yaml)."""
    edit: str = ""
    """What is edited: one of ``EDITS``."""


@attrs.frozen
class Aimed:
    """A fault that strikes when a trade has just come to a state."""

    state: str
    after_s: float
    fault: Fault


@attrs.frozen
class Script:
    """Everything that a seed decides about its universe besides the market."""

    faults: tuple[tuple[float, Fault], ...]
    deaths: tuple[Death, ...]
    on_stop: str
    aimed: tuple[Aimed, ...] = ()
    latency: str = "usual"
    retail: str = ""
    """One of ``RETAIL``."""

    @property
    def power(self) -> bool:
        """Whether a power loss is among the deaths."""
        return any(death.kind == "power" for death in self.deaths)


def draw(seed: int, seconds: float, *, calm: bool = False) -> Script:
    """Draw one universe's troubles.

    A swarm: each seed leaves out a random half of the kinds and scales how often they come, from
    a tenth to tenfold.

    Args:
        seed: decides everything.
        seconds: of trouble; afterwards the world is honest again.
        calm: no trouble at all.
    """
    random = Random(f"{seed}/troubles")  # noqa: S311 - one seed, one universe
    on_stop = random.choice(("hold", "flatten"))
    latency = random.choice(tuple(LATENCIES))
    if calm:
        return Script((), (), on_stop, latency=latency)
    kinds = [kind for kind in every() if random.random() < 0.5]
    rate = 0.2 * 10 ** random.uniform(-1, 1)
    faults: list[tuple[float, Fault]] = []
    for at_s in _times(seconds, lambda: random.expovariate(rate)):
        if kinds:
            faults += [(at_s + late, one) for late, one in spelled(random.choice(kinds), random)]
    for at_s in _times(seconds, lambda: random.uniform(3, 10)):
        bps = random.choice((-1, 1)) * random.uniform(28, 60)
        lives = random.choice((0.4, 0.8, 1.5, 4.0, 9.0))
        faults.append((at_s, {"venue": "vest", "kind": "gap_jump", "bps": bps, "seconds": lives}))
    shapes = [ones for (kind, _), ones in shaped().items() for _ in range(RARELY_MET.get(kind, 1))]
    for _ in range(random.choice(SHAPES)):
        one = random.choice(random.choice(shapes))
        at_s = random.uniform(1.0, seconds)
        faults += [(at_s + late, each) for late, each in spelled(one, random)]
    aimed = []
    for _ in range(random.choice((0, 1, 2, 4, 6)) if kinds else 0):
        state, late_s = random.choice(STATES), random.choice((0.0, 0.0, 0.1, 0.4))
        aimed += [
            Aimed(state, late_s + late, one) for late, one in spelled(random.choice(kinds), random)
        ]
    if random.random() < STRANDED:
        aimed += [Aimed("opening", 0.0, one) for one in stranding(*random.sample(VENUES, 2))]
    deaths = []
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        kind = random.choice(DEATHS)
        edit = random.choice(EDITS) if kind == "edit" else ""
        deaths.append(Death(random.uniform(2, seconds), kind, edit))
    lost = any(fault["kind"] == "retail_lost" for _, fault in faults)
    return Script(
        tuple(sorted(faults, key=lambda fault: fault[0])),
        tuple(sorted(deaths, key=lambda death: death.at_s)),
        on_stop,
        tuple(aimed),
        latency,
        # Only who has it can lose it.
        "granted" if lost else random.choice(RETAIL),
    )


def _times(seconds: float, rest: Callable[[], float]) -> list[float]:
    times: list[float] = []
    at_s = rest()
    while at_s < seconds:
        times.append(at_s)
        at_s += rest()
    return times
