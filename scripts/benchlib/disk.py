"""The journal's commit, on the disk that the bot's state is on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchlib import samples
from benchlib.figures import Figure, timed
from benchlib.thinking import order
from bot4.ports import Entry
from bot4.storage.journal import open_journal
from bot4.strategy.events import Intended
from bot4.strategy.journal_format import body_of
from bot4.transport.world import RealWorld


def figures(folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Measure an entry's commit of two rows as each durability has it."""
    orders = (order(samples.VEST_KEY.venue), order(samples.PARADEX_KEY.venue))
    row = Entry("Intended", "bench0-1", body_of(Intended(orders)))
    for durability, count in (("process", 2_000), ("power", 500)):
        journal = open_journal(
            RealWorld(),
            folder / f"{durability}.db",
            mode="bench",
            identity={},
            durability=durability,
        )
        yield timed(
            f"journal commit of two rows: {durability}",
            "ms",
            partial(journal.append, durable=True),
            [(row, row)] * (count // 5 if quick else count),
        )
        journal.close()
