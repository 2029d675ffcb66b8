"""Tests wait on the machine's own clock only as long as ``scripts/timeouts.py`` says, and why.

What can be seen in the text is looked at: numbers given to scopes, sleeps and timeouts, clocks that
hurry, and asserted bounds on measured time. A test that has a clock of Trio's own making may say
any number: nobody waits for it. Helpers and fixtures are held to the tests that lead to them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

import pytest
import timeouts
from timeouts import TIMES, Bound, Pause

EXCUSED = {
    # What these say is about other clocks, or is looked after elsewhere.
    "tests/house/test_timeouts.py",
    "tests/house/test_safety.py",
}
LISTED = frozenset(n for n, value in vars(timeouts).items() if isinstance(value, Bound | Pause))
MADE_CLOCKS = frozenset({"autojump_clock", "mock_clock", "fast_clock"})
SCOPES = frozenset({"fail_after", "move_on_after", "fail_at", "move_on_at"})
WORDS = frozenset({"timeout", "within_s", "timeout_s", "deadline"})
MEASURES = frozenset({"monotonic", "perf_counter", "time", "current_time"})
EVENTS = frozenset({"wait", "communicate"})
"""Methods whose first argument is a timeout."""

TELLTALE = re.compile(
    r"sleep|fail_a|move_on_a|timeout|within_s|deadline|\.wait\(|communicate|\.rate\b|"
    r"monotonic|perf_counter|time\.time|current_time"
)

Def = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def arguments(function: Def) -> set[str]:
    """Return what a test or fixture asks for by its signature: pytest-trio sees no other clock."""
    return {arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)}


@cache
def is_fixture(function: Def) -> bool:
    return any("fixture" in ast.unparse(mark) for mark in function.decorator_list)


def is_test(function: Def) -> bool:
    return function.name.startswith("test_")


@cache
def parts(node: ast.AST) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(node))


@cache
def pieces(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


@cache
def functions(text: str) -> list[Def]:
    return [node for node in pieces(text) if isinstance(node, Def)]


def allowed(value: ast.expr) -> bool:
    """Whether a number is on the list, is no time at all, or is not known from the text."""
    names = {node.id for node in parts(value) if isinstance(node, ast.Name)}
    if names & LISTED:
        return True
    numbers = [n.value for n in parts(value) if isinstance(n, ast.Constant)]
    said = [n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool)]
    return not any(said) and not any(name.isupper() for name in names)


def waits(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the waits in a piece of code: line and what it says."""
    polls = {
        id(inner)
        for loop in parts(node)
        if isinstance(loop, ast.While) and not isinstance(loop.test, ast.Constant)
        for inner in parts(loop)
    }
    for call in parts(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            name = call.func.attr
            first = call.args[:1]
            if name == "sleep":
                first = [] if id(call) in polls else first
            elif name not in SCOPES | EVENTS:
                first = []
            words = [keyword.value for keyword in call.keywords if keyword.arg in WORDS]
            for value in (*first, *words):
                if not allowed(value):
                    yield call.lineno, ast.unparse(call)
        elif isinstance(call, ast.Call):
            for keyword in call.keywords:
                if keyword.arg in WORDS and not allowed(keyword.value):
                    yield call.lineno, ast.unparse(call)
        elif isinstance(call, ast.arguments):
            told = call.kwonlyargs, call.kw_defaults
            last = call.args[len(call.args) - len(call.defaults) :], call.defaults
            for argument, default in (*zip(*told, strict=True), *zip(*last, strict=True)):
                if argument.arg in WORDS and default is not None and not allowed(default):
                    yield argument.lineno, f"{argument.arg}={ast.unparse(default)}"


def measured(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield upper bounds on measured time: asserts that say what is still fast enough."""
    clocked = set()
    for assigned in parts(node):
        if isinstance(assigned, ast.Assign) and reads_a_clock(assigned.value, clocked):
            clocked |= {ast.unparse(target) for target in assigned.targets}
    for one in parts(node):
        if not isinstance(one, ast.Assert):
            continue
        for compared in parts(one.test):
            if not isinstance(compared, ast.Compare):
                continue
            sides = [compared.left, *compared.comparators]
            for left, sign, right in zip(sides, compared.ops, sides[1:], strict=False):
                fast = left if isinstance(sign, ast.Lt | ast.LtE) else right
                slow = right if fast is left else left
                if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and (
                    reads_a_clock(fast, clocked) and not reads_a_clock(slow, clocked)
                ):
                    yield one.lineno, ast.unparse(compared)


def reads_a_clock(value: ast.expr, clocked: set[str]) -> bool:
    if ast.unparse(value) in clocked:
        return True
    return any(
        (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in MEASURES
        )
        or (isinstance(node, ast.Name) and node.id in clocked)
        for node in parts(value)
    )


def hurrying(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield clocks made to run faster: beside threads or sockets they leave no time for those."""
    for assigned in parts(node):
        if isinstance(assigned, ast.Assign) and ast.unparse(assigned.value) not in EVEN:
            for target in assigned.targets:
                if isinstance(target, ast.Attribute) and target.attr == "rate":
                    yield assigned.lineno, ast.unparse(assigned)


EVEN = frozenset({"0", "0.0", "1", "1.0"})


@cache
def on_a_made_clock(function: Def) -> bool:
    """Whether a test's time is Trio's own making; it may bring its clock along."""
    brought = any(getattr(part, "attr", "") == "MockClock" for part in parts(function))
    return brought or bool(arguments(function) & MADE_CLOCKS)


@cache
def names_in(node: ast.AST) -> frozenset[str]:
    return frozenset(one.id for one in parts(node) if isinstance(one, ast.Name))


def reached(tests: Iterable[Def], texts: Iterable[str]) -> set[str]:
    """Return the names of the helpers and fixtures that tests lead to, however indirectly."""
    helpers: dict[str, list[ast.AST]] = {}
    fixtures: dict[str, list[ast.AST]] = {}
    for node in (node for text in texts for node in pieces(text)):
        if isinstance(node, Def | ast.ClassDef):
            kind = fixtures if isinstance(node, Def) and is_fixture(node) else helpers
            kind.setdefault(node.name, []).append(node)
    todo: list[ast.AST] = [*tests]
    found: set[str] = set()
    while todo:
        node = todo.pop()
        asked = arguments(node) if isinstance(node, Def) else set()
        named = names_in(node)
        for names, places in ((asked, fixtures), (named, helpers)):
            for name in (names & places.keys()) - found:
                found.add(name)
                todo += places[name]
    return found


def unlisted_waits(path: str, text: str, beside: Mapping[str, str]) -> Iterator[str]:
    """Yield the findings of one file of tests; ``beside`` has every file of tests."""
    if not TELLTALE.search(text):
        return
    folder = PurePosixPath(path).parent
    above = [
        other
        for name, other in beside.items()
        if name.endswith("conftest.py") and PurePosixPath(name).parent in (folder, *folder.parents)
    ]
    around = [text]
    if path.endswith("conftest.py"):
        around = [t for n, t in beside.items() if PurePosixPath(n).is_relative_to(folder)]
    tests = [f for t in around for f in functions(t) if is_test(f)]
    waiting = [test for test in tests if not on_a_made_clock(test)]
    tasks = [test for test in waiting if isinstance(test, ast.AsyncFunctionDef)]
    real = reached(waiting, [*above, *around])
    real_tasks = reached(tasks, [*above, *around])
    for piece in pieces(text):
        found = list(hurrying(piece))
        name = getattr(piece, "name", "")
        if isinstance(piece, Def) and (is_test(piece) or is_fixture(piece)):
            waited = not on_a_made_clock(piece) and (is_test(piece) or name in real)
        else:
            waited = name in real
        if waited:
            found += [*waits(piece), *measured(piece)]
        for line, said in found:
            if said.startswith("trio.") and not is_test_piece(piece) and name not in real_tasks:
                continue  # Trio's waits need a task, and those that come here have a made clock.
            yield (
                f"{path}:{line}: Found {said}. Expected an event, or a Bound or Pause of "
                f"scripts/timeouts.py. Reason: the machine may be busy with something else, and "
                f"a test that depends on its speed then fails for nothing."
            )


def is_test_piece(piece: ast.stmt) -> bool:
    return isinstance(piece, Def) and is_test(piece)


@pytest.fixture(scope="session")
def tests(root) -> Mapping[str, str]:
    found = sorted((root / "tests").rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text() for path in found}


def test_no_test_depends_on_the_speed_of_the_machine(
    tests: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    obeyed(
        finding
        for path, text in tests.items()
        if path not in EXCUSED
        for finding in unlisted_waits(path, text, tests)
    )


def test_every_bound_is_ten_times_the_usual_and_every_wait_has_its_reason():
    assert len(LISTED) > 10
    for name in LISTED:
        value = getattr(timeouts, name)
        assert name.endswith("_S")
        assert len(value.why) > 20, name
        if isinstance(value, Bound):
            assert value >= TIMES * value.usual > 0, name


def test_every_wait_of_the_list_is_used(root, tests: Mapping[str, str]):
    scripts = [p for p in (root / "scripts").rglob("*.py") if p.name != "timeouts.py"]
    used = "\n".join([*tests.values(), *(path.read_text() for path in scripts)])
    assert [name for name in LISTED if name not in used] == []


OFFENDERS = """
async def test_x():
    await trio.sleep(0.1)
---
async def test_x():
    with trio.fail_after(5):
        pass
---
LIMIT_S = 5
async def test_x():
    with trio.move_on_after(LIMIT_S):
        pass
---
def test_x():
    time.sleep(1)
---
def test_x():
    subprocess.run([], timeout=30)
---
def test_x(child):
    child.wait(20)
---
async def test_x(run):
    await run.until('event', within_s=12.0)
---
async def until(run, within_s: float = 12.0):
    pass
async def test_x(run):
    await until(run)
---
async def test_x(mock_clock):
    mock_clock.rate = 1000
---
@pytest.mark.usefixtures('autojump_clock')
async def test_x():
    await trio.sleep(60)
---
@pytest.fixture
def play(autojump_clock):
    pass
async def test_x(play):
    await trio.sleep(60)
---
def test_x():
    began = time.monotonic()
    assert time.monotonic() - began < 5
---
def test_x():
    took_s = time.monotonic() - 3
    assert 1 < took_s < LIMIT_S
---
@pytest.fixture
def slow():
    time.sleep(1)
async def test_x(slow):
    pass
---
class Machine:
    def rest(self):
        time.sleep(1)
def make():
    return Machine()
def test_x():
    make().rest()
"""
OBEDIENT = """
async def test_x(autojump_clock):
    await trio.sleep(3600)
---
async def test_x():
    while not done():
        await trio.sleep(0.01)
---
async def test_x():
    await trio.sleep(0)
---
async def test_x():
    with trio.fail_after(STORY_S):
        await trio.sleep(PACE_S + 1)
---
async def test_x():
    trio.move_on_after(math.inf)
---
def test_x():
    began = time.monotonic()
    assert time.monotonic() - began >= 5
---
async def rest():
    await trio.sleep(60)
async def test_x(autojump_clock):
    await rest()
async def test_y():
    pass
---
def test_x():
    async def main():
        await trio.sleep(60)
    trio.run(main, clock=trio.testing.MockClock())
---
async def test_x(mock_clock):
    mock_clock.rate = 0
"""


@pytest.mark.parametrize("text", OFFENDERS.split("---"))
def test_a_test_that_counts_on_a_fast_machine_is_found(text: str):
    assert list(unlisted_waits("tests/a/test_a.py", text, {"tests/a/test_a.py": text}))


@pytest.mark.parametrize("text", OBEDIENT.split("---"))
def test_a_test_that_waits_for_events_is_not(text: str):
    assert list(unlisted_waits("tests/a/test_a.py", text, {"tests/a/test_a.py": text})) == []
