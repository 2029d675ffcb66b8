"""After the last trouble: the world is honest, and the bot has to trade again within a bound."""

from __future__ import annotations

import signal
from decimal import Decimal
from typing import Final

import attrs
import trio

from bot4.domain.market import VENUES
from bot4.strategy.saga import State
from bot4.tasks.gate import EXPOSURE
from bot4.wiring.flatten import flatten_all, open_flatteners
from universelib.life import Life, Stage
from universelib.rounds import DUST

WITHIN_S: Final = 75.0
"""From the last trouble to a new attempt that ends flat or hedged: the 30 s of pause after a
failed pair, a doubt with its fence, reconnecting, and two chances of a spread."""
NEVER_S: Final = 600.0
LOOK_S: Final = 0.25
WATCH_S: Final = 0.5
PERSON_S: Final = 15.0
"""When somebody looks, who reads that the bot asks for flatten."""
GAP_EVERY_S: Final = 9.0
GAP_S: Final = 4.0
GAP_BPS: Final = 45.0
UNSPOKEN: Final = frozenset({"vest api", "paradex api"})
RESTARTS: Final = frozenset({"journal"}) | UNSPOKEN
"""Reasons for which a person is told to start the bot again."""
LASTING: Final = frozenset({"breaker", "daily_loss"})
"""Reasons for which the bot rightly opens nothing for longer than any bound here."""
LIMITS: Final = " limits"
"""How the reasons end that close a market for a minute, or longer where they come again."""
ELIGIBLE_BPS: Final = 24.0
ELIGIBLE_S: Final = 1.5
"""A spread is eligible when it is above the threshold at size for so long."""
READY_S: Final = 5.0
SETTLED: Final = frozenset({State.FLAT, State.HEDGED})


@attrs.define
class Honest:
    """The honest while of one universe, and what was found wrong in it."""

    stage: Stage
    found: list[str] = attrs.field(factory=list)
    eligible: int = 0
    captured: int = 0
    by_hand: int = 0
    """How often a person had to run flatten, as the bot said."""
    _restarted: bool = False
    _mark: int = 0
    """Where the log of the life begins."""

    def held(self) -> bool:
        """Tell whether a venue holds a position."""
        box = self.stage.universe.box
        return any(v.ledger.position(s).size for v in (box.vest, box.paradex) for s in v.markets)

    def net(self) -> Decimal:
        """Return the base exposure over both venues."""
        box = self.stage.universe.box
        sizes = [v.ledger.position(s).size for v in (box.vest, box.paradex) for s in v.markets]
        return sum(sizes, Decimal(0))

    def _short(self) -> bool:
        vest = self.stage.universe.box.vest
        return any(vest.ledger.position(symbol).size < 0 for symbol in vest.markets)

    async def live(self, life: Life, until_s: float) -> bool:
        """Run the last bot through what is left of the troubles, then see it trade; stop it.

        Returns:
            Whether a person would start the bot again: it ended by itself, or said so.
        """
        self._mark = len(self.stage.log.events)
        async with trio.open_nursery() as living:
            living.start_soon(life.live)
            with trio.move_on_at(until_s):
                await life.ended.wait()
            ended = life.ended.is_set()
            if not ended:
                self.stage.calm()
            again = ended or await self._revive(life)
            if not ended:
                life.signals.deliver(signal.SIGINT)
                with trio.fail_after(NEVER_S):
                    await life.ended.wait()
        if again and self._unexplained() and not self.by_hand:
            self.by_hand += 1
            await self._flatten()
            return True
        if again and trio.current_time() >= until_s:
            if self._restarted:
                self.found.append("L: the bot would not go on after a restart")
                return False
            self._restarted = True
        elif again:
            await trio.sleep(1.0)
        return again

    async def close(self, life: Life) -> None:
        """Run a bot that flattens, and stop it: it leaves with nothing held."""
        async with trio.open_nursery() as living:
            living.start_soon(life.live)
            # The feeds, the account and a comparison of positions; nothing else is waited for.
            await trio.sleep(READY_S)
            life.signals.deliver(signal.SIGINT)
            with trio.fail_after(NEVER_S):
                await life.ended.wait()

    def _unexplained(self) -> bool:
        """Tell whether the bot has found what no trade explains, and it is still there."""
        told = [
            line["event"]
            for line in self.stage.log.said("opening.stopped", "opening.resumed")
            if line["reason"] == EXPOSURE
        ]
        return told[-1:] == ["opening.stopped"] and self.net() != 0

    def _paused(self) -> bool:
        """Whether a market is closed because its limits refused an order."""
        closed = {}
        for line in self.stage.log.said("opening.stopped", "opening.resumed", since=self._mark):
            if line["reason"].endswith(LIMITS):
                closed[line["reason"]] = line["event"] == "opening.stopped"
        return any(closed.values())

    def _paused_until(self) -> float:
        """When a market opened again whose limits had refused an order: a minute at the least."""
        resumed = self.stage.log.said("opening.resumed", since=self._mark)
        return max((line["at"] for line in resumed if line["reason"].endswith(LIMITS)), default=0.0)

    def _asks(self) -> bool:
        """Tell whether the bot asks for what a person has not done yet: flatten, or a new start."""
        told = self.stage.log.said("opening.stopped", since=self._mark)
        unspoken = any(line["reason"] in UNSPOKEN for line in told)
        return (self._unexplained() and not self.by_hand) or (unspoken and not self._restarted)

    async def _flatten(self) -> None:
        """Do what the bot asks a person for: close everything, with the bot away."""
        stage = self.stage
        stage.disk = stage.disk.left(power_lost=False)
        there, world = stage.universe, stage.universe.new_world(99, stage.disk.open)
        every: dict[str, frozenset[str] | None] = dict.fromkeys(VENUES)
        async with open_flatteners(there.config, there.secrets, world, every) as flatteners:
            code = await flatten_all(flatteners)
        if code:
            self.found.append(f"flatten ended with {code}")

    async def _revive(self, life: Life) -> bool:
        """Wait until the bot trades again; return whether it asks to be started again."""
        stage, began, mark = self.stage, trio.current_time(), len(self.stage.log.events)
        gap_at = began + 2.0
        while trio.current_time() < max(began, self._paused_until()) + WITHIN_S:
            looked = trio.current_time() > began + PERSON_S
            if life.ended.is_set() or (looked and self._asks()):
                return True
            if trio.current_time() >= gap_at:
                gap_at += GAP_EVERY_S
                # What is held gets the gap that lets it go; nothing else would end a long wait.
                bps = -GAP_BPS if self._short() else GAP_BPS
                gap = {"venue": "vest", "kind": "gap_jump", "bps": bps, "seconds": GAP_S}
                stage.universe.strike(gap)
            await trio.sleep(LOOK_S)
            tried = stage.log.said("pair.opening", since=mark)
            if tried and stage.situations.state in SETTLED and abs(self.net()) < DUST:
                return False
        reasons = {
            line["reason"]: line.get("why") or line.get("detail")
            for line in stage.log.said("opening.stopped", "entry.held", since=self._mark)
            if line["event"] == "opening.stopped" or line["at"] >= began
        }
        if abs(self.net()) >= DUST:
            self.found.append(f"L: naked {self.net()} so long after the last trouble")
        elif not LASTING & set(reasons) and not self._paused():
            if RESTARTS & set(reasons) and not self._restarted:
                return True
            self.found.append(f"L: not trading {WITHIN_S:g} s after the last trouble: {reasons}")
        return False


async def watch(stage: Stage, honest: Honest) -> None:
    """Count the spreads that were worth an entry, and those that became one, for ever."""
    began, mark, sign, free = None, 0, 0.0, False
    while True:
        await trio.sleep(WATCH_S)
        gap = stage.universe.box.model.gap_bps("BTC")
        if abs(gap) >= ELIGIBLE_BPS and (began is None or gap * sign > 0):
            if began is None:
                # A spread that comes while a pair is held, or before anybody looks, is none.
                began, mark, sign = trio.current_time(), len(stage.log.events), gap
                free = not honest.held() and trio.current_time() > READY_S
            continue
        if began is not None and free and trio.current_time() - began >= ELIGIBLE_S:
            honest.eligible += 1
            honest.captured += bool(stage.log.said("pair.opened", since=mark))
        began = None
