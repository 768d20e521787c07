"""The kind ``captive``: is there internet beyond the portal?

Law: only an empty 204 from the page that always gives one is internet. Everything else that answers
in its place is a portal, and a page that speaks of quotas is a quota page; whoever does not answer
at all is no portal.
"""

from collections.abc import Iterable

from model.check import Check
from model.kinds import Captive, Http
from model.measurement import Outcome, Reason
from probes.connect import Readings, Resolve, bounded
from probes.http import Answer, fetch
from probes.look import Look

FREE, PORTAL, QUOTA = 0, 1, 2
_REDIRECTS = 3
"""From the page that was asked for to what a portal shows, where that may be visited at all."""


class CaptiveProbe:
    """Readings: ``captive_state``, and those of the fetch. RFC 8952 describes captive portals; to
    ask for a page that answers 204 is what phones do."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve

    async def __call__(self, check: Check) -> Look:
        settings = check.settings
        if not isinstance(settings, Captive):
            raise TypeError(f"{check.key}: a captive check carries Captive settings")
        trail: list[Answer] = []

        async def look(readings: Readings) -> None:
            page = Http(settings.url, redirects=_REDIRECTS)
            await fetch(page, self._resolve, readings, trail)

        seen = await bounded(check, look)
        if not trail:  # nobody answered the first question: there is no portal to speak of
            return seen
        state = _state(trail, settings.quota_words)
        readings = {**seen.readings, "captive_state": state}
        if state == FREE:
            return Look(Outcome.UP, readings)
        reason = Reason.QUOTA if state == QUOTA else Reason.CAPTIVE_PORTAL
        return Look(Outcome.DOWN, readings, reason)


def _state(trail: list[Answer], quota_words: Iterable[str]) -> int:
    """What the answers amount to, however the way ended after the first."""
    if trail[0].status == 204 and not trail[0].body:
        return FREE
    said = " ".join(f"{one.location} {one.body.decode('utf-8', 'replace')}" for one in trail)
    return QUOTA if any(word in said.lower() for word in quota_words) else PORTAL
