"""Keeps out of the bot what this machine tells every Python: paths, start-up files, user sites.

A foreign ``yaml.py`` found first would read the settings, and run beside the keys. The launcher
starts us with ``-P -s`` and a clean environment; this is for the bot started without it, and for
the processes it starts itself.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping, Sequence
from typing import Final

from bot4.signals import Signals

HARMLESS: Final = frozenset(
    {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONIOENCODING",
        "PYTHONNOUSERSITE",
        "PYTHONSAFEPATH",
        "PYTHONUNBUFFERED",
        "PYTHONUTF8",
    }
)
"""They change no line of code that runs. All others go, also those that nobody knows yet."""


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would lead a Python to foreign code."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PYTHON") or name in HARMLESS
    }


def python(module: str, *words: str) -> list[str]:
    """Return the command that runs a module in a Python of its own, to be given ``clean``."""
    return [sys.executable, "-P", "-s", "-m", module, *words]


def isolate(words: Sequence[str], signals: Signals) -> None:
    """Start this process anew when its Python was told anything: same id, same files, no loss.

    ``sitecustomize`` and ``usercustomize`` on PYTHONPATH have run before any line of ours: against
    them only the launcher helps. The same goes for a PYTHONHOME that ends in no Python at all.

    Args:
        words: the command line of ``trio-run``.
        signals: a wish to stop that has arrived already is handed on.
    """
    kept = clean(os.environ)
    user_site = bool(site.ENABLE_USER_SITE) and not sys.flags.no_user_site
    if kept == dict(os.environ) and not user_site:
        _leave_out_the_working_folder()
        return
    signals.hand_on()
    os.execve(sys.executable, python("bot4.trio_run", *words), kept)  # noqa: S606 - no shell


def _leave_out_the_working_folder() -> None:
    """``python -m`` puts it first, where it hides every package; ``find_main`` adds it last."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in ("", working_folder()):
        del sys.path[0]


def working_folder() -> str:
    """Return the folder this process works in, as a text; "" when it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - a text, "" when there is none
    except OSError:
        return ""
