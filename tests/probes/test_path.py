"""The way to a target: its hops, its identity, its packet size."""

import asyncio
import socket

import pytest

from model.kinds import Path, PathMethod
from model.measurement import Outcome
from probes.path import filled, path_id
from tests.probes.looking import look


@pytest.fixture
def raw() -> None:
    """Skips where the system gives no raw sockets."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    except PermissionError:
        pytest.skip("no CAP_NET_RAW here: paths cannot be traced")


@pytest.mark.usefixtures("raw")
@pytest.mark.parametrize("method", list(PathMethod))
def test_loopback(method: PathMethod) -> None:
    """Our own machine is one hop away by each method, and takes full packets."""
    seen = asyncio.run(look(Path(method, 1), timeout_seconds=20))
    assert seen.outcome is Outcome.UP
    assert seen.readings["hop_count"] == 1
    assert (seen.readings["path_mtu_bytes"], seen.readings["mtu_black_hole"]) == (1500, 0)


def test_ipv4_only() -> None:
    """An IPv6 target is no claim about it: UNKNOWN."""
    assert asyncio.run(look(Path(), "::1")).outcome is Outcome.UNKNOWN


def test_a_silent_router_is_no_other_router() -> None:
    """A hop that keeps silent is the one it was; a longer way is another way."""
    before = ("10.0.0.1", "10.0.1.1", "10.0.2.1")
    assert filled(("10.0.0.1", "", "10.0.2.1"), before) == before
    assert filled(("10.0.0.1", "", "10.9.9.9", "10.0.2.1"), before)[1] == ""
    assert filled(("10.0.0.1", ""), None) == ("10.0.0.1", "")


def test_identity_of_a_path() -> None:
    """Different ways have different numbers, which fit a float."""
    assert path_id(("10.0.0.1", "10.0.1.1")) != path_id(("10.0.1.1", "10.0.0.1"))
    assert path_id(("10.0.0.1",)) < 2**48
