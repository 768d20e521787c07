"""How ``jangkau snmp`` tells what a device said, or why it said nothing.

Law: what a device says of itself reaches a terminal without what would command it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli import rows, terminal
from model.check import Check
from model.kinds import Snmp
from model.measurement import METRICS

if TYPE_CHECKING:
    from probes.snmp_device import Poll


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one device; ``why`` is said where it did not answer."""

    check: Check
    poll: "Poll | None"
    why: str = ""


def why_not(error: Exception, heard: bool) -> str:
    """What to look at when a device did not answer as it should."""
    match error:
        case TimeoutError() if heard:
            return "it answers, but not to all of it in time: the line loses too much; try again"
        case TimeoutError():
            return (
                "no answer to three requests: SNMP may be off there, a firewall may drop it, or "
                "the community or privacy password is wrong (devices say nothing to those)"
            )
        case ConnectionRefusedError():
            return "it lives, and its SNMP port is closed: switch SNMP on there, or correct 'port'"
        case OSError():
            return f"cannot be reached from here: {error.strerror or error}"
    return f"it does not let us in ({error}): check user, passwords and protocols on both sides"


@contextmanager
def waiting(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A bar on standard error where somebody watches. Call what it gives after each step, or with
    (done, all)."""
    from rich.progress import Progress

    bar = Progress(console=terminal.stderr, transient=True, disable=not terminal.stderr.is_terminal)
    with bar:
        task = bar.add_task(what, total=total)

        def told(done: int | None = None, of: int | None = None) -> None:
            if done is None:
                bar.advance(task)
            else:
                bar.update(task, completed=done, total=of)

        yield told


def document(answer: Answer) -> dict[str, Any]:
    """An answer for machines."""
    check, poll = answer.check, answer.poll
    head = {
        "check": check.target.partition(":")[2],
        "address": check.address,
        "credentials": check.settings.credentials if isinstance(check.settings, Snmp) else "",
        "answered": poll is not None,
    }
    if poll is None:
        return {**head, "error": answer.why}
    return {
        **head,
        "description": poll.plan.description,
        "sys_object_id": poll.plan.sys_object_id,
        "profiles": [profile.id for profile in poll.plan.profiles],
        "readings": poll.readings,
        "rows": [row._asdict() for row in poll.rows],
    }


def print_answer(answer: Answer) -> None:
    """An answer for people; a silence is told on standard error."""
    check, poll = answer.check, answer.poll
    place = f"{check.site} {check.address}"
    if poll is None:
        terminal.stderr.print(f"{place}: {answer.why}", markup=False)
        return
    titles = ", ".join(profile.title for profile in poll.plan.profiles)
    terminal.stdout.print(place, markup=False)
    terminal.stdout.print(plain(poll.plan.description), markup=False)
    terminal.stdout.print(f"{poll.plan.sys_object_id or 'no sysObjectID'}: {titles}", markup=False)
    if not poll.readings:
        terminal.stderr.print(
            f"{place}: it answers, and has nothing that our profiles read; "
            f"'jangkau snmp record {check.site}' collects what it has for a bug report",
            markup=False,
        )
        return
    table = [row._asdict() for row in poll.rows]
    names = {row["name"] for row in table}
    table += [  # what was made of several objects
        {"name": name, "row": "", "value": value, "unit": METRICS[name].unit, "mib": ""}
        for name, value in poll.readings.items()
        if name not in names
    ]
    columns = {
        "reading": lambda row: str(row["name"]),
        "of": lambda row: plain(str(row["row"])),
        "value": lambda row: f"{row['value']:{',.0f' if METRICS[row['name']].whole else ',.6g'}}",
        "unit": lambda row: str(row["unit"]),
        "object": lambda row: str(row["mib"]),
    }
    rows.show(table, columns, title="", as_json=False, as_csv=False)


def print_found(found: Sequence[dict[str, Any]], asked: int, *, as_json: bool) -> None:
    """Which devices answered which credentials."""
    columns = {
        "site": lambda row: str(row["site"]),
        "address": lambda row: str(row["address"]),
        "credentials": lambda row: str(row["credentials"]),
        "profiles": lambda row: " ".join(row["profiles"]),
        "description": lambda row: plain(str(row["description"])),
    }
    rows.show(
        found,
        columns,
        title=f"{len(found)} of {asked} questions were answered",
        as_json=as_json,
        as_csv=False,
        wrapped=("profiles", "description"),
    )


def plain(text: str) -> str:
    """Text from outside, with a question mark for every sign that is no print."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
