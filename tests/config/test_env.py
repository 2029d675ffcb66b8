from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot4.config.env import NAMES, load_mirror_secrets, load_secrets
from bot4.config.schema import Config, MirrorConfig, Mode
from bot4.errors import ConfigError
from bot4.logs.redact import REDACTOR, scrub_text

VEST_KEY = "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"
PARADEX_KEY = "0x2f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1"
ADDRESS = "0x7abc"
SIGNING_KEY = "0x5f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"
GOOD = dict(zip(NAMES, (VEST_KEY, SIGNING_KEY, ADDRESS, PARADEX_KEY), strict=True))
CONFIG = Config(Mode.TESTNET, Path("state/testnet"), ())


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    yield
    REDACTOR.clear()


def write_env(folder: Path, values: Mapping[str, str], mode: int = 0o600) -> Path:
    path = folder / ".env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    path.chmod(mode)
    return path


def faults_of(folder: Path, environment: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load_secrets(CONFIG, folder, environment=environment or {})
    return caught.value.faults


def test_keys_come_from_the_file_and_stay_out_of_the_environment(tmp_path: Path):
    write_env(tmp_path, GOOD)

    secrets = load_secrets(CONFIG, tmp_path, environment={})

    assert {name: getattr(secrets, name.lower()).reveal() for name in NAMES} == GOOD
    assert not set(NAMES) & set(os.environ)
    assert VEST_KEY[2:] not in repr(secrets)


def test_a_variable_of_the_environment_wins_and_an_empty_one_does_not(tmp_path: Path):
    write_env(tmp_path, GOOD)
    environment = {"PARADEX_ACCOUNT": "0X0DEF", "VEST_PRIMARY_KEY": ""}

    secrets = load_secrets(CONFIG, tmp_path, environment=environment)

    assert secrets.paradex_account.reveal() == "0x0def"
    assert secrets.vest_primary_key.reveal() == VEST_KEY


def test_the_environment_alone_is_enough(tmp_path: Path):
    assert load_secrets(CONFIG, tmp_path, environment=GOOD).paradex_private_key


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    assert load_secrets(CONFIG, tmp_path).vest_signing_key.reveal() == SIGNING_KEY


def test_simulation_reads_nothing(tmp_path: Path):
    write_env(tmp_path, GOOD, mode=0o644)

    with pytest.raises(ValueError, match="simulation reads no keys"):
        load_secrets(attrs.evolve(CONFIG, mode=Mode.SIMULATION), tmp_path)


def test_all_missing_names_are_listed(tmp_path: Path):
    faults = faults_of(tmp_path, {"PARADEX_ACCOUNT": ADDRESS})

    assert [fault.split(":")[0] for fault in faults] == [
        "VEST_PRIMARY_KEY",
        "VEST_SIGNING_KEY",
        "PARADEX_PRIVATE_KEY",
    ]
    assert all(".env.example" in fault for fault in faults)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700, 0o601])
def test_a_file_that_others_can_read_is_refused_with_the_line_that_mends_it(
    tmp_path: Path, mode: int
):
    path = write_env(tmp_path, GOOD, mode=mode)

    (fault,) = faults_of(tmp_path)

    assert fault == f"{path}: others can read it: run chmod 600 '{path}'"


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_only_we_can_read_is_accepted(tmp_path: Path, mode: int):
    write_env(tmp_path, GOOD, mode=mode)

    assert load_secrets(CONFIG, tmp_path, environment={})


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_env(tmp_path, GOOD)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert "belongs to another user" in faults_of(tmp_path)[0]


def test_only_an_ordinary_file_is_read(tmp_path: Path):
    (tmp_path / "kept").mkdir()
    write_env(tmp_path / "kept", GOOD)
    for name in ("link", "folder", "fifo"):
        (tmp_path / name).mkdir()
    (tmp_path / "link" / ".env").symlink_to(tmp_path / "kept" / ".env")
    (tmp_path / "folder" / ".env").mkdir()
    os.mkfifo(tmp_path / "fifo" / ".env", 0o600)

    assert "is a link" in faults_of(tmp_path / "link")[0]
    assert "is not an ordinary file" in faults_of(tmp_path / "fifo")[0]
    assert "is not an ordinary file" in faults_of(tmp_path / "folder")[0]


def test_a_huge_or_unreadable_text_is_refused(tmp_path: Path):
    path = write_env(tmp_path, {"A": "x" * 70_000})
    assert "larger than 64 KiB" in faults_of(tmp_path)[0]

    path.write_bytes(b"A=\xff")
    assert "not UTF-8" in faults_of(tmp_path)[0]


LINES = {
    "an unclosed quote": ('VEST_SIGNING_KEY="{key}', "has a quote that is not closed"),
    "another unclosed quote": ("VEST_SIGNING_KEY='{key}", "has a quote that is not closed"),
    "a colon": ("VEST_SIGNING_KEY: {key}", "write VEST_SIGNING_KEY=..."),
    "a space": ("VEST_SIGNING_KEY {key}", "write VEST_SIGNING_KEY=..."),
    "nothing": ("VEST_SIGNING_KEY", "write VEST_SIGNING_KEY=..."),
    "small letters": ("vest_signing_key={key}", "write VEST_SIGNING_KEY=..."),
    "a no-break space before it": ("\u00a0VEST_SIGNING_KEY={key}", "no-break space"),
    "a no-break space in it": ("VEST_SIGNING_KEY\u202f= {key}", "no-break space"),
    "one behind it": ("VEST_SIGNING_KEY={key}\u00a0", "no-break space"),
    "what nobody sees": ("VEST_SIGNING_KEY=\u200b{key}", "cannot be seen"),
}


@pytest.mark.parametrize(("line", "says"), LINES.values(), ids=LINES)
def test_a_line_that_means_something_else_is_told_with_its_number(
    tmp_path: Path, line: str, says: str
):
    path = write_env(tmp_path, {name: GOOD[name] for name in NAMES if "SIGNING" not in name})
    path.write_text("# my keys\n\n" + line.format(key=SIGNING_KEY) + "\n" + path.read_text())

    (fault,) = faults_of(tmp_path)

    assert fault.startswith(f"{path}:3: VEST_SIGNING_KEY ")
    assert says in fault
    assert SIGNING_KEY[2:10] not in fault


def test_a_name_that_is_there_twice_is_told_with_both_lines(tmp_path: Path):
    path = write_env(tmp_path, GOOD)
    path.write_text(path.read_text() + f"export VEST_PRIMARY_KEY = {SIGNING_KEY}\n")

    (fault,) = faults_of(tmp_path)

    assert fault.startswith(f"{path}:5: VEST_PRIMARY_KEY is set a second time, first in line 1")


def test_what_is_well_written_is_read_as_before(tmp_path: Path):
    path = write_env(tmp_path, {})
    path.write_text(
        f"\ufeff# VEST_PRIMARY_KEY: not yet\r\nexport VEST_PRIMARY_KEY='{VEST_KEY}'\r\n"
        f'VEST_SIGNING_KEY = "{SIGNING_KEY}" # mine\r\n'
        f"PARADEX_ACCOUNT={ADDRESS}\r\nPARADEX_PRIVATE_KEY={PARADEX_KEY}\r\nOTHER: 'open\r\n"
    )

    secrets = load_secrets(CONFIG, tmp_path, environment={})

    assert {name: getattr(secrets, name.lower()).reveal() for name in NAMES} == GOOD


@pytest.mark.parametrize("same", [VEST_KEY, VEST_KEY[2:].upper()])
def test_one_key_for_both_roles_at_vest_is_refused(tmp_path: Path, same: str):
    write_env(tmp_path, GOOD | {"VEST_SIGNING_KEY": same})

    (fault,) = faults_of(tmp_path)

    assert fault.startswith("VEST_SIGNING_KEY: is the same as VEST_PRIMARY_KEY")


def test_an_ethereum_address_is_no_paradex_account(tmp_path: Path):
    write_env(tmp_path, GOOD | {"PARADEX_ACCOUNT": "0x919386306C47b2Fe1036e3B4F7C40D22D2461a23"})

    (fault,) = faults_of(tmp_path)

    assert fault.startswith("PARADEX_ACCOUNT: has 40 hexadecimal digits, as an Ethereum address")
    assert "keys derive" in fault


MISSHAPEN = [
    ("VEST_PRIMARY_KEY", VEST_KEY[:-1], "has 63 hexadecimal digits: must be 0x and 64"),
    ("VEST_SIGNING_KEY", VEST_KEY + "0", "has 65 hexadecimal digits"),
    ("VEST_SIGNING_KEY", VEST_KEY[:-1] + "g", "not a hexadecimal digit"),
    ("VEST_SIGNING_KEY", "0x" + "0" * 64, "is not a possible value"),
    ("VEST_SIGNING_KEY", "0x" + "f" * 64, "is not a possible value"),
    ("PARADEX_PRIVATE_KEY", "0x0" + "f" * 63, "is not a possible value"),
    ("PARADEX_ACCOUNT", "0x8" + "0" * 63, "is not a possible value"),
    ("PARADEX_ACCOUNT", "0x", "has 0 hexadecimal digits: must be 0x and 1 to 64"),
]


@pytest.mark.parametrize(("name", "value", "said"), MISSHAPEN)
def test_a_misshapen_key_is_refused_without_its_digits(
    tmp_path: Path, name: str, value: str, said: str
):
    (fault,) = faults_of(tmp_path, GOOD | {name: value})

    assert fault.startswith(f"{name}: ")
    assert said in fault
    assert len(value) < 8 or value[-8:] not in fault


@settings(max_examples=40)
@given(st.text(min_size=8, max_size=90).filter(str.strip))
def test_no_text_in_place_of_a_key_is_repeated(tmp_path_factory, value: str):
    assume(value not in "VEST_SIGNING_KEY")  # the name of the variable is said, of course
    for fault in faults_of(tmp_path_factory.mktemp("env"), GOOD | {"VEST_SIGNING_KEY": value}):
        assert value not in fault


def test_every_key_read_is_masked_in_the_log_even_when_it_is_refused(tmp_path: Path):
    faults_of(tmp_path, GOOD | {"PARADEX_PRIVATE_KEY": PARADEX_KEY + "ffff"})

    assert PARADEX_KEY[2:] not in scrub_text(f"key {PARADEX_KEY}ffff")
    assert VEST_KEY[2:] not in scrub_text(f"key {VEST_KEY.upper()}")


# ------------------------------------------------------------------------------- the mirror

URL = "https://abcdefgh.supabase.co"
SECRET = "sb_secret_0123456789abcdef"
BOTH = {"SUPABASE_URL": f"{URL}/", "SUPABASE_SECRET_KEY": SECRET}


def mirrored(enabled: str, mode: Mode = Mode.TESTNET) -> Config:
    return attrs.evolve(CONFIG, mode=mode, mirror=MirrorConfig(enabled=enabled))


def test_the_mirrors_key_comes_with_the_others_and_cannot_be_seen(tmp_path: Path):
    write_env(tmp_path, {**GOOD, **BOTH})

    mirror = load_secrets(CONFIG, tmp_path, environment={}).mirror

    assert mirror is not None
    assert mirror.url == URL
    assert mirror.key.reveal() == SECRET
    assert SECRET not in repr(mirror)
    assert SECRET not in scrub_text(f"key {SECRET}")


def test_without_the_mirrors_key_there_is_no_mirror(tmp_path: Path):
    write_env(tmp_path, GOOD)

    assert load_secrets(CONFIG, tmp_path, environment={}).mirror is None


@pytest.mark.parametrize(
    ("enabled", "mode", "found"),
    [
        ("auto", Mode.TESTNET, True),
        ("on", Mode.TESTNET, True),
        ("off", Mode.TESTNET, False),
        ("auto", Mode.SIMULATION, False),
        ("on", Mode.SIMULATION, True),
        ("off", Mode.SIMULATION, False),
    ],
)
def test_the_setting_and_the_mode_decide_whether_there_is_a_mirror(
    tmp_path: Path, enabled: str, mode: Mode, found: bool
):
    mirror = load_mirror_secrets(mirrored(enabled, mode), tmp_path, environment=BOTH)

    assert (mirror is not None) is found


def test_a_simulation_reads_no_file(tmp_path: Path):
    write_env(tmp_path, BOTH, mode=0o644)

    with pytest.raises(ConfigError, match="in the environment"):
        load_mirror_secrets(mirrored("on", Mode.SIMULATION), tmp_path, environment={})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SUPABASE_SECRET_KEY": SECRET}, "SUPABASE_URL: is missing"),
        ({"SUPABASE_URL": URL}, "SUPABASE_SECRET_KEY: is missing"),
        ({**BOTH, "SUPABASE_URL": "http://a.supabase.co"}, "SUPABASE_URL: must be an encrypted"),
        ({**BOTH, "SUPABASE_URL": "abcdefgh"}, "SUPABASE_URL: must be an encrypted"),
        ({**BOTH, "SUPABASE_SECRET_KEY": "sb_publishable_x"}, "is the publishable key"),
        ({**BOTH, "SUPABASE_SECRET_KEY": "sb_secret_a b"}, "a character that no key has"),
    ],
)
def test_a_mirror_that_cannot_work_is_refused_with_all_other_faults(
    tmp_path: Path, given: dict[str, str], said: str
):
    values = {name: value for name, value in GOOD.items() if name != "PARADEX_ACCOUNT"}
    write_env(tmp_path, {**values, **given})

    account, mirror = faults_of(tmp_path)

    assert account.startswith("PARADEX_ACCOUNT: is missing")
    assert said in mirror
    assert SECRET not in mirror
