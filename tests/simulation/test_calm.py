"""One calm universe: the whole app and both venues, from one seed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

ORDER_STAGES = {"first_byte_ms", "send_ms", "answer_ms"}


async def test_it_opens_closes_and_leaves_nothing_behind(play: Any, autojump_clock: Any):
    async with play.universe() as universe:
        async with play.bot(universe, for_ready_s=60.0) as run:
            pass

        assert run.code == 0
        run.clean()
        opened, closed = run.said("pair.opened"), run.said("pair.closed")
        assert len(opened) >= 2
        assert len(closed) >= len(opened) - 1
        assert run.events[-1]["message"] == "[SHUTDOWN] Clean exit, no pending orders"
        for line in opened:
            spread = Decimal(line["spread_percent"].rstrip("%"))
            target = Decimal(line["target_percent"].rstrip("%"))
            assert spread >= target - Decimal("0.02")
        for line in closed:
            stages = line["latency_ms"]
            assert stages.keys() >= ORDER_STAGES
            assert 0 <= stages["first_byte_ms"] <= stages["send_ms"]
            assert stages["answer_ms"] > 0
