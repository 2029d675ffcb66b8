"""What became of one injection, as a value that a child can hand to its parent."""

from __future__ import annotations

import time
from typing import Final

import attrs

from universelib.check import strays
from universelib.proof import broken, held_up
from universelib.story import Story

DOUBTED: Final = frozenset({"trade.closed_outside", "exposure.found", "venue.unreachable"})
"""Said of positions that were in question, and of questions that got no answer."""


@attrs.frozen
class Injected:
    """What became of one injection."""

    scenario: str
    mode: str
    step: int
    broken: tuple[str, ...]
    code: int
    stop_s: float
    """From the signal to the exit, simulated."""
    kind: str
    """``plain``, ``doubt`` (something was in doubt) or ``dark`` (no way out was taken, or an order
    that nobody can cancel rests)."""
    task: str
    seconds: float
    """Simulated, of the whole story."""
    cpu_s: float
    same: bool = False
    """Whether it was not played, because an earlier one left exactly this world."""


def verdict_of(story: Story, mode: str, step: int, cpu_0: float) -> Injected:
    """Judge a story that has ended; no mode when nobody disturbed it."""
    try:
        found = tuple(broken(story))
    except Exception as error:  # noqa: BLE001 - a proof that cannot be made is a violation
        found = (f"nothing could be proven: {error!r}",)
    stopped = story.stopped
    subject = story.processes[1 if story.flattens and len(story.processes) > 1 else 0]
    return Injected(
        scenario=story.scenario.name,
        mode=mode,
        step=step,
        broken=found,
        code=subject.code,
        stop_s=subject.ended_at - stopped.at_s if stopped else 0.0,
        kind=_kind(story),
        task=stopped.what if stopped else "",
        seconds=story.lasted_s,
        cpu_s=time.process_time() - cpu_0,
    )


def print_log(story: Story) -> None:
    """Print what every process said, and how the first was stopped."""
    for line in story.log.events:
        said = line.get("message") or line.get("why") or ""
        print(f"{line['at']:9.4f} {line['process']} {line['level']:8} {line['event']}: {said}")
    print(story.stopped)
    for process in story.processes:
        print(f"process {process.number}: code {process.code}, {process.error!r}")


def _kind(story: Story) -> str:
    """Whether the stop met a doubt, about an order or a position, or a venue that is away."""
    if held_up(story) or strays(story.exit_truth or {}):
        return "dark"
    at_s, open_ = (story.stopped.at_s if story.stopped else 0.0), set[str]()
    for line in story.log.events:
        name = str(line.get("client_order_id", ""))
        if line["process"] != 1:
            continue
        if line["event"] in DOUBTED and line["at"] >= at_s:
            return "doubt"
        if line["event"] == "leg.in_doubt":
            open_.add(name)
            if line["at"] >= at_s:
                return "doubt"
        elif line["at"] <= at_s:
            open_.discard(name)
    return "doubt" if open_ else "plain"
