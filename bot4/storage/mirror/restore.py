"""Brings open trades back from the mirror into the journal, before anything is believed or sent.

The journal of a trade is one line of events. What the mirror has beyond ours was written by a
later run elsewhere, and is added; where the two lines part, ours stays and the difference is told.
Then both venues are compared with it as after every start: their positions decide.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import attrs

from bot4.ports import Entry
from bot4.storage.mirror.fold import CLOSED
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


@attrs.define
class _Known:
    """What our journal says of trades."""

    open: dict[str, list[Entry]] = attrs.field(factory=dict)
    closed: set[str] = attrs.field(factory=set)

    def read(self, entry: Entry) -> None:
        if entry.kind == CLOSED:
            self.open.pop(entry.trade_id, None)
            self.closed.add(entry.trade_id)
        elif entry.trade_id and entry.trade_id not in self.closed:
            self.open.setdefault(entry.trade_id, []).append(entry)


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
        if name in known.closed:
            continue  # ours went on; what the mirror lacks is on its way
        ours, theirs = known.open.get(name, []), remote[name]
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
