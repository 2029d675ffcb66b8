"""Reads the command line by a table: one row an option, one line for whatever is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from bot4 import invocation
from bot4.cli.values import (
    one_of,
    read_days,
    read_duration,
    read_name,
    read_path,
    read_positive,
    read_seed,
    read_since,
    read_variable,
)
from bot4.config.options import (
    DbOptions,
    DeriveOptions,
    DoctorOptions,
    ExportOptions,
    FlattenOptions,
    GuardOptions,
    PnlOptions,
    PositionsOptions,
    RunOptions,
    SimulateOptions,
    StatusOptions,
    TradesOptions,
    VacuumOptions,
)
from bot4.config.rules import LINKS, PROFILES


class Usage(Exception):
    """The command line cannot be understood. The text says why, in one line."""


@attrs.frozen
class Option:
    """One ``--name``; without ``read`` it is a flag."""

    name: str
    field: str
    help: str
    value: str = ""
    """What stands after it, for the help text."""
    read: Callable[[str], Any] | None = None


@attrs.frozen
class Command:
    """One word after ``bot4``."""

    help: str
    kind: Callable[..., Any]
    options: Sequence[Option] = ()


@attrs.frozen
class CheckOptions:
    """``bot4 check-config``."""

    config: Path = Path("bot4.yaml")


@attrs.frozen
class NoOptions:
    """``help`` and ``version``."""


@attrs.frozen
class Wish:
    """A command with its options, checked."""

    command: str
    options: Any


CONFIG: Final = Option("--config", "config", "the settings; default bot4.yaml", "PATH", read_path)
FORM: Final = one_of("json", "pretty")
LOG: Final = Option("--log", "log", "json or pretty; default: pretty on a terminal", "FORM", FORM)
LIVE: Final = Option("--live", "live", "real money: needed beside mode: live")
VENUE: Final = Option("--venue", "venue", "only this venue", "NAME", one_of("vest", "paradex"))
SINCE: Final = Option(
    "--since", "since", "from then on: 12h, 7d or 2026-11-25 (UTC)", "TIME", read_since
)
PAIR: Final = Option("--pair", "pair", "only this pair of bot4.yaml", "NAME", read_name)
CSV: Final = Option("--csv", "as_csv", "as CSV, every digit")
JSON: Final = Option("--json", "as_json", "one JSON object a line, every digit")
ASK: Final = Option("--ask", "ask", "with no bot running, ask both venues; nothing is changed")
FRESH: Final = Option("--fresh", "fresh", "begin a new simulated world")

COMMANDS: Final[Mapping[str, Command]] = {
    "run": Command(
        "trade as bot4.yaml says, until Ctrl+C (this is what happens without a command)",
        RunOptions,
        (
            CONFIG,
            Option("--for", "for_s", "stop by itself: 60s, 5m, 1h", "TIME", read_duration),
            Option("--for-ready", "for_ready_s", "once all feeds are up", "TIME", read_duration),
            LOG,
            Option(
                "--log-file", "log_file", "default: bot4.log in the state folder", "PATH", read_path
            ),
            LIVE,
            FRESH,
        ),
    ),
    "check-config": Command("say every mistake in bot4.yaml at once", CheckOptions, (CONFIG,)),
    "status": Command(
        "say how the bot, the venues and your money are",
        StatusOptions,
        (CONFIG, Option("--json", "as_json", "as one line of JSON")),
    ),
    "doctor": Command(
        "try everything that trading needs, step by step",
        DoctorOptions,
        (
            CONFIG,
            VENUE,
            Option("--probe-orders", "probe_orders", "also send a far order and cancel it"),
        ),
    ),
    "positions": Command("what every open trade holds", PositionsOptions, (CONFIG, JSON, ASK)),
    "trades": Command(
        "what every finished trade did and earned", TradesOptions, (CONFIG, SINCE, PAIR, CSV, JSON)
    ),
    "pnl": Command(
        "what was earned, added up",
        PnlOptions,
        (
            CONFIG,
            Option(
                "--by",
                "by",
                "day, pair or direction; default day",
                "WHAT",
                one_of("day", "pair", "direction"),
            ),
            SINCE,
            PAIR,
            CSV,
            JSON,
        ),
    ),
    "db check": Command("what Supabase lacks, and the SQL that mends it", DbOptions, (CONFIG,)),
    "db vacuum": Command(
        "move old trades from the journal to history.db beside it (with the bot stopped)",
        VacuumOptions,
        (CONFIG, Option("--keep", "keep_days", "days that stay; default 7", "DAYS", read_days)),
    ),
    "db export": Command(
        "every finished trade and every fill, as CSV files",
        ExportOptions,
        (CONFIG, Option("--to", "to", "a folder; default export", "FOLDER", read_path)),
    ),
    "db release": Command(
        "give the account back for a bot whose machine is gone", DbOptions, (CONFIG,)
    ),
    "keys derive": Command(
        "your Paradex account from an Ethereum key given on standard input",
        DeriveOptions,
        (
            CONFIG,
            Option(
                "--env", "env", "the variable that holds the Ethereum key", "NAME", read_variable
            ),
            Option("--show", "show", "print the Paradex private key too"),
        ),
    ),
    "flatten": Command(
        "cancel every order and close every position, on both venues, after asking",
        FlattenOptions,
        (
            CONFIG,
            PAIR,
            VENUE,
            Option("--yes", "yes", "do not ask"),
            Option("--dry-run", "dry_run", "only say what would be done, and its cost"),
            Option("--force", "force", "go on although the running bot did not stop when asked"),
            LOG,
            LIVE,
        ),
    ),
    "guard": Command(
        "watch the bot; when it hangs or dies, cancel all, close a leg alone (all, if told to)",
        GuardOptions,
        (CONFIG, LOG, LIVE),
    ),
    "simulate": Command(
        "serve two simulated venues and print where they are, as one line of JSON",
        SimulateOptions,
        (
            Option("--seed", "seed", "which market; default 1", "N", read_seed),
            Option("--profile", "profile", "demo or calibrated", "NAME", one_of(*PROFILES)),
            Option("--latency-scale", "latency_scale", "2 is twice as slow", "N", read_positive),
            Option(
                "--link",
                "link",
                "rack, city, adsl or rough; default: by profile",
                "NAME",
                one_of(*LINKS),
            ),
            Option("--collateral", "collateral", "USDC on each venue", "N", read_positive),
            Option("--state-dir", "state_dir", "default: state/simulation", "PATH", read_path),
            FRESH,
        ),
    ),
    "help": Command("say this", NoOptions),
    "version": Command("say which bot4 this is (also --version)", NoOptions),
}

ALIASES: Final = {"-h": "help", "--help": "help", "--version": "version"}


def parse(argv: Sequence[str]) -> Wish:
    """Return what the words ask for.

    Raises:
        Usage: they ask for nothing we know.
    """
    words = list(argv)
    for word in words:
        if word in ALIASES:
            return Wish(ALIASES[word], NoOptions())
    name = words.pop(0) if words and not words[0].startswith("-") else "run"
    if words and f"{name} {words[0]}" in COMMANDS:
        name = f"{name} {words.pop(0)}"
    command = COMMANDS.get(name)
    if command is None:
        raise Usage(_unknown("command", name, COMMANDS))
    options = {option.name: option for option in command.options}
    given: dict[str, Any] = {}
    while words:
        word, has_value, value = words.pop(0).partition("=")
        option = options.get(word)
        if option is None:
            raise Usage(_misplaced(name, word, options))
        if option.field in given:
            raise Usage(f"{word} is given twice")
        if option.read is None:
            if has_value:
                raise Usage(f"{word} takes no value")
            given[option.field] = True
            continue
        if not has_value:
            if not words or words[0].startswith("--"):
                raise Usage(f"{word} needs a value: {word} {option.value}")
            value = words.pop(0)
        try:
            given[option.field] = option.read(value)
        except ValueError as fault:
            raise Usage(f"{word} {_quoted(value)}: {fault}") from None
    return Wish(name, command.kind(**given))


def help_text() -> str:
    """Return every command with its options, as a person reads them."""
    lines = [f"usage: {invocation.command()} [COMMAND] [OPTIONS]", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:<14} {command.help}")
        for option in command.options:
            spelled = f"{option.name} {option.value}".strip()
            lines.append(f"      {spelled:<21}{option.help}")
    return "\n".join(lines)


def _misplaced(command: str, word: str, options: Mapping[str, Option]) -> str:
    if not word.startswith("-"):
        if word in COMMANDS:
            return f"{word} must come first: {invocation.command(word)} ..."
        return f"{command} takes no {_quoted(word)}"
    return _unknown(f"option of {command}", word, options)


def _unknown(kind: str, word: str, known: Collection[str]) -> str:
    near = [name for name in known if word and name.startswith(word.lower())]
    near = near or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.45)
    advice = f"did you mean {near[0]}?" if near else f"there is {', '.join(known) or 'none'}"
    return f"there is no {kind} {_quoted(word)}; {advice}"


def _quoted(text: str) -> str:
    if re.fullmatch(r"(0[xX])?[0-9a-fA-F]{32,}", text, re.ASCII):
        return "'...'"  # a key is never repeated
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return repr(plain if len(plain) <= 40 else f"{plain[:40]}...")
