"""How each part of a running bot works, as that one says of itself: no second sign-in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from bot4.config.schema import Config
from bot4.transport.world import RealWorld
from bot4.wiring.snapshot import fresh_status

NETWORK: Final = "check this machine's network, and the venue's status page"
WAIT: Final = "wait: the bot tries again; if it lasts, stop the bot and run this again"


@attrs.frozen
class Step:
    """One thing that was tried."""

    venue: str
    name: str
    ok: bool
    said: str
    do: str = ""
    """What a person should do about it; "" when it is fine."""


def steps_of_bot(config: Config, venues: Sequence[str]) -> list[Step] | None:
    """Return what the running bot says of its venues; None when none runs, or it says nothing."""
    said = fresh_status(config, RealWorld().wall_ms())
    if said is None:
        return None
    return [step for venue in venues for step in _steps(config, venue, said)]


def _steps(config: Config, venue: str, said: Mapping[str, Any]) -> Iterator[Step]:
    of_venue = said["venues"].get(venue, {})
    yield Step(venue, "running bot", ok=True, said=f"process {said['pid']} says what follows")
    for name, useful in of_venue.get("links", {}).items():
        words = "open" if useful else "lost, or not open yet"
        yield Step(venue, f"{name} stream", ok=useful, said=words, do="" if useful else WAIT)
    for symbol, age_s in of_venue.get("books", {}).items():
        words = "no book" if age_s is None else f"{age_s:g} s old"
        fine = age_s is not None and age_s * 1000 <= config.ages.silence_ms
        yield Step(venue, f"{symbol} book", ok=fine, said=words, do="" if fine else NETWORK)
    offset, error = of_venue.get("clock_offset_ms", 0), of_venue.get("clock_error_ms", 0)
    fine = abs(offset) - error <= config.ages.clock_offset_ms
    do = "" if fine else "set this machine's clock (timedatectl set-ntp true)"
    yield Step(venue, "clock", ok=fine, said=f"{offset:+d} ms from ours (+-{error})", do=do)
    if "equity" not in of_venue:
        yield Step(venue, "account", ok=False, said="not read yet", do=WAIT)
        return
    held = ", ".join(f"{symbol} {size}" for symbol, size in of_venue["positions"].items())
    words = (
        f"equity {of_venue['equity']} USDC, free {of_venue['free']}, holds {held or 'nothing'}, "
        f"{of_venue['open_orders']} open orders"
    )
    yield Step(venue, "account", ok=True, said=words)
