"""``jangkau explain SITE``: one site's week, drawn, with the evidence of every outage."""

from typing import Annotated

import typer
from rich.text import Text

from cli import options, rows, terminal, wording
from cli.concluded import conclude
from cli.options import AsCsv, AsJson, DataFolder, InventoryFile, WeekText
from model.measurement import Outcome
from model.site import DAY_NAMES, Site
from model.summary import SiteWeek
from model.timeline import Interval, intersect, total_ms
from model.week import Week

_CELLS = 72
"""A day is drawn in cells of twenty minutes."""
_MARKS = {
    Outcome.UP: ("█", "#0a5f8a"),
    Outcome.DOWN: ("X", "bold #a3123a"),
    Outcome.UNKNOWN: ("?", "#8a867e"),
}


def explain(
    site_id: Annotated[str, typer.Argument(metavar="SITE", help="The site's id.")],
    week: WeekText = None,
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Draw a site's week and say of each outage what decided its cause."""
    asked = conclude(inventory, data, week, site_id=site_id)
    site, chosen, entry = asked.sites[site_id], asked.week, asked.entry
    record = next(iter(asked.site_weeks), None)
    if record is None:
        terminal.stdout.print(f"{site_id} was not in service in {chosen}.")
        return
    if as_json:
        terminal.print_json(_document(site, record))
        return
    if as_csv:
        rows.write_csv(_timeline(site, record))
        return
    terminal.stdout.print(
        Text(f"{site.name} ({site.id}), {chosen}, revision {entry.record.revision}")
    )
    terminal.stdout.print(
        f"service hours {wording.share(record.service.availability)} · whole week "
        f"{wording.share(record.raw.availability)} · observed "
        f"{wording.share(record.raw.observed_share, 1)} · {record.state.value}\n"
    )
    for line in _drawing(record, chosen, site.timezone):
        terminal.stdout.print(line)
    terminal.stdout.print(
        Text("█ up  X down  ? unknown  (worst of each 20 minutes)\n", style="dim")
    )
    for outage in record.outages:
        ends = "goes on" if outage.open else wording.local_time(outage.end_ms, site.timezone)
        seconds = (outage.end_ms - outage.start_ms) / 1000
        terminal.stdout.print(
            Text(
                f"{wording.local_time(outage.start_ms, site.timezone)} to {ends}, "
                f"{wording.duration(seconds)}: {outage.cause.value} "
                f"({wording.share(outage.confidence, 0)} sure)"
                + (f", part of {outage.parent}" if outage.parent else ""),
                style="bold",
            )
        )
        for one in outage.evidence:
            if one.rule == "prior" and len(outage.evidence) > 2:
                continue
            sign = "+" if one.cause is outage.cause else "-"
            terminal.stdout.print(Text(f"  {sign} {one.text} [{one.cause.value} {one.weight:.2f}]"))
    for run in record.runs:
        if run.outcome is Outcome.UNKNOWN:
            seconds = (run.end_ms - run.start_ms) / 1000
            terminal.stdout.print(
                Text(
                    f"{wording.local_time(run.start_ms, site.timezone)}, "
                    f"{wording.duration(seconds)}: unknown, {run.reason}"
                )
            )


def _drawing(record: SiteWeek, week: Week, zone: str) -> list[Text]:
    """Seven lines, one per local day; the worst outcome of each cell wins, and a cell that no
    run touches (not in service, the future) stays empty."""
    bounds = week.interval(zone)
    step = (bounds.end_ms - bounds.start_ms) // (7 * _CELLS)
    by_outcome = {
        outcome: [run.interval for run in record.runs if run.outcome is outcome]
        for outcome in (Outcome.DOWN, Outcome.UNKNOWN, Outcome.UP)
    }
    lines = [Text("     0h    2h    4h    6h    8h    10h   12h   14h   16h   18h   20h   22h")]
    for day, name in enumerate(DAY_NAMES):
        line = Text(f"{name}  ")
        for cell in range(_CELLS):
            start = bounds.start_ms + (day * _CELLS + cell) * step
            span = [Interval(start, start + step)]
            mark = next(
                (
                    _MARKS[outcome]
                    for outcome, intervals in by_outcome.items()
                    if total_ms(intersect(intervals, span))
                ),
                (" ", ""),
            )
            line.append(*mark)
        lines.append(line)
    return lines


def _timeline(site: Site, record: SiteWeek) -> list[dict[str, object]]:
    """The runs of the week as rows, each with the cause of the outage that it lies in."""
    timeline: list[dict[str, object]] = []
    for run in record.runs:
        inside = next((one for one in record.outages if one.interval.clip(run.interval)), None)
        down = run.outcome is Outcome.DOWN and inside is not None
        timeline.append(
            {
                "site": site.id,
                "start": wording.iso_time(run.start_ms, site.timezone),
                "end": wording.iso_time(run.end_ms, site.timezone),
                "seconds": (run.end_ms - run.start_ms) / 1000,
                "outcome": run.outcome.name.lower(),
                "reason": run.reason,
                "cause": inside.cause.value if down and inside else "",
                "evidence": inside.evidence[0].text if down and inside else "",
            }
        )
    return timeline


def _document(site: Site, record: SiteWeek) -> dict[str, object]:
    return {
        "site": site.id,
        "week": str(record.week),
        "state": record.state.value,
        "service_availability": record.service.availability,
        "raw_availability": record.raw.availability,
        "observed_share": record.raw.observed_share,
        "runs": [
            {
                "start": wording.iso_time(run.start_ms, site.timezone),
                "end": wording.iso_time(run.end_ms, site.timezone),
                "outcome": run.outcome.name.lower(),
                "reason": run.reason,
            }
            for run in record.runs
        ],
        "outages": [
            {
                "start": wording.iso_time(outage.start_ms, site.timezone),
                "end": wording.iso_time(outage.end_ms, site.timezone),
                "open": outage.open,
                "cause": outage.cause.value,
                "confidence": outage.confidence,
                "parent": outage.parent,
                "evidence": [
                    {
                        "rule": one.rule,
                        "cause": one.cause.value,
                        "weight": one.weight,
                        "text": one.text,
                    }
                    for one in outage.evidence
                ],
            }
            for outage in record.outages
        ],
    }
