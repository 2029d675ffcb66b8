from __future__ import annotations

import csv
import json

import pytest
from localsupabase.story import Story

from bot4.report.account import add_up, merged
from bot4.report.holding import holdings_of
from bot4.report.tables import (
    LATENCY,
    TOTALS,
    TRADE,
    csv_lines,
    holding_record,
    holding_table,
    json_lines,
    totals_record,
    totals_table,
    trade_record,
    trade_table,
)


def test_csv_reads_back_as_the_same_numbers(account):
    one = account(net_usdc="0.1234567890123", pair="BTC")
    rows = list(csv.DictReader(csv_lines([trade_record(one)], (*TRADE, *LATENCY))))

    assert rows[0]["net_usdc"] == "0.1234567890123"
    assert rows[0]["funding_usdc"] == ""
    assert rows[0]["detected_to_sent_ms"] == "14.05"
    assert rows[0]["closed_at"] == "2026-11-18T11:23:20.123+00:00"


@pytest.mark.parametrize(
    "text", ["=HYPERLINK(1)", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "-", "+"]
)
def test_no_cell_is_a_formula_to_a_spreadsheet(account, text):
    rows = list(csv.DictReader(csv_lines([trade_record(account(pair=text))], TRADE)))

    assert rows[0]["pair"] == f"'{text}"


@pytest.mark.parametrize("number", ["-0.5", "-12", "3.25", "-0.0000001"])
def test_a_number_below_zero_stays_a_number(account, number):
    rows = list(csv.DictReader(csv_lines([trade_record(account(net_usdc=number))], TRADE)))

    assert rows[0]["net_usdc"] == number


def test_json_holds_money_as_text(account):
    (line,) = json_lines([trade_record(account())])

    assert json.loads(line)["net_usdc"] == "0.526904"
    assert json.loads(line)["funding_usdc"] is None


def test_a_screen_shows_columns_that_line_up(account):
    head, *rows = trade_table([account(), account("a-2", pair="LONGNAME", mended=True)])

    assert head.startswith("closed (UTC)")
    assert "closed*" in rows[1]
    assert {row.index("vest>paradex") for row in rows} == {head.index("direction")}


def test_totals_end_with_all_of_it(day):
    totals = add_up(merged([day(), day("a-2", net_usdc="-1")]), "pair")

    assert totals_table(totals, "pair")[-1].split()[0] == "total"
    assert [row["net_usdc"] for row in map(totals_record, totals)] == ["-0.473096"] * 2
    assert next(csv_lines([], TOTALS)) == ",".join(TOTALS)


def test_an_open_trade_says_what_it_holds_and_what_is_in_doubt():
    whole, halfway = Story("a-1"), Story("a-2", pair="ETH", long="paradex")
    over = Story("a-3").whole()

    first, second = holdings_of([*whole.opening(), *over, *halfway.opening()[:3]])

    told = [holding_record(one, {}, "journal") for one in (first, second)]
    assert [one["unhedged"] for one in told] == ["0", None]
    assert told[0]["legs"] == [
        {"venue": "vest", "market": "BTC-PERP", "held": "0.0036", "price": "83000.5"},
        {"venue": "paradex", "market": "BTC-USD-PERP", "held": "-0.0036", "price": "83000.5"},
    ]
    assert first.doubts == ()
    assert len(second.doubts) == 2
    now_ms = 1_795_000_000_000 + 7_500_000
    table = holding_table(told, now_ms)
    assert "unhedged" in table[0]
    assert "opening" in table[2]
    assert "not known" in table[2]
