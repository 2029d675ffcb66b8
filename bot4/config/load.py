"""bot4.yaml -> ``Config``, or every fault at once, each with its line and how to mend it."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

import attrs

from bot4.config import rules
from bot4.config.checks import check
from bot4.config.faults import Faults
from bot4.config.networks import network_defaults
from bot4.config.schema import (
    AgesConfig,
    Config,
    ExecutionConfig,
    GuardConfig,
    LogConfig,
    MirrorConfig,
    Mode,
    PairConfig,
    ParadexConfig,
    QuoteRateConfig,
    RiskConfig,
    SimulationConfig,
    StrategyConfig,
    VestConfig,
)
from bot4.config.sections import Reader
from bot4.config.tree import Items, Table, read_tree
from bot4.errors import ConfigError

SIZE_LIMIT: Final = 1024 * 1024
PAIRS_LIMIT: Final = 50

SECTIONS: Final = {
    "strategy": (StrategyConfig, rules.STRATEGY),
    "risk": (RiskConfig, rules.RISK),
    "execution": (ExecutionConfig, rules.EXECUTION),
    "ages": (AgesConfig, rules.AGES),
    "quote_rate": (QuoteRateConfig, rules.QUOTE_RATE),
    "simulation": (SimulationConfig, rules.SIMULATION),
    "mirror": (MirrorConfig, rules.MIRROR),
    "guard": (GuardConfig, rules.GUARD),
    "log": (LogConfig, rules.LOG),
}
VENUES: Final = {"vest": (VestConfig, rules.VEST), "paradex": (ParadexConfig, rules.PARADEX)}
TOP: Final = ("mode", "state_dir", "pairs", *SECTIONS, "venues")

NOT_YET: Final = {
    "paper": "does not exist yet; use simulation (simulated venues) or testnet",
    "observe": "does not exist yet; use simulation (simulated venues) or testnet",
}


@attrs.frozen
class Loaded:
    """A usable config, and what the operator should look at again, one line each."""

    config: Config
    warnings: tuple[str, ...]


def load_config(path: Path, *, live_flag: bool = False) -> Config:
    """Read and check bot4.yaml.

    Args:
        path: the file; a relative ``state_dir`` is taken from its folder.
        live_flag: whether ``--live`` stood on the command line.

    Raises:
        ConfigError: with one line per fault, all faults at once.
    """
    return read_config(path, live_flag=live_flag).config


def read_config(path: Path, *, live_flag: bool = False) -> Loaded:
    """Do the same and return the warnings too. Raises as ``load_config``."""
    faults = Faults(path.name)
    tree = read_tree(_read_text(path), faults)
    reader = Reader(faults, _places())
    reader.refuse_unknown(tree, "", TOP)

    mode = _read_mode(tree, faults, live_flag=live_flag)
    values: dict[str, Any] = {
        name: kind(**reader.section(tree, name, fields))
        for name, (kind, fields) in SECTIONS.items()
    }
    venues = reader.table(tree, "venues", VENUES)
    for name, (kind, fields) in VENUES.items():
        given = reader.section(venues, name, fields, inside="venues")
        values[name] = kind(**{**network_defaults(mode, name), **given})
    folder = reader.value(tree, "", "state_dir", rules.STATE_DIR, "state")
    state_dir = path.parent / _at_home(folder, faults) / mode
    pairs = _read_pairs(tree, reader, values["strategy"], values["risk"])

    config = Config(mode=mode, state_dir=state_dir, pairs=pairs, **values)
    check(config, faults)
    faults.raise_if_any()
    return Loaded(config, faults.render(faults.warnings))


def _at_home(folder: str, faults: Faults) -> Path:
    """Return a folder with ~ as the shell would put it."""
    try:
        return Path(folder).expanduser()
    except RuntimeError:
        faults.add("state_dir", "begins with ~ and there is no such home: write the whole path")
        return Path(folder)


def _read_text(path: Path) -> str:
    def refuse(what: str) -> ConfigError:
        return ConfigError([f"{path.name}: {what}"])

    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise refuse("is a folder: name the file, as in --config bot4.yaml")
        if not stat.S_ISREG(status.st_mode):
            raise refuse("is not an ordinary file")
        if status.st_size > SIZE_LIMIT:
            raise refuse("is larger than 1 MiB: this is not a bot4.yaml")
        raw = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent.resolve()
        raise refuse(f"does not exist in {folder}: go there, or use --config PATH") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not usable"
        raise refuse(f"cannot be read: {reason}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path.name}:{line}: is not UTF-8 text: save it as UTF-8"]) from None
    if not text.strip():
        raise refuse("is empty: begin from the bot4.yaml of the project")
    return text


def _read_mode(tree: Table, faults: Faults, *, live_flag: bool) -> Mode:
    """Return the mode, or simulation after noting why it cannot be used."""
    usable = " or ".join(Mode)
    node = tree.nodes.get("mode")
    if node is None:
        faults.add("mode", f"is missing: write mode: simulation, or {usable}", line=0)
        return Mode.SIMULATION
    word = Reader(faults).text(node, "mode", f"must be {usable}")
    if word is None:
        return Mode.SIMULATION
    if word in NOT_YET:
        faults.add("mode", f"{word} {NOT_YET[word]}")
        return Mode.SIMULATION
    if word not in set(Mode):
        Reader(faults).unfit("mode", word, f"must be {usable}")
        return Mode.SIMULATION
    if word == Mode.LIVE and not live_flag:
        faults.add("mode", "is live: real money also needs --live on the command line")
    return Mode(word)


def _read_pairs(
    tree: Table, reader: Reader, strategy: StrategyConfig, risk: RiskConfig
) -> tuple[PairConfig, ...]:
    faults = reader.faults
    must = "must be a list: a line - name: BTC, below it vest: BTC-PERP and paradex: BTC-USD-PERP"
    node = tree.nodes.get("pairs")
    if not isinstance(node, Items):
        faults.add("pairs", must if node else f"is missing: it {must}")
        return ()
    if not 1 <= len(node.nodes) <= PAIRS_LIMIT:
        faults.add("pairs", f"must have from 1 to {PAIRS_LIMIT} pairs")
        return ()
    own = {
        "spread_entry": rules.STRATEGY["spread_entry"],
        "spread_exit": rules.STRATEGY["spread_exit"],
        "notional": rules.RISK["notional"],
    }
    common: dict[str, Any] = {
        "spread_entry": strategy.spread_entry,
        "spread_exit": strategy.spread_exit,
        "notional": risk.notional,
    }
    pairs = []
    for number, item in enumerate(node.nodes, start=1):
        path = f"pairs[{number}]"
        faults.lines.setdefault(path, item.line)
        if not isinstance(item, Table):
            faults.add(path, "must have the lines name, vest and paradex")
            continue
        reader.refuse_unknown(item, path, (*rules.PAIR, *own))
        for field in rules.PAIR:
            if field not in item.nodes:
                faults.add(f"{path}.{field}", "is missing")
        given: dict[str, Any] = {
            field: reader.value(item, path, field, rule, common.get(field, ""))
            for field, rule in {**rules.PAIR, **own}.items()
        }
        pairs.append(PairConfig(**given))
    return tuple(pairs)


def _places() -> dict[str, str]:
    places = {field: name for name, (_, fields) in SECTIONS.items() for field in fields}
    venues = {field: f"venues.{name}" for name, (_, fields) in VENUES.items() for field in fields}
    return {**venues, **dict.fromkeys(VENUES, "venues"), **places}
