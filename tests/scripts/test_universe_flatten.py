"""The judge of flatten's table: an honest end passes, and every planted wrong is found."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
from universelib.aftermath import Ended
from universelib.flatproof import Played, broken, judged
from universelib.flattening import every, table

D = Decimal
PAIR = {"vest": D("-0.0036"), "paradex": D("0.0036")}
NOTHING = {"vest": D(0), "paradex": D(0)}
ALONE = {"vest": D("-0.0036"), "paradex": D(0)}
QUIET: dict[str, Any] = {"vest": {"open_orders": []}, "paradex": {"open_orders": []}}
RESTS = {**QUIET, "paradex": {"open_orders": [{"foreign": False}]}}
FAILED = {"event": "flatten.failed", "message": "vest: NOT proven flat, still short BTC-PERP"}
HELD = {"event": "pair.held", "message": "BTC stays on"}
FINISHED = {"event": "guard.finished", "message": "Cleaned up"}
FLAT = Played(
    name="hedged/vest/funding/flatten",
    state="hedged",
    venue="vest",
    kind="funding",
    tool="flatten",
    ended=Ended(0),
    before=PAIR,
    after=NOTHING,
    truth=QUIET,
    lines=(),
    naked=(0.5, D("0.0034")),
    took_s=8.0,
)
SHUT = attrs.evolve(FLAT, kind="halt", ended=Ended(3), after=PAIR, lines=(FAILED,))
KEPT = attrs.evolve(FLAT, tool="guard", after=PAIR, lines=(HELD, FINISHED))
HUNG = attrs.evolve(FLAT, state="bot-hung", ended=Ended(0, "it runs; or use --force"))


@pytest.mark.parametrize("cell", [FLAT, SHUT, KEPT, HUNG])
def test_an_honest_end_is_found_to_be_one(cell: Played):
    assert list(broken(cell)) == []


@pytest.mark.parametrize(
    ("cell", "changes", "found"),
    [
        (FLAT, {"took_s": 91.0}, "took 91 s"),
        (FLAT, {"after": PAIR}, "could have been closed"),
        (FLAT, {"after": ALONE}, "alone at vest, which could have been closed"),
        (FLAT, {"naked": (9.0, D("0.0034"))}, "naked for 9.0 s"),
        (FLAT, {"truth": RESTS}, "still rest at paradex"),
        (FLAT, {"lines": (HELD,)}, "code 0, says"),
        (FLAT, {"lines": (FAILED,)}, "code 0, and yet"),
        (FLAT, {"ended": Ended(3), "lines": (FAILED,)}, "code 3, and nothing is left"),
        (FLAT, {"ended": Ended(1)}, "code 1"),
        (SHUT, {"lines": ()}, "code 3 without a word why"),
        (SHUT, {"ended": Ended(0)}, "code 0 and still on"),
        (SHUT, {"after": ALONE}, "of a hedged pair is alone at vest"),
        (SHUT, {"lasts": False}, "could have been closed"),
        (SHUT, {"after": ALONE, "lines": ({**FAILED, "message": "no"},)}, "is not named"),
        (SHUT, {"lines": ({**FAILED, "message": "holds ?"},)}, "says ?"),
        (KEPT, {"after": NOTHING, "lines": (FINISHED,)}, "the guard changed a hedged pair"),
        (KEPT, {"lines": (HELD,)}, "the guard does not say how it ended"),
        (HUNG, {"ended": Ended(0)}, "a bot that lives"),
    ],
)
def test_every_planted_wrong_is_found(cell: Played, changes: dict[str, Any], found: str):
    assert any(found in why for why in broken(attrs.evolve(cell, **changes)))


def test_every_cell_has_a_name_of_its_own_and_every_state_its_rows():
    cells = every()

    assert len({cell.name for cell in cells}) == len(cells) > 1000
    outcomes = [judged(attrs.evolve(FLAT, name=cell.name), 0.0) for cell in cells]
    outcomes[0] = attrs.evolve(outcomes[0], broken=("x",))
    *rows, figures = list(table(outcomes, 60.0))[1:]
    assert len(rows) == len({(cell.state, cell.tool) for cell in cells})
    assert figures.startswith(f"{len(cells)} cells")
    assert figures.endswith("60 s, 1 violations")
