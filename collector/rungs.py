"""What a village's own probe saw during an outage of its line, rung by rung.

Law: only looks made during the outage speak, and a rung speaks by what most of them found. What
failed because of a lower rung (``below: ...``) failed, and accuses that rung, not its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collector.islands import Island
from collector.verdict import SiteLooks
from model.measurement import Outcome, Reason, Rung, Vantage
from model.timeline import Interval

NAME_REASONS = frozenset({Reason.NAME_NOT_FOUND, Reason.NAME_NOT_RESOLVED, Reason.BELOW + Rung.DNS})
"""A look that failed so never set out: there was no address to go to."""
PORTAL_REASONS = frozenset({Reason.CAPTIVE_PORTAL, Reason.QUOTA})


@dataclass(frozen=True, slots=True)
class Rungs:
    """``lived``: whether the probe measured during the outage (None: there is none). The others
    are None where it did not look."""

    lived: bool | None = None
    lan_answered: bool | None = None
    """The site's own router."""
    isp_answered: bool | None = None
    """The provider's first hop."""
    portal: str | None = None
    """What a page said that stood in the way."""
    names_failed: bool = False
    """All that was tried beyond the provider failed for want of a name."""


def rungs_of(looks: SiteLooks, interval: Interval) -> Rungs:
    """What the probe of a site saw in ``interval``."""
    national = list(looks.of(Vantage.VILLAGE, Rung.NATIONAL))
    failed = [island for island in national if island.failed and _touches(island, interval)]
    if not failed:
        return Rungs(False if national else None)
    abroad = looks.of(Vantage.VILLAGE, Rung.INTERNATIONAL)
    beyond = [*failed, *(one for one in abroad if one.failed and _touches(one, interval))]
    return Rungs(
        lived=True,
        lan_answered=_answered(looks.of(Vantage.VILLAGE, Rung.LAN), interval),
        isp_answered=_answered(looks.of(Vantage.VILLAGE, Rung.ISP_GATEWAY), interval),
        portal=next((one.reason for one in failed if one.reason in PORTAL_REASONS), None),
        names_failed=all(one.reason in NAME_REASONS for one in beyond),
    )


def _touches(island: Island, interval: Interval) -> bool:
    return island.first_ms < interval.end_ms and island.last_ms >= interval.start_ms


def _answered(islands: Iterable[Island], interval: Interval) -> bool | None:
    """Whether more looks of the outage were answered than not; None where there were none."""
    answered = silent = 0
    for island in islands:
        if island.outcome is Outcome.UP:
            answered += _looks_within(island, interval)
        elif island.outcome is Outcome.DOWN:
            silent += _looks_within(island, interval)
    return answered > silent if answered or silent else None


def _looks_within(island: Island, interval: Interval) -> int:
    """How many looks of an island (evenly spread) were made in an outage. A good look shortly
    before it holds into it, but says nothing about it."""
    before = -((island.first_ms - interval.start_ms) // island.interval_ms)
    until = (min(island.last_ms, interval.end_ms - 1) - island.first_ms) // island.interval_ms
    return max(0, until - max(0, before) + 1)
