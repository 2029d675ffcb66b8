"""What is done on one bare machine: the README's words, and what came of them."""

from __future__ import annotations

import os
import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freshlib import machine, verdict
from freshlib.follow import Heard, indented
from freshlib.settings import Settings, carry_in
from freshlib.systems import ASKED, CURE, FOR_TESTS, THERE, System
from freshlib.verdict import Judgement

SET_UP_LIMIT_S: Final = 1800.0
STOP_LIMIT_S: Final = 120.0
"""How long a run may take beside the set-up and the time it was asked for."""
TESTS_LIMIT_S: Final = 3600.0
LAST_WORDS: Final = "state/simulation/simulator.log"
"""Not pip's log: it names where packages come from."""
UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Wish:
    """What the caller wants to see."""

    checkout: Path
    commit: str
    settings: Settings
    place: Path
    duration: str = "90s"
    tests: bool = False
    set_up_only: bool = False


def play(system: System, wish: Wish, builder: machine.Builder = machine.build) -> Judgement:
    """Make the machine, say the words, and judge."""
    found = Judgement(system.name)
    packages = [*THERE, *ASKED, *(FOR_TESTS if wish.tests else ())]
    print(f"{system.name}: making a root with {', '.join(packages)}", flush=True)
    began = time.monotonic()
    with machine.bare_root(system, packages, wish.settings, wish.place, builder) as root:
        machine.clone(wish.checkout, wish.commit, root)
        carry_in(wish.settings, root)
        found.figures.append(f"root {time.monotonic() - began:.0f} s")
        print(f"{system.name}: {deb_count(root)} apt packages, {megabytes(root)} MB", flush=True)
        if system.refused:
            _cure(system, wish, root, found)
        if not found.faults:
            _trade(system, wish, root, found)
        if found.faults:
            _last_words(root)
        venv = root / "home" / machine.OWNER / "bot4" / ".venv"
        count, size = python_count(venv), megabytes(venv)
        print(f"{system.name}: {count} Python packages, {size} MB in .venv", flush=True)
        found.made = [verdict.python_of(venv), f"{count} packages", f"{size} MB"]
    return found


def _trade(system: System, wish: Wish, root: Path, found: Judgement) -> None:
    words = "scripts/run check-config"
    limit = SET_UP_LIMIT_S
    if not wish.set_up_only:
        words = f"scripts/run --for {shlex.quote(wish.duration)}"
        limit += STOP_LIMIT_S + seconds(wish.duration)
    heard = _owner(system, wish, root, words, limit)
    set_up = verdict.set_up_s(heard)
    silence = verdict.longest_silence_s(heard)
    found.figures.append(f"set-up {set_up:.0f} s, never silent for more than {silence:.1f} s")
    if wish.set_up_only:
        found.faults += verdict.wrong_set_up(heard)
    else:
        found.figures.append(f"run {heard.seconds - set_up:.0f} s")
        found.figures.append(f"{verdict.entries(heard)} entries")
        found.faults += verdict.wrong_run(heard)
    found.figures.append(f"exit {heard.code}")
    if wish.tests and not found.faults:
        heard = _owner(system, wish, root, "scripts/test", SET_UP_LIMIT_S + TESTS_LIMIT_S)
        figures, wrong = verdict.tested(heard)
        found.figures += [f"tests {heard.seconds:.0f} s", figures]
        found.faults += wrong


def _last_words(root: Path) -> None:
    """Show what would be read next, and is gone with the root."""
    path = root / "home" / machine.OWNER / "bot4" / LAST_WORDS
    if path.is_file():
        print(f"{LAST_WORDS}:", flush=True)
        for line in path.read_text(errors="replace").splitlines()[-20:]:
            indented(line)


def _cure(system: System, wish: Wish, root: Path, found: Judgement) -> None:
    """See the refusal, then do what it and the README say."""
    refused = _owner(system, wish, root, "scripts/run check-config", SET_UP_LIMIT_S)
    found.faults += verdict.wrong_refusal(refused)
    if found.faults:
        return
    uri = wish.settings.mirrors.get("ubuntu", machine.UBUNTU)
    ring = f"/{machine.UBUNTU_RING}"
    (root / "etc/apt/sources.list").write_text(
        f"deb [signed-by={ring}] {uri} {system.suite} {system.components}\n"
    )
    for key, value in wish.settings.apt.items():
        with (root / "etc/apt/apt.conf").open("a") as conf:
            conf.write(f'{key} "{value}";\n')
    began = time.monotonic()
    for words in ("apt-get update -qq", *CURE):
        print(f"{system.name}: # {words}", flush=True)
        heard = machine.run_inside(
            root, words, wish.settings, limit_s=SET_UP_LIMIT_S, user=machine.ROOT
        )
        if heard.code:
            found.faults.append(f"{words}: exit {heard.code}: {verdict.last_line(heard)}")
            return
    found.figures.append(f"refused, cure {time.monotonic() - began:.0f} s")


def _owner(system: System, wish: Wish, root: Path, words: str, limit_s: float) -> Heard:
    print(f"{system.name}: $ {words}", flush=True)
    return machine.run_inside(root, f"cd ~/bot4 && exec {words}", wish.settings, limit_s=limit_s)


def seconds(duration: str) -> float:
    """Read 90s, 5m or 1h, as the run command does."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([smh])", duration)
    if match is None:
        raise ValueError(f"{duration} is no time. Fix: 90s, 5m or 1h")
    return float(match[1]) * UNITS[match[2]]


def deb_count(root: Path) -> int:
    """Return how many apt packages are in the root."""
    status = root / "var/lib/dpkg/status"
    return len(re.findall(r"^Package: ", status.read_text(errors="replace"), re.MULTILINE))


def python_count(venv: Path) -> int:
    """Return how many Python packages are in a .venv, pip and bot4 among them."""
    return sum(1 for _ in venv.glob("lib/python3*/site-packages/*.dist-info"))


def megabytes(folder: Path) -> int:
    """Return what a folder takes on the disk; 0 where there is none."""
    taken = {}  # by inode: one file may have many names
    for place, _, names in os.walk(folder):
        for name in names:
            stat = os.lstat(os.path.join(place, name))  # noqa: PTH118  # there are many
            taken[stat.st_ino] = stat.st_blocks * 512
    return round(sum(taken.values()) / 1e6)
