"""Both simulated venues without sockets: requests and events are handed over as values.

The venues' logic, their market and their latencies, and the bot's codecs are those that run over
the wire. Only signatures are made and not checked: a check takes longer than everything else.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import inf
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
import trio

from bot4.config.schema import Config
from bot4.domain.book import Book, Ladder
from bot4.domain.market import PARADEX, VENUES, VEST, MarketKey
from bot4.ports import Answer, Frame, InDoubt, NotSent, Request
from bot4.simulator.faults import FaultMenu
from bot4.simulator.latency import Latency
from bot4.simulator.liquidity import BookLiquidity, CurveLiquidity, Liquidity
from bot4.simulator.market import MarketModel
from bot4.simulator.options import Options
from bot4.simulator.orders import Depth, Level
from bot4.simulator.paradex.venue import ParadexVenue
from bot4.simulator.profiles import Profile
from bot4.simulator.serve import Answered, Hang, HttpRequest
from bot4.simulator.setup import VenueSetup
from bot4.simulator.venue import SimVenue
from bot4.simulator.vest import digests, intake, sessions
from bot4.simulator.vest.venue import VestVenue
from bot4.wiring.simulator import embed
from bot4.wiring.universe import ADDRESSES, plain_config, wall_ms
from bot4.wiring.venues import Speech, speech_of

BASE: Final = "BTC"
KEYS_SEED: Final = 1
"""Whose keys all worlds use: they have nothing to do with what happens."""
TOKEN_S: Final = 1e6
"""Nobody renews a token while nothing is traded: that time is skipped."""
COLLATERAL: Final = Decimal(10_000)
LEVERAGE: Final = 10
PREFIXES: Final = {VEST: "/v2", PARADEX: "/v1"}
CONNECT_S: Final = 0.02
"""How soon a refused connection is known."""

DARK: Final = ("refuse_connect", "maintenance", "halt")

Answers = Callable[[HttpRequest], Awaitable[Answered]]
Heard = Callable[[str, str | bytes], None]
"""Told of every private frame: the venue, and what it says."""


@attrs.frozen
class Twins:
    """One world: a market, a fault menu and two venues, whose agendas are to be run."""

    model: MarketModel
    faults: FaultMenu
    venues: dict[str, SimVenue]
    answers: dict[str, Answers]
    config: Config
    speech: dict[str, Speech]
    owner: str
    """Vest's address of the account."""

    def equity(self) -> Decimal:
        """Return what both accounts are worth at the venues' own prices, USDC."""
        return sum((venue.ledger.equity(venue.mark) for venue in self.venues.values()), Decimal(0))

    def positions(self) -> dict[str, Decimal]:
        """Return the true positions, signed base units."""
        return {
            name: venue.ledger.position(symbol_of(venue)).size
            for name, venue in self.venues.items()
        }

    def price(self) -> float:
        """Return the price of one unit now, USDC."""
        return float(self.model.index(BASE))

    def book(self, venue: str, key: MarketKey) -> Book:
        """Return the book as the venue's feed shows it now."""
        shown = self.venues[venue].published(key.symbol)
        return _book(key, shown, trio.current_time())

    def reachable(self, venue: str) -> bool:
        """Whether the venue takes connections now."""
        return self.faults.active(venue, "refuse_connect") is None

    def speaks(self, venue: str) -> bool:
        """Whether the venue's public feed runs now."""
        return self.faults.active(venue, "silence") is None

    def dark(self, venue: str) -> bool:
        """Whether nothing can be traded at the venue now."""
        return any(self.faults.active(venue, kind) for kind in DARK)


def build(seed: int, profile: Profile, line: str, saved: Callable[[], None]) -> Twins:
    """Build a world; call it inside ``trio.run``.

    Args:
        seed: decides market, depth and latencies.
        profile: the kind of market.
        line: what lies between the bot and the venues, a name of ``latency.LINES``.
        saved: called whenever a venue has changed.
    """
    options = Options(seed=seed, bases=(BASE,), line=line, collateral=COLLATERAL)
    faults, model = FaultMenu(), MarketModel(seed, profile, options.starts())

    def setup(name: str) -> VenueSetup:
        shape = profile.shapes[name]
        liquidity: Liquidity = CurveLiquidity(shape) if name == VEST else BookLiquidity(shape, seed)
        return VenueSetup(
            name=name,
            seed=KEYS_SEED,
            markets=options.markets(name),
            model=model,
            liquidity=liquidity,
            faults=faults,
            latency=Latency(name, seed, 1.0, line),
            wall_ms=wall_ms,
            save=lambda *_: saved(),
            switches={"token_life_s": TOKEN_S} if name == PARADEX else {},
        )

    vest, paradex = VestVenue(setup(VEST)), ParadexVenue(setup(PARADEX))
    paradex.notary.signed = lambda *_: True  # type: ignore[method-assign]
    paradex.notary.order_hash = lambda **_: 0  # type: ignore[method-assign]
    for venue in (vest, paradex):
        venue.ledger.collateral = COLLATERAL
        venue.ledger.leverage[symbol_of(venue)] = LEVERAGE
    keys = {**vest.credentials(), **paradex.credentials()}
    config, secrets = embed(plain_config(Path(), seed), ADDRESSES, keys)
    return Twins(
        model=model,
        faults=faults,
        venues={VEST: vest, PARADEX: paradex},
        answers={
            VEST: vest._rest._answer,  # noqa: SLF001 - the face below its HTTP server
            PARADEX: paradex._rest_face._answer,  # noqa: SLF001
        },
        config=config,
        speech={name: speech_of(name, config, secrets, "expose") for name in VENUES},
        owner=vest.sessions.primary,
    )


def symbol_of(venue: SimVenue) -> str:
    """Return the one market of a venue."""
    return next(iter(venue.markets))


def hear(twins: Twins, heard: Heard) -> None:
    """Hand every private event over as the frame it would be, after its way over the line."""
    for name, venue in twins.venues.items():
        venue.subscribe_private(_Ear(name, venue, heard))


@attrs.define
class _Ear:
    """One private stream: frames never overtake each other."""

    name: str
    venue: SimVenue
    heard: Heard
    _last_at: float = 0.0

    def __call__(self, kind: str, body: Any) -> None:
        text = json.dumps(body if self.name == VEST else _event(kind, body))
        if not (way_s := self.venue.latency.way()):
            self.heard(self.name, text)
            return
        now = trio.current_time()
        self._last_at = max(self._last_at, now + way_s)
        self.venue.agenda.put(self._last_at - now, self.heard, self.name, text)


def _event(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    channel = f"{kind}.{body.get('market', 'ALL')}"
    return {
        "jsonrpc": "2.0",
        "method": "subscription",
        "params": {"channel": channel, "data": body},
    }


@attrs.define
class Door:
    """The way to a venue's REST side. Implements ``ports.HttpDoor``."""

    venue: str
    twins: Twins
    _ends_at: float = inf

    async def send(self, request: Request, *, timeout_s: float) -> Answer | NotSent | InDoubt:
        """Hand one request over. Cancellation: shielded, at most ``timeout_s``."""
        sent_at = trio.current_time()
        deadline = min(sent_at + timeout_s, self._ends_at)
        with trio.CancelScope(shield=True, deadline=deadline):
            if not self.twins.reachable(self.venue):
                await trio.sleep(CONNECT_S)
                return NotSent("the connection was refused")
            said = await self.twins.answers[self.venue](self._as_received(request))
            if isinstance(said, Hang):
                await trio.sleep_forever()
            elif said is None:
                return InDoubt("the connection was cut", sent_at)
            else:
                headers = {name.lower(): text for name, text in said.headers.items()}
                return Answer(said.status, headers, said.body, sent_at, trio.current_time())
        return InDoubt("no answer in time", sent_at)

    def hurry(self, at: float) -> None:
        """Have every exchange to come end by this time."""
        self._ends_at = min(self._ends_at, at)

    def leave_connections(self) -> None:
        """Nothing is kept open here."""

    def _as_received(self, request: Request) -> HttpRequest:
        parts = urlsplit(request.path)
        return HttpRequest(
            request.method,
            PREFIXES[self.venue] + unquote(parts.path),
            dict(parse_qsl(parts.query)),
            {name.lower(): text for name, text in request.headers.items()},
            request.body,
        )


def read_private(twins: Twins, venue: str, text: str | bytes) -> list[Any]:
    """Read a private frame with the bot's own codec."""
    return list(twins.speech[venue].private.read(Frame(text, trio.current_time())))


def _book(key: MarketKey, shown: Depth, now: float) -> Book:
    return Book(key, _ladder(shown.bids), _ladder(shown.asks), 0, None, now)


def _ladder(levels: tuple[Level, ...]) -> Ladder:
    # The venues' steps have fewer decimals than eight: nothing is cut.
    return Ladder(
        tuple(int(price.scaleb(8)) for price, _ in levels),
        tuple(int(size.scaleb(8)) for _, size in levels),
    )


@contextmanager
def believing(own: str) -> Iterator[None]:
    """Take every Vest signature for the account's own while the block runs."""
    before = digests.recover
    for module in (intake, sessions):
        module.recover = lambda *_: own  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in (intake, sessions):
            module.recover = before  # type: ignore[attr-defined]
