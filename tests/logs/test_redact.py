from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from timeouts import COMMAND_S

from bot4.errors import VenueError
from bot4.logs.redact import TOKENS_KEPT, Redactor, register_secret, register_token
from bot4.secret import MASK

OpenLog = Callable[..., Any]

KEY = "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"
DIGITS = KEY[2:]
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIweDEyMyJ9.c2lnbmF0dXJlLW9mLWEtdG9rZW4"
PASSWORD = 'p"ss\\wörd & more'

log = structlog.get_logger()

FORMS = {
    "as written": KEY,
    "without 0x": DIGITS,
    "upper": DIGITS.upper(),
    "upper with 0X": KEY.upper(),
    "mixed case": DIGITS[:32].upper() + DIGITS[32:],
    "decimal": str(int(KEY, 16)),
    "base64 of the bytes": base64.b64encode(bytes.fromhex(DIGITS)).decode(),
    "base64 for a URL": base64.urlsafe_b64encode(bytes.fromhex(DIGITS)).decode(),
    "base64 of the text": base64.b64encode(KEY.encode()).decode(),
    "base64 inside more": base64.b64encode(b"user:" + KEY.encode() + b"!").decode(),
    "base64 of the bytes inside more": base64.b64encode(b"a" + bytes.fromhex(DIGITS)).decode(),
    "in a URL": quote(f"key={KEY}&", safe=""),
    "cut at the end": KEY[:14] + "...",
    "cut at the start": "..." + KEY[-12:],
    "a piece": DIGITS[20:32],
    "hexdump": repr(f"\t{DIGITS}\n"),
}


def pieces(text: str, width: int) -> set[str]:
    return {text[i : i + width] for i in range(len(text) - width + 1)}


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add(KEY)
    redactor.add(TOKEN, passing=True)
    redactor.add(PASSWORD)
    return redactor


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_a_key_is_masked(redactor: Redactor, form: str):
    scrubbed = redactor.scrub(f'{{"why": "got {form} back"}}')

    assert MASK in scrubbed
    assert json.loads(scrubbed)["why"].startswith("got ")
    assert json.loads(scrubbed)["why"].endswith(" back")
    assert not pieces(form, 16) & pieces(scrubbed, 16)
    assert not pieces(DIGITS, 12) & pieces(scrubbed.lower(), 12)


@pytest.mark.parametrize("text", [TOKEN, TOKEN[:30], TOKEN[-16:], f"?listenKey={TOKEN}&x=1"])
def test_a_token_and_its_long_pieces_are_masked(redactor: Redactor, text: str):
    assert not pieces(TOKEN, 16) & pieces(redactor.scrub(f"x {text} y"), 16)


@pytest.mark.parametrize(
    "text",
    [
        PASSWORD,
        json.dumps({"p": PASSWORD}),
        json.dumps({"p": json.dumps({"p": PASSWORD})}),
        quote(PASSWORD, safe=""),
        repr({"p": PASSWORD}),
    ],
)
def test_a_text_with_odd_characters_is_masked_however_it_is_escaped(redactor: Redactor, text: str):
    scrubbed = redactor.scrub(text)

    assert MASK in scrubbed
    assert "more" not in scrubbed


@pytest.mark.parametrize(
    "text",
    [
        '{"ts": "2026-11-25T00:00:00.123Z", "event": "leg.sent", "id": "b4-ab12cd-1-L1"}',
        "0x919386306C47b2Fe1036e3B4F7C40D22D2461a23",
        "1795564800123",
        DIGITS[:11],
        "",
    ],
)
def test_what_is_no_secret_stays(redactor: Redactor, text: str):
    assert redactor.scrub(text) == text


def test_short_and_empty_texts_are_never_secrets():
    redactor = Redactor()
    for text in ("", "a", "vest", "BTC-P"):
        redactor.add(text)

    assert redactor.scrub("vest BTC-PERP") == "vest BTC-PERP"


@pytest.mark.slow
def test_the_same_line_is_masked_the_same_in_every_run():
    # Each of the same length, and each inside what another leaves over: the order decides.
    program = (
        "from bot4.logs.redact import Redactor\n"
        "redactor = Redactor()\n"
        "for text in ('a b c d', 'c d e f', 'e f g h', 'g h i j'): redactor.add(text)\n"
        "print(redactor.scrub('a b c d e f g h i j'))\n"
    )

    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=True,
        ).stdout
        for seed in range(6)
    }

    assert said == {f"{MASK} {MASK} i j\n"}


def test_only_the_newest_tokens_are_remembered_and_keys_for_ever():
    redactor = Redactor()
    redactor.add(KEY)
    tokens = [f"{n:04}" * 5 for n in range(TOKENS_KEPT + 1)]
    for token in [*tokens, tokens[-1]]:
        redactor.add(token, passing=True)

    assert redactor.scrub(tokens[0]) == tokens[0]
    assert redactor.scrub(tokens[1]) == MASK
    assert redactor.scrub(DIGITS) == MASK
    assert KEY not in repr(redactor)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=30), st.text(max_size=30))
def test_no_key_survives_in_any_surroundings(key: bytes, before: str, after: str):
    redactor = Redactor()
    redactor.add("0x" + key.hex())
    line = json.dumps({"why": f"{before}{key.hex()}{after}"})

    scrubbed = redactor.scrub(line)

    assert key.hex() not in scrubbed
    json.loads(scrubbed)


def nested_errors() -> BaseException:
    request = httpx.Request("GET", f"https://x.test/v1?listenKey={TOKEN}", headers={"k": KEY})
    try:
        try:
            httpx.Response(404, request=request).raise_for_status()
        except httpx.HTTPStatusError as error:
            raise VenueError("vest", f"refused with {KEY[2:]}") from error
    except VenueError as error:
        return BaseExceptionGroup("all", [error, ExceptionGroup("in", [ValueError(int(KEY, 16))])])


@pytest.mark.parametrize("mode", ["json", "pretty"])
def test_no_canary_is_in_any_output(open_log: OpenLog, mode: str):
    lines = open_log(mode=mode, secrets=[KEY])
    register_token(TOKEN)
    register_secret(PASSWORD)

    structlog.contextvars.bind_contextvars(url=f"wss://x/?listenKey={TOKEN}")
    log.error("bot.crashed", exc_info=nested_errors())
    log.info("feed.ready", message=KEY, **{KEY: {"deep": [{TOKEN: PASSWORD}]}})
    log.info("feed.ready", number=int(KEY, 16), headers={"authorization": f"Bearer {TOKEN}"})
    log.warning("feed.lost", why=repr({"p": PASSWORD}), do=("x" * 20_000) + KEY)
    log.info("feed.ready", many=[FORMS])
    structlog.contextvars.clear_contextvars()

    said = lines.everything()
    assert said.count(MASK) > 20
    assert not pieces(DIGITS, 12) & pieces(said.lower(), 12)
    assert not pieces(TOKEN, 16) & pieces(said, 16)
    assert str(int(KEY, 16))[:12] not in said
    assert "& more" not in said
    assert len(lines.filed()) >= 6


values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text() | st.just(KEY) | st.just(int(KEY, 16)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(value=values, before=st.text(max_size=10), after=st.text(max_size=10))
def test_any_nesting_is_valid_json_without_the_key(value: Any, before: str, after: str):
    from bot4.logs.plain import plain
    from bot4.logs.render import json_line, pretty_line

    register_secret(KEY)
    event = {"ts": "2026-11-25T00:00:00.123Z", "level": "info", "event": "feed.ready"}
    event |= {"message": plain(f"{before}{KEY}{after}"), "value": plain(value)}

    line, text = json_line(event), pretty_line(event, colours=False)

    assert json.loads(line)["event"] == "feed.ready"
    assert line.endswith(b"\n")
    assert line.count(b"\n") == text.count(b"\n") == 1
    assert len(line) <= 16 * 1024
    for said in (line, text):
        assert DIGITS[10:40].encode() not in said
        assert str(int(KEY, 16)).encode() not in said
