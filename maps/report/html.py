"""The weekly report as one self-contained HTML page.

Law: no script at all and no request; every text goes through Jinja's autoescape, and the
Content-Security-Policy admits the page's own style sheet and nothing else.
"""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from maps.files import write_text
from maps.limits import limits
from maps.look import STATES
from maps.report import weekly
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.definition import State
from model.region import Village

_HERE = Path(__file__).parent


def write_html(report: WeeklyReport, path: Path, words: Words, *, fictional: bool = False) -> Path:
    """Write the page and return its path. Raises UnavailableError when it cannot be written."""
    write_text(path, render(report, words, fictional=fictional))
    return path


def render(report: WeeklyReport, words: Words, *, fictional: bool = False) -> str:
    """The page as text."""
    result = report.coverage
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["place"] = place
    style = (_HERE / "weekly.css").read_text("utf-8") + _state_styles()
    tallies = result.total.weeks
    quality = report.quality
    return environment.get_template("weekly.html.j2").render(
        r=report,
        w=words,
        fictional=fictional,
        looks=STATES,
        rules={
            "chronic": weekly.CHRONIC_OUTAGES,
            "flapping": weekly.FLAPPING_CHANGES,
            "window": weekly.WINDOW_WEEKS,
        },
        style=Markup(style),  # noqa: S704 - our own files, hashed into the page's policy
        style_hash=_hash(style),
        changes={back: result.change(back) for back in (1, 4)},
        week_names=[str(week) for week in result.weeks],
        stable_weeks=[tally.states[State.STABLE] for tally in tallies],
        met_weeks=[tally.meets_target for tally in tallies],
        target_known_from=result.definition.target_window_weeks - 1,
        funnel=_funnel(report, words),
        causes=[
            (
                words(f"cause.{cause}"),
                seconds,
                f"{words.number(seconds / 3600, 1)} {words('unit.hours')} ({words.number(count)})",
            )
            for cause, count, seconds in report.by_cause
        ],
        quality=[
            ("report.quality_silent", [site.name for site in quality.silent]),
            ("report.quality_coordinates", [site.name for site in quality.without_coordinates]),
            ("report.quality_outside", list(quality.outside_register)),
            ("report.quality_critical", [*map(place, quality.villages_without_critical_site)]),
            ("report.quality_definition", [*map(str, result.weeks_of_other_definition)]),
        ],
        annex=[
            (state, [place(item.village) for item in result.villages if item.state is state])
            for state in STATES
        ],
        limits=limits(result.definition, words),
    )


def place(village: Village) -> str:
    """A village by name and code; names repeat within a province."""
    return f"{village.name} ({village.code})"


def _funnel(report: WeeklyReport, words: Words) -> list[tuple[str, int, str]]:
    funnel = report.coverage.funnel
    steps = (
        ("report.funnel_registered", funnel.registered),
        ("report.funnel_connected", funnel.connected),
        ("report.funnel_monitored", funnel.monitored),
        ("report.funnel_reporting", funnel.reporting),
        ("report.funnel_available", funnel.available),
        ("report.funnel_stable", funnel.stable),
    )
    before = funnel.registered
    rows = []
    for key, count in steps:
        lost = f" ({words.signed(count - before)})" if count != before else ""
        rows.append((words(key), count, words.number(count) + lost))
        before = count
    return rows


def _state_styles() -> str:
    return "".join(
        f".s-{state} {{ background-color: {look.colour}; color: {look.ink}; }}\n"
        for state, look in STATES.items()
    )


def _hash(style: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
