"""Makes .venv ready for some purposes, or says in one line what is in the way.

``.venv.lock`` is held while one process works, so that two started at once do not both install. It
has a word in it while the work is unfinished, so that the next one starts an interrupted .venv over
instead of trusting half of it. The stamp of a purpose is written last.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from setuplib import child
from setuplib.locks import BUILD, FROM_SOURCE, lock_file, parse, pins
from setuplib.messages import SetUpFailed, say, silent_s, what_is_lacking, why_pip_failed
from setuplib.pip import Pip
from setuplib.settings import asking, pip_environment, scrubbed

OURS: Final = "bot4"
UNFINISHED: Final = b"unfinished\n"
NEEDED_BYTES: Final = 50 * 10**6
"""Less than a .venv with nothing but pip in it takes."""
LOOK_S: Final = 0.2
"""Between two looks at a lock that another process holds: a lock has no event."""
LIST: Final = (
    "from importlib.metadata import distributions as found\n"
    "for one in found(): print(one.name, one.version, sep='==')"
)


class SetUp:
    """One folder's .venv.

    Args:
        root: the folder of the project.
        python: makes the .venv.
    """

    def __init__(self, root: Path, python: Path) -> None:
        self._root = root
        self._python = python
        self._venv = root / ".venv"
        self._log = root / ".venv.log"
        self._lock = root / ".venv.lock"
        self._held = -1

    def run(self, wanted: Mapping[str, str]) -> None:
        """Install what some purposes need.

        Args:
            wanted: purpose -> the stamp that says what it is made from; ``run`` comes first.

        Raises:
            SetUpFailed: with the one line for the person.
            KeyboardInterrupt: the next set-up starts over.
        """
        if self._venv.is_symlink() or (self._venv.exists() and not self._venv.is_dir()):
            # What a link leads to is somebody's: making .venv anew would empty it.
            raise SetUpFailed(f"{self._venv} is not a folder. Fix: rm '{self._venv}', then again.")
        with self._open_lock() as lock:
            self._held = lock.fileno()
            self._wait_for_others(lock)
            stamped = all(self._stamp_of(name) == stamp for name, stamp in wanted.items())
            if not (stamped and self._starts()):
                self._install(wanted, lock)

    def _starts(self) -> bool:
        """Whether what a stamp speaks of is still there: an upgrade may take its Python away."""
        return all((self._venv / "bin" / name).exists() for name in ("python", "trio-run"))

    def _install(self, wanted: Mapping[str, str], lock: IO[bytes]) -> None:
        began = time.monotonic()
        lock.seek(0)
        sound = not lock.read() and self._is_sound()
        lock.write(UNFINISHED)
        lock.flush()
        self._log.write_text("", encoding="utf-8")
        for made in self._venv.glob("bot4-*.stamp"):
            made.unlink()
        if not sound:
            self._make_venv()
        python = self._venv / "bin" / "python"
        pip = Pip(
            python, pip_environment(self._pip_settings(python), os.environ), self._log, self._held
        )
        for purpose in (BUILD, *wanted):
            self._install_lock(pip, purpose)
        self._install_ourselves(pip)
        count = self._remove_others(pip, wanted)
        self._check(pip, wanted)
        for purpose, stamp in wanted.items():
            (self._venv / f"bot4-{purpose}.stamp").write_text(f"{stamp}\n", encoding="utf-8")
        lock.truncate(0)
        took_s, megabytes = time.monotonic() - began, size_mb(self._venv)
        say(f"set-up done: {count} packages, {megabytes:.0f} MB in .venv, {took_s:.0f} s")

    def _stamp_of(self, purpose: str) -> str:
        try:
            return (self._venv / f"bot4-{purpose}.stamp").read_text("utf-8").strip()
        except OSError:
            return ""

    def _open_lock(self) -> IO[bytes]:
        try:
            return self._lock.open("a+b")
        except OSError as error:
            raise SetUpFailed(
                f"cannot write {self._lock}: {error.strerror}. "
                f"Fix: sudo chown -R \"$(id -un)\" '{self._root}' (or remove what has that name), "
                "then run this again."
            ) from None

    def _wait_for_others(self, lock: IO[bytes]) -> None:
        waiting = child.Waiting("another set-up is at work here; waiting for it")
        while not _take(lock):
            if silent_s() >= child.QUIET_S:
                say(waiting.text())
            time.sleep(LOOK_S)

    def _is_sound(self) -> bool:
        """Whether .venv can be brought up to date where it stands: not moved, its Python alive."""
        python = self._venv / "bin" / "python"
        try:
            if f"{self._venv}/bin/" not in (self._venv / "bin" / "pip").read_text("utf-8"):
                return False
            said: list[str] = []
            asked = "import sys, pip; print(sys.version_info[:2])"
            self._child([str(python), "-I", "-c", asked], said, "looking at .venv")
        except (OSError, UnicodeDecodeError):
            return False
        return said == [str(sys.version_info[:2])]

    def _make_venv(self) -> None:
        say(f"making .venv with {self._python}")
        said: list[str] = []
        command = [str(self._python), "-I", "-m", "venv", "--clear", str(self._venv)]
        if self._child(command, said, "making .venv"):
            self._log.write_text("\n".join(said), encoding="utf-8")
            last = (said or ["it said nothing"])[-1]
            if shutil.disk_usage(self._root).free < NEEDED_BYTES:
                raise SetUpFailed("the disk is full. Fix: free about 1 GB, then run this again.")
            raise SetUpFailed(
                f"could not make .venv: {last} "
                "Fix: sudo apt install python3-venv, rm -rf .venv, then run this again."
            )

    def _child(
        self,
        command: list[str],
        said: list[str],
        doing: str,
        environ: Mapping[str, str] | None = None,
    ) -> int:
        waiting = child.Waiting(doing)
        environ = scrubbed(os.environ) if environ is None else environ
        return child.run(command, environ, heard=said.append, waiting=waiting.text, lock=self._held)

    def _pip_settings(self, python: Path) -> list[str]:
        """Return the lines of ``pip config list``."""
        listing: list[str] = []
        command = [str(python), "-I", "-m", "pip", "config", "list"]
        if self._child(command, listing, "reading pip's settings", asking(os.environ)):
            last = (listing or ["it said nothing"])[-1]
            raise SetUpFailed(
                f"pip's own settings cannot be read: {last} "
                "Fix: correct that file, or export PIP_CONFIG_FILE=/dev/null, then run this again."
            )
        return listing

    def _install_lock(self, pip: Pip, purpose: str) -> None:
        lock = lock_file(self._root, purpose)
        try:
            total = len(pins(lock))
        except UnicodeDecodeError:
            raise SetUpFailed(
                f"{lock.name} is damaged. Fix: git checkout {lock.name}, then run this again."
            ) from None
        say(f"installing what {lock.name} names into .venv")
        source = [word for name in FROM_SOURCE for word in ("--no-binary", name)]
        code, said = pip.install(lock, total, "--only-binary", ":all:", *source)
        if code:
            raise SetUpFailed(why_pip_failed(said, lock.name, self._log.name))

    def _install_ourselves(self, pip: Pip) -> None:
        # Not by its name: pip would read a "[" in it as the start of extras.
        words = ("--no-index", "--no-deps", "--no-build-isolation", "-e", ".")
        code, said = pip.ask("installing bot4 itself", "install", *words, cwd=self._root)
        if code:
            raise SetUpFailed(why_pip_failed(said, "pyproject.toml", self._log.name))

    def _remove_others(self, pip: Pip, wanted: Mapping[str, str]) -> int:
        """Take out what an older lock had; return how many packages there are."""
        named = {"pip", OURS}
        for purpose in (BUILD, *wanted):
            named.update(pins(lock_file(self._root, purpose)))
        said: list[str] = []
        python = str(self._venv / "bin" / "python")
        self._child([python, "-I", "-c", LIST], said, "looking at what is installed")
        others = parse("\n".join(said)).keys() - named
        if others:
            pip.ask("removing what no lock names", "uninstall", "--yes", *sorted(others))
        return len(said) - len(others)

    def _check(self, pip: Pip, wanted: Mapping[str, str]) -> None:
        code, said = pip.ask("checking", "check")
        if code:
            names = [lock_file(self._root, purpose).name for purpose in wanted]
            raise SetUpFailed(what_is_lacking(said, " + ".join(names)))


def _take(lock: IO[bytes]) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def size_mb(folder: Path) -> float:
    """Return what a folder takes on the disk, in MB; 0 where there is none."""
    taken = {}  # by inode: one file may have many names
    for place, _, names in os.walk(folder):
        for name in names:
            stat = os.lstat(os.path.join(place, name))  # noqa: PTH118 - there are many
            taken[stat.st_ino] = stat.st_blocks * 512
    return sum(taken.values()) / 1e6
