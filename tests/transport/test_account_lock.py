"""One process for one account: by a socket's name, and by a file where there is no such name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import trio

from bot4.errors import StartRefused
from bot4.ports import AccountName
from bot4.transport import account_lock
from bot4.transport.account_lock import lock_account, lock_by_file

DIES_HOLDING = """
import os, signal, sys, trio
from bot4.ports import AccountName
from bot4.transport.account_lock import lock_account
trio.run(lock_account, AccountName(*sys.argv[1:]), "the bot of /x")
print("held", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(params=["name", "file"])
def take(request, monkeypatch, tmp_path):
    """Take an account the way of this machine, and the way of one without names of sockets."""
    if request.param == "name":
        return lock_account

    async def by_file(account, holder):
        await trio.lowlevel.checkpoint()
        return lock_by_file(account, holder, tmp_path)

    return by_file


@pytest.fixture
def account(tmp_path):
    """An account that no other test means."""
    return AccountName("vest", "testnet", f"0xAB{tmp_path}")


async def test_a_second_taker_is_refused_in_one_line_and_told_whose_it_is(take, account):
    lock = await take(account, "the bot of /x/state/live")
    async with trio.open_nursery() as answering:
        await answering.start(lock.answer)
        with pytest.raises(StartRefused) as refused:
            await take(account, "the bot of /y")
        answering.cancel_scope.cancel()

    assert "another bot trades this account: vest 0xAB" in refused.value.why
    assert "the bot of /x/state/live, process " in refused.value.why
    assert "\n" not in refused.value.why
    lock.close()


async def test_the_account_is_free_once_it_was_given_back_also_twice(take, account):
    lock = await take(account, "one")
    lock.close()
    lock.close()
    (await take(account, "two")).close()


async def test_the_letters_case_of_an_address_makes_no_other_account(take, account):
    lock = await take(account, "one")
    lower = AccountName(account.venue, account.network, account.identity.lower())
    with pytest.raises(StartRefused):
        await take(lower, "two")
    lock.close()


@pytest.mark.parametrize("other", [("paradex", "testnet"), ("vest", "live")])
async def test_another_venue_or_network_is_another_account(take, account, other):
    lock = await take(account, "one")
    (await take(AccountName(*other, account.identity), "two")).close()
    lock.close()


async def test_a_holder_that_hangs_is_named_by_its_process_all_the_same(account, autojump_clock):
    if not account_lock.NAMED:
        pytest.skip("without names of sockets the file says who holds it")
    lock = await lock_account(account, "the bot of /x")
    with pytest.raises(StartRefused, match=r"is held by process [0-9]+ of user "):
        await lock_account(account, "two")
    lock.close()


async def test_a_holder_s_words_cannot_forge_a_line_of_ours(take, account):
    lock = await take(account, "x\n\x1b[2K[START] all is well")
    async with trio.open_nursery() as answering:
        await answering.start(lock.answer)
        with pytest.raises(StartRefused) as refused:
            await take(account, "two")
        answering.cancel_scope.cancel()

    assert refused.value.why.isprintable()
    lock.close()


def test_a_killed_holder_leaves_the_account_free(account):
    words = [sys.executable, "-c", DIES_HOLDING, account.venue, account.network, account.identity]
    died = subprocess.run(words, stdout=subprocess.PIPE, check=False, cwd=Path(__file__).parent)
    assert died.stdout == b"held\n"

    async def take_it():
        (await lock_account(account, "two")).close()

    trio.run(take_it)
