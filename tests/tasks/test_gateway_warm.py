"""Connections are opened before an order needs one."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from bot4.ports import InDoubt, NotSent
from bot4.tasks.gateway import Gateway
from bot4.tasks.line import WARM_CONNECTIONS


async def test_several_exchanges_at_once_leave_several_connections_open(
    make_venue: Any, world: Any, autojump_clock: Any
):
    venue = make_venue(delay_s=0.25)
    gateway = Gateway(venue, venue, world)
    began = trio.current_time()

    await gateway.warm()

    assert venue.asked == ["clock"] * WARM_CONNECTIONS
    assert trio.current_time() - began == pytest.approx(0.25)


async def test_a_venue_that_does_not_answer_is_no_error(
    make_venue: Any, world: Any, autojump_clock: Any
):
    venue = make_venue()
    venue.trouble("clock", NotSent("no route"))
    venue.trouble("clock", InDoubt("cut"))
    gateway = Gateway(venue, venue, world)

    await gateway.warm()

    assert len(venue.asked) == WARM_CONNECTIONS
