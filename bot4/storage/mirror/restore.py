"""Brings open trades back from the mirror into the journal, before anything is believed or sent.

The journal of a trade is one line of events. What the mirror has beyond ours was written by a
later run elsewhere, and is added; where the two lines part, ours stays and the difference is told.
Then both venues are compared with it as after every start: their positions decide.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any, Protocol

import attrs

from bot4.ports import CLOSED, Entry
from bot4.storage.mirror.fold import FINISHED_KEPT, Fold
from bot4.storage.mirror.store import RemoteEvent, SupabaseStore


class Book(Protocol):
    """What restoring needs of the journal."""

    def append(self, entries: Iterable[Entry], *, durable: bool) -> None:
        """Write entries in one transaction."""

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Every row after one, oldest first."""


@attrs.frozen
class Restored:
    """What came of it."""

    trades: tuple[str, ...] = ()
    """Trades that were brought back or went on elsewhere, by id."""
    events: int = 0
    differences: tuple[str, ...] = ()
    """What journal and mirror disagree on, one line each."""


class _Known:
    """What our journal says of trades."""

    def __init__(self) -> None:
        self.open: dict[str, list[Entry]] = {}
        self.closed: dict[str, list[Entry]] = {}
        self.over: set[str] = set()
        """Closed so long ago that nothing of it is compared any more."""
        self._fold = Fold()

    def read(self, entry: Entry) -> None:
        """Take the next row. A late fill may make a trade go on that was over."""
        name, told = entry.trade_id, self._fold.read(entry)
        if told is None:
            return
        line = self.open.pop(name, None) or self.closed.pop(name, None) or []
        line.append(entry)
        over = told.story.over if told.story else any(one.kind == CLOSED for one in line)
        (self.closed if over else self.open)[name] = line
        while len(self.closed) > FINISHED_KEPT:
            self.over.add(gone := next(iter(self.closed)))
            self.closed.pop(gone)

    def line(self, name: str) -> list[Entry]:
        """Return a trade's rows."""
        return self.open.get(name) or self.closed.get(name, [])

    def is_ahead(self, name: str, theirs: Sized) -> bool:
        """Whether we know at least as much of a trade."""
        return len(self.line(name)) >= len(theirs)


async def restore(store: SupabaseStore, journal: Book) -> Restored:
    """Compare the mirror's open trades with the journal's, and add what the journal lacks.

    Raises:
        MirrorAway, MirrorUnusable: nothing was changed.
        JournalFault: a trade could not be written; the others before it were.

    Cancellation: safe; each trade is written whole or not at all.
    """
    known = _Known()
    for entry in journal.entries():
        known.read(entry)
    remote = _by_trade(await store.unfinished())
    finished = [name for name in known.open if name not in remote]
    remote |= _by_trade(await store.events_of(finished)) if finished else {}
    pairs = {_pair(entries[0].body): name for name, entries in known.open.items()}
    trades, events, differences = [], 0, []
    for name in sorted(remote, key=lambda name: remote[name][0].written_at):
        if name in known.over or (name in known.closed and known.is_ahead(name, remote[name])):
            continue  # ours went on; what the mirror lacks is on its way
        ours, theirs = known.line(name), remote[name]
        if fault := _parting(ours, theirs):
            differences.append(f"trade {name}: {fault}; the journal's own line is kept")
            continue
        tail = [_entry(event) for event in theirs[len(ours) :]]
        if not tail:
            continue
        pair = "" if ours else _pair(tail[0].body)
        if pair and pair in pairs:
            differences.append(
                f"trade {name} is open in Supabase, and {pairs[pair]} in the journal, on {pair}"
            )
            continue
        journal.append(tail, durable=True)
        if pair:
            pairs[pair] = name
        trades.append(name)
        events += len(tail)
    return Restored(tuple(trades), events, tuple(differences))


def _by_trade(events: Iterable[RemoteEvent]) -> dict[str, list[RemoteEvent]]:
    """Group events by trade, up to the first gap: what follows one cannot be believed."""
    found: dict[str, list[RemoteEvent]] = defaultdict(list)
    for event in events:
        if event.seq == len(found[event.trade_id]) + 1:
            found[event.trade_id].append(event)
    return {name: line for name, line in found.items() if line}


def _parting(ours: list[Entry], theirs: list[RemoteEvent]) -> str:
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=False), start=1):
        if mine.kind != other.kind or dict(mine.body) != _body(other):
            return f"event {number} is {mine.kind} in the journal and {other.kind} in Supabase"
    return ""


def _entry(event: RemoteEvent) -> Entry:
    return Entry(event.kind, event.trade_id, _body(event), event.client_order_id)


def _body(event: RemoteEvent) -> dict[str, Any]:
    body = json.loads(event.body)
    return body if isinstance(body, dict) else {}


def _pair(body: Mapping[str, Any]) -> str:
    plan = body.get("plan")
    return str(plan.get("pair", "")) if isinstance(plan, dict) else ""
