"""The keys: from the environment or ``.env``, judged by shape, never repeated, never spread.

The file is read into values and not into ``os.environ``, so that no child process inherits a key.
"""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from bot4.config.envfile import line_faults
from bot4.config.schema import Config, MirrorSecrets, Mode, Secrets
from bot4.config.values import Unfit, Url
from bot4.errors import ConfigError
from bot4.invocation import command
from bot4.logs.redact import register_secret
from bot4.secret import Secret

FILE: Final = ".env"
SIZE_LIMIT: Final = 64 * 1024

NAMES: Final = ("VEST_PRIMARY_KEY", "VEST_SIGNING_KEY", "PARADEX_ACCOUNT", "PARADEX_PRIVATE_KEY")
VEST_KEYS: Final = ("VEST_PRIMARY_KEY", "VEST_SIGNING_KEY")
MIRROR_URL: Final = "SUPABASE_URL"
MIRROR_KEY: Final = "SUPABASE_SECRET_KEY"
PUBLIC_KEY: Final = "sb_publishable_"
"""How the key begins that anybody may see. Source: Supabase docs, API keys, seen 2026-11."""

SECP256K1_ORDER: Final = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Source: SEC 2, secp256k1."""
STARK_ORDER: Final = 0x08000000_00000010_FFFFFFFF_FFFFFFFF_B781126D_CAE7B232_1E66A241_ADC64D2F
"""Source: Starknet documentation, STARK curve."""
STARK_PRIME: Final = 2**251 + 17 * 2**192 + 1
"""Source: Starknet documentation, field elements."""

ETHEREUM_DIGITS: Final = 40
"""Of an Ethereum address. An account of Starknet's is as short once in 2 to the power of 90."""

# Name -> (least and most hexadecimal digits, the value must be below).
SHAPES: Final = {
    "VEST_PRIMARY_KEY": (64, 64, SECP256K1_ORDER),
    "VEST_SIGNING_KEY": (64, 64, SECP256K1_ORDER),
    "PARADEX_ACCOUNT": (1, 64, STARK_PRIME),
    "PARADEX_PRIVATE_KEY": (1, 64, STARK_ORDER),
}


def load_secrets(
    config: Config, folder: Path, *, environment: Mapping[str, str] | None = None
) -> Secrets:
    """Read the keys; a variable of the environment wins over the file.

    Every key is registered with the log's redactor before it is returned.

    Args:
        config: its mode decides; simulation reads nothing, its keys come from the simulator.
        folder: where ``.env`` is looked for; it need not exist.
        environment: instead of the process's own.

    Raises:
        ConfigError: the file is open to others, or a key is missing or misshapen; all at once.
        ValueError: in simulation.
    """
    if config.mode is Mode.SIMULATION:
        raise ValueError("simulation reads no keys")
    found = _read_file(folder / FILE) | _read_environment(environment, NAMES)
    for name in NAMES:
        if name in found:
            register_secret(found[name])

    faults = []
    for name in NAMES:
        value = found.get(name, "")
        if not value:
            faults.append(f"{name}: is missing: write it in {folder / FILE} (see .env.example)")
        elif fault := _misshapen(name, value):
            faults.append(f"{name}: {fault}")
    if not faults and len({_normal(found[name]) for name in VEST_KEYS}) == 1:
        faults.append(
            f"{VEST_KEYS[1]}: is the same as {VEST_KEYS[0]}: the one that signs orders must be "
            "another, so that whoever finds it cannot withdraw; make a new key for it"
        )
    mirror: MirrorSecrets | None = None
    try:
        mirror = load_mirror_secrets(config, folder, environment=environment)
    except ConfigError as error:
        faults += error.faults
    if faults:
        raise ConfigError(faults)
    keys = {name.lower(): Secret(_normal(found[name])) for name in NAMES}
    for key in keys.values():
        register_secret(key.reveal())
    return Secrets(**keys, mirror=mirror)


def load_mirror_secrets(
    config: Config, folder: Path, *, environment: Mapping[str, str] | None = None
) -> MirrorSecrets | None:
    """Read where Supabase is and the key to it; None when nothing is to be copied there.

    Args:
        config: ``mirror.enabled`` decides. In simulation only the environment is read, no file.
        folder: where ``.env`` is looked for.
        environment: instead of the process's own.

    Raises:
        ConfigError: one of the two is missing or cannot be right, or ``on`` found neither.
    """
    wanted, simulation = config.mirror.enabled, config.mode is Mode.SIMULATION
    if wanted == "off" or (simulation and wanted != "on"):
        return None
    found = {} if simulation else _read_file(folder / FILE)
    found |= _read_environment(environment, (MIRROR_URL, MIRROR_KEY))
    url, key = found.get(MIRROR_URL, ""), found.get(MIRROR_KEY, "")
    if key:
        register_secret(key)
    if not url and not key and wanted == "auto":
        return None
    where = "set it in the environment" if simulation else f"write it in {folder / FILE}"
    faults = []
    if not url:
        faults.append(f"{MIRROR_URL}: is missing: {where}, or set mirror.enabled to off")
    else:
        try:
            url = Url("https").read(url)
        except Unfit as fault:
            faults.append(f"{MIRROR_URL}: {fault}")
    if not key:
        faults.append(f"{MIRROR_KEY}: is missing: {where}, or set mirror.enabled to off")
    elif not (key.isascii() and key.isprintable() and " " not in key):
        faults.append(f"{MIRROR_KEY}: has a character that no key has: copy it again")
    elif key.startswith(PUBLIC_KEY):
        faults.append(f"{MIRROR_KEY}: is the publishable key: the secret one is needed")
    if faults:
        raise ConfigError(faults)
    return MirrorSecrets(url, Secret(key))


def _read_environment(
    environment: Mapping[str, str] | None, names: tuple[str, ...]
) -> dict[str, str]:
    given = os.environ if environment is None else environment
    # An empty variable is how a shell says "not set".
    return {name: given[name].strip() for name in names if given.get(name)}


def _read_file(path: Path) -> dict[str, str]:
    """Return what the file sets. It must be ours alone, and no link to something else."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}
    except OSError as error:
        if path.is_symlink():
            raise ConfigError([f"{path}: is a link: put the file itself there"]) from None
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    try:
        if fault := _unsafe(os.fstat(number), path):
            raise ConfigError([f"{path}: {fault}"])
        raw = os.read(number, SIZE_LIMIT)
    finally:
        os.close(number)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: is not UTF-8 text: save it as UTF-8"]) from None
    known = (*NAMES, MIRROR_URL, MIRROR_KEY)
    if faults := [f"{path}:{line}: {fault}" for line, fault in line_faults(text, known)]:
        raise ConfigError(faults)
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value.strip() for name, value in values.items() if name in known and value}


def _unsafe(status: os.stat_result, path: Path) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "is not an ordinary file"
    if status.st_uid != os.geteuid():
        return f"belongs to another user: run chown {os.geteuid()} '{path}'"
    if stat.S_IMODE(status.st_mode) & ~0o600:
        return f"others can read it: run chmod 600 '{path}'"
    if status.st_size > SIZE_LIMIT:
        return "is larger than 64 KiB: this is not a .env"
    return None


def _misshapen(name: str, value: str) -> str | None:
    """Return what is wrong with a key, without any character of it."""
    least, most, below = SHAPES[name]
    digits = value.removeprefix("0x").removeprefix("0X")
    length = f"{least}" if least == most else f"{least} to {most}"
    must = f"must be 0x and {length} hexadecimal digits"
    if not re.fullmatch(r"[0-9a-fA-F]*", digits, re.ASCII):
        return f"has a character that is not a hexadecimal digit: {must}"
    if name == "PARADEX_ACCOUNT" and len(digits) == ETHEREUM_DIGITS:
        told = command("keys derive")
        return f"has 40 hexadecimal digits, as an Ethereum address has: {told} tells the account"
    if not least <= len(digits) <= most:
        return f"has {len(digits)} hexadecimal digits: {must}"
    if not 0 < int(digits, 16) < below:
        return "is not a possible value: copy it again"
    return None


def _normal(value: str) -> str:
    return "0x" + value.removeprefix("0x").removeprefix("0X").lower()
