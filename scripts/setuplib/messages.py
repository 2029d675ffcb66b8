"""What set-up tells a person: plain lines on stderr, and why pip failed in one of them."""

from __future__ import annotations

import re
import sys
import time
from typing import Final, NoReturn

HASHES: Final = "DO NOT MATCH THE HASHES"
_OFFENDER: Final = re.compile(rf"{HASHES}.*?\n\s+(\S+==\S+)", re.DOTALL)
_UNREACHED: Final = re.compile(
    r"Retrying|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|Max retries exceeded|Temporary failure in name resolution"
)
_ERROR: Final = re.compile(r"^\s*(?:ERROR|error): *(.+)$", re.MULTILINE)


class SetUpFailed(Exception):
    """Set-up cannot go on; the text says why and how to mend it."""


_last = [0.0]


def say(text: str) -> None:
    """Tell the person. stdout belongs to the bot's log lines."""
    _last[0] = time.monotonic()
    if sys.stderr is not None:
        print(f"bot4: {text}", file=sys.stderr, flush=True)


def silent_s() -> float:
    """Return for how long nothing was said; since the machine's start when nothing ever was."""
    return time.monotonic() - _last[0]


def give_up(text: str, code: int = 1) -> NoReturn:
    """Tell the person and end."""
    say(text)
    sys.exit(code)


def why_pip_failed(said: str, lock: str, log: str) -> str:
    """Return in one line why pip failed and what to do.

    Args:
        said: all that pip printed.
        lock: name of the lock it installed.
        log: where its words can be read.
    """
    again = f"then run this again (pip's own words: {log})"
    errors = _ERROR.findall(said)
    if "No space left on device" in said:
        return f"the disk is full. Fix: free about 1 GB, {again}."
    if HASHES in said:
        found = _OFFENDER.search(said)
        name = found.group(1) if found else "a package"
        return (
            f"{name} is not the file that {lock} vouches for, so nothing of it was installed. "
            f"Fix: unset PIP_INDEX_URL and any mirror in 'pip config list', {again}."
        )
    if _UNREACHED.search(said):
        return (
            "the packages could not be downloaded: no network, or the package index does not "
            f"answer. Fix: connect to the Internet (behind a proxy: export HTTPS_PROXY), {again}."
        )
    missing = [error for error in errors if "No matching distribution" in error]
    if missing:
        return (
            f"no ready-built package for this machine: {missing[-1]}. "
            f"Fix: use 64-bit Linux or macOS with Python 3.11 to 3.13, {again}."
        )
    last = errors[-1] if errors else (said.strip().splitlines() or ["it said nothing"])[-1]
    return f"pip failed: {last} Fix: rm -rf .venv, {again}."


def what_is_lacking(said: str, lock: str) -> str:
    """Return in one line what ``pip check`` found."""
    line = next((text for text in said.splitlines() if text.strip()), "pip check found a fault")
    return (
        f"{lock} does not fit together: {line.rstrip('.')}. "
        f"Fix: restore the lock (git checkout {lock}), then run this again."
    )
