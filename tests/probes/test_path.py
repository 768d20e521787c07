"""The way to a target: its hops, its identity, its packet size."""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path as File

import pytest

from model.kinds import Path, PathMethod
from model.measurement import Outcome
from probes.path import _Tracer, filled, flow_of, path_id
from tests.probes.looking import look

ROOT = File(__file__).parents[2]
Scenes = dict[str, dict[str, dict[str, float | str]]]


@pytest.fixture(scope="module")
def scenes() -> Scenes:
    """What each method made of each scene of two routers and a target (namespace_path.py)."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-Urn", "true"], check=False).returncode:
        pytest.skip("no user namespace here: there are no routers to trace")
    script = [sys.executable, str(File(__file__).with_name("namespace_path.py"))]
    done = subprocess.run(
        [unshare, "-Urn", *script],
        cwd=ROOT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "scapy warns about routes that it does not know"
    found: Scenes = json.loads(done.stdout)
    return found


@pytest.mark.namespace
@pytest.mark.parametrize("method", list(PathMethod))
@pytest.mark.parametrize(
    ("scene", "readings"),
    [
        ("first", {"hop_count": 3, "path_mtu_bytes": 1400, "mtu_black_hole": 0}),
        ("again", {"hop_count": 3, "path_changed": 0}),
        (
            "nobody says too big",
            {"path_changed": 0, "path_mtu_bytes": 1404, "mtu_black_hole": 1},
        ),
        (
            "another way",
            {"hop_count": 3, "path_changed": 1, "path_mtu_bytes": 1500, "mtu_black_hole": 0},
        ),
        ("no way", {"outcome": "DOWN", "reason": "no answer"}),
    ],
)
def test_routers(
    scenes: Scenes, method: PathMethod, scene: str, readings: dict[str, float | str]
) -> None:
    """Hops, another way, the packet size, and a router that drops large packets without a word are
    seen alike by UDP, ICMP and TCP."""
    seen = scenes[scene][method]
    assert {name: seen[name] for name in readings} == readings


@pytest.mark.namespace
def test_balanced_load_is_no_other_way(scenes: Scenes) -> None:
    """A router that sends flows by two ways sends ours by one, look after look."""
    balanced = [some for scene, some in scenes.items() if scene.startswith("balanced")]
    assert len(balanced) > 1
    assert {one["path_changed"] for some in balanced for one in some.values()} == {0}


@pytest.mark.parametrize("method", list(PathMethod))
def test_one_flow(method: PathMethod) -> None:
    """What load balancers look at, the first four bytes behind the IP header, is the same at each
    hop and in each look of a check; another check is another flow."""

    def flows(key: str) -> set[bytes]:
        tracer = _Tracer.__new__(_Tracer)  # without sockets, which need a right
        tracer._target, tracer._own = "192.0.2.1", "192.0.2.2"
        tracer._settings, tracer._flow = Path(method), flow_of(key)
        return {bytes(tracer._probe(ttl))[20:24] for ttl in range(1, 31)}

    assert len(flows("d/village/path/international")) == 1
    assert flows("d/village/path/international") == flows("d/village/path/international")
    assert flows("d/village/path/international") != flows("e/village/path/international")


@pytest.mark.namespace
def test_the_way_is_the_same_by_each_method(scenes: Scenes) -> None:
    """The identity of a way does not hang on the method, and differs for another way."""
    ids = {scene: {one["path_id"] for one in scenes[scene].values()} for scene in list(scenes)[:4]}
    assert [len(some) for some in ids.values()] == [1, 1, 1, 1]
    assert ids["first"] == ids["again"] == ids["nobody says too big"] != ids["another way"]


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
