"""Whether every locked package is there, ready-built, for a Python to come.

Asked of pip's own index, a page a package, of those alone that need it: what is installed here as a
wheel for any Python (py3-none-any) needs no other, and what comes as source for every Python is
built anyhow.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freshlib.refusals import Refused
from freshlib.settings import Settings, ask_here

INDEX: Final = "https://pypi.org/simple"
"""Where pip looks when nobody tells it otherwise."""
JSON: Final = "application/vnd.pypi.simple.v1+json"
MACHINES: Final = ("x86_64", "aarch64")
LOCKED: Final = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\\n]+))?", re.MULTILINE)
ELSEWHERE: Final = re.compile(
    r"^(?:sys_platform == '(?:win32|darwin)'|os_name == 'nt'|python_full_version [<=]+ '[^']+')$"
)
"""Markers of packages that a Linux with a Python to come does not ask for."""
WAIT_S: Final = 30.0


@dataclass(frozen=True)
class Wheel:
    """What the name of a wheel says."""

    version: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    def fits(self, python: tuple[int, int], machine: str) -> bool:
        """Whether pip would take it on a Linux of that machine."""
        return any(_speaks(python, one, self.abis) for one in self.pythons) and any(
            one == "any" or (one.startswith(("manylinux", "linux")) and one.endswith(machine))
            for one in self.platforms
        )


def report(checkout: Path, python: str) -> int:
    """Print a line for each package that is in question, and the verdict; 0 when all are there."""
    wanted = read_python(python)
    pins = locked("".join(path.read_text() for path in sorted(checkout.glob("requirements*.lock"))))
    pure = installed_pure(checkout / ".venv")
    asked = {name: version for name, version in pins.items() if pure.get(name) != version}
    settings = ask_here(checkout)
    missing = []
    for name, version in sorted(asked.items()):
        names = filenames(name, settings)
        lines = list(verdicts(version, [one for one in map(read_wheel, names) if one], wanted))
        for line in lines:
            print(f"{name} {version}: {line}", flush=True)
        if any(line.startswith("none") for line in lines):
            missing.append(name)
    print(closing(python, len(pins), len(asked), missing))
    return 1 if missing else 0


def verdicts(version: str, wheels: list[Wheel], python: tuple[int, int]) -> Iterator[str]:
    """Yield what there is for each machine, and nothing where the locked version has it."""
    if not wheels:
        yield "comes as source, for every Python"
        return
    for machine in MACHINES:
        fitting = {one.version for one in wheels if one.fits(python, machine)}
        newer = sorted((one for one in fitting if is_newer(one, version)), key=_order)
        if version in fitting:
            continue
        if newer:
            yield f"newer has it on {machine}: {newer[-1]}"
        else:
            yield f"none on {machine}"


def closing(python: str, packages: int, asked: int, missing: list[str]) -> str:
    """Return the last line."""
    what = f"not yet: {', '.join(missing)}" if missing else "all are there"
    return f"fresh --wheels {python}: {packages} packages, {asked} asked for: {what}"


def locked(text: str) -> dict[str, str]:
    """Return name -> version of what a Linux with a Python to come would install."""
    return {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, version, marker in LOCKED.findall(text)
        if not ELSEWHERE.match(marker.strip())
    }


def installed_pure(venv: Path) -> dict[str, str]:
    """Return name -> version of what is installed as a wheel that any Python takes."""
    found = {}
    for path in venv.glob("lib/python3*/site-packages/*.dist-info/WHEEL"):
        if re.search(r"^Tag: py3-none-any$", path.read_text(errors="replace"), re.MULTILINE):
            name, _, version = path.parent.name.removesuffix(".dist-info").rpartition("-")
            found[re.sub(r"[-_.]+", "-", name).lower()] = version
    return found


def read_wheel(filename: str) -> Wheel | None:
    """Read the name of a wheel; None for any other file."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in {5, 6}:
        return None
    pythons, abis, platforms = (tuple(one.split(".")) for one in parts[-3:])
    return Wheel(parts[1], pythons, abis, platforms)


def filenames(name: str, settings: Settings) -> list[str]:
    """Ask the index for a package's files; those that were taken back are left out."""
    found, answered = [], False
    for index in indexes(settings):
        try:
            page = _get(f"{index.rstrip('/')}/{name}/", settings)
        except urllib.error.HTTPError as problem:
            if problem.code != 404:
                raise Refused(f"the index answers {problem.code} for {name}") from problem
            continue
        except OSError as problem:
            raise Refused(f"the index does not answer for {name}") from problem
        answered = True
        found += _files(page)
    if not answered:
        raise Refused(f"no index knows {name}")
    return found


def indexes(settings: Settings) -> Iterable[str]:
    """Return the indexes that pip would ask, first the first."""
    said = {**settings.pip}
    for key in ("index-url", "extra-index-url"):
        said[key] = settings.environment.get(
            "PIP_" + key.upper().replace("-", "_"), said.get(key, "")
        )
    return (said["index-url"] or INDEX).split() + said["extra-index-url"].split()


def read_python(text: str) -> tuple[int, int]:
    """Read 3.14."""
    match = re.fullmatch(r"(3)\.(\d+)", text)
    if match is None:
        raise Refused(f"{text} is no Python. Fix: scripts/fresh --wheels 3.14")
    return int(match[1]), int(match[2])


def is_newer(one: str, other: str) -> bool:
    """Whether one is a later release, and no attempt at one."""
    return not re.search(r"[a-z]", one.replace("post", "")) and _order(one) > _order(other)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _speaks(python: tuple[int, int], tag: str, abis: tuple[str, ...]) -> bool:
    match = re.fullmatch(r"(cp|py)(\d)(\d*)", tag)
    if match is None or int(match[2]) != python[0]:
        return False
    minor = int(match[3]) if match[3] else 0
    exact = f"cp{python[0]}{python[1]}"
    if match[1] == "py":
        return "none" in abis and minor <= python[1]
    if minor == python[1]:
        return bool({exact, "abi3", "none"}.intersection(abis))
    return "abi3" in abis and minor < python[1]


def _get(url: str, settings: Settings) -> bytes:
    parts = urllib.parse.urlsplit(url)
    headers = {"Accept": f"{JSON}, text/html;q=0.1"}
    if parts.username:
        whole = (
            f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        )
        headers["Authorization"] = f"Basic {base64.b64encode(whole.encode()).decode()}"
        url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    bundle = settings.environment.get("PIP_CERT") or settings.pip.get("cert")
    handlers: list[urllib.request.BaseHandler] = [
        urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=bundle or None))
    ]
    proxy = settings.environment.get("PIP_PROXY") or settings.pip.get("proxy")
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # pip's own index
    with urllib.request.build_opener(*handlers).open(request, timeout=WAIT_S) as answer:
        content: bytes = answer.read()
    return content


def _files(page: bytes) -> list[str]:
    if page.lstrip().startswith(b"{"):
        files = json.loads(page)["files"]
        return [one["filename"] for one in files if not one.get("yanked")]
    text = page.decode(errors="replace")
    links = re.findall(r"<a\b([^>]*)>([^<]+)</a>", text)
    return [name.strip() for attributes, name in links if "data-yanked" not in attributes]
