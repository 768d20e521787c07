"""Counters, boots and odd values: what is told, and what is not."""

import random

import pytest

from probes.snmp_boot import TOLERANCE_SECONDS, WRAP_SECONDS, Life
from probes.snmp_interfaces import Port, uplink
from probes.snmp_profile import Fold, Kind, Reading
from probes.snmp_rates import LONGEST_SECONDS, Rates
from probes.snmp_readings import Answer, read
from probes.snmp_session import Value


def rate(rates: Rates, count: int, kind: Kind, at_seconds: float, life: int = 0) -> float | None:
    """The rate of one counter."""
    return rates.rates("x", {"1": count}, kind, at_seconds, {"1": life}).get("1")


@pytest.mark.parametrize(
    ("kind", "first", "second", "expected"),
    [
        (Kind.COUNTER64, 1000, 31_000, 100.0),
        (Kind.COUNTER64, 31_000, 1000, None),  # a reset
        (Kind.COUNTER64, 2**64 - 10, 5, None),  # decades too early for a wrap
        (Kind.COUNTER32, 2**32 - 1000, 2000, 10.0),  # a wrap
        (Kind.COUNTER32, 2**31, 0, None),  # more likely a reset
        (Kind.COUNTER32, 500, 100, None),  # a reset: no wrap is so long
        (Kind.COUNTER32, 7, 7, 0.0),
    ],
)
def test_rates(kind: Kind, first: int, second: int, expected: float | None) -> None:
    """Thirty seconds (or 300 for the wrap) between two readings, by hand."""
    rates = Rates()
    seconds = 300.0 if expected == 10.0 else 300.0 if first == 1000 else 30.0
    assert rate(rates, first, kind, 100.0) is None
    assert rate(rates, second, kind, 100.0 + seconds) == expected


def test_no_rate_across_a_discontinuity_or_a_long_pause() -> None:
    """Another ifCounterDiscontinuityTime, a pause of hours, or a clock that stands: no number."""
    rates = Rates()
    assert rate(rates, 1, Kind.COUNTER64, 0.0, 5) is None
    assert rate(rates, 2, Kind.COUNTER64, 10.0, 6) is None
    assert rate(rates, 12, Kind.COUNTER64, 20.0, 6) == 1.0
    assert rate(rates, 13, Kind.COUNTER64, 20.0, 6) is None
    assert rate(rates, 14, Kind.COUNTER64, 21.0 + LONGEST_SECONDS, 6) is None
    rates.forget()
    assert rate(rates, 15, Kind.COUNTER64, 30.0 + LONGEST_SECONDS, 6) is None


def test_a_life_keeps_its_number() -> None:
    """A year of polls with a drifting clock and jitter is one life; a restart is another."""
    seed = random.randrange(2**32)  # noqa: S311 - not a secret
    print(f"seed {seed}")  # noqa: T201 - to repeat a failure
    dice = random.Random(seed)  # noqa: S311 - not a secret
    life, start = Life("site"), 1_700_000_000.0
    number = life.boot_id(0.0, start)
    for poll in range(1, 40_000):
        elapsed = poll * 300.0
        uptime = elapsed * (1 + 1e-4) + dice.uniform(-20, 20)
        assert life.boot_id(uptime, start + elapsed) == number
        assert not life.restarted
    again = life.boot_id(12.0, start + 40_000 * 300.0)
    assert again != number
    assert life.restarted


def test_uptime_wraps_without_a_restart() -> None:
    """After 497 days TimeTicks begin again: the life goes on."""
    life, start = Life("site"), 1_700_000_000.0
    number = life.boot_id(WRAP_SECONDS - 100, start)
    assert life.boot_id(200.0, start + 300) == number
    assert life.boot_id(500.0, start + 600) == number
    assert not life.restarted
    assert life.boot_id(1.0, start + 600 + 2 * TOLERANCE_SECONDS) != number


def reading(**settings: object) -> Reading:
    """One column of gauges."""
    usual = {"name": "clients", "unit": "1", "oid": "1.1", "mib": "M::o", "column": True}
    return Reading(**(usual | settings))  # type: ignore[arg-type] # passed on as they are


ODD: list[tuple[Reading, dict[str, Value], float | None]] = [
    (reading(), {"1.1.1": 3, "1.1.2": 4}, 7.0),
    (reading(), {"1.1.1": b"3"}, None),
    (reading(kind=Kind.TEXT_NUMBER), {"1.1.1": b"-97 dBm"}, -97.0),
    (reading(kind=Kind.TEXT_NUMBER), {"1.1.1": b"N/A"}, None),
    (reading(kind=Kind.TEXT_NUMBER), {"1.1.1": b"\xff\x00"}, None),
    (reading(fold=Fold.MAX, skip=frozenset({0})), {"1.1.1": 0, "1.1.2": -96}, -96.0),
    (reading(fold=Fold.MIN), {"1.1.1": 5, "1.1.2": 2}, 2.0),
    (reading(fold=Fold.COUNT, only=frozenset({1})), {"1.1.1": 1, "1.1.2": 2, "1.1.3": 1}, 2.0),
    (reading(fold=Fold.COUNT, only=frozenset({1})), {}, None),
    (reading(least=0, most=10), {"1.1.1": -1}, None),
    (reading(over="2.1", fold=Fold.MAX, name="cpu_share"), {"1.1.1": 1, "2.1.1": 4}, 0.25),
    (reading(over="2.1", fold=Fold.MAX, name="cpu_share"), {"1.1.1": 1, "2.1.1": 0}, None),
    (reading(where="2.1", where_in=frozenset({"voltage"})), {"1.1.1": 5, "2.1.1": b"Voltage"}, 5.0),
    (reading(where="2.1", where_in=frozenset({"voltage"})), {"1.1.1": 5}, None),
]


@pytest.mark.parametrize(("one", "values", "expected"), ODD, ids=range(len(ODD)))
def test_odd_values(one: Reading, values: dict[str, Value], expected: float | None) -> None:
    """What is missing, of the wrong type or out of reason gives no reading; nothing is made up."""
    objects = {column: {row: f"{column}.{row}" for row in "123"} for column in ("1.1", "2.1")}
    readings, _ = read([one], Answer(values, objects, {}, 0.0))
    assert readings.get(one.name) == expected


def test_uplink() -> None:
    """The port named as the way out wins; without a name the busiest that carries traffic."""

    def port(instance: str, *, named: bool = False, carries: bool = True) -> Port:
        return Port(instance, instance, True, named, carries, 1e9)

    busy = {"1": 10.0, "2": 500.0, "3": 900.0}
    ports = {"1": port("1"), "2": port("2"), "3": port("3", carries=False)}
    assert uplink(ports, busy) == "2"
    assert uplink(ports | {"1": port("1", named=True)}, busy) == "1"
    assert uplink({}, busy) is None
