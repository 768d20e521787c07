"""What was concluded, held against what really happened.

Law: truth and conclusion are judged by the same definition of an outage (silent for five minutes
opens it, good for five minutes closes it), and what nobody could see is counted apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collector.islands import Series
from collector.settings import VerdictSettings
from model.measurement import Outcome, Rung, Vantage
from model.outage import Cause, Outage
from model.timeline import Interval, Run, intersect, subtract, total_ms, union


@dataclass(frozen=True, slots=True)
class Score:
    """How near the conclusion came. Errors of availability are in percentage points: against the
    truth of the time that was seen, and against the truth of the whole week (which nobody can know
    who could not look). Errors of start and end are in intervals of the looks at the site. None
    where there was nothing to judge."""

    site_weeks: int
    true_outages: int
    availability_error_p50: float | None
    availability_error_p99: float | None
    whole_week_error_p99: float | None
    false_outages: int
    missed_outages: int
    unseen_outages: int
    start_error_median: float | None
    start_error_p95: float | None
    end_error_median: float | None
    end_error_p95: float | None
    cause_macro_f1: float | None
    cause_f1: Mapping[str, tuple[float, int]]
    confusion: Mapping[tuple[str, str], int]
    blind_charged_seconds: float

    @property
    def false_per_1000_weeks(self) -> float:
        return 1000 * self.false_outages / self.site_weeks if self.site_weeks else 0.0


@dataclass
class _Tally:
    """What has been counted so far, over all sites."""

    errors: list[float]
    whole_errors: list[float]
    starts: list[float]
    ends: list[float]
    pairs: list[tuple[str, str]]
    false: int = 0
    missed: int = 0
    unseen: int = 0
    true: int = 0
    blind_charged_ms: int = 0


def settle_truth(outages: Sequence[Outage], settings: VerdictSettings) -> list[Outage]:
    """True stretches of unreachability as outages by definition: good moments shorter than
    ``settle_seconds`` bridged, what is shorter than ``confirm_seconds`` dropped. The cause is that
    of the longest part."""
    settled: list[Outage] = []
    parts: list[Outage] = []
    for outage in [*sorted(outages, key=lambda one: one.start_ms), None]:
        if parts and (
            outage is None
            or outage.start_ms - max(part.end_ms for part in parts)
            >= settings.settle_seconds * 1000
        ):
            start, end = parts[0].start_ms, max(part.end_ms for part in parts)
            if end - start >= settings.confirm_seconds * 1000:
                main = max(parts, key=lambda part: part.end_ms - part.start_ms)
                settled.append(Outage(main.site, start, end, False, main.cause, 1.0))
            parts = []
        if outage is not None:
            parts.append(outage)
    return settled


def score(
    truth: Mapping[str, Sequence[Outage]],
    found: Mapping[str, Sequence[Outage]],
    runs: Mapping[str, Sequence[Run]],
    window: Interval,
    blind: Sequence[Interval],
    every_ms: Mapping[str, int],
    settings: VerdictSettings,
) -> Score:
    """Judge one window. ``truth`` holds every true stretch of unreachability (reboots too) by site,
    ``found`` and ``runs`` what was concluded, ``blind`` when the centre could not see, ``every_ms``
    how often each site was looked at (``look_intervals``)."""
    tally = _Tally([], [], [], [], [])
    for site, timeline in runs.items():
        _judge_site(
            tally,
            [o for o in truth.get(site, ()) if o.interval.clip(window)],
            [o for o in found.get(site, ()) if o.interval.clip(window)],
            timeline,
            window,
            blind,
            every_ms.get(site, settings.confirm_seconds * 1000),
            settings,
        )
    f1 = _f1(tally.pairs)
    confusion: dict[tuple[str, str], int] = defaultdict(int)
    for pair in tally.pairs:
        confusion[pair] += 1
    return Score(
        site_weeks=len(runs),
        true_outages=tally.true,
        availability_error_p50=_quantile(tally.errors, 0.5),
        availability_error_p99=_quantile(tally.errors, 0.99),
        whole_week_error_p99=_quantile(tally.whole_errors, 0.99),
        false_outages=tally.false,
        missed_outages=tally.missed,
        unseen_outages=tally.unseen,
        start_error_median=_quantile(tally.starts, 0.5),
        start_error_p95=_quantile(tally.starts, 0.95),
        end_error_median=_quantile(tally.ends, 0.5),
        end_error_p95=_quantile(tally.ends, 0.95),
        cause_macro_f1=sum(value for value, _ in f1.values()) / len(f1) if f1 else None,
        cause_f1=f1,
        confusion=dict(confusion),
        blind_charged_seconds=tally.blind_charged_ms / 1000,
    )


def look_intervals(all_series: Iterable[Series]) -> dict[str, int]:
    """How often each site was looked at, in milliseconds: by the centre where it looked, by the
    site's own probe otherwise."""
    every: dict[str, int] = {}
    for series in sorted(all_series, key=lambda one: one.vantage != Vantage.CENTRE):
        if series.target in {Rung.SITE, Rung.NATIONAL}:
            every.setdefault(series.site, series.islands[0].interval_ms)
    return every


def naive_runs(
    all_series: Iterable[Series], sites: Iterable[str], window: Interval
) -> dict[str, list[Run]]:
    """The rule of most monitors, for comparison: one lost look is down, and so is no data."""
    up: dict[str, list[Interval]] = defaultdict(list)
    for series in all_series:
        if series.vantage == Vantage.CENTRE and series.target == Rung.SITE:
            up[series.site] += [
                Interval(island.first_ms, island.last_ms + island.interval_ms)
                for island in series.islands
                if island.outcome is Outcome.UP
            ]
    timelines: dict[str, list[Run]] = {}
    for site in sites:
        good = intersect(union(up.get(site, ())), [window])
        down = subtract([window], good)
        timelines[site] = sorted(
            [Run(*item, Outcome.UP) for item in good] + [Run(*item, Outcome.DOWN) for item in down],
            key=lambda run: run.start_ms,
        )
    return timelines


def naive_outages(timelines: Mapping[str, Sequence[Run]]) -> dict[str, list[Outage]]:
    """The outages of the naive rule: every stretch that is not up."""
    return {
        site: [
            Outage(site, run.start_ms, run.end_ms, False, Cause.UNKNOWN, 0.0)
            for run in runs
            if run.outcome is Outcome.DOWN
        ]
        for site, runs in timelines.items()
    }


def _judge_site(
    tally: _Tally,
    truth: Sequence[Outage],
    found: Sequence[Outage],
    timeline: Sequence[Run],
    window: Interval,
    blind: Sequence[Interval],
    step_ms: int,
    settings: VerdictSettings,
) -> None:
    settled = settle_truth(truth, settings)
    down_truth = intersect(union(o.interval for o in settled), [window])
    any_truth = union(o.interval for o in truth)
    down = intersect([r.interval for r in timeline if r.outcome is Outcome.DOWN], [window])
    unknown = [r.interval for r in timeline if r.outcome is Outcome.UNKNOWN]
    seen = subtract([window], union(unknown))
    if seen:
        concluded = total_ms(down) / total_ms(seen)
        true_seen = total_ms(intersect(down_truth, seen)) / total_ms(seen)
        tally.errors.append(100 * abs(concluded - true_seen))
        true_whole = total_ms(down_truth) / window.length_ms
        tally.whole_errors.append(100 * abs(concluded - true_whole))
    # A probe that looks every few minutes sees an end that much later: no charge for blindness.
    slack = settings.settle_seconds * 1000
    near_truth = union(Interval(item.start_ms - slack, item.end_ms + slack) for item in any_truth)
    tally.blind_charged_ms += total_ms(subtract(intersect(down, blind), near_truth))
    short = settings.confirm_seconds * 1000 - step_ms
    for outage in found:
        if total_ms(intersect([outage.interval], any_truth)) < max(short, 1):
            tally.false += 1
    for outage in settled:
        tally.true += 1
        matches = [o for o in found if o.interval.clip(outage.interval) is not None]
        if not matches:
            visible = outage.interval.length_ms - total_ms(intersect(unknown, [outage.interval]))
            if visible <= 3 * step_ms:
                tally.unseen += 1
            else:
                tally.missed += 1
            continue
        main = max(matches, key=lambda o: o.interval.clip(outage.interval).length_ms)  # type: ignore[union-attr] # only those that overlap are here
        start, end = min(o.start_ms for o in matches), max(o.end_ms for o in matches)
        if outage.start_ms > window.start_ms:
            tally.starts.append(abs(start - outage.start_ms) / step_ms)
        if outage.end_ms < window.end_ms:
            tally.ends.append(abs(end - outage.end_ms) / step_ms)
        tally.pairs.append((outage.cause.value, main.cause.value))


def _f1(pairs: Sequence[tuple[str, str]]) -> dict[str, tuple[float, int]]:
    """F1 and number of true cases by true cause."""
    scores: dict[str, tuple[float, int]] = {}
    for cause in sorted({true for true, _ in pairs}):
        hits = sum(true == cause == said for true, said in pairs)
        true_cases = sum(true == cause for true, _ in pairs)
        said_cases = sum(said == cause for _, said in pairs)
        scores[cause] = (2 * hits / (true_cases + said_cases), true_cases)
    return scores


def _quantile(values: Sequence[float], share: float) -> float | None:
    return float(np.quantile(np.asarray(values), share)) if values else None
