"""The planted bugs: every patch applies and compiles, and the trial tells caught from missed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mutantslib.__main__ import main
from mutantslib.table import FOLDER, Mutant, TableFault, chosen, read_table
from mutantslib.trial import Verdict, attempt, check_sound, copy_of, plant

pytestmark = pytest.mark.proof

MUTANTS = read_table()
EXPECTED = {
    *(f"O4-{number}" for number in range(1, 11)),
    *(f"HB-{number}" for number in range(1, 6)),
    *(f"{who}-{number}" for who in ("R2", "SP", "BB", "PX") for number in range(1, 4)),
    "NT-1",
}


def test_every_one_of_the_28_is_planted():
    assert {mutant.id for mutant in MUTANTS} == EXPECTED
    assert len(MUTANTS) == 28


def test_every_patch_applies_to_the_project_as_it_stands_and_compiles(root: Path):
    trouble = []
    with copy_of(root) as copy:
        for mutant in MUTANTS:
            if why := plant(copy, mutant):
                trouble.append(why)
                continue
            for path in changed(root, mutant):
                compile((copy / path).read_text(), path, "exec")
                shutil.copy2(root / path, copy / path)

    assert trouble == []


def changed(root: Path, mutant: Mutant) -> list[str]:
    return re.findall(r"^\+\+\+ b/(\S+)", (root / mutant.patch).read_text(), re.MULTILINE)


def test_every_patch_is_a_bug_of_the_bot_and_not_of_its_tests(root: Path):
    for mutant in MUTANTS:
        assert changed(root, mutant)
        assert all(path.startswith("bot4/") for path in changed(root, mutant))


def test_every_test_that_has_to_notice_exists(root: Path):
    for mutant in MUTANTS:
        for name in mutant.tests:
            path, test = name.split("::")
            assert f"def {test.split('[')[0]}(" in (root / path).read_text(), name


def test_a_handful_is_quick_and_one_can_be_chosen():
    quick = chosen(MUTANTS, None, quick=True)
    assert 5 <= len(quick) <= 10
    assert chosen(MUTANTS, None, quick=False) == MUTANTS
    assert [mutant.id for mutant in chosen(MUTANTS, "HB-4", quick=True)] == ["HB-4"]


def test_an_unknown_mutant_is_said_with_those_there_are(capsys: pytest.CaptureFixture[str]):
    assert main(["--only", "XX-1"]) == 2
    assert "no mutant XX-1; there are O4-1" in capsys.readouterr().err


ROW = '[[mutant]]\nid = "A-1"\ntitle = "t"\norigin = "o"\ntests = ["tests/test_a.py::test_sum"]\n'


@pytest.mark.parametrize(
    ("table", "patches", "words"),
    [
        (ROW, [], "without a patch"),
        (ROW, ["A-1", "B-1"], "B-1"),
        (ROW + ROW, ["A-1"], "twice"),
        (ROW.replace('"tests/test_a.py::test_sum"', ""), ["A-1"], "no tests"),
        (ROW.replace("title", "name"), ["A-1"], "TypeError"),
        ("nonsense", [], "TOMLDecodeError"),
        ("", [], "KeyError"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(
    tmp_path: Path, table: str, patches: list[str], words: str
):
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "table.toml").write_text(table)
    for name in patches:
        (tmp_path / FOLDER / f"{name}.patch").touch()

    with pytest.raises(TableFault, match=words):
        read_table(tmp_path)


# ----------------------------------------------------------------------------------- the trial

PROGRAM = "def add(a, b):\n    return a + b\n"
TEST = "from bot4 import add\n\n\ndef test_sum():\n    assert add(2, 2) == 4\n"
PATCH = """--- a/bot4/__init__.py
+++ b/bot4/__init__.py
@@ -1,2 +1,2 @@
 def add(a, b):
-    return {old}
+    return {new}
"""
Project = Callable[[str, str], Path]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of one function and one test, with one mutant."""

    def make(old: str, new: str) -> Path:
        files = {
            "bot4/__init__.py": PROGRAM,
            "tests/test_a.py": TEST,
            "tests/mutants/A-1.patch": PATCH.format(old=old, new=new),
        }
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


MUTANT = Mutant("A-1", "t", "o", ("tests/test_a.py::test_sum",))


async def test_a_mutant_that_a_test_notices_is_caught(project: Project):
    ended = await attempt(project("a + b", "a - b"), MUTANT)

    assert ended.verdict is Verdict.CAUGHT
    assert ended.why == "tests/test_a.py::test_sum"


async def test_a_mutant_that_no_test_notices_is_missed(project: Project):
    ended = await attempt(project("a + b", "a * b"), MUTANT)

    assert ended.verdict is Verdict.MISSED


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [("a - b", "a + b", "no longer applies"), ("a + b", "a +", "pytest ended with")],
    ids=["another line there", "not even Python"],
)
async def test_a_patch_that_plants_no_bug_is_broken_and_not_caught(
    project: Project, old: str, new: str, words: str
):
    ended = await attempt(project(old, new), MUTANT)

    assert ended.verdict is Verdict.BROKEN
    assert words in ended.why


async def test_tests_that_fail_without_a_mutant_catch_nothing(project: Project):
    root = project("a + b", "a - b")
    assert await check_sound(root, MUTANT.tests) == ""
    (root / "bot4/__init__.py").write_text(PROGRAM.replace("+", "-"))

    assert await check_sound(root, MUTANT.tests) == (
        "tests/test_a.py::test_sum fails without any mutant"
    )
