"""Breadth-first to closure, every invariant in every state, and a way home from each."""

from __future__ import annotations

from collections import deque
from typing import Final

import attrs

from bot4.domain.order import Purpose
from bot4.strategy.saga import State
from modelchecklib.edges import edges
from modelchecklib.model import SIZE, Bounds, Node, Saga, start

SMALL: Final = Bounds(compensations=1, exits=1, crashes=1, hands=0)
"""Every state of the saga is met within these."""
WIDER: Final = (attrs.evolve(SMALL, exits=0), attrs.evolve(SMALL, crashes=0), SMALL)


class Violation(Exception):
    """An invariant is broken; ``path`` is the shortest way there."""

    def __init__(self, what: str, path: list[str]) -> None:
        super().__init__(f"{what}: " + " > ".join(path))
        self.what = what
        self.path = path


@attrs.frozen
class Explored:
    """The figures of one exploration."""

    states: int
    transitions: int
    depth: int
    saga_states: frozenset[State]


def explore(bounds: Bounds, saga: Saga) -> Explored:
    """Visit every reachable state and check every invariant in each.

    Args:
        bounds: how many of each rare thing.
        saga: the product's own, or a mutant.

    Raises:
        Violation: with the shortest path to the broken state.
    """
    node = start(bounds, saga)
    key: object = node.key
    parents: dict[object, tuple[object, str] | None] = {key: None}
    depths = {key: 0}
    backward: dict[object, list[object]] = {}
    home: set[object] = set()
    seen: set[State] = set()
    queue = deque([(key, node)])  # a key is costly: made once for each edge
    transitions = 0
    while queue:
        key, node = queue.popleft()
        seen.add(node.trade.state)
        if node.over or (node.trade.stopping and node.trade.state is State.HEDGED):
            home.add(key)  # a stop may leave the pair hedged
        if broken := _broken(node):
            raise Violation(broken, _path(parents, key))
        for edge in edges(node, bounds, saga):
            transitions += 1
            after = edge.node.key
            if not edge.fault:
                backward.setdefault(after, []).append(key)
            if after not in parents:
                parents[after] = (key, edge.name)
                depths[after] = depths[key] + 1
                queue.append((after, edge.node))
    reach = deque(home)
    while reach:
        for before in backward.get(reach.popleft(), ()):
            if before not in home:
                home.add(before)
                reach.append(before)
    for lost in parents:
        if lost not in home:
            raise Violation("no fault-free way to flat", _path(parents, lost))
    return Explored(len(parents), transitions, max(depths.values()), frozenset(seen))


def catch(saga: Saga) -> None:
    """Explore a planted bug in ever wider bounds: most are met within the narrow ones.

    Raises:
        Violation, ValueError, KeyError: it is caught, as ``explore`` would.
    """
    for bounds in WIDER:
        explore(bounds, saga)


def _path(parents: dict[object, tuple[object, str] | None], node: object) -> list[str]:
    names = []
    at = parents[node]
    while at is not None:
        names.append(at[1])
        at = parents[at[0]]
    return names[::-1]


def _broken(node: Node) -> str:
    trade = node.trade
    if node.bad:
        return "I6: completed after the stop sign or on the way out"
    waiting = any(s.fate == "wire" for s in node.sent)
    believed = {venue: trade.position(venue) for venue in trade.venues}
    hidden = bool(node.hand) or any(
        leg.filled != s.filled for leg, s in zip(trade.legs, node.sent, strict=True)
    )
    if node.over and (waiting or any(size for _, size in node.held)) and not node.hand:
        return "I4/I5: finished while something is held or on the wire"
    quiet = not waiting and not hidden and not trade.open_legs()
    if quiet and any(believed[venue] != size for venue, size in node.held):
        return "I10: what we believe is not what the venues hold"
    if node.position("vest") < 0 or node.position("paradex") > 0:
        return "I11: a closing order flipped a position"
    if abs(node.position("vest")) > SIZE or abs(node.position("paradex")) > SIZE:
        return "I9: more is held than was planned"
    opening = [
        leg
        for leg in trade.legs
        if leg.order.purpose in (Purpose.ENTER, Purpose.MEND) and not leg.state.terminal
    ]
    for venue in trade.venues:
        if sum(leg.order.key.venue == venue for leg in opening) > 1:
            return "I13: a second opening order while the first is unresolved"
    return ""
