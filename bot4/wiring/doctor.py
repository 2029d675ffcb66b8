"""``trio-run bot4 doctor``: does everything that trading needs work, step by step, and if not, why.

Opens no position. Beside a running bot it asks that one how each part works: a second sign-in may
end the bot's session. Only ``--probe-orders`` is refused then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from bot4.config.load import load_config
from bot4.config.options import DoctorOptions, RunOptions
from bot4.config.schema import Config, Secrets
from bot4.domain.book import BookUpdate
from bot4.domain.market import PARADEX, VENUES, Market
from bot4.domain.units import plain
from bot4.errors import ExitCode, VenueError
from bot4.invocation import command
from bot4.logs.redact import register_token
from bot4.ports import Acknowledged, Notice, World
from bot4.tasks.gateway import Gateway
from bot4.tasks.stop import StopSign
from bot4.transport.http import HttpxDoor
from bot4.wiring.accounts import lock_to_close
from bot4.wiring.doctor_beside import NETWORK, Step, steps_of_bot
from bot4.wiring.flatten import only_hand
from bot4.wiring.listening import LIMIT_S, listen
from bot4.wiring.pairing import MEND, configured_faults, market_words, on_both
from bot4.wiring.probe import probe
from bot4.wiring.run import open_world
from bot4.wiring.venues import Speech, order_door, order_line, speech_of, symbols_of

KEYS: Final = "check the keys in .env: right account, right network, registered with the venue"
Say = Callable[[Step], None]


class _Failed(Exception):
    """A step did not do what it should; both texts are for a person."""

    def __init__(self, said: str, do: str) -> None:
        super().__init__(said)
        self.said, self.do = said, do


async def run_doctor(options: DoctorOptions, say: Say) -> ExitCode:
    """Try every step at each venue, in order, telling each as it ends.

    Args:
        options: which venues, and whether to send a far order.
        say: takes every step as it ends.

    Returns:
        CLEAN when all of them are fine, else LEFT_OPEN.

    Raises:
        ConfigError: bot4.yaml or a key is unusable.
        StartRefused: a process holds the account and says nothing, or orders are to be probed
            beside it.

    Cancellation: an order that was sent is cancelled first, within seconds.
    """
    config = load_config(options.config, live_flag=True)
    run_options = RunOptions(config=options.config, live=True)
    venues = VENUES if options.venue is None else (options.venue,)
    ordering = venues if options.probe_orders else ()
    if not options.probe_orders and (told := steps_of_bot(config, venues)) is not None:
        for step in told:
            say(step)
        return ExitCode.CLEAN if all(step.ok for step in told) else ExitCode.LEFT_OPEN
    async with (
        only_hand(config, ask=False, force=False),
        open_world(config, run_options) as (opened, secrets, world),
        lock_to_close(opened, secrets, world, ordering, force=False),
    ):
        return await examine_all(
            opened, secrets, world, venues, say, probe_orders=options.probe_orders
        )


async def examine_all(
    config: Config,
    secrets: Secrets,
    world: World,
    venues: Sequence[str],
    say: Say,
    *,
    probe_orders: bool,
) -> ExitCode:
    """Examine one venue after the other. As ``run_doctor``, in a world already open."""
    tag = "".join(world.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=6))
    fine = True
    listed: dict[str, Mapping[str, Market]] = {}
    for venue in venues:
        speech = speech_of(venue, config, secrets, tag)
        rest = HttpxDoor(world, speech.rest_url)
        socket = order_door(speech, rest, world)
        try:
            async with trio.open_nursery() as counter:
                gateway = Gateway(speech.codec, socket or rest, world, hide=register_token)
                await counter.start(gateway.run)
                patient = _Patient(config, world, speech, gateway, say)
                if socket is not None:
                    socket.renew = gateway.sign_in
                    line = order_line(socket, world)
                    patient.open_line = partial(counter.start, line.keep, StopSign())
                await patient.examine(probe_orders=probe_orders)
                fine = fine and patient.fine
                listed[venue] = patient.listed
                counter.cancel_scope.cancel(reason="examined")
        finally:
            await rest.aclose()
    if all(listed.get(venue) for venue in VENUES):
        faults = configured_faults(config, listed)
        step = Step("both", "pairs", ok=not faults, said="; ".join(faults) or on_both(listed))
        say(attrs.evolve(step, do=MEND if faults else ""))
        fine = fine and step.ok
    return ExitCode.CLEAN if fine else ExitCode.LEFT_OPEN


class _Patient:
    """One venue on the table."""

    def __init__(
        self, config: Config, world: World, speech: Speech, gateway: Gateway, say: Say
    ) -> None:
        self.fine = True
        self.listed: Mapping[str, Market] = {}
        """Every market of the venue, by symbol."""
        self.open_line: Callable[[], Awaitable[None]] | None = None
        """Opens the WebSocket that orders go over, where they do."""
        self._config = config
        self._world = world
        self._speech = speech
        self._gateway = gateway
        self._say = say
        self._symbols = symbols_of(gateway.venue, config)
        self._markets: dict[str, Market] = {}

    async def examine(self, *, probe_orders: bool) -> None:
        """Try everything; what depends on a step that failed is left out."""
        if not await self._step("reach", self._reach, NETWORK):
            return
        await self._step("open for orders", self._ask_state, "wait until the venue is open")
        await self._step("markets", self._read_markets, NETWORK)
        await self._step("public stream", self._hear_books, NETWORK)
        if not await self._step("sign in", self._sign_in, KEYS):
            return
        await self._step("clock", self._measure_clock, NETWORK)
        await self._step("account", self._read_account, KEYS)
        private = "private stream" if self._gateway.venue == PARADEX else "listen key and stream"
        await self._step(private, self._hear_orders, KEYS)
        if self.open_line is not None:
            await self._step("order stream", self._open_line, KEYS)
        if probe_orders and self._markets:
            market = next(iter(self._markets.values()))
            leverage = self._config.risk.venue_leverage
            await self._step(
                "far order", lambda: probe(self._gateway, market, leverage), _open_orders()
            )

    async def _step(self, name: str, work: Callable[[], Awaitable[str]], do: str) -> bool:
        venue = self._gateway.venue
        try:
            said = await work()
        except _Failed as failed:
            step = Step(venue, name, ok=False, said=failed.said, do=failed.do)
        except VenueError as fault:
            step = Step(venue, name, ok=False, said=fault.why, do=do)
        else:
            step = Step(venue, name, ok=True, said=said)
        self.fine = self.fine and step.ok
        self._say(step)
        return step.ok

    async def _reach(self) -> str:
        await self._gateway.sync_clock()
        return f"answers; api {self._gateway.codec.api_version}"

    async def _ask_state(self) -> str:
        why = await self._gateway.state()
        if why:
            raise _Failed(why, "wait: look at the venue's status page")
        return "yes" if self._gateway.venue == PARADEX else "told market by market"

    async def _measure_clock(self) -> str:
        await self._gateway.sync_clock()
        offset, error = self._gateway.offset_ms, self._gateway.clock_error_ms
        said = f"{offset:+d} ms from ours (+-{error})"
        if abs(offset) - error > self._config.ages.clock_offset_ms:
            raise _Failed(said, "set this machine's clock (timedatectl set-ntp true)")
        return said

    async def _read_markets(self) -> str:
        listed = {market.key.symbol: market for market in await self._gateway.markets()}
        self.listed = listed
        missing = [symbol for symbol in self._symbols if symbol not in listed]
        if missing:
            raise _Failed(
                f"{', '.join(missing)} not listed",
                f"mend pairs in bot4.yaml; it has for instance {', '.join(sorted(listed)[:5])}",
            )
        self._markets = {symbol: listed[symbol] for symbol in self._symbols}
        said = "; ".join(market_words(market) for market in self._markets.values())
        closed = [symbol for symbol, market in self._markets.items() if not market.trading]
        if closed:
            raise _Failed(f"{said}; {', '.join(closed)} not trading", "wait, or remove the pair")
        return said

    async def _sign_in(self) -> str:
        await self._gateway.sign_in()
        due_ms = self._gateway.codec.login_due_ms() - self._gateway.now_ms()
        return f"accepted; to be renewed in {due_ms // 1000} s"

    async def _read_account(self) -> str:
        gateway = self._gateway
        account, positions = await gateway.account(), await gateway.positions()
        orders = await gateway.open_orders()
        tokens = await gateway.ask_signed_in(gateway.codec.balances)
        owned = ", ".join(f"{plain(size)} {token}" for token, size in tokens if size)
        held = ", ".join(f"{one.key.symbol} {plain(one.size)}" for one in positions if one.size)
        said = (
            f"{owned or 'no money'}; equity {plain(account.equity)} USDC, "
            f"free {plain(account.free_collateral)}, holds {held or 'nothing'}, "
            f"{len(orders)} open orders"
        )
        if account.free_collateral <= 0:
            raise _Failed(said, "deposit USDC on the venue")
        return said

    async def _hear_books(self) -> str:
        missing = set(self._symbols)

        def hear(notice: Notice) -> bool:
            if isinstance(notice, BookUpdate):
                missing.discard(notice.symbol)
            return not missing

        took_s = await listen(self._world, self._speech.public, hear)
        if missing:
            raise _Failed(f"no book of {', '.join(sorted(missing))} in time", NETWORK)
        return f"a book of every pair within {took_s:.1f} s, {self._gateway.codec.api_version}"

    async def _hear_orders(self) -> str:
        greetings, heard = 0, 0

        def hear(notice: Notice) -> bool:
            nonlocal heard
            heard += isinstance(notice, Acknowledged)
            return heard >= greetings

        greetings = len(self._speech.private.hello())
        await listen(self._world, self._speech.private, hear)
        if heard < greetings:
            raise _Failed(f"{heard} of {greetings} requests acknowledged in time", KEYS)
        return "opened, and every subscription acknowledged"

    async def _open_line(self) -> str:
        with trio.move_on_after(LIMIT_S):
            if self.open_line is not None:
                await self.open_line()
            return "opened, and cancel on disconnect is armed"
        raise _Failed("it did not open in time", NETWORK)


def _open_orders() -> str:
    return f"look at open orders on the venue's page; {command('flatten')} cancels them"
