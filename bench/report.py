"""How long a report takes, and how much memory: all forms of a province and of the nation."""

import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from typer.testing import CliRunner

from cli.simulate import app
from model.definition import Quality, State
from model.inventory import Inventory
from model.measurement import Outcome
from model.outage import Cause, Outage
from model.service import ServiceWeek
from model.summary import Repair, SiteWeek, Summary, WeekRecord
from model.timeline import Interval, Run
from model.week import Week

PROVINCE, NATION = 2_145, 83_762


def run() -> None:
    """2,145 villages, four weeks at five minutes (goal: 20 s, 1 GB), then the nation's villages
    with random weeks (goal: 4 minutes). The peer is LibreOffice writing the province's workbook
    as PDF: one form out of six, where it is installed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _simulate("province", "--out", str(folder), "--villages", str(PROVINCE))
        data = folder / "data"
        _simulate("history", "--province", str(folder), "--data", str(data), "--weeks", "4")
        place = ("--inventory", str(folder / "inventory.yaml"), "--data", str(data))
        week = max(path.name[4:] for path in (data / "archive").iterdir())
        words = ("report", *place, "--week", _week_of(week), "--weeks", "4")
        _timed("province, weeks concluded first", *words, "--out", str(folder / "out"))
        ours = _timed("province, all forms", *words, "--out", str(folder / "out"))
        _peer(folder / "out", ours)
    _timed("nation, all forms, weeks made in the same process", "-nation-")


def _simulate(*words: str) -> None:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    if result.exit_code:
        raise RuntimeError(result.output)


def _week_of(day: str) -> str:
    # The last day of the history is its Sunday; UTC days may begin a day earlier.
    year, number, _ = (date.fromisoformat(day) - timedelta(days=1)).isocalendar()
    return f"{year}-W{number:02d}"


def _timed(name: str, *words: str) -> float:
    """Run in a process of its own, as a user would; its peak memory is its own then."""
    code = "from cli.main import main; main()"
    if words == ("-nation-",):
        code = "from bench.report import nation; nation()"
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-c", code, *words], stdout=sys.stderr)
    # wait4 tells of this child alone; its peak would else hide behind a bigger one's.
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - began
    if child.returncode:
        raise RuntimeError(f"{name} ended with code {child.returncode}")
    cpu = used.ru_utime + used.ru_stime
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} CPU-s, {used.ru_maxrss / 1e6:.2f} GB", flush=True)
    return seconds


def _peer(out: Path, ours: float) -> None:
    try:
        began = time.monotonic()
        workbook = next(out.glob("*.xlsx"))
        words = ["soffice", "--headless", "--convert-to", "pdf", "--outdir", str(out / "peer")]
        subprocess.run([*words, str(workbook)], check=True, capture_output=True)
    except FileNotFoundError:
        print("LibreOffice is not installed: no peer")
        return
    theirs = time.monotonic() - began
    print(
        f"LibreOffice, the workbook as PDF: {theirs:.1f} s; all our forms / it {ours / theirs:.2f}"
    )


def nation() -> None:
    """The report on the nation's villages with a site in each, four random weeks, and the map's
    picture; without the conclusions, whose bench is the collector's."""
    from inventory.read import load  # noqa: PLC0415 - this is a process of its own
    from inventory.register import load_register  # noqa: PLC0415
    from maps.coverage import coverage  # noqa: PLC0415
    from maps.map_data import MapInput  # noqa: PLC0415
    from maps.picture import picture  # noqa: PLC0415
    from maps.report.weekly import weekly_report  # noqa: PLC0415
    from maps.report.write import write_report  # noqa: PLC0415
    from maps.words import load as words  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        _simulate(
            "province",
            "--out",
            str(folder),
            "--villages",
            str(NATION),
            "--network",
            "10.0.0.0/8",
            "--kabupaten",
            "60",
        )
        watched = load(folder / "inventory.yaml")
        register = load_register(Path(str(watched.register_file)))
        records = [_random_week(watched, Week(2026, number)) for number in range(43, 47)]
        began = time.monotonic()
        graded = coverage(register, watched, records)
        services = [_service(item) for item in records[-1].site_weeks]
        report = weekly_report(register, watched, records, graded, service_weeks=services)
        drawn = picture(MapInput(register, watched, graded, tuple(records)), words("id"))
        written = write_report(report, folder / "out", words("id"), picture=drawn)
        seconds = time.monotonic() - began
        sizes = ", ".join(f"{form} {path.stat().st_size / 1e6:.1f} MB"
                          for form, path in written.items())  # fmt: skip
        print(f"nation, {len(register.villages)} villages: {seconds:.1f} s: {sizes}", flush=True)


def _service(item: SiteWeek) -> ServiceWeek:
    """A site whose service stands on nothing but its line, day and night."""
    whole = (Interval(item.runs[0].start_ms, item.runs[-1].end_ms),)
    ready = tuple(run.interval for run in item.runs if run.outcome is Outcome.UP)
    stopped = {outage.cause.value: (outage.interval,) for outage in item.outages}
    return ServiceWeek(item.site, item.week, whole, ready, stopped)


def _random_week(watched: Inventory, week: Week) -> WeekRecord:
    """A week in which one site in four has an outage; the same every time."""
    rng = random.Random(str(week))  # noqa: S311 - data of a bench
    hour = 3_600_000
    items = []
    for site in watched.sites:
        span = week.interval(site.timezone)
        at = span.start_ms + rng.randrange(120 * hour)
        down = Interval(at, at + rng.randrange(hour // 2, 40 * hour))
        outages = ()
        runs = (Run(*span, Outcome.UP),)
        lost = 0
        if rng.random() < 0.25:
            lost = down.length_ms
            cause = rng.choice([Cause.POWER, Cause.LINK, Cause.UPSTREAM])
            outages = (Outage(site.id, *down, open=False, cause=cause, confidence=0.9),)
            runs = (Run(span.start_ms, at, Outcome.UP), Run(*down, Outcome.DOWN),
                    Run(down.end_ms, span.end_ms, Outcome.UP))  # fmt: skip
        raw = Summary(up_ms=span.length_ms - lost, down_ms=lost)
        service = Summary(up_ms=40 * hour - lost // 5, down_ms=lost // 5)
        state = State.STABLE if lost < 4 * hour else State.UNSTABLE
        items.append(
            SiteWeek(site.id, week, raw, service, raw, Repair(), Quality(), state, outages, runs)
        )
    end = week.interval(watched.province.timezone).end_ms
    return WeekRecord(week, 1, end, end, watched.definition.hash, tuple(items))
