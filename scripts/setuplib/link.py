"""``trio-run`` in every shell: one link in the user's own bin folder, and the way to remove it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from setuplib.messages import SetUpFailed, say

NAME: Final = "trio-run"


def usual_folders(environ: Mapping[str, str], *, root_user: bool) -> list[Path]:
    """Return where people keep commands of their own."""
    home = Path(environ.get("HOME") or "/")
    return [home / ".local" / "bin", home / "bin", *([Path("/usr/local/bin")] * root_user)]


def bin_folder(environ: Mapping[str, str], *, root_user: bool) -> tuple[Path, bool]:
    """Return the user's bin folder and whether commands in it are found.

    The first of the usual ones that is on PATH; where none is, ``~/.local/bin``.
    """
    usual = usual_folders(environ, root_user=root_user)
    path = [one.rstrip("/") for one in environ.get("PATH", "").split(os.pathsep)]
    on_path = [folder for folder in usual if str(folder) in path]
    return (on_path[0], True) if on_path else (usual[0], False)


def put(target: Path, environ: Mapping[str, str], *, root_user: bool) -> None:
    """Link ``trio-run`` to ``target`` and tell how to remove it.

    Raises:
        SetUpFailed: another file has that name, or the folder cannot be written.
    """
    folder, found = bin_folder(environ, root_user=root_user)
    link = folder / NAME
    if link.is_symlink() and not _is_run(link):
        raise SetUpFailed(f"{link} leads to {link.readlink()}, not to a bot4: left as it is.")
    if link.exists() and not link.is_symlink():
        raise SetUpFailed(f"{link} is another program's: left as it is. scripts/run works always.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = link.with_name(f".{NAME}.new")
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(link)
    except OSError as error:
        raise SetUpFailed(f"{link} cannot be written: {error.strerror}.") from None
    say(f"trio-run bot4 works in every shell now: {link} (to remove it: scripts/run unlink)")
    if not found:
        say(f'from the next login on; here, first: export PATH="{folder}:$PATH"')


def remove(target: Path, environ: Mapping[str, str], *, root_user: bool) -> None:
    """Remove the link from wherever it is, if it is ours."""
    links = [folder / NAME for folder in usual_folders(environ, root_user=root_user)]
    ours = [one for one in links if one.is_symlink() and one.resolve() == target.resolve()]
    for link in ours:
        link.unlink()
        say(f"{link} is gone; scripts/run works as before")
    if not ours:
        looked = ", ".join(str(one.parent) for one in links)
        say(f"nothing to remove: no {NAME} in {looked} leads here")


def is_wanted(environ: Mapping[str, str], *, root_user: bool) -> bool:
    """Ask the person, on a terminal only, and only where there is no such command yet."""
    folder, _ = bin_folder(environ, root_user=root_user)
    seen = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))
    if os.path.lexists(folder / NAME) or not seen:
        return False
    print(
        f"bot4: shall `trio-run bot4` work in every shell, by a link in {folder}? [Y/n] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    answer = sys.stdin.readline()  # without an end of line nobody is there, and nobody said yes
    return answer.endswith("\n") and answer.strip().lower() in {"", "y", "yes", "o", "oui"}


def _is_run(link: Path) -> bool:
    """Whether a link leads to the door of some bot4, also of one that is gone."""
    return link.readlink().parts[-2:] == ("scripts", "run")
