"""Takes secrets out of finished lines, whatever form they took on the way there.

A line is searched for each known secret as written, escaped, quoted for a URL, in decimal and in
base64, and for any piece of it: twelve digits of a key in any case, sixteen characters of a token.
Searching is by fixed-length windows of the line's long words, so that many secrets cost little.
"""

from __future__ import annotations

import base64
import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Final
from urllib.parse import quote

from bot4.secret import MASK, mask_with

DIGITS: Final = 12
"""So many digits of a key, hexadecimal or decimal, are not left standing."""
CHARACTERS: Final = 16
"""So many characters of a token or an encoded key are not left standing."""
LEAST: Final = 6
"""Shorter texts are ordinary words: masking them would destroy every line."""
ESCAPES: Final = 3
TOKENS_KEPT: Final = 64

DIGIT_RUN: Final = re.compile(rf"[0-9a-fA-F]{{{DIGITS},}}")
WORD_RUN: Final = re.compile(rf"[0-9A-Za-z_\-+/=%.~]{{{CHARACTERS},}}")
KEY: Final = re.compile(r"(?:0[xX])?([0-9a-fA-F]{16,})")


class _Forms:
    """Every form of one secret: whole texts, digit windows, word windows."""

    __slots__ = ("digits", "wholes", "words")

    def __init__(self, secret: str) -> None:
        texts = {secret, quote(secret, safe="", errors="surrogatepass")}
        # A repr in a text in a JSON in a JSON: escapes pile up.
        for _ in range(ESCAPES):
            texts |= {escape(text)[1:-1] for text in texts for escape in (json.dumps, repr, _json)}
        self.digits: set[str] = set()
        blobs = [secret.encode("utf-8", "surrogatepass")]
        if key := KEY.fullmatch(secret):
            digits = key[1].lower()
            decimal = str(int(digits, 16))
            texts |= {digits, digits.upper(), decimal}
            self.digits = {*_windows(digits, DIGITS), *_windows(decimal, DIGITS)}
            blobs += [digits.encode(), digits.upper().encode(), decimal.encode()]
            blobs += [bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))]
        encoded = {form for blob in blobs for form in _base64_cores(blob)}
        self.words = {window for text in texts | encoded for window in _windows(text, CHARACTERS)}
        # Searched for one by one, so only what no window finds: short texts, and odd characters.
        # Of an encoding, only what cannot be chance.
        wholes = {text for text in texts if len(text) >= LEAST}
        wholes |= {text for text in encoded if len(text) >= DIGITS}
        self.wholes = {text for text in wholes if not WORD_RUN.fullmatch(text)}


class Redactor:
    """Knows the secrets of this process and masks them in text."""

    def __init__(self) -> None:
        self._lasting: dict[str, _Forms] = {}
        self._passing: deque[tuple[str, _Forms]] = deque(maxlen=TOKENS_KEPT)
        self._wholes: tuple[str, ...] = ()
        self._digits: frozenset[str] = frozenset()
        self._words: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._lasting) + len(self._passing)} secrets>"

    def add(self, secret: str, *, passing: bool = False) -> None:
        """Mask this text from now on. Texts of less than six characters are ignored.

        Args:
            secret: as it is used.
            passing: it expires soon; only the newest few of these are remembered.
        """
        if len(secret) < LEAST or secret in self._lasting:
            return
        if passing:
            if any(secret == known for known, _ in self._passing):
                return
            self._passing.append((secret, _Forms(secret)))
        else:
            self._lasting[secret] = _Forms(secret)
        forms = [*self._lasting.values(), *(form for _, form in self._passing)]
        # Longest first: a text inside another must not leave the other's ends standing. Of the same
        # length in the order of their letters: a set has none, and each run would find its own.
        wholes = set[str]().union(*(form.wholes for form in forms))
        self._wholes = tuple(sorted(wholes, key=lambda text: (-len(text), text)))
        self._digits = frozenset[str]().union(*(form.digits for form in forms))
        self._words = frozenset[str]().union(*(form.words for form in forms))

    def clear(self) -> None:
        """Forget every secret. For tests."""
        self.__init__()  # type: ignore[misc]

    def scrub(self, text: str) -> str:
        """Return the text with every known secret, and every long piece of one, masked."""
        for whole in self._wholes:
            if whole in text:
                text = text.replace(whole, MASK)
        if self._digits:
            text = _mask_runs(text, DIGIT_RUN, self._digits, DIGITS, str.lower)
        if self._words:
            text = _mask_runs(text, WORD_RUN, self._words, CHARACTERS, str)
        return text


def _mask_runs(
    text: str,
    runs: re.Pattern[str],
    windows: Collection[str],
    width: int,
    fold: Callable[[str], str],
) -> str:
    pieces: list[str] = []
    done = 0
    for run in runs.finditer(text):
        word, start = fold(run[0]), run.start()
        if len(word) != run.end() - start:
            continue  # folding changed the length: no digit run does that
        hits = [i for i in range(len(word) - width + 1) if word[i : i + width] in windows]
        for hit in hits:
            begin, end = start + hit, start + hit + width
            if begin > done or not pieces:
                pieces += [text[done:begin], MASK]
            done = max(done, end)
    return "".join([*pieces, text[done:]]) if pieces else text


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _windows(text: str, width: int) -> Iterator[str]:
    for start in range(len(text) - width + 1):
        yield text[start : start + width]


def _base64_cores(blob: bytes) -> Iterator[str]:
    """Yield what base64 makes of the blob wherever it stands inside a longer text."""
    for shift, spoiled in ((0, 0), (1, 2), (2, 3)):
        settled = (shift + len(blob)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + blob).decode()[spoiled:settled]


REDACTOR: Final = Redactor()
mask_with(REDACTOR.scrub)


def register_secret(text: str) -> None:
    """Mask this text in every line from now on: a key, a password."""
    REDACTOR.add(text.strip())


def register_token(text: str) -> None:
    """Mask a text that expires soon: a JWT, an API key of a session, a listen key."""
    REDACTOR.add(text.strip(), passing=True)


def scrub_text(text: str) -> str:
    """Return the text without known secrets."""
    return REDACTOR.scrub(text)
