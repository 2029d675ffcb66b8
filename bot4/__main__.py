"""``python -m bot4`` is ``trio-run bot4``."""

from __future__ import annotations

import sys

from bot4.trio_run import main

if __name__ == "__main__":
    sys.argv.insert(1, "bot4")
    sys.exit(main())
