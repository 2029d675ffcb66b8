"""The socket file beside the journal: opened by the bot, read by the other commands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
import trio

from bot4.app import Service
from bot4.config.schema import Config
from bot4.errors import StartRefused
from bot4.storage.journal import SqliteJournal
from bot4.storage.reading import RawRow
from bot4.tasks.window import Window
from bot4.transport.unix import connect, listen
from bot4.wiring.files import file_id

log = structlog.get_logger()

SILENCE_LIMIT_S: Final = 30.0
"""Between two pieces of an answer: a busy machine may need longer for the whole of a long one."""
PIECE: Final = 65_536


def socket_file(config: Config) -> Path:
    """Where a running bot answers; closed to other users."""
    return config.state_dir / "bot.sock"


@asynccontextmanager
async def open_window(config: Config, journal: SqliteJournal) -> AsyncIterator[Sequence[Service]]:
    """Listen and yield the service that answers; none where the file cannot be made.

    Closes: removes the file.
    """
    path = socket_file(config)
    try:
        listener = listen(path)
    except OSError as error:
        log.warning(
            "window.missing",
            message=f"[START] Other commands cannot ask this bot: {error.strerror or error}",
            why=f"{path}: {error.strerror or error}",
            do="give the bot a state_dir with a shorter path; trading is not affected",
        )
        yield ()
        return
    made = file_id(path)
    try:
        yield (Window(journal, listener).keep,)
    finally:
        listener.socket.close()
        if file_id(path) == made:  # Else it is another bot's: our folder was replaced.
            path.unlink(missing_ok=True)


async def ask_window(
    config: Config, after: int, kinds: Collection[str], *, bare: bool = False, newest: int = 0
) -> list[RawRow]:
    """Ask the running bot for rows of its journal: without bodies when bare, only the newest.

    Raises:
        StartRefused: it says nothing for ``SILENCE_LIMIT_S``.

    Cancellation: safe.
    """
    path = socket_file(config)
    asked = {"after": after, "kinds": list(kinds), "bare": bare, "newest": newest}
    question = json.dumps(asked).encode() + b"\n"
    raw = bytearray()
    try:
        with trio.fail_after(SILENCE_LIMIT_S) as patience:
            async with await connect(path) as stream:
                await stream.send_all(question)
                while piece := await stream.receive_some(PIECE):
                    raw += piece
                    patience.deadline = trio.current_time() + SILENCE_LIMIT_S
    except (OSError, trio.TooSlowError, trio.BrokenResourceError):
        raise _silent() from None
    lines = [json.loads(line) for line in bytes(raw).splitlines()]
    if not lines or not isinstance(lines[-1], dict):
        raise _silent()
    return [RawRow(*line) for line in lines[:-1]]


def _silent() -> StartRefused:
    return StartRefused(
        "a bot is running, and it does not answer", "ask again, or stop it with Ctrl+C first"
    )
