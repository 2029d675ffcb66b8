"""Whether trading notices Supabase: the same bot without it, and with it up, slow and down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import trio
from localsupabase import Gateway, Unavailable, open_gateway, open_stack
from localsupabase.gateway import SECRET_KEY, Fault

from benchlib.figures import Figure
from benchlib.processes import running
from benchlib.trading import LIMIT_S, control_token, force_gaps, new_bot, ready

WEATHERS: Final = ("up", "slow", "down")
SLOW_S: Final = 1.5
PHASE_S: Final = 6.0
"""How long each weather lasts, in turn."""
OFF: Final = "off"


async def figures(folder: Path, *, quick: bool) -> list[Figure]:
    """Measure detection to both orders written; the note has the ratio to a bot without mirror.

    Raises:
        RuntimeError: this machine cannot run a Supabase of its own.
    """
    wanted, rounds = (5, 1) if quick else (8, 4)
    samples: dict[str, list[float]] = {name: [] for name in (OFF, *WEATHERS)}
    try:
        with open_stack() as stack:
            async with open_gateway(stack, stack.folder) as gateway:
                for number in range(rounds):
                    place = folder / f"mirror{number}"
                    await _trade(place / "without", gateway, samples, (OFF,), wanted)
                    stack.sql("truncate public.instances cascade")  # another account each time
                    await _trade(place / "with", gateway, samples, WEATHERS, wanted)
    except Unavailable as reason:
        raise RuntimeError(str(reason)) from None
    base = Figure("", "ms", samples[OFF]).median
    return [
        Figure(
            f"frame received -> both orders written, Supabase {name}",
            "ms",
            times,
            note=f"{len(times)} entries, ratio {Figure('', 'ms', times).median / base:.2f}",
        )
        for name, times in samples.items()
    ]


async def _trade(
    folder: Path,
    gateway: Gateway,
    samples: dict[str, list[float]],
    weathers: tuple[str, ...],
    wanted: int,
) -> None:
    """Trade until every weather has so many more entries."""
    goal = {name: len(samples[name]) + wanted for name in weathers}
    found: dict[str, str] = {}
    sky = _Sky(gateway, weathers)
    environment = {
        "SUPABASE_URL": gateway.url,
        "SUPABASE_SECRET_KEY": SECRET_KEY,
        "SSL_CERT_FILE": str(gateway.ca_file),
    }
    command = new_bot(folder)
    if weathers != (OFF,):
        with (folder / "bot4.yaml").open("a") as config:
            config.write('mirror:\n  enabled: "on"\n  every_s: 0.2\n')
        command = ["env", *(f"{name}={text}" for name, text in environment.items()), *command]
    async with running(command, folder.with_suffix(".err")) as bot:
        await ready(bot, found)
        with trio.move_on_after(LIMIT_S * len(weathers)):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(force_gaps, found["control"], control_token(folder))
                nursery.start_soon(sky.change)
                while said := await bot.say():
                    if said["event"] == "pair.opened" and sky.settled:
                        samples[sky.now].append(_sent_ms(said))
                    if all(len(samples[name]) >= goal[name] for name in weathers):
                        break
                nursery.cancel_scope.cancel(reason="enough was seen")
    await sky.be(WEATHERS[0])


@attrs.define
class _Sky:
    """What Supabase is like just now."""

    gateway: Gateway
    weathers: tuple[str, ...]
    now: str = ""
    since: float = 0.0

    @property
    def settled(self) -> bool:
        """An entry that began under the last weather is nobody's."""
        return bool(self.now) and trio.current_time() - self.since > 1.0

    async def change(self) -> None:
        """Go through them in turn, for ever."""
        while True:
            for name in self.weathers:
                await self.be(name)
                await trio.sleep(PHASE_S)

    async def be(self, name: str) -> None:
        """Make it so."""
        self.gateway.always = Fault("delay", seconds=SLOW_S) if name == "slow" else None
        self.gateway.down = False
        if name == "down":
            await self.gateway.cut()
        self.now, self.since = name, trio.current_time()


def _sent_ms(said: Mapping[str, Any]) -> float:
    return float(said["latency_ms"]["detected_to_sent_ms"])
