"""Asked to stop by the system, at every stage of a real run."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM
from typing import Any

import pytest
import trio
from timeouts import NEXT_WISH_S, STORY_S

pytestmark = pytest.mark.slow

SESSION = Path(__file__).parent / "session.py"

SIGNALS = {"SIGINT": SIGINT, "SIGTERM": SIGTERM, "SIGHUP": SIGHUP}


@pytest.fixture(autouse=True)
def at_a_terminal(home: Any) -> None:
    """Every bot here has a terminal that can hang it up."""
    home.launcher = (sys.executable, str(SESSION), "terminal")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("SIGINT", "config.loaded"),
        ("SIGTERM", "bot.started"),
        ("SIGHUP", "simulator.started"),
    ],
)
@pytest.mark.ordinary("SIGTERM-bot.started")
async def test_a_signal_during_start_up_ends_it_and_is_clean_only_after_a_look(
    home: Any, judge: Any, name: str, line: str
):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.until(line)
            code = await bot.stop(SIGNALS[name])

    assert bot.said("shutdown.requested")[0]["signal"] == name
    assert bot.said("spread.seen") == []
    if code == 0:
        judge.as_claimed(bot.last, home.truth())
    else:
        assert (code, bot.last["event"]) == (3, "shutdown.left")
        assert "Stopped before looking" in bot.last["message"]
    assert [home.truth()[venue]["orders"] for venue in ("vest", "paradex")] == [[], []]


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.ordinary("SIGINT")
async def test_one_wish_delivered_twice_in_the_middle_of_an_entry_leaves_flat_or_hedged(
    home: Any, judge: Any, name: str
):
    home.configure(latency_scale=1)
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            await bot.open_gap()
            await bot.until("pair.opening")
            # Equal ones would be merged as long as the first was not taken.
            bot.deliver(SIGNALS[name])
            await bot.taken(SIGNALS[name])
            assert await bot.stop(SIGNALS[name]) == 0

    assert [line["signal"] for line in bot.said("shutdown.requested")] == [name]
    judge.as_claimed(bot.last, home.truth())


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
@pytest.mark.ordinary("SIGHUP")
async def test_a_signal_while_hedged_keeps_the_pair_and_says_so(home: Any, judge: Any, name: str):
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            assert await bot.stop(SIGNALS[name]) == 0

    judge.as_claimed(bot.last, home.truth())
    assert set(judge.positions(home.truth())) == {"vest", "paradex"}
    assert bot.said("pair.held")
    assert (bot.lines[-1]["event"], bot.lines[-1]["level"]) == ("shutdown.held", "warning")
    assert "nothing watches it until the next start" in bot.lines[-1]["message"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.ordinary("SIGTERM")
async def test_a_signal_while_closing_goes_forward_to_flat(home: Any, judge: Any, name: str):
    home.configure(latency_scale=1)
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.hedged()
            await bot.close_gap()
            await bot.until("pair.closing")
            assert await bot.stop(SIGNALS[name]) == 0

    judge.as_claimed(bot.last, home.truth())
    assert judge.positions(home.truth()) == {}
    assert bot.said("pair.closed")


async def test_a_second_ctrl_c_stops_waiting_and_lists_what_is_abandoned(home: Any, judge: Any):
    home.configure(answer_by_ms=300, window_ms=5000, settle_ms=5000)
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            await bot.fault("vest", "lose_request")
            await bot.open_gap()
            in_doubt = await bot.until("leg.in_doubt")
            bot.deliver(SIGINT)
            await bot.until("shutdown.requested")
            await trio.sleep(NEXT_WISH_S)
            assert await bot.stop(SIGINT) == 70
        # The journal is intact: the next start finds the trade and brings it home.
        async with home.bot() as again:
            await again.until("trade.recovered")
            await again.until(*judge.over)
            assert await again.stop() == 0

    assert bot.last["event"] == "shutdown.left"
    assert in_doubt["client_order_id"] in bot.last["message"]
    judge.as_claimed(again.last, home.truth())
    assert judge.positions(home.truth()) == {}


async def test_a_hangup_without_a_terminal_ends_nothing_and_the_log_follows_its_path(
    home: Any, judge: Any
):
    home.launcher = (sys.executable, str(SESSION), "none")
    log, aside = home.state / "bot4.log", home.state / "bot4.log.1"
    with trio.fail_after(STORY_S):
        async with home.bot() as bot:
            await bot.ready()
            log.rename(aside)
            bot.deliver(SIGHUP)
            await bot.taken(SIGHUP)
            await bot.open_gap()
            await bot.until("pair.opened")
            assert await bot.stop() == 0

    assert [line["signal"] for line in bot.said("shutdown.requested")] == ["SIGINT"]
    judge.as_claimed(bot.last, home.truth())
    before = aside.read_text().splitlines(keepends=True)
    assert "".join(before).endswith("\n")
    told = [line for line in map(json.loads, before) if line["level"] != "debug"]
    told += [line for line in home.log() if line["level"] != "debug"]
    assert told == bot.lines
