"""The caps of a Retail token: four windows at once, a third of each kept for closing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.strategy.interactive import CAPS, MOST, InteractiveUse


def filled(count: int, spacing_s: float, closing: bool = False) -> tuple[InteractiveUse, float]:
    """Send as many as allowed of ``count`` orders, so far apart; return the use and the end."""
    use, now = InteractiveUse(), 0.0
    for _ in range(count):
        if use.allows(now, closing=closing):
            use = use.after(now)
        now += spacing_s
    return use, now - spacing_s


@pytest.mark.parametrize(
    ("closing", "most"), [(False, (1, 13, 133, 466)), (True, (2, 20, 200, 700))]
)
def test_no_window_ever_holds_more_than_its_cap(closing: bool, most: tuple[int, ...]):
    for (span_s, _), allowed in zip(CAPS, most, strict=True):
        shorter = max((one[0] for one in CAPS if one[0] < span_s), default=0.1)
        use, _ = filled(2000, min(shorter, span_s / 1000) + 0.001, closing)
        busiest = max(sum(1 for other in use.sent if at - span_s < other <= at) for at in use.sent)
        assert busiest <= allowed


def test_an_opening_order_leaves_a_third_for_closing():
    use = InteractiveUse.of([0.0])

    assert not use.allows(0.5)
    assert use.allows(0.5, closing=True)
    assert not use.after(0.5).allows(0.6, closing=True)
    assert use.allows(1.0)


def test_two_orders_at_once_need_room_for_both():
    assert not InteractiveUse().allows(0.0, 2)
    assert InteractiveUse().allows(0.0, 2, closing=True)
    assert not InteractiveUse().allows(0.0, 3, closing=True)


def test_a_day_later_everything_is_free_again():
    use = InteractiveUse.of(float(second) for second in range(0, 7000, 10))

    assert not use.allows(86_400.0 - 1)
    assert use.allows(86_400.0 + 7000)


def test_no_more_is_remembered_than_any_cap_looks_at():
    use = InteractiveUse()
    for second in range(3 * MOST):
        use = use.after(float(second))

    assert len(use.sent) == MOST


@given(
    st.lists(st.tuples(st.floats(0, 400, allow_nan=False), st.booleans()), min_size=1, max_size=120)
)
def test_whatever_comes_the_venue_s_own_limits_are_kept(steps: list[tuple[float, bool]]):
    use, now, sent = InteractiveUse(), 0.0, []
    for wait_s, closing in steps:
        now += wait_s
        if use.allows(now, closing=closing):
            use = use.after(now)
            sent.append(now)

    for span_s, most in CAPS:
        for at in sent:
            assert sum(1 for other in sent if at - span_s < other <= at) <= most
