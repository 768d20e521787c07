"""How long to wait after a failure.

Law: the randomness is drawn over the whole wait, after the cap: a province of probes that has been
cut off for a day comes back spread out, not in step.
"""

from collections.abc import Callable

from probes.http_answer import http_date

BASE_SECONDS = 2.0
CAP_SECONDS = 300.0
RETRY_AFTER_MAX_SECONDS = 3600.0
"""A server (or a portal on the way) cannot silence a probe for longer than this."""

Uniform = Callable[[float, float], float]
"""``random.uniform``, or a test's own."""


class Backoff:
    """Full jitter: U(0, min(cap, base * 2^failures)).

    A probe of a fleet adds U(0, cap) once in every long outage, when the cap is first reached, so
    that probes that lost the line in the same second lose their step as well.
    """

    def __init__(self, uniform: Uniform, *, fleet: bool = False) -> None:
        self._uniform = uniform
        self._fleet = fleet
        self.failures = 0

    def succeeded(self) -> None:
        """The next wait starts from the base again."""
        self.failures = 0

    def failed(
        self, *, retry_after_seconds: float | None = None, at_least_seconds: float = 0.0
    ) -> float:
        """Seconds to wait now. What the server asks for is kept, with jitter on top."""
        ceiling = min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(self.failures, 30))
        before = min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(self.failures - 1, 30))
        self.failures += 1
        wait = self._uniform(0.0, ceiling)
        if retry_after_seconds is not None:
            return min(retry_after_seconds, RETRY_AFTER_MAX_SECONDS) + wait
        if self._fleet and before < ceiling == CAP_SECONDS:
            wait += self._uniform(0.0, CAP_SECONDS)
        return max(at_least_seconds, 0.0) + wait


def retry_after_seconds(headers: dict[str, str]) -> float | None:
    """``Retry-After`` (RFC 9110 section 10.2.3); None when it is absent or makes no sense.

    A date is taken relative to the answer's own ``Date``: our clock may be wrong by decades.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until, now = http_date(text), http_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, until - now)
