"""What the venues hold against what the ledger says. Their truth wins on positions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import structlog
import trio

from bot4.domain.market import MarketKey
from bot4.domain.units import plain
from bot4.invocation import command
from bot4.strategy.events import Corrected
from bot4.strategy.saga import Trade
from bot4.tasks.accounts import Accounts
from bot4.tasks.gate import EXPOSURE, FOREIGN_ORDER, RECONCILE, UNKNOWN_ORDER, Gate
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.tasks.session import Session

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
    ) -> None:
        self._sessions = sessions
        self._accounts = accounts
        self._ledger = ledger
        self._gate = gate
        self._keys = keys
        self._seen: dict[MarketKey, tuple[Decimal, float]] = {}

    async def settle_start(self) -> None:
        """At start: cancel what rests, then compare until both venues answered.

        Trades in doubt are not compared here: their pair task settles them first.

        Cancellation: safe.
        """
        for venue, session in self._sessions.items():
            found = await self._cancel(venue, session)
            if found:
                log.warning(
                    "exposure.found",
                    message=f"[SAFETY] {found} open orders found on {venue} and cancelled",
                    venue=venue,
                    why="an earlier run or a person left them",
                    do="nothing",
                )
        self._gate.block(RECONCILE, "positions are being compared", "wait", quiet=True)

    async def _cancel(self, venue: str, session: Session) -> int:
        while True:
            try:
                return await session.gateway.cancel_everything()
            except SAID as said:
                log.warning(
                    "venue.unreachable",
                    message=f"[VENUE] {said}",
                    venue=venue,
                    why=f"open orders cannot be read: {said}",
                    do="nothing: it is asked again",
                )
            await trio.sleep(1.0)

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
            await trio.sleep(LOOK_EVERY_S)

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
        confirmed = {key: self._confirmed(key, differences[key]) for key in self._keys}
        if not all(confirmed.values()):
            return
        unexplained = [
            why for key, lost in differences.items() if lost and (why := self._explain(key, lost))
        ]
        self._gate.judge(EXPOSURE, "; ".join(unexplained), _flatten())
        for name in QUESTIONS:
            self._gate.clear(name, quiet=name == RECONCILE)

    def _quiet(self) -> bool:
        return not any(trade.open_legs() for trade in self._ledger.trades)

    def _confirmed(self, key: MarketKey, difference: Decimal) -> bool:
        """The same difference in two readings, some seconds apart: venues lag behind fills."""
        if not difference:
            self._seen.pop(key, None)
            return True
        reading = self._accounts.get(key.venue)
        at = reading.at if reading else 0.0
        known = self._seen.get(key)
        if known is None or known[0] != difference:
            self._seen[key] = (difference, at)
            return False
        return at - known[1] >= SETTLE_S

    def _explain(self, key: MarketKey, difference: Decimal) -> str:
        """A position that shrank towards zero belongs to the trade that held it.

        Of one that went beyond zero, our part is gone and the rest is nobody's.

        Returns:
            What no trade explains, told once; "" when everything is explained.
        """
        ours = self._ledger.held(key)
        theirs = ours + difference
        lost = -ours if ours * theirs < 0 else difference
        trades = [t for t in self._ledger.trades if key in (t.plan.long, t.plan.short)]
        if ours * lost < 0 and len(trades) == 1:
            self._correct(trades[0], key, lost)
            ours += lost
        if ours == theirs:
            return ""
        why = f"{key} holds {plain(theirs)}, the journal explains {plain(ours)}"
        if EXPOSURE not in self._gate.reasons:
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
        self._seen.pop(key, None)
        why = f"{key} lost {plain(abs(difference))} that was not ours to close"
        log.warning(
            "trade.closed_outside",
            message=f"[RECONCILE] {why}",
            trade_id=trade.plan.trade_id,
            venue=key.venue,
            pair=trade.plan.pair,
            size=plain(difference),
            why="a person, a liquidation or a bust changed the position",
            do="nothing: the other leg is reduced by the same amount",
        )
        self._ledger.happen(
            trade.plan.trade_id, Corrected(key.venue, difference, why), durable=True
        )


def _flatten() -> str:
    return f"run {command('flatten')}, then start again"
