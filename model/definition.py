"""What "stable" means, in numbers.

There is no official figure, so the definition is configuration: every report prints it and its
hash. The defaults are the project's proposal (docs/definition.md).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property

from model.site import Access


class State(StrEnum):
    """The weekly state of a site or village: best to worst, then the two without a measurement."""

    STABLE = "stable"
    FAIR = "fair"
    UNSTABLE = "unstable"
    CUT_OFF = "cut_off"
    NOT_OBSERVED = "not_observed"
    NOT_CONNECTED = "not_connected"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a line of one access technology must reach in a week, in service hours.

    availability and loss are shares (0 to 1); loss is the 95th percentile of the hourly shares;
    the RTT is the median to the national target.
    """

    availability_min: float
    rtt_median_max_seconds: float
    loss_p95_max: float
    download_min_mbit_s: float
    upload_min_mbit_s: float


_FIXED = Thresholds(0.98, 0.150, 0.03, 10, 2)
_CELLULAR = Thresholds(0.95, 0.200, 0.05, 5, 1)
_GEO = Thresholds(0.95, 0.800, 0.05, 4, 1)


def _default_thresholds() -> Mapping[Access, Thresholds]:
    return {
        Access.FIBRE: _FIXED,
        Access.FWA: _FIXED,
        Access.LEO: _FIXED,
        Access.CELLULAR: _CELLULAR,
        Access.GEO: _GEO,
    }


@dataclass(frozen=True)
class Definition:
    """The whole rule: thresholds per access technology, the limits of the weekly states, and the
    rule of the target (stable in at least ``target_weeks`` of the last ``target_window_weeks``)."""

    thresholds: Mapping[Access, Thresholds] = field(default_factory=_default_thresholds)
    cut_off_below_availability: float = 0.50
    cut_off_open_outage_seconds: int = 24 * 3600
    observed_share_min: float = 0.90
    target_weeks: int = 3
    target_window_weeks: int = 4

    @cached_property
    def hash(self) -> str:
        """Twelve hex digits that change whenever any number of the definition does, and only then
        (10 and 10.0 are one number)."""
        content = json.loads(json.dumps(asdict(self)), parse_int=float)
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of a line in a week; None where nothing was."""

    rtt_median_seconds: float | None = None
    loss_p95: float | None = None
    download_mbit_s: float | None = None
    upload_mbit_s: float | None = None


def grade(
    definition: Definition,
    access: Access,
    *,
    availability: float | None,
    observed_share: float,
    open_outage_seconds: float,
    quality: Quality,
) -> State:
    """The weekly state of a site.

    ``availability`` and ``observed_share`` are of the service hours; ``open_outage_seconds`` is how
    long the site has been down at the week's end (0 when it is up). A quality that was not measured
    neither passes nor fails: throughput is judged only where it was tested.
    """
    if open_outage_seconds > definition.cut_off_open_outage_seconds:
        return State.CUT_OFF
    if availability is None or observed_share < definition.observed_share_min:
        return State.NOT_OBSERVED
    limits = definition.thresholds[access]
    if availability < definition.cut_off_below_availability:
        return State.CUT_OFF
    if availability < limits.availability_min:
        return State.UNSTABLE
    failures = (
        quality.rtt_median_seconds is not None
        and quality.rtt_median_seconds > limits.rtt_median_max_seconds,
        quality.loss_p95 is not None and quality.loss_p95 > limits.loss_p95_max,
        quality.download_mbit_s is not None
        and quality.download_mbit_s < limits.download_min_mbit_s,
        quality.upload_mbit_s is not None and quality.upload_mbit_s < limits.upload_min_mbit_s,
    )
    return State.FAIR if any(failures) else State.STABLE
