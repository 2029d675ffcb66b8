"""The commands about what was traded, and about the database: each prints its answer."""

from __future__ import annotations

from typing import Final

from bot4.cli.looking import look
from bot4.cli.output import folded, show, width
from bot4.config.load import load_config
from bot4.config.options import (
    DbOptions,
    ExportOptions,
    PnlOptions,
    PositionsOptions,
    TradesOptions,
    VacuumOptions,
)
from bot4.config.schema import Config, Mode
from bot4.errors import ExitCode
from bot4.signals import Signals

SHOWN: Final = 20
"""Trades on a screen when nothing says how many."""


async def positions(options: PositionsOptions, signals: Signals) -> int:
    """Print what every open trade holds."""

    async def work() -> int:
        from bot4.report.tables import holding_record, holding_table, json_lines
        from bot4.wiring.positions import JOURNAL, find_held

        held = await find_held(load_config(options.config, live_flag=True), options)
        records = [
            holding_record(one, held.figures.get(one.trade_id, {}), held.source)
            for one in held.holdings
        ]
        if options.as_json:
            await show(json_lines(records))
        else:
            nothing = "no trade is open" if held.source == JOURNAL else "no trade holds anything"
            await show(holding_table(records, held.now_ms, width()) if records else [nothing])
            await show(folded(held.remarks, width()))
        return ExitCode.CLEAN if held.complete else ExitCode.LEFT_OPEN

    return await look(work, signals)


async def trades(options: TradesOptions, signals: Signals) -> int:
    """Print the account of every finished trade."""

    async def work() -> int:
        from bot4.report.tables import (
            LATENCY,
            TRADE,
            csv_lines,
            json_lines,
            trade_record,
            trade_table,
        )
        from bot4.wiring.history import Source

        config = load_config(options.config, live_flag=True)
        source = Source(config)
        for_program = options.as_csv or options.as_json
        newest = None if for_program or options.since else SHOWN
        since_ms = source.since_ms(options.since)
        found = await source.trades(since_ms, options.pair, newest)
        if options.as_csv:
            await show(csv_lines(map(trade_record, found), (*TRADE, *LATENCY)))
        elif options.as_json:
            await show(json_lines(map(trade_record, found)))
        else:
            await show(_remarks(config))
            await show(trade_table(found, width()) if found else ["no trade has ended"])
            if newest is not None and len(found) == newest:
                await show([f"the last {newest}; --since 7d or --csv show more"])
        return ExitCode.CLEAN

    return await look(work, signals)


async def pnl(options: PnlOptions, signals: Signals) -> int:
    """Print what was earned, by day, pair or direction."""

    async def work() -> int:
        from bot4.report.account import add_up
        from bot4.report.tables import (
            TOTALS,
            csv_lines,
            json_lines,
            totals_record,
            totals_table,
        )
        from bot4.wiring.history import Source

        config = load_config(options.config, live_flag=True)
        source = Source(config)
        since_ms = source.since_ms(options.since)
        found = add_up(await source.days(since_ms, options.pair), options.by)
        if options.as_csv:
            await show(csv_lines(map(totals_record, found), TOTALS))
        elif options.as_json:
            await show(json_lines(map(totals_record, found)))
        else:
            await show(_remarks(config))
            await show(totals_table(found, options.by, width()))
        return ExitCode.CLEAN

    return await look(work, signals)


async def check(options: DbOptions, signals: Signals) -> int:
    """Print what Supabase lacks, and the SQL that mends it."""

    async def work() -> int:
        from bot4.wiring.supabase import check as check_supabase

        config = load_config(options.config, live_flag=True)
        found = await check_supabase(config, options.config.parent)
        if not found.faults:
            await show(["Supabase has everything that this bot4 needs"])
            return ExitCode.CLEAN
        await show(f"-- {fault}" for fault in found.faults)
        await show(["-- run what follows in the SQL editor of the project, then check again", ""])
        await show(found.sql.split("\n"))
        return ExitCode.CONFIG

    return await look(work, signals)


async def vacuum(options: VacuumOptions, signals: Signals) -> int:
    """Move old trades out of the journal."""

    async def work() -> int:
        from bot4.wiring.vacuum import vacuum as vacuum_journal

        config = load_config(options.config, live_flag=True)
        done = vacuum_journal(config, options.keep_days)
        moved = (
            f"{done.trades} trades moved to history.db; the journal has {done.rows_after} rows "
            f"instead of {done.rows_before}, {_size(done.bytes_after)} instead of "
            f"{_size(done.bytes_before)}"
        )
        await show([moved])
        return ExitCode.CLEAN

    return await look(work, signals)


async def export(options: ExportOptions, signals: Signals) -> int:
    """Write trades and fills into a folder."""

    async def work() -> int:
        from bot4.wiring.export import FILLS, TRADES
        from bot4.wiring.export import export as export_history

        config = load_config(options.config, live_flag=True)
        done = await export_history(config, options.to)
        told = f"{done.folder}: {done.trades} trades in {TRADES}, {done.fills} fills in {FILLS}"
        await show([told])
        return ExitCode.CLEAN

    return await look(work, signals)


async def release(options: DbOptions, signals: Signals) -> int:
    """Give the account back for a machine that is gone."""

    async def work() -> int:
        from bot4.wiring.supabase import release as release_account

        config = load_config(options.config, live_flag=True)
        held = await release_account(config, options.config.parent)
        if held is None:
            told = "nobody holds this account"
        else:
            told = f"{held.holder} no longer holds this account (last heard of {held.renewed_at})"
        await show([told])
        return ExitCode.CLEAN

    return await look(work, signals)


def _remarks(config: Config) -> list[str]:
    """Return what a person has to know before believing a sum of money."""
    play_money = config.mode is Mode.SIMULATION and config.simulation.profile == "demo"
    return ["profile demo: its money means nothing"] if play_money else []


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB"
