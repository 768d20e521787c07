"""Notifications from a real sender (snmptrap), and who is not believed."""

import asyncio
import errno
import shutil
import time

import pytest

from collector.trap_facts import fact
from collector.trap_gate import IN_ALL, MOST_BYTES, PER_SENDER, WINDOW_SECONDS, Gate, Sender
from collector.traps import TrapReceiver
from model.measurement import METRICS, Measurement
from model.snmp import Credentials, Version

PLAIN = Credentials(Version.V2C, "public")
SECURE = Credentials(
    Version.V3,
    user="jangkau",
    authentication="sha256",
    authentication_password="authentication-1",  # noqa: S106 - made up
    privacy="aes128",
    privacy_password="privacy-of-tests",  # noqa: S106 - made up
)
SENDERS = {"127.0.0.1": Sender("plain", PLAIN), "127.0.0.2": Sender("secure", SECURE)}
V2C = ("-v2c", "-c", "public")
V3 = (
    *("-v3", "-u", "jangkau", "-l", "authPriv", "-a", "SHA-256", "-A", "authentication-1"),
    *("-x", "AES", "-X", "privacy-of-tests", "--clientaddr=127.0.0.2"),
)
COLD, WARM, DOWN, UP, AUTH = (f"1.3.6.1.6.3.1.1.5.{n}" for n in range(1, 6))


async def send(*words: str) -> int:
    """Run snmptrap; its exit code (0 for an inform: it was acknowledged)."""
    program = shutil.which("snmptrap")
    if program is None:
        pytest.skip("snmptrap is not installed: apt install snmp")
    child = await asyncio.create_subprocess_exec(program, "-t", "1", "-r", "0", *words, stderr=-3)
    return await child.wait()


def receive(
    *sendings: tuple[str, ...], full: bool = False
) -> tuple[list[Measurement], dict[str, int], list[int]]:
    """What a receiver kept of these sendings (LISTEN stands for its address), what it counted, and
    the exit codes. ``full``: the disk takes nothing."""

    async def run() -> tuple[list[Measurement], dict[str, int], list[int]]:
        kept: list[Measurement] = []

        def keep(measurement: Measurement) -> None:
            if full:
                raise OSError(errno.ENOSPC, "No space left on device")
            kept.append(measurement)

        receiver = TrapReceiver(SENDERS, keep, wall_ms=lambda: 1_000, monotonic=time.monotonic)
        try:
            port = await receiver.open("127.0.0.1", 0)
            codes = []
            for number, words in enumerate(sendings, 1):
                place = f"127.0.0.1:{port}"
                codes.append(await send(*(place if one == "LISTEN" else one for one in words)))
                async with asyncio.timeout(5):
                    while receiver.counts.total() < number:  # the datagram is on its way
                        await asyncio.sleep(0.005)
            return kept, dict(receiver.counts), codes
        finally:
            receiver.close()

    return asyncio.run(run())


@pytest.mark.parametrize("sender", [V2C, (*V3, "-e", "0x80000000010203")], ids=["v2c", "v3"])
def test_traps(sender: tuple[str, ...]) -> None:
    """The standard notifications come as facts of the site that sent them."""
    index = ("1.3.6.1.2.1.2.2.1.1.3", "i", "3")
    kept, counts, _ = receive(
        (*sender, "LISTEN", "4200", DOWN, *index),
        (*sender, "LISTEN", "4300", UP, *index),
        (*sender, "LISTEN", "100", COLD),
        (*sender, "LISTEN", "100", WARM),
        (*sender, "LISTEN", "100", AUTH),
        (*sender, "LISTEN", "100", "1.3.6.1.2.1.33.2.1"),
        (*sender, "LISTEN", "100", "1.3.6.1.4.1.318.0.9"),
        (*sender, "LISTEN", "100", "1.3.6.1.4.1.4711.0.7", "1.3.6.1.4.1.4711.1.0", "s", "Ali"),
    )
    assert [one.target.removeprefix("device:") for one in kept] == [
        *("linkDown", "linkUp", "coldStart", "warmStart", "authenticationFailure"),
        *("upsOnBattery", "upsOnLine", "1.3.6.1.4.1.4711.0.7"),
    ]
    assert {one.site for one in kept} == {"plain" if sender is V2C else "secure"}
    assert kept[0].readings == {"uptime_seconds": 42.0, "interface_index": 3.0}
    assert [one.readings.get("on_battery") for one in kept[5:7]] == [1.0, 0.0]
    assert "Ali" not in repr(kept)
    assert counts == {"kept": 8}


def test_informs() -> None:
    """Informs are acknowledged, by v2c and v3."""
    kept, _, codes = receive(("-Ci", *V2C, "LISTEN", "1", UP))
    assert (len(kept), codes) == (1, [0])
    kept, _, codes = receive(("-Ci", *V3, "LISTEN", "1", UP))
    assert (len(kept), codes) == (1, [0])


@pytest.mark.parametrize("sender", [V2C, V3], ids=["v2c", "v3"])
def test_an_inform_that_is_not_kept_is_not_acknowledged(sender: tuple[str, ...]) -> None:
    """On a full disk its sender learns nothing, so that it will try again."""
    kept, counts, codes = receive(("-Ci", *sender, "LISTEN", "1", UP), full=True)
    assert (kept, codes) == ([], [1])
    assert counts["not kept"] == 1


def test_an_inform_that_is_not_believed_is_not_acknowledged() -> None:
    """Right user, no password: nothing is kept, and nothing is said about it."""
    sender = ("-v3", "-u", "jangkau", "-l", "noAuthNoPriv", V3[-1])
    kept, counts, codes = receive(("-Ci", *sender, "LISTEN", "1", UP))
    assert (kept, codes) == ([], [1])
    assert "kept" not in counts


def test_strangers_do_not_crowd_out_a_device() -> None:
    """Whoever forges the address and names engine after engine, by the known user: the device's own
    engine is heard, before and after."""
    forged = [
        (*V3[:4], "noAuthNoPriv", V3[-1], "-e", f"0x8000000001{number:06x}", "LISTEN", "1", DOWN)
        for number in range(8)
    ]
    honest = (*V3, "-e", "0x80000000aabbcc", "LISTEN", "1", UP)
    kept, counts, _ = receive(*forged[:5], honest, *forged[5:], honest)
    assert [one.target for one in kept] == ["device:linkUp"] * 2
    assert counts == {"kept": 2, "refused": 8}


def test_a_device_that_is_exchanged_again_and_again() -> None:
    """Of an address the last few engines are known; each new one is heard at once."""
    engines = [f"0x8000000002{number:06x}" for number in range(7)]
    kept, counts, _ = receive(*((*V3, "-e", one, "LISTEN", "1", UP) for one in engines))
    assert counts == {"kept": len(kept)} == {"kept": 7}


@pytest.mark.parametrize(
    "sender",
    [
        ("-v2c", "-c", "wrong"),
        (*V3[:8], "wrong-password", *V3[9:], "-e", "0x80000000010204"),
        ("-v3", "-u", "jangkau", "-l", "noAuthNoPriv", "-e", "0x80000000010205", V3[-1]),
        ("-v2c", "-c", "public", "--clientaddr=127.0.0.2"),
        ("-v2c", "-c", "public", "--clientaddr=127.0.0.3"),
    ],
    ids=["community", "password", "level", "version", "stranger"],
)
def test_what_is_not_believed(sender: tuple[str, ...]) -> None:
    """A wrong community, password, level, version or address leaves nothing but a count."""
    kept, counts, _ = receive((*sender, "LISTEN", "1", DOWN))
    assert kept == []
    assert sum(counts.values()) == 1
    assert "kept" not in counts


def test_ups_alarms_of_the_standard() -> None:
    """RFC 1628 tells the return of the mains as the removal of an alarm."""
    values: dict[str, int | str] = {"1.3.6.1.2.1.33.1.6.2.1.2.4": "1.3.6.1.2.1.33.1.6.3.2"}
    added = fact("a", 1, "1.3.6.1.2.1.33.2.3", values)
    removed = fact("a", 1, "1.3.6.1.2.1.33.2.4", values)
    assert (added.target, added.readings["on_battery"]) == ("device:upsOnBattery", 1.0)
    assert (removed.target, removed.readings["on_battery"]) == ("device:upsOnLine", 0.0)
    assert set(added.readings) <= set(METRICS)


def test_gate() -> None:
    """Strangers, sizes and floods are turned away and counted; a quiet moment opens it again."""
    gate = Gate(SENDERS)
    assert gate.admit("192.0.2.1", 100, 0.0) is None
    assert gate.admit("127.0.0.1", MOST_BYTES + 1, 0.0) is None
    admitted = [gate.admit("127.0.0.1", 100, 0.0) for _ in range(50)]
    assert sum(one is not None for one in admitted) == PER_SENDER
    assert gate.admit("127.0.0.2", 100, 0.0) == SENDERS["127.0.0.2"]
    assert gate.admit("127.0.0.1", 100, WINDOW_SECONDS) is not None
    assert gate.counts == {"stranger": 1, "size": 1, "rate": 50 - PER_SENDER}
    many = Gate({f"10.0.{n // 200}.{n % 200}": SENDERS["127.0.0.1"] for n in range(400)})
    assert sum(many.admit(one, 9, 0.0) is not None for one in many.senders) == IN_ALL
