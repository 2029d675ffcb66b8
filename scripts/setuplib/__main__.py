"""The Python side of ``scripts/_setup.sh``: ``install``, ``link``, ``unlink`` and ``lock``.

Started under the machine's own Python, isolated (``-I``), with SIGINT blocked until here.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    for one in ENDING:
        signal.signal(one, signal.SIG_IGN)  # Ending takes a moment: once is enough.
    raise KeyboardInterrupt


def _try_link(door: Path, *, root_user: bool) -> None:
    """A link that cannot be made is no reason not to trade."""
    import os

    from setuplib import link
    from setuplib.messages import SetUpFailed, say

    try:
        link.put(door, os.environ, root_user=root_user)
    except SetUpFailed as failure:
        say(str(failure))


def _main(words: list[str]) -> None:
    import os

    from setuplib import link, lock
    from setuplib.install import SetUp
    from setuplib.messages import SetUpFailed, give_up, say

    root, command, *rest = words
    door = Path(root) / "scripts" / "run"
    root_user = os.geteuid() == 0
    try:
        if command == "install":
            say(f"setting up in {root}, once: one to four minutes")
            linked = rest[0] == "ask" and link.is_wanted(os.environ, root_user=root_user)
            wanted = dict(word.split("=", 1) for word in rest[1:])
            SetUp(Path(root), Path(os.path.realpath(sys.executable))).run(wanted)
            if linked:
                _try_link(door, root_user=root_user)
        elif command == "link":
            link.put(door, os.environ, root_user=root_user)
        elif command == "unlink":
            link.remove(door, os.environ, root_user=root_user)
        elif command == "lock":
            if set(rest) - {"--upgrade"}:
                give_up(f"unknown option {rest[-1]}. Fix: scripts/check --lock [--upgrade]", 64)
            lock.make(Path(root), upgrade=bool(rest))
    except SetUpFailed as failure:
        give_up(str(failure))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        give_up(
            f"set-up cannot go on: {where}{error.strerror or error}. Fix it, then run this again."
        )


try:
    for _one in ENDING:
        if signal.getsignal(_one) is not signal.SIG_IGN:
            signal.signal(_one, _interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    _main(sys.argv[1:])
    # From here on the shell alone hears Ctrl+C: an interpreter that is leaving prints a traceback.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
except KeyboardInterrupt:
    print(
        "bot4: stopped. Nothing was started. The next time, an unfinished set-up starts over;"
        " what was downloaded is kept where pip keeps it",
        file=sys.stderr,
    )
    sys.exit(130)
