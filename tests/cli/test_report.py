"""``jangkau report`` as its users run it: every file of a simulated province's week, the same
figures as ``jangkau coverage``, the check of a report, and the week that ended last."""

import json
import random
import re
import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

import openpyxl
import pypdf
import pytest
from typer.testing import CliRunner, Result

from cli import options
from cli.main import application
from inventory.read import load as load_inventory
from maps.words import Words, load
from model.definition import State
from model.errors import UnavailableError
from model.inventory import Inventory
from model.timeline import Interval
from model.week import Week
from tests.collector.test_delivery import chat, serving

WEEK = Week(2026, 46)
ZONES = (
    "Asia/Jakarta",
    "Asia/Pontianak",
    "Asia/Makassar",
    "Asia/Jayapura",
    "Australia/Lord_Howe",
    "America/Santiago",
)


Row = dict[str, Any]


def invoke(*words: str) -> Result:
    return CliRunner().invoke(application(words[0]), list(words))


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated province of 50 villages with four weeks of history."""
    folder = tmp_path_factory.mktemp("province")
    monday = WEEK.plus(1).monday.isoformat()
    for words in (
        ("province", "--out", str(folder), "--villages", "50", "--end", monday),
        ("history", "--province", str(folder), "--data", str(folder / "data"), "--weeks", "4"),
    ):
        result = invoke("simulate", *words)
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def place(province: Path, tmp_path: Path) -> tuple[str, ...]:
    """Options that name a copy of the province, which a test may change."""
    copy = tmp_path / "p"
    shutil.copytree(province, copy)
    return ("--inventory", str(copy / "inventory.yaml"), "--data", str(copy / "data"))


def figures(out: Path, stem: str) -> dict[str, Any]:
    page = (out / f"{stem}.html").read_text("utf-8")
    found = re.search(r'name="jangkau-seal" content="([^"]*)"', page)
    assert found
    return cast(dict[str, Any], json.loads(found[1].replace("&#34;", '"')))


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_all_files_and_the_figures_of_coverage(place: tuple[str, ...], tmp_path: Path) -> None:
    """Every form appears, names come from the week alone, and each number of ``jangkau coverage
    --json`` stands in its row of page, paper and workbook, for the province and each region."""
    out = tmp_path / "out"
    result = invoke("report", *place, "--week", str(WEEK), "--weeks", "4", "--out", str(out))
    assert result.exit_code == 0, result.output
    stem = f"laporan-{WEEK}"
    names = {path.name for path in out.iterdir()}
    assert {f"{stem}.html", f"{stem}.pdf", f"{stem}.xlsx", f"{stem}.csv", f"bukti-{stem}.csv"} <= (
        names
    )
    covered = invoke("coverage", *place, "--week", str(WEEK), "--weeks", "4", "--json")
    rows = json.loads(covered.output)
    total = rows[-1]
    found = figures(out, stem)["figures"]
    for name in ("registered", "meets_target", "stable", "fair", "unstable", "cut_off",
                 "not_observed", "not_connected"):  # fmt: skip
        assert found[name] == total[name]
    sheet = openpyxl.load_workbook(out / f"{stem}.xlsx")["wilayah"]
    by_code = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows(min_row=4)}
    for row in rows:
        assert by_code[row["code"]][2:4] == [row["meets_target"], row["registered"]]
        assert by_code[row["code"]][4] == pytest.approx(row["share"], abs=1e-9)
        assert by_code[row["code"]][6:12] == [
            row[name] for name in ("stable", "fair", "unstable", "cut_off", "not_observed",
                                   "not_connected")
        ]  # fmt: skip
    words = load("id")
    paper = pypdf.PdfReader(out / f"{stem}.pdf")
    page = re.sub(r"<[^>]+>", "", (out / f"{stem}.html").read_text("utf-8"))
    for text in (page, " ".join(each.extract_text() for each in paper.pages)):
        squeezed = re.sub(r"\s", "", text)
        for wanted in told(total, rows, words):
            assert re.sub(r"\s", "", wanted) in squeezed


def told(total: Row, regions: list[Row], words: Words) -> list[str]:
    """The rows of the first page and of the regions as a reader finds them, from the figures of
    ``jangkau coverage --json`` alone."""

    def change(row: Row, name: str) -> str:
        return "–" if row[name] is None else words.signed(row[name])

    def share(part: int, whole: int) -> str:
        return f"{words.number(part)} {words.number(whole)} {words.percent(part / whole)}"

    met, all_of_them = total["meets_target"], total["registered"]
    stable = words("report.stable_now") + share(total["stable"], all_of_them)
    return [
        words("report.on_target")
        + share(met, all_of_them)
        + change(total, "target_change_1_week")
        + change(total, "target_change_4_weeks"),
        stable + change(total, "stable_change_1_week") + change(total, "stable_change_4_weeks"),
        words("report.to_go") + words.number(all_of_them - met),
        words("report.by_people") + share(total["population_meets_target"], total["population"]),
        *(
            row["code"]
            + row["name"]
            + share(row["meets_target"], row["registered"])
            + change(row, "target_change_1_week")
            + "".join(words.number(row[state]) for state in State)
            for row in regions
        ),
    ]


@pytest.mark.filterwarnings("ignore:.* extension is not supported")
def test_the_services_of_the_report_are_those_of_the_command(
    place: tuple[str, ...], tmp_path: Path
) -> None:
    """Each kind's places, ready ones and share of usable hours are what ``jangkau services`` says,
    and the hours that stopped them too."""
    out = tmp_path / "out"
    words = ("--week", str(WEEK), "--weeks", "1", "--out", str(out), "--lang", "en")
    assert invoke("report", *place, *words).exit_code == 0
    told = json.loads(invoke("services", *place, "--week", str(WEEK), "--json").output)
    assert told
    names = {kind: one.name_en for kind, one in load_inventory(Path(place[1])).kinds.items()}
    sheet = openpyxl.load_workbook(out / f"report-{WEEK}.xlsx")["services"]
    rows = {row[0]: row for row in sheet.iter_rows(min_row=4, values_only=True)}
    assert rows.keys() == {names[one["kind"]] for one in told}
    for one in told:
        row = rows[names[one["kind"]]]
        assert row[1:3] == (one["ready"], one["places"])
        assert row[5] == pytest.approx(one["ready_share"])
        seen = one["ready_seconds"] + one["stopped_seconds"]
        assert row[6] == pytest.approx(seen / one["service_seconds"])
        assert (row[7] is None) == (not one["stopped"])


def test_a_report_agrees_with_its_data(place: tuple[str, ...], tmp_path: Path) -> None:
    """Right after it was written, the check of each form agrees; a kabupaten's and a month's
    too."""
    out = tmp_path / "out"
    code = json.loads(invoke("coverage", *place, "--week", str(WEEK), "--json").output)[0]["code"]
    for more in (("--week", str(WEEK)), ("--week", str(WEEK), "--kabupaten", code),
                 ("--month", "2026-10", "--lang", "en")):  # fmt: skip
        words = (*more, "--weeks", "2", "--out", str(out))
        assert invoke("report", *place, *words).exit_code == 0
    # Each kind of report by another of its forms: all forms bear the same seal.
    forms = zip(("pdf", "html", "xlsx"), ("-W46.", "-W46-", "2026-10"), strict=True)
    written = [path for form, mark in forms for path in out.glob(f"*{mark}*{form}")]
    assert len(written) == 3
    for path in written:
        checked = invoke("report", "verify", str(path), *place)
        assert checked.exit_code == 0, checked.output
        assert "agrees" in checked.output


def test_late_data_make_a_revision_that_says_what_changed(
    place: tuple[str, ...], tmp_path: Path
) -> None:
    """Two days of data that arrive late: the old report no longer agrees and the check says which
    week and which figures moved; the new one is a revision with the list of changes."""
    out, data = tmp_path / "out", Path(place[3])
    late = [data / "archive" / f"day={WEEK.monday + timedelta(days=at)}" for at in (1, 2)]
    aside = tmp_path / "late"
    aside.mkdir()
    for folder in late:
        shutil.move(folder, aside / folder.name)
    words = ("--week", str(WEEK), "--weeks", "1", "--out", str(out))
    assert invoke("report", *place, *words).exit_code == 0
    before = figures(out, f"laporan-{WEEK}")
    assert before["weeks"] == [[str(WEEK), 1]]
    kept = shutil.copy(out / f"laporan-{WEEK}.pdf", tmp_path / "first.pdf")
    for folder in late:
        shutil.move(aside / folder.name, folder)
    checked = invoke("report", "verify", str(kept), *place)
    assert checked.exit_code == 1
    assert f"{WEEK}: revision 1 then, 2 now" in checked.output
    assert re.search(r"\S+ 2026-W46: .* unknown -> up", checked.output)
    assert re.search(r"observed_share: 0\.\d+ then, [01]\.\d+ now", checked.output)
    assert invoke("report", *place, *words).exit_code == 0
    after = figures(out, f"laporan-{WEEK}")
    assert after["weeks"] == [[str(WEEK), 2]]
    assert after["figures"]["observed_share"] > before["figures"]["observed_share"]
    page = (out / f"laporan-{WEEK}.html").read_text("utf-8")
    assert load("id")("report.changes") in page
    assert load("id")("report.is_revision", number=2) in page
    again = invoke("report", *place, *words, "--if-changed")
    assert "issued with the same data" in again.output
    shutil.rmtree(late[0])
    assert "laporan-2026-W46.pdf" in invoke("report", *place, *words, "--if-changed").output


# Apprise's own import; gone with Python 3.13.
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_report_that_was_not_sent_is_sent_anew(place: tuple[str, ...], tmp_path: Path) -> None:
    """The message holds the first page's words and what stands in the way; a refused one is not
    taken for issued, a sent one is not sent twice."""
    got: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    words = ("report", *place, "--week", str(WEEK), "--weeks", "1", "--out", str(tmp_path / "out"),
             "--if-changed", "--send")  # fmt: skip
    with serving(chat(refused, 500)) as bad, serving(chat(got)) as port:
        broken, right = (tmp_path / name for name in ("broken", "right"))
        for path, at in ((broken, bad), (right, port)):
            path.write_text(f"json://127.0.0.1:{at}/\n")
            path.chmod(0o600)
        assert isinstance(invoke(*words, str(broken)).exception, UnavailableError)
        assert invoke(*words, str(right)).exit_code == 0
        assert invoke(*words, str(right)).exit_code == 0
    [message] = got
    total = json.loads(invoke("coverage", *place, "--week", str(WEEK), "--json").output)[-1]
    assert f"dari {total['registered']} desa dan kelurahan sudah mencapai" in message["message"]
    assert load("id")("obstacle.not_connected") in message["message"]
    names = [one["filename"] for one in message["attachments"]]
    assert names == [f"laporan-{WEEK}.{form}" for form in ("pdf", "png", "xlsx")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--week", "2026-W99"), "--week"),
        (("--month", "2026-13"), "--month"),
        (("--month", "2026-10", "--week", "2026-W46"), "give one of them"),
        (("--kabupaten", "../../etc"), "write a code"),
        (("--kabupaten", "99.01/../x"), "write a code"),
        (("--kabupaten", "/etc"), "write a code"),
        (("--lang", "../id"), "--lang"),
        (("--send", "/nowhere/targets"), "cannot be read"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(
    words: tuple[str, ...], said: str, place: tuple[str, ...], tmp_path: Path
) -> None:
    """An input mistake is one sentence, and no file appears, in the folder or outside of it."""
    out = tmp_path / "out"
    given = ("--week", str(WEEK)) if not {"--week", "--month"} & {*words} else ()
    before = sorted(tmp_path.parent.iterdir())
    result = invoke("report", *place, *given, *words, "--out", str(out))
    assert result.exit_code != 0
    assert said in str(result.exception)
    assert not out.exists()
    assert sorted(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.html", b"<html></html>", "no seal"),
        ("a.pdf", b"%PDF-1.7", "no seal"),
        ("a.xlsx", b"PK no", "no seal"),
        ("a.html", b'<meta name="jangkau-seal" content="[1]">', "cannot be read"),
        ("a.html", b'<meta name="jangkau-seal" content="{&#34;jangkau_report&#34;:9}">', "format"),
        ("a.docx", b"", "name a report's"),
    ],
)
def test_what_is_no_report_is_refused(
    name: str, content: bytes, said: str, tmp_path: Path, place: tuple[str, ...]
) -> None:
    """A file without our seal, or with a broken one, is an input mistake and no crash."""
    path = tmp_path / name
    path.write_bytes(content)
    assert said in str(invoke("report", "verify", str(path), *place).exception)


def at_ms(monkeypatch: pytest.MonkeyPatch, now_ms: int, zone: str) -> Week:
    """The week that ``jangkau report`` takes without ``--week`` at a moment in a zone."""
    monkeypatch.setattr(options.time, "time_ns", lambda: now_ms * 1_000_000)
    inventory = SimpleNamespace(province=SimpleNamespace(timezone=zone))
    return options.chosen_week(None, cast(Inventory, inventory))


def weeks_of(first: int, last: int) -> list[Week]:
    found = [Week(first, 1)]
    while found[-1].plus(1).year <= last:
        found.append(found[-1].plus(1))
    return found


@pytest.mark.parametrize("zone", ZONES)
def test_the_last_complete_week_at_every_hour(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every local hour of 2024 to 2030, on Monday 00:00 sharp too, the report is of the week
    that ended last and of no other (T-05)."""
    for week in weeks_of(2024, 2030):
        bounds = week.interval(zone)
        for now in range(bounds.start_ms, bounds.end_ms, 3_600_000):
            assert at_ms(monkeypatch, now, zone) == week.plus(-1)
        assert at_ms(monkeypatch, bounds.end_ms - 1, zone) == week.plus(-1)
        assert at_ms(monkeypatch, bounds.end_ms, zone) == week


def test_no_moment_lies_in_two_weeks_or_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """In all zones there are, the weeks of 2024 to 2030 meet without gap or overlap and have 168
    hours, more or less what the clock was changed; the default week ends at or before now."""
    rng = random.Random(53)  # noqa: S311 - data of a test
    weeks = weeks_of(2024, 2030)
    for zone in sorted(available_timezones()):
        bounds = [week.interval(zone) for week in weeks]
        assert all(a.end_ms == b.start_ms for a, b in pairwise(bounds))
        hours = {span.length_ms / 3_600_000 for span in bounds}
        assert {abs(each - 168) for each in hours} <= {0, 0.5, 1, 2, 24}, zone
        at = rng.randrange(len(weeks))
        now = rng.randrange(bounds[at].start_ms, bounds[at].end_ms)
        assert at_ms(monkeypatch, now, zone) == weeks[at].plus(-1)


def test_monday_midnight_is_local() -> None:
    """Monday 00:00 WITA is Sunday 16:00 UTC: the week ends there (incident 53)."""
    start = Week(2026, 46).interval("Asia/Makassar")
    local = datetime(2026, 11, 9, tzinfo=ZoneInfo("Asia/Makassar"))
    assert start == Interval(
        round(local.timestamp() * 1000), round((local + timedelta(days=7)).timestamp() * 1000)
    )
    assert datetime.fromtimestamp(start.start_ms / 1000, UTC).date() == date(2026, 11, 8)
