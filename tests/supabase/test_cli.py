"""``db check`` and ``db release``, as a person types them."""

from __future__ import annotations

import json

import pytest
import trio
from localsupabase.gateway import SECRET_KEY

from bot4.cli.history import check, release
from bot4.config.env import load_secrets
from bot4.config.load import load_config
from bot4.config.options import DbOptions
from bot4.errors import ExitCode
from bot4.signals import Signals
from bot4.storage.mirror.ids import account_key
from bot4.wiring.accounts import identity_of
from bot4.wiring.supabase import keys_of

PAIRS = "pairs:\n  - {name: BTC, vest: BTC-PERP, paradex: BTC-USD-PERP}\n"
KEYS = {
    "VEST_PRIMARY_KEY": "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d",
    "VEST_SIGNING_KEY": "0x4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1e",
    "PARADEX_ACCOUNT": "0x7abc",
    "PARADEX_PRIVATE_KEY": "0x2f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1",
}


@pytest.fixture
def config(tmp_path, gateway, monkeypatch):
    path = tmp_path / "bot4.yaml"
    path.write_text(f"mode: testnet\n{PAIRS}")
    values = {**KEYS, "SUPABASE_URL": gateway.url, "SUPABASE_SECRET_KEY": SECRET_KEY}
    for name, text in {**values, "SSL_CERT_FILE": str(gateway.ca_file)}.items():
        monkeypatch.setenv(name, text)
    return path


@pytest.fixture
def said(capsys):
    async def run(command, config):
        code = await command(DbOptions(config), Signals(clock=trio.current_time))
        out, err = capsys.readouterr()
        assert SECRET_KEY not in out + err
        return code, out, err

    return run


async def test_a_whole_project_is_called_whole(config, said):
    assert await said(check, config) == (
        ExitCode.CLEAN,
        "Supabase has everything that this bot4 needs\n",
        "",
    )


async def test_what_is_missing_is_printed_as_sql_that_a_database_takes(config, said, empty):
    empty.sql("drop trigger bot4_guard on public.legs")
    code, out, _ = await said(check, config)

    assert code == ExitCode.CONFIG
    assert out.startswith("-- table legs has lost its guard\n-- run what follows")
    empty.sql(out)
    assert (await said(check, config))[0] == ExitCode.CLEAN


async def test_a_wrong_key_and_a_silent_project_are_told_apart(config, said, gateway, monkeypatch):
    gateway.down = True
    code, out, err = await said(check, config)
    assert (code, out) == (ExitCode.REFUSED, "")
    assert "does not answer" in json.loads(err)["why"]

    gateway.down = False
    monkeypatch.setenv("SUPABASE_SECRET_KEY", "sb_secret_of_somebody_else")
    code, out, err = await said(check, config)
    assert (code, out) == (ExitCode.CONFIG, "")
    assert "SUPABASE_SECRET_KEY" in json.loads(err)["do"]


async def test_an_account_is_given_back_by_hand_once(config, said, machine):
    loaded = load_config(config)
    account = account_key("testnet", identity_of(load_secrets(loaded, config.parent)))
    assert keys_of(loaded, config.parent).url.startswith("https://127.0.0.1")
    async with machine("gone") as gone, machine("new") as new:
        for one in (gone, new):
            one.store.account = account
        await gone.lease.take()
        assert not (await new.lease.take()).granted

        code, out, _ = await said(release, config)

        assert code == ExitCode.CLEAN
        assert out.startswith(f"{gone.lease.holder} no longer holds this account")
        assert (await new.lease.take()).granted
        await new.lease.release()
    assert (await said(release, config))[1] == "nobody holds this account\n"
