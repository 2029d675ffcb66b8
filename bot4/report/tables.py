"""Trades, totals and holdings as lines: a table for the eye, CSV and JSON for programs."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from bot4.domain.units import plain
from bot4.report.account import Account, Totals, moment
from bot4.report.holding import Holding

TRADE: Final = (
    "closed_at",
    "trade_id",
    "pair",
    "direction",
    "outcome",
    "size",
    "target_percent",
    "detected_percent",
    "entry_percent",
    "exit_percent",
    "entry_slippage_bps",
    "exit_slippage_bps",
    "gross_usdc",
    "fees_usdc",
    "funding_usdc",
    "net_usdc",
    "mended",
    "naked_usd_s",
    "naked_s",
)
LATENCY: Final = (
    "decide_ms",
    "sign_ms",
    "journal_ms",
    "first_byte_ms",
    "send_ms",
    "answer_ms",
    "detected_to_sent_ms",
    "sent_to_filled_ms",
)
TOTALS: Final = (
    "name",
    "trades",
    "closed",
    "won",
    "gross_usdc",
    "fees_usdc",
    "funding_usdc",
    "net_usdc",
)
FIGURES: Final = (
    "value_usdc",
    "if_closed_usdc",
    "exit_spread_percent",
    "exit_target_percent",
    "funding_usdc",
    "liquidation_venue",
    "liquidation_percent",
    "prices_age_s",
)
"""Of an open trade: what the bot or the venues know and the journal does not."""
NOTHING: Final = "-"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet runs. Source: OWASP, CSV injection."""
NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)
INDENT: Final = 4
"""Of what a narrow screen makes a second line of."""


def trade_record(one: Account) -> dict[str, Any]:
    """Return a trade's account by name; numbers as plain text, absent ones as None."""
    return {
        "closed_at": one.closed_at.isoformat(timespec="milliseconds"),
        "trade_id": one.trade_id,
        "pair": one.pair,
        "direction": one.direction,
        "outcome": one.outcome,
        "size": plain(one.size),
        "target_percent": _text(one.target_percent),
        "detected_percent": _text(one.detected_percent),
        "entry_percent": _text(one.entry_percent),
        "exit_percent": _text(one.exit_percent),
        "entry_slippage_bps": _text(one.entry_slippage_bps),
        "exit_slippage_bps": _text(one.exit_slippage_bps),
        "gross_usdc": plain(one.gross),
        "fees_usdc": plain(one.fees),
        "funding_usdc": _text(one.funding),
        "net_usdc": plain(one.net),
        "mended": one.mended,
        "naked_usd_s": plain(one.naked_usd_s),
        "naked_s": plain(one.naked_s),
        **{stage: one.latency_ms.get(stage) for stage in LATENCY},
    }


def totals_record(one: Totals) -> dict[str, Any]:
    """Return totals by name; money as plain text."""
    return {
        "name": one.name,
        "trades": one.trades,
        "closed": one.closed,
        "won": one.won,
        "missed": one.missed,
        "gross_usdc": plain(one.gross),
        "fees_usdc": plain(one.fees),
        "funding_usdc": plain(one.funding),
        "net_usdc": plain(one.net),
    }


def holding_record(one: Holding, figures: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return what a trade holds, by name; what is not known is None.

    Args:
        one: as the journal tells it.
        figures: what it is worth, from the bot or the venues; empty when neither was asked.
        source: of the figures: bot, venues or journal.
    """
    return {
        "trade_id": one.trade_id,
        "pair": one.pair,
        "state": one.state.value,
        "source": source,
        "unhedged": figures.get("unhedged", _text(one.unhedged)),
        **{name: figures.get(name) for name in FIGURES},
        "legs": [
            {
                "venue": half.venue,
                "market": half.market,
                "held": plain(half.held),
                "price": _text(half.price),
            }
            for half in one.halves
        ],
        "detected_percent": plain(one.detected_percent),
        "opened_at": moment(one.opened_ms).isoformat(timespec="milliseconds"),
        "in_doubt": list(one.doubts),
    }


def json_lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One JSON object a line."""
    return (json.dumps(record) for record in records)


def csv_lines(records: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """A line of names, then a line a record; what is absent is empty."""
    for row in (columns, *([record[name] for name in columns] for record in records)):
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(map(_cell, row))
        yield text.getvalue()


def trade_table(accounts: Iterable[Account], width: int | None = None) -> list[str]:
    """Return trades for the eye, in lines of a screen's width if it has one."""
    head = ("closed (UTC)", "pair", "direction", "outcome", "size", "seen %", "entry %", "exit %")
    more = ("slip bps", "fees", "funding", "net USDC", "naked s", "sent ms", "filled ms")
    rows = [
        (
            f"{one.closed_at:%Y-%m-%d %H:%M:%S}",
            one.pair,
            one.direction,
            one.outcome + ("*" if one.mended else ""),
            plain(one.size),
            _places(one.detected_percent, 3),
            _places(one.entry_percent, 3),
            _places(one.exit_percent, 3),
            f"{_places(one.entry_slippage_bps, 1)}/{_places(one.exit_slippage_bps, 1)}",
            _places(one.fees, 4),
            _places(one.funding, 4),
            _places(one.net, 4),
            _places(one.naked_s, 2),
            _stage(one, "detected_to_sent_ms"),
            _stage(one, "sent_to_filled_ms"),
        )
        for one in accounts
    ]
    return _table((*head, *more), rows, left=4, width=width)


def totals_table(totals: Iterable[Totals], by: str, width: int | None = None) -> list[str]:
    """Return totals for the eye, as ``trade_table``."""
    head = (by, "trades", "closed", "won", "missed", "gross", "fees", "funding", "net USDC")
    rows = [
        (
            one.name,
            str(one.trades),
            str(one.closed),
            str(one.won),
            str(one.missed),
            _places(one.gross, 4),
            _places(one.fees, 4),
            _places(one.funding, 4),
            _places(one.net, 4),
        )
        for one in totals
    ]
    return _table(head, rows, left=1, width=width)


def holding_table(
    records: Iterable[Mapping[str, Any]], now_ms: float, width: int | None = None
) -> list[str]:
    """Return what is held, for the eye, as ``trade_table``: records of ``holding_record``."""
    head = ("pair", "state", "bought", "sold", "unhedged", "value USDC", "if closed")
    more = ("exit %", "target %", "funding", "to liquidation", "age")
    rows = []
    for one in records:
        long, short = one["legs"]
        age_s = now_ms / 1000 - datetime.fromisoformat(one["opened_at"]).timestamp()
        near = one["liquidation_percent"]
        rows.append(
            (
                one["pair"],
                one["state"],
                f"{long['held']} {long['venue']}",
                f"{short['held']} {short['venue']}",
                "not known" if one["unhedged"] is None else one["unhedged"],
                one["value_usdc"] or NOTHING,
                one["if_closed_usdc"] or NOTHING,
                one["exit_spread_percent"] or NOTHING,
                one["exit_target_percent"] or NOTHING,
                one["funding_usdc"] or NOTHING,
                f"{near}% {one['liquidation_venue']}" if near else NOTHING,
                _age(age_s),
            )
        )
    return _table((*head, *more), rows, left=2, width=width)


def _age(seconds: float) -> str:
    minutes = int(max(seconds, 0) // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes else f"{max(seconds, 0):.0f} s"


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int, width: int | None
) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    parts = _parts(widths, width)
    return [
        " " * (INDENT if start else 0)
        + "  ".join(
            row[number].ljust(widths[number])
            if number < left
            else row[number].rjust(widths[number])
            for number in range(start, end)
        ).rstrip()
        for row in (head, *rows)
        for start, end in parts
    ]


def _parts(widths: Sequence[int], width: int | None) -> list[tuple[int, int]]:
    """Return which columns share a line: all where they fit, else as many as do."""
    starts, used = [0], 0
    for number, wide in enumerate(widths):
        if width is not None and used and used + wide > width:
            starts.append(number)
            used = INDENT
        used += wide + 2
    return list(zip(starts, [*starts[1:], len(widths)], strict=True))


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, str) and value.startswith(FORMULA) and not NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _stage(one: Account, name: str) -> str:
    value = one.latency_ms.get(name)
    return NOTHING if value is None else f"{float(value):.1f}"


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _places(number: Decimal | None, places: int) -> str:
    return NOTHING if number is None else f"{number:z.{places}f}"
