"""Bugs planted into this very process: sagas that others shipped, and some that only time shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from unittest.mock import patch

import attrs
import trio
from modelchecklib.mutants import MUTANTS

from bot4.app import Crashes
from bot4.ports import Entry, InDoubt, NotSent
from bot4.storage.journal import SqliteJournal
from bot4.strategy.events import Event, Stopped
from bot4.strategy.saga import Trade
from bot4.tasks.gateway import Gateway
from bot4.tasks.ledger import Ledger
from bot4.tasks.reconcile import Reconciler
from bot4.wiring.rooms import Rooms
from universelib.grammar import Fault
from universelib.script import Script

SAGA_USERS: Final = ("bot4.tasks.ledger.step", "bot4.tasks.pair.todo")


def plant_saga(name: str) -> None:
    """Put one of the model checker's wrong sagas in the place of ours."""
    saga = MUTANTS[name]
    for where, wrong in zip(SAGA_USERS, (saga.step, saga.todo), strict=True):
        patch(where, wrong).start()


def _unsynced() -> None:
    """Commits return before the disk has them."""
    right = SqliteJournal.append

    def append(self: SqliteJournal, entries: Iterable[Entry], *, durable: bool) -> None:
        del durable
        right(self, entries, durable=False)

    patch.object(SqliteJournal, "append", append).start()


def _one_row() -> None:
    """The two legs of an entry are made durable one after the other, the second too late."""
    right = SqliteJournal.append

    def append(self: SqliteJournal, entries: Iterable[Entry], *, durable: bool) -> None:
        first, *rest = entries
        right(self, [first], durable=durable)
        if rest:
            right(self, rest, durable=False)

    patch.object(SqliteJournal, "append", append).start()


def _numbers_again() -> None:
    """A restart counts orders from one again."""

    def next_number(self: SqliteJournal, name: str, floor: int = 0) -> int:
        given: dict[str, int] = self.__dict__.setdefault("_again", {})
        number = given[name] = max(given.get(name, 0), floor) + 1
        return number

    patch.object(SqliteJournal, "next_number", next_number).start()


def _proves_nothing() -> None:
    """Leaving settles nothing and believes that nothing is open."""

    async def leave(_self: Rooms) -> list[str]:
        await trio.lowlevel.checkpoint()
        return []

    async def trade(self: Rooms, crashes: Crashes) -> None:
        with self.stop.while_running():
            await right(self, crashes)

    right = Rooms.trade
    patch.object(Rooms, "leave", leave).start()
    patch.object(Rooms, "trade", trade).start()


def _deaf_gate() -> None:
    """A trade does not hear of the stop; the last gate still keeps what opens at home."""
    right = Ledger.happen

    def happen(self: Ledger, trade_id: str, event: Event, *, durable: bool = False) -> Trade:
        trade = self.get(trade_id)
        if isinstance(event, Stopped) and trade is not None:
            return trade
        return right(self, trade_id, event, durable=durable)

    patch.object(Ledger, "happen", happen).start()


def _leaves_resting() -> None:
    """Orders found open at the start stay, and positions are not compared."""

    async def settle_start(_self: Reconciler) -> None:
        await trio.lowlevel.checkpoint()

    patch.object(Reconciler, "settle_start", settle_start).start()


def _no_doubt_on_cancel() -> None:
    """A sending that was cancelled counts as never sent."""
    right: Any = Gateway.__dict__["_exchange"]

    async def exchange(self: Gateway, parcel: Any) -> Any:
        outcome, at = await right(self, parcel)
        return (NotSent(outcome.why), None) if isinstance(outcome, InDoubt) else (outcome, at)

    patch.object(Gateway, "_exchange", exchange).start()


@attrs.frozen
class Ours:
    """A bug of our own making."""

    title: str
    plant: Callable[[], None]


OURS: Final = {
    "U-1": Ours("commits return before the disk has them", _unsynced),
    "U-2": Ours("only the first row of a commit is synced", _one_row),
    "U-3": Ours("a restart counts orders from one again", _numbers_again),
    "U-4": Ours("leaving settles and proves nothing", _proves_nothing),
    "U-5": Ours("a trade does not hear of the stop", _deaf_gate),
    "U-6": Ours("nothing is compared at the start", _leaves_resting),
    "U-7": Ours("an answer in doubt counts as not sent", _no_doubt_on_cancel),
}
_GAP: Final[Fault] = {"venue": "vest", "kind": "gap_jump", "bps": 45, "seconds": 3}
LED: Final = {
    "SP-1": Script(
        (
            (3.0, {"venue": "vest", "kind": "lose_request"}),
            (3.0, {"venue": "vest", "kind": "lose_request", "request": "query"}),
            (4.0, _GAP),
        ),
        (),
        "hold",
    ),
}
"""Troubles in which one shows that no scenario brings: an order lost, and the question after it."""
SHOWS: Final = {
    "O4-1": ("vest-refused", ""),
    "O4-2": ("exit-refused", ""),
    "O4-3": ("partial-taken-back", ""),
    "O4-4": ("silent-fill", ""),
    "O4-5": ("no-fill", ""),
    "O4-6": ("journal-gone", ""),
    "O4-7": ("closed-by-hand", ""),
    "O4-8": ("unanswered", ""),
    "O4-9": ("clean", "sigint"),
    "HB-1": ("spread-gone", ""),
    "HB-2": ("stranded", ""),
    "HB-3": ("partial", ""),
    "HB-5": ("unanswered", ""),
    "R2-1": ("vest-doubt-filled", ""),
    "R2-3": ("unwind-refused", ""),
    "SP-2": ("paradex-refused", "sigint"),
    "SP-3": ("clean", "kill"),
    "BB-1": ("paradex-doubt-filled", ""),
    "BB-2": ("clean", "kill"),
    "BB-3": ("silent-fill", ""),
    "PX-1": ("clean", ""),
    "PX-2": ("paradex-refused", ""),
    "PX-3": ("paradex-refused", ""),
    "NT-1": ("unanswered", ""),
    "M-NT-1": ("silent-fill", ""),
    "M-O4-4": ("silent-fill", ""),
    "M-HB-5": ("vest-doubt-filled", ""),
    "M-HB-5b": ("vest-doubt-unfilled", ""),
    "M-NT-2": ("clean", ""),
    "M-O4-6": ("clean", "kill"),
    "M-O4-5": ("no-fill", ""),
    "M-HB-2": ("paradex-refused", ""),
    "M-PX-3": ("stranded", ""),
    "M-R2-1": ("silent-fill", ""),
    "M-O4-3": ("partial-taken-back", ""),
    "M-SG-1": ("exit-refused", ""),
    "M-SP-1": ("paradex-refused", ""),
    "M-SG-2": ("silent-fill", ""),
    "M-BB-3": ("silent-fill", ""),
    "U-1": ("clean", "power"),
    "U-2": ("clean", "power"),
    "U-3": ("held", "kill"),
    "U-4": ("clean", "sigint"),
    "U-6": ("held", "kill"),
    "U-7": ("unanswered", ""),
}
"""Where each is likely to show: a scenario, and the mode in which stopping it there does. Tried
first; everything else is tried when it does not show there."""
