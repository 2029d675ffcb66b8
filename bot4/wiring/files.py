"""The small files beside the journal: who is alive, and who wants it to stop."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import attrs

from bot4.config.schema import Config
from bot4.errors import JournalFault
from bot4.transport.database import open_database


@attrs.frozen
class Heartbeat:
    """What the bot last said of itself."""

    pid: int
    wall_ms: int


def journal_file(config: Config) -> Path:
    """The journal; whoever holds its lock is the one hand on the account."""
    return config.state_dir / "journal.db"


def refuse_second(config: Config) -> None:
    """Refuse early, before anything is started, while another process holds the journal.

    Raises:
        StartRefused: it does. What else is wrong with the file is said when it is opened.
    """
    path = journal_file(config)
    if path.exists():
        with contextlib.suppress(JournalFault):
            open_database(path).close()


def stop_file(config: Config) -> Path:
    """While it is there the bot stops, as after a Ctrl+C."""
    return config.state_dir / "STOP"


def heartbeat_file(config: Config) -> Path:
    """Written every second by the bot."""
    return config.state_dir / "heartbeat.json"


def write_heartbeat(config: Config, wall_ms: int) -> None:
    """Say that we are alive. A full disk must not stop us: then we only look dead."""
    path = heartbeat_file(config)
    draft = path.with_suffix(".new")
    try:
        draft.write_text(json.dumps({"pid": os.getpid(), "wall_ms": wall_ms}))
        draft.replace(path)
    except OSError:
        return


def read_heartbeat(config: Config) -> Heartbeat | None:
    """What the bot last said; None when it never did, or it cannot be read."""
    try:
        said = json.loads(heartbeat_file(config).read_text())
        return Heartbeat(int(said["pid"]), int(said["wall_ms"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
