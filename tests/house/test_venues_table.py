"""docs/venues.md is complete and true: what is spoken stands in it, and its tests exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pytest

from bot4.config.schema import ParadexConfig, VestConfig
from bot4.ports import Answer, StreamCodec
from bot4.secret import Secret
from bot4.simulator.faults import COUNTED, IMMEDIATE, LASTING
from bot4.venues.paradex.codec import ParadexCodec
from bot4.venues.paradex.streams import ParadexPrivate, ParadexPublic
from bot4.venues.paradex.ws_orders import ParadexOrders
from bot4.venues.vest.codec import VestCodec
from bot4.venues.vest.streams import VestPrivate, VestPublic

TABLE = "docs/venues.md"
NOT_WIRE = {"paradex": {"/v1/auth"}, "vest": set[str]()}
"""Paths that are signed, not asked for."""
HEADINGS = {"paradex": "## Paradex", "vest": "## Vest"}


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, without its head."""
    part = text.split(f"{heading}\n", 1)[-1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def paths_spoken(sources: Mapping[str, str], venue: str) -> set[str]:
    """Return every REST path that an adapter writes out, braces for the parts that vary."""
    found = set()
    for path, text in sources.items():
        if not path.startswith(f"bot4/venues/{venue}/"):
            continue
        nodes = list(ast.walk(ast.parse(text)))
        inner = {
            id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values
        }
        for node in nodes:
            spelled = "" if id(node) in inner else _spelled(node)
            if re.match(r"/[a-z]", spelled):
                found.add(re.split(r"[?&]", spelled)[0].rstrip("/"))
    return {one for one in found if one not in NOT_WIRE[venue]}


def _spelled(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [_spelled(part) if isinstance(part, ast.Constant) else "{}" for part in node.values]
        return "".join(parts)
    return ""


def unlisted(spoken: Iterable[str], first_cells: Iterable[str], venue: str) -> Iterator[str]:
    """Yield what is spoken and stands in no first cell of the table."""
    listed = " ".join(re.sub(r"\{\w+\}", "{}", cell) for cell in first_cells)
    words = set(re.split(r"[\s,:()+]+", listed))
    for one in sorted(spoken):
        if one not in words and f"{one}/{{}}" not in words:
            yield (
                f"{TABLE}: Found nothing of {venue}'s {one}. Expected a line of its table. "
                f"Reason: who goes live reads there what was tried, and how."
            )


def missing_tests(cells: Iterable[str], exists: Callable[[str], bool]) -> Iterator[str]:
    """Yield the tests that a cell names and that are not there; a bare name is of the folder
    before it."""
    for cell in cells:
        folder = ""
        for name in re.split(r",\s*", cell):
            if name in ("", "conformance"):
                continue
            if "/" in name:
                folder = name.rsplit("/", 1)[0]
            path = name if "/" in name else f"{folder}/{name}"
            if not exists(f"tests/{path}.py"):
                yield (
                    f"{TABLE}: Found {name}, which is no test. Expected a file below tests/. "
                    f"Reason: a name that leads nowhere proves nothing."
                )


def untested(lines: Iterable[list[str]]) -> Iterator[str]:
    """Yield what an adapter or the twin does and no test is named for."""
    for cells in lines:
        done = any(not cell.startswith("-") for cell in cells[1:3])
        if done and not cells[3]:
            yield f"{TABLE}: Found no test for {cells[0]}. Expected one."


def faults_untold(kinds: Collection[str], lines: Iterable[list[str]]) -> Iterator[str]:
    """Yield the faults that the menu has and the table lacks, and those that it has too much."""
    told = {word for cells in lines for word in re.findall(r"[a-z]+(?:_[a-z]+)*", plain(cells[0]))}
    for kind in sorted(set(kinds) ^ told):
        yield f"{TABLE}: Found {kind} in the menu of faults or in the table. Expected it in both."


def plain(cell: str) -> str:
    return re.sub(r"\(.*?\)", "", cell)


@pytest.fixture(scope="module")
def table(root: Path) -> str:
    return (root / TABLE).read_text()


def streams() -> Iterator[tuple[str, StreamCodec]]:
    """Yield every stream that an adapter can open, in every encoding."""
    vest = VestCodec(VestConfig(), Secret("11" * 32), Secret("22" * 32))
    vest.session.registered("key", 0, 0, 1)
    yield "vest", VestPublic(vest, ["{}"])
    yield "vest", VestPrivate(vest)
    for encoding in ("sbe", "json"):
        config = ParadexConfig(book_encoding=encoding)
        paradex = ParadexCodec(config, Secret("0x1234"), Secret("0x1234"), "abc123")
        answer = Answer(200, {}, b'{"jwt_token":"a.b.c"}', 0.0, 0.0)
        for errand in paradex.logins(0):
            errand.read(answer)
        yield "paradex", ParadexPublic(config, ["{}"])
        yield "paradex", ParadexPrivate(paradex)
        yield "paradex", ParadexOrders(paradex)


def channels_spoken(venue: str) -> set[str]:
    """Return methods and channels that the greetings of a venue's streams name."""
    found = set()
    for owner, stream in streams():
        if owner == venue:
            for text in stream.hello():
                found |= set(re.findall(r'"method":"([\w.]+)"', text))
                found |= set(re.findall(r'"channel":"([^"]+)"|"params":\["([^"]+)"\]', text))
    flat = {one if isinstance(one, str) else "".join(one) for one in found}
    return {one.removesuffix(".ALL") for one in flat}


@pytest.mark.parametrize("venue", HEADINGS)
def test_every_path_and_channel_that_is_spoken_stands_in_the_table(
    venue: str, table: str, sources: Mapping[str, str], obeyed: Callable[[Iterable[str]], None]
):
    first = [cells[0] for cells in rows(table, HEADINGS[venue])]
    paths, channels = paths_spoken(sources, venue), channels_spoken(venue)

    assert len(paths) > 7
    assert len(channels) > 1
    obeyed(unlisted(paths | channels, first, venue))


@pytest.mark.parametrize("heading", [*HEADINGS.values(), "## What can go wrong on purpose"])
def test_every_test_that_the_table_names_exists(
    heading: str, table: str, root: Path, obeyed: Callable[[Iterable[str]], None]
):
    lines = rows(table, heading)
    column = 3 if heading in HEADINGS.values() else 2

    assert len(lines) > 8
    obeyed(missing_tests((cells[column] for cells in lines), lambda path: (root / path).exists()))
    if column == 3:
        obeyed(untested(lines))


def test_the_menu_of_faults_is_told_in_full(table: str, obeyed: Callable[[Iterable[str]], None]):
    obeyed(
        faults_untold(COUNTED | LASTING | IMMEDIATE, rows(table, "## What can go wrong on purpose"))
    )


# ------------------------------------------------------------------- planted offenders


def test_a_path_of_an_adapter_is_found_and_missed_when_it_is_not_told():
    text = 'a = "/markets"\nb = f"/orders/{one}?x={two}"\nc = "not a path"\nd = f"/{e}"\n'
    spoken = paths_spoken({"bot4/venues/vest/x.py": text, "bot4/venues/paradex/y.py": text}, "vest")

    assert spoken == {"/markets", "/orders/{}"}
    assert list(unlisted(spoken, ["GET /markets, /orders/{id}"], "vest")) == []
    (line,) = unlisted(spoken, ["GET /markets"], "vest")
    assert "/orders/{}" in line


def test_a_test_that_is_not_there_is_found():
    there = {"tests/venues/vest/test_a.py", "tests/venues/vest/test_b.py"}
    cells = ["venues/vest/test_a, test_b, conformance", "", "venues/paradex/test_a, test_b"]

    assert len(list(missing_tests(cells, there.__contains__))) == 2


def test_a_line_without_a_test_is_found():
    lines = [["a", "yes", "-", ""], ["b", "-", "-", ""], ["c", "-", "yes", "x/test_y"]]

    assert len(list(untested(lines))) == 1


def test_a_fault_that_is_not_told_is_found():
    lines = [["cut (rude, or with `code`), lose_answer", "", ""]]

    assert list(faults_untold({"cut", "lose_answer"}, lines)) == []
    assert len(list(faults_untold({"cut", "gap"}, lines))) == 2
