"""The bot as it runs: its real process, two simulated venues behind loopback TLS, forced gaps."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path
from typing import Final

import httpx
import trio

from benchlib.figures import Figure
from benchlib.processes import Child, running

PAIRS: Final = ("BTC", "ETH", "SOL")
GAP_EVERY_S: Final = 1.3
GAP: Final = {"kind": "gap_jump", "bps": 45, "seconds": 1.4}
LIMIT_S: Final = 180.0
FEEDS: Final = {"vest public", "paradex public"}
STAGES: Final = ("decide_ms", "sign_ms", "journal_ms", "send_ms")


async def figures(folder: Path, *, quick: bool) -> AsyncIterator[Figure]:  # noqa: ASYNC900
    """Measure starts, then one run with many entries."""
    starts = [await _start(folder / f"start{n}") for n in range(2 if quick else 7)]
    yield Figure("start -> first frame of both venues", "s", starts, 2.5)
    for figure in await _trade(folder / "run", quick=quick):
        yield figure


def new_bot(folder: Path) -> list[str]:
    """Return the command of a bot that has this folder to itself."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pairs = "".join(f"\n  - {{name: {b}, vest: {b}-PERP, paradex: {b}-USD-PERP}}" for b in PAIRS)
    config = folder / "bot4.yaml"
    config.write_text(f"mode: simulation\nstate_dir: {folder / 'state'}\npairs:{pairs}\n")
    program = str(Path(sys.executable).with_name("trio-run"))
    return [program, "bot4", "run", "--config", str(config), "--log", "json"]


async def _start(folder: Path) -> float:
    async with running(new_bot(folder), folder.with_suffix(".err")) as bot:
        return await ready(bot)


async def ready(bot: Child, found: dict[str, str] | None = None) -> float:
    """Return when both feeds were ready; note the simulator's address in ``found``."""
    waiting = set(FEEDS)
    while said := await bot.say():
        if found is not None and said["event"] == "simulator.started":
            found["control"] = said["control"]
        waiting.discard(said.get("feed", "") if said["event"] == "feed.ready" else "")
        if not waiting:
            return float(said["at"])
    raise RuntimeError(bot.last_words())


async def _trade(folder: Path, *, quick: bool) -> list[Figure]:
    wanted, aged_s = (9, 12.0) if quick else (40, 30.0)
    memory: list[float] = []
    stages: list[dict[str, float]] = []
    found: dict[str, str] = {}
    async with running(new_bot(folder), folder.with_suffix(".err")) as bot:
        await ready(bot, found)
        with trio.move_on_after(LIMIT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(force_gaps, found["control"], control_token(folder))
                while said := await bot.say():
                    if said["event"] == "pair.opened":
                        stages.append(said["latency_ms"])
                    if not memory and said["at"] >= aged_s:
                        memory.append(bot.resident_mb())
                    if memory and len(stages) >= wanted:
                        break
                nursery.cancel_scope.cancel(reason="enough was seen")
    parts = ", ".join(
        f"{name.removesuffix('_ms')} {_median([one[name] for one in stages]):.2f}"
        for name in STAGES
    )
    sent = [one["detected_to_sent_ms"] for one in stages]
    return [
        Figure(
            "frame received -> both orders written, cold",
            "ms",
            sent,
            15,
            f"{len(sent)} entries: {parts}",
        ),
        Figure(f"memory of the bot after {aged_s:.0f} s", "MB", memory, 120, f"{len(PAIRS)} pairs"),
    ]


def _median(numbers: list[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]


def control_token(folder: Path) -> str:
    """Return what opens the control endpoint of the venues of the bot in this folder."""
    return (folder / "state" / "simulation" / "control.token").read_text()


async def force_gaps(control: str, token: str) -> None:
    """Have a gap worth taking come every moment, in turn for each pair."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=control, headers=headers, trust_env=False) as client:
        for base in cycle(PAIRS):
            await client.post("/fault", json={**GAP, "base": base})
            await trio.sleep(GAP_EVERY_S)
