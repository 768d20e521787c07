"""The words: one key set, all keys used, numbers and dates as each language writes them."""

import re
from pathlib import Path

import pytest

import maps
from maps.look import STATES
from maps.report.document import SHEETS
from maps.report.obstacles import Obstacle
from maps.words import LANGUAGES, load
from maps.worklist import BRINGS
from maps.worklist_page import RULES
from model.definition import State
from model.errors import InputError
from model.ladder import LADDER
from model.outage import Cause
from model.region import VillageKind
from model.site import Access
from model.week import Week

MAPS = Path(maps.__file__).parent
SUFFIXES = {"css", "js", "html", "svg", "png", "json", "typ", "csv", "xlsx", "pdf"}
FAMILIES = {
    "state": State,
    "meaning": State,
    "cause": Cause,
    "access": Access,
    "kind": VillageKind,
    "obstacle": Obstacle,
    "decision": Obstacle,
    "rung_works": LADDER,
    "rung_broken": LADDER,
}


def keys(lang: str) -> set[str]:
    return {f"{table}.{name}" for table, texts in load(lang).tables.items() for name in texts}


def used_keys() -> set[str]:
    """The keys that sources ask for: ``table.name`` in Python and templates, ``words.name`` in the
    map's script, and one of each member of the families."""
    source = "\n".join(
        path.read_text("utf-8")
        for folder in (MAPS, MAPS.parent / "cli")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".py", ".j2"}
    )
    tables = "map|worklist|report|both|column|unit"
    found = set(re.findall(rf"""["']((?:{tables})\.[a-z0-9_]+)["']""", source))
    found = {key for key in found if key.split(".")[1] not in SUFFIXES}  # files, not keys
    script = "".join(path.read_text("utf-8") for path in (MAPS / "assets").glob("*.js"))
    names = set(re.findall(r"\bwords\.([a-z0-9_]+)", script))
    found |= {key for key in keys("id") if key.split(".")[1] in names and key[:5] != "repor"}
    found |= {f"worklist.{key}" for key in BRINGS} | {f"worklist.evidence_{rule}" for rule in RULES}
    found |= {f"sheet.{key}" for key in SHEETS}
    return found | {f"{family}.{member}" for family, kind in FAMILIES.items() for member in kind}


def test_both_languages_have_the_same_keys() -> None:
    """A text that one language lacks is missed here and not by a reader."""
    assert keys("id") == keys("en")


def test_both_languages_fill_in_the_same_values() -> None:
    """A placeholder that one language forgets loses a number of the report."""
    for table, texts in load("id").tables.items():
        for name, text in texts.items():
            other = load("en").tables[table][name]
            # Each of the forms that a number may ask for (one|many) stands for itself.
            for form in (*text.split("|"), *other.split("|")):
                whole = {*re.findall(r"\{(\w+)\}", text), *re.findall(r"\{(\w+)\}", other)}
                missing = whole - {*re.findall(r"\{(\w+)\}", form)}
                assert missing <= {"shown"}, f"{table}.{name}"


SAME = {
    "access.4g", "cause.dns", "kind.desa", "kind.desa_adat", "kind.kelurahan", "report.author",
    "report.mtbf_short", "report.mttr_median_short", "report.mttr_p90_short", "report.of_region",
    "sheet.target",
}  # fmt: skip
"""Names, abbreviations and pure placeholders, which both languages write alike."""


def test_no_text_was_left_untranslated() -> None:
    """A text that is the same in both languages was copied and forgotten, unless it is a name; an
    empty one was never written."""
    other = load("en").tables
    texts = {
        f"{table}.{name}": (text, other[table][name])
        for table, found in load("id").tables.items()
        for name, text in found.items()
    }
    assert {key for key, (mine, theirs) in texts.items() if mine == theirs} == SAME
    assert all(mine.strip() and theirs.strip() for mine, theirs in texts.values())


def test_no_key_is_missing_and_none_is_unused() -> None:
    """What sources ask for and what the files hold is the same set."""
    assert used_keys() == keys("id")


def test_every_state_has_its_look_and_its_own_letter() -> None:
    """Colour is never the only carrier: letters differ from state to state."""
    assert list(STATES) == list(State)
    assert len({look.letter for look in STATES.values()}) == len(State)


@pytest.mark.parametrize(
    ("lang", "number", "moment", "week", "duration"),
    [
        ("id", "1.234,5", "Senin, 16 November 2026, 08.10 WIB", "9–15 November 2026", "6 jam"),
        ("en", "1,234.5", "Monday, 16 November 2026, 08:10 WIB", "9–15 November 2026", "6 h"),
    ],
)
def test_numbers_and_dates(lang: str, number: str, moment: str, week: str, duration: str) -> None:
    """Numbers, moments, weeks and durations are written as the language writes them."""
    words = load(lang)
    assert words.number(1234.5, 1) == number
    assert words.moment(1_794_791_400_000, "Asia/Pontianak") == moment
    assert words.week_days(Week(2026, 46)) == week
    assert words.duration(6 * 3600) == duration


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (35, "35 detik"),
        (59.6, "60 detik"),
        (2400, "40 menit"),
        (22_200, "6 jam 10 menit"),
        (183_600, "2 hari 3 jam"),
    ],
)
def test_durations(seconds: float | None, said: str) -> None:
    """A duration is said in its two largest units."""
    assert load("id").duration(seconds) == said


def test_a_week_across_two_years() -> None:
    """Month and year are said where the two ends differ."""
    assert load("id").week_days(Week(2026, 53)) == "28 Desember 2026–3 Januari 2027"
    assert load("en").week_days(Week(2026, 40)) == "28 September–4 October 2026"


def test_almost_all_is_not_all() -> None:
    """99.98 % is not shown as 100 %, and nothing is shown as a dash."""
    words = load("id")
    assert words.percent(2144.9 / 2145) == "99,9 %"
    assert words.percent(1.0) == "100,0 %"
    assert words.percent(None) == "–"
    assert words.signed(-3) == "−3"


def test_an_unknown_language_is_an_input_mistake() -> None:
    """The message names the languages that there are."""
    with pytest.raises(InputError, match="no such language"):
        load("jv")
    assert LANGUAGES[0] == "id"
