"""Network, clock, chance, threads, disk and process are reached in the named rooms only.

So that a simulated world can stand in for all of them. import-linter checks who imports which
library; this file also sees what no import shows: a name of ``os``, ``trio`` or ``datetime``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatch

WORLD = (
    "bot4/transport/world.py",
    "bot4/transport/world/*",
    "bot4/transport/unix.py",
    "bot4/transport/account_lock.py",
    "bot4/transport/process.py",
)
SIMULATOR = ("bot4/simulator/*",)
SIGNALS = ("bot4/trio_run.py", "bot4/signals.py")
CHILDREN = ("bot4/cli.py", "bot4/cli/*", "bot4/wiring/*", *WORLD)
STORE = ("bot4/storage/*", "bot4/transport/database.py", *WORLD, *SIMULATOR)

NOWHERE: tuple[str, ...] = ()

MODULES = {
    "_thread": NOWHERE,
    "aiohttp": NOWHERE,
    "anyio": NOWHERE,
    "asyncio": NOWHERE,
    "concurrent": NOWHERE,
    "importlib": (
        *SIGNALS,
        "bot4/simulator/paradex/curve.py",
    ),  # the app's name; an optional speed-up
    "multiprocessing": NOWHERE,
    "random": (*WORLD, *SIMULATOR),
    "requests": NOWHERE,
    "secrets": (*WORLD, "bot4/simulator/child.py"),  # the token of its control endpoint
    "signal": (*SIGNALS, *WORLD, *SIMULATOR),
    "socket": (*WORLD, *SIMULATOR),
    "sqlite3": STORE,
    "subprocess": CHILDREN,
    # An excepthook; a screen that blocks, and compressing what nobody waits for.
    "threading": (*SIGNALS, *(f"bot4/logs/{name}.py" for name in ("setup", "sink", "archive"))),
    "time": (*WORLD, *SIMULATOR, "bot4/signals.py", "bot4/logs/*"),
    "urllib.request": NOWHERE,
    "uuid": WORLD,
    "websockets": NOWHERE,
}
"""Module -> where it may be imported. ``from random import Random`` is a type, welcome anywhere."""

CALLS = {
    "Random": (*WORLD, *SIMULATOR, "bot4/wiring/universe.py"),
    "SystemRandom": WORLD,
    "__import__": NOWHERE,
    "date.today": NOWHERE,
    "datetime.now": WORLD,
    "datetime.today": NOWHERE,
    "datetime.utcnow": NOWHERE,
    "os._exit": SIGNALS,
    "os.abort": NOWHERE,
    "os.fork": NOWHERE,
    "os.kill": (*SIGNALS, *CHILDREN),
    "os.system": NOWHERE,
    "os.urandom": WORLD,
    "trio.from_thread": NOWHERE,
    "trio.lowlevel.open_process": CHILDREN,
    "trio.open_ssl_over_tcp_stream": WORLD,
    "trio.open_tcp_listeners": SIMULATOR,
    "trio.open_tcp_stream": WORLD,
    "trio.open_unix_socket": WORLD,
    "trio.run_process": CHILDREN,
    "trio.serve_ssl_over_tcp": NOWHERE,
    "trio.serve_tcp": NOWHERE,
    "trio.socket": WORLD,
    "trio.to_thread": (*WORLD, "bot4/storage/*"),
}
"""Name as it is written -> where it may be written. Also found behind a longer prefix."""

MAKES_CHANCE = {"Random", "SystemRandom"}


def forbidden_modules(path: str, text: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module == "random" and {alias.name for alias in node.names} == {"Random"}:
                continue
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for module, rooms in MODULES.items():
            if any(f"{name}.".startswith(f"{module}.") for name in names) and not _within(
                path, rooms
            ):
                yield _finding(path, node.lineno, f"import of {module}", rooms)


LAST_WORDS = {name.rpartition(".")[2] for name in CALLS}


def forbidden_names(path: str, text: str) -> Iterator[str]:
    tree = ast.parse(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        if (node.attr if isinstance(node, ast.Attribute) else node.id) not in LAST_WORDS:
            continue  # writing out each name of the project takes long
        written = ast.unparse(node)
        for name, rooms in CALLS.items():
            if written != name and not written.endswith(f".{name}"):
                continue
            if name in MAKES_CHANCE and id(node) not in called:
                continue  # the type in an annotation
            if not _within(path, rooms):
                yield _finding(path, node.lineno, written, rooms)


def _within(path: str, rooms: tuple[str, ...]) -> bool:
    return any(fnmatch(path, room) for room in rooms)


def _finding(path: str, line: int, what: str, rooms: tuple[str, ...]) -> str:
    where = f"only in {', '.join(rooms)}" if rooms else "nowhere in bot4"
    return (
        f"{path}:{line}: Found {what}. Expected {where}. "
        f"Reason: World is the only way out, so that a simulation can stand in for it."
    )


def test_ways_out_are_imported_only_where_they_belong(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in forbidden_modules(*item))


def test_ways_out_are_written_only_where_they_belong(
    sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(f for item in sources.items() for f in forbidden_names(*item))


def test_a_forbidden_import_is_found_however_it_is_written():
    for offender in (
        "import asyncio",
        "import time as clock",
        "def late():\n    from time import time_ns",
        "import os, socket",
        "from random import randint",
        "from random import Random, choice",
        "from concurrent.futures import ThreadPoolExecutor",
        "from urllib.request import urlopen",
        "from urllib import request",
        "import sqlite3",
        "import uuid",
        "import threading",
        "import signal",
        "import subprocess",
    ):
        assert len(list(forbidden_modules("bot4/tasks/pair.py", offender))) == 1, offender


def test_a_permitted_import_is_left_alone():
    for path, text in (
        ("bot4/tasks/backoff.py", "from random import Random"),
        ("bot4/transport/world.py", "import time"),
        ("bot4/storage/journal.py", "import sqlite3"),
        ("bot4/simulator/vest/feed.py", "import random"),
        ("bot4/venues/vest/messages.py", "from datetime import datetime"),
        ("bot4/tasks/pair.py", "from bot4.signals import Signals"),
        ("bot4/config/networks.py", "from urllib.parse import urlsplit"),
    ):
        assert list(forbidden_modules(path, text)) == [], text


def test_a_forbidden_name_is_found_however_deep():
    for offender in (
        "datetime.datetime.now(UTC)",
        "os._exit(1)",
        "end = os._exit",
        "os.urandom(8)",
        "async def f():\n    await trio.open_tcp_stream('h', 1)",
        "async def f():\n    await trio.to_thread.run_sync(work)",
        "dice = Random(4)",
        "dice = random.Random()",
        "__import__('time')",
    ):
        assert len(list(forbidden_names("bot4/tasks/pair.py", offender))) == 1, offender


def test_a_permitted_name_is_left_alone():
    for path, text in (
        ("bot4/tasks/backoff.py", "def roll(dice: Random) -> float: ..."),
        ("bot4/signals.py", "os._exit(130)"),
        ("bot4/transport/world.py", "trio.open_tcp_stream"),
        ("bot4/tasks/pair.py", "clock.now()"),
    ):
        assert list(forbidden_names(path, text)) == [], text
