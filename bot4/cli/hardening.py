"""What the process gives up before it holds a key: copies of its memory, and files others read."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

SET_DUMPABLE: Final = 4
"""Source: Linux, include/uapi/linux/prctl.h, PR_SET_DUMPABLE."""
AUTHORITIES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""What OpenSSL takes other authorities from. Source: OpenSSL, SSL_CTX_load_verify_locations."""


def harden() -> None:
    """Leave no core file behind in a crash, and make every new file ours alone."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)


def forbid_dumps() -> None:
    """Let nobody but root read our memory, and no crash hand it to a program.

    A core pattern that is a pipe does not ask for the limit of core files. Linux only; what other
    systems have is the limit.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 0, 0, 0, 0)


def foreign_owner(state_dir: Path) -> tuple[Path, int] | None:
    """Return a folder of the state that is another user's, with that user, when we are root.

    What root wrote there, the owner could not use: the bot would not start for them any more.
    """
    if os.geteuid() != 0:
        return None
    for folder in (state_dir, state_dir.parent):
        with suppress(OSError):
            owner = folder.stat().st_uid
            if owner != 0:
                return folder, owner
    return None


def other_authorities(environment: Mapping[str, str]) -> list[str]:
    """Return the variables that let somebody else say which certificates are good, with values."""
    return [f"{name}={environment[name]}" for name in AUTHORITIES if environment.get(name)]
