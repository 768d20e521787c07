"""Network namespaces and the lines between them, for scripts that run inside ``unshare -Urn``.

A namespace lives as long as the child that holds it, and that child as long as our pipe to it: when
the script ends, however it ends, nothing is left.
"""

import json
import subprocess
from typing import NamedTuple

_ETHERNET_HEADER_BYTES = 14


class Place:
    """One namespace; the script's own when ``held`` is false."""

    def __init__(self, *, held: bool = True) -> None:
        self.enter: list[str] = []
        self.pid = "self"
        if held:
            hold = ["unshare", "-n", "sh", "-c", "echo held; exec cat"]
            self._holder = subprocess.Popen(
                hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert self._holder.stdout is not None
            assert self._holder.stdout.readline() == "held\n"
            self.pid = str(self._holder.pid)
            self.enter = ["nsenter", "-t", self.pid, "-n", "--"]
        for which in ("all", "default"):  # no chatter of neighbours on what is counted
            self.set(f"net.ipv6.conf.{which}.disable_ipv6", "1")
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words: str) -> None:
        """A command inside; raises CalledProcessError when it fails."""
        subprocess.run([*self.enter, *words], check=True)

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """A server inside; returns when it has said a line."""
        server = subprocess.Popen(
            [*self.enter, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdout is not None
        assert server.stdout.readline()
        return server

    def set(self, name: str, value: str) -> None:
        """A key of sysctl(8), with dots."""
        self.run("sh", "-c", f"echo {value} > /proc/sys/{name.replace('.', '/')}")


def line(one: Place, other: Place, network: int, *, mtu_bytes: int = 1500) -> tuple[str, str]:
    """A cable between two places: their addresses 10.9.NETWORK.1 and .2. Its ends are called
    ``to-NETWORK`` on both sides."""
    name = f"to-{network}"
    near = ["ip", "link", "add", name, "mtu", str(mtu_bytes), "type", "veth"]
    far = ["peer", "name", f"{name}x", "mtu", str(mtu_bytes), "netns"]
    if other.pid == "self":
        raise ValueError("the script's own namespace is the first of the two")
    one.run(*near, *far, other.pid)
    other.run("ip", "link", "set", f"{name}x", "name", name)
    addresses = f"10.9.{network}.1", f"10.9.{network}.2"
    for place, address in zip((one, other), addresses, strict=True):
        place.run("ip", "addr", "add", f"{address}/24", "dev", name)
        # One packet at a time, as a line carries them: what is counted is what would be sent.
        place.run("ip", "link", "set", name, "gso_max_segs", "1", "up")
    return addresses


def shaped(one: Place, other: Place, network: int, mbit_s: str) -> None:
    """Both directions of a line as slow as a village's: tbf(8), each with a queue of 200 ms."""
    shape = ("rate", f"{mbit_s}mbit", "burst", "16kb", "latency", "200ms")
    for place in (one, other):
        place.run("tc", "qdisc", "replace", "dev", f"to-{network}", "root", "tbf", *shape)


class Carried(NamedTuple):
    """IP packets and their bytes, both ways."""

    packets: int
    bytes: int


def carried(place: Place, network: int) -> Carried:
    """What the end of a line has carried: its interface's own counts less the Ethernet headers."""
    show = [*place.enter, "ip", "-json", "-statistics", "link", "show", f"to-{network}"]
    said = json.loads(subprocess.run(show, check=True, capture_output=True, text=True).stdout)
    ways = said[0]["stats64"]["rx"], said[0]["stats64"]["tx"]
    packets = sum(way["packets"] for way in ways)
    return Carried(packets, sum(way["bytes"] for way in ways) - _ETHERNET_HEADER_BYTES * packets)
