"""Who else fell when: the company that an outage keeps.

Law: only sites that somebody watches are witnesses; sites fell together when their outages began
within the window of the settings and a look of each other.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from collector.rules import Together
from collector.settings import BlameSettings
from model.inventory import Inventory
from model.region import kabupaten_of
from model.site import Access, Site
from model.timeline import Interval


@dataclass(frozen=True, slots=True)
class Silence:
    """An outage before anybody asked why: its site, its stretch, whether it is still open."""

    site: Site
    interval: Interval
    open: bool


class Neighbours:
    """Starts of outages by what sites share: feeder, upstream node, provider, kabupaten, and the
    sky over satellite sites. A site that nobody watches is no witness that a node lives."""

    def __init__(
        self,
        inventory: Inventory,
        watched: Collection[str],
        silences: Sequence[Silence],
        climbed: Collection[int],
        settings: BlameSettings,
    ) -> None:
        self._settings = settings
        self._members: dict[str, set[str]] = defaultdict(set)
        self._starts: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self._groups: dict[str, list[str]] = {}
        self._hours: dict[str, list[int]] = defaultdict(list)
        for site in inventory.sites:
            groups = [f"upstream {node}" for node in inventory.upstream_chain(site)]
            if site.feeder is not None:
                groups.append(f"feeder {site.feeder}")
            if site.access is Access.GEO:
                groups.append(f"sky {kabupaten_of(site.village)}")
            groups.append(f"provider {site.provider} in {kabupaten_of(site.village)}")
            groups.append(f"region {kabupaten_of(site.village)}")
            self._groups[site.id] = groups
            if site.id in watched:
                for group in groups:
                    self._members[group].add(site.id)
        for number, silence in enumerate(silences):
            for group in self._groups[silence.site.id]:
                if number in climbed or not group.startswith("sky "):
                    self._starts[group].append((silence.interval.start_ms, silence.site.id))
            self._hours[silence.site.id].append(_local_second(silence))
        for starts in self._starts.values():
            starts.sort()

    def together(self, group: str, silence: Silence, within_seconds: int) -> Together:
        """How many members of a group fell within the window around this one's start."""
        window = (within_seconds + silence.site.interval_seconds) * 1000
        starts = self._starts[group]
        start = silence.interval.start_ms
        low = bisect_left(starts, (start - window, ""))
        high = bisect_right(starts, (start + window, "\uffff"))
        fell = len({site for _, site in starts[low:high]})
        return Together(group.partition(" ")[2], fell, len(self._members[group]))

    def feeder(self, silence: Silence) -> Together | None:
        feeder = silence.site.feeder
        if feeder is None:
            return None
        return self.together(f"feeder {feeder}", silence, self._settings.together_seconds)

    def upstream(self, silence: Silence) -> Together | None:
        """The widest node above the site that fell as a whole; else the nearest one."""
        best: Together | None = None
        for group in self._groups[silence.site.id]:
            if not group.startswith("upstream "):
                continue
            found = self.together(group, silence, self._settings.together_seconds)
            whole = (
                found.share >= self._settings.upstream_share_min
                and found.fell >= self._settings.upstream_sites_min
            )
            if best is None or (whole and found.sites >= best.sites):
                best = found
        return best

    def provider(self, silence: Silence) -> Together:
        """The sites of the same provider in the same kabupaten."""
        site = silence.site
        group = f"provider {site.provider} in {kabupaten_of(site.village)}"
        return self.together(group, silence, self._settings.together_seconds)

    def region(self, silence: Silence) -> Together:
        """All sites of the kabupaten, whoever serves them."""
        group = f"region {kabupaten_of(silence.site.village)}"
        return self.together(group, silence, self._settings.together_seconds)

    def fading(self, silence: Silence) -> int:
        """Satellite sites of the kabupaten that faded away at about the same time."""
        if silence.site.access is not Access.GEO:
            return 0
        group = f"sky {kabupaten_of(silence.site.village)}"
        return self.together(group, silence, self._settings.fade_neighbour_seconds).fell

    def same_hour_days(self, silence: Silence) -> int:
        """Outages of this site that began at this time of day, this one included."""
        slack, day = self._settings.power_hour_slack_seconds, 86_400
        second = _local_second(silence)
        return sum(
            min((other - second) % day, (second - other) % day) <= slack
            for other in self._hours[silence.site.id]
        )


def _local_second(silence: Silence) -> int:
    start = datetime.fromtimestamp(
        silence.interval.start_ms / 1000, ZoneInfo(silence.site.timezone)
    )
    return start.hour * 3600 + start.minute * 60 + start.second
