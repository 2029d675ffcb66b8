"""``trio-run bot4 simulate``: the two venues in a box, for any client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from bot4.config.options import SimulateOptions
from bot4.errors import ExitCode, StartRefused
from bot4.simulator.child import simulate, wait_for_end_of_input
from bot4.simulator.options import Options
from bot4.simulator.persist import WorldBusy


async def run_simulator(options: SimulateOptions) -> ExitCode:
    """Serve both venues until standard input closes; print one JSON line saying where they are.

    Raises:
        StartRefused: another simulator holds this world.

    Cancellation: safe; orders in flight land when the world is served again.
    """
    stop = trio.Event()
    world = Options(
        seed=options.seed,
        profile=options.profile,
        collateral=options.collateral,
        latency_scale=float(options.latency_scale),
        line=options.link,
    )
    try:
        async with trio.open_nursery() as watching:
            watching.start_soon(_set_after, wait_for_end_of_input, stop)
            await simulate(
                world, state_dir=options.state_dir, announce=_say, stop=stop, fresh=options.fresh
            )
            watching.cancel_scope.cancel(reason="the venues are closed")
    except* WorldBusy as group:
        why = str(group.exceptions[0])
        raise StartRefused(why, "stop the bot or the simulator that uses it") from None
    return ExitCode.CLEAN


async def _set_after(wait: Callable[[], Awaitable[None]], stop: trio.Event) -> None:
    await wait()
    stop.set()


def _say(line: str) -> None:
    import sys

    sys.stdout.write(line + "\n")
    sys.stdout.flush()
