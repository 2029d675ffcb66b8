from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4 import invocation
from bot4.cli.arguments import (
    COMMANDS,
    CheckOptions,
    NoOptions,
    Usage,
    Wish,
    help_text,
    parse,
    read_duration,
)
from bot4.config.options import (
    DbOptions,
    DeriveOptions,
    DoctorOptions,
    FlattenOptions,
    PnlOptions,
    PositionsOptions,
    RunOptions,
    SimulateOptions,
    Since,
    StatusOptions,
    TradesOptions,
    VacuumOptions,
)
from bot4.config.schema import SimulationConfig

UNDERSTOOD = [
    ([], Wish("run", RunOptions())),
    (["run"], Wish("run", RunOptions())),
    (["--for", "60s"], Wish("run", RunOptions(for_s=60.0))),
    (["run", "--for=1.5m", "--log", "json"], Wish("run", RunOptions(for_s=90.0, log="json"))),
    (
        ["--config", "x.yaml", "--log-file", "a/b", "--live", "--fresh"],
        Wish("run", RunOptions(Path("x.yaml"), log_file=Path("a/b"), live=True, fresh=True)),
    ),
    (["check-config", "--config", "x"], Wish("check-config", CheckOptions(Path("x")))),
    (
        ["flatten", "--pair", "BTC", "--venue", "vest", "--yes", "--dry-run"],
        Wish("flatten", FlattenOptions(pair="BTC", venue="vest", yes=True, dry_run=True)),
    ),
    (["status", "--json"], Wish("status", StatusOptions(as_json=True))),
    (
        ["doctor", "--venue", "paradex", "--probe-orders"],
        Wish("doctor", DoctorOptions(venue="paradex", probe_orders=True)),
    ),
    (
        ["keys", "derive", "--env", "MY_KEY", "--show"],
        Wish("keys derive", DeriveOptions(env="MY_KEY", show=True)),
    ),
    (["simulate", "--seed", "7"], Wish("simulate", SimulateOptions(seed=7))),
    (
        [
            *("simulate", "--profile", "calibrated", "--latency-scale", "0.5"),
            *("--collateral", "10000", "--state-dir", "s", "--fresh", "--link", "adsl"),
        ],
        Wish(
            "simulate",
            SimulateOptions(
                1, "calibrated", Decimal("0.5"), Decimal(10000), Path("s"), fresh=True, link="adsl"
            ),
        ),
    ),
    (["positions", "--json"], Wish("positions", PositionsOptions(as_json=True))),
    (
        ["trades", "--since", "7d", "--pair", "BTC", "--csv"],
        Wish("trades", TradesOptions(since=Since(ago_s=604_800.0), pair="BTC", as_csv=True)),
    ),
    (
        ["pnl", "--by", "pair", "--since=1970-01-02"],
        Wish("pnl", PnlOptions(by="pair", since=Since(day_ms=86_400_000))),
    ),
    (["db", "check"], Wish("db check", DbOptions())),
    (["db", "release", "--config", "x"], Wish("db release", DbOptions(Path("x")))),
    (["db", "vacuum", "--keep", "30"], Wish("db vacuum", VacuumOptions(keep_days=30))),
    (["help"], Wish("help", NoOptions())),
    (["run", "--help"], Wish("help", NoOptions())),
    (["-h"], Wish("help", NoOptions())),
    (["--version"], Wish("version", NoOptions())),
]


@pytest.mark.parametrize(("argv", "wish"), UNDERSTOOD)
def test_words_become_options(argv: list[str], wish: Wish):
    assert parse(argv) == wish


REFUSED = [
    (["rnu"], "there is no command 'rnu'; did you mean run?"),
    (["check"], "did you mean check-config?"),
    (["db"], "did you mean db check?"),
    (["db", "vacuum", "--keep", "1"], "--keep '1': must be a whole number of days, 2 or more"),
    (
        ["trades", "--since", "monday"],
        "must be a time ago like 12h or 7d, or a day like 2026-11-25",
    ),
    (["trades", "--since", "2026-13-01"], "must be a time ago"),
    (["pnl", "--by", "hour"], "must be day or pair or direction"),
    (["zzzz"], "there is run, check-config, status"),
    (["keys"], "did you mean keys derive?"),
    (["keys", "derive", "--env", "0x" + "a" * 64], "--env '...': must be the name of a variable"),
    (["0x" + "a" * 64], "there is no command '...'"),
    (["run", "--fro", "1s"], "there is no option of run '--fro'; did you mean --for?"),
    (["--sed", "1"], "there is no option of run '--sed'"),
    (["version", "--yes"], "there is none"),
    (["run", "now"], "run takes no 'now'"),
    (["--fresh", "flatten"], f"flatten must come first: {invocation.command('flatten')}"),
    (["--for"], "--for needs a value: --for TIME"),
    (["--for", "--live"], "--for needs a value"),
    (["--for", "60"], "--for '60': must be a time like 60s, 5m or 1h"),
    (["--for", "0s"], "must be a time"),
    (["--for", "-5s"], "must be a time"),
    (["--for", "999999999d"], "must be a time"),
    (["--for=1s", "--for=2s"], "--for is given twice"),
    (["--live=yes"], "--live takes no value"),
    (["--log", "xml"], "must be json or pretty"),
    (["--config="], "must be the name of a file"),
    (["simulate", "--seed", "-1"], "must be a whole number"),
    (["simulate", "--seed", "99999999999"], "must be a whole number"),
    (["simulate", "--collateral", "0"], "must be a number above 0"),
    (["flatten", "--venue", "binance"], "must be vest or paradex"),
    (["flatten", "--pair", "a b"], "must be the name of a pair"),
    (["\x1b[2J" + "x" * 100], "there is no command '?[2Jxxx"),
]


@pytest.mark.parametrize(("argv", "said"), REFUSED)
def test_what_is_wrong_is_said_in_one_line(argv: list[str], said: str):
    with pytest.raises(Usage) as caught:
        parse(argv)

    assert said in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("60s", 60), ("5m", 300), ("1h", 3600), ("2d", 172_800)]
)
def test_times_have_a_unit(text: str, seconds: float):
    assert read_duration(text) == seconds


def test_every_option_fills_a_field_and_is_in_the_help():
    text = help_text()

    for name, command in COMMANDS.items():
        fields = {field.name for field in attrs.fields(command.kind)}
        assert {option.field for option in command.options} == fields
        assert f"\n  {name} " in text
        assert all(option.name in text for option in command.options)


def test_the_simulator_by_hand_is_the_embedded_one():
    by_hand, embedded = SimulateOptions(), SimulationConfig()

    for field in attrs.fields(SimulationConfig):
        assert getattr(by_hand, field.name) == getattr(embedded, field.name)


words = st.sampled_from([*COMMANDS, "--for", "--live", "--config", "=", "1s", "--seed"]) | st.text()


@given(st.lists(words, max_size=5))
def test_any_words_are_understood_or_refused(argv: list[str]):
    try:
        wish = parse(argv)
    except Usage as fault:
        said = str(fault)
    else:
        said = wish.command
        assert said in COMMANDS

    assert said.isprintable()
