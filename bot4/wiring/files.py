"""The small files beside the journal: who holds it, and who wants the bot to stop."""

from __future__ import annotations

import contextlib
from pathlib import Path

from bot4.config.schema import Config
from bot4.errors import JournalFault
from bot4.transport.database import open_database


def journal_file(config: Config) -> Path:
    """The journal; whoever holds its lock is the one hand on the account."""
    return config.state_dir / "journal.db"


def archive_file(config: Config) -> Path:
    """Trades that left the journal."""
    return config.state_dir / "history.db"


def cursor_file(config: Config) -> Path:
    """How far the journal was copied to Supabase."""
    return config.state_dir / "mirror.db"


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
