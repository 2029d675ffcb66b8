"""Two bots on one machine and the same accounts: never two that open, from wherever they start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from timeouts import KILLED_S, LINE_S

TRIO_RUN = Path(sys.executable).parent / "trio-run"
KEYS = {
    "VEST_PRIMARY_KEY": "vest.primary_key",
    "VEST_SIGNING_KEY": "vest.signing_key",
    "PARADEX_ACCOUNT": "paradex.account",
    "PARADEX_PRIVATE_KEY": "paradex.private_key",
}
SHARED = {"both": ("one", "one"), "vest": ("one", "two"), "paradex": ("two", "one")}
"""Which pair of venues the second bot has its accounts at; the first has both at ``one``."""
ADVICE = "with Ctrl+C where it runs: two bots on one account trade against each other"


@attrs.frozen
class Venues:
    """Two simulated venues in a process of their own, for any number of bots."""

    said: dict[str, str]

    @property
    def authority(self) -> str:
        """Whose certificates to trust."""
        return Path(self.said["ca_file"]).read_text()

    def lines(self, venue: str) -> str:
        """Their part of a bot4.yaml."""
        rest, stream = self.said[f"{venue}.rest"], self.said[f"{venue}.ws"]
        return f"    rest_url: {rest}\n    ws_url: {stream}\n"


@asynccontextmanager
async def simulated(folder: Path) -> AsyncIterator[Venues]:
    words = [TRIO_RUN, "bot4", "simulate", "--seed", "275", "--state-dir", folder]
    process = await trio.lowlevel.open_process(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        line = b""
        with trio.fail_after(LINE_S):
            while not line.endswith(b"\n"):
                line += await process.stdout.receive_some()
        yield Venues(json.loads(line))
    finally:
        process.kill()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + KILLED_S):
            await process.wait()
            await process.stdin.aclose()
            await process.stdout.aclose()


@pytest.fixture
def real(home: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Bots of mode testnet, whose accounts lie at venues that outlive them."""

    @asynccontextmanager
    async def pairs(*names: str) -> AsyncIterator[dict[str, Venues]]:
        async with AsyncExitStack() as stack:
            served = {name: simulated(tmp_path / name) for name in names}
            found = {name: await stack.enter_async_context(one) for name, one in served.items()}
            trusted = tmp_path / "authorities.pem"
            trusted.write_text("".join(one.authority for one in found.values()))
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
            yield found

    def settle(name: str, vest: Venues, paradex: Venues) -> Any:
        folder = tmp_path / name
        folder.mkdir()
        made = type(home)(home.root, folder, folder / "bot4.yaml", folder / "state" / "testnet")
        made.configure(mode="testnet")
        text = made.config.read_text()
        for venue, where in (("vest", vest), ("paradex", paradex)):
            before = f"\nvenues:\n  {venue}:\n" if venue == "vest" else f"\n  {venue}:\n"
            assert text.count(before) == 1, venue
            text = text.replace(before, before + where.lines(venue))
        made.config.write_text(text)
        keys = {name: (vest if name.startswith("VEST") else paradex) for name in KEYS}
        env = folder / ".env"
        env.touch(mode=0o600)
        env.write_text("".join(f"{n}={at.said[KEYS[n]]}\n" for n, at in keys.items()))
        return made

    class Real:
        pass

    made = Real()
    made.pairs = pairs  # type: ignore[attr-defined]
    made.settle = settle  # type: ignore[attr-defined]
    return made


async def race(first: Any, second: Any) -> list[dict[str, Any]]:
    """Start both at one instant; return for each the line that says whether it got the account."""
    said: dict[int, dict[str, Any]] = {}

    async def watch(number: int, bot: Any) -> None:
        said[number] = await bot.until("start.refused", "venue.ready")

    async with first.bot() as one, second.bot() as two:
        async with trio.open_nursery() as watching:
            watching.start_soon(watch, 1, one)
            watching.start_soon(watch, 2, two)
        for bot, line in ((one, said[1]), (two, said[2])):
            if line["event"] == "start.refused":
                assert await bot.end() == 4
                assert bot.said("venue.ready") == [], "it had asked a venue by then"
            else:
                await bot.kill()
    return [said[1], said[2]]


@pytest.mark.slow
async def test_the_second_bot_on_an_account_is_refused_from_any_folder_and_told_whose_it_is(
    real: Any,
):
    async with real.pairs("one", "two") as pairs:
        first = real.settle("first", pairs["one"], pairs["one"])
        other = real.settle("other", pairs["two"], pairs["two"])
        async with first.bot() as one, other.bot() as stranger:
            await one.until("venue.ready", count=2)
            second = real.settle("second", pairs["one"], pairs["one"])
            refused = await second.run("run")

            assert refused.process.returncode == 4
            (line,) = refused.said("start.refused")
            assert refused.said("venue.ready") == []
            assert "another bot trades this account: vest 0x" in line["why"]
            mine = f"the bot of {first.state}, process {one.process.pid} of user "
            assert mine in line["why"]
            assert ADVICE in line["do"]
            assert "state_dir" not in line["do"]
            # Keys that are the same on another network are another account.
            await stranger.until("venue.ready", count=2)


@pytest.mark.slow
@pytest.mark.proof
async def test_flatten_touches_no_account_that_a_bot_of_another_folder_trades(real: Any):
    async with real.pairs("one") as pairs:
        first = real.settle("first", pairs["one"], pairs["one"])
        second = real.settle("second", pairs["one"], pairs["one"])
        async with first.bot() as one:
            await one.until("venue.ready", count=2)
            refused = await second.run("flatten", "--yes")
            forced = await second.run("flatten", "--yes", "--force")

        assert refused.process.returncode == 4
        (line,) = refused.said("start.refused")
        assert f"the bot of {first.state}, process {one.process.pid}" in line["why"]
        assert "--force" in line["do"]
        assert refused.said("flatten.done") == []
        assert forced.process.returncode == 0
        assert len(forced.said("flatten.done")) == 2


@pytest.mark.slow
@pytest.mark.proof
async def test_flatten_of_the_bot_s_own_folder_still_stops_it_first(real: Any):
    async with real.pairs("one") as pairs:
        first = real.settle("first", pairs["one"], pairs["one"])
        async with first.bot() as one:
            await one.until("venue.ready", count=2)
            flattened = await first.run("flatten", "--yes")
            code = await one.end()

        assert code == 0
        assert flattened.process.returncode == 0
        assert len(flattened.said("flatten.done")) == 2


async def races(real: Any, times: int) -> None:
    async with real.pairs("one", "two") as pairs:
        first = real.settle("first", pairs["one"], pairs["one"])
        others = [first] + [
            real.settle(shared, pairs[vest], pairs[paradex])
            for shared, (vest, paradex) in SHARED.items()
        ]
        for number in range(times):
            second = others[number % len(others)]
            ends = [line["event"] for line in await race(first, second)]
            assert sorted(ends) == ["start.refused", "venue.ready"], number


@pytest.mark.slow
async def test_of_two_bots_that_start_at_one_instant_one_never_asks_a_venue(real: Any):
    await races(real, 2)


@pytest.mark.proof
async def test_of_two_bots_that_start_at_one_instant_fifty_times_one_never_asks_a_venue(real: Any):
    await races(real, 50)
