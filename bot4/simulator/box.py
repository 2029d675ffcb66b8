"""Two venues in a box: one market, two faces, one fault menu, one saved world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import trio

from bot4.simulator.control import Control
from bot4.simulator.faults import Fault, FaultMenu, UnknownFault
from bot4.simulator.latency import Latency, line_named
from bot4.simulator.ledger import SimFill
from bot4.simulator.line import serve_over_line
from bot4.simulator.liquidity import BookLiquidity, CurveLiquidity, Liquidity
from bot4.simulator.market import MarketModel
from bot4.simulator.options import Options
from bot4.simulator.orders import SimOrder
from bot4.simulator.paradex.venue import ParadexVenue
from bot4.simulator.persist import WorldStore
from bot4.simulator.setup import VenueSetup
from bot4.simulator.truth import market_of, truth_of
from bot4.simulator.venue import SimVenue
from bot4.simulator.vest.venue import VestVenue

ENDPOINTS: Final = ("vest.rest", "vest.ws", "paradex.rest", "paradex.ws", "control")


class TwoVenues:
    """Both venues of one world. Build it inside ``trio.run``: its time is Trio's.

    Args:
        options: what the world is made from. A saved world keeps its own seed.
        wall_ms: the venues' wall clock, milliseconds since the epoch.
        store: where the world is saved; None keeps it in memory.
        control_token: opens the control endpoint; without one it stays shut.
    """

    def __init__(
        self,
        options: Options,
        *,
        wall_ms: Callable[[], int],
        store: WorldStore | None = None,
        control_token: str = "",
    ) -> None:
        known = store is not None and store.value("seed") is not None
        self.options: Final = _as_saved(options, store) if known and store else options
        self.faults: Final = FaultMenu()
        self.model: Final = MarketModel(
            self.options.seed, options.market_profile(), self.options.starts()
        )
        self._store = store
        self._wall_ms = wall_ms
        self.vest: Final = VestVenue(self._setup("vest", options.switches("vest")))
        self.paradex: Final = ParadexVenue(self._setup("paradex", options.switches("paradex")))
        self._venues: Final[dict[str, SimVenue]] = {"vest": self.vest, "paradex": self.paradex}
        self._closing = False
        self._control = Control(self.truth, self.market, self.links, self.faults, control_token)
        for venue in self._venues:
            self.faults.on_immediate(venue, "gap_jump", self._jump)
        self._load(fresh=not known)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run both venues and the script of faults, for ever.

        Started: connections may be served. Cancellation: safe.
        """
        async with trio.open_nursery() as venues:
            for venue in self._venues.values():
                await venues.start(venue.run)
            venues.start_soon(self._follow_script)
            task_status.started()

    async def serve(self, endpoint: str, stream: trio.abc.Stream) -> None:
        """Serve one connection to an endpoint, TLS already taken off; closes the stream.

        Cancellation: closes the stream forcefully; what was received stays received.
        """
        venue = self._venues.get(endpoint.partition(".")[0])
        if self._closing or self._unreachable(venue, endpoint):
            await trio.aclose_forcefully(stream)
        elif venue is None:
            await self._control.serve(stream)
        elif endpoint.endswith(".rest"):
            await venue.serve_rest(stream)
        elif venue.latency.instant:
            await venue.serve_ws(stream)
        else:
            await serve_over_line(stream, partial(venue.latency.way, "frames"), venue.serve_ws)

    def server(self, endpoint: str) -> Callable[[trio.abc.Stream], Awaitable[None]]:
        """Return the function that serves one endpoint."""

        async def serve(stream: trio.abc.Stream) -> None:
            await self.serve(endpoint, stream)

        return serve

    def credentials(self) -> dict[str, str]:
        """Return the throwaway keys of both accounts, by their announced names."""
        return {**self.vest.credentials(), **self.paradex.credentials()}

    def truth(self) -> dict[str, Any]:
        """Return the truth about both venues as JSON values, see ``truth_of``."""
        return {name: truth_of(venue) for name, venue in self._venues.items()}

    def market(self) -> dict[str, Any]:
        """Return what both venues list and show now as JSON values, see ``market_of``."""
        return {name: market_of(venue) for name, venue in self._venues.items()}

    def links(self) -> dict[str, list[list[str]]]:
        """Return what every open stream is subscribed to, by venue: a list of channels a stream."""
        return {
            name: [sorted(link.subscriptions) for link in venue.links]
            for name, venue in self._venues.items()
        }

    async def close(self) -> None:
        """Refuse new connections, let orders in flight land, and save. Needs ``run`` running.

        Cancellation: safe; what did not land does after the next start.
        """
        self._closing = True
        for venue in self._venues.values():
            await venue.settle()

    def _setup(self, name: str, switches: Mapping[str, Any]) -> VenueSetup:
        options = self.options
        shape, levels = options.market_profile().shapes[name], options.levels
        liquidity: Liquidity = (
            CurveLiquidity(shape, levels)
            if name == "vest"
            else BookLiquidity(shape, options.seed, levels)
        )
        return VenueSetup(
            name=name,
            seed=self.options.seed,
            markets=self.options.markets(name),
            model=self.model,
            liquidity=liquidity,
            faults=self.faults,
            latency=Latency(
                name,
                options.seed,
                options.latency_scale,
                line_named(options.line, options.profile),
            ),
            wall_ms=self._wall_ms,
            save=self._save,
            tick_s=self.options.tick_s,
            switches=switches,
        )

    def _load(self, *, fresh: bool) -> None:
        if fresh:
            for venue in self._venues.values():
                venue.ledger.collateral = self.options.collateral
            self._begin()
            return
        store = self._store
        if store is None:
            return
        self.model.load(store.value("market"))
        for name, venue in self._venues.items():
            venue.load(store.value(name), store.orders(name), store.fills(name))

    def _begin(self) -> None:
        if self._store is not None:
            for name, venue in self._venues.items():
                self._store.put(name, venue.dump())
            self._store.put("market", self.model.dump())
            self._store.put("keys", self.credentials())
            self._store.put("bases", list(self.options.bases))
            # Last, so that a world half begun begins again.
            self._store.put("seed", self.options.seed)

    def _save(
        self, venue: str, order: SimOrder | None, fills: list[SimFill], state: dict[str, Any]
    ) -> None:
        if self._store is not None:
            self._store.save(venue, order, fills, {venue: state, "market": self.model.dump()})

    def _jump(self, fault: Fault) -> None:
        base = fault.args.get("base")
        if base is not None and base not in self.options.bases:
            raise UnknownFault(f"no base {base!r}")
        self.model.force_gap(
            fault.number("bps", 40.0),
            fault.number("seconds", 5.0),
            None if base is None else str(base),
        )

    def _unreachable(self, venue: SimVenue | None, endpoint: str) -> bool:
        """Tell whether the fault ``refuse_connect`` (``which``: rest, ws or all) is in force."""
        if venue is None:
            return False
        fault = self.faults.active(venue.name, "refuse_connect")
        if fault is None:
            return False
        return fault.args.get("which", "all") in ("all", endpoint.partition(".")[2])

    async def _follow_script(self) -> None:
        begun = trio.current_time()
        for spec in sorted(self.options.faults, key=lambda spec: float(spec.get("at_s", 0))):
            await trio.sleep_until(begun + float(spec.get("at_s", 0)))
            self.faults.add({name: value for name, value in spec.items() if name != "at_s"})


def _as_saved(options: Options, store: WorldStore) -> Options:
    """Return options that fit a saved world: its seed made its keys, its bases have orders."""
    bases = dict.fromkeys([*store.value("bases"), *options.bases])
    return attrs.evolve(options, seed=int(store.value("seed")), bases=tuple(bases))
