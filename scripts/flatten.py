#!/usr/bin/env python3
"""Close everything by hand: a thin door to ``trio-run bot4 flatten`` in the project's own venv.

scripts/flatten.py [--pair NAME] [--venue NAME] [--yes] [--dry-run] [--live]
"""

from __future__ import annotations

import signal

# First of all: a Ctrl+C waits for the bot, which obeys it, and breaks no half-started Python.
if hasattr(signal, "pthread_sigmask"):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".venv" / "bin" / "python"


def main() -> None:
    """Become the real command; its exit code is ours."""
    if os.name == "nt":
        sys.exit(r"scripts\flatten.py: on Windows start scripts\run.cmd flatten")
    if not PYTHON.exists():
        launcher = shlex.quote(str(ROOT / "scripts" / "run"))
        sys.exit(f"scripts/flatten.py: there is no .venv yet: {launcher} help makes it")
    # Nothing that this machine tells every Python gets near the keys.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    isolated = [str(PYTHON), "-P", "-s", "-m", "bot4.trio_run", "bot4", "flatten", *sys.argv[1:]]
    os.execve(PYTHON, isolated, kept)  # noqa: S606 - no shell


main()
