"""The words that start one of our commands in the shell of the person who reads them.

What a line says to do is typed in a hurry, perhaps with a leg alone: it has to work as it stands,
from whatever folder, without ``.venv/bin`` on the path, and on the same account.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from bot4.isolation import working_folder

ROOT: Final = Path(__file__).resolve().parent.parent
SHELL_DIR: Final = "BOT4_SHELL_DIR"
"""The launcher goes to the project's folder; here it leaves where the person was before."""
ON_WINDOWS: Final = "BOT4_RUN_CMD"
"""The launcher for Windows leaves its own full name here: the person is in a shell of Windows."""
CMD_SPECIAL: Final = frozenset(" &()^;,=|<>!'")
"""What cmd.exe takes apart outside of quotes."""
PROGRAM: Final = "trio-run bot4"
LAUNCHER: Final = "scripts/run"
SETTINGS: Final = "bot4.yaml"
WITHOUT_SETTINGS: Final = frozenset({"", "help", "version", "simulate"})
WITH_LIVE: Final = frozenset({"run", "flatten", "guard"})


@functools.cache
def command(name: str = "") -> str:
    """Return what to type for a command of bot4, ``flatten`` or ``db check``; "" is bot4 itself.

    The settings and ``--live`` of this run are named again where the command needs them: without
    them a flatten would look at another account, or be refused.
    """
    here = working_folder()
    launcher = os.environ.get(ON_WINDOWS, "")
    door = (
        quoted(launcher)
        if launcher
        else find_door(ROOT, os.environ.get(SHELL_DIR) or here, os.environ.get("PATH", ""))
    )
    words = [door, name] if name else [door]
    return " ".join([*words, *same_options(name, sys.argv[1:], here)])


def given_path(text: str) -> Path:
    """Return a path as the person who typed it means it: from the folder of that shell."""
    return Path(os.environ.get(SHELL_DIR, ""), text)


def quoted(text: str) -> str:
    """Return a word so that the person's shell takes it as one: sh, or cmd.exe on Windows."""
    if os.environ.get(ON_WINDOWS):
        return f'"{text}"' if set(text) & CMD_SPECIAL else text
    import shlex

    return shlex.quote(text)


def find_door(root: Path, here: str, path: str) -> str:
    """Return the words before the command.

    Args:
        root: the folder that holds this package.
        here: the folder the person's shell is in; "" when nobody knows.
        path: where that shell looks for programs.
    """
    launcher = root / LAUNCHER
    if not _is_file(launcher):
        return PROGRAM
    ours = {os.path.realpath(launcher), os.path.realpath(root / ".venv" / "bin" / "trio-run")}
    found = _first_on(path, here)
    if found and os.path.realpath(found) in ours:
        return PROGRAM
    if here and os.path.realpath(here) == os.path.realpath(root):
        return LAUNCHER
    return quoted(str(launcher))


def same_options(name: str, given: Sequence[str], here: str) -> Iterator[str]:
    """Yield the options of this run that a command needs as well.

    Args:
        name: the command.
        given: the command line of this run.
        here: the folder this run works in; "" when it is gone.
    """
    if name not in WITHOUT_SETTINGS:
        settings = _value_of("--config", given)
        settings = settings and str(given_path(settings))
        if not settings and here not in ("", str(ROOT)) and _is_file(Path(here, SETTINGS)):
            settings = SETTINGS
        if settings:
            yield f"--config {quoted(str(Path(here, settings)))}"
    if name in WITH_LIVE and "--live" in given:
        yield "--live"


def _first_on(path: str, here: str) -> str:
    """Return the program that a shell in this folder would start; "" when it finds none."""
    for folder in path.split(os.pathsep):
        program = Path(here, folder, "trio-run")
        if _is_file(program) and os.access(program, os.X_OK):
            return str(program)
    return ""


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - where we may not look, Path.is_file raises


def _value_of(option: str, given: Sequence[str]) -> str:
    for place, word in enumerate(given):
        if word == option:
            return "".join(given[place + 1 : place + 2])
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return ""
