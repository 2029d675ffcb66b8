"""Set-up holds when time moves: newer packages, other pips, broken locks, odd clones, Ctrl+C.

Real Python and real pip on a small project with an index of its own; only the other pips are
downloaded, once, against their hashes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from mutantslib.trial import MADE
from setuplib.install import SetUp
from setuplib.locks import FROM_SOURCE, parse
from timeouts import MOMENT_S, SCRIPT_S, STORY_S

pytestmark = pytest.mark.proof

PIPS = [
    line
    for line in (Path(__file__).parent / "pips.lock").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.fixture
def project(make_project, tmp_path):
    return make_project(tmp_path / "a bot")


def last(done: subprocess.CompletedProcess[str]) -> str:
    return done.stderr.splitlines()[-1]


def test_every_locked_name_is_installed_as_locked_beside_newer_ones(root, make_project, tmp_path):
    """All names of the real locks, each needing the next with an extra, each newer on the index."""
    project = make_project(tmp_path / "bot")
    locks = {
        purpose: parse((root / name).read_text())
        for purpose, name in (("", "requirements.lock"), ("dev", "requirements-dev.lock"))
    }
    assert sum(map(len, locks.values())) > 100
    for purpose, pins in locks.items():
        made = {}
        needed = dict(zip(pins, [*list(pins)[1:], next(iter(pins))], strict=True))
        for name, version in pins.items():
            needs = [f"{needed[name]}[more]>=0"]
            if name in FROM_SOURCE:
                digest = project.index.offer_source(name, version, needs)
                project.index.offer_source(name, "9999.0")
            else:
                module = {"pyyaml": "yaml"}.get(name, "")
                digest = project.index.offer(name, version, needs, module)
                project.index.offer(name, "9999.0")
            made[name] = (version, digest)
        project.write_lock(made, purpose)

    done = project.run()
    assert done.returncode == 0, done.stderr
    both = project.run(script="for-checks")
    assert both.returncode == 0, both.stderr

    expected = {name: version for pins in locks.values() for name, version in pins.items()}
    assert project.installed() == expected | {"builder": "1.0", "bot4": "0.1.0"}


def test_a_file_that_is_not_the_locked_one_stops_set_up_in_one_line(project):
    name, text = "requirements.lock", (project.folder / "requirements.lock").read_text()
    wrong = re.sub(r"(beta-two==1.5 \\\n    --hash=sha256:)\w{64}", rf"\g<1>{'0' * 64}", text)
    assert wrong != text
    (project.folder / name).write_text(wrong)

    done = project.run()

    assert (done.returncode, done.stdout) == (1, "")
    assert "beta-two==1.5 is not the file that requirements.lock vouches for" in last(done)
    assert set(project.installed()) <= {"builder", "setuptools"}, "nothing of the lock"


def test_a_lock_that_lacks_a_package_is_told_by_its_name(project):
    lock = project.folder / "requirements.lock"
    lock.write_text(re.sub(r"beta-two==.*\n.*\n", "", lock.read_text()))

    done = project.run()

    assert (done.returncode, done.stdout) == (1, "")
    assert "alpha 1.0 requires beta-two, which is not installed" in last(done)
    assert last(done).startswith("bot4: requirements.lock does not fit together")


def test_what_pyproject_declares_and_no_lock_has_is_told(make_project, tmp_path):
    project = make_project(tmp_path / "bot", needs=["gamma>=2"])

    done = project.run()

    assert done.returncode == 1
    assert "bot4 0.1.0 requires gamma, which is not installed" in last(done)


def test_a_changed_lock_is_followed_and_what_it_dropped_is_removed(project):
    assert project.run().returncode == 0
    index = project.index
    project.write_lock(
        {
            "alpha": ("2.0", index.offer("alpha", "2.0")),
            "pyyaml": ("6.0", index.offer("pyyaml", "6.0", module="yaml")),
        }
    )

    done = project.run()

    assert done.returncode == 0, done.stderr
    assert "making .venv" not in done.stderr
    assert project.installed() == {
        "alpha": "2.0",
        "pyyaml": "6.0",
        "builder": "1.0",
        "bot4": "0.1.0",
    }


def test_what_checks_need_comes_on_top_and_stays_when_the_bot_is_set_up_again(project):
    assert project.run().returncode == 0
    assert "tester" not in project.installed()

    assert project.run(script="for-checks").returncode == 0
    assert project.installed()["tester"] == "3.0"
    with (project.folder / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    assert project.run().returncode == 0
    quiet = project.run(script="for-checks")

    assert project.installed()["tester"] == "3.0"
    assert (quiet.returncode, quiet.stderr) == (0, "")


def test_a_moved_folder_is_set_up_anew(project, make_project, tmp_path):
    assert project.run().returncode == 0
    moved = tmp_path / "moved"
    project.folder.rename(moved)

    done = type(project)(moved, project.index).run()

    assert done.stdout.startswith("ran bot4\n"), done.stderr
    assert "making .venv" in done.stderr


@pytest.mark.parametrize("pin", PIPS, ids=lambda pin: pin.partition(" ")[0])
def test_every_pip_that_a_machine_may_have_installs_the_lock(root, project, pin, monkeypatch):
    wheel = other_pip(root, pin)
    python = project.folder / "python"
    # Makes a .venv as the real one does, but for the pip in it.
    python.write_text(
        "#!/bin/sh\nset -e\n"
        f'"{sys.executable}" "$@" --without-pip\n'
        'for last; do :; done\ncd "$last"\n'
        'echo "# $PWD/bin/python" >bin/pip\n'
        f'"{sys.executable}" -m zipfile -e "{wheel}" lib/python3*/site-packages\n'
    )
    python.chmod(0o755)
    for name in set(os.environ) - set(project.environment()):
        monkeypatch.delenv(name)
    for name, value in project.environment().items():
        monkeypatch.setenv(name, value)

    SetUp(project.folder, python).run({"run": "a stamp"})

    assert project.installed() == {
        "alpha": "1.0",
        "beta-two": "1.5",
        "pyyaml": "6.0",
        "builder": "1.0",
        "bot4": "0.1.0",
    }
    venv_python = project.folder / ".venv" / "bin" / "python"
    told = subprocess.check_output([venv_python, "-m", "pip", "--version"], text=True)
    assert told.split()[1] == pin.partition(" ")[0].removeprefix("pip==")


def other_pip(root: Path, pin: str) -> Path:
    """Return the wheel of another pip, downloaded when it is not there yet."""
    version = pin.partition(" ")[0].removeprefix("pip==")
    folder = root / ".cache" / "pips"
    wheel = folder / f"pip-{version}-py3-none-any.whl"
    if not wheel.exists():
        draft = folder / f"draft-{os.getpid()}"
        draft.mkdir(parents=True)
        wanted = draft / "wanted.txt"
        wanted.write_text(pin.replace(" --hash", " \\\n --hash") + "\n")
        words = ["download", "--quiet", "--no-deps", "--require-hashes", "-d", draft, "-r", wanted]
        environment = {n: v for n, v in os.environ.items() if n != "PIP_CONSTRAINT"}
        subprocess.run([sys.executable, "-m", "pip", *words], env=environment, check=True)
        (draft / wheel.name).replace(wheel)
        shutil.rmtree(draft)
    assert zipfile.is_zipfile(wheel)
    return wheel


def test_ctrl_c_while_set_up_waits_says_what_happens_next_and_the_next_time_starts_over(project):
    # Nobody ever answers here.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        started = project.start(PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple")
        heard = []
        for line in started.stderr:
            heard.append(line)
            if "asking the package index, " in line:
                os.killpg(started.pid, signal.SIGINT)
                break
        out, err = started.communicate()

    assert (started.returncode, out) == (130, ""), heard
    assert len(err.splitlines()) == 1
    assert (
        "bot4: stopped. Nothing was started. The next time, an unfinished set-up starts over" in err
    )
    again = project.run()
    assert again.stdout.startswith("ran bot4\n"), again.stderr
    assert "making .venv" in again.stderr


@pytest.mark.parametrize(("answer", "linked"), [("\n", True), ("n\n", False)])
def test_a_person_at_a_terminal_is_asked_before_anything_is_put_outside(
    project, tmp_path, answer, linked
):
    ours, theirs = os.openpty()
    home = tmp_path / "home"
    path = f"{home}/.local/bin:{os.environ['PATH']}"
    started = subprocess.Popen(
        [project.folder / "scripts" / "run"],
        env=project.environment(HOME=str(home), PATH=path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    screen = ""
    with suppress(OSError):  # how a terminal says that nobody is left to write on it
        while piece := os.read(ours, 4096).decode():
            screen += piece
            if "[Y/n] " in screen and answer:
                os.write(ours, answer.encode())
                answer = ""
    os.close(ours)

    assert started.wait() == 0, screen
    assert screen.startswith("bot4: setting up in ")
    assert "bot4: shall `trio-run bot4` work in every shell, by a link in" in screen
    link = home / ".local" / "bin" / "trio-run"
    assert link.is_symlink() is linked, screen
    if linked:
        again = project.run("bot4", script=str(link), HOME=str(home), PATH=path)
        assert (again.returncode, again.stderr) == (0, "")


def test_a_clone_with_the_line_ends_of_windows_is_one_that_a_shell_reads(root, tmp_path):
    whole, clone = tmp_path / "whole", tmp_path / "clone"
    shutil.copytree(root, whole, ignore=shutil.ignore_patterns(*MADE))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", whole]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "whole"]):
        subprocess.run([*git, *words], check=True, env=os.environ | {"GIT_CONFIG_GLOBAL": ""})
    subprocess.run(["git", "clone", "-q", "-c", "core.autocrlf=true", whole, clone], check=True)

    changed = [
        str(path.relative_to(clone))
        for path in clone.rglob("*")
        if path.is_file()
        and ".git" not in path.parts
        and path.read_bytes() != (root / path.relative_to(clone)).read_bytes()
    ]
    for path in (clone / "scripts").iterdir():
        if path.is_file() and path.read_bytes().startswith(b"#!/bin/sh"):
            subprocess.run(["sh", "-n", path], check=True)
    assert (clone / "scripts" / "run").read_bytes().startswith(b"#!/bin/sh\n")
    assert (clone / "scripts" / "run.cmd").read_bytes().startswith(b"@echo off\r\n")
    assert set(changed) <= {"scripts/run.cmd"}


def test_sixty_interrupts_in_the_first_second_leave_no_traceback_and_none_is_lost(root, tmp_path):
    subprocess.run([root / "scripts" / "run", "--version"], check=True)
    config = tmp_path / "bot4.yaml"
    text = (root / "bot4.yaml").read_text()
    ended = {}
    for number in range(60):
        state = tmp_path / f"state-{number}"
        config.write_text(re.sub(r"(?m)^( *state_dir:) .*$", rf"\1 {state}", text))
        started = subprocess.Popen(
            [root / "scripts" / "run", "--config", config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            with suppress(subprocess.TimeoutExpired):
                started.wait(number * MOMENT_S)
            os.killpg(started.pid, signal.SIGINT)
            said, _ = started.communicate(timeout=STORY_S)
        finally:
            started.kill()
        assert "Traceback" not in said, said
        assert "Fatal" not in said, said
        ended[number] = started.returncode
        assert (started.returncode == 3) == ("Stopped before looking" in said), said
    # Ended at once by the signal while a shell still ran, or by the bot in its own order; 3 is a
    # bot whose journal is new and which has not yet asked the venues.
    assert set(ended.values()) <= {-signal.SIGINT, 0, 3}, ended


def test_ctrl_c_at_the_very_end_of_set_up_is_obeyed_without_a_traceback(project):
    for _ in range(3):
        (project.folder / ".venv" / "bot4-run.stamp").unlink(missing_ok=True)
        started = project.start()
        err = ""
        for line in started.stderr:
            err += line
            if "set-up done" in line:
                os.killpg(started.pid, signal.SIGINT)
                break
        out, rest = started.communicate(timeout=STORY_S)

        assert (started.returncode, out) == (130, ""), err + rest
        assert "Traceback" not in rest
        assert "bot4: stopped. Nothing was started" in rest


def test_a_second_set_up_waits_for_the_first_and_says_so(project):
    with (project.folder / ".venv.lock").open("ab") as lock:
        lock.write(b"\xff\xfe")
        lock.flush()
        fcntl.flock(lock, fcntl.LOCK_EX)
        started = project.start()
        said = [started.stderr.readline() for _ in range(3)]
        assert not (project.folder / ".venv").exists()
    out, _ = started.communicate(timeout=SCRIPT_S)

    assert "setting up" in said[0]
    assert all("another set-up is at work here; waiting for it" in line for line in said[1:])
    assert out.startswith("ran bot4\n")


def test_what_a_link_called_venv_leads_to_is_left_alone(project, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("important")
    (project.folder / ".venv").symlink_to(precious)

    done = project.run()

    assert done.returncode == 1
    assert ".venv is not a folder. Fix: rm " in last(done)
    assert (precious / "file").read_text() == "important"


def test_a_venv_whose_python_is_gone_is_made_anew(project):
    assert project.run().returncode == 0
    for name in ("python", "python3", "python3.11"):
        (project.folder / ".venv" / "bin" / name).unlink(missing_ok=True)
    (project.folder / ".venv" / "bin" / "python").symlink_to("/gone/python3.11")

    done = project.run()

    assert done.stdout.startswith("ran bot4\n"), done.stderr


def test_what_a_killed_set_up_has_started_is_waited_for(project, tmp_path):
    """Its pip lives on, and would write into what the next one makes."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        first = project.start(PIP_INDEX_URL=f"http://127.0.0.1:{port}/simple")
        for line in first.stderr:
            if "asking the package index, " in line:
                break
        (setuplib,) = children(first.pid)
        (pip,) = children(setuplib)
        os.kill(setuplib, signal.SIGKILL)
        second = project.start()
        said = [second.stderr.readline() for _ in range(3)]
        os.kill(pip, signal.SIGKILL)
        first.communicate(timeout=SCRIPT_S)
        out, err = second.communicate(timeout=SCRIPT_S)

    assert "another set-up is at work here; waiting for it" in "".join(said)
    assert out.startswith("ran bot4\n"), err
    assert project.installed()["beta-two"] == "1.5"


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("requirements.lock", None, "requirements.lock is missing. Fix: git checkout"),
        ("requirements.lock", b"# \xe9\n", "requirements.lock is damaged. Fix: git checkout"),
    ],
    ids=["missing", "damaged"],
)
def test_a_lock_that_cannot_be_read_is_told_in_one_line(project, name, content, told):
    file = project.folder / name
    file.unlink(missing_ok=True)
    if content is not None:
        file.write_bytes(content)

    done = project.run()

    assert "Traceback" not in done.stderr
    assert told in last(done)


def test_a_broken_file_of_pips_settings_is_told(project, tmp_path):
    (tmp_path / "pip.conf").write_text("this is no setting\n")

    done = project.run(PIP_CONFIG_FILE=str(tmp_path / "pip.conf"))

    assert done.returncode == 1
    assert "pip's own settings cannot be read: " in last(done)


def test_pips_own_file_of_settings_changes_nothing_but_the_way_to_the_index(project, tmp_path):
    settings = tmp_path / "pip.conf"
    settings.write_text(
        f"[global]\nindex-url = {project.index.url}\ntarget = {tmp_path / 'elsewhere'}\n"
        "constraint = no-such-file.txt\nno-index = true\n"
        "[install]\nno-binary = :all:\nuser = true\n"
    )

    done = project.run(PIP_CONFIG_FILE=str(settings), PIP_INDEX_URL="")

    assert done.stdout.startswith("ran bot4\n"), done.stderr
    assert project.installed()["beta-two"] == "1.5"
    assert not (tmp_path / "elsewhere").exists()
