"""``trio-run bot4 positions``: what is held, from the living bot, the journal or both venues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs
import trio

from bot4.config.options import PositionsOptions, RunOptions
from bot4.config.schema import Config, Secrets
from bot4.domain.book import BadBook, Keeper
from bot4.domain.market import PARADEX, VENUES, VEST, Market, MarketKey, Pair
from bot4.domain.units import plain
from bot4.invocation import command
from bot4.logs.redact import register_token
from bot4.ports import World
from bot4.report.holding import Holding
from bot4.strategy.premium import Premium
from bot4.strategy.saga import Trade
from bot4.tasks.accounts import Accounts
from bot4.tasks.books import Books
from bot4.tasks.gate import EXPOSURE, Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.judge import Judge
from bot4.tasks.ledger import Ledger
from bot4.tasks.line import SAID
from bot4.transport.http import HttpxDoor
from bot4.transport.world import RealWorld
from bot4.wiring.figures import Sight, row_of
from bot4.wiring.history import Source
from bot4.wiring.rules import fixed_quote, limits_for, mend_rules_for, rules_for
from bot4.wiring.run import open_world
from bot4.wiring.snapshot import read_status
from bot4.wiring.status import FRESH_S, is_held, journaled
from bot4.wiring.venues import speech_of, symbols_of

BOT: Final = "bot"
JOURNAL: Final = "journal"
ASKED: Final = "venues"


@attrs.frozen
class Held:
    """What is held, and how sure that is."""

    holdings: Sequence[Holding]
    """As the journal tells it."""
    figures: Mapping[str, Mapping[str, Any]]
    """By trade; see ``figures.row_of``."""
    source: str
    """``bot``, ``journal`` or ``venues``."""
    remarks: Sequence[str]
    """What a person has to know besides, one line each."""
    now_ms: int
    """The wall clock when it was found."""
    complete: bool = True
    """Whether everything that was asked was told."""


async def find_held(config: Config, options: PositionsOptions) -> Held:
    """Ask the running bot; with none running read the journal, and both venues when told to.

    Nothing is changed anywhere.

    Raises:
        ConfigError: a key is missing, and the venues are to be asked.
        StartRefused: a bot runs and cannot be asked.
        JournalFault: the journal cannot be read.

    Cancellation: safe.
    """
    world = RealWorld()
    holdings = await Source(config, world).holdings()
    said, running = read_status(config), is_held(config, world)
    if said is not None and running:
        figures = {row["trade_id"]: row for row in said["trades"]}
        age_s = (world.wall_ms() - said["wall_ms"]) / 1000
        old = [f"the bot has said nothing for {age_s:.0f} s: these are figures of then"]
        odd = _odd(said["stopped"].get(EXPOSURE, ""))
        remarks = [*odd, *old] if age_s > FRESH_S else odd
        return Held(holdings, figures, BOT, remarks, world.wall_ms())
    if running:
        return Held(
            holdings, {}, JOURNAL, ["a bot starts or flattens: its journal so far"], world.wall_ms()
        )
    if options.ask:
        run_options = RunOptions(config=options.config, live=True)
        async with open_world(config, run_options) as (opened, secrets, way_out):
            return await ask_held(holdings, opened, secrets, way_out)
    ask = f"{command('positions')} --ask"
    remark = f"no bot runs: this is the journal, the venues were NOT asked: {ask}"
    return Held(holdings, {}, JOURNAL, [remark], world.wall_ms())


def _odd(why: str) -> list[str]:
    return [f"no trade explains this: {why}"] if why else []


async def ask_held(
    holdings: Sequence[Holding], config: Config, secrets: Secrets, world: World
) -> Held:
    """Ask both venues for positions and books; say what they hold and the journal does not.

    Args:
        holdings: as the journal tells them.
        config: with the venues' addresses.
        secrets: for signing in.
        world: the way out.

    Cancellation: waits for the exchanges under way, some seconds at most.
    """
    view = _Asked(config, world)
    async with trio.open_nursery() as asking:
        for venue in VENUES:
            asking.start_soon(view.ask, venue, secrets)
    ledger = journaled(config, secrets, world)
    sight = Sight(
        view.books,
        view.accounts,
        fixed_quote(config),
        view.judges(ledger),
        lambda key: view.markets[key].taker_fee if key in view.markets else None,
    )
    figures = {
        trade.plan.trade_id: row_of(sight.of(trade)) | view.corrections(trade)
        for trade in ledger.trades
    }
    remarks = ["no bot runs: both venues were asked just now"] if not view.away else []
    remarks += [f"{venue} was NOT read: {why}" for venue, why in view.away.items()]
    remarks += _odd("; ".join(view.differences(ledger)))
    return Held(holdings, figures, ASKED, remarks, world.wall_ms(), complete=not view.away)


class _Asked:
    """What both venues told when they were asked once."""

    def __init__(self, config: Config, world: World) -> None:
        self._config = config
        self._world = world
        self.books, self.accounts = Books(), Accounts()
        self.markets: dict[MarketKey, Market] = {}
        self.away: dict[str, str] = {}

    async def ask(self, venue: str, secrets: Secrets) -> None:
        speech = speech_of(venue, self._config, secrets, "positions")
        door = HttpxDoor(self._world, speech.rest_url)
        gateway = Gateway(speech.codec, door, self._world, hide=register_token)
        try:
            await gateway.greet()
            account, positions = await gateway.account(), await gateway.positions()
            self.accounts.post(venue, account, positions, trio.current_time())
            self.markets |= {market.key: market for market in await gateway.markets()}
            for symbol in symbols_of(venue, self._config):
                update = await gateway.ask(gateway.codec.book(symbol))
                book = Keeper(MarketKey(venue, symbol)).apply(update, trio.current_time())
                if book is not None:
                    self.books.post(book)
        except SAID as said:
            self.away[venue] = str(said)
        except BadBook as bad:
            self.away[venue] = f"its book: {bad}"
        finally:
            await door.aclose()

    def judges(self, ledger: Ledger) -> dict[str, Judge]:
        """Return a judge of each pair whose two markets are known."""
        found = {}
        for pair in self._config.pairs:
            vest = self.markets.get(MarketKey(VEST, pair.vest))
            paradex = self.markets.get(MarketKey(PARADEX, pair.paradex))
            if vest is None or paradex is None:
                continue
            vest_config = self._config.vest
            found[pair.name] = Judge(
                pair=Pair(pair.name, vest, paradex),
                rules=rules_for(self._config, pair),
                mend=mend_rules_for(self._config, pair),
                limits=limits_for(self._config),
                books=self.books,
                accounts=self.accounts,
                ledger=ledger,
                gate=Gate(),
                quote=lambda: fixed_quote(self._config),
                wall_ms=self._world.wall_ms,
                premium=Premium(vest_config.premium_bps, charged_in=vest_config.premium_in),
            )
        return found

    def corrections(self, trade: Trade) -> dict[str, Any]:
        """Return the figures that the venues tell otherwise: their word on positions wins."""
        keys = (trade.plan.long, trade.plan.short)
        held = [one.size(key) for key in keys if (one := self.accounts.get(key.venue))]
        if len(held) < len(keys):
            return {"unhedged": None}
        if held == [trade.position(key.venue) for key in keys]:
            return {}
        return {"unhedged": plain(sum(held, Decimal(0))), "if_closed_usdc": None}

    def differences(self, ledger: Ledger) -> list[str]:
        """Return what the venues hold otherwise than the journal says, on every market."""
        lines = []
        for venue in VENUES:
            reading = self.accounts.get(venue)
            if reading is None:
                continue
            ours = {
                key
                for trade in ledger.trades
                for key in (trade.plan.long, trade.plan.short)
                if key.venue == venue
            }
            for key in sorted(ours | {one.key for one in reading.positions}, key=str):
                theirs, held = reading.size(key), ledger.held(key)
                if theirs != held:
                    lines.append(f"{key} holds {plain(theirs)}, the journal explains {plain(held)}")
        return lines
