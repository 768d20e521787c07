"""``jangkau score``: what was concluded about a simulated province, held against its truth."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli import options, terminal
from cli.options import AsJson, DataFolder, WeekText
from model.inventory import Inventory
from model.measurement import Vantage
from model.outage import Outage
from model.week import Week

if TYPE_CHECKING:
    from collector.score import Score
    from simulator.truth import TrueOutage, Truth


def score(
    province: Annotated[Path, typer.Option(help="Folder made by 'simulate province'.")],
    week: WeekText = None,
    data: DataFolder = options.DATA,
    centre_only: Annotated[
        bool, typer.Option("--centre-only", help="Conclude without the villages' own probes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Score outages, availability and causes against what really happened, beside the naive rule
    (one lost look is down, no data is down) on the same data."""
    from inventory.read import load
    from simulator.truth import read_truth

    inventory = load(province / "inventory.yaml")
    chosen = options.chosen_week(week, inventory)
    truth = read_truth(province / "truth.jsonl")
    vantage = Vantage.CENTRE if centre_only else None
    ours, naive, stops = scores(data, inventory, chosen, truth, vantage)
    if as_json:
        of_all = {"jangkau": document(ours), "naive": document(naive), "stops": document(stops)}
        terminal.print_json(of_all)
        return
    seen_from = "from the centre alone" if centre_only else "with the villages' probes"
    terminal.stdout.print(table(f"{chosen}, {seen_from}", ours, naive, centre_only=centre_only))
    for (true, said), count in sorted(ours.confusion.items()):
        if true != said:
            terminal.stdout.print(f"  {count} x {true} taken for {said}")
    terminal.stdout.print()
    terminal.stdout.print(stop_table(stops))


def scores(
    data: Path, inventory: Inventory, week: Week, truth: "Truth", vantage: Vantage | None
) -> "tuple[Score, Score, Score]":
    """The score of our conclusions, that of the naive rule, and ours of the stops of services."""
    from collector.archive.parquet import ParquetArchive
    from collector.engine import Engine
    from collector.islands import find_islands
    from collector.score import look_intervals, naive_outages, naive_runs
    from collector.score import score as judge
    from collector.services import find_black_holes, needs_of
    from collector.settings import TruthSettings
    from collector.weeks import analyse, week_interval

    settings = TruthSettings()
    interval = week_interval(inventory, week, truth.interval.end_ms)
    window = week.interval(inventory.province.timezone)
    with Engine() as engine:
        engine.open_looks(ParquetArchive(data / "archive").files(interval), vantage)
        found = analyse(engine, inventory, interval, settings, {})
        series = find_islands(engine, interval, settings.verdict)
        holes = find_black_holes(engine, interval, settings)
    needs = needs_of(series, holes, settings)
    every_ms = look_intervals(series)
    happened = true_outages(truth)
    naive = naive_runs(series, found.runs, window)
    judged = (
        judge(happened, outages, runs, window, truth.blind, every_ms, settings.verdict)
        for outages, runs in (
            (found.outages, found.runs),
            (naive_outages(naive), naive),
        )
    )
    ours, theirs = judged
    stops = needs.stops(found.runs, settings)
    ours_of_stops = judge(
        _by_site(truth.stops),
        {site: stops.of(site) for site in needs.claims},
        {site: stops.timeline(site, window) for site in needs.claims},
        window,
        (),
        needs.every_ms,
        settings.verdict,
    )
    return ours, theirs, ours_of_stops


def true_outages(truth: "Truth") -> dict[str, list[Outage]]:
    """All true stretches of unreachability by site, interruptions included."""
    return _by_site((*truth.outages, *truth.interruptions))


def _by_site(several: "Iterable[TrueOutage]") -> dict[str, list[Outage]]:
    by_site: dict[str, list[Outage]] = {}
    for one in several:
        by_site.setdefault(one.site, []).append(
            Outage(one.site, one.start_ms, one.end_ms, False, one.cause, 1.0)
        )
    return by_site


def document(result: "Score") -> dict[str, Any]:
    """The score for machines."""
    plain = asdict(result)
    plain["confusion"] = [
        {"true": true, "said": said, "count": count}
        for (true, said), count in sorted(result.confusion.items())
    ]
    plain["false_per_1000_weeks"] = result.false_per_1000_weeks
    return plain


def table(title: str, ours: "Score", naive: "Score", *, centre_only: bool) -> Table:
    """The figures beside their goals and beside the naive rule."""
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for heading in ("figure", "goal", "jangkau", "naive rule"):
        drawn.add_column(heading, justify="left" if heading == "figure" else "right")
    for name, goal, key, digits in _FIGURES:
        drawn.add_row(
            name, goal, _number(_value(ours, key), digits), _number(_value(naive, key), digits)
        )
    drawn.add_row(
        "cause, macro-F1",
        ">= 0.80" if centre_only else ">= 0.95",
        _number(ours.cause_macro_f1, 3),
        "–",
    )
    for cause, (f1, cases) in ours.cause_f1.items():
        drawn.add_row(f"  {cause}, {cases} outages", "", _number(f1, 3), "–")
    return drawn


def stop_table(stops: "Score") -> Table:
    """How well the stops of services were found, and their causes."""
    drawn = Table(title="Stops of services", title_justify="left", box=None, pad_edge=False)
    drawn.add_column("figure")
    drawn.add_column("jangkau", justify="right")
    for name, _, key, digits in _FIGURES:
        if key in _STOP_FIGURES:
            drawn.add_row(_STOP_FIGURES[key] or name, _number(_value(stops, key), digits))
    drawn.add_row("cause, macro-F1", _number(stops.cause_macro_f1, 3))
    for cause, (f1, cases) in stops.cause_f1.items():
        drawn.add_row(f"  {cause}, {cases} stops", _number(f1, 3))
    return drawn


_STOP_FIGURES: Mapping[str, str] = {
    "site_weeks": "site-weeks",
    "true_outages": "true stops",
    "false_per_1000_weeks": "false stops per 1,000 site-weeks",
    "missed_outages": "missed stops over 3 intervals",
    "unseen_outages": "stops that nobody could see",
    "start_error_median": "",
    "end_error_median": "",
}
"""Which figures are said of stops, and how; an empty text is as of outages."""

_FIGURES: Sequence[tuple[str, str, str, int]] = (
    ("village-weeks", "", "site_weeks", 0),
    ("true outages", "", "true_outages", 0),
    ("availability error, median (points)", "", "availability_error_p50", 3),
    ("availability error, p99 (points)", "<= 0.1", "availability_error_p99", 3),
    ("  the same against time that nobody saw", "", "whole_week_error_p99", 3),
    ("false outages per 1,000 village-weeks", "0", "false_per_1000_weeks", 2),
    ("missed outages over 3 intervals", "0", "missed_outages", 0),
    ("outages that nobody could see", "", "unseen_outages", 0),
    ("start error, median (intervals)", "<= 1", "start_error_median", 2),
    ("start error, p95 (intervals)", "<= 2", "start_error_p95", 2),
    ("end error, median (intervals)", "<= 1", "end_error_median", 2),
    ("end error, p95 (intervals)", "<= 2", "end_error_p95", 2),
    ("charged while the centre was blind (s)", "0", "blind_charged_seconds", 0),
)


def _value(result: "Score", key: str) -> float | None:
    value: float | None = getattr(result, key)
    return value


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
