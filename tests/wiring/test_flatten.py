"""What flatten says and does where something of this machine is away: the network, the journal."""

from __future__ import annotations

import errno
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import structlog
import trio

from bot4.config.networks import network_defaults
from bot4.config.options import FlattenOptions
from bot4.config.schema import Mode, ParadexConfig, Secrets, VestConfig
from bot4.errors import ExitCode, StartRefused
from bot4.secret import Secret
from bot4.transport.database import open_database
from bot4.wiring import flatten
from bot4.wiring.files import journal_file, stop_file
from bot4.wiring.flatten import only_hand, run_flatten

SECRETS = Secrets(
    vest_primary_key=Secret("0x" + "1" * 64),
    vest_signing_key=Secret("0x" + "2" * 64),
    paradex_account=Secret("0x3"),
    paradex_private_key=Secret("0x4"),
)


@pytest.fixture
def lines():
    found = []

    def keep(_logger, level, event):
        found.append({"level": level, **event})
        raise structlog.DropEvent

    structlog.configure(processors=[keep], cache_logger_on_first_use=False)
    return found


@pytest.fixture
def cut_off(config, world, monkeypatch):
    """A machine whose network is away."""

    async def dial(host, port):
        await trio.lowlevel.checkpoint()
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    @asynccontextmanager
    async def opened(_config, _options):
        vest = VestConfig(**network_defaults(Mode.TESTNET, "vest"))
        paradex = ParadexConfig(**network_defaults(Mode.TESTNET, "paradex"))
        yield attrs.evolve(config, vest=vest, paradex=paradex), SECRETS, world

    monkeypatch.setattr(world, "dial", dial, raising=False)
    monkeypatch.setattr(flatten, "open_world", opened)
    monkeypatch.setattr(flatten, "load_config", lambda *_args, **_more: config)


async def test_looking_without_a_network_is_no_success(cut_off, lines, autojump_clock):
    code = await run_flatten(FlattenOptions(dry_run=True))

    assert code == ExitCode.LEFT_OPEN
    told = [line for line in lines if line["event"] == "venue.unreachable"]
    assert {line["venue"] for line in told} == {"vest", "paradex"}
    assert all("ould not look at" in line["message"] for line in told)


def in_the_way(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()


def link_without_end(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(path.parent / "gone" / "journal.db")


def damaged(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database, and long enough to be looked at " * 100)


@pytest.mark.parametrize("ask", [True, False], ids=["flatten", "guard"])
@pytest.mark.parametrize("spoil", [in_the_way, link_without_end, damaged])
async def test_a_journal_that_cannot_be_locked_and_that_nobody_uses_is_no_obstacle(
    config, lines, autojump_clock, spoil, ask
):
    spoil(journal_file(config))
    began, held = trio.current_time(), None
    try:
        async with only_hand(config, ask=ask, force=False) as held:
            pass
    except StartRefused as refused:
        held = refused.why

    assert held is False
    assert trio.current_time() - began < 1
    assert not stop_file(config).exists()
    assert len([line for line in lines if line["level"] == "warning"]) == (
        0 if spoil is link_without_end else 1
    )


@pytest.mark.parametrize("ask", [True, False], ids=["flatten", "guard"])
@pytest.mark.parametrize("error", [errno.EROFS, errno.ENOSPC, errno.EACCES])
async def test_a_folder_that_takes_no_file_is_no_obstacle_either(
    config, journal, monkeypatch, lines, autojump_clock, ask, error
):
    journal.close()

    def refuse(*_args, **_more):
        raise OSError(error, "cannot be written")

    monkeypatch.setattr("bot4.transport.database.os.open", refuse)
    held = None
    try:
        async with only_hand(config, ask=ask, force=False) as held:
            pass
    except StartRefused as refused:
        held = refused.why

    assert held is False
    assert [line["event"] for line in lines] == ["journal.failed"]


async def test_a_bot_that_cannot_be_asked_because_the_folder_takes_no_file_is_left_alone(
    config, journal, monkeypatch, autojump_clock
):
    def refuse(*_args, **_more):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", refuse)
    told = ""
    try:
        async with only_hand(config, ask=True, force=False):
            pass
    except (StartRefused, OSError) as fault:
        told = getattr(fault, "do", "")

    assert "Ctrl+C where the bot runs" in told
    with pytest.raises(StartRefused):
        open_database(journal_file(config))
