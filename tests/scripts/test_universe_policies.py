"""What rounds of trading come to by the venues' fills, and universes under other policies."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from exposurelib.policies import OURS, POLICIES
from timeouts import SCRIPT_S
from universelib.policies import OTHERS, PUBLISHED, under
from universelib.rounds import rounds_of

from bot4.simulator.ledger import SimFill
from bot4.tasks import desk
from bot4.wiring import house

SIZE = Decimal("0.01")
PRICE = Decimal(100_000)


def fill(number: int, side: Any, at_ms: int, price: Decimal = PRICE) -> SimFill:
    return SimFill(
        str(number), "", f"h{number}", "BTC", side, price, SIZE, Decimal(1), Decimal(0), at_ms
    )


def venue(name: str, fills: list[SimFill], busted: dict[str, int] | None = None) -> Any:
    return SimpleNamespace(
        name=name,
        ledger=SimpleNamespace(fills=fills, busted=busted or {}),
        orders={one.id: SimpleNamespace(handle=one.handle, filled=one.size) for one in fills},
        markets={"BTC": None},
        mark=lambda _symbol: PRICE,
        wall_ms=lambda: 10_000,
    )


def box(vest: list[SimFill], paradex: list[SimFill], busted: dict[str, int] | None = None) -> Any:
    return SimpleNamespace(vest=venue("vest", vest), paradex=venue("paradex", paradex, busted))


def sent(at: str, handle: str, purpose: str = "enter") -> dict[str, Any]:
    return {
        "event": "leg.sent",
        "trade_id": "t",
        "venue": at,
        "client_order_id": handle,
        "purpose": purpose,
    }


def test_a_round_is_naked_while_one_venue_holds_alone():
    bought, sold = fill(1, "buy", 1000), fill(3, "sell", 3000)
    there, back = fill(2, "sell", 1500, PRICE + 10), fill(4, "buy", 3000)

    (one,) = rounds_of(
        box([bought, sold], [there, back]), [sent("vest", "h1"), sent("paradex", "h2")]
    )

    assert one.naked_usd_s == pytest.approx(500.0)
    assert one.net_usd == pytest.approx(0.1 - 4)
    assert (one.failed, one.stuck) == (False, False)


def test_a_leg_left_alone_is_stuck_and_naked_to_the_end():
    lines = [sent("vest", "h1"), sent("paradex", "h9")]

    (one,) = rounds_of(box([fill(1, "buy", 1000)], []), lines)

    assert one.naked_usd_s == pytest.approx(9000.0)
    assert (one.failed, one.stuck) == (True, True)


def test_a_round_ends_when_both_accounts_are_flat():
    trips = [
        fill(1, "buy", 1000),
        fill(2, "sell", 2000),
        fill(3, "buy", 3000),
        fill(4, "sell", 3100),
    ]

    first, second = rounds_of(box(trips, []), [])

    assert (first.naked_usd_s, second.naked_usd_s) == pytest.approx((1000.0, 100.0))


def test_a_fill_that_was_taken_back_leaves_the_other_leg_alone():
    there = fill(2, "sell", 1000)

    (one,) = rounds_of(box([fill(1, "buy", 1000)], [there], {there.id: 4000}), [])

    assert one.naked_usd_s == pytest.approx(6000.0)
    assert one.stuck


def test_the_second_order_of_a_serial_entry_was_planned():
    lines = [sent("paradex", "h1"), sent("vest", "h2", "mend")]
    here = box([fill(2, "sell", 1500)], [fill(1, "buy", 1000)])

    assert rounds_of(here, lines)[0].failed
    assert not rounds_of(here, lines, serial=True)[0].failed


def test_a_policy_takes_the_place_of_ours_only_for_a_while():
    ours, straight = desk.Mender, house.Dispatcher

    for name in (*PUBLISHED, *OTHERS):
        with under(name):
            assert (desk.Mender is ours) == (name == OURS)
            assert (house.Dispatcher is straight) == (POLICIES[name].first is None)

    assert (desk.Mender, house.Dispatcher) == (ours, straight)


@pytest.mark.proof
def test_every_published_policy_has_its_line(root: Path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "universelib", "--policies", "--quick"),
            *("--seeds", "0", "--seconds", "8", "--jobs", "1"),
        ],
        cwd=root / "scripts",
        capture_output=True,
        text=True,
        timeout=SCRIPT_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert all(
        any(line.startswith(name) for line in done.stdout.splitlines()) for name in PUBLISHED
    )
    assert done.stdout.splitlines()[-1].startswith("1 universes a policy")
