"""``python -m bot4.simulator``: both venues by hand; one JSON line says where they are."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import trio

from bot4.simulator.child import simulate, wait_for_end_of_input
from bot4.simulator.latency import AUTO, LINES
from bot4.simulator.options import Options
from bot4.simulator.persist import WorldBusy


def main(argv: list[str] | None = None) -> int:
    """Serve until standard input closes or a signal comes; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot4.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profile", default="demo")
    parser.add_argument("--bases", default="BTC,ETH,SOL", help="comma list")
    parser.add_argument("--latency-scale", type=float, default=1.0)
    parser.add_argument("--link", default=AUTO, choices=[AUTO, *LINES])
    parser.add_argument("--collateral", type=Decimal, default=Options().collateral, help="USDC")
    parser.add_argument("--state-dir", type=Path, default=Path("state/simulation"))
    parser.add_argument("--fresh", action="store_true", help="forget the saved world")
    parser.add_argument(
        "--switch", action="append", default=[], help="paradex.NAME=JSON or vest.NAME=JSON"
    )
    args = parser.parse_args(argv)
    switches = _switches(parser, args.switch)
    options = Options(
        seed=args.seed,
        profile=args.profile,
        bases=tuple(args.bases.split(",")),
        collateral=args.collateral,
        latency_scale=args.latency_scale,
        line=args.link,
        vest=switches["vest"],
        paradex=switches["paradex"],
    )
    try:
        trio.run(_serve, options, args.state_dir, args.fresh)
    except* (WorldBusy, ValueError) as group:
        for error in group.exceptions:
            print(error, file=sys.stderr)
        return_code = 2
    else:
        return_code = 0
    return return_code


def _switches(parser: argparse.ArgumentParser, given: list[str]) -> dict[str, dict[str, Any]]:
    """Read ``paradex.private_sbe=true`` and the like: the venue's name, a switch, a JSON value."""
    found: dict[str, dict[str, Any]] = {"paradex": {}, "vest": {}}
    for text in given:
        name, _, value = text.partition("=")
        venue, _, switch = name.partition(".")
        try:
            found[venue][switch] = json.loads(value)
        except (KeyError, ValueError):
            parser.error(f"--switch {text}: is not VENUE.NAME=JSON")
    return found


async def _serve(options: Options, state_dir: Path, fresh: bool) -> None:  # noqa: FBT001 - trio.run
    stop = trio.Event()
    async with trio.open_nursery() as watching:
        await watching.start(_set_on_signal, stop)
        watching.start_soon(_set_after, wait_for_end_of_input, stop)
        say = partial(print, flush=True)
        await simulate(options, state_dir=state_dir, announce=say, stop=stop, fresh=fresh)
        watching.cancel_scope.cancel(reason="the venues are closed")


async def _set_after(wait: Callable[[], Awaitable[None]], stop: trio.Event) -> None:
    await wait()
    stop.set()


async def _set_on_signal(
    stop: trio.Event, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with trio.open_signal_receiver(*watched) as signals:
        task_status.started()
        async for _ in signals:
            stop.set()


if __name__ == "__main__":
    sys.exit(main())
