"""The work list on a phone: a page without any script, and the same as plain text.

Law: both say the same; every text goes through Jinja's autoescape, links are made of numbers and
checked digits only, and the policy admits the page's own style sheet and nothing else.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from maps.files import write_text
from maps.look import STATES
from maps.page_policy import style_policy
from maps.words import Words
from maps.worklist import Stop, WorkList
from model.outage import Evidence

_HERE = Path(__file__).parent
_PHONE = re.compile(r"\+?[0-9]{5,15}", re.ASCII)
RULES = frozenset(
    {
        *("boot", "fade", "feeder", "maintenance", "power_hours"),
        *("prior", "rungs", "supply", "upstream", "uptime"),
    }
)
"""The rules of evidence that have a sentence of their own in the locale files."""


def write_worklist(found: WorkList, folder: Path, words: Words, zone: str) -> tuple[Path, Path]:
    """Write the page and the text into ``folder`` and return their paths. File names are made of
    the region's code and the week. Raises UnavailableError when they cannot be written."""
    name = f"{words('worklist.file')}-{found.region}-{found.week}"
    page, text = folder / f"{name}.html", folder / f"{name}.txt"
    write_text(page, render(found, words, zone))
    write_text(text, plain(found, words, zone))
    return page, text


def render(found: WorkList, words: Words, zone: str) -> str:
    """The page as text. ``zone`` is the IANA name of the province's time zone."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (_HERE / "assets" / "worklist.css").read_text("utf-8")
    return environment.get_template("worklist.html.j2").render(
        found=found,
        w=words,
        style=Markup(style),  # noqa: S704 - our own file, hashed into the page's policy
        policy=style_policy(style),
        looks=STATES,
        head=head(found, words, zone),
        lines=lambda stop: lines(stop, words, zone, first=stop is found.stops[0]),
        phone=phone,
        where=where,
    )


def plain(found: WorkList, words: Words, zone: str) -> str:
    """The list as lines of text for a message."""
    out = [words("worklist.title", region=found.name), *head(found, words, zone), ""]
    for number, stop in enumerate(found.stops, 1):
        state = words(f"state.{stop.week.state}")
        out.append(f"{number}. {_one_line(stop.site.name)} [{state}]")
        out += [f"   {_one_line(line)}" for line in lines(stop, words, zone, first=number == 1)]
        contact = " ".join(filter(None, (stop.site.contact_name, stop.site.contact_phone)))
        out += [f"   {_one_line(part)}" for part in (contact, where(stop)) if part]
        out.append("")
    return "\n".join(out)


def head(found: WorkList, words: Words, zone: str) -> list[str]:
    """What the list is: its week, how many of how many sites, the start, the age of the data."""
    known = sum(stop.leg_km or 0 for stop in found.stops)
    start = found.start
    until = found.data_until_ms
    dated = (
        words("both.data_until", moment=words.moment(until, zone))
        if until is not None
        else words("both.no_data")
    )
    count, watched = words.number(len(found.stops)), words.number(found.watched)
    return [
        f"{words.week_days(found.week)} ({found.week})",
        words("worklist.count", count=count, all=watched),
        words("worklist.rule"),
        words("worklist.route", start=f"{start[0]:.4f}, {start[1]:.4f}", km=words.number(known))
        if start
        else words("worklist.route_none"),
        f"{dated} · {words('both.revision', number=found.revision)}",
    ]


def lines(stop: Stop, words: Words, zone: str, *, first: bool) -> list[str]:
    """What a technician reads of a stop, besides its name, state, contact and place; the ``first``
    one is reached from the start."""
    village = stop.village
    out = [f"{village.name}, {village.code} · {words(f'access.{stop.site.access}')}"]
    if stop.leg_km is not None:
        leg = "worklist.leg_first" if first else "worklist.leg"
        out.append(words(leg, km=words.number(stop.leg_km, 1)))
    if not stop.exact:
        out.append(words("worklist.village_point"))
    if stop.open_since_ms is not None:
        out.append(words("worklist.since", moment=words.moment(stop.open_since_ms, zone)))
    if stop.cause is None:
        out.append(words("worklist.silent"))
    else:
        out.append(
            words(
                "worklist.cause",
                cause=words(f"cause.{stop.cause}"),
                sure=words.percent(stop.sure, 0),
                time=words.duration(stop.down_minutes * 60),
            )
        )
        out += [evidence(one, words) for one in stop.evidence]
    if stop.call_first:
        out.append(words("worklist.call_first"))
    if stop.bring:
        what = "; ".join(words(f"worklist.{key}") for key in stop.bring)
        out.append(words("worklist.bring", what=what))
    return [*out, _good(stop, words)]


def evidence(one: Evidence, words: Words) -> str:
    """What a rule found, in the reader's language; its own sentence where the rule is new."""
    rule = one.rule.replace(" ", "_")
    return words(f"worklist.evidence_{rule}") if rule in RULES else one.text


def _good(stop: Stop, words: Words) -> str:
    if stop.good is None:
        return words("map.last_good_none")
    week, item = stop.good
    quality = item.quality
    values = [f"{words('both.availability')} {words.percent(item.service.availability)}"]
    if quality.rtt_median_seconds is not None:
        values.append(f"{words.number(quality.rtt_median_seconds * 1000)} ms")
    if quality.loss_p95 is not None:
        values.append(f"{words('worklist.loss')} {words.percent(quality.loss_p95)}")
    if quality.download_mbit_s is not None:
        values.append(f"{words.number(quality.download_mbit_s, 1)} Mbit/s")
    return f"{words('map.last_good')} ({week}): {', '.join(values)}"


def phone(stop: Stop) -> str | None:
    """The digits to dial (RFC 3966), or None when what is written is no telephone number."""
    digits = re.sub(r"[\s().-]", "", stop.site.contact_phone or "")
    return digits if _PHONE.fullmatch(digits) else None


def where(stop: Stop) -> str | None:
    """The ``geo:`` address of a stop (RFC 5870)."""
    return f"geo:{stop.place[0]:.5f},{stop.place[1]:.5f}" if stop.place else None


def _one_line(text: str) -> str:
    return " ".join(text.split())
