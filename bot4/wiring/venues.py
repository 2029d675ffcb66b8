"""One venue, opened: codec and door into a gateway, a session and two kept connections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import attrs

from bot4.config.schema import Config, Secrets
from bot4.domain.market import PARADEX, VEST, MarketKey
from bot4.logs.redact import register_token
from bot4.ports import OrderStreamCodec, StreamCodec, VenueCodec, Wire, World
from bot4.tasks.account import OrderListener
from bot4.tasks.accounts import Accounts
from bot4.tasks.backoff import Backoff
from bot4.tasks.books import Books
from bot4.tasks.connection import Connection
from bot4.tasks.feed import BookListener
from bot4.tasks.gate import Gate
from bot4.tasks.gateway import Gateway
from bot4.tasks.health import Health
from bot4.tasks.ledger import Ledger
from bot4.tasks.order_door import WsOrderDoor
from bot4.tasks.session import Session
from bot4.tasks.stop import StopSign
from bot4.tasks.suspend import SuspendWatch
from bot4.transport.http import HttpxDoor
from bot4.transport.websocket import connect
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic
from bot4.venues.paradex.ws_orders import ParadexOrders
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPrivate, VestPublic


@attrs.frozen
class Speech:
    """How one venue speaks: its codecs and where its REST side lives."""

    codec: VenueCodec
    public: StreamCodec
    private: StreamCodec
    rest_url: str
    ping_s: float | None
    unlisted: set[str]
    """Symbols of ours that the venue turns out not to list."""
    orders: OrderStreamCodec | None = None
    """Of the WebSocket that orders go over; None sends them by REST."""


@attrs.frozen
class VenueParts:
    """Everything of one venue that the house runs."""

    gateway: Gateway
    session: Session
    public: Connection
    private: Connection
    hang_up: Callable[[], Awaitable[None]]
    """Closes the door: requests under way end at once."""
    orders: Connection | None = None
    """Orders go over it while it is up; nobody waits for it."""

    @property
    def links(self) -> tuple[Connection, ...]:
        """Every kept connection."""
        known = (self.public, self.private, self.orders)
        return tuple(link for link in known if link is not None)


def speech_of(venue: str, config: Config, secrets: Secrets, journal_tag: str) -> Speech:
    """Build the codecs of one venue."""
    symbols, unlisted = symbols_of(venue, config), set[str]()
    if venue == VEST:
        vest = VestCodec(config.vest, secrets.vest_primary_key, secrets.vest_signing_key)
        return Speech(
            codec=vest,
            public=VestPublic(vest, symbols, unlisted),
            private=VestPrivate(vest),
            rest_url=config.vest.rest_url,
            ping_s=float(config.vest.ping_s),
            unlisted=unlisted,
        )
    paradex = ParadexCodec(
        config.paradex, secrets.paradex_account, secrets.paradex_private_key, journal_tag
    )
    return Speech(
        codec=paradex,
        public=ParadexPublic(config.paradex, symbols, unlisted, paradex.encoding),
        private=ParadexPrivate(paradex),
        rest_url=config.paradex.rest_url,
        ping_s=None,
        unlisted=unlisted,
        orders=ParadexOrders(paradex) if config.paradex.orders == "ws" else None,
    )


def order_door(speech: Speech, rest: HttpxDoor, world: World) -> WsOrderDoor | None:
    """Return the door for orders over a WebSocket, None where they all go by REST."""
    if speech.orders is None:
        return None
    return WsOrderDoor(speech.orders, partial(connect, world, speech.codec.venue), rest)


def order_line(door: WsOrderDoor, world: World) -> Connection:
    """Return the kept connection of such a door."""
    return Connection(
        name=f"{door.codec.venue} orders",
        codec=door.codec,
        connect=door.dial,
        listener=door,
        backoff=Backoff(world.random),
        silence_s=PRIVATE_SILENCE_S,
    )


def symbols_of(venue: str, config: Config) -> tuple[str, ...]:
    """The configured symbols of one venue, in the order of the pairs."""
    return tuple(pair.vest if venue == VEST else pair.paradex for pair in config.pairs)


def keys_of(config: Config) -> tuple[MarketKey, ...]:
    """Every configured market."""
    return tuple(
        MarketKey(venue, symbol)
        for venue in (VEST, PARADEX)
        for symbol in symbols_of(venue, config)
    )


@attrs.frozen
class Shared:
    """What both venues write to or obey."""

    books: Books
    accounts: Accounts
    ledger: Ledger
    gate: Gate
    closing: StopSign
    suspend: SuspendWatch


@asynccontextmanager
async def open_venue(
    speech: Speech,
    config: Config,
    world: World,
    stays_home: Callable[[], str],
    shared: Shared,
) -> AsyncIterator[VenueParts]:
    """Open one venue's door and build what runs on it.

    Closes: the HTTP connections, when the block is left.
    """
    venue = speech.codec.venue
    symbols = symbols_of(venue, config)
    rest = HttpxDoor(world, speech.rest_url)

    def dial(url: str) -> AbstractAsyncContextManager[Wire]:
        return connect(world, venue, url)

    health = Health(venue, shared.gate, lambda: speech.codec.api_version)
    socket = order_door(speech, rest, world)
    gateway = Gateway(
        speech.codec,
        socket or rest,
        world,
        health=health,
        window_ms=config.execution.window_ms,
        gate=shared.gate,
        stays_home=stays_home,
        hide=register_token,
    )
    gateway.suspend = shared.suspend
    orders = OrderListener(gateway, shared.ledger)
    session = Session(
        gateway=gateway,
        listener=orders,
        accounts=shared.accounts,
        gate=shared.gate,
        symbols=symbols,
        leverage=config.risk.venue_leverage,
        clock_limit_ms=config.ages.clock_offset_ms,
        closing=shared.closing,
        unlisted=speech.unlisted,
        relisted=lambda: public.drop("a market is listed again"),
    )
    silence_s = config.ages.silence_ms / 1000
    public = Connection(
        name=f"{venue} public",
        codec=speech.public,
        connect=dial,
        listener=BookListener(
            venue,
            [MarketKey(venue, symbol) for symbol in symbols],
            shared.books,
            speech.unlisted,
        ),
        needed=lambda: not speech.unlisted.issuperset(symbols),
        backoff=Backoff(world.random),
        silence_s=silence_s,
        changed=health.changed,
        ping_every_s=speech.ping_s,
    )
    private = Connection(
        name=f"{venue} private",
        codec=speech.private,
        connect=dial,
        listener=orders,
        backoff=Backoff(world.random),
        silence_s=PRIVATE_SILENCE_S,
        changed=health.changed,
        ping_every_s=speech.ping_s,
    )
    line = None
    if socket is not None:
        socket.renew = orders.prepare
        line = order_line(socket, world)
        line.changed = health.changed

    for link in (public, private, line):
        if link is not None:
            link.slept = shared.suspend.look

    async def hang_up() -> None:
        if socket is not None:
            await socket.aclose()
        await rest.aclose()

    try:
        yield VenueParts(gateway, session, public, private, hang_up, line)
    finally:
        await hang_up()  # noqa: ASYNC102 - bounded inside


PRIVATE_SILENCE_S = 75.0
"""A private stream may be quiet for minutes; Paradex pings every 55 s and the library answers
below our sight, so only an absurd silence ends it. Its orders are asked about by REST anyway."""
