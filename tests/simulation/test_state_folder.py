"""The state folder or the journal goes away under a running bot: noticed, told, nothing spoiled."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bot4.config.schema import SimulationConfig

CALM = SimulationConfig(profile="calm", seed=3)
THEIRS = {
    "journal.db": b"another journal",
    "journal.db-wal": b"its newest rows",
    "status.json": b"another bot's last word",
    "status.new": b"a word that it writes just now",
    "bot.sock": b"in the place of its socket",
    "history.db": b"its old trades",
}


def deleted(state: Path) -> None:
    shutil.rmtree(state)


def moved(state: Path) -> None:
    state.rename(state.with_name("elsewhere"))


def parent_moved(state: Path) -> None:
    state.parent.rename(state.parent.with_name("parent elsewhere"))


def replaced(state: Path) -> None:
    moved(state)
    state.mkdir()
    for name, content in THEIRS.items():
        (state / name).write_bytes(content)


def journal_deleted(state: Path) -> None:
    (state / "journal.db").unlink()


def journal_replaced(state: Path) -> None:
    (state / "journal.db").rename(state / "journal.old")
    (state / "journal.db").write_bytes(THEIRS["journal.db"])


def newest_rows_deleted(state: Path) -> None:
    (state / "journal.db-wal").unlink()


HURTS = (
    deleted,
    moved,
    parent_moved,
    replaced,
    journal_deleted,
    journal_replaced,
    newest_rows_deleted,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "parent" / "state"


def here(universe: Any, folder: Path) -> Any:
    config = attrs.evolve(universe.config, state_dir=folder)
    return attrs.evolve(universe, config=config)


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; nothing where there is none."""
    if not folder.exists():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir()} or {".": b"an empty one"}


@pytest.mark.parametrize("hurt", HURTS, ids=lambda hurt: hurt.__name__)
@pytest.mark.ordinary("deleted", "replaced", "journal_replaced", "newest_rows_deleted")
async def test_opening_stops_within_two_seconds_closing_goes_on_and_the_end_says_it(
    play: Any, folder: Path, autojump_clock: Any, hurt: Callable[[Path], None]
):
    async with play.universe(simulation=CALM) as universe, play.bot(here(universe, folder)) as run:
        await run.until("feed.ready", 4)
        run.gap(45.0, 5.0)
        await run.until("pair.opened")
        hurt(folder)
        await trio.sleep(2)
        told = [line for line in run.events if line["level"] == "error"]
        await run.until("pair.closed")
        await trio.sleep(35)
        run.gap(45.0, 5.0)
        await trio.sleep(10)

    assert len(told) == 1, told
    assert "while the bot runs" in told[0]["why"]
    assert "flatten" in told[0]["do"]
    assert len(run.said("pair.opening")) == 1
    assert run.positions() == {}
    run.clean()
    assert run.code == 3
    last = run.events[-1]
    assert last["event"] == "shutdown.left"
    assert f"the journal was at {folder}/journal.db" in last["message"]
    assert "put it back before the next start" in last["do"]


@pytest.mark.proof
async def test_nothing_of_a_folder_that_took_the_place_of_ours_is_touched(
    play: Any, folder: Path, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.bot(here(universe, folder)) as run:
        await run.until("feed.ready", 4)
        run.gap(45.0, 5.0)
        await run.until("pair.opened")
        await trio.sleep(0.3)
        replaced(folder)
        await run.until("pair.closed")
        await trio.sleep(400)

    assert contents(folder) == THEIRS


@pytest.mark.parametrize("hurt", [deleted, moved], ids=lambda hurt: hurt.__name__)
@pytest.mark.proof
async def test_a_folder_that_is_gone_is_not_made_anew(
    play: Any, folder: Path, autojump_clock: Any, hurt: Callable[[Path], None]
):
    async with play.universe(simulation=CALM) as universe, play.bot(here(universe, folder)) as run:
        await run.until("feed.ready", 4)
        hurt(folder)
        await trio.sleep(400)

    assert contents(folder) == {}
    assert run.code == 3


async def test_a_folder_that_is_put_back_is_traded_with_again(
    play: Any, folder: Path, autojump_clock: Any
):
    async with play.universe(simulation=CALM) as universe, play.bot(here(universe, folder)) as run:
        await run.until("feed.ready", 4)
        moved(folder)
        await trio.sleep(2)
        assert [line["level"] for line in run.said("journal.lost")] == ["error"]
        folder.with_name("elsewhere").rename(folder)
        await trio.sleep(2)
        run.gap(45.0, 5.0)
        await run.until("pair.opened")
        await run.until("pair.closed")

    assert run.code == 0
    assert run.events[-1]["event"] == "shutdown.clean"
