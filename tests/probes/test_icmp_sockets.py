"""The echo engine on real loopback sockets, and where it can open none."""

import errno
import socket
from collections.abc import Iterator

import pytest

from model.errors import InputError, UnavailableError
from model.measurement import Reason
from probes import echo_socket
from probes.echo import EchoRequest, EchoResult
from probes.echo_socket import EchoSocket
from probes.icmp import EchoEngine


@pytest.fixture
def live() -> Iterator[EchoEngine]:
    """An engine on real sockets."""
    engine = EchoEngine(20_000)
    yield engine
    engine.close()


def drive(engine: EchoEngine) -> list[EchoResult]:
    results = []
    while engine.pending:
        results += engine.step(1)
    return results


def open_or_skip(family: socket.AddressFamily) -> None:
    try:
        EchoSocket(family).close()
    except (UnavailableError, OSError) as error:
        pytest.skip(f"no ICMP socket here: {error}")


@pytest.mark.parametrize(
    ("family", "addresses"),
    [
        (socket.AF_INET, [f"127.61.{i // 200}.{i % 200 + 1}" for i in range(600)]),
        (socket.AF_INET6, ["::1"]),
    ],
)
def test_loopback_answers_every_echo(
    family: socket.AddressFamily, addresses: list[str], live: EchoEngine
) -> None:
    """Each target of one socket answers each echo once, and faster than we could have timed it
    without the kernel's stamps."""
    open_or_skip(family)
    for address in addresses:
        live.add(EchoRequest(address, address, 3, spacing_seconds=0.001))
    results = drive(live)
    assert sorted(result.request.key for result in results) == sorted(addresses)
    assert {(result.sent, result.received, result.duplicates) for result in results} == {(3, 3, 0)}
    times = sorted(rtt for result in results for rtt in result.rtt_seconds if rtt is not None)
    assert 0 < times[len(times) // 2] < 0.001
    assert not live.strays


def test_two_engines_do_not_hear_each_other(live: EchoEngine) -> None:
    """Two engines on one machine ask the same address and count only their own answers."""
    open_or_skip(socket.AF_INET)
    other = EchoEngine(20_000)
    for engine in (live, other):
        engine.add(EchoRequest("a", "127.61.0.1", 20, spacing_seconds=0))
    results = drive(live) + drive(other)
    other.close()
    assert [(result.sent, result.received) for result in results] == [(20, 20), (20, 20)]
    assert not live.strays
    assert not other.strays


def test_a_name_is_refused(live: EchoEngine) -> None:
    """Only IP literals are asked; the message says what to write."""
    with pytest.raises(InputError, match=r"'desa.example' is not an IP address: write one like"):
        live.add(EchoRequest("a", "desa.example"))


def test_no_socket_at_all_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch, live: EchoEngine
) -> None:
    """Without a right to raw and to datagram sockets the error says how to grant one."""

    def refuse(*_: object) -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(echo_socket.socket, "socket", refuse)
    with pytest.raises(UnavailableError, match=r"setcap cap_net_raw.*ping_group_range"):
        live.add(EchoRequest("a", "127.61.0.1"))


def test_a_machine_without_ipv6_has_no_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing address family is a missing route: we could not look."""

    def missing(family: socket.AddressFamily) -> EchoSocket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    engine = EchoEngine(open_socket=missing)
    engine.add(EchoRequest("a", "::1"))
    (result,) = engine.step(0)
    engine.close()
    assert (result.sent, result.failure, engine.pending) == (0, Reason.NO_ROUTE, 0)
