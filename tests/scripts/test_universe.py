"""The parts of a universe: what is drawn, what the disk does, what the table says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import attrs
import pytest
import trio
from universelib import coverage, directed
from universelib.check import Ending, violations
from universelib.figures import Result, bound_s, lines
from universelib.grammar import MARKETS, REFUSAL_CODES, every, shape_of, spelled
from universelib.script import Script, draw
from universelib.situations import Situations, known_cells
from universelib.troubled import TroubledDisk

from bot4.errors import JournalFault
from bot4.simulator.faults import COUNTED, IMMEDIATE, LASTING, FaultMenu, UnknownFault
from bot4.simulator.paradex import foreign as paradex
from bot4.simulator.vest import foreign as vest
from bot4.transport.wires import KINDS
from bot4.wiring.universe import open_universe, plain_config

SEEDS = range(300)
NOT_IN_THE_GRAMMAR = {"gap_jump": "the market's own: every script times some beside its troubles"}
NOTHING: dict[str, Any] = {
    venue: {"positions": {}, "open_orders": [], "orders": [], "fills": []} for venue in MARKETS
}


def test_a_seed_draws_the_same_whenever_it_is_asked():
    assert draw(5, 60) == draw(5, 60) != draw(6, 60)


def test_each_seed_leaves_out_kinds_and_together_they_leave_out_none():
    drawn = [{fault["kind"] for _, fault in draw(seed, 60).faults} for seed in SEEDS]

    every_kind = {fault["kind"] for fault in every()} - {"storm"} | {"gap_jump"}
    assert set().union(*drawn) >= every_kind
    assert not any(kinds >= every_kind for kinds in drawn)


def test_troubles_come_from_a_tenth_to_ten_times_as_often():
    counts = sorted(len(draw(seed, 60).faults) for seed in SEEDS)

    assert counts[0] < 12
    assert counts[-1] > 100


def test_every_death_edit_latency_and_state_is_drawn():
    scripts = [draw(seed, 60) for seed in SEEDS]

    assert {d.kind for s in scripts for d in s.deaths} == {
        "kill",
        "power",
        "stop",
        "term",
        "hurry",
        "edit",
    }
    assert {d.edit for s in scripts for d in s.deaths} == {"", "notional", "entry", "on_stop"}
    assert len({s.latency for s in scripts}) == 4
    assert len({a.state for s in scripts for a in s.aimed}) == 7


def test_calm_is_calm():
    drawn = draw(5, 60)
    assert draw(5, 60, calm=True) == Script((), (), drawn.on_stop, (), drawn.latency)


async def test_every_kind_can_strike(autojump_clock, tmp_path: Path):
    disk = TroubledDisk(lambda _: None)
    async with open_universe(plain_config(tmp_path, 1)) as universe:
        for kind in every():
            for _, fault in spelled(kind, Random(1)):
                if fault["venue"] == "disk":
                    disk.strike(fault)
                    continue
                try:
                    universe.strike(fault)
                except UnknownFault as nothing:
                    assert "no such fill" in str(nothing)  # noqa: PT017 - a bust needs a fill


def test_the_grammar_draws_every_fault_that_there_is():
    there = COUNTED | LASTING | IMMEDIATE | set(KINDS) | {"suspend"}

    assert there - {fault["kind"] for fault in every()} == set(NOT_IN_THE_GRAMMAR)


@pytest.mark.parametrize(
    ("kind", "venue", "shapes"),
    [
        ("odd_fill", "vest", vest.ODD_FILLS),
        ("odd_fill", "paradex", paradex.ODD_FILLS),
        ("foreign_order", "vest", [*vest.SHAPES, "cancel refused"]),
        ("foreign_order", "paradex", [*paradex.SHAPES, "cancel refused"]),
        ("refuse", "vest", ["cancel"]),
        ("refuse", "paradex", ["cancel"]),
        ("api_change", "vest", ["enum", "type"]),
        ("api_change", "paradex", ["enum", "schema"]),
        ("suspend", "machine", ["alive", "cut", "dead"]),
    ],
)
def test_the_grammar_draws_every_shape_of_a_fault(kind: str, venue: str, shapes: Iterable[str]):
    drawn = {_shape(one) for one in every() if (one["kind"], one["venue"]) == (kind, venue)}

    assert drawn - {None} == set(shapes)


def _shape(fault: dict[str, Any]) -> str | None:
    if fault.get("cancel") == "refused":
        return "cancel refused"
    names = ("shape", "what", "connections", "request")
    return next((fault[name] for name in names if name in fault), None)


def test_a_refused_cancel_comes_with_an_order_to_cancel():
    spoken = spelled({"venue": "vest", "kind": "refuse", "request": "cancel"}, Random(1))

    assert [fault["kind"] for _, fault in spoken] == ["refuse", "foreign_order"]


def test_who_loses_a_retail_token_had_one():
    scripts = [draw(seed, 60) for seed in SEEDS]
    losing = [s for s in scripts if any(one["kind"] == "retail_lost" for _, one in s.faults)]

    assert {s.retail for s in losing} == {"granted"}
    assert {s.retail for s in scripts} == {"", "granted", "refused"}


def test_the_disk_refuses_to_write_while_it_is_full(tmp_path: Path):
    async def main() -> list[Any]:
        disk = TroubledDisk(lambda _: None)
        file = disk.open(tmp_path / "a.db")
        file.execute("CREATE TABLE t (x)")
        disk.strike({"kind": "disk_full", "seconds": 2})
        with pytest.raises(JournalFault, match="make room"):
            file.execute("INSERT INTO t VALUES (1)")
        assert list(file.execute("SELECT * FROM t")) == []
        await trio.sleep(2)
        file.execute("INSERT INTO t VALUES (2)")
        return list(file.execute("SELECT * FROM t"))

    assert trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)) == [(2,)]


@pytest.mark.parametrize(("power_lost", "left"), [(False, [(1,), (2,)]), (True, [(1,)])])
def test_a_power_loss_takes_what_was_not_synced(
    tmp_path: Path, power_lost: bool, left: list[tuple[int]]
):
    async def main() -> list[Any]:
        disk = TroubledDisk(lambda _: None)
        file = disk.open(tmp_path / "a.db")
        file.execute("CREATE TABLE t (x)")
        for sync, value in (("FULL", 1), ("NORMAL", 2)):
            file.execute(f"PRAGMA synchronous={sync}")
            file.execute("BEGIN IMMEDIATE")
            file.execute("INSERT INTO t VALUES (?)", (value,))
            file.execute("COMMIT")
        again = disk.left(power_lost=power_lost).open(tmp_path / "a.db")
        with pytest.raises(JournalFault, match="dead"):
            file.execute("SELECT 1")
        return list(again.execute("SELECT * FROM t"))

    assert trio.run(main) == left


def test_a_slow_disk_stalls_synced_commits_alone(tmp_path: Path):
    stalls: list[float] = []

    async def main() -> None:
        disk = TroubledDisk(stalls.append)
        file = disk.open(tmp_path / "a.db")
        disk.strike({"kind": "disk_slow", "ms": 120, "seconds": 2})
        for sync in ("NORMAL", "FULL"):
            file.execute(f"PRAGMA synchronous={sync}")
            file.execute("BEGIN IMMEDIATE")
            file.execute("COMMIT")

    trio.run(main)
    assert stalls == [0.12]
    with pytest.raises(ValueError, match="disk_wet"):
        trio.run(_strike, {"kind": "disk_wet"})


async def _strike(fault: dict[str, Any]) -> None:
    TroubledDisk(lambda _: None).strike(fault)


def test_a_bot_that_does_not_come_back_is_a_violation():
    end = Ending(NOTHING, [], [0], [], ["L: not trading"])

    assert violations(end) == ["L: not trading"]
    assert violations(Ending(NOTHING, [], [-9, 0])) == []
    assert violations(Ending(NOTHING, [], [0], ["KeyError('x')"])) == ["crashed: KeyError('x')"]


def test_an_order_that_rests_needs_its_name_in_the_last_word_and_the_code_for_it():
    order = {"id": "0xab", "nonce": None, "filled": "0", "reduce_only": False, "foreign": "tpsl"}
    vest = {**NOTHING["vest"], "open_orders": [order]}
    truth = {**NOTHING, "vest": vest}
    last = {"event": "shutdown.left", "level": "critical", "why": "it rests"}
    named = {**last, "left": ["vest: order 0xab cannot be cancelled"]}
    other = {**last, "left": ["paradex: order 0xab cannot be cancelled"]}

    assert violations(Ending(truth, [named], [3])) == []
    assert violations(Ending(truth, [other], [3])) == [
        "I5: vest order 0xab rests, and the last word does not name it"
    ]
    assert violations(Ending(truth, [], [0])) == [
        "I5: 1 orders of others rest, and the last exit code is 0"
    ]
    assert violations(Ending(NOTHING, [named], [3])) == ["the last exit code is 3"]
    unlisted = {**vest, "open_orders": [{**order, "foreign": "unknown_status"}]}
    assert violations(Ending({**NOTHING, "vest": unlisted}, [], [0])) == []


def result(**changes: Any) -> Result:
    plain = Result(
        seed=1,
        violations=[],
        seconds=3600.0,
        trades=2,
        faults=3,
        deaths=1,
        opened=1,
        naked_s=[1.0],
        naked_usd_s=[300.0],
        net_usdc=0.06,
        trace="x",
        naked=[(False, bound_s("usual") / 2, bound_s("usual")), (True, 9.0, 1.0)],
        slips_bps=[-1.0],
        eligible=4,
        captured=1,
        cpu_s=timedelta(minutes=1).total_seconds(),
    )
    return attrs.evolve(plain, **changes)


def test_the_figures_are_those_of_the_universes():
    *_, money, last = said = lines([result()], 30.0)

    assert "0.50 x bound" in said[0]
    assert "a venue dark or refusing: p50 9.00 s" in said[0]
    assert money.startswith("on the demo market, whose money means nothing: net 1.00 bp")
    assert "per attempt, realised less detected spread -1.00 bp" in money
    assert "captured 1 of 4 eligible spreads (25 %)" in money
    assert last.startswith("1 universes, 1.00 simulated hours, 0.0167 hours per core-second")
    assert last.endswith("0 violations")


def test_a_slower_venue_has_a_longer_bound_and_doubt_the_longest():
    assert bound_s("near") < bound_s("far")
    assert bound_s("usual") < bound_s("usual", 1) < bound_s("usual", 2)


def test_an_empty_cell_needs_a_reason(tmp_path: Path):
    counts = Counter(dict.fromkeys(known_cells(), 1))
    assert coverage.empty_cells(counts, {}) == ([], [])
    del counts["saga/flat/Overdue"], counts["code/vest/3001"]

    assert coverage.empty_cells(counts, {"saga/flat/*": "nothing is under way"}) == (
        ["code/vest/3001"],
        ["saga/flat/Overdue"],
    )
    told = tmp_path / "reasons.txt"
    told.write_text("# why\nsaga/flat/*: nothing\ncode/x: \n")
    with pytest.raises(ValueError, match=r"reasons.txt:3"):
        coverage.read_reasons(told)


def test_every_reason_is_about_a_cell_there_is():
    cells = Counter[str]()
    for pattern in coverage.read_reasons():
        _, known = coverage.empty_cells(cells, {pattern: "x"})
        assert known, pattern


def test_the_table_shows_every_row():
    text = "\n".join(coverage.table(Counter({"saga/opening/Filled": 7, "code/vest/3001": 5})))

    assert "Filled" in text
    assert "3001 5" in text
    assert all(fault["kind"] in text for fault in every() if fault["kind"] != "storm")
    assert len(REFUSAL_CODES["vest"]) > 30


def test_chance_is_helped_to_every_fault_and_code():
    wanted = [cell for cell in known_cells() if not cell.startswith("saga")]
    scripts = directed.scripts(wanted)

    aimed = {f"fault/{one.fault['kind']}/{one.state}" for s in scripts for one in s.aimed}
    timed = [fault for s in scripts for _, fault in s.faults]
    codes = {
        f"code/{one['venue']}/{one.get('cancel_reason', one.get('code'))}"
        for one in timed
        if one["kind"] == "refuse"
    }
    flat = {f"fault/{one['kind']}/flat" for one in timed}
    met = {f"met/{one['kind']}/{shape_of(one)}" for one in timed}
    assert aimed | codes | flat | met >= set(wanted)
    assert directed.scripts(["saga/flat/Overdue"]) == []


async def test_refusals_and_faults_are_counted_where_they_happen(autojump_clock):
    from bot4.simulator.vest.refusals import VestRefusal

    situations = Situations()
    with situations.listening():
        VestRefusal(1132)
        situations.struck({"venue": "vest", "kind": "cut"})
    VestRefusal(1002)

    assert situations.cells == Counter({"code/vest/1132": 1, "fault/cut/flat": 1})


def test_a_fill_that_the_venue_never_gave_is_a_violation():
    line = {"event": "leg.filled", "level": "info", "venue": "vest", "client_order_id": "7"}
    order = {"id": "1", "nonce": 7, "filled": "0", "reduce_only": False}
    vest = {**NOTHING["vest"], "orders": [order], "busts": []}

    assert violations(Ending({**NOTHING, "vest": vest}, [line], [0])) == [
        "I10: vest never filled 7, the bot says so"
    ]
    given = {**vest, "orders": [{**order, "filled": "0.1"}]}
    assert violations(Ending({**NOTHING, "vest": given}, [line], [0])) == []


def test_a_trade_that_opens_again_while_it_closes_is_a_violation():
    sent = {"event": "leg.sent", "level": "info", "trade_id": "t"}
    out, back = ({**sent, "purpose": purpose} for purpose in ("exit", "mend"))

    assert violations(Ending(NOTHING, [back, out], [0])) == []
    assert violations(Ending(NOTHING, [out, back], [0])) == ["I11: t opens again while it closes"]


async def test_a_shape_counts_once_and_only_when_it_acts(autojump_clock):
    menu, situations = FaultMenu(), Situations()
    with situations.listening():
        odd = {"venue": "vest", "kind": "odd_fill", "shape": "no_fee", "count": 2}
        menu.add(odd)
        situations.struck(odd)
        assert situations.cells["met/odd_fill/no_fee"] == 0
        for _ in range(2):
            menu.take("vest", "odd_fill")
        situations.struck({"venue": "machine", "kind": "suspend", "connections": "cut"})

    assert situations.cells["met/odd_fill/no_fee"] == 1
    assert situations.cells["met/suspend/cut"] == 1
