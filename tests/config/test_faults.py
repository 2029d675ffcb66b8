from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot4.config.load import load_config
from bot4.errors import ConfigError

Write = Callable[..., Path]


def faults_of(path: Path, *, live_flag: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, live_flag=live_flag)
    return caught.value.faults


FAULTY = [
    # numbers that other readers would take, each in its own way
    ("strategy: {spread_entry: 1e-1}", "like 0.20, written out"),
    ("strategy: {confirm_ms: 1_000}", "like 600, digits only"),
    ("strategy: {confirm_ms: 0o10}", "a whole number of milliseconds"),
    ("strategy: {confirm_ms: 010}", "a whole number of milliseconds"),
    ("strategy: {confirm_ms: 600.0}", "a whole number of milliseconds"),
    ("strategy: {spread_entry: '0,20'}", "with a point instead of the comma"),
    ("strategy: {spread_entry: 0.20%}", "without the % sign"),
    ("strategy: {spread_entry: .nan}", "a percentage like"),
    ("strategy: {spread_entry: NaN}", "a percentage like"),
    ("strategy: {spread_entry: inf}", "a percentage like"),
    ("strategy: {spread_entry: .5}", "a percentage like"),
    ("strategy: {spread_entry: 1:30}", "a percentage like"),
    ("strategy: {spread_entry: \u0660.2}", "a percentage like"),
    ("strategy: {spread_entry: 99999999999999999999999999}", "a percentage like"),
    # out of range
    ("strategy: {spread_entry: 0}", "from 0.01 to 10"),
    ("strategy: {spread_entry: -0.2}", "from 0.01 to 10"),
    ("strategy: {spread_entry: 20}", "from 0.01 to 10"),
    ("execution: {mend_attempts: 0}", "from 1 to 10"),
    ("execution: {unwind_rungs_bps: [5, 5]}", "rising whole numbers"),
    ("execution: {unwind_rungs_bps: []}", "rising whole numbers"),
    ("execution: {unwind_rungs_bps: [x]}", "unwind_rungs_bps[1]: is"),
    ("execution: {unwind_rungs_bps: [[1]]}", "rising whole numbers"),
    ("execution: {unwind_rungs_bps: 5}", "rising whole numbers"),
    ("quote_rate: {rate: 0.89}", "from 0.90 to 1.10"),
    # words
    ("execution: {on_stop: NO}", 'is "NO", must be hold or flatten'),
    ("venues: {vest: {reduce_only: yes}}", "must be true or false"),
    ("venues: {paradex: {profile: auto}}", "must be pro or retail"),
    ("venues: {vest: {verifying_contract: 0x12}}", "0x and 40 digits"),
    ("quote_rate: {source: pyth}", "must be fixed"),
    # shapes
    ("strategy: 5", "must be a block of indented lines"),
    ("strategy: [1]", "must be a block of indented lines"),
    ("strategy: {spread_entry: [0.2]}", "must be one value"),
    ("strategy: {spread_entry: }", "has no value"),
    ("strategy: {spread_entry: 0.3, spread_entry: 0.4}", "written twice, first on line 4"),
    ("mode: testnet", "mode: is written twice, first on line 1"),
    ("state_dir: ''", "has no value"),
    ('state_dir: "a\\nb"', "the name of a folder"),
    # names
    ("stratgy: {}", "stratgy: is not a setting: did you mean strategy?"),
    ("spread_entry: 0.3", "it belongs under strategy"),
    ("vest: {}", "it belongs under venues"),
    ("venues: {vest: {profile: pro}}", "it belongs under"),
    ("venues: {binance: {}}", "venues.binance: is not a setting"),
    # addresses
    ("venues: {vest: {rest_url: 'http://server-prod.hz.vestmarkets.com'}}", "https://"),
    ("venues: {vest: {ws_url: 'ws://ws-prod.hz.vestmarkets.com'}}", "wss://"),
    ("venues: {paradex: {rest_url: 'ftp://a.paradex.trade'}}", "https://"),
    ("venues: {paradex: {rest_url: 'https://'}}", "https://"),
    ("venues: {paradex: {rest_url: 'https://a.paradex.trade:99999'}}", "https://"),
    ("venues: {paradex: {rest_url: 'https://x:y@a.paradex.trade'}}", "without user, password"),
    ("venues: {paradex: {rest_url: 'https://a.paradex.trade/é'}}", "https://"),
    # what contradicts itself
    ("strategy: {spread_exit: 0.25}", "must be below spread_entry"),
    ("strategy: {max_spread: 0.2}", "or nothing ever opens"),
    ("risk: {notional: 1600}", "must not exceed max_notional_total (1500)"),
    ("risk: {notional: 400, capital: 100}", "must not exceed capital x max_leverage (300)"),
    ("risk: {max_leverage: 11}", "must not exceed venue_leverage (10)"),
    ("execution: {mend_backoff_ms: 1500}", "must be below mend_within_ms (1500)"),
]


@pytest.mark.parametrize(("text", "said"), FAULTY, ids=[text for text, _ in FAULTY])
def test_one_fault_is_said_once_with_its_line(write: Write, text: str, said: str):
    (fault,) = faults_of(write(text))

    assert fault.startswith("bot4.yaml:4: ")
    assert said in fault


def test_a_round_trip_that_cannot_pay_is_refused_with_the_sum(write: Write):
    (fault,) = faults_of(write("strategy: {spread_entry: 0.15}"))

    assert fault == (
        "bot4.yaml:4: strategy.spread_entry: a round trip cannot pay: spread_entry 0.15 +"
        " spread_exit -0.03 = 0.12 %, but four taker fees 0.11 (pro) + min_profit 0.02 = 0.13 %:"
        " raise spread_entry to at least 0.16"
    )


def test_the_same_round_trip_pays_as_retail(write: Write):
    path = write("strategy: {spread_entry: 0.15}\nvenues: {paradex: {profile: retail}}")

    assert load_config(path).paradex.profile == "retail"


def test_a_fault_does_not_cause_others_about_the_same_value(write: Write):
    faults = faults_of(write("strategy: {spread_entry: 0.001, spread_exit: 4}"))

    assert len(faults) == 1
    assert "spread_entry" in faults[0]
