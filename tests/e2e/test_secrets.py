"""No secret in any byte that leaves the process, and none where another process could read it."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio
from timeouts import STORY_S

pytestmark = pytest.mark.slow

JWT = b"eyJ"
"""How every JSON Web Token begins: base64 of an opening brace and a quote."""
EXPOSED = ("bot4.log", "journal.db*", "simulator.log", "truth.json", "ca.pem")


def forms(name: str, secret: str) -> Iterator[tuple[str, bytes]]:
    """Yield the ways in which a secret could be written."""
    yield f"{name} as it is", secret.encode()
    digits = secret.removeprefix("0x")
    for what, text in (
        ("without 0x", digits),
        ("without zeros in front", digits.lstrip("0")),
        ("in capitals", digits.upper()),
        ("in decimal", str(int(digits, 16))),
    ):
        yield f"{name} {what}", text.encode()
    raw = bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    yield f"{name} in bytes", raw
    yield f"{name} in base64", base64.b64encode(raw).rstrip(b"=")
    yield f"{name} in part", digits[8:24].encode()


def found(places: dict[str, bytes], needles: dict[str, bytes]) -> list[str]:
    return [
        f"{what} in {place}"
        for place, content in places.items()
        for what, needle in needles.items()
        if needle in content
    ]


def secrets_of(world: Path) -> dict[str, bytes]:
    """Read from the venues' own memory every secret that the bot was given or held."""
    with sqlite3.connect(f"file:{world}?mode=ro", uri=True) as database:
        values = {n: json.loads(v) for n, v in database.execute("SELECT name, value FROM world")}
    keys = values["keys"]
    sessions = values["vest"]["sessions"]
    secrets = {
        **{name: keys[name] for name in keys if name != "paradex.account"},
        **{f"api key {n}": key for n, key in enumerate(sessions["api_keys"])},
        "listen key": sessions["listen_key"],
    }
    assert len(secrets) >= 5
    assert all(len(secret) >= 32 for secret in secrets.values())
    return {what: text for name, key in secrets.items() for what, text in forms(name, key)} | {
        "a JSON Web Token": JWT
    }


def seen_by_others(who: str, pid: int) -> dict[str, bytes]:
    """Read what the system shows of a process while it runs."""
    shown = Path(f"/proc/{pid}")
    return {f"{part} of {who}": (shown / part).read_bytes() for part in ("cmdline", "environ")}


async def test_no_secret_leaves_the_process(home: Any, judge: Any):
    with trio.fail_after(STORY_S):
        async with home.bot("--log-file", str(home.folder / "own.log")) as bot:
            await bot.ready()
            # The faults that make people log too much: refusals, broken answers, lost sessions.
            await bot.fault("vest", "expire_token", which="all")
            await bot.fault("paradex", "http_error", request="any", status=503)
            await bot.fault("vest", "cut", which="all")
            await bot.fault("paradex", "cut", which="all")
            await bot.until("feed.ready", count=8)
            await bot.fault("paradex", "refuse", status=401, code="INVALID_TOKEN")
            await bot.open_gap()
            await bot.until("pair.opened", *judge.over)
            await bot.close_gap()
            await bot.until(*judge.over)
            beside = seen_by_others("the bot", bot.process.pid)
            beside |= seen_by_others("the venues", bot.simulator)
            assert await bot.stop() == 0

    places = {
        **beside,
        "stdout": bytes(bot.raw),
        "stderr": bot.stderr.read_bytes(),
        "own.log": (home.folder / "own.log").read_bytes(),
        **{
            path.name: path.read_bytes() for pattern in EXPOSED for path in home.state.glob(pattern)
        },
    }
    needles = secrets_of(home.state / "venue.db")
    assert all(b"bot4" in content for place, content in beside.items() if "cmdline" in place)
    assert {"stdout", "journal.db", "simulator.log", "truth.json"} <= set(places)
    assert len(places["stdout"]) > 2000
    assert found(places, needles) == []
    judge.neutral(home.truth())
    # The search finds: every needle is seen in a place that holds it.
    assert len(found({"haystack": b"-".join(needles.values())}, needles)) == len(needles)
