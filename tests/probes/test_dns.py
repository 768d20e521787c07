"""Resolvers that answer, lie, rewrite and keep silent."""

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from model.kinds import Dns
from model.measurement import Outcome, Reason
from probes.dns import agree, resolve
from simulator.services import Resolver, resolving
from tests.probes.looking import look, look_at

NAMES = {"siap.example": "203.0.113.7"}


def asking(port: int, **more: object) -> Dns:
    return Dns("siap.example", port=port, **more)  # type: ignore[arg-type] - each test names its own


def test_truth() -> None:
    """A resolver that answers as is known is UP, with its time; it rewrites nothing."""
    seen = look_at(resolving(Resolver(NAMES)), lambda port: asking(port, expected=("203.0.113.7",)))
    assert seen.outcome is Outcome.UP
    assert (seen.readings["dns_tampered"], seen.readings["dns_nxdomain_rewritten"]) == (0, 0)
    assert 0 < seen.readings["dns_seconds"] < 1


def test_tampering_against_a_trusted_resolver() -> None:
    """An answer that shares no network with the trusted one is DOWN: tampered with."""

    async def run() -> None:
        liar = Resolver(NAMES, lies={"siap.example": "10.9.9.9"})
        async with resolving(Resolver(NAMES)) as honest, resolving(liar) as lying:
            settings = asking(lying, trusted="127.0.0.1", trusted_port=honest)
            seen = await look(settings)
            assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.TAMPERED)
            assert seen.readings["dns_tampered"] == 1

    asyncio.run(run())


def test_silent_trusted_resolver_accuses_nobody() -> None:
    """Where the trusted path is silent the resolver is UP and nothing is said of its truth."""
    seen = look_at(
        resolving(Resolver(NAMES, lies={"siap.example": "10.9.9.9"})),
        lambda port: asking(port, trusted="127.0.0.1", trusted_port=1),
        timeout_seconds=1.0,
    )
    assert seen.outcome is Outcome.UP
    assert "dns_tampered" not in seen.readings


def test_rewriting() -> None:
    """An address for a name that cannot exist is a reading; the resolver is UP all the same."""
    seen = look_at(resolving(Resolver(NAMES, rewrites_to="10.1.1.1")), asking)
    assert (seen.outcome, seen.readings["dns_nxdomain_rewritten"]) == (Outcome.UP, 1)


def test_no_such_name_and_silence() -> None:
    """NXDOMAIN and silence are DOWN, each in its own words."""
    seen = look_at(resolving(Resolver({})), asking)
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, "nxdomain")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seen = asyncio.run(look(asking(silent.getsockname()[1]), timeout_seconds=0.4))
    assert (seen.outcome, seen.reason) == (Outcome.DOWN, Reason.NO_ANSWER)


def test_agreement() -> None:
    """Neighbours in one network agree; other networks do not; text is compared as it stands."""
    assert agree(["203.0.113.7"], ["203.0.113.9", "198.51.100.1"])
    assert not agree(["203.0.114.7"], ["203.0.113.7"])
    assert agree(["2001:db8:1::1"], ["2001:db8:1:2::9"])
    assert agree(["Mail.example."], ["mail.example."])


def test_localhost_is_nobodys_question() -> None:
    """RFC 6761: localhost is answered without a resolver."""
    assert asyncio.run(resolve("localhost")) == "127.0.0.1"


@pytest.fixture
def dnsmasq() -> Iterator[int]:
    """A real dnsmasq on a free port, which knows two names and no other server."""
    program = shutil.which("dnsmasq")
    if program is None:
        pytest.skip("dnsmasq is not installed (apt install dnsmasq-base)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, "-k", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user="]
    command += ["--bind-interfaces", "--listen-address=127.0.0.1", f"--port={port}"]
    command += ["--log-facility=-", "--address=/siap.example/203.0.113.7", "--local=/example.com/"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert server.stderr is not None
    for line in server.stderr:
        if "started" in line:
            break
    yield port
    server.terminate()
    server.wait()
    server.stderr.close()


def test_dnsmasq(dnsmasq: int) -> None:
    """A real resolver's answer, and its truthful NXDOMAIN."""
    seen = asyncio.run(look(asking(dnsmasq, expected=("203.0.113.7",))))
    assert seen.outcome is Outcome.UP
    assert seen.readings["dns_answers"] == 1
    assert (seen.readings["dns_tampered"], seen.readings["dns_nxdomain_rewritten"]) == (0, 0)


def test_a_resolver_that_we_have_no_way_to() -> None:
    """What our own machine cannot reach is UNKNOWN, not a bug: a network that is not there."""
    seen = asyncio.run(look(Dns("siap.example"), "255.255.255.255"))
    assert seen.outcome is Outcome.UNKNOWN
    assert seen.reason != Reason.BUG
