"""What goes wrong around one trade, drawn from its seed: one to three faults, never none."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import attrs

from bot4.domain.market import PARADEX, VENUES, VEST

Spec = dict[str, Any]

ORDERS: Final[tuple[tuple[float, str, Spec], ...]] = (
    # Weight, kind, arguments: these strike one of the trade's orders at a venue.
    (3, "no_fill", {}),
    (1, "lose_request", {}),
    (1, "lose_request", {"how": "cut"}),
    (1, "lose_answer", {}),
    (1, "lose_answer", {"how": "cut"}),
    (1, "delay_answer", {"ms": 2500}),
    (1, "delay_request", {"ms": 900}),
    (1, "delay_request", {"ms": 2600}),
    (2, "delay_landing", {"ms": 700}),
    (1, "http_error", {"status": 503, "with_effect": True}),
    (1, "http_error", {"status": 503, "with_effect": False, "html": True}),
    # Its private events.
    (1, "mute_private", {"count": 4}),
    (1, "delay_event", {"ms": 1500, "count": 2}),
    (1, "double_event", {"count": 3}),
    (1, "reorder_event", {}),
)
OWN: Final[dict[str, tuple[tuple[float, str, Spec], ...]]] = {
    VEST: (
        (2, "refuse", {"code": 3001}),
        (1, "refuse", {"code": 3002}),
        (1, "refuse", {"status": 429, "code": 1003}),
    ),
    PARADEX: (
        (3, "partial_fill", {"fraction": 0.4}),
        (1, "partial_fill", {"fraction": 0.05}),
        (2, "refuse", {"cancel_reason": "NOT_ENOUGH_MARGIN"}),
        (1, "refuse", {"status": 429, "code": "RATE_LIMIT_EXCEEDED"}),
        (1, "refuse", {"status": 400, "code": "INVALID_ORDER_SIZE"}),
    ),
}
LASTING: Final[tuple[tuple[float, tuple[str, ...], tuple[float, float]], ...]] = (
    # Weight, kinds that come together, seconds. They begin up to a second after the first order.
    (2, ("refuse_connect",), (0.5, 4.0)),
    (1, ("refuse_connect", "silence"), (4.0, 12.0)),
    (1, ("silence",), (1.0, 4.0)),
    (1, ("halt",), (1.0, 6.0)),
    (1, ("maintenance",), (1.0, 6.0)),
    (1, ("expire_token",), (0.0, 0.0)),
)
LASTING_SHARE: Final = 0.3
BEGINS_S: Final = (0.0, 1.0)


@attrs.frozen
class Troubles:
    """One trade's faults."""

    orders: tuple[Spec, ...]
    """On the menu from the beginning."""
    later: tuple[tuple[float, Spec], ...]
    """(seconds after the first order, fault)."""


def draw(seed: int) -> Troubles:
    """Draw the faults of one trade."""
    roll = Random(f"{seed}/troubles")  # noqa: S311 - one seed, one trade
    orders: list[Spec] = []
    later: list[tuple[float, Spec]] = []
    for _ in range(roll.choice((1, 1, 2, 3))):
        venue = roll.choice(VENUES)
        if roll.random() < LASTING_SHARE:
            later += _lasting(roll, venue)
        else:
            orders.append(_order(roll, venue))
    return Troubles(tuple(orders), tuple(later))


def _order(roll: Random, venue: str) -> Spec:
    menu = (*ORDERS, *OWN[venue])
    _, kind, args = roll.choices(menu, [weight for weight, _, _ in menu])[0]
    return {"count": roll.choice((1, 1, 1, 2)), "skip": roll.choice((0, 0, 0, 1, 2))} | {
        "venue": venue,
        "kind": kind,
        **args,
    }


def _lasting(roll: Random, venue: str) -> list[tuple[float, Spec]]:
    _, kinds, span = roll.choices(LASTING, [weight for weight, _, _ in LASTING])[0]
    begins, seconds = roll.uniform(*BEGINS_S), roll.uniform(*span)
    return [(begins, {"venue": venue, "kind": kind, "seconds": seconds}) for kind in kinds]
