from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot4.config import rules
from bot4.config.load import SECTIONS, VENUES, load_config
from bot4.config.schema import StrategyConfig
from bot4.errors import ConfigError

Write = Callable[..., Path]


def faults_of(path: Path, *, live_flag: bool = False) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, live_flag=live_flag)
    return caught.value.faults


BROKEN = [
    (b"", "is empty"),
    (b"# only a comment\n", "must be a list of settings"),
    (b"- a\n- b\n", "must be a list of settings"),
    (b"mode\n", "must be a list of settings"),
    (b"mode: simulation\n\tpairs: x\n", "bot4.yaml:2: has a tab"),
    (b"mode: 'simulation\n", "cannot be read"),
    (b"mode: simulation\n bad: : x\n", "cannot be read"),
    (b"mode: \x00\n", "characters that no text file has"),
    (b"a: 1\nmode: \xff\n", "bot4.yaml:2: is not UTF-8"),
    (b"mode: &a simulation\n", "bot4.yaml:1: uses an anchor"),
    (b"mode: simulation\nstrategy: &a {}\nrisk: *a\n", "uses an anchor"),
    (b"risk: *a\n", "uses an alias"),
    (b"mode: !!python/object/apply:os.system [id]\n", "uses a tag"),
    (b"mode: !secret x\n", "uses a tag"),
    (b"mode: simulation\n---\nmode: live\n", "has a second document"),
    (b"[a]: 1\n", "has a key that is not a plain word"),
    (b"? {a: b}\n: 1\n", "has a key that is not a plain word"),
    (b"a: " + b"[" * 10_000, "is nested too deeply"),
    (b"#" * (1024 * 1024 + 1), "is larger than 1 MiB"),
]


@pytest.mark.parametrize(("raw", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_a_text_that_is_no_config_is_one_clear_line(tmp_path: Path, raw: bytes, said: str):
    path = tmp_path / "bot4.yaml"
    path.write_bytes(raw)

    (fault,) = faults_of(path)

    assert said in fault
    assert "\n" not in fault


def test_a_byte_order_mark_and_windows_line_ends_are_fine(write: Write):
    path = write("strategy: {spread_entry: 0.3}")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert load_config(path).strategy.spread_entry == Decimal("0.3")


def test_a_file_that_cannot_be_read_is_one_clear_line(tmp_path: Path):
    fifo, loop = tmp_path / "fifo", tmp_path / "loop"
    os.mkfifo(fifo)
    loop.symlink_to(loop)

    assert "does not exist in" in faults_of(tmp_path / "bot4.yaml")[0]
    assert "is a folder" in faults_of(tmp_path)[0]
    assert "is not an ordinary file" in faults_of(fifo)[0]
    assert "cannot be read" in faults_of(loop)[0]
    assert "cannot be read" in faults_of(tmp_path / "a\0b")[0]


KEY = "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"


@pytest.mark.parametrize(
    "text",
    [
        f"private_key: {KEY}",
        f"strategy: {{spread_entry: {KEY}}}",
        f"{KEY}: 1",
        f"strategy: {{{KEY}: 1, '{KEY}': 2}}",
        f"venues: {{vest: {{verifying_contract: {KEY}}}}}",
        f"mode2: {KEY}\n{KEY}",
    ],
)
def test_a_key_pasted_anywhere_is_not_repeated(write: Write, text: str):
    said = "\n".join(faults_of(write(text)))

    assert KEY[2:14] not in said
    assert KEY[-12:] not in said


@given(
    st.recursive(
        st.text(max_size=20) | st.sampled_from([*SECTIONS, *VENUES, "venues", "pairs", "mode"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*SECTIONS, *VENUES, "venues", "pairs", "mode", "name", "x"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=15,
    )
)
def test_any_tree_is_either_usable_or_refused_in_lines(tmp_path_factory, tree: object):
    import yaml

    path = tmp_path_factory.mktemp("any") / "bot4.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8", "surrogatepass")

    for fault in faults_of(path):
        assert fault.startswith("bot4.yaml")
        assert fault.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_lines(tmp_path_factory, raw: bytes):
    path = tmp_path_factory.mktemp("any") / "bot4.yaml"
    path.write_bytes(raw)

    for fault in faults_of(path):
        assert fault.startswith("bot4.yaml")
        assert fault.isprintable()


@given(st.text(alphabet="0123456789.+-eE_,%nNaAiIfFxXoO ", max_size=12))
def test_a_number_is_only_what_reads_the_same_everywhere(text: str):
    rule = rules.STRATEGY["spread_exit"]
    try:
        value = rule.read(text)
    except ValueError:
        return
    assert value == Decimal(text)
    assert float(text) == float(value)
    assert f"{StrategyConfig(spread_exit=value).spread_exit:f}" == text.removeprefix("+")
