"""What the simulated venues can serve: 2 venues x 20 markets x 20 frames a second on one core.

Run as a program this module is the simulator with a market that moves that often.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from benchlib.figures import Figure
from benchlib.processes import running
from bot4.config.schema import ParadexConfig, VestConfig
from bot4.domain.book import BookUpdate
from bot4.ports import StreamCodec
from bot4.simulator.child import simulate, wait_for_end_of_input
from bot4.simulator.options import BASES, Options
from bot4.simulator.profiles import DEMO, PROFILES
from bot4.transport.websocket import connect
from bot4.transport.world import RealWorld
from bot4.venues.paradex.streams import ParadexPublic
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPublic

MARKETS: Final = 20
RATE: Final = 20
WANTED: Final = 2 * MARKETS * RATE
WARM_S: Final = 2.0


@attrs.define
class _Count:
    frames: int = 0


async def figures(folder: Path, *, quick: bool) -> Sequence[Figure]:
    """Subscribe to every book of both venues; count frames and the simulator's time."""
    seconds = 4.0 if quick else 20.0
    command = [sys.executable, "-m", "benchlib.twin", str(folder)]
    async with running(command, folder / "twin.err") as twin:
        said = await twin.say()
        if said is None:
            raise RuntimeError(twin.last_words())
        world = RealWorld(ca_file=Path(said["ca_file"]))
        count = _Count()
        async with trio.open_nursery() as listening:
            for codec in _codecs(said):
                listening.start_soon(_listen, world, codec, count)
            await trio.sleep(WARM_S)
            cpu_s, frames, began = twin.cpu_s(), count.frames, trio.current_time()
            await trio.sleep(seconds)
            used_s, lasted_s = twin.cpu_s() - cpu_s, trio.current_time() - began
            rate = (count.frames - frames) / lasted_s
            listening.cancel_scope.cancel(reason="enough was seen")
    # Were fewer frames sent than wanted, all of them would take so much more.
    share = 100 * used_s / lasted_s * WANTED / rate
    note = f"{rate:.0f} frames/s seen; share of one core for {WANTED}"
    return [
        Figure(f"twin: 2 venues x {MARKETS} markets x {RATE} frames/s", "%", [share], 100, note)
    ]


def _codecs(said: dict[str, str]) -> tuple[StreamCodec, StreamCodec]:
    from benchlib.samples import VEST_TEST_KEY
    from benchlib.thinking import CONTRACT

    vest = VestConfig(ws_url=said["vest.ws"], verifying_contract=CONTRACT)
    bases = _bases()
    return (
        VestPublic(VestCodec(vest, VEST_TEST_KEY, VEST_TEST_KEY), [f"{b}-PERP" for b in bases]),
        ParadexPublic(ParadexConfig(ws_url=said["paradex.ws"]), [f"{b}-USD-PERP" for b in bases]),
    )


async def _listen(world: RealWorld, codec: StreamCodec, count: _Count) -> None:
    async with connect(world, codec.venue, codec.url()) as wire:
        for text in codec.hello():
            await wire.send(text)
        while True:
            notices = codec.read(await wire.receive())
            count.frames += sum(isinstance(one, BookUpdate) for one in notices)


def _bases() -> tuple[str, ...]:
    return (*BASES, *(f"B{n}" for n in range(MARKETS - len(BASES))))


async def _serve(folder: Path) -> None:
    options = Options(profile="bench", bases=_bases(), paradex={"frame_s": 0.9 / RATE})
    stop = trio.Event()
    async with trio.open_nursery() as serving:
        say = partial(print, flush=True)
        serving.start_soon(partial(simulate, options, state_dir=folder, announce=say, stop=stop))
        await wait_for_end_of_input()
        stop.set()


if __name__ == "__main__":
    PROFILES["bench"] = attrs.evolve(DEMO, name="bench", picture_every_s=(0.5 / RATE, 0.5 / RATE))
    trio.run(_serve, Path(sys.argv[1]))
