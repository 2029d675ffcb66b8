"""The log files of before: compressed, and only the newest few kept."""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import shutil
import threading
from pathlib import Path
from typing import Final

STAMP: Final = r"\.\d{8}-\d{6}-\d{3}"
"""What is put behind the name of a log file that was turned over: its end, UTC."""
PART: Final = ".part"

_one_at_a_time = threading.Lock()


def tidy(path: Path, keep: int) -> None:
    """Compress what was turned over and remove the oldest, in a thread, if there is any.

    What the end of the process interrupts is done at the next start. Only whoever may write the log
    file may call this.

    Args:
        path: of the log file.
        keep: how many files of before stay.
    """
    if any(archives(path)):
        # A daemon: the process must not wait for it at its end.
        threading.Thread(target=_tidy, args=(path, keep), name="archive", daemon=True).start()


def archives(path: Path) -> list[Path]:
    """Return what was turned over, compressed or not, oldest first, unfinished ones included."""
    form = re.compile(re.escape(path.name) + STAMP + rf"(\.gz({PART})?)?")
    with contextlib.suppress(OSError):
        return sorted(one for one in path.parent.iterdir() if form.fullmatch(one.name))
    return []


def _tidy(path: Path, keep: int) -> None:
    with _one_at_a_time, contextlib.suppress(OSError):
        found = archives(path)
        for part in [one for one in found if one.suffix == PART]:
            part.unlink(missing_ok=True)
            found.remove(part)
        for old in found[: max(0, len(found) - keep)]:
            old.unlink(missing_ok=True)
        for one in found[-keep:]:
            if one.suffix != ".gz":
                _compress(one)


def _compress(path: Path) -> None:
    done = path.with_name(f"{path.name}.gz")
    part = path.with_name(f"{done.name}{PART}")
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with path.open("rb") as plain, os.fdopen(number, "wb") as into:
        with gzip.GzipFile(fileobj=into, mode="wb", filename="") as packed:
            shutil.copyfileobj(plain, packed)
        into.flush()
        os.fsync(into.fileno())
    part.rename(done)
    path.unlink()
