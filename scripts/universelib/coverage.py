"""The table of situations: how often each was met, and why some cannot be."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from bot4.strategy.saga import State
from universelib.figures import Result
from universelib.situations import known_cells

REASONS: Final = Path(__file__).with_name("unreached.txt")
"""Lines of ``PATTERN: why``; a pattern is a cell, with ``*`` for any part of it."""


def read_reasons(path: Path = REASONS) -> dict[str, str]:
    """Return why cells are empty, by pattern.

    Raises:
        ValueError: a line without a reason; names it.
    """
    reasons = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, why = line.partition(": ")
        if not why.strip():
            raise ValueError(f"{path.name}:{number}: write a reason after '{pattern}: '")
        reasons[pattern] = why.strip()
    return reasons


def empty_cells(counts: Counter[str], reasons: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return the cells that were not met: without a reason, and with one."""
    empty = [cell for cell in known_cells() if not counts[cell]]
    known = [cell for cell in empty if any(fnmatchcase(cell, pattern) for pattern in reasons)]
    return [cell for cell in empty if cell not in known], known


def total(results: list[Result]) -> Counter[str]:
    """Add the cells of many universes up."""
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.cells)
    return counts


def table(counts: Counter[str]) -> list[str]:
    """Return what was met: a grid of saga and faults by state, and the codes."""
    cells = [cell.split("/") for cell in known_cells()]
    said = _grid("saga: state x event", counts, {c[2]: None for c in cells if c[0] == "saga"}, 1)
    said += _grid("fault kind x state", counts, {c[1]: None for c in cells if c[0] == "fault"}, 2)
    said.append("codes said by the venues")
    for venue in ("vest", "paradex"):
        codes = [c[2] for c in cells if c[:2] == ["code", venue]]
        said.append(f"  {venue}: " + ", ".join(f"{c} {counts[f'code/{venue}/{c}']}" for c in codes))
    said.append("faults of a shape, as often as one acted")
    met: dict[str, list[str]] = {}
    for kind, shape in (cell[1:] for cell in cells if cell[0] == "met"):
        met.setdefault(kind, []).append(f"{shape} {counts[f'met/{kind}/{shape}']}")
    said += [f"  {kind}: " + ", ".join(shapes) for kind, shapes in met.items()]
    return said


def _grid(title: str, counts: Counter[str], rows: dict[str, None], state_at: int) -> list[str]:
    states = [state.value for state in State]
    said = [title, " " * 22 + "".join(f"{name:>10}" for name in (*states, "all"))]
    for row in rows:
        names = [f"saga/{s}/{row}" if state_at == 1 else f"fault/{row}/{s}" for s in states]
        row_counts = [counts[name] for name in names]
        figures = "".join(f"{count or '-':>10}" for count in (*row_counts, sum(row_counts)))
        said.append(f"  {row:<20}{figures}")
    return said
