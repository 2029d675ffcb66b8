"""The embedded venues of ``mode: simulation``: a child process, its addresses and its end."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import structlog
import trio

from bot4.config.networks import network_defaults
from bot4.config.schema import Config, Mode, Secrets
from bot4.domain.market import PARADEX, VEST
from bot4.errors import StartRefused, VenuesGone
from bot4.isolation import clean, python
from bot4.secret import Secret

log = structlog.get_logger()

START_LIMIT_S = 180.0
"""Hangs only: it takes a second, but a small server that has just been set up reads and compiles
all of Python's packages first, and a world that another child has not left yet is waited for."""
END_LIMIT_S = 30.0
"""Orders in flight land first, then the world is saved."""


@attrs.frozen
class Addresses:
    """Where the simulated venues are."""

    vest_rest: str
    vest_ws: str
    paradex_rest: str
    paradex_ws: str


@attrs.frozen
class Embedded:
    """Where the simulated venues are, and the keys they gave us."""

    config: Config
    """The given one with the simulated addresses."""
    secrets: Secrets
    ca_file: Path
    control: str


def embed(config: Config, addresses: Addresses, keys: Mapping[str, str]) -> tuple[Config, Secrets]:
    """Return the config with the venues' addresses, and the keys as secrets.

    The simulated venues speak the test networks' chain and contract, so that nothing signed for
    them is worth anything on the real ones.

    Raises:
        KeyError: a key is missing.
    """
    vest = attrs.evolve(
        config.vest,
        rest_url=addresses.vest_rest,
        ws_url=addresses.vest_ws,
        verifying_contract=network_defaults(Mode.TESTNET, VEST)["verifying_contract"],
    )
    paradex = attrs.evolve(
        config.paradex,
        rest_url=addresses.paradex_rest,
        ws_url=addresses.paradex_ws,
        chain_id=network_defaults(Mode.TESTNET, PARADEX)["chain_id"],
    )
    secrets = Secrets(
        vest_primary_key=Secret(keys["vest.primary_key"]),
        vest_signing_key=Secret(keys["vest.signing_key"]),
        paradex_account=Secret(keys["paradex.account"]),
        paradex_private_key=Secret(keys["paradex.private_key"]),
    )
    return attrs.evolve(config, vest=vest, paradex=paradex), secrets


def read_announcement(config: Config, announced: str) -> Embedded:
    """Read the simulator's one JSON line.

    Raises:
        StartRefused: the line is not what the simulator of this version says.
    """
    try:
        said = json.loads(announced)
        addresses = Addresses(
            said["vest.rest"], said["vest.ws"], said["paradex.rest"], said["paradex.ws"]
        )
        embedded, secrets = embed(config, addresses, said)
        return Embedded(embedded, secrets, Path(said["ca_file"]), said["control"])
    except (ValueError, KeyError, TypeError) as fault:
        raise StartRefused(
            f"the simulator said something unreadable: {fault!r}",
            "start again; if it says so twice, send this line and the log file",
        ) from None


def arguments(config: Config, *, fresh: bool) -> list[str]:
    """The child's command line. No secret is on it: the simulator makes its own keys.

    Not ``bot4 simulate``, which does the same and imports twice as much.
    """
    simulation = config.simulation
    command = [
        *python("bot4.simulator"),
        *("--seed", str(simulation.seed)),
        *("--profile", simulation.profile),
        *("--latency-scale", str(simulation.latency_scale)),
        *("--link", simulation.link),
        *("--collateral", str(simulation.collateral)),
        *("--state-dir", str(config.state_dir)),
    ]
    return [*command, "--fresh"] if fresh else command


@asynccontextmanager
async def run_child(
    command: Sequence[str],
    error_file: Path,
    meanwhile: Callable[[], object] = lambda: None,
    *,
    watched: bool = False,
) -> AsyncIterator[str]:
    """Run the simulator; yield its JSON line; end it by closing its stdin.

    It runs in a session of its own, so that a terminal's Ctrl+C does not reach it.
    ``meanwhile`` is called once, while the child gets ready.

    Raises:
        StartRefused: it did not start.
        VenuesGone: it ended by itself, and it was watched; what runs inside is cancelled. What
            leaves the block of one that is watched is in a group.

    Cancellation: the child is still ended properly, for at most ``END_LIMIT_S``.
    """
    error_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with error_file.open("ab") as errors:
        process = await trio.lowlevel.open_process(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=clean(os.environ),
            start_new_session=True,
        )
        try:
            meanwhile()
            announced = await _first_line(process, error_file)
            if not watched:
                yield announced
                return
            async with trio.open_nursery() as living:
                living.start_soon(_watch, process, error_file)
                yield announced
                living.cancel_scope.cancel(reason="the venues are not needed any more")
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + END_LIMIT_S) as end:
                if process.stdin is not None:
                    await process.stdin.aclose()
                await process.wait()
            if end.cancelled_caught:
                process.kill()
                with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
                    await process.wait()


async def _watch(process: trio.Process, error_file: Path) -> None:
    code = await process.wait()
    how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
    raise VenuesGone(
        f"the simulated venues ended by themselves ({how}), so the bot stops",
        f"start again: they go on from what they saved; their last words are in {error_file}",
    )


async def _first_line(process: trio.Process, error_file: Path) -> str:
    text = b""
    with trio.move_on_after(START_LIMIT_S):
        while b"\n" not in text and process.stdout is not None:
            more = await process.stdout.receive_some()
            if not more:
                break
            text += more
    if b"\n" not in text:
        raise StartRefused(
            f"the simulator did not start; its last words are in {error_file}",
            "read them, or begin a new simulated world with --fresh",
        )
    return text.split(b"\n", 1)[0].decode()
