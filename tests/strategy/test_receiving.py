"""The receive window follows what is measured, within its bounds."""

from __future__ import annotations

import pytest

from bot4.strategy.hold import Reason
from bot4.strategy.receiving import ENOUGH, KEPT, ReceiveWindow


def measured(*took: int, start_ms: int = 2000) -> ReceiveWindow:
    window = ReceiveWindow(start_ms)
    for ms in took:
        window.took(ms)
    return window


def test_until_enough_orders_were_measured_the_configured_window_stands():
    assert measured(*[100] * (ENOUGH - 1)).ms == 2000
    assert measured(*[100] * ENOUGH).ms == 750


@pytest.mark.parametrize(
    ("took", "window_ms"), [(0, 750), (520, 750), (800, 1100), (1999, 2599), (9000, 5000)]
)
def test_it_is_the_worst_with_room_within_its_bounds(took: int, window_ms: int):
    assert measured(*[10] * (ENOUGH - 1), took).ms == window_ms


def test_one_slow_order_of_a_thousand_is_forgotten_after_the_next_thousand():
    window = measured(1500, *[100] * (KEPT - 1))
    assert window.ms == 750
    window = measured(1500, 1500, *[100] * (KEPT - 2))
    assert window.ms == 1975
    window.took(100)
    window.took(100)
    assert window.ms == 750


def test_after_an_expiry_it_is_doubled_until_enough_more_were_measured():
    window = measured(*[800] * ENOUGH)
    window.expired()
    assert window.ms == 2200
    for _ in range(ENOUGH - 1):
        window.took(800)
    assert window.ms == 2200
    window.took(800)
    assert window.ms == 1100


def test_a_line_slower_than_two_seconds_opens_nothing():
    assert measured(*[2000] * ENOUGH).hold() is None
    assert measured(*[2001] * (ENOUGH - 1)).hold() is None

    hold = measured(*[10] * ENOUGH, 2001).hold()
    assert hold is not None
    assert hold.reason is Reason.SLOW
    assert "2001 ms" in hold.detail


def test_a_clock_read_late_does_not_make_it_negative():
    assert measured(*[-40] * ENOUGH).ms == 750
