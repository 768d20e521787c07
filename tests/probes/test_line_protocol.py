"""Line protocol: one measurement, one line, exactly these bytes."""

import pytest

from model.measurement import Measurement, Outcome
from probes.line_protocol import encode


def measurement(**changes: object) -> Measurement:
    fields: dict[str, object] = {
        "site": "semparuk-01",
        "vantage": "village",
        "kind": "ping",
        "target": "national",
        "at_ms": 1790000000123,
        "outcome": Outcome.UP,
    }
    return Measurement(**{**fields, **changes})  # type: ignore[arg-type]  # a test's short hand


HEAD = "ping,site=semparuk-01,target=national,vantage=village outcome=1i"


@pytest.mark.parametrize(
    ("readings", "fields"),
    [
        ({}, ""),
        ({"received": 5, "sent": 5.0}, ",received=5i,sent=5i"),
        ({"rtt_median_seconds": 0.0123}, ",rtt_median_seconds=0.0123"),
        ({"rtt_median_seconds": 0.012345678}, ",rtt_median_seconds=0.0123"),
        ({"gap_seconds": 0.012345678}, ",gap_seconds=0.0123457"),
        ({"rtt_min_seconds": 0.000002}, ",rtt_min_seconds=0.000002"),
        ({"rtt_min_seconds": 0.0000004}, ",rtt_min_seconds=0"),
        (
            {"rtt_median_seconds": 0.031, "rtt_max_seconds": 1.23456, "jitter_seconds": 0.00123},
            ",rtt_median_seconds=0.031,rtt_max_seconds=1.2346,jitter_seconds=0.0012",
        ),
        (
            {"rtt_median_seconds": 0.6543, "jitter_seconds": 0.0049},
            ",rtt_median_seconds=0.655,jitter_seconds=0.005",
        ),
        ({"tls_seconds": 0.000000012}, ",tls_seconds=0.000000012"),
        ({"supply_volts": 24.0}, ",supply_volts=24"),
        ({"uptime_seconds": 8640000.1234}, ",uptime_seconds=8640000.123"),
        ({"boot_id": float(2**48 - 1)}, ",boot_id=281474976710655i"),
        ({"supply_volts": 23.9}, ",supply_volts=23.9"),
    ],
)
def test_numbers(readings: dict[str, float], fields: str) -> None:
    """Counts are integers, RTTs have one step of at most 1 % of the median, other seconds six
    digits and at least milliseconds; no decimal has an exponent."""
    assert encode(measurement(readings=readings)).decode() == f"{HEAD}{fields} 1790000000123"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"target": "application:a b,c=d"},
            "ping,site=semparuk-01,target=application:a\\ b\\,c\\=d,vantage=village outcome=1i",
        ),
        (
            {"kind": "my kind,x=y"},
            "my\\ kind\\,x=y,site=semparuk-01,target=national,vantage=village outcome=1i",
        ),
        ({"reason": 'said "no" \\'}, HEAD + ',reason="said \\"no\\" \\\\"'),
        ({"reason": "two\nlines\r"}, HEAD + ',reason="two lines "'),
        ({"reason": "tak terjangkau – ✗"}, HEAD + ',reason="tak terjangkau – ✗"'),
    ],
)
def test_escapes(changes: dict[str, object], line: str) -> None:
    """What has a meaning in the format is escaped as InfluxDB's documentation says."""
    assert encode(measurement(**changes)).decode() == f"{line} 1790000000123"


@pytest.mark.parametrize(
    "changes",
    [
        {"site": ""},
        {"target": "a\nb"},
        {"target": "ends with \\"},
        {"readings": {"rtt_min_seconds": float("nan")}},
        {"readings": {"supply_volts": float("inf")}},
        {"readings": {"sent": 4.5}},
    ],
)
def test_refuses_what_it_cannot_write(changes: dict[str, object]) -> None:
    """Better an error here than a line that the collector reads as something else."""
    with pytest.raises(ValueError, match=r"cannot be written|finite|whole"):
        encode(measurement(**changes))
