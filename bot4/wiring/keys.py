"""``trio-run bot4 keys derive``: a Paradex key and account from an Ethereum key. Writes nothing."""

from __future__ import annotations

import os
import re
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
import trio

from bot4.config.load import load_config
from bot4.config.options import DeriveOptions
from bot4.config.schema import Config, Mode
from bot4.errors import ConfigError, VenueError
from bot4.invocation import command
from bot4.logs.redact import register_secret
from bot4.ports import Answer, Request, World
from bot4.secret import Secret
from bot4.transport.http import HttpxDoor
from bot4.transport.world import RealWorld
from bot4.venues.paradex.deriving import Derived, Network, derive, read_network
from bot4.venues.paradex.messages import read_answer

CHAINS: Final = {Mode.LIVE: 1, Mode.TESTNET: 11155111, Mode.SIMULATION: 11155111}
"""Ethereum's, by mode. Source: Paradex API docs, environments, seen 2026-11."""
LINE_LIMIT: Final = 4096
ASK_LIMIT_S: Final = 5.0


@attrs.frozen
class Told:
    """What was derived, and what a person should know of it."""

    derived: Derived
    remark: str


async def run_derive(options: DeriveOptions) -> Told:
    """Read the key, ask the venue which contracts it uses, derive.

    Raises:
        ConfigError: bot4.yaml or the key is unusable.

    Cancellation: safe.
    """
    config = load_config(options.config, live_flag=True)
    key = await _read_key(options.env)
    network, remark = await find_network(config, RealWorld())
    try:
        derived = derive(key, network)
    except ValueError as fault:
        raise ConfigError([f"the Ethereum key: {fault}"]) from None
    register_secret(derived.private_key.reveal())
    return Told(derived, remark)


async def find_network(config: Config, world: World) -> tuple[Network, str]:
    """Return what the address depends on, and where that is from.

    A simulation asks nobody. Cancellation: waits for the answer, some seconds at most.
    """
    known = Network(CHAINS[config.mode])
    if config.mode is Mode.SIMULATION:
        return known, "mode simulation: the test network's, asked nobody"
    door = HttpxDoor(world, config.paradex.rest_url)
    try:
        outcome = await door.send(Request("GET", "/system/config"), timeout_s=ASK_LIMIT_S)
    finally:
        await door.aclose()
    if not isinstance(outcome, Answer):
        return known, f"{_UNSURE} ({outcome.why})"
    try:
        told = read_answer(outcome, "system config", read_network)
    except VenueError as fault:
        return known, f"{_UNSURE} ({fault.why})"
    if told.l1_chain_id != known.l1_chain_id:
        raise ConfigError(
            [f"the venue is on Ethereum chain {told.l1_chain_id}, not that of mode {config.mode}"]
        )
    return told, f"contracts as {config.paradex.rest_url} says"


_UNSURE: Final = (
    "the venue did not say which contracts it uses, so the account is a guess from known ones: "
    "compare it with the venue's page"
)


_TYPE: Final = (
    f"run {command('keys derive')} in a terminal and type the key of the wallet that the Paradex "
    "account belongs to"
)
_GIVE: Final = f"{_TYPE}; or name a variable that has it with --env NAME"


async def _read_key(env: str | None) -> Secret:
    if env is not None:
        text = os.environ.get(env, "").strip()
        if not text:
            raise ConfigError([f"the variable {env} is not set"], f"set {env}, or {_TYPE}")
    else:
        text = (await _read_line()).strip()
        if not text:
            raise ConfigError(
                ["no Ethereum key came on standard input, so nothing is derived"], _GIVE
            )
    if not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{64}", text, re.ASCII):
        raise ConfigError(["the Ethereum key must be 0x and 64 hexadecimal digits"], _GIVE)
    key = Secret("0x" + text[-64:])
    register_secret(key.reveal())
    return key


async def _read_line() -> str:
    """Read one line; at a terminal what is typed is not shown. Cancellation: safe."""
    number = sys.stdin.fileno()
    if not sys.stdin.isatty():
        try:
            # A file is always readable, and cannot be waited for.
            await trio.lowlevel.wait_readable(number)
        except (PermissionError, OSError):
            await trio.lowlevel.checkpoint()
        return sys.stdin.readline(LINE_LIMIT)
    with _silent(number):
        # Asked only now: on a busy machine a paste could come before the terminal is silent.
        sys.stderr.write("Ethereum private key (not shown): ")
        sys.stderr.flush()
        await trio.lowlevel.wait_readable(number)
        text = sys.stdin.readline(LINE_LIMIT)
    sys.stderr.write("\n")
    return text


@contextmanager
def _silent(number: int) -> Iterator[None]:
    """Keep a terminal from showing what is typed."""
    before = termios.tcgetattr(number)
    quiet = [*before]
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(number, termios.TCSADRAIN, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
