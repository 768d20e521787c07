"""When a failed look proves nothing: the centre's own line was down, it was not looking at all, or
what the villages look at was down itself.

Law: the monitor's own outage never counts against a village (C4). A look that failed while its
observer was blind, or its target gone, is no look.
"""

from collections.abc import Iterable, Sequence

from collector.islands import Series
from collector.settings import VerdictSettings
from model.inventory import CENTRE_SITE
from model.measurement import Outcome, Rung, Vantage
from model.timeline import Interval, intersect, union


def own_line_down(all_series: Iterable[Series], settings: VerdictSettings) -> list[Interval]:
    """The stretches in which no look from the centre may be believed to say DOWN.

    Either every anchor of the centre failed, or so many sites failed at once that the centre's own
    line is the likelier reason. A stretch reaches back to the last good look before it and on to
    the first good look after it, because the line may have failed anywhere in between.
    """
    anchors: list[Series] = []
    sites: list[Series] = []
    for series in all_series:
        if series.vantage != Vantage.CENTRE:
            continue
        if series.site == CENTRE_SITE and series.target.startswith(Rung.ANCHOR):
            anchors.append(series)
        elif series.target == Rung.SITE:
            sites.append(series)
    blind = _common_failures(anchors)
    if len(sites) >= settings.mass_sites_min:
        blind = union([*blind, *_mass_failures(sites, settings.mass_share)])
    return blind


def targets_down(
    all_series: Iterable[Series], settings: VerdictSettings
) -> dict[str, list[Interval]]:
    """By target, the stretches in which nearly all villages' probes failed to reach it at once:
    then the target failed, not the villages."""
    by_target: dict[str, list[Series]] = {}
    for series in all_series:
        if series.vantage == Vantage.VILLAGE and series.kind == "ping":
            by_target.setdefault(series.target, []).append(series)
    return {
        target: _mass_failures(members, settings.mass_share)
        for target, members in by_target.items()
        if len(members) >= settings.mass_sites_min
    }


def not_looking(all_series: Iterable[Series], within: Interval) -> list[Interval]:
    """The stretches of ``within`` in which nothing at all was heard from the centre's probe."""
    heard = union(
        Interval(island.first_ms, island.last_ms + island.interval_ms)
        for series in all_series
        if series.vantage == Vantage.CENTRE
        for island in series.islands
    )
    silent: list[Interval] = []
    at = within.start_ms
    for start, end in heard:
        if start > at:
            silent.append(Interval(at, min(start, within.end_ms)))
        at = max(at, end)
    if at < within.end_ms:
        silent.append(Interval(at, within.end_ms))
    return [item for item in silent if item.length_ms > 0]


def _common_failures(anchors: Sequence[Series]) -> list[Interval]:
    """The time in which all anchors failed, widened to the good looks around each failure."""
    common: list[Interval] | None = None
    for anchor in anchors:
        failed = _failed_spans(anchor)
        common = failed if common is None else intersect(common, failed)
    return common or []


def _failed_spans(series: Series) -> list[Interval]:
    """From the look before each DOWN island to the look after it."""
    return union(
        Interval(island.first_ms - island.interval_ms, island.last_ms + island.interval_ms)
        for island in series.islands
        if island.outcome is Outcome.DOWN
    )


def _mass_failures(sites: Sequence[Series], share: float) -> list[Interval]:
    """The time in which more than ``share`` of the sites failed together."""
    edges: list[tuple[int, int]] = []
    for series in sites:
        for island in series.islands:
            if island.outcome is Outcome.DOWN:
                edges.append((island.first_ms - island.interval_ms, 1))
                edges.append((island.last_ms + island.interval_ms, -1))
    edges.sort()
    found: list[Interval] = []
    count, since = 0, None
    for at, step in edges:
        count += step
        if since is None and count > share * len(sites):
            since = at
        elif since is not None and count <= share * len(sites):
            found.append(Interval(since, at))
            since = None
    return found
