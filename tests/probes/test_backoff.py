"""How long the uplink waits: jittered to the cap and beyond, or as the server says."""

import itertools
import random
from collections import Counter

import pytest

from probes.backoff import CAP_SECONDS, Backoff, retry_after_seconds


def test_backoff_is_jittered_after_the_cap() -> None:
    """At the cap the waits still spread over all of it: a herd stays dispersed."""
    draws = random.Random(7)  # noqa: S311 - jitter, the same at each run
    backoffs = [Backoff(draws.uniform) for _ in range(2000)]
    for backoff, _ in itertools.product(backoffs, range(12)):
        backoff.failed()
    waits = [backoff.failed() for backoff in backoffs]
    bins = Counter(int(wait // 30) for wait in waits)
    assert set(bins) == set(range(10))
    assert max(bins.values()) < 1.5 * 200
    assert max(waits) <= CAP_SECONDS


def test_a_fleet_spreads_once_more_in_a_long_outage() -> None:
    """The extra wait comes once an outage, when the cap is reached, and for fleets alone."""
    fleet, alone = (Backoff(lambda _, high: high, fleet=fleet) for fleet in (True, False))
    extra = [fleet.failed() - alone.failed() for _ in range(12)]
    assert extra == [0] * 8 + [CAP_SECONDS] + [0] * 3
    fleet.succeeded()
    assert fleet.failed() == 2


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "17"}, 17),
        (
            {
                "retry-after": "Fri, 07 Nov 2031 00:01:30 GMT",
                "date": "Fri, 07 Nov 2031 00:00:00 GMT",
            },
            90,
        ),
        ({"retry-after": "Fri, 07 Nov 2031 00:01:30 GMT"}, None),
        ({"retry-after": "Fri, 07 Nov 99999999999 00:01:30 GMT", "date": "x"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, or a date against the server's own clock; nonsense is no order."""
    assert retry_after_seconds(headers) == seconds
