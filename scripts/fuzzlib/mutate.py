"""How a good message is broken: byte by byte, or where it means something."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any, Final

Mutation = Callable[[Random, bytes], bytes]

NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 1.5, -0.0, 2**31, 2**63, -(2**63), 2**64, 10**30, 1e308),
    *("", " ", "0", "-0", "-1", "0.0", "00", "1e400", "1e-400", "-1e400", "1e5", "1E5", "+1"),
    *("NaN", "nan", "sNaN", "Infinity", "-Infinity", "inf", "0x10", "1_000", "1,5", "1.", ".5"),
    *(
        "0.000000001",
        "99999999999999999999",
        "1" * 41,
        "0." + "0" * 30 + "1",
        "\u0663",
        "\uff11",
        "1\x00",
    ),
    *([], {}, [[]], [{}], {"a": {}}, [1, 2, 3], ["1", "2"], [["1"]], [["1", "2", "3"]]),
    *("\ud7ff", "\u202e", "é" * 50, "a" * 5000, "LEFT", "CLOSED", "FILLED", "NEW", "REJECTED"),
)
RAW: Final = ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1" * 400, "01", "tru", "'a'")
"""What is no JSON, or hardly, and is put where a value stood."""
WORDS: Final = (0, 1, 2, 15, 16, 17, 20, 23, 89, 255, 256, 2000, 2001, 4096, 32767, 65535)
EXTREMES: Final = (0, 1, -1, 2**63 - 1, -(2**63), -(2**63) + 1, 10**8, -(10**8), 10**17)
DEEP: Final = (50, 500, 5_000, 100_000)
HUGE: Final = (10_000, 1_000_000, 1_048_577, 2_000_000, 17_000_000)
RARELY: Final = 0.0005
"""Share of cases that grow to megabytes or nest by the thousand: they cost more."""


def mutated(random: Random, data: bytes, others: list[bytes]) -> bytes:
    """Return a message broken once or a few times."""
    if random.random() < RARELY:
        return random.choice((_deep, _huge))(random, data)
    times = random.choice((1, 1, 1, 2, 3, 6))
    if data[:1] in (b"{", b"[") and random.random() < 0.75:
        try:
            return _structured(random, data, times)
        except (ValueError, RecursionError):
            pass
    for _ in range(times):
        if random.random() < 0.1:
            data = _spliced(random, data, random.choice(others))
        else:
            data = random.choice(BYTEWISE)(random, data)
    return data


# Byte by byte.


def _flip(random: Random, data: bytes) -> bytes:
    if not data:
        return b"\x00"
    at = random.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << random.randrange(8))]) + data[at + 1 :]


def _overwrite(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    count = random.choice((1, 1, 2, 4, 8))
    return data[:at] + random.randbytes(count) + data[at + count :]


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _remove(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + data[at + random.choice((1, 1, 2, 8, 40)) :]


def _insert(random: Random, data: bytes) -> bytes:
    at = random.randrange(len(data) + 1)
    return data[:at] + random.randbytes(random.choice((1, 1, 2, 8, 40))) + data[at:]


def _repeat(random: Random, data: bytes) -> bytes:
    start = random.randrange(len(data) + 1)
    piece = data[start : start + random.choice((1, 8, 16, 64, 300))]
    return data[:start] + piece * random.choice((1, 2, 5)) + data[start:]


def _word(random: Random, data: bytes) -> bytes:
    """Put a lie where a length, count, template or version may stand: two bytes."""
    at = random.choice((0, 2, 4, 6, random.randrange(len(data) + 1)))
    return data[:at] + random.choice(WORDS).to_bytes(2, "little") + data[at + 2 :]


def _number(random: Random, data: bytes) -> bytes:
    """Put an extreme where a number may stand: eight bytes."""
    at = 8 + 8 * random.randrange(max(1, len(data) // 8)) + random.choice((0, 0, 1, 4, 5))
    return data[:at] + random.choice(EXTREMES).to_bytes(8, "little", signed=True) + data[at + 8 :]


def _noise(random: Random, data: bytes) -> bytes:
    return random.randbytes(random.choice((0, 1, 7, 8, 9, 40, len(data))))


def _spliced(random: Random, data: bytes, other: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


BYTEWISE: Final[tuple[Mutation, ...]] = (
    *(_flip, _flip, _overwrite, _cut, _remove, _insert, _repeat, _word, _word, _number, _number),
    _noise,
)


# Where it means something.


def _structured(random: Random, data: bytes, times: int) -> bytes:
    body = json.loads(data)
    holder = [body]
    raw = ""
    for _ in range(times):
        container, key = _pick(random, holder)
        act = random.random()
        if act < 0.55:
            container[key] = _nasty(random)
        elif act < 0.65:
            container[key] = "\x01raw\x01"
            raw = random.choice(RAW)
        elif act < 0.75 and isinstance(container, dict):
            del container[key]
        elif act < 0.82 and isinstance(container, dict):
            container[random.choice(("", "x", key.upper(), "data", "results"))] = container[key]
        elif act < 0.92 and isinstance(container[key], list):
            _disorder(random, container[key])
        else:
            _swap(random, container)
        if not isinstance(holder[0], dict | list):
            break
    text = json.dumps(holder[0])
    if raw:
        text = text.replace('"\\u0001raw\\u0001"', raw)
    if random.random() < 0.05:
        text = _doubled(random, text)
    return text.encode("utf-8", "surrogatepass")


def _nasty(random: Random) -> Any:
    """Return one of ``NASTY``, never the same list twice: later mutations change it."""
    return deepcopy(random.choice(NASTY))


def _pick(random: Random, holder: list[Any]) -> tuple[Any, Any]:
    """Walk down to some value; return what holds it, and under which key."""
    container: Any = holder
    key: Any = 0
    while random.random() < 0.8:
        value = container[key]
        if isinstance(value, dict) and value:
            container, key = value, random.choice(list(value))
        elif isinstance(value, list) and value:
            container, key = value, random.randrange(len(value))
        else:
            break
    return container, key


def _disorder(random: Random, items: list[Any]) -> None:
    match random.randrange(5):
        case 0:
            random.shuffle(items)
        case 1:
            items.reverse()
        case 2:
            items *= random.choice((2, 3, 50))
        case 3:
            items.append(_nasty(random))
        case _:
            items.clear()


def _swap(random: Random, container: Any) -> None:
    """Exchange two values: crossed books come of it, and texts where numbers belong."""
    keys = list(container) if isinstance(container, dict) else list(range(len(container)))
    if len(keys) > 1:
        one, other = random.sample(keys, 2)
        container[one], container[other] = container[other], container[one]


def _doubled(random: Random, text: str) -> str:
    """Name a key twice in one object."""
    at = text.find('": ', random.randrange(len(text)))
    start = text.rfind('"', 0, at) if at > 0 else -1
    if start < 0:
        return text
    return f"{text[:start]}{text[start : at + 3]}{json.dumps(_nasty(random))}, {text[start:]}"


def _deep(random: Random, data: bytes) -> bytes:
    depth = random.choice(DEEP)
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    nest = opening * depth + b"1" + (closing * depth if random.random() < 0.5 else b"")
    return _put(random, data, nest)


def _huge(random: Random, data: bytes) -> bytes:
    count = random.choice(HUGE)
    filler = random.choice((b'"' + b"9" * count + b'"', b"9" * count, b" " * count, b"[" * count))
    return _put(random, data, filler)


def _put(random: Random, data: bytes, piece: bytes) -> bytes:
    """Replace a value of a JSON text, or append to anything else."""
    places = [at for at in range(len(data)) if data[at : at + 2] == b": "]
    if not places or random.random() < 0.2:
        return random.choice((piece, data + piece, piece + data))
    at = random.choice(places) + 2
    end = min((p for p in (data.find(b",", at), data.find(b"}", at)) if p > 0), default=len(data))
    return data[:at] + piece + data[end:]
