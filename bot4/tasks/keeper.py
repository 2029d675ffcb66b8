"""Keeps the mirror: sends the journal's rows behind the trade, and holds the account's lease.

Nothing waits for it. What cannot be sent stays in the journal and is sent later; what the
database refuses is told and holds nothing else up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import structlog
import trio

from bot4.errors import LeaseLost, MirrorAway, MirrorFault, MirrorRefused, MirrorUnusable
from bot4.invocation import command
from bot4.ports.mirror import Claim, Hold, Post, Shelf, Tables
from bot4.tasks.backoff import Backoff
from bot4.tasks.gate import Gate
from bot4.tasks.stop import StopSign

log = structlog.get_logger()

LEASE: Final = "lease"
"""The gate's reason."""
NAMED_EVERY_S: Final = 60.0
"""Trouble that stays, and how far behind we are, are told this often."""
MENDING_EVERY_S: Final = 60.0
"""How often it is tried again when a person has to mend something."""
JUDGE_EVERY_S: Final = 0.5
LEAVE_S: Final = 3.0
HURRY_S: Final = 1.0
"""When leaving: for all that is left, and for one call."""
SAMPLE_EVERY_S: Final = 60.0
ASIDE_S: Final = 0.02
ASIDE_LIMIT: Final = 100
"""Orders on the wire come first, for at most two seconds."""
REFUSED_SHOWN: Final = 3


@attrs.define
class Keeper:
    """One task, one call at a time."""

    post: Post
    shelf: Shelf
    lease: Hold
    gate: Gate
    closing: StopSign
    backoff: Backoff
    wall_ms: Callable[[], int]
    busy: Callable[[], bool]
    """Whether orders are on the wire."""
    sample: Callable[[], Tables]
    """Why nothing is being done just now, as rows."""
    batch: int
    every_s: float
    _trouble: MirrorFault | None = None
    _trouble_at: float = 0.0
    _told_at: float = float("-inf")
    _sent: int = 0
    _verified: bool = False
    _sampled_at: float = float("-inf")
    _elsewhere: str = ""
    """Who else holds the account."""

    async def keep(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send and renew until the closing sign, then send the rest and give the lease back.

        Started at once: nothing waits for the mirror.

        Cancellation: before the closing sign, safe, may take as long as one call; after it, the
        rest is sent all the same, within ``LEAVE_S``.
        """
        task_status.started()
        async with trio.open_nursery() as leaving:
            leaving.start_soon(self._hurry)
            leaving.start_soon(self._watch_lease)
            try:
                with self.closing.while_running():
                    await self._go_round()
            finally:
                # The services may be cancelled before the call under way has ended.
                if self.closing.raised:
                    # Bounded by the shelf's hurry too, whose calls are shielded themselves.
                    with trio.move_on_after(LEAVE_S, shield=True):
                        await self._leave()
                    self._tell_left()
            leaving.cancel_scope.cancel(reason="the rest was sent")

    async def _go_round(self) -> None:
        while True:  # noqa: ASYNC110 - each round says how long the rest is
            await trio.sleep(await self._round())

    async def _watch_lease(self) -> None:
        while True:  # noqa: ASYNC110 - time itself is what is waited for
            self._judge_lease()
            await trio.sleep(JUDGE_EVERY_S)

    async def _hurry(self) -> None:
        await self.closing.wait()
        self.shelf.hurry(HURRY_S)

    async def _leave(self) -> None:
        try:
            if self._trouble is None and self.lease.held:
                await self._send_all()
            await self.lease.release()
        except MirrorFault:
            return  # the journal has it; the next start sends it

    # -------------------------------------------------------------------------- rounds

    async def _round(self) -> float:
        """Do what is due; return how long to rest, seconds."""
        try:
            if self.lease.due:
                await self._hold()
            if self.lease.held:
                await self._verify()
                await self._send_all()
                await self._send_sample()
        except MirrorAway as away:
            self._complain(away)
            return max(self.backoff.next_delay_s(), self.every_s)
        except (MirrorUnusable, MirrorRefused) as fault:
            self._complain(fault)
            return MENDING_EVERY_S
        except LeaseLost as lost:
            self.lease.lost = lost
            self._complain(lost)
            return MENDING_EVERY_S
        if not self.lease.held:
            return MENDING_EVERY_S
        self.backoff.succeeded()
        self._recovered()
        self._tell()
        return self.every_s

    async def _hold(self) -> None:
        """Renew the lease, or ask for it while we have none."""
        if self.lease.held or self.lease.lost:
            await self.lease.renew()
            return
        claim: Claim = await self.lease.take()
        if claim.granted:
            self._elsewhere = ""
            log.info(
                "mirror.ready",
                message=f"[MIRROR] Supabase keeps a copy of the journal, "
                f"{self.post.lag_rows} rows to send",
                lag_rows=self.post.lag_rows,
                token=self.lease.token,
            )
            return
        if claim.holder != self._elsewhere:
            self._elsewhere = claim.holder
            log.error(
                "lease.refused",
                message=f"[SAFETY] Another bot holds this account: {claim.holder}",
                holder=claim.holder,
                seen_s=claim.seen_s,
                why=f"{claim.holder} was heard of {claim.seen_s} s ago",
                do="stop one of the two; this one closes and holds, and opens nothing",
            )

    async def _verify(self) -> None:
        """Once: what we sent before must be there, or the project is another one."""
        if self._verified:
            return
        last = await self.post.catch_up()
        if last and not await self.shelf.has_event(last):
            self.post.start_over()
            log.warning(
                "mirror.restarted",
                message="[MIRROR] Supabase lacks what was sent before: everything is sent again",
                why="the project was emptied or replaced",
                do="nothing",
            )
        self._verified = True

    async def _send_all(self) -> None:
        while (batch := await self.post.next(self.batch)) is not None:
            await self._step_aside()
            refused = await self.shelf.push(batch.tables, self.lease.token or 0)
            before = self.post.lag_rows
            self.post.confirm(batch)
            self._sent += before - self.post.lag_rows
            self._tell_refused(refused)
            if self.lease.due:
                await self.lease.renew()

    async def _send_sample(self) -> None:
        now = trio.current_time()
        if now - self._sampled_at >= SAMPLE_EVERY_S:
            self._sampled_at = now
            self._tell_refused(await self.shelf.push(self.sample(), self.lease.token or 0))

    async def _step_aside(self) -> None:
        for _ in range(ASIDE_LIMIT):
            if not self.busy():
                return
            await trio.sleep(ASIDE_S)

    def _judge_lease(self) -> None:
        """Nothing opens while another bot may hold the account."""
        if self._elsewhere or self.lease.lost:
            why = "another bot holds this account"
        elif self.lease.left_s > 0 or self._never_in_force:
            self.gate.clear(LEASE)
            return
        else:
            why = f"Supabase has not confirmed our lease for {self.lease.ttl_s} s"
        self.gate.block(LEASE, why, "make Supabase reachable, or set mirror.enabled to off")

    @property
    def _never_in_force(self) -> bool:
        """The mirror cannot be used and never was in this run: as if there were none."""
        return not self.lease.held and isinstance(self._trouble, MirrorUnusable)

    # ------------------------------------------------------------------------- telling

    def _lag(self) -> dict[str, Any]:
        oldest = self.post.oldest_ms
        lag_s = 0.0 if oldest is None else max(0, self.wall_ms() - oldest) / 1000
        return {"lag_rows": self.post.lag_rows, "lag_s": round(lag_s, 1)}

    def _complain(self, fault: MirrorFault) -> None:
        now = trio.current_time()
        if self._trouble is None:
            self._trouble_at = now
        news = type(fault) is not type(self._trouble)
        self._trouble = fault
        if not news and now - self._told_at < NAMED_EVERY_S:
            return
        self._told_at = now
        told = {"why": fault.why, "do": fault.do, "since_s": round(now - self._trouble_at, 1)}
        lag = self._lag()
        message = f"[MIRROR] {fault}; {lag['lag_rows']} journal rows wait here, trading goes on"
        if isinstance(fault, LeaseLost):
            log.error("lease.lost", message=f"[SAFETY] {fault}", **told, **lag)
        elif isinstance(fault, MirrorAway):
            log.warning("mirror.away", message=message, **told, **lag)
        else:
            log.warning("mirror.unusable", message=message, **told, **lag)

    def _recovered(self) -> None:
        if self._trouble is None:
            return
        away_s = trio.current_time() - self._trouble_at
        self._trouble = None
        log.info(
            "mirror.caught_up",
            message=f"[MIRROR] Supabase is back after {away_s:.0f} s; all of it was sent",
            away_s=round(away_s, 1),
            rows=self._sent,
            **self._lag(),
        )

    def _tell(self) -> None:
        now = trio.current_time()
        if self._sent and now - self._told_at >= NAMED_EVERY_S:
            self._told_at = now
            log.info(
                "mirror.sent",
                message=f"[MIRROR] {self._sent} journal rows copied, {self.post.lag_rows} behind",
                rows=self._sent,
                **self._lag(),
            )
            self._sent = 0

    def _tell_left(self) -> None:
        if left := self.post.lag_rows:
            log.warning(
                "mirror.away",
                message=f"[MIRROR] {left} journal rows could not be sent in time",
                lag_rows=left,
                why="Supabase did not take them before the bot left",
                do="nothing: they are sent after the next start on this machine",
            )

    def _tell_refused(self, refused: Sequence[str]) -> None:
        if refused:
            log.warning(
                "mirror.refused",
                message=f"[MIRROR] Supabase refused {len(refused)} rows; the journal keeps them",
                rows=len(refused),
                why="; ".join(refused[:REFUSED_SHOWN]),
                do=f"run {command('db check')}; if it says ok, send this line",
            )
