"""Two simulated venues that outlive every bot, and the bots that are pointed at them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
import trio
from benchlib.processes import running

BASES: Final = ("BTC", "ETH")
LEGS: Final = {
    (venue, f"{base}{tail}"): base
    for base in BASES
    for venue, tail in (("vest", "-PERP"), ("paradex", "-USD-PERP"))
}
"""Venue and symbol -> the pair it is a leg of."""
KEYS: Final = {
    "VEST_PRIMARY_KEY": "vest.primary_key",
    "VEST_SIGNING_KEY": "vest.signing_key",
    "PARADEX_ACCOUNT": "paradex.account",
    "PARADEX_PRIVATE_KEY": "paradex.private_key",
}
GAP_EVERY_S: Final = 1.1
GAP: Final = {"kind": "gap_jump", "bps": 45, "seconds": 1.0}
LATENCY_SCALE: Final = "0.5"

SETTINGS: Final = """\
mode: testnet
state_dir: {state}
pairs:
{pairs}
strategy:
  confirm_ms: 250
risk:
  notional: 100
  daily_loss: 900
  cooldown_s: 0
  failures_of_20: 20
execution:
  deadline_ms: 2000
  window_ms: 1000
  settle_ms: 300
venues:
  vest:
    rest_url: {vest.rest}
    ws_url: {vest.ws}
  paradex:
    rest_url: {paradex.rest}
    ws_url: {paradex.ws}
"""


@attrs.define
class Twins:
    """Venues that serve, their truth, and a market that moves when it is told to."""

    said: Mapping[str, str]
    """Their announcement: addresses, certificate and throwaway keys."""
    _client: httpx.AsyncClient
    moving: bool = False
    """Whether gaps worth taking come, in turn for each pair."""

    async def truth(self) -> dict[str, Any]:
        """Return what both venues know. Raises httpx.HTTPError when they do not answer."""
        answer = await self._client.get("/truth")
        truth: dict[str, Any] = answer.raise_for_status().json()
        return truth

    async def strike(self, fault: Mapping[str, Any]) -> None:
        """Have a fault of the menu. Raises httpx.HTTPError when it is refused."""
        (await self._client.post("/fault", json=dict(fault))).raise_for_status()

    async def calm(self) -> None:
        """Take every fault off the menu. Raises httpx.HTTPError when they do not answer."""
        (await self._client.post("/clear")).raise_for_status()

    async def move(self) -> None:
        """Have a gap come every moment while ``moving``. Runs until it is cancelled."""
        for base in cycle(BASES):
            if self.moving:
                await self._client.post("/fault", json={**GAP, "base": base})
            await trio.sleep(GAP_EVERY_S)

    def command(self, name: str = "run") -> list[str]:
        """Return the command of a bot, or another of its commands, up to the settings' file."""
        return [_program(), "bot4", name, "--log", "json", "--config"]

    def environment(self) -> dict[str, str]:
        """Return the environment of a bot: the keys, and whom to trust."""
        keys = {name: self.said[key] for name, key in KEYS.items()}
        return {**os.environ, **keys, "SSL_CERT_FILE": self.said["ca_file"]}

    def settle_in(self, folder: Path) -> Path:
        """Write a bot's settings for these venues and return the file."""
        pairs = "\n".join(
            f"  - {{name: {base}, vest: {base}-PERP, paradex: {base}-USD-PERP}}" for base in BASES
        )
        text = SETTINGS.replace("{state}", str(folder / "state")).replace("{pairs}", pairs)
        for name in ("vest.rest", "vest.ws", "paradex.rest", "paradex.ws"):
            text = text.replace(f"{{{name}}}", self.said[name])
        config = folder / "bot4.yaml"
        config.write_text(text)
        return config


@asynccontextmanager
async def open_twins(folder: Path, seed: int) -> AsyncIterator[Twins]:
    """Serve both venues from one process for as long as the block lasts.

    Raises:
        RuntimeError: they did not start.
    """
    options = ("--profile", "demo", "--latency-scale", LATENCY_SCALE, "--collateral", "100000")
    place = ("--seed", str(seed), "--state-dir", str(folder / "venues"), "--fresh")
    async with running(
        [_program(), "bot4", "simulate", *options, *place], folder / "venues.err"
    ) as child:
        said = await child.say()
        if said is None:
            raise RuntimeError(child.last_words())
        async with httpx.AsyncClient(
            base_url=said["control"],
            headers={"Authorization": f"Bearer {said['control_token']}"},
            trust_env=False,
            timeout=30,
        ) as client:
            twins = Twins(said, client)
            async with trio.open_nursery() as moving:
                moving.start_soon(twins.move)
                yield twins
                moving.cancel_scope.cancel(reason="the block has ended")


def now_ms() -> int:
    """Return the wall clock, as the venues read it."""
    return time.time_ns() // 1_000_000


def _program() -> str:
    return str(Path(sys.executable).with_name("trio-run"))
