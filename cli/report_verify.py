"""``jangkau report verify``: a report recomputed from the data, and what changed since."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options, terminal
from cli.options import DataFolder, InventoryFile
from cli.report_figures import Asked, make

if TYPE_CHECKING:
    from maps.report.seal import Seal
    from maps.report.weekly import WeeklyReport


def verify(
    file: Annotated[Path, typer.Argument(help="A report's .html, .pdf or .xlsx.")],
    inventory: InventoryFile = options.INVENTORY,
    data: DataFolder = options.DATA,
) -> None:
    """Recompute a report: it agrees (exit code 0), or what differs is said (exit code 1)."""
    from maps.report.seal import seal
    from maps.report.write import read_seal

    old = read_seal(file)
    last = old.weeks[-1][0] if old.weeks else old.week
    week = None if old.month else last
    made = make(
        Asked(inventory, data, week, old.month or None, len(old.weeks) or 1, old.kabupaten or None)
    )
    new = seal(made.model, old.lang, kabupaten=old.kabupaten or None, fictional=old.fictional)
    differences = [*_differences(old, new), *_moved(old, made.model)]
    if not differences and old.evidence == new.evidence:
        terminal.stdout.print(
            f"{file}: agrees: {old.week}, {len(old.weeks)} weeks, evidence {old.evidence[:12]}",
            markup=False,
            soft_wrap=True,
        )
        return
    if not differences:
        differences.append(
            "the figures of page 1 agree, the evidence does not: a name, a site's or a provider's "
            "entry, or an outage of a week has changed"
        )
    terminal.stdout.print(f"{file}: has changed since", markup=False, soft_wrap=True)
    for line in differences:
        terminal.stdout.print(f"  {line}", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _differences(old: "Seal", new: "Seal") -> list[str]:
    """What the two seals say differently, in words."""
    found = [
        f"{name}: {was} then, {now} now"
        for name, was, now in (
            ("register", old.register, new.register),
            ("definition", old.definition, new.definition),
        )
        if was != now
    ]
    revisions = dict(new.weeks)
    for week, revision in old.weeks:
        now = revisions.get(week)
        if now != revision:
            found.append(f"{week}: revision {revision} then, {'none' if now is None else now} now")
    for name in old.figures.keys() | new.figures.keys():
        before, after = old.figures.get(name), new.figures.get(name)
        if before != after:
            found.append(f"{name}: {before} then, {after} now")
    return sorted(found)


def _moved(old: "Seal", model: "WeeklyReport") -> list[str]:
    """What the newest revision of each revised week changed, longest first, ten at most."""
    from cli.wording import duration

    before = dict(old.weeks)
    rows = [
        (moved.seconds, f"{moved.site} {one.week}: {duration(moved.seconds)} "
                        f"{moved.before} -> {moved.after}")
        for one in model.revised
        if one.revision != before.get(str(one.week), one.revision)
        for moved in one.moved
    ]  # fmt: skip
    return [text for _, text in sorted(rows, reverse=True)[:10]]
