"""The Retail caps at the dispatcher: what counts, what is held, what a restart remembers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest
import trio

from bot4.domain.market import PARADEX, VEST, MarketKey
from bot4.domain.order import Order, Purpose, Side
from bot4.tasks.dispatch import Dispatcher, Signed
from bot4.tasks.stopwatch import Stopwatch

NOW_MS = 1_795_000_000_000
ORDER = Order(
    client_order_id="b4-x-1-L1",
    trade_id="t",
    key=MarketKey(PARADEX, "BTC-USD-PERP"),
    side=Side.BUY,
    size=Decimal(1),
    limit=Decimal(1),
    purpose=Purpose.ENTER,
    attempt=1,
    reduce_only=False,
    signed_ms=NOW_MS,
)


@attrs.define
class FakeGateway:
    posted: list[Any] = attrs.field(factory=list)

    def now_ms(self) -> int:
        return NOW_MS + int(trio.current_time() * 1000)

    def post(self, parcel: Any) -> None:
        self.posted.append(parcel)


def make(interactive: tuple[str, ...] = (PARADEX,)) -> Dispatcher:
    gateways: Any = {VEST: FakeGateway(), PARADEX: FakeGateway()}
    nothing: Any = None
    return Dispatcher(gateways, nothing, nothing, 50, interactive)


def post(dispatcher: Dispatcher, **changes: Any) -> None:
    nothing: Any = None
    dispatcher.post([Signed(attrs.evolve(ORDER, **changes), nothing, 0)], 0.0, Stopwatch())


async def test_an_entry_and_an_exit_count_and_hold_the_next_entry(autojump_clock: Any):
    for purpose in (Purpose.ENTER, Purpose.EXIT):
        dispatcher = make()
        assert dispatcher.spend((VEST, PARADEX), closing=False)
        post(dispatcher, purpose=purpose)

        assert not dispatcher.spend((VEST, PARADEX), closing=False)
        assert dispatcher.spend((VEST, PARADEX), closing=True)
        await trio.sleep(1.01)
        assert dispatcher.spend((VEST, PARADEX), closing=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": Purpose.UNWIND},
        {"purpose": Purpose.MEND},
        {"purpose": Purpose.FLATTEN},
        {"key": MarketKey(VEST, "BTC-PERP")},
    ],
)
async def test_what_goes_with_the_other_token_or_elsewhere_does_not_count(
    changes: dict[str, Any], autojump_clock: Any
):
    dispatcher = make()
    post(dispatcher, **changes)

    assert dispatcher.spend((VEST, PARADEX), closing=False)


async def test_with_a_pro_token_there_are_no_such_caps(autojump_clock: Any):
    dispatcher = make(())
    for _ in range(30):
        post(dispatcher)

    assert dispatcher.spend((VEST, PARADEX), closing=False)


async def test_what_earlier_runs_sent_counts_after_a_restart(autojump_clock: Any):
    dispatcher = make()
    minute = [attrs.evolve(ORDER, signed_ms=NOW_MS - 1000 * (age + 2)) for age in range(13)]
    old = [attrs.evolve(ORDER, signed_ms=NOW_MS - 86_400_000) for _ in range(700)]
    repairs = [attrs.evolve(ORDER, purpose=Purpose.UNWIND) for _ in range(50)]

    dispatcher.remember([*old, *repairs, *minute[:12]])
    assert dispatcher.spend((VEST, PARADEX), closing=False)

    dispatcher.remember([*old, *repairs, *minute])
    assert not dispatcher.spend((VEST, PARADEX), closing=False)
    await trio.sleep(60)
    assert dispatcher.spend((VEST, PARADEX), closing=False)
