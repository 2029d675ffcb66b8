"""Whether the README's words did what it promises, read from the owner's own screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from freshlib.follow import Heard
from freshlib.systems import REFUSAL

ENTRY: Final = "[TRADE] Entry executed"
CLEAN: Final = "[SHUTDOWN] Clean exit, no pending orders"
HELD: Final = "STILL OPEN"
"""What a line about a pair that stays on has; such lines follow the last word."""
TESTS: Final = re.compile(r"^=* ?(?=\d+ \w)(.*) in [\d.]+s\b")
"""pytest's closing line."""
SET_UP: Final = "bot4: "
"""What scripts/_setup.sh begins its lines with."""


@dataclass
class Outcome:
    """What was found on one machine."""

    system: str
    made: list[str] = field(default_factory=list)
    """Which Python, how many packages, how much of the disk."""
    figures: list[str] = field(default_factory=list)
    """Seconds and outcomes, in the order of their making."""
    faults: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return the last line: everything, and the verdict."""
        verdict = f"NOT ok: {'; '.join(self.faults)}" if self.faults else "ok"
        return f"fresh: {self.system} {', '.join(self.made)}: {', '.join(self.figures)}: {verdict}"


def last_line(heard: Heard) -> str:
    """Return the last line that says something, a pair that stays on apart."""
    said = (line.strip() for line in reversed(heard.lines) if line.strip())
    return next((line for line in said if HELD not in line), "nothing")


def set_up_s(heard: Heard) -> float:
    """Return the seconds until the set-up had its last word; 0 where it had nothing to do."""
    spoken = zip(heard.lines, heard.times)  # noqa: B905  # a Python of 2020 runs this
    return max((at for line, at in spoken if line.startswith(SET_UP)), default=0.0)


def longest_silence_s(heard: Heard) -> float:
    """Return the longest time without a word, from the start to the last word of the set-up."""
    longest = last = 0.0
    for at in heard.times:
        if at <= set_up_s(heard):
            longest, last = max(longest, at - last), at
    return longest


def entries(heard: Heard) -> int:
    """Return how many hedged pairs were opened."""
    return sum(ENTRY in line for line in heard.lines)


def wrong_run(heard: Heard) -> Iterator[str]:
    """Yield what is wrong with a run that was to trade and to stop by itself."""
    yield from _wrong_end(heard, "the run")
    if not entries(heard):
        yield "no entry was executed"
    if not last_line(heard).endswith(CLEAN):
        yield f"the run's last line is: {last_line(heard)}"


def wrong_set_up(heard: Heard) -> Iterator[str]:
    """Yield what is wrong with a set-up alone."""
    yield from _wrong_end(heard, "the set-up")
    if heard.code:
        yield f"its last line is: {last_line(heard)}"


def wrong_refusal(heard: Heard) -> Iterator[str]:
    """Yield what is wrong with the refusal of a Python that is too new."""
    said = [line for line in heard.lines if REFUSAL in line]
    if heard.code != 1 or len(said) != 1:
        yield f"it should have refused; exit {heard.code}, its last line is: {last_line(heard)}"


def tested(heard: Heard) -> tuple[str, list[str]]:
    """Return pytest's own figures, and what is wrong with them."""
    found = [match[1] for line in heard.lines if (match := TESTS.match(line.strip()))]
    figures = found[-1] if found else "no closing line of the tests"
    wrong = list(_wrong_end(heard, "the tests"))
    if not re.search(r"\d+ passed", figures) or re.search(r"\d+ (failed|error)", figures):
        wrong.append(figures)
    return figures, wrong


def python_of(venv: Path) -> str:
    """Return the version of the Python that a .venv was made from."""
    try:
        settings = (venv / "pyvenv.cfg").read_text()
    except OSError:
        return "no .venv"
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+\.\d+)", settings, re.MULTILINE)
    return f"Python {match[1]}" if match else "an unknown Python"


def _wrong_end(heard: Heard, what: str) -> Iterator[str]:
    if heard.too_long:
        yield f"{what} did not end within {heard.seconds:.0f} s"
    elif heard.code:
        yield f"{what} ended with exit {heard.code}"
