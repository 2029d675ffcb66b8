"""What the venues hold against what the ledger says. Their truth wins on positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import structlog
import trio

from bot4.domain.market import MarketKey
from bot4.domain.units import plain
from bot4.invocation import command
from bot4.strategy.events import Corrected
from bot4.strategy.saga import Trade
from bot4.tasks import exposure_log
from bot4.tasks.accounts import Accounts
from bot4.tasks.gate import EXPOSURE, FOREIGN_ORDER, RECONCILE, UNKNOWN_ORDER, Gate
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.tasks.session import Session
from bot4.tasks.strays import Strays

log = structlog.get_logger()

SETTLE_S = 3.0
"""A difference must stand in two readings this far apart before it is believed."""
EVERY_S = 15.0
LOOK_EVERY_S = 0.5
QUESTIONS = (RECONCILE, UNKNOWN_ORDER, FOREIGN_ORDER)
"""The gate's reasons that a comparison answers, whatever it finds."""


class Reconciler:
    """Compares, corrects what only shrank, and stops opening over what it cannot explain."""

    def __init__(
        self,
        sessions: Mapping[str, Session],
        accounts: Accounts,
        ledger: Ledger,
        gate: Gate,
        keys: tuple[MarketKey, ...],
        first: Callable[[], object] = lambda: None,
    ) -> None:
        """Prepare; ``first`` is called after the first comparison."""
        self._sessions = sessions
        self._accounts = accounts
        self._ledger = ledger
        self._gate = gate
        self._keys = keys
        self.strays = Strays(gate)
        self._seen: dict[MarketKey, list[tuple[Decimal, float]]] = {}
        """Differences by market, with the time of their reading, oldest first."""
        self._told: dict[MarketKey, Decimal] = {}
        """What no trade explains, by market, as last told."""
        self._first = first
        self.compared = False
        """Whether everything has been compared once, to the end."""

    async def settle_start(self) -> None:
        """At start: cancel what rests, then compare until both venues answered.

        An order that cannot be cancelled is told, and keeps its market from opening; it does not
        keep the bot from starting. Trades in doubt are not compared here: their pair task settles
        them first.

        Cancellation: safe.
        """
        for session in self._sessions.values():
            await self.strays.clear_start(session.gateway)
        self._gate.block(RECONCILE, "positions are being compared", "wait", quiet=True)

    async def keep(self) -> None:
        """Compare for ever, only while nothing is on its way. Cancellation: safe."""
        compared, at = -1, float("-inf")
        while True:
            asked = (*QUESTIONS, EXPOSURE)
            doubted = bool(self._seen) or any(name in self._gate.reasons for name in asked)
            due = self._accounts.version != compared or trio.current_time() - at > EVERY_S
            if (doubted or due) and self._quiet():
                await self._refresh()
                if self._quiet():
                    self.compare()
                compared, at = self._accounts.version, trio.current_time()
            await self.strays.look_again({v: s.gateway for v, s in self._sessions.items()})
            await trio.sleep(LOOK_EVERY_S)

    async def compare_once(self) -> None:
        """Compare now if it was never done and nothing is on its way. Cancellation: safe."""
        if self.compared or not self._quiet():
            return
        await self._refresh()
        if self._quiet():
            self.compare()

    def seen_differences(self) -> list[str]:
        """What the venues held when last asked that the trades do not, in words, by market."""
        lines = []
        for key in self._keys:
            reading = self._accounts.get(key.venue)
            theirs, ours = reading.size(key) if reading else None, self._ledger.held(key)
            if theirs is not None and theirs != ours:
                lines.append(f"{key} holds {plain(theirs)}, the journal explains {plain(ours)}")
        return lines

    async def _refresh(self) -> None:
        """Read again whatever was read before the last change, or is being doubted."""
        for venue, session in self._sessions.items():
            reading = self._accounts.get(venue)
            doubted = any(key.venue == venue for key in self._seen)
            if reading is None or doubted or reading.at < self._ledger.last_change:
                try:
                    await session.read_account()
                except SAID:
                    continue  # no answer is no news; the session names the venue that is away

    def compare(self) -> None:
        """Compare every market once, with the newest readings."""
        differences: dict[MarketKey, Decimal] = {}
        for key in self._keys:
            reading = self._accounts.get(key.venue)
            if reading is None or reading.at < self._ledger.last_change:
                return
            differences[key] = reading.size(key) - self._ledger.held(key)
        # All or nothing: a pair closed by hand must not look like one leg lost.
        agreed = {key: self._agreed(key, differences[key]) for key in self._keys}
        if any(differences[key] and not agreed[key] for key in self._keys):
            return
        unexplained = [why for key, lost in agreed.items() if (why := self._explain(key, lost))]
        self._gate.judge(EXPOSURE, "; ".join(unexplained), _flatten())
        if agreed == differences:
            if not self.compared:
                self.compared = True
                self._first()
            for name in QUESTIONS:
                self._gate.clear(name, quiet=name == RECONCILE)

    def _quiet(self) -> bool:
        return not any(trade.open_legs() for trade in self._ledger.trades)

    def _agreed(self, key: MarketKey, difference: Decimal) -> Decimal:
        """What all readings of the last seconds agree on: venues lag behind fills.

        A position that goes in bites differs more from reading to reading; what the first bite
        took does not wait for the last one.
        """
        if not difference:
            self._seen.pop(key, None)
            return difference
        reading = self._accounts.get(key.venue)
        at = reading.at if reading else 0.0
        seen = self._seen.setdefault(key, [])
        if seen and seen[-1][0] * difference < 0:
            seen.clear()
        seen.append((difference, at))
        while len(seen) > 1 and at - seen[1][1] >= SETTLE_S:
            del seen[0]
        if at - seen[0][1] < SETTLE_S:
            return Decimal(0)
        return min((one for one, _ in seen), key=abs)

    def _explain(self, key: MarketKey, difference: Decimal) -> str:
        """A position that shrank towards zero belongs to the trade that held it.

        Of one that went beyond zero, our part is gone and the rest is nobody's.

        Returns:
            What no trade explains, told once for each size of it; "" when everything is explained.
        """
        ours = self._ledger.held(key)
        theirs = ours + difference
        lost = -ours if ours * theirs < 0 else difference
        trades = [t for t in self._ledger.trades if key in (t.plan.long, t.plan.short)]
        if ours * lost < 0 and len(trades) == 1:
            self._correct(trades[0], key, lost)
            ours += lost
        if ours == theirs:
            self._told.pop(key, None)
            return ""
        why = f"{key} holds {plain(theirs)}, the journal explains {plain(ours)}"
        if self._told.get(key) != theirs - ours:
            self._told[key] = theirs - ours
            log.error(
                "exposure.found",
                message=f"[SAFETY] {why}",
                venue=key.venue,
                market=key.symbol,
                held=plain(theirs),
                explained=plain(ours),
                why=why,
                do=_flatten(),
            )
        return why

    def _correct(self, trade: Trade, key: MarketKey, difference: Decimal) -> None:
        self._seen[key] = [(one - difference, at) for one, at in self._seen.get(key, [])]
        why = f"{key} lost {plain(abs(difference))} that was not ours to close"
        exposure_log.say_closed_outside(trade, key, difference, why)
        self._ledger.happen(
            trade.plan.trade_id, Corrected(key.venue, difference, why), durable=True
        )


def _flatten() -> str:
    return f"run {command('flatten')}, then start again"
