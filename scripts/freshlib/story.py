"""What is done on one bare machine: the README's words, and what came of them."""

from __future__ import annotations

import re
import shlex
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from setuplib.install import size_mb

from freshlib import machine, verdict
from freshlib.follow import Heard, indented
from freshlib.settings import Settings, carry_in
from freshlib.systems import FOR_TESTS, OLDER_PYTHON_STEPS, PREINSTALLED, README_PACKAGES, System
from freshlib.verdict import Outcome

SET_UP_LIMIT_S: Final = 1800.0
STOP_LIMIT_S: Final = 120.0
"""How long a run may take beside the set-up and the time it was asked for."""
TESTS_LIMIT_S: Final = 3600.0
LAST_WORDS: Final = "state/simulation/simulator.log"
"""Not pip's log: it names where packages come from."""
UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Request:
    """What the caller wants to see."""

    checkout: Path
    commit: str
    settings: Settings
    place: Path
    duration: str = "90s"
    tests: bool = False
    set_up_only: bool = False


def play(system: System, request: Request, builder: machine.Builder = machine.build) -> Outcome:
    """Make the machine, say the words, and judge."""
    found = Outcome(system.name)
    packages = [*PREINSTALLED, *README_PACKAGES, *(FOR_TESTS if request.tests else ())]
    print(f"{system.name}: making a root with {', '.join(packages)}", flush=True)
    began = time.monotonic()
    with machine.bare_root(system, packages, request.settings, request.place, builder) as root:
        machine.clone(request.checkout, request.commit, root)
        carry_in(request.settings, root)
        found.figures.append(f"root {time.monotonic() - began:.0f} s")
        print(f"{system.name}: {deb_count(root)} apt packages, {size_mb(root):.0f} MB", flush=True)
        if system.refused:
            _install_older_python(system, request, root, found)
        if not found.faults:
            _trade(system, request, root, found)
        if found.faults:
            _last_words(root)
        venv = root / "home" / machine.OWNER / "bot4" / ".venv"
        count, size = python_count(venv), size_mb(venv)
        print(f"{system.name}: {count} Python packages, {size:.0f} MB in .venv", flush=True)
        found.made = [verdict.python_of(venv), f"{count} packages", f"{size:.0f} MB"]
    return found


def _trade(system: System, request: Request, root: Path, found: Outcome) -> None:
    words = "scripts/run check-config"
    limit = SET_UP_LIMIT_S
    if not request.set_up_only:
        words = f"scripts/run --for-ready {shlex.quote(request.duration)}"
        limit += STOP_LIMIT_S + seconds(request.duration)
    heard = _owner(system, request, root, words, limit)
    set_up = verdict.set_up_s(heard)
    silence = verdict.longest_silence_s(heard)
    found.figures.append(f"set-up {set_up:.0f} s, never silent for more than {silence:.1f} s")
    if request.set_up_only:
        found.faults += verdict.wrong_set_up(heard)
    else:
        found.figures.append(f"run {heard.seconds - set_up:.0f} s")
        found.figures.append(f"{verdict.entries(heard)} entries")
        found.faults += verdict.wrong_run(heard)
    found.figures.append(f"exit {heard.code}")
    if request.tests and not found.faults:
        heard = _owner(system, request, root, "scripts/test", SET_UP_LIMIT_S + TESTS_LIMIT_S)
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


def _install_older_python(system: System, request: Request, root: Path, found: Outcome) -> None:
    """See the refusal, then do what it and the README say."""
    refused = _owner(system, request, root, "scripts/run check-config", SET_UP_LIMIT_S)
    found.faults += verdict.wrong_refusal(refused)
    if found.faults:
        return
    uri = request.settings.mirrors.get("ubuntu", machine.UBUNTU)
    ring = f"/{machine.UBUNTU_RING}"
    (root / "etc/apt/sources.list").write_text(
        f"deb [signed-by={ring}] {uri} {system.suite} {system.components}\n"
    )
    for key, value in request.settings.apt.items():
        with (root / "etc/apt/apt.conf").open("a") as conf:
            conf.write(f'{key} "{value}";\n')
    began = time.monotonic()
    for words in ("apt-get update -qq", *OLDER_PYTHON_STEPS):
        print(f"{system.name}: # {words}", flush=True)
        heard = machine.run_inside(
            root, words, request.settings, limit_s=SET_UP_LIMIT_S, user=machine.ROOT
        )
        if heard.code:
            found.faults.append(f"{words}: exit {heard.code}: {verdict.last_line(heard)}")
            return
    found.figures.append(f"refused, cure {time.monotonic() - began:.0f} s")


def _owner(system: System, request: Request, root: Path, words: str, limit_s: float) -> Heard:
    print(f"{system.name}: $ {words}", flush=True)
    return machine.run_inside(root, f"cd ~/bot4 && exec {words}", request.settings, limit_s=limit_s)


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
