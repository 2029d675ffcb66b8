"""PostgreSQL and PostgREST as child processes, in a temporary folder, as a project has them."""

from __future__ import annotations

import base64
import hmac
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import attrs
import httpx
from timeouts import DATABASE_S, ENDS_S, REQUEST_S

from localsupabase.parts import ROOT, Unavailable, postgres, postgrest

MIGRATIONS: Final = ROOT / "supabase" / "migrations"
JWT_SECRET: Final = "only-on-this-machine-only-on-this-machine"  # noqa: S105 - signs for loopback
MAX_ROWS: Final = 1000
"""As a Supabase project has it. Source: Supabase docs, API settings, seen 2026-11."""

ROLES: Final = """
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;
grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public
  grant all on functions to anon, authenticated, service_role;
"""
"""What a project has before anybody adds a table.
Source: Supabase docs, Postgres roles, seen 2026-11."""


def role_token(role: str) -> str:
    """Return the JWT that makes PostgREST act as this role."""
    head, body = (
        _base64url(json.dumps(part).encode())
        for part in (
            {"alg": "HS256", "typ": "JWT"},
            {"role": role, "exp": int(time.time()) + 86400},
        )
    )
    signature = hmac.digest(JWT_SECRET.encode(), f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{_base64url(signature)}"


@attrs.frozen
class Stack:
    """A running database with its API, reached over Unix sockets."""

    folder: Path
    binaries: Path

    @property
    def api(self) -> Path:
        """PostgREST's socket."""
        return self.folder / "api.sock"

    def answers(self) -> bool:
        """Whether PostgREST serves, and has read the schema."""
        transport = httpx.HTTPTransport(uds=str(self.api))
        try:
            with httpx.Client(transport=transport, timeout=REQUEST_S) as client:
                return client.get("http://api/").status_code < HTTPStatus.INTERNAL_SERVER_ERROR
        except httpx.TransportError:
            return False

    def sql(self, text: str) -> list[list[str]]:
        """Run SQL as the owner of the database; return the last statement's rows as texts.

        Raises:
            ValueError: with PostgreSQL's own words.
        """
        done = subprocess.run(
            [
                *(str(self.binaries / "psql"), "-h", str(self.folder), "-U", "postgres", "-X"),
                *("-q", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1"),
            ],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ValueError(done.stderr.strip())
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def migrate(self) -> None:
        """Run every migration of the project, and have the API look at the tables again."""
        for path in sorted(MIGRATIONS.glob("*.sql")):
            self.sql(path.read_text())
        self.reload()

    def reload(self) -> None:
        """Have the API read the schema again. It takes a moment to do so."""
        self.sql("notify pgrst, 'reload schema'")


@contextmanager
def open_stack() -> Iterator[Stack]:
    """Start both servers with an empty project and yield how to reach them.

    Raises:
        Unavailable: this machine cannot; the text says why.

    Closes: ends both and removes the folder.
    """
    binary, binaries = postgrest(), postgres()
    with ExitStack() as closing:
        folder = Path(tempfile.mkdtemp(prefix="bot4-supabase-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        user = _user(folder)
        if user and ROOT in binaries.parents:
            # The project's folder may be closed to the other user.
            shutil.copytree(binaries.parent, folder / "postgresql", symlinks=True)
            binaries = folder / "postgresql" / "bin"
        stack = Stack(folder, binaries)
        _start_postgres(stack, user, closing)
        stack.sql(ROLES)
        stack.migrate()
        own = shutil.copy2(binary, folder / "postgrest")
        _start_postgrest(stack, Path(own), user, closing)
        yield stack


def _user(folder: Path) -> dict[str, Any]:
    """Another user when we are root, whom PostgreSQL refuses; the folder becomes theirs."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, found.pw_uid, found.pw_gid)
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise Unavailable("we are root, and there is no user nobody to run PostgreSQL as")


def _start_postgres(stack: Stack, user: dict[str, Any], closing: ExitStack) -> None:
    data, binaries = stack.folder / "data", stack.binaries
    made = subprocess.run(
        [
            *(str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust"),
            *("--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"),
        ],
        cwd=stack.folder,
        capture_output=True,
        text=True,
        check=False,
        **user,
    )
    if made.returncode:
        raise Unavailable(f"initdb failed: {made.stderr.strip()}")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(stack.folder),
        "fsync": "off",
        "full_page_writes": "off",
        "shared_buffers": "16MB",
        "max_connections": "30",
    }
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    _start([str(binaries / "postgres"), "-D", str(data), *options], stack, user, closing)
    ready = [str(binaries / "pg_isready"), "-q", "-h", str(stack.folder)]
    _await(lambda: subprocess.run(ready, check=False).returncode == 0, "PostgreSQL")


def _start_postgrest(stack: Stack, binary: Path, user: dict[str, Any], closing: ExitStack) -> None:
    settings = {
        "PGRST_DB_URI": f"postgresql://authenticator@/postgres?host={stack.folder}",
        "PGRST_DB_SCHEMAS": "public",
        "PGRST_DB_ANON_ROLE": "anon",
        "PGRST_DB_MAX_ROWS": str(MAX_ROWS),
        "PGRST_DB_POOL": "5",
        "PGRST_JWT_SECRET": JWT_SECRET,
        "PGRST_SERVER_UNIX_SOCKET": str(stack.api),
        "PGRST_SERVER_UNIX_SOCKET_MODE": "666",
        "PGRST_LOG_LEVEL": "error",
    }
    _start([str(binary)], stack, user, closing, settings)
    _await(stack.answers, "PostgREST")


def _start(
    command: list[str],
    stack: Stack,
    user: dict[str, Any],
    closing: ExitStack,
    settings: dict[str, str] | None = None,
) -> None:
    said = (stack.folder / "servers.log").open("ab")
    closing.callback(said.close)
    # Whatever kills us takes them along.
    tether = ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []
    process = subprocess.Popen(
        [*tether, *command],
        cwd=stack.folder,
        env={"PATH": os.environ.get("PATH", ""), **(settings or {})},
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said,
        start_new_session=True,  # Ctrl+C ends the tests, which end their servers.
        **user,
    )
    closing.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # PostgreSQL lets sessions finish; ours have none by then.
    try:
        process.wait(ENDS_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await(ready: Any, who: str) -> None:
    end = time.monotonic() + DATABASE_S
    while not ready():
        if time.monotonic() > end:
            raise Unavailable(f"{who} did not start within {DATABASE_S:g} s")
        time.sleep(0.02)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
