"""A venue repeats our key or token in its words: no place that the bot writes to has it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import trio

from bot4.config.schema import SimulationConfig
from bot4.domain.market import VENUES
from bot4.logs.redact import REDACTOR
from bot4.logs.setup import close
from bot4.secret import MASK
from bot4.storage.mirror.fold import Fold
from bot4.storage.mirror.rows import rows_of
from bot4.wiring.doctor import Step, examine_all
from bot4.wiring.export import export
from bot4.wiring.history import Source
from bot4.wiring.snapshot import read_status
from bot4.wiring.status import Status, ask_venues, table
from tests.simulation.screen_and_file import log_to

CALM = SimulationConfig(profile="calm", seed=3)
WORDS = "not with {key}"
CODES: dict[str, dict[str, Any]] = {
    "vest": {"code": 1130},
    "paradex": {"code": "NOT_ENOUGH_MARGIN", "status": 400},
}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every key and token that the simulated venues gave out."""
    from bot4.simulator.paradex.tokens import Tokens
    from bot4.simulator.vest.sessions import Sessions

    given: list[str] = []
    for kind, name in ((Tokens, "issue"), (Sessions, "_new_key")):
        monkeypatch.setattr(kind, name, noted(getattr(kind, name), given))
    return given


def noted(make: Callable[..., str], given: list[str]) -> Callable[..., str]:
    def made(*args: Any, **more: Any) -> str:
        given.append(make(*args, **more))
        return given[-1]

    return made


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    close()
    structlog.reset_defaults()
    REDACTOR.clear()


async def journal_rows(universe: Any) -> str:
    """What a copy of the journal would hold."""
    fold = Fold()
    rows = await Source(universe.config, universe.new_world(9)).rows(0, ())
    told = [one for row in rows if (one := fold.read(row.entry()))]
    return json.dumps(rows_of(told, "account", "journal"), default=str)


@pytest.mark.parametrize("venue", VENUES)
async def test_a_key_that_a_refused_order_repeats_is_in_no_file_and_on_no_screen(
    play: Any, autojump_clock: Any, tmp_path: Path, keys: list[str], venue: str
):
    file = tmp_path / "logs" / "bot4.log"
    places: dict[str, str] = {}
    async with play.universe(simulation=CALM) as universe:
        async with play.bot(universe) as run:
            screen = log_to(file, run, "pretty")
            await run.until("feed.ready", 4)
            run.fault(venue, "refuse", message=WORDS, **CODES[venue])
            run.gap(45.0, 6.0)
            await run.until("leg.refused")
            run.fault(venue, "refuse", message=WORDS, request="account", count=3, **CODES[venue])
            await trio.sleep(8)
            said = read_status(universe.config)
            assert said is not None
            places["status"] = "\n".join(table(Status(said, 0.5, complete=True)))
        close()
        state = universe.config.state_dir
        places |= {one.name: one.read_bytes().decode("latin-1") for one in state.glob("journal*")}
        places |= {"screen": screen.getvalue(), "log file": file.read_text()}
        places["copy"] = await journal_rows(universe)
        await export(universe.config, tmp_path / "out", universe.new_world(5))
        places |= {one.name: one.read_text() for one in (tmp_path / "out").iterdir()}

        run.fault(venue, "refuse", message=WORDS, request="account", count=-1, **CODES[venue])
        asked = await ask_venues(universe.config, universe.secrets, universe.new_world(6))
        places["status of the venues"] = "\n".join(table(asked))
        steps: list[Step] = []
        await examine_all(
            universe.config,
            universe.secrets,
            universe.new_world(7),
            VENUES,
            steps.append,
            probe_orders=True,
        )
        places["doctor"] = "\n".join(f"{step.said} {step.do}" for step in steps)

    assert len(keys) >= 2
    for place in ("log file", "screen", "journal.db", "copy", "doctor"):
        assert MASK in places[place], place
    assert [(name, key) for name, text in places.items() for key in keys if key in text] == []
