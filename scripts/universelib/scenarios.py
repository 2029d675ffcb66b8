"""Some forty short stories on a quiet feed; the bot is stopped at every step of each."""

from __future__ import annotations

from typing import Any, Final

import attrs

Fault = dict[str, Any]
VEST: Final = "vest"
PARADEX: Final = "paradex"
MARKETS: Final = {VEST: "BTC-PERP", PARADEX: "BTC-USD-PERP"}
DARK: Final = "dark"
"""Not on the venues' menu: the network to this venue is gone until the process has ended."""


@attrs.frozen
class Later:
    """A fault that strikes so long after the bot first said something."""

    event: str
    after_s: float
    fault: Fault


@attrs.frozen
class Scenario:
    """What happens in one story, up to the Ctrl+C that ends it."""

    name: str
    faults: tuple[Fault, ...] = ()
    """On the menu before the gap opens."""
    gap_s: float = 1.4
    """How long the spread stays open; 0 is no gap at all."""
    later: tuple[Later, ...] = ()
    until: tuple[str, float] = ("pair.closed", 0.15)
    """The last event before the Ctrl+C, and how long after it that is."""
    on_stop: str = "hold"
    stuck: bool = False
    """Every way out is refused, for longer than a stop lasts."""
    dark: bool = False
    """Whether a venue stays away until the bot has gone."""
    forgets: bool = False
    """Whether it is killed at the end, and its disk is lost; then flatten is what takes over."""
    whole: bool = False
    """Steps count from the process's first; else from the moment when the gap opens."""


def _order(venue: str, kind: str, **args: Any) -> Fault:
    return {"venue": venue, "kind": kind, **args}


def _lose(venue: str, kind: str, **args: Any) -> tuple[Fault, ...]:
    return (_order(venue, kind, **args),)


def _dark(venue: str, event: str, after_s: float) -> tuple[Later, ...]:
    return (Later(event, after_s, {"venue": venue, "kind": DARK}),)


def _later(venue: str, kind: str, after_s: float = 0.05, **args: Any) -> tuple[Later, ...]:
    """So long after the pair is on."""
    return (Later("pair.opened", after_s, _order(venue, kind, market=MARKETS[venue], **args)),)


BAND: Final = {"cancel_reason": "PRICE_BAND"}
OVER: Final = ("trade over", 0.15)
"""Closed, taken back or missed, whichever comes."""
HELD: Final = ("pair.opened", 0.3)

SCENARIOS: Final = tuple(
    Scenario(**story)
    for story in (
        {"name": "start-up", "gap_s": 0.0, "until": ("feed.ready", 0.4), "whole": True},
        {"name": "clean"},
        {"name": "held", "gap_s": 30.0, "until": HELD},
        {"name": "flattened", "gap_s": 30.0, "until": HELD, "on_stop": "flatten"},
        {"name": "vest-refused", "faults": _lose(VEST, "refuse", code=3001), "until": OVER},
        {
            "name": "paradex-refused",
            "faults": _lose(PARADEX, "refuse", cancel_reason="NOT_ENOUGH_MARGIN", count=2),
            "until": OVER,
        },
        {"name": "vest-doubt-filled", "faults": _lose(VEST, "lose_answer"), "until": OVER},
        {"name": "vest-doubt-unfilled", "faults": _lose(VEST, "lose_request"), "until": OVER},
        {
            "name": "paradex-doubt-filled",
            "faults": _lose(PARADEX, "lose_answer", how="cut"),
            "until": OVER,
        },
        {
            "name": "paradex-doubt-unfilled",
            "faults": _lose(PARADEX, "lose_request", how="cut"),
            "until": OVER,
        },
        {"name": "partial", "faults": _lose(PARADEX, "partial_fill", fraction=0.4), "until": OVER},
        {
            "name": "partial-dust",
            "faults": _lose(PARADEX, "partial_fill", fraction=0.01),
            "until": OVER,
        },
        {"name": "no-fill", "faults": _lose(VEST, "no_fill"), "until": OVER},
        {
            "name": "feed-cut",
            "later": (Later("pair.opening", 0.02, _order(PARADEX, "cut", which="public")),),
            "until": OVER,
        },
        {
            "name": "private-cut",
            "later": (Later("pair.opening", 0.05, _order(VEST, "cut", which="private")),),
            "until": OVER,
        },
        {
            "name": "too-many-requests",
            "faults": _lose(VEST, "refuse", status=429, code=1003),
            "until": OVER,
        },
        {
            "name": "maintenance-page",
            "faults": _lose(PARADEX, "http_error", status=503, with_effect=True, html=True),
            "until": OVER,
        },
        {
            "name": "late-landing",
            "faults": (
                _order(VEST, "delay_landing", ms=700),
                _order(PARADEX, "delay_event", ms=900, count=2),
            ),
            "until": OVER,
        },
        {
            "name": "no-news",
            "faults": (
                _order(VEST, "mute_private", count=3),
                _order(PARADEX, "mute_private", count=3),
            ),
            "until": OVER,
        },
        {
            "name": "exit-refused",
            "faults": _lose(VEST, "refuse", code=3002, reduce_only=True),
            "until": OVER,
        },
        {
            "name": "exit-in-doubt",
            "faults": _lose(PARADEX, "lose_answer", reduce_only=True),
            "until": OVER,
        },
        {
            "name": "unwind-refused",
            "faults": (
                _order(VEST, "refuse", code=3001, count=4, reduce_only=False),
                _order(PARADEX, "refuse", status=400, code="INVALID_ORDER_SIZE", reduce_only=True),
            ),
            "until": OVER,
        },
        {
            "name": "token-lost",
            "later": (
                Later("pair.opened", 0.05, _order(VEST, "expire_token")),
                Later("pair.opened", 0.05, _order(PARADEX, "expire_token")),
            ),
            "until": OVER,
        },
        {
            "name": "silent-fill",
            "faults": (_order(VEST, "lose_answer"), _order(VEST, "mute_private", count=6)),
            "until": OVER,
        },
        {
            "name": "unanswered",
            "faults": (
                _order(VEST, "lose_answer"),
                _order(VEST, "mute_private", count=6),
                _order(VEST, "http_error", status=503, count=7, request="query"),
            ),
            "until": OVER,
        },
        {
            "name": "partial-taken-back",
            "faults": (
                _order(PARADEX, "partial_fill", fraction=0.4),
                _order(PARADEX, "refuse", **BAND, count=6, skip=1, reduce_only=False),
            ),
            "until": OVER,
        },
        {
            "name": "spread-gone",
            "gap_s": 0.75,
            "faults": (_order(VEST, "refuse", code=3001, count=2),),
            "until": OVER,
        },
        {
            "name": "stranded",
            "faults": (
                _order(PARADEX, "refuse", cancel_reason="NOT_ENOUGH_MARGIN", count=5),
                _order(VEST, "refuse", code=3002, count=14, reduce_only=True),
            ),
            "until": OVER,
            "stuck": True,
        },
        {
            "name": "closed-by-hand",
            "gap_s": 30.0,
            "later": (
                Later("pair.opened", 0.3, _order(PARADEX, "manual_close", market=MARKETS[PARADEX])),
            ),
            "until": OVER,
        },
        {
            "name": "vest-shut",
            "later": _later(VEST, "halt", 1.0, symbol=MARKETS[VEST], seconds=0.9),
            "until": ("exit.held", 0.1),
        },
        {
            "name": "paradex-shut",
            "later": _later(PARADEX, "post_only", 1.0, seconds=0.9),
            "until": ("exit.held", 0.1),
            "on_stop": "flatten",
        },
        {
            "name": "odd-rows",
            "later": (
                *_later(PARADEX, "foreign_order", shape="tpsl"),
                *_later(VEST, "foreign_order", shape="null_nonce"),
            ),
            "until": OVER,
        },
        {
            "name": "turned-away",
            "later": (Later("pair.opening", 0.05, _order(VEST, "blocked", seconds=2)),),
            "until": OVER,
        },
        {
            # Of others, and nobody can cancel them: every stop ends with 3 and names both.
            "name": "cancel-refused",
            "later": (
                *_later(VEST, "foreign_order", cancel="refused"),
                *_later(PARADEX, "foreign_order", cancel="refused"),
            ),
            "until": OVER,
        },
        {"name": "journal-gone", "gap_s": 30.0, "until": HELD, "forgets": True},
        {
            "name": "vest-dark",
            "gap_s": 30.0,
            "later": _dark(VEST, "pair.opened", 0.1),
            "until": ("pair.opened", 0.5),
            "dark": True,
        },
        {
            "name": "paradex-dark-in-flight",
            "gap_s": 3.0,
            "later": _dark(PARADEX, "pair.opening", 0.03),
            "until": ("pair.opening", 0.5),
            "dark": True,
        },
    )
)

FLATTENED: Final = tuple(
    attrs.evolve(story, until=until, name=name)
    for name, base, until in (
        ("flatten-hedged", "held", ("pair.opened", 0.2)),
        ("flatten-in-flight", "held", ("pair.opening", 0.06)),
        ("flatten-naked", "paradex-refused", ("pair.opening", 0.5)),
        ("flatten-closing", "clean", ("pair.closing", 0.2)),
        ("flatten-doubt", "vest-doubt-filled", ("pair.opening", 0.4)),
    )
    for story in SCENARIOS
    if story.name == base
)
"""The bot is killed at the end of these, and flatten is stopped at every step."""
EVERY: Final = {story.name: story for story in (*SCENARIOS, *FLATTENED)}
