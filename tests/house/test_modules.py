"""Every module says what it is for, can be read in one sitting, and does not print."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch

LINE_CAP = 300
MAY_PRINT = (
    "bot4/cli.py",
    "bot4/cli/*",
    "bot4/trio_run.py",
    "bot4/simulator/__main__.py",
    "bot4/simulator/child.py",
)


def too_long(path: str, text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if lines > LINE_CAP:
        yield (
            f"{path}: Found {lines} lines. Expected at most {LINE_CAP}. "
            f"Reason: a room is read in one sitting; give a part of it a file of its own."
        )


def without_docstring(path: str, text: str) -> Iterator[str]:
    if not ast.get_docstring(ast.parse(text)):
        yield (
            f"{path}: Found no module docstring. Expected one sentence on the room's purpose. "
            f"Reason: a newcomer, or an AI given one file, starts there."
        )


def printing(path: str, text: str) -> Iterator[str]:
    if any(fnmatch(path, allowed) for allowed in MAY_PRINT):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id == "print":
            yield (
                f"{path}:{node.lineno}: Found print. Expected a log event. "
                f"Reason: stdout carries log lines only, and redaction sits in the logger."
            )


def test_no_module_is_longer_than_the_cap(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in too_long(*item))


def test_a_module_over_the_cap_is_found():
    assert list(too_long("bot4/a.py", "x = 1\n" * LINE_CAP)) == []
    assert len(list(too_long("bot4/a.py", "x = 1\n" * (LINE_CAP + 1)))) == 1


def test_every_module_says_what_it_is_for(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in without_docstring(*item))


def test_a_module_without_docstring_is_found():
    assert list(without_docstring("bot4/a.py", '"""What it is for."""\n')) == []
    for silent in ("", "# a comment\n", "x = 1\n"):
        assert len(list(without_docstring("bot4/a.py", silent))) == 1


def test_only_the_doors_to_a_person_print(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in printing(*item))


def test_a_print_elsewhere_is_found_even_under_another_name():
    assert len(list(printing("bot4/app.py", "print('x')\nsay = print\n"))) == 2
    assert list(printing("bot4/cli/status.py", "print('x')\n")) == []
