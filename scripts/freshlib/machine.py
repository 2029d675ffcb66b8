"""A bare machine: a root folder made by mmdebstrap, entered in namespaces, removed at the end.

What is mounted is mounted in a mount namespace that dies with the processes in it, so nothing is
ever mounted here. It is checked all the same before anything is removed: an ``rm -rf`` through a
mount would be somebody's disk.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from freshlib.follow import Heard, follow, ignoring_signals
from freshlib.refusals import Refused
from freshlib.settings import Settings
from freshlib.systems import System

UBUNTU: Final = "http://archive.ubuntu.com/ubuntu"
UBUNTU_KEYS: Final = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
UBUNTU_KEYS_SHA256: Final = "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8"
UBUNTU_RING: Final = "usr/share/keyrings/ubuntu-archive-keyring.gpg"
"""Debian 12 has no package of Ubuntu's keys; whoever changes them must change the sum too."""

NAMESPACES: Final = ("unshare", "--fork", "--pid", "--mount", "--kill-child")
ENTER: Final = """set -e
root=$1 user=$2
mount -t proc proc "$root/proc"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666,mode=620,gid=5
mount -t tmpfs tmpfs "$root/dev/shm" -o mode=1777
code=0
chroot --userspec="$user" "$root" /bin/sh -c "$3" || code=$?
exit $code
"""
"""No exec: the first process of a pid namespace is to be one that reaps its children."""

OWNER: Final = "owner"
ROOT: Final = "root"
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUILD_LIMIT_S: Final = 1800.0
REMOVALS: Final = 50
REMOVAL_PAUSE_S: Final = 0.2

Builder = Callable[[System, Path, "list[str]", Settings], None]


class LeftBehind(Exception):
    """A root could not be removed; says where it is."""


@contextmanager
def bare_root(
    system: System, packages: list[str], settings: Settings, place: Path, builder: Builder
) -> Iterator[Path]:
    """Make a root and give it; it is removed however the block ends.

    Raises:
        Refused: it could not be made.
        LeftBehind: it could not be removed.
    """
    # 0700: a client certificate may be carried in.
    folder = Path(tempfile.mkdtemp(prefix=f"fresh-{system.name}-", dir=place))
    try:
        builder(system, folder / "root", packages, settings)
        yield folder / "root"
    finally:
        with ignoring_signals():
            remove(folder)


def build(system: System, root: Path, packages: list[str], settings: Settings) -> None:
    """Make the root, an ordinary user in it, and this machine's settings."""
    command = [*NAMESPACES, "--mount-proc", "mmdebstrap", "--variant=minbase"]
    command += ["--mode=root", f"--include={','.join(packages)}"]
    command += [f'--aptopt={key} "{value}"' for key, value in settings.apt.items()]
    command += [system.suite, str(root), *archive(system, root.parent, settings)]
    environment = {**settings.environment, "PATH": PATH}
    made = follow(command, environment, limit_s=BUILD_LIMIT_S, hide=settings.hide)
    if made.code:
        said = [line for line in made.lines if line.startswith("E:")] or made.lines[-1:] or ["?"]
        raise Refused(f"mmdebstrap could not make {system.name}: {settings.hide(said[0])}")
    (root / "etc/hostname").write_text("fresh\n")
    added = follow(
        ["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/bash", OWNER],
        {"PATH": PATH},
        limit_s=BUILD_LIMIT_S,
    )
    if added.code:
        raise Refused(f"useradd failed in {system.name}: {' '.join(added.lines[-1:])}")


def archive(system: System, folder: Path, settings: Settings) -> list[str]:
    """Return where the packages come from, as apt's lines; none: where mmdebstrap looks itself."""
    if system.family == "debian":
        uri = settings.mirrors.get("debian")
        return [f"deb {uri} {system.suite} {system.components}"] if uri else []
    uri = settings.mirrors.get("ubuntu", UBUNTU)
    ring = Path("/") / UBUNTU_RING
    if not ring.exists():
        ring = ubuntu_keys(folder, uri)
    return [f"deb [signed-by={ring}] {uri} {system.suite} {system.components}"]


def ubuntu_keys(folder: Path, uri: str) -> Path:
    """Download Ubuntu's keys, check their sum, and return where they are."""
    package = folder / "keys.deb"
    with urllib.request.urlopen(f"{uri}/{UBUNTU_KEYS}", timeout=60) as answer:  # noqa: S310  # its sum is checked
        package.write_bytes(answer.read())
    if hashlib.sha256(package.read_bytes()).hexdigest() != UBUNTU_KEYS_SHA256:
        raise Refused(
            "Ubuntu's keys are not those that are vouched for here; nothing was installed"
        )
    _do("dpkg-deb", "-x", str(package), str(folder / "keys"))
    return folder / "keys" / UBUNTU_RING


def run_inside(
    root: Path, words: str, settings: Settings, *, limit_s: float, user: str = OWNER
) -> Heard:
    """Run a shell's words in the root, on a screen, as its ordinary user."""
    home = "/root" if user == ROOT else f"/home/{user}"
    environment = {"HOME": home, "USER": user, "LOGNAME": user, "SHELL": "/bin/bash"}
    environment |= {"PATH": PATH, "TERM": "xterm-256color", **settings.environment}
    command = [*NAMESPACES, "/bin/sh", "-c", ENTER, "sh", str(root), f"{user}:{user}", words]
    return follow(command, environment, limit_s=limit_s, screen=True, hide=settings.hide)


def clone(checkout: Path, commit: str, root: Path) -> None:
    """Put a clone of one commit where the ordinary user would."""
    there = root / "home" / OWNER / "bot4"
    _git(checkout, "clone", "--quiet", "--no-hardlinks", "--no-checkout", str(checkout), str(there))
    # A commit of no branch is not in the clone.
    _git(there, "fetch", "--quiet", str(checkout), commit)
    _git(there, "checkout", "--quiet", "--detach", commit)
    owner = (root / "home" / OWNER).stat()
    _do("chown", "-R", f"{owner.st_uid}:{owner.st_gid}", str(there))


def commit_named(checkout: Path, revision: str) -> str:
    """Return the whole name of a commit.

    Raises:
        Refused: there is none of that name.
    """
    try:
        return _git(checkout, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    except subprocess.CalledProcessError as problem:
        raise Refused(f"no commit {revision} here {problem.stderr.strip()}".strip()) from problem


def mounted_below(folder: Path, mountinfo: str) -> list[str]:
    """Return what is mounted at or below the folder."""
    points = [line.split(" ")[4] for line in mountinfo.splitlines() if line.count(" ") > 4]
    plain = [re.sub(r"\\([0-7]{3})", lambda o: chr(int(o[1], 8)), one) for one in points]
    inside = f"{folder.resolve()}/"
    return [one for one in plain if f"{one}/".startswith(inside)]


def erase(folder: Path) -> None:
    """Delete a folder, out of reach of the screen's Ctrl+C; what is mounted in it would stay."""
    command = ["rm", "-rf", "--one-file-system", str(folder)]
    subprocess.run(command, stderr=subprocess.DEVNULL, start_new_session=True, check=False)


def remove(
    folder: Path,
    *,
    mountinfo: Callable[[], str] = Path("/proc/self/mountinfo").read_text,
    erase: Callable[[Path], None] = erase,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Remove a root; processes in it that are just dying may still write.

    Raises:
        LeftBehind: something is mounted below it, or it does not go away.
    """
    for _ in range(REMOVALS):
        if below := mounted_below(folder, mountinfo()):
            raise LeftBehind(
                f"{below[0]} is still mounted, so {folder} is left. "
                f"Fix: sudo umount {below[0]}, then sudo rm -rf --one-file-system {folder}"
            )
        erase(folder)
        if not folder.exists():
            return
        sleep(REMOVAL_PAUSE_S)
    raise LeftBehind(f"{folder} could not be removed. Fix: sudo rm -rf --one-file-system {folder}")


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _do(*command: str) -> None:
    subprocess.run(command, check=True)
