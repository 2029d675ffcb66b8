"""How long the disk takes to keep something, told at the start: an entry has to wait for it."""

from __future__ import annotations

from statistics import median
from typing import Final

import structlog
import trio

from bot4.config.schema import Config, Durability
from bot4.errors import JournalFault
from bot4.storage.journal import SqliteJournal

log = structlog.get_logger()

TRIES: Final = 5
MUCH: Final = 0.5
"""A commit that takes this share of the deadline leaves little for everything else."""


def tell_disk(config: Config, journal: SqliteJournal) -> None:
    """Time some commits and say how long one takes. Nothing where entries do not wait for it.

    A disk that takes nothing at all is told of by whoever needs it first.
    """
    if config.execution.durability is not Durability.POWER:
        return
    took_s = []
    try:
        for _ in range(TRIES):
            begun = trio.current_time()
            journal.try_disk()
            took_s.append(trio.current_time() - begun)
    except JournalFault:
        return
    ms, deadline_ms = round(median(took_s) * 1000), config.execution.deadline_ms
    said = f"the disk takes {ms} ms to keep an order, of {deadline_ms} ms to send it in"
    if ms < MUCH * deadline_ms:
        log.info("disk.measured", message=f"[JOURNAL] {said}", commit_ms=ms)
        return
    log.warning(
        "disk.measured",
        message=f"[JOURNAL] {said}: many entries will come too late and stay unsent",
        commit_ms=ms,
        why=said,
        do="put state_dir on a faster disk, or raise execution.deadline_ms; with "
        "execution.durability: process nothing waits for the disk, and a power cut may lose "
        "the newest orders' names",
    )
