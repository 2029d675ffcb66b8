"""Private events on their way to the account: in order, unless a fault says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bot4.simulator.agenda import Agenda
from bot4.simulator.changes import changes, other_status
from bot4.simulator.faults import FaultMenu

PrivateCallback = Callable[[str, Any], None]

HELD_AT_MOST_S: Final = 1.0
"""An event held back to be overtaken goes out by itself after this, if none overtakes it."""


class PrivateEvents:
    """Tells subscribers what happens to the one account of a venue."""

    def __init__(self, venue: str, faults: FaultMenu, agenda: Agenda) -> None:
        self._venue = venue
        self._faults = faults
        self._agenda = agenda
        self._callbacks: list[PrivateCallback] = []
        self._held: tuple[str, Any] | None = None

    def subscribe(self, callback: PrivateCallback) -> Callable[[], None]:
        """Call ``callback(kind, body)`` for each private event; return how to stop it."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def publish(self, kind: str, body: Any) -> None:
        """Tell the subscribers, in order, from the agenda: never inside the caller's step.

        Takes the faults ``api_change``, ``mute_private``, ``delay_event``, ``double_event`` and
        ``reorder_event`` (this event goes out right after the next one).
        """
        if self._faults.take(self._venue, "mute_private") is not None:
            return
        if changes(self._faults, self._venue, "enum"):
            body = other_status(body)
        late = self._faults.take(self._venue, "delay_event")
        delay_s = late.number("ms", 0) / 1000 if late is not None else 0.0
        if self._held is None and self._faults.take(self._venue, "reorder_event") is not None:
            self._held = (kind, body)
            self._agenda.put(delay_s + HELD_AT_MOST_S, self._release, self._held)
            return
        self._agenda.put(delay_s, self._tell, kind, body)
        if self._faults.take(self._venue, "double_event") is not None:
            self._agenda.put(delay_s, self._tell, kind, body)
        overtaken, self._held = self._held, None
        if overtaken is not None:
            self._agenda.put(delay_s, self._tell, *overtaken)

    def _release(self, held: tuple[str, Any]) -> None:
        """Let a held event go that nothing overtook."""
        if self._held is held:
            self._held = None
            self._tell(*held)

    def _tell(self, kind: str, body: Any) -> None:
        for callback in list(self._callbacks):
            callback(kind, body)
