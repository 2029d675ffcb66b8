"""Watches the loop, the clocks and the stop file; says every second that we are alive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
import trio

from bot4.ports import World
from bot4.tasks.gate import Gate

log = structlog.get_logger()

EVERY_S: Final = 0.25
STALL_S: Final = 0.25
"""A loop that was kept from running for so long is told of. Source: ours."""
JUMP_MS: Final = 1000
"""A wall clock that moved so much against Trio's was set, or the machine slept."""
CLOCKS: Final = "clocks"
BEATS: Final = 4
"""Turns between two heartbeats."""


async def keep_watch(
    stays_home: Callable[[], str],
    beat: Callable[[], None],
    measure_clocks: Callable[[], None],
    gate: Gate,
    world: World,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run for ever.

    Args:
        stays_home: asked every turn: it raises the stop sign when the stop file appears.
        beat: called every second.
        measure_clocks: called after a jump; whoever measures clears the gate's reason ``clocks``.
        gate: opening stops after a jump until the venues' clocks were measured again.
        world: for the wall clock.
        task_status: Trio's.

    Started: at once. Cancellation: safe.
    """
    task_status.started()
    seen_s, seen_ms = trio.current_time(), world.wall_ms()
    turn = 0
    while True:
        if turn % BEATS == 0:
            beat()
        turn += 1
        stays_home()
        await trio.sleep(EVERY_S)
        now_s, now_ms = trio.current_time(), world.wall_ms()
        late_s = now_s - seen_s - EVERY_S
        jump_ms = (now_ms - seen_ms) - (now_s - seen_s) * 1000
        seen_s, seen_ms = now_s, now_ms
        if late_s > STALL_S:
            why = f"the loop was kept from running for {late_s * 1000:.0f} ms"
            log.warning(
                "loop.stalled",
                message=f"[SAFETY] {why}",
                stalled_ms=round(late_s * 1000),
                why=why,
                do="run fewer other programs on this machine if it happens often",
            )
        if abs(jump_ms) > JUMP_MS:
            why = f"this machine's clock jumped by {jump_ms / 1000:.1f} s"
            gate.block(CLOCKS, why, "keep the clock synchronised (timedatectl set-ntp true)")
            measure_clocks()
