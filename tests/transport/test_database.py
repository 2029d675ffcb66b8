"""One process, private files, and every fault in one line that names the file."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from bot4.errors import JournalFault, StartRefused
from bot4.transport import database as database_module
from bot4.transport.database import open_database

HOLDER = """
import sys
from pathlib import Path
from bot4.transport.database import open_database
database = open_database(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "simulation" / "journal.db"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folders_are_private_whatever_the_umask(path):
    before = os.umask(0)
    try:
        database = open_database(path)
        database.execute("CREATE TABLE t (x)")
        made = {file.name: mode_of(file) for file in path.parent.iterdir()}
        database.close()
    finally:
        os.umask(before)

    assert made == {"journal.db": 0o600, "journal.db-wal": 0o600}
    assert mode_of(path.parent) == 0o700


def test_loose_rights_are_tightened(path):
    path.parent.mkdir(parents=True, mode=0o755)
    path.touch(mode=0o644)
    path.chmod(0o644)

    open_database(path).close()

    assert mode_of(path) == 0o600
    assert mode_of(path.parent) == 0o700


def test_every_commit_is_synced_and_the_lock_is_exclusive(path):
    database = open_database(path)

    settings = {
        name: database.execute(f"PRAGMA {name}")[0][0]
        for name in ("journal_mode", "synchronous", "locking_mode", "cell_size_check")
    }
    database.close()

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "locking_mode": "exclusive",
        "cell_size_check": 1,
    }


@pytest.mark.slow
def test_a_second_process_is_refused_in_one_line(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(StartRefused) as refused:
            open_database(path)

        holder.communicate("")
    said, _, whose = refused.value.why.partition(f": process {holder.pid} of user ")
    assert said == f"another process is using {path}"
    assert whose
    assert "another state_dir" not in refused.value.do
    assert "stop the other bot" in refused.value.do
    open_database(path).close()


def test_a_second_opening_in_one_process_is_refused_and_frees_nothing(path):
    first = open_database(path)

    for _ in range(2):
        with pytest.raises(StartRefused):
            open_database(path)
    probe = sqlite3.connect(path, timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        probe.execute("SELECT * FROM sqlite_schema")
    probe.close()

    first.close()


@pytest.mark.parametrize("suffix", ["", "-wal", "-journal"])
def test_a_symbolic_link_is_refused(path, tmp_path, suffix):
    path.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("precious")
    path.with_name(path.name + suffix).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StartRefused, match="symbolic link"):
        open_database(path)

    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_a_folder_in_the_files_place_is_refused(path):
    path.mkdir(parents=True)

    with pytest.raises(StartRefused, match="no plain file"):
        open_database(path)


def test_a_file_that_is_no_database_is_a_fault_that_names_it(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"this is not a database, and long enough to be one" * 100)

    with pytest.raises(JournalFault, match="move it away") as fault:
        open_database(path)

    assert str(path) in str(fault.value)


def test_a_folder_that_cannot_be_made_is_a_fault(tmp_path):
    (tmp_path / "state").write_text("a file, not a folder")

    with pytest.raises(JournalFault, match="state"):
        open_database(tmp_path / "state" / "journal.db")


def test_an_old_sqlite_is_refused(path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 0))

    with pytest.raises(StartRefused, match=r"3\.37"):
        open_database(path)


def test_a_wrong_statement_is_a_fault(path):
    database = open_database(path)

    with pytest.raises(JournalFault, match=r"journal\.db: no such table"):
        database.execute("SELECT * FROM missing")

    assert database.execute("SELECT 1") == [(1,)]
    database.close()


def test_a_full_disk_is_a_fault_that_passes(path):
    database = open_database(path)
    database.execute("CREATE TABLE t (x)")
    database.execute("PRAGMA max_page_count = 3")

    with pytest.raises(JournalFault, match="the disk is full: make room"):
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")

    database.execute("PRAGMA max_page_count = 1000")
    database.execute("INSERT INTO t VALUES (1)")
    database.close()


class FailingDisk:
    """A connection whose statements fail as a broken disk makes them."""

    def __init__(self):
        self.asked = 0

    def execute(self, sql, parameters=()):
        self.asked += 1
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 4 << 8  # SQLITE_IOERR_FSYNC
        raise error


def test_after_a_failed_disk_nothing_more_is_tried(path):
    connection = FailingDisk()
    database = database_module.SqliteDatabase(path, connection)

    for _ in range(3):
        with pytest.raises(JournalFault, match="the disk failed"):
            database.execute("COMMIT")

    assert connection.asked == 1


def test_closing_twice_is_fine(path):
    database = open_database(path)
    database.close()
    database.close()

    with pytest.raises(JournalFault):
        database.execute("SELECT 1")
