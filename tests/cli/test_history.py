"""positions, trades, pnl and db: what is printed, and where."""

from __future__ import annotations

import csv
import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
import structlog
import trio
from localsupabase.story import Story

from bot4.cli.history import check as check_database
from bot4.cli.history import export, positions, trades, vacuum
from bot4.cli.history import pnl as earned
from bot4.cli.history import release as release_account
from bot4.config.load import load_config
from bot4.config.options import (
    DbOptions,
    ExportOptions,
    PnlOptions,
    PositionsOptions,
    Since,
    TradesOptions,
    VacuumOptions,
)
from bot4.errors import ExitCode
from bot4.signals import Signals
from bot4.storage.journal import open_journal
from bot4.transport.world import RealWorld

PAIRS = "pairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "bot4.yaml"
    path.write_text(f"mode: simulation\n{PAIRS}")
    return path


@pytest.fixture
def journal(config: Path):
    path = config.parent / "state" / "simulation" / "journal.db"
    opened = open_journal(RealWorld(), path, mode="simulation", identity={})
    for number in range(25):
        one = Story(f"a-{number}", net=f"0.{number + 1:02d}", closed_ms=1_795_000_000_000 + number)
        opened.append(one.whole(), durable=False)
    opened.append(Story("z-1").opening(), durable=False)
    yield opened
    opened.close()


@pytest.fixture
def said(capsys):
    async def run(command, options):
        code = await command(options, Signals(clock=trio.current_time))
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


async def test_a_screen_shows_the_last_trades_and_says_so(config, journal, said):
    journal.close()
    code, lines, err = await said(trades, TradesOptions(config))

    assert code == ExitCode.CLEAN
    assert len(lines) == 1 + 1 + 20 + 1
    assert "--since 7d" in lines[-1]
    assert err == ""


@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize(
    ("command", "options"),
    [(trades, TradesOptions), (positions, PositionsOptions), (earned, PnlOptions)],
)
async def test_a_table_folds_to_the_width_of_the_terminal(
    config, journal, monkeypatch, command, options, columns
):
    journal.close()
    person, ours = os.openpty()
    monkeypatch.setenv("COLUMNS", str(columns))
    with os.fdopen(ours, "w") as terminal:
        with monkeypatch.context() as shown:
            shown.setattr("sys.stdout", terminal)
            code = await command(options(config), Signals(clock=trio.current_time))
        text = os.read(person, 65_536).decode()
    os.close(person)

    lines = text.splitlines()
    assert code == ExitCode.CLEAN
    assert max(map(len, lines)) <= columns
    numbers = "3.25" if command is earned else "0.25" if command is trades else "BTC"
    assert any(numbers in line for line in lines)


async def test_a_program_gets_every_trade(config, journal, said):
    journal.close()
    _, lines, _ = await said(trades, TradesOptions(config, as_csv=True))
    rows = list(csv.DictReader(lines))
    assert [row["net_usdc"] for row in rows] == [
        f"0.{number:02d}".rstrip("0") for number in range(1, 26)
    ]

    _, lines, _ = await said(trades, TradesOptions(config, pair="ETH", as_json=True))
    assert lines == []
    _, lines, _ = await said(trades, TradesOptions(config, since=Since(day_ms=0), as_json=True))
    assert len(lines) == 25
    assert json.loads(lines[0])["trade_id"] == "a-0"


async def test_what_was_earned_is_the_sum_to_the_cent(config, journal, said):
    journal.close()
    _, lines, _ = await said(earned, PnlOptions(config, by="direction", as_json=True))

    assert [json.loads(line)["net_usdc"] for line in lines] == ["3.25", "3.25"]
    _, lines, _ = await said(earned, PnlOptions(config, as_csv=True))
    assert lines[-1].startswith("total,25,25,25,")
    _, lines, _ = await said(earned, PnlOptions(config))
    assert lines[-1].startswith("total")


@pytest.mark.parametrize("profile", ["demo", "calibrated"])
async def test_a_screen_says_when_the_money_means_nothing(config, journal, said, profile):
    journal.close()
    config.write_text(f"mode: simulation\nsimulation: {{profile: {profile}}}\n{PAIRS}")
    for command, options in ((trades, TradesOptions(config)), (earned, PnlOptions(config))):
        _, lines, _ = await said(command, options)

        assert ("means nothing" in lines[0]) == (profile == "demo")
        assert not any("means nothing" in line for line in lines[1:])


async def test_what_is_held_is_shown(config, journal, said):
    journal.close()
    _, lines, _ = await said(positions, PositionsOptions(config))
    assert len(lines) == 3
    assert "unhedged" in lines[0]
    assert "hedged" in lines[1]
    assert "the venues were NOT asked" in lines[2]

    _, lines, _ = await said(positions, PositionsOptions(config, as_json=True))
    record = json.loads(lines[0])
    assert (record.get("unhedged"), record.get("source")) == ("0", "journal")
    assert "net" not in record


@pytest.mark.parametrize("mode", ["simulation", "testnet", "live"])
async def test_a_journal_that_holds_nothing_does_not_speak_for_the_venues(config, said, mode):
    config.write_text(f"mode: {mode}\n{PAIRS}")
    _, lines, _ = await said(positions, PositionsOptions(config))

    assert "nothing is held" not in "\n".join(lines)
    assert "the venues were NOT asked" in lines[-1]


async def test_orders_in_doubt_do_not_read_as_hedged(config, journal, said):
    journal.append(Story("y-9", pair="ETH").opening()[:3], durable=False)
    journal.close()
    _, lines, _ = await said(positions, PositionsOptions(config, as_json=True))
    [record] = [one for one in map(json.loads, lines) if one["trade_id"] == "y-9"]
    assert record.get("net", record.get("unhedged")) is None
    assert len(record["in_doubt"]) == 2


async def test_beside_a_bot_that_cannot_be_asked_one_line_says_so(config, journal, said):
    code, lines, err = await said(trades, TradesOptions(config))

    assert code == ExitCode.REFUSED
    assert lines == []
    assert "a bot is running and holds the journal" in err
    assert len(err.splitlines()) == 1


async def test_the_vacuum_says_what_it_moved(config, journal, said):
    journal.close()
    code, (line,), _ = await said(vacuum, VacuumOptions(config))

    assert code == ExitCode.CLEAN
    assert line.startswith("0 trades moved to history.db; the journal has 408 rows")


@pytest.mark.parametrize("command", [check_database, release_account])
async def test_without_keys_the_database_commands_say_what_to_do(
    config, said, command, monkeypatch
):
    for name in ("SUPABASE_URL", "SUPABASE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    code, lines, err = await said(command, DbOptions(config))

    assert code in (ExitCode.CONFIG, ExitCode.REFUSED)
    assert lines == []
    assert len(err.splitlines()) == 1
    line = json.loads(err)
    assert "check-config" not in line["do"]


@pytest.mark.parametrize("mode", ["simulation", "testnet", "live"])
async def test_without_supabase_the_check_says_that_there_is_no_copy_and_how_to_have_one(
    config, said, monkeypatch, mode
):
    for name in ("SUPABASE_URL", "SUPABASE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    config.write_text(f"mode: {mode}\n{PAIRS}")
    code, lines, err = await said(check_database, DbOptions(config))

    assert len(err.splitlines()) == 1
    line = json.loads(err)
    assert (code, lines) == (ExitCode.CONFIG, [])
    assert "there is no copy in Supabase" in line["why"]
    assert "docs/supabase.md" in line["do"]
    assert "check-config" not in line["do"]


@pytest.mark.parametrize("mode", ["simulation", "testnet"])
async def test_with_half_of_supabase_the_missing_half_is_named(config, said, monkeypatch, mode):
    monkeypatch.delenv("SUPABASE_SECRET_KEY", raising=False)
    monkeypatch.setenv("SUPABASE_URL", "https://example.supabase.co")
    config.write_text(f"mode: {mode}\n{PAIRS}")
    _, _, err = await said(check_database, DbOptions(config))

    assert len(err.splitlines()) == 1
    line = json.loads(err)
    assert "SUPABASE_SECRET_KEY" in line["why"]
    assert "docs/supabase.md" in line["do"]


async def test_everything_is_exported_as_csv_and_nothing_is_written_twice(
    config, journal, said, tmp_path
):
    from bot4.wiring.files import archive_file, journal_file
    from bot4.wiring.retention import AT_ONCE, Retention

    class Later(RealWorld):
        def wall_ms(self):
            return super().wall_ms() + 30 * 86_400_000

    loaded = load_config(config)
    retention = Retention(loaded, Later(), journal, lambda: 10**9, lambda: False)
    with structlog.testing.capture_logs():
        assert await retention.turn() == AT_ONCE
    assert archive_file(loaded).exists()
    journal.close()
    opened = open_journal(RealWorld(), journal_file(loaded), mode="simulation", identity={})
    opened.append(Story("y-1", pair="ETH", fee=Decimal("0.12345678901")).whole(), durable=False)
    opened.close()
    code, out, _ = await said(export, ExportOptions(config, tmp_path / "out"))

    trades_file, fills_file = (tmp_path / "out" / name for name in ("trades.csv", "fills.csv"))
    found = list(csv.DictReader(trades_file.open()))
    fills = list(csv.DictReader(fills_file.open()))
    assert (code, out) == (
        0,
        [f"{tmp_path / 'out'}: 26 trades in trades.csv, 106 fills in fills.csv"],
    )
    assert len({row["trade_id"] for row in found}) == 26
    assert sum(Decimal(row["net_usdc"]) for row in found) == Decimal("3.25") + Decimal("0.5")
    assert len({(row["venue"], row["fill_id"]) for row in fills}) == len(fills) == 26 * 4 + 2
    assert {row["fee"] for row in fills if row["trade_id"] == "y-1"} == {"0.12345678901"}
    assert fills[0]["at"] == "2026-11-18T11:06:40.123+00:00"
    assert trades_file.stat().st_mode & 0o077 == 0

    assert (await said(export, ExportOptions(config, tmp_path / "out")))[1] == out


async def test_a_folder_that_cannot_be_written_is_named(config, journal, said, tmp_path):
    journal.close()
    (tmp_path / "file").write_text("")
    code, _, err = await said(export, ExportOptions(config, tmp_path / "file" / "out"))

    assert code == ExitCode.REFUSED
    assert "cannot be written" in json.loads(err)["why"]
