"""Runs pip so that a person sees it live: a line a package with a counter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from setuplib import child
from setuplib.locks import normal
from setuplib.messages import say

_SEEN: Final = (
    re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)==(\S+)", re.ASCII),
    re.compile(r"Processing (?:.*/)?([\w.]+)-([\w.!+]+?)(?:-.*\.whl|\.tar\.gz|\.zip)", re.ASCII),
)
"""How pip says that a package's turn has come; the second, for one that lies on this machine."""


class Pip:
    """The pip of one environment.

    Args:
        python: the environment's Python.
        environ: what pip sees (``settings.pip_environment``).
        log: a file that gets all its words.
        lock: a file that stays locked while pip lives.
    """

    def __init__(self, python: Path, environ: Mapping[str, str], log: Path, lock: int) -> None:
        self._lock = lock
        self._python = python
        self._environ = environ
        self._log = log

    def ask(
        self, doing: str, command: str, *words: str, cwd: Path | None = None
    ) -> tuple[int, str]:
        """Run pip without showing its words; return its exit code and what it printed.

        Args:
            doing: what to tell a person who waits.
            command: pip's, then further words.
            words: of that command.
            cwd: where it works.
        """
        return self._run((command, *words), lambda _: None, child.Waiting(doing).text, cwd)

    def install(self, lock: Path, total: int, *options: str) -> tuple[int, str]:
        """Install one lock as it stands, without looking at what anything needs.

        Args:
            lock: exact versions with hashes; nothing else is downloaded.
            total: packages in it, those for other systems included.
            options: further words for pip.

        Returns:
            pip's exit code and all that it printed.
        """
        words = ("--no-deps", "--require-hashes", "--no-build-isolation", "--progress-bar", "off")
        progress = Progress(total, self._standing)
        command = ("install", *words, *options, "-r", str(lock))
        return self._run(command, progress.heard, progress.text)

    def _run(
        self,
        words: tuple[str, ...],
        heard: Callable[[str], None],
        waiting: Callable[[], str],
        cwd: Path | None = None,
    ) -> tuple[int, str]:
        said: list[str] = []
        usual = ("--no-input", "--disable-pip-version-check", "--no-color")
        command = [str(self._python), "-I", "-u", "-m", "pip", words[0], *usual, *words[1:]]

        def hear(line: str) -> None:
            said.append(line)
            heard(line)

        try:
            code = child.run(
                command, self._environ, heard=hear, waiting=waiting, lock=self._lock, cwd=cwd
            )
        finally:
            with self._log.open("a", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in said)
        return code, "\n".join(said)

    def _standing(self) -> int:
        places = self._python.parent.parent.glob("lib/python3*/site-packages")
        return sum(len(list(place.glob("*.dist-info"))) for place in places)


class Progress(child.Waiting):
    """Turns pip's words into a counter.

    Args:
        total: packages of the lock.
        standing: counts the packages that stand in the environment.
    """

    def __init__(self, total: int, standing: Callable[[], int]) -> None:
        super().__init__("asking the package index")
        self._total = total
        self._standing = standing
        self._seen = 0
        self._before: int | None = None

    def heard(self, line: str) -> None:
        """Take one line of pip's, and tell the person when another package's turn has come."""
        if line.startswith("Ignoring "):
            self._total -= 1
        elif found := _SEEN[0].match(line) or _SEEN[1].match(line):
            self._seen += 1
            self.now(f"{normal(found[1])} {found[2]}")
            say(f"{self._seen:3} of {self._total}  {self.doing}")
        elif line.startswith("Installing collected packages"):
            self._before = self._standing()
            self.now("putting them in place")
            say(self.doing)

    def text(self) -> str:
        """Return the line for a person who waits."""
        if self._before is None:
            return super().text()
        return f"{super().text()}: {max(0, self._standing() - self._before)} of {self._total}"
