"""Measure, print one line a figure, then a summary; exit 1 when a target is missed by far."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import trio

from benchlib import disk, mirroring, thinking, trading, twin, year
from benchlib.figures import Figure, summary
from benchlib.samples import ROOT

SECTIONS = ("thinking", "disk", "trading", "twin")


def main(argv: Sequence[str] | None = None) -> int:
    """Return 1 when a figure is more than twice its target, 2 when one cannot be had, else 0."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer samples: under a minute")
    parser.add_argument("--only", choices=SECTIONS, help="one section of it")
    parser.add_argument("--mirror", action="store_true", help="with Supabase up, slow and down")
    parser.add_argument("--year", action="store_true", help="a year of a trade a minute")
    args = parser.parse_args(argv)
    began = time.monotonic()
    state = ROOT / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=state))
    try:
        only = "mirror" if args.mirror else "year" if args.year else args.only
        found = trio.run(_measure, folder, only, args.quick)
    except RuntimeError as error:
        print(f"bench: {error}")
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"{summary(found)}; {time.monotonic() - began:.0f} s, {load}")
    return 1 if any(figure.verdict == "MISSED" for figure in found) else 0


async def _measure(folder: Path, only: str | None, quick: bool) -> list[Figure]:  # noqa: FBT001 - trio.run
    found: list[Figure] = []
    async for figure in _figures(folder, only, quick=quick):
        print(figure.line(), flush=True)
        found.append(figure)
    return found


async def _figures(folder: Path, only: str | None, *, quick: bool) -> AsyncIterator[Figure]:  # noqa: ASYNC900
    sections = (only,) if only else SECTIONS
    if "thinking" in sections:
        for figure in thinking.figures(quick=quick):
            yield figure
    if "disk" in sections:
        for figure in disk.figures(folder, quick=quick):
            yield figure
    if "trading" in sections:
        async for figure in trading.figures(folder, quick=quick):
            yield figure
    if "mirror" in sections:  # Minutes long, so only when asked for.
        for figure in await mirroring.figures(folder, quick=quick):
            yield figure
    if "year" in sections:  # Likewise.
        async for figure in year.figures(folder, quick=quick):
            yield figure
    if "twin" in sections:
        for figure in await twin.figures(folder, quick=quick):
            yield figure


if __name__ == "__main__":
    sys.exit(main())
