"""One venue's session: signed in, clock measured, account known, for as long as we live."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

import attrs
import structlog
import trio

from bot4.domain.market import Market, MarketKey, unlisted
from bot4.domain.position import Account
from bot4.errors import AddressRefused, AuthRefused, StartRefused
from bot4.invocation import command
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.health import health_of
from bot4.tasks.line import SAID
from bot4.tasks.stop import StopSign
from bot4.tasks.upkeep import Upkeep

log = structlog.get_logger()

RETRY_S = 1.0
NAMED_EVERY_S = 10.0
"""A venue that stays away is named this often."""
ACCOUNT_EVERY_S = 10.0
CLOCK_EVERY_S = 30.0
SHOWN = 5
MOVE = "switch off any VPN or try another network; ask the venue whether it serves your country"
ACCOUNT_LIMIT_S = 60.0
"""An account reading older than this stops opening."""


@attrs.define
class Session:
    """Keeps one gateway usable; ``markets`` is filled when it has started."""

    gateway: Gateway
    listener: OrderListener
    accounts: Accounts
    gate: Gate
    symbols: tuple[str, ...]
    leverage: int
    clock_limit_ms: int
    markets: dict[str, Market] = attrs.field(factory=dict)
    closing: StopSign = attrs.field(factory=StopSign)
    """Raised when the streams close: nothing is read any more, and no silence complained of."""
    open_orders: int | None = None
    """How many of the account rest, when that was last asked; None before."""
    relisted: Callable[[], object] = lambda: None
    """Called when a market is listed again: its books have to be subscribed to."""
    unlisted: set[str] = attrs.field(factory=set)
    """Symbols of ours that the venue does not list: nothing is subscribed to there."""
    _upkeep: Upkeep | None = None
    _complained_at: float = float("-inf")

    async def keep(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Sign in, learn the markets, then renew and re-read for ever.

        Started: signed in, markets and account known, leverage set.

        Raises:
            AuthRefused: the venue refused our credentials at start.
            StartRefused: the venue shows somebody else's account.

        Cancellation: safe.
        """
        await self._open()
        task_status.started()
        clocked = trio.current_time()
        while True:
            sick = health_of(self.gateway.venue) in self.gate.reasons
            with trio.move_on_after(RETRY_S if sick else ACCOUNT_EVERY_S):
                await self.listener.wait_stale()
            if self.closing.raised:
                return
            await self._keep_up()
            try:
                await self.gateway.get_ready()
                await self.read_account()
                if not self.gateway.clock_known or trio.current_time() - clocked > CLOCK_EVERY_S:
                    await self.gateway.sync_clock()
                    clocked = trio.current_time()
                    await self.gateway.warm()
                    self.open_orders = len(await self.gateway.open_orders())
                self._judge_address(None)
            except SAID as said:
                self._judge_address(said)
                self._complain(said)
                await trio.sleep(RETRY_S)
            self._judge_clock()
            self.gateway.allowance.refresh()
            self._judge_age()
            self._judge_line()

    async def _keep_up(self) -> None:
        """Ask what is due; that it fails must not keep the account from being read."""
        if self._upkeep is not None:
            try:
                await self._upkeep.run_due()
                if self._upkeep.back:
                    await self._set_leverage()
                    self._upkeep.back = False
                    self.relisted()
            except SAID as said:
                self._complain(said)

    async def read_account(self) -> None:
        """Read account and positions once. Raises as ``Gateway.ask``."""
        asked = trio.current_time()
        account = await self.gateway.account()
        positions = await self.gateway.positions(self.symbols)
        self.accounts.post(self.gateway.venue, account, positions, asked)
        self._judge_account(account)

    async def why_shut(self, symbol: str) -> str:
        """Ask now why no order of a market can be executed; "" when all can, as far as is told.

        Cancellation: waits for the question under way.
        """
        if self._upkeep is not None:
            try:
                await self._upkeep.look_now()
            except SAID as said:
                return str(said)
        return self.gate.shut([MarketKey(self.gateway.venue, symbol)])

    async def _open(self) -> None:
        while True:
            try:
                await self.gateway.greet()
                self._judge_clock()
                await self._learn_markets()
                await self.read_account()
                self._refuse_stranger()
                await self._set_leverage()
                await self.gateway.warm()
                self.open_orders = len(await self.gateway.open_orders())
            except AuthRefused:
                raise
            except SAID as said:
                self._complain(said)
                await trio.sleep(RETRY_S)
            else:
                venue = self.gateway.venue
                self.gate.clear(f"{venue} account")
                log.info(
                    "venue.ready",
                    message=f"[VENUE] {venue} ready, api {self.gateway.codec.api_version}",
                    venue=venue,
                    clock_offset_ms=self.gateway.offset_ms,
                )
                return

    async def _learn_markets(self) -> None:
        listed = {market.key.symbol: market for market in await self.gateway.markets()}
        keys = {symbol: MarketKey(self.gateway.venue, symbol) for symbol in self.symbols}
        self.markets |= {one: listed.get(one) or unlisted(key) for one, key in keys.items()}
        self._upkeep = Upkeep(self.gateway, self.gate, self.markets, self.unlisted)
        for symbol, key in keys.items():
            if symbol not in listed:
                why = f"{key.venue} does not list {symbol}; it has {near(symbol, listed)}"
                self.gate.block(f"{key.venue} {symbol}", why, _gone(key.venue), on=key, shut=True)
                self._upkeep.miss(symbol)
            else:
                self._upkeep.compare(symbol, listed[symbol])
        await self._upkeep.run_due()

    async def _set_leverage(self) -> None:
        reading = self.accounts.get(self.gateway.venue)
        known = dict(reading.account.leverages) if reading else {}
        # A venue lets it fall on a market only while nothing is held there.
        held = {one.key.symbol for one in reading.positions if one.size} if reading else set()
        for symbol in self.symbols:
            wanted = min(self.leverage, int(self.markets[symbol].max_leverage))
            if symbol in self.unlisted:
                continue
            if known.get(symbol) != wanted and symbol not in held:
                await self.gateway.set_leverage(symbol, wanted)

    def _judge_clock(self) -> None:
        venue, offset = self.gateway.venue, self.gateway.offset_ms
        off = abs(offset) > self.clock_limit_ms
        self.gate.judge(
            f"{venue} clock",
            f"our clock is {offset} ms off {venue}'s" if off else "",
            "set this machine's clock (timedatectl set-ntp true)",
        )

    def _judge_account(self, account: Account) -> None:
        venue = self.gateway.venue
        theirs = account.stranger and f"the account shown is {account.stranger}, not ours"
        why = f"{venue}: {account.trouble or theirs}" if account.trouble or theirs else ""
        wait = f"look at {venue}'s page; it is read again every {ACCOUNT_EVERY_S:g} s"
        self.gate.judge(f"{venue} account status", why, wait, on=venue)

    def _refuse_stranger(self) -> None:
        reading, venue = self.accounts.get(self.gateway.venue), self.gateway.venue
        if reading is not None and (theirs := reading.account.stranger):
            raise StartRefused(
                f"{venue} shows the account of {theirs}, which is not the configured one",
                f"check {venue}'s keys in .env; if they are right, ask the venue: it may route "
                "us to the wrong account group",
            )

    def _judge_address(self, said: Exception | None) -> None:
        """Closing one leg where the other venue turns us away would leave that one naked."""
        venue = self.gateway.venue
        if said is None or isinstance(said, AddressRefused):
            why = "" if said is None else f"{venue} turns this address away: {said}"
            self.gate.judge(f"{venue} address", why, MOVE, on=venue, shut=True)

    def _judge_age(self) -> None:
        venue = self.gateway.venue
        age = self.accounts.age_s(venue)
        why = f"{venue}'s account was last read {age:.0f} s ago" if age > ACCOUNT_LIMIT_S else ""
        self.gate.judge(f"{venue} account", why, "check the network and the venue's status")

    def _judge_line(self) -> None:
        venue, slow = self.gateway.venue, self.gateway.window.hold()
        why = "" if slow is None else f"{venue}: {slow.detail}"
        self.gate.judge(f"{venue} line", why, "look at your network")

    def _complain(self, said: Exception) -> None:
        now = trio.current_time()
        if self.closing.raised or now - self._complained_at < NAMED_EVERY_S:
            return
        self._complained_at = now
        log.warning(
            "venue.unreachable",
            message=f"[VENUE] {said}",
            venue=self.gateway.venue,
            why=str(said),
            do=MOVE
            if isinstance(said, AddressRefused)
            else "nothing: it is asked again; check your network if it stays away",
        )


def near(symbol: str, listed: Iterable[str]) -> str:
    """Some of the listed names, those first that look like this one."""
    names = sorted(listed)
    alike = get_close_matches(symbol, names, SHOWN, cutoff=0.5)
    shown = [*alike, *(name for name in names if name not in alike)][:SHOWN]
    return ", ".join(shown) or "no market"


def _gone(venue: str) -> str:
    return (
        f"mend the name in bot4.yaml or remove its pair; if it was delisted and a position is "
        f"left there, close it on {venue}'s page, then run {command('flatten')}"
    )
