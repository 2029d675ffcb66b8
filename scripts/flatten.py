#!/usr/bin/env python3
"""Close everything by hand: a thin door to ``trio-run bot4 flatten`` in the project's own venv.

scripts/flatten.py [--pair NAME] [--venue NAME] [--yes] [--dry-run] [--live]
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRIO_RUN = ROOT / ".venv" / "bin" / "trio-run"


def main() -> None:
    """Become the real command; its exit code is ours."""
    if not TRIO_RUN.exists():
        sys.exit("scripts/flatten.py: there is no .venv yet: run scripts/run once, or scripts/test")
    os.execv(TRIO_RUN, [str(TRIO_RUN), "bot4", "flatten", *sys.argv[1:]])  # noqa: S606 - no shell


main()
