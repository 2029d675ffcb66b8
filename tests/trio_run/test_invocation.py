"""What a line tells a person to type does work where that person is."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot4 import invocation
from bot4.cli.arguments import COMMANDS, parse
from bot4.invocation import command, find_door, same_options

Settle = Callable[..., None]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project folder with a blank in its name, set up."""
    folder = tmp_path / "my bot"
    for name in ("scripts/run", ".venv/bin/trio-run"):
        program(folder / name)
    return folder


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settle]:
    """Choose the words of this run, its folder, and the shell it was started from."""

    def settle(*given: str, folder: Path, shell: Path | None = None, path: str = "") -> None:
        monkeypatch.setattr(sys, "argv", ["bot4", *given])
        monkeypatch.chdir(folder)
        monkeypatch.setenv("PATH", path)
        monkeypatch.delenv(invocation.SHELL_DIR, raising=False)
        monkeypatch.delenv(invocation.ON_WINDOWS, raising=False)
        if shell:
            monkeypatch.setenv(invocation.SHELL_DIR, str(shell))
        command.cache_clear()

    yield settle
    command.cache_clear()


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('#!/bin/sh\necho "$0" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["scripts/run", ".venv/bin/trio-run"])
def test_the_short_word_is_said_where_it_leads_into_this_folder(
    checkout: Path, tmp_path: Path, target: str
):
    link = tmp_path / "bin" / "trio-run"
    link.parent.mkdir()
    link.symlink_to(checkout / target)

    assert find_door(checkout, "/", f"/no/such:{link.parent}") == "trio-run bot4"
    assert find_door(checkout, str(tmp_path), "bin") == "trio-run bot4"
    assert find_door(checkout, str(link.parent), ":/no/such") == "trio-run bot4"


def test_another_bots_short_word_is_not_said(checkout: Path, tmp_path: Path):
    other = program(tmp_path / "other" / "trio-run").parent
    path = f"{other}:{checkout / '.venv' / 'bin'}"

    assert find_door(checkout, "/", path) == shlex.quote(f"{checkout}/scripts/run")
    assert find_door(checkout, str(checkout), path) == "scripts/run"


def test_a_file_that_cannot_be_started_hides_nothing(checkout: Path, tmp_path: Path):
    dead = program(tmp_path / "dead" / "trio-run")
    dead.chmod(0o644)

    assert find_door(checkout, "/", f"{dead.parent}:{checkout}/.venv/bin") == "trio-run bot4"


def test_a_folder_that_cannot_be_looked_into_stops_nobody(checkout: Path):
    dark = "x" * 300  # too long for a name: the system refuses to look, as where it may not

    assert find_door(checkout, "/", f"/{dark}:{checkout}/.venv/bin") == "trio-run bot4"
    assert find_door(checkout, f"/{dark}", "") == shlex.quote(f"{checkout}/scripts/run")
    assert list(same_options("flatten", [], f"/{dark}")) == []


def test_in_the_project_folder_the_launcher_is_near(checkout: Path, tmp_path: Path):
    door = tmp_path / "link"
    door.symlink_to(checkout)

    assert find_door(checkout, str(checkout), "/usr/bin") == "scripts/run"
    assert find_door(checkout, str(door), "/usr/bin") == "scripts/run"


def test_elsewhere_the_whole_path_works_in_a_shell(checkout: Path, tmp_path: Path):
    door = find_door(checkout, str(tmp_path), "")
    said = subprocess.run(
        ["sh", "-c", f"{door} flatten"], cwd="/", capture_output=True, text=True, check=True
    )

    assert said.stdout == f"{checkout}/scripts/run flatten\n"
    assert find_door(checkout, "", "") == door


def test_an_installed_package_has_only_its_program(tmp_path: Path):
    assert find_door(tmp_path, str(tmp_path), "") == "trio-run bot4"


def test_the_launcher_says_where_the_person_is(settle: Settle, root: Path, tmp_path: Path):
    settle(folder=root, shell=tmp_path)
    assert command("flatten") == f"{shlex.quote(str(root))}/scripts/run flatten"

    settle(folder=root)
    assert (command("flatten"), command()) == ("scripts/run flatten", "scripts/run")


def test_a_person_in_a_shell_of_windows_starts_the_launcher_for_windows(
    settle: Settle, root: Path, monkeypatch: pytest.MonkeyPatch
):
    for place, told in (
        (r"C:\bot4\scripts\run.cmd", r"C:\bot4\scripts\run.cmd flatten"),
        (r"C:\my bot\scripts\run.cmd", r'"C:\my bot\scripts\run.cmd" flatten'),
    ):
        settle(folder=root, shell=root)
        monkeypatch.setenv(invocation.ON_WINDOWS, place)
        assert command("flatten") == told


def test_a_folder_that_is_gone_stops_nobody(settle: Settle, root: Path, tmp_path: Path):
    gone = tmp_path / "gone"
    gone.mkdir()
    settle(folder=gone)
    gone.rmdir()

    assert command("flatten") == f"{shlex.quote(str(root))}/scripts/run flatten"


@pytest.mark.parametrize(
    "given",
    [
        ["run", "--live", "--config", "my settings.yaml"],
        ["--config=my settings.yaml", "--live"],
    ],
)
def test_settings_and_mode_of_this_run_are_named_again(
    settle: Settle, root: Path, tmp_path: Path, given: list[str]
):
    settle(*given, folder=tmp_path)
    door = [str(root / "scripts" / "run")]
    settings = tmp_path / "my settings.yaml"

    for name, one in COMMANDS.items():
        told = shlex.split(command(name))
        assert told[:1] == door
        wish = parse(told[1:])
        assert wish.command == name
        if any(option.name == "--config" for option in one.options):
            assert wish.options.config == settings
        if any(option.name == "--live" for option in one.options):
            assert wish.options.live


def test_a_path_is_meant_from_the_folder_of_the_persons_shell(
    settle: Settle, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    settle(folder=root, shell=tmp_path)
    monkeypatch.setattr(sys, "argv", ["trio-run", "--config", "my own.yaml"])
    wish = parse(["check-config", "--config", "my own.yaml"])

    assert wish.options.config == tmp_path / "my own.yaml"
    assert parse(["check-config"]).options.config == Path("bot4.yaml")
    assert command("status").endswith(f" --config '{tmp_path}/my own.yaml'")

    settle(folder=root, shell=tmp_path)
    monkeypatch.setattr(sys, "argv", ["trio-run", "--config", "my own.yaml"])
    monkeypatch.setenv(invocation.ON_WINDOWS, r"C:\bot4\scripts\run.cmd")
    assert command("status").endswith(f' --config "{tmp_path}/my own.yaml"')


def test_the_usual_settings_are_not_named(root: Path, tmp_path: Path):
    assert list(same_options("flatten", ["run", "--for", "5s"], str(root))) == []
    assert list(same_options("flatten", ["run", "--for", "5s"], str(tmp_path))) == []
    assert list(same_options("flatten", ["--config"], "")) == []


def test_the_settings_of_another_folder_are_named(tmp_path: Path):
    (tmp_path / "bot4.yaml").write_text("mode: simulation\n")

    assert list(same_options("flatten", [], str(tmp_path))) == [f"--config {tmp_path}/bot4.yaml"]


def test_every_command_that_a_text_of_the_product_names_exists(root: Path):
    named = [
        node.args[0].value
        for path in (root / "bot4").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "command"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]

    assert {"flatten", "check-config", "db check", "db release", "help"} <= set(named)
    assert [parse(shlex.split(name)).command for name in named] == named


def test_the_words_cost_the_start_nothing(root: Path):
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, bot4.trio_run; print('shlex' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )

    assert loaded.stdout == "False\n"
