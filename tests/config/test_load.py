from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.config import rules
from bot4.config.load import SECTIONS, VENUES, load_config, read_config
from bot4.config.schema import (
    Config,
    Durability,
    Mode,
    OnStop,
    PairConfig,
    ParadexConfig,
    StrategyConfig,
    VestConfig,
)
from bot4.errors import ConfigError

Write = Callable[..., Path]


def faults_of(path: Path, *, live_flag: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, live_flag=live_flag)
    return caught.value.faults


def test_the_shipped_file_is_usable_and_says_the_defaults(root: Path):
    loaded = read_config(root / "bot4.yaml")

    btc = PairConfig(
        "BTC", "BTC-PERP", "BTC-USD-PERP", Decimal("0.20"), Decimal("-0.03"), Decimal(300)
    )
    assert loaded.config == Config(Mode.SIMULATION, root / "state" / "simulation", (btc,))
    assert loaded.warnings == ()


def test_the_second_pair_of_the_shipped_file_works_when_its_comment_signs_are_removed(
    root: Path, tmp_path: Path
):
    before, _, after = (root / "bot4.yaml").read_text().partition("  # - name: ETH\n")
    lines = after.splitlines(keepends=True)
    commented = [line for line in lines[:4] if line.startswith("  #   ")]
    text = before + "  - name: ETH\n" + "".join(line.replace("# ", "", 1) for line in commented)
    path = tmp_path / "bot4.yaml"
    path.write_text(text + "".join(lines[4:]))

    pairs = load_config(path).pairs

    assert [(pair.name, pair.spread_entry, pair.notional) for pair in pairs] == [
        ("BTC", Decimal("0.20"), Decimal(300)),
        ("ETH", Decimal("0.25"), Decimal(200)),
    ]


@pytest.mark.parametrize("name", [*SECTIONS, *VENUES])
def test_every_field_of_the_schema_has_a_rule_and_its_default_obeys_it(name: str):
    kind, fields = {**SECTIONS, **VENUES}[name]
    defaults = {field.name: field.default for field in attrs.fields(kind)}
    rungs = defaults.pop("unwind_rungs_bps", (5,))

    assert set(defaults) == set(fields)
    for field, rule in fields.items():
        text = str(defaults[field]).lower() if isinstance(defaults[field], bool) else None
        assert rule.read(text or str(defaults[field])) == defaults[field]
    assert [rules.RUNG.read(str(rung)) for rung in rungs] == list(rungs)


def test_a_pair_takes_the_common_thresholds_unless_it_has_its_own(write: Write):
    pairs = (
        "pairs:\n"
        "  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
        "  - {name: ETH, vest: ETH-PERP, paradex: ETH-USD-PERP, spread_entry: 0.4, notional: 50}\n"
    )
    path = write("strategy: {spread_entry: 0.30}\nrisk: {notional: 100}\n", pairs=pairs)

    btc, eth = load_config(path).pairs

    assert (btc.spread_entry, btc.notional) == (Decimal("0.30"), Decimal(100))
    assert (eth.spread_entry, eth.spread_exit, eth.notional) == (
        Decimal("0.4"),
        Decimal("-0.03"),
        Decimal(50),
    )


def test_values_of_every_kind_are_read(write: Write):
    path = write(
        "state_dir: elsewhere/x\n"
        "execution:\n  unwind_rungs_bps: [1, 2]\n  on_stop: flatten\n  durability: 'process'\n"
        "venues:\n  vest: {too_many_is_definite: true, premium_in: both}\n"
        "  paradex:\n    book_encoding: json\n"
        "simulation:\n"
    )

    config = load_config(path)

    assert config.state_dir == path.parent / "elsewhere/x/simulation"
    assert config.execution.unwind_rungs_bps == (1, 2)
    assert config.execution.on_stop is OnStop.FLATTEN
    assert config.execution.durability is Durability.PROCESS
    assert config.vest.too_many_is_definite is True
    assert (config.vest.premium_in, config.paradex.book_encoding) == ("both", "json")


def test_all_faults_are_said_at_once_in_the_order_of_the_file(write: Write):
    path = write(
        "strategy:\n"
        "  spread_entry: abc\n"
        "  spred: 0xsecret\n"
        "risk:\n"
        "  notional: -5\n"
        "quote_rate: {rate: 2}\n"
    )

    assert faults_of(path) == (
        'bot4.yaml:5: strategy.spread_entry: is "abc", must be a percentage like 0.20',
        "bot4.yaml:6: strategy.spred: is not a setting: did you mean max_spread or spread_exit?",
        'bot4.yaml:8: risk.notional: is "-5", must be an amount in USDC from 1 to 1000000',
        'bot4.yaml:9: quote_rate.rate: is "2", must be USD per USDC from 0.90 to 1.10',
    )


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


PAIRINGS = [
    ("", "pairs: is missing"),
    ("pairs:\n", "pairs: must be a list"),
    ("pairs: BTC\n", "pairs: must be a list"),
    ("pairs: []\n", "from 1 to 50 pairs"),
    ("pairs: [BTC]\n", "pairs[1]: must have the lines name, vest and paradex"),
    ("pairs:\n  - {name: BTC, vest: BTC-PERP}\n", "pairs[1].paradex: is missing"),
    (
        "pairs:\n  - {name: B, vest: BTC-PERP, paradex: ETH-USD-PERP}\n",
        "BTC and ETH are not the same coin",
    ),
    (
        "pairs:\n  - {name: B, vest: kBONK-PERP, paradex: BONK-USD-PERP}\n",
        "kBONK and BONK are not the same coin",
    ),
    # A Cyrillic letter that looks like B.
    ("pairs:\n  - {name: B, vest: \u0412TC-PERP, paradex: BTC-USD-PERP}\n", "a market of Vest"),
    ("pairs:\n  - {name: B, vest: BTC-PERP, paradex: BTC-PERP}\n", "a market of Paradex"),
    ("pairs:\n  - {name: 'a/b', vest: BTC-PERP, paradex: BTC-USD-PERP}\n", "a short name"),
    (
        "pairs:\n  - {name: B, vest: BTC-PERP, paradex: BTC-USD-PERP, size: 1}\n",
        "pairs[1].size: is not a setting",
    ),
    (
        "pairs:\n  - {name: B, vest: BTC-PERP, paradex: BTC-USD-PERP, notional: 9000}\n",
        "pairs[1].notional: is 9000, must not exceed max_notional_total",
    ),
    (
        "pairs:\n  - {name: B, vest: BTC-PERP, paradex: BTC-USD-PERP, spread_entry: 0.1}\n",
        "pairs[1].spread_entry: a round trip cannot pay",
    ),
]


@pytest.mark.parametrize(("pairs", "said"), PAIRINGS, ids=[said for _, said in PAIRINGS])
def test_pairs_are_judged(write: Write, pairs: str, said: str):
    assert said in "\n".join(faults_of(write(pairs=pairs)))


def test_one_name_or_market_belongs_to_one_pair(write: Write):
    pairs = (
        "pairs:\n"
        "  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
        "  - {name: btc, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
    )

    faults = faults_of(write(pairs=pairs))

    assert [fault.split(": ")[1] for fault in faults] == [
        "pairs[2].name",
        "pairs[2].paradex",
        "pairs[2].vest",
    ]


MODES = [
    ("", "mode: is missing"),
    ("paper", "paper does not exist yet"),
    ("observe", "observe does not exist yet"),
    ("Live", 'is "Live", must be simulation or testnet or live'),
    ("[live]", "must be simulation or testnet or live"),
    ("live", "real money also needs --live"),
]


@pytest.mark.parametrize(("mode", "said"), MODES)
def test_only_existing_modes_are_accepted_and_live_needs_both_words(
    write: Write, mode: str, said: str
):
    (fault,) = faults_of(write(mode=mode))

    assert said in fault


def test_live_with_both_words_is_production(write: Write):
    config = load_config(write(mode="live"), live_flag=True)

    assert (config.mode, config.vest, config.paradex) == (Mode.LIVE, VestConfig(), ParadexConfig())
    assert config.state_dir.name == "live"


def test_testnet_swaps_addresses_contract_and_chain(write: Write):
    config = load_config(write("venues: {vest: {signer_days: 3}}", mode="testnet"))

    assert config.vest.rest_url == "https://server-dev.hz.vestmarkets.com/v2"
    assert config.vest.ws_url == "wss://ws-dev.hz.vestmarkets.com/ws-api?version=1.0"
    assert config.vest.verifying_contract == "0x8E4D87AEf4AC4D5415C35A12319013e34223825B"
    assert config.vest.signer_days == 3
    assert config.paradex.rest_url == "https://api.testnet.paradex.trade/v1"
    assert config.paradex.ws_url == "wss://ws.api.testnet.paradex.trade/v1"
    assert config.paradex.chain_id == "PRIVATE_SN_POTC_SEPOLIA"


FOREIGN = [
    ("live", "vest: {rest_url: 'https://server-dev.hz.vestmarkets.com/v2'}", "not of mode live"),
    ("live", "vest: {rest_url: 'https://evil.example'}", "must end with .vestmarkets.com"),
    ("live", "vest: {rest_url: 'https://evilvestmarkets.com'}", "must end with"),
    ("live", "vest: {rest_url: 'https://127.0.0.1'}", "must end with"),
    ("testnet", "paradex: {ws_url: 'wss://ws.api.prod.paradex.trade/v1'}", "not of mode testnet"),
    (
        "live",
        "vest: {verifying_contract: '0x8E4D87AEf4AC4D5415C35A12319013e34223825B'}",
        "not the contract of mode live",
    ),
    ("testnet", "paradex: {chain_id: PRIVATE_SN_PARACLEAR_MAINNET}", "not a chain of mode testnet"),
    ("live", "paradex: {chain_id: PRIVATE_SN_POTC_SEPOLIA}", "not a chain of mode live"),
]


@pytest.mark.parametrize(("mode", "venue", "said"), FOREIGN)
def test_networks_never_mix(write: Write, mode: str, venue: str, said: str):
    (fault,) = faults_of(write(f"venues: {{{venue}}}", mode=mode), live_flag=True)

    assert said in fault


def test_testnet_may_point_at_this_machine(write: Write):
    path = write("venues: {vest: {rest_url: 'https://127.0.0.1:8443/v2/'}}", mode="testnet")

    assert load_config(path).vest.rest_url == "https://127.0.0.1:8443/v2"


WARNED = [
    ("strategy: {spread_exit: 0.05}", "strategy.spread_exit: is above 0"),
    ("strategy: {confirm_ms: 200}", "strategy.confirm_ms: is 200"),
    ("risk: {max_notional_total: 300, daily_loss: 2000}", "risk.daily_loss: is more than capital"),
    ("quote_rate: {rate: 0.99}", "quote_rate.rate: is 0.99: nothing opens outside"),
]


@pytest.mark.parametrize(("text", "said"), WARNED)
def test_what_is_allowed_and_odd_is_a_warning(write: Write, text: str, said: str):
    (warning,) = read_config(write(text)).warnings

    assert warning.startswith(f"bot4.yaml:4: {said}")


def test_pairs_that_cannot_all_be_open_are_a_warning(write: Write):
    pairs = (
        "pairs:\n  - {name: A, vest: A-PERP, paradex: A-USD-PERP}\n"
        "  - {name: B, vest: B-PERP, paradex: B-USD-PERP}\n"
    )

    (warning,) = read_config(write("risk: {max_notional_total: 500}", pairs=pairs)).warnings

    assert "cannot all be open at once" in warning


BROKEN = [
    (b"", "is empty"),
    (b"# only a comment\n", "must be a list of settings"),
    (b"- a\n- b\n", "must be a list of settings"),
    (b"mode\n", "must be a list of settings"),
    (b"mode: simulation\n\tpairs: x\n", "bot4.yaml:2: has a tab"),
    (b"mode: 'simulation\n", "cannot be read"),
    (b"mode: simulation\n bad: : x\n", "cannot be read"),
    (b"mode: \x00\n", "characters that no text file has"),
    (b"a: 1\nmode: \xff\n", "bot4.yaml:2: is not UTF-8"),
    (b"mode: &a simulation\n", "bot4.yaml:1: uses an anchor"),
    (b"mode: simulation\nstrategy: &a {}\nrisk: *a\n", "uses an anchor"),
    (b"risk: *a\n", "uses an alias"),
    (b"mode: !!python/object/apply:os.system [id]\n", "uses a tag"),
    (b"mode: !secret x\n", "uses a tag"),
    (b"mode: simulation\n---\nmode: live\n", "has a second document"),
    (b"[a]: 1\n", "has a key that is not a plain word"),
    (b"? {a: b}\n: 1\n", "has a key that is not a plain word"),
    (b"a: " + b"[" * 10_000, "is nested too deeply"),
    (b"#" * (1024 * 1024 + 1), "is larger than 1 MiB"),
]


@pytest.mark.parametrize(("raw", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_a_text_that_is_no_config_is_one_clear_line(tmp_path: Path, raw: bytes, said: str):
    path = tmp_path / "bot4.yaml"
    path.write_bytes(raw)

    (fault,) = faults_of(path)

    assert said in fault
    assert "\n" not in fault


def test_a_byte_order_mark_and_windows_line_ends_are_fine(write: Write):
    path = write("strategy: {spread_entry: 0.3}")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert load_config(path).strategy.spread_entry == Decimal("0.3")


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path):
    fifo, loop = tmp_path / "fifo", tmp_path / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)

    assert "does not exist in" in faults_of(tmp_path / "bot4.yaml")[0]
    assert "is a folder" in faults_of(tmp_path)[0]
    assert "is not an ordinary file" in faults_of(fifo)[0]
    assert "cannot be read" in faults_of(loop)[0]
    assert "cannot be read" in faults_of(tmp_path / "a\0b")[0]


KEY = "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"


@pytest.mark.parametrize(
    "text",
    [
        f"private_key: {KEY}",
        f"strategy: {{spread_entry: {KEY}}}",
        f"{KEY}: 1",
        f"strategy: {{{KEY}: 1, '{KEY}': 2}}",
        f"venues: {{vest: {{verifying_contract: {KEY}}}}}",
        f"mode2: {KEY}\n{KEY}",
    ],
)
def test_a_key_pasted_anywhere_is_not_repeated(write: Write, text: str):
    said = "\n".join(faults_of(write(text)))

    assert KEY[2:14] not in said
    assert KEY[-12:] not in said


@given(
    st.recursive(
        st.text(max_size=20) | st.sampled_from([*SECTIONS, *VENUES, "venues", "pairs", "mode"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*SECTIONS, *VENUES, "venues", "pairs", "mode", "name", "x"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_any_tree_is_either_usable_or_refused_in_lines(tmp_path_factory, tree: object):
    import yaml

    path = tmp_path_factory.mktemp("any") / "bot4.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8", "surrogatepass")

    for fault in faults_of(path):
        assert fault.startswith("bot4.yaml")
        assert fault.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_lines(tmp_path_factory, raw: bytes):
    path = tmp_path_factory.mktemp("any") / "bot4.yaml"
    path.write_bytes(raw)

    for fault in faults_of(path):
        assert fault.startswith("bot4.yaml")
        assert fault.isprintable()


@given(st.text(alphabet="0123456789.+-eE_,%nNaAiIfFxXoO ", max_size=12))
def test_a_number_is_only_what_reads_the_same_everywhere(text: str):
    rule = rules.STRATEGY["spread_exit"]
    try:
        value = rule.read(text)
    except ValueError:
        return
    assert value == Decimal(text)
    assert float(text) == float(value)
    assert str(StrategyConfig(spread_exit=value).spread_exit) == text.removeprefix("+")
