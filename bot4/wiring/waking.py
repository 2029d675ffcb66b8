"""What becomes of everything that was known when this machine slept."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.gate import SUSPEND, Gate
from bot4.tasks.judge import Judge
from bot4.wiring.venues import VenueParts


@attrs.frozen
class Waking:
    """Forgets the past at once after a sleep, and opens again once all of it is known anew."""

    parts: Mapping[str, VenueParts]
    books: Books
    accounts: Accounts
    gate: Gate
    judges: Mapping[str, Judge]

    def wake(self, slept_s: float) -> None:
        """Forget books, accounts and decisions; leave every connection; doubt the clocks."""
        why = f"this machine slept for {slept_s:.0f} s"
        do = "nothing: both venues are connected and read anew; keep a machine that trades awake"
        self.gate.block(SUSPEND, why, do)
        self.books.forget()
        self.accounts.forget()
        for judge in self.judges.values():
            judge.forget()
        for part in self.parts.values():
            part.gateway.wake()
            for link in part.links:
                link.drop(why)

    def look(self) -> None:
        """Let entries go on once connections, clocks and accounts are all of after the sleep."""
        if SUSPEND in self.gate.reasons and all(
            part.public.useful
            and part.private.useful
            and part.gateway.clock_known
            and self.accounts.get(venue) is not None
            for venue, part in self.parts.items()
        ):
            self.gate.clear(SUSPEND)
