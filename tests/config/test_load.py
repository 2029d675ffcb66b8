from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from bot4.config import rules
from bot4.config.load import SECTIONS, VENUES, load_config, read_config
from bot4.config.schema import (
    Config,
    Durability,
    Mode,
    OnStop,
    PairConfig,
    ParadexConfig,
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


def test_a_tilde_is_the_home_of_whoever_starts_us(write: Write, monkeypatch: pytest.MonkeyPatch):
    path = write("state_dir: ~/bots/one\n")
    monkeypatch.setenv("HOME", str(path.parent / "home"))

    assert load_config(path).state_dir == path.parent / "home/bots/one/simulation"

    path.write_text(path.read_text().replace("~/", "~no-such-person/"))
    (fault,) = faults_of(path)
    assert "state_dir" in fault
    assert "write the whole path" in fault


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


PAIRINGS = [
    ("", "pairs: is missing"),
    ("pairs:\n", "pairs: must be a list"),
    ("pairs: BTC\n", "pairs: must be a list"),
    ("pairs: []\n", "from 1 to 50 pairs"),
    ("pairs: [BTC]\n", "pairs[1]: must have the lines name, vest and paradex"),
    ("pairs:\n  - {name: BTC, vest: BTC-PERP}\n", "pairs[1].paradex: is missing"),
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


@pytest.mark.parametrize(
    ("vest", "paradex"), [("BTC-PERP", "ETH-USD-PERP"), ("XBT-USD-PERP", "BTC-USD-PERP")]
)
def test_names_do_not_say_which_markets_are_of_one_coin(write: Write, vest: str, paradex: str):
    # The venues' lists do: see tests/domain/test_market and simulation/test_upkeep.
    config = load_config(
        write(pairs=f"pairs:\n  - {{name: B, vest: {vest}, paradex: {paradex}}}\n")
    )

    assert (config.pairs[0].vest, config.pairs[0].paradex) == (vest, paradex)


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
