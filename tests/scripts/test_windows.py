r"""`scripts\run.cmd` leads from Windows to `scripts/run` in WSL2. Stand-ins for both of them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from timeouts import COMMAND_S

WSL = """#!/bin/sh
# As wsl.exe does with these words, its console being ours.
[ "$1" = --cd ] && [ "$3" = --exec ] || exit 98
cd "$2" || exit 97
shift 3
exec "$@"
"""
RUN = """#!/bin/sh
trap 'echo interrupted; exit 41' INT
pwd -P
for word in "$@"; do echo "<$word>"; done
case "$*" in *wait*) echo waiting; while :; do sleep 0.05; done ;; esac
exit 7
"""


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "scripts" / "run.cmd").read_bytes().decode("ascii")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder like the project's, with a blank in its name."""
    for name, content in (("my bot/scripts/run", RUN), ("bin/wsl.exe", WSL)):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text(content)
    (tmp_path / "bin" / "wsl.exe").chmod(0o755)
    return tmp_path / "my bot"


def command_line(text: str, home: Path, words: str) -> list[str]:
    """Return what Windows would start: cmd puts its values in, then the program splits the line."""
    (line,) = re.findall(r"(?m)^wsl\.exe .*$", text.replace("\r", ""))
    filled = line.replace("%~dp0", f"{home}/scripts/").replace("%*", words)
    assert "%" not in filled
    splitter = shlex.shlex(filled, posix=True, punctuation_chars=False)
    splitter.whitespace_split, splitter.escape, splitter.quotes = True, "", '"'
    splitter.commenters = ""
    return list(splitter)


def start(text: str, home: Path, words: str) -> subprocess.Popen[str]:
    path = f"{home.parent / 'bin'}:{os.environ['PATH']}"
    return subprocess.Popen(
        command_line(text, home, words),
        cwd="/",
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_folder_words_and_exit_code_go_there_and_back(text: str, home: Path):
    process = start(text, home, r'--config "my settings.yaml" --for 5s $HOME * C:\x')
    out, err = process.communicate(timeout=COMMAND_S)

    assert (process.returncode, err) == (7, "")
    words = ["--config", "my settings.yaml", "--for", "5s", "$HOME", "*", r"C:\x"]
    assert out.splitlines() == [str(home.resolve()), *(f"<{word}>" for word in words)]


def test_no_words_are_no_words(text: str, home: Path):
    assert start(text, home, "").communicate(timeout=COMMAND_S)[0].splitlines() == [
        str(home.resolve())
    ]


def test_ctrl_c_reaches_the_bot_whose_answer_is_the_exit_code(text: str, home: Path):
    process = start(text, home, "wait")
    assert process.stdout
    while process.stdout.readline() != "waiting\n":
        assert process.poll() is None

    os.killpg(process.pid, signal.SIGINT)  # A console gives it to everyone.

    assert process.communicate(timeout=COMMAND_S)[0] == "interrupted\n"
    assert process.returncode == 41


def test_the_exit_code_is_handed_on(text: str):
    assert "%*\r\nexit /b %ERRORLEVEL%\r\n" in text


def test_without_wsl_there_is_one_line_with_the_cure_and_a_refusal(text: str):
    lines = text.splitlines()
    looking = lines.index('for %%I in (wsl.exe) do if "%%~$PATH:I"=="" goto missing')
    _, said, left = lines[lines.index(":missing") :]

    assert looking < lines.index("exit /b %ERRORLEVEL%") < lines.index(":missing")
    assert re.fullmatch(r"echo bot4: [^()&|<>%]* wsl --install [^()&|<>%]* 1>&2", said)
    assert left == "exit /b 4"


def test_what_a_person_is_told_to_type_is_this_file(text: str):
    from bot4.invocation import ON_WINDOWS

    lines = text.splitlines()
    assert f'set "{ON_WINDOWS}=%~f0"' in lines
    assert f'set "WSLENV={ON_WINDOWS}:%WSLENV%"' in lines


def test_every_line_ends_as_cmd_needs_it_and_a_clone_keeps_that(text: str, root: Path):
    assert text.count("\n") == text.count("\r\n")
    rules = (root / ".gitattributes").read_text().splitlines()
    assert {"* text=auto eol=lf", "*.cmd text eol=crlf"} <= set(rules)
