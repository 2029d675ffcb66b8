"""Reads the command line by a table: one row an option, one line for whatever is wrong."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import attrs

from bot4.config.options import (
    DeriveOptions,
    DoctorOptions,
    FlattenOptions,
    RunOptions,
    SimulateOptions,
    StatusOptions,
)

UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
LONGEST_S: Final = 366 * 86_400
SEED_LIMIT: Final = 2**31


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


def read_duration(text: str) -> float:
    """Return the seconds of ``60s``, ``5m`` or ``1h``. Raises ``ValueError`` saying the form."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])", text, re.ASCII)
    seconds = float(match[1]) * UNITS_S[match[2]] if match else 0.0
    if not 0 < seconds <= LONGEST_S:
        raise ValueError("must be a time like 60s, 5m or 1h")
    return seconds


def _path(text: str) -> Path:
    if not text or "\0" in text:
        raise ValueError("must be the name of a file or folder")
    return Path(text)


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) >= SEED_LIMIT:
        raise ValueError("must be a whole number like 1")
    return int(text)


def _positive(text: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text, re.ASCII) or not Decimal(text):
        raise ValueError("must be a number above 0")
    return Decimal(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be {' or '.join(words)}")
        return text

    return read


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", text, re.ASCII):
        raise ValueError("must be the name of a pair, like BTC")
    return text


def _variable(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", text, re.ASCII):
        raise ValueError("must be the name of a variable, never the key itself")
    return text


CONFIG: Final = Option("--config", "config", "the settings; default bot4.yaml", "PATH", _path)
LOG: Final = Option(
    "--log",
    "log",
    "json or pretty; default: pretty on a terminal",
    "FORM",
    _one_of("json", "pretty"),
)
LIVE: Final = Option("--live", "live", "real money: needed beside mode: live")
VENUE: Final = Option("--venue", "venue", "only this venue", "NAME", _one_of("vest", "paradex"))
FRESH: Final = Option("--fresh", "fresh", "begin a new simulated world")

COMMANDS: Final[Mapping[str, Command]] = {
    "run": Command(
        "trade as bot4.yaml says, until Ctrl+C (this is what happens without a command)",
        RunOptions,
        (
            CONFIG,
            Option("--for", "for_s", "stop by itself: 60s, 5m, 1h", "TIME", read_duration),
            LOG,
            Option(
                "--log-file", "log_file", "default: bot4.log in the state folder", "PATH", _path
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
    "keys derive": Command(
        "your Paradex account from an Ethereum key given on standard input",
        DeriveOptions,
        (
            CONFIG,
            Option("--env", "env", "the variable that holds the Ethereum key", "NAME", _variable),
            Option("--show", "show", "print the Paradex private key too"),
        ),
    ),
    "flatten": Command(
        "cancel every order and close every position, on both venues",
        FlattenOptions,
        (
            CONFIG,
            Option("--pair", "pair", "only this pair of bot4.yaml", "NAME", _name),
            VENUE,
            Option("--yes", "yes", "do not ask"),
            Option("--dry-run", "dry_run", "only say what would be done"),
            Option("--force", "force", "go on although the running bot did not stop when asked"),
            LOG,
            LIVE,
        ),
    ),
    "simulate": Command(
        "serve two simulated venues and print where they are, as one line of JSON",
        SimulateOptions,
        (
            Option("--seed", "seed", "which market; default 1", "N", _seed),
            Option(
                "--profile", "profile", "demo or calibrated", "NAME", _one_of("demo", "calibrated")
            ),
            Option("--latency-scale", "latency_scale", "2 is twice as slow", "N", _positive),
            Option("--collateral", "collateral", "USDC on each venue", "N", _positive),
            Option("--state-dir", "state_dir", "default: state/simulation", "PATH", _path),
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
    lines = ["usage: trio-run bot4 [COMMAND] [OPTIONS]", ""]
    for name, command in COMMANDS.items():
        lines.append(f"  {name:<14} {command.help}")
        for option in command.options:
            spelled = f"{option.name} {option.value}".strip()
            lines.append(f"      {spelled:<21}{option.help}")
    return "\n".join(lines)


def _misplaced(command: str, word: str, options: Mapping[str, Option]) -> str:
    if not word.startswith("-"):
        if word in COMMANDS:
            return f"{word} must come first: trio-run bot4 {word} ..."
        return f"{command} takes no {_quoted(word)}"
    return _unknown(f"option of {command}", word, options)


def _unknown(kind: str, word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.45)
    advice = f"did you mean {near[0]}?" if near else f"there is {', '.join(known) or 'none'}"
    return f"there is no {kind} {_quoted(word)}; {advice}"


def _quoted(text: str) -> str:
    if re.fullmatch(r"(0[xX])?[0-9a-fA-F]{32,}", text, re.ASCII):
        return "'...'"  # a key is never repeated
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return repr(plain if len(plain) <= 40 else f"{plain[:40]}...")
