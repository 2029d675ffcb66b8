"""The real world on real loopback sockets: whom it trusts, how long it tries, what it refuses."""

from __future__ import annotations

import socket
import ssl
import time

import pytest
import trio
import trustme
from timeouts import LOOPBACK_S

from bot4.errors import StartRefused
from bot4.transport import world as world_module
from bot4.transport.world import RealWorld


async def echo_once(stream):
    await stream.send_all(await stream.receive_some())


async def test_dial_speaks_tls_without_delay_to_a_trusted_host(real_world, listen):
    with trio.fail_after(LOOPBACK_S):
        stream = await real_world.dial("localhost", await listen(echo_once))
        await stream.send_all(b"hello")
        await stream.wait_send_all_might_not_block()

        assert await stream.receive_some() == b"hello"
        assert stream._tls.version() in {"TLSv1.2", "TLSv1.3"}
        assert stream._tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await stream.aclose()
        assert stream.is_readable()


async def test_readable_tells_that_the_peer_closed(real_world, listen, nursery):
    closing = trio.Event()

    async def wait_and_close(stream):
        await stream.send_all(b"x")
        await closing.wait()
        await stream.aclose()

    with trio.fail_after(LOOPBACK_S):
        stream = await real_world.dial("localhost", await listen(wait_and_close))
        await stream.receive_some(1)
        assert not stream.is_readable()

        closing.set()
        await trio.lowlevel.wait_readable(stream._tcp.socket)
        assert stream.is_readable()
        await stream.aclose()


async def test_a_host_certified_by_somebody_else_is_refused(listen, tmp_path):
    stranger = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    world = RealWorld(ca_file=stranger, environ={})

    with trio.fail_after(LOOPBACK_S), pytest.raises(OSError, match="certificate verify failed"):
        await world.dial("localhost", await listen(echo_once))


async def test_the_machines_authorities_do_not_vouch_for_a_stranger(listen):
    world = RealWorld(environ={})

    with trio.fail_after(LOOPBACK_S), pytest.raises(OSError, match="certificate verify failed"):
        await world.dial("localhost", await listen(echo_once))


async def test_another_hosts_certificate_is_refused(real_world, listen):
    with trio.fail_after(LOOPBACK_S), pytest.raises(OSError, match="certificate is not valid for"):
        await real_world.dial("127.0.0.1", await listen(echo_once))


async def test_a_peer_without_tls_is_refused(real_world, listen):
    with trio.fail_after(LOOPBACK_S), pytest.raises(OSError, match="TLS failed"):
        await real_world.dial("localhost", await listen(echo_once, tls=None))


async def test_a_port_where_nobody_listens_is_refused(real_world):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

        with trio.fail_after(LOOPBACK_S), pytest.raises(OSError, match="failed"):
            await real_world.dial("localhost", port)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 70, "bad..host"])
async def test_a_host_that_does_not_exist_is_refused(real_world, host, monkeypatch):
    monkeypatch.setattr(world_module, "CONNECT_LIMIT_S", 1.0)  # Some resolvers are slow to say no.

    with trio.fail_after(LOOPBACK_S), pytest.raises(OSError):  # noqa: PT011 - each system has its words
        await real_world.dial(host, 443)


async def test_a_peer_that_never_shakes_hands_is_given_up(real_world, listen, monkeypatch):
    monkeypatch.setattr(world_module, "CONNECT_LIMIT_S", 0.1)

    async def silent(stream):
        await trio.sleep_forever()

    with trio.fail_after(LOOPBACK_S), pytest.raises(TimeoutError, match=r"within 0\.1 s"):
        await real_world.dial("localhost", await listen(silent, tls=None))


async def test_a_cancelled_dial_leaves_no_socket(real_world, listen):
    connected, ended = trio.Event(), trio.Event()

    async def wait_for_end(stream):
        connected.set()
        while await stream.receive_some():
            pass
        ended.set()

    with trio.fail_after(LOOPBACK_S):
        port = await listen(wait_for_end, tls=None)
        async with trio.open_nursery() as dialling:
            dialling.start_soon(real_world.dial, "localhost", port)
            await connected.wait()
            dialling.cancel_scope.cancel()
        await ended.wait()


def test_old_tls_is_not_spoken(real_world):
    assert real_world._tls.minimum_version is ssl.TLSVersion.TLSv1_2
    assert real_world._tls.verify_mode is ssl.CERT_REQUIRED
    assert real_world._tls.check_hostname


def test_the_simulators_authority_is_the_only_one_trusted(real_world):
    assert real_world._tls.cert_store_stats()["x509_ca"] == 1


def test_an_unusable_authority_is_refused_in_one_line(tmp_path):
    nonsense = tmp_path / "ca.pem"
    nonsense.write_text("nonsense")

    for path in (nonsense, tmp_path / "missing.pem"):
        with pytest.raises(StartRefused, match="cannot be used") as refused:
            RealWorld(ca_file=path, environ={})
        assert str(path) in refused.value.why


def test_a_key_log_is_refused():
    with pytest.raises(StartRefused, match="SSLKEYLOGFILE") as refused:
        RealWorld(environ={"SSLKEYLOGFILE": "keys.txt"})

    assert "unset" in refused.value.do


def test_the_process_environment_is_looked_at(monkeypatch, ca_file):
    monkeypatch.setenv("SSLKEYLOGFILE", "keys.txt")

    with pytest.raises(StartRefused):
        RealWorld(ca_file=ca_file)


def test_the_wall_clock_is_the_machines(real_world):
    before = time.time_ns() // 1_000_000

    assert before <= real_world.wall_ms() <= time.time_ns() // 1_000_000


def test_a_machine_that_stays_awake_sleeps_for_no_moment(real_world):
    readings = [real_world.suspended_s() for _ in range(1000)]

    assert max(readings) - min(readings) < 0.05


@pytest.mark.parametrize("boot", [True, False], ids=["boot clock", "wall clock"])
def test_a_sleep_is_what_trios_clock_lacks(real_world, monkeypatch, boot):
    asleep = 0.0
    awake_s = time.monotonic

    monkeypatch.setattr("bot4.transport.world.BOOT", 7 if boot else None)
    monkeypatch.setattr(time, "clock_gettime", lambda _clock: awake_s() + asleep)
    monkeypatch.setattr(time, "time", lambda: 1e9 + awake_s() + asleep)
    before = real_world.suspended_s()
    asleep = 30.0

    assert real_world.suspended_s() - before == pytest.approx(30, abs=0.1)


def test_two_worlds_draw_different_numbers(real_world, ca_file):
    other = RealWorld(ca_file=ca_file, environ={})

    assert real_world.random.getrandbits(128) != other.random.getrandbits(128)


def test_a_database_is_opened_through_the_world(real_world, tmp_path):
    database = real_world.open_database(tmp_path / "journal.db")

    assert list(database.execute("PRAGMA journal_mode")) == [("wal",)]
    database.close()
