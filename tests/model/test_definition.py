"""The definition of stable: every number counts in the hash, every state has its conditions."""

from dataclasses import fields, replace
from typing import Any

import pytest

from model.definition import Definition, Quality, State, grade
from model.site import Access

DEFAULT = Definition()
FINE = Quality(rtt_median_seconds=0.05, loss_p95=0.0, download_mbit_s=50, upload_mbit_s=20)


def state(access: Access = Access.CELLULAR, **changes: Any) -> State:
    """The state of a faultless week but for the changes."""
    week: dict[str, Any] = {
        "availability": 1.0,
        "observed_share": 1.0,
        "open_outage_seconds": 0.0,
        "quality": FINE,
    }
    return grade(DEFAULT, access, **{**week, **changes})


# domain.md section 3, line by line: the limit itself passes, a hair beyond it does not.
@pytest.mark.parametrize(
    ("access", "availability", "rtt", "loss", "down", "up"),
    [
        (Access.FIBRE, 0.98, 0.150, 0.03, 10, 2),
        (Access.FWA, 0.98, 0.150, 0.03, 10, 2),
        (Access.LEO, 0.98, 0.150, 0.03, 10, 2),
        (Access.CELLULAR, 0.95, 0.200, 0.05, 5, 1),
        (Access.GEO, 0.95, 0.800, 0.05, 4, 1),
    ],
)
def test_limits_of_each_technology(
    access: Access, availability: float, rtt: float, loss: float, down: float, up: float
) -> None:
    """A line on its limits is stable; beyond any one of them it is fair or unstable."""
    limit = Quality(rtt, loss, down, up)
    assert state(access, availability=availability, quality=limit) is State.STABLE
    assert state(access, availability=availability - 1e-9, quality=limit) is State.UNSTABLE
    for worse in (
        replace(limit, rtt_median_seconds=rtt + 1e-6),
        replace(limit, loss_p95=loss + 1e-6),
        replace(limit, download_mbit_s=down - 1e-6),
        replace(limit, upload_mbit_s=up - 1e-6),
    ):
        assert state(access, availability=availability, quality=worse) is State.FAIR


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, State.STABLE),
        ({"quality": Quality()}, State.STABLE),  # what was not measured does not fail
        ({"availability": 0.5}, State.UNSTABLE),
        ({"availability": 0.4999}, State.CUT_OFF),
        ({"availability": 0.0}, State.CUT_OFF),
        ({"availability": None, "observed_share": 0.0}, State.NOT_OBSERVED),
        ({"observed_share": 0.9}, State.STABLE),
        ({"observed_share": 0.8999}, State.NOT_OBSERVED),
        ({"observed_share": 0.5, "availability": 0.1}, State.NOT_OBSERVED),
        ({"open_outage_seconds": 86_400.0}, State.STABLE),
        ({"open_outage_seconds": 86_401.0}, State.CUT_OFF),
        ({"open_outage_seconds": 90_000.0, "availability": None}, State.CUT_OFF),
    ],
)
def test_states(changes: dict[str, Any], expected: State) -> None:
    """The five states of a connected site and their borders."""
    assert state(**changes) is expected


def test_satellite_delay_fails_only_where_it_must() -> None:
    """600 ms is stable over GEO, where physics asks for it, and fair over anything else."""
    slow = replace(FINE, rtt_median_seconds=0.6)
    for access in Access:
        expected = State.STABLE if access is Access.GEO else State.FAIR
        assert state(access, quality=slow) is expected


def test_every_number_is_in_the_hash() -> None:
    """Changing any one number of the definition gives a hash that no other change gives."""
    changed = [
        replace(DEFAULT, **{item.name: getattr(DEFAULT, item.name) + 1})
        for item in fields(Definition)
        if item.name != "thresholds"
    ]
    for access, limits in DEFAULT.thresholds.items():
        for item in fields(limits):
            other = replace(limits, **{item.name: getattr(limits, item.name) + 1})
            changed.append(replace(DEFAULT, thresholds={**DEFAULT.thresholds, access: other}))
    hashes = {definition.hash for definition in changed} | {DEFAULT.hash}
    assert len(hashes) == len(changed) + 1 == 5 + 5 * 5 + 1


def test_the_hash_is_of_values() -> None:
    """10 and 10.0 are one number, the order of technologies is none of its business."""
    fibre = replace(DEFAULT.thresholds[Access.FIBRE], download_min_mbit_s=10.0)
    turned = dict(reversed({**DEFAULT.thresholds, Access.FIBRE: fibre}.items()))
    same = Definition(thresholds=turned, cut_off_open_outage_seconds=24 * 3600)
    assert same.hash == DEFAULT.hash
    assert len(DEFAULT.hash) == 12
    assert int(DEFAULT.hash, 16) >= 0
