"""Every word, number and date that a person reads: Bahasa Indonesia first, English second.

Law: no text for people lives outside ``locale/id.toml`` and ``locale/en.toml``; both have the same
keys, and asking for one that does not exist is an error, never an empty string.
"""

import tomllib
from datetime import UTC, date, datetime, time
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from model.errors import InputError
from model.week import Week

_FOLDER = Path(__file__).parent / "locale"
_LOCALES = {"id": Locale("id", "ID"), "en": Locale("en", "GB")}
LANGUAGES = tuple(_LOCALES)
"""The languages there are; the first is the default."""


class Words:
    """The texts of one language: call it with a key (``state.stable``) and the values it names."""

    def __init__(self, lang: str, tables: dict[str, dict[str, str]]) -> None:
        self.lang = lang
        self.tables = tables
        self._locale = _LOCALES[lang]

    def __call__(self, key: str, **values: object) -> str:
        """The text of ``table.name``. Raises KeyError for a key or a value that is missing."""
        table, _, name = key.partition(".")
        return self.tables[table][name].format_map(values) if values else self.tables[table][name]

    def plural(self, key: str, count: int, /, **values: object) -> str:
        """As calling it, where the text has a form for one and a form for many, parted by a bar
        (Unicode CLDR decides which; Indonesian has one form for all). ``{n}`` is the number."""
        forms = self(key).split("|")
        chosen = forms[0 if self._locale.plural_form(count) == "one" else -1]
        return chosen.format_map({"n": self.number(count), **values})

    def number(self, value: float, digits: int = 0) -> str:
        """``1.234,5`` in Indonesian, ``1,234.5`` in English; half rounds to even."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(value, format=pattern, locale=self._locale))

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share of 0 to 1 as ``98,4 %``; a dash where there is none. A share below 1 is never
        rounded up to 100: an almost reached target is not reached."""
        if share is None:
            return "–"
        limit = 100 - 10**-digits
        value = min(share * 100, limit) if share < 1 else 100.0
        return f"{self.number(value, digits)} %"

    def signed(self, value: int) -> str:
        """``+12``, ``−3`` (a minus sign, not a hyphen) or ``±0``."""
        sign = "+" if value > 0 else "−" if value < 0 else "±"
        return sign + self.number(abs(value))

    def full_date(self, day: date) -> str:
        """``16 November 2026``."""
        return str(format_date(day, "d MMMM y", locale=self._locale))

    def month(self, day: date) -> str:
        """The month that a day lies in: ``November 2026``."""
        return str(format_date(day, "LLLL y", locale=self._locale))

    def day(self, at: datetime) -> str:
        """``Senin, 16 November 2026`` / ``Monday, 16 November 2026``."""
        return str(format_date(at, "EEEE, d MMMM y", locale=self._locale))

    def week_days(self, week: Week) -> str:
        """``9–15 November 2026``: Monday to Sunday, month and year said once where they agree."""
        first, last = week.monday, week.sunday
        pattern = "d"
        if first.month != last.month:
            pattern = "d MMMM" if first.year == last.year else "d MMMM y"
        start = format_date(first, pattern, locale=self._locale)
        return f"{start}–{format_date(last, 'd MMMM y', locale=self._locale)}"

    def moment(self, at_ms: int, zone: str) -> str:
        """Day and time in ``zone``: ``Senin, 16 November 2026, 08.10 WIB``."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))
        return f"{self.day(at)}, {at.strftime('%H.%M' if self.lang == 'id' else '%H:%M')} {at:%Z}"

    def zone(self, week: Week, zone: str) -> str:
        """The short name of a time zone as of a week's Monday: WIB, WITA, WIT."""
        return f"{datetime.combine(week.monday, time(12), ZoneInfo(zone)):%Z}"

    def duration(self, seconds: float | None) -> str:
        """``2 hari 3 jam``, ``6 jam 10 menit``, ``40 menit``, ``35 detik``; a dash for None."""
        if seconds is None:
            return "–"
        if seconds < 60:
            return f"{round(seconds)} {self('unit.seconds')}"
        # Each unit is rounded where the text ends: 26 h 40 min are a day and 3 h, not 2.
        minutes = round(seconds / 60) if seconds < 86_370 else 60 * round(seconds / 3600)
        days, hours = minutes // 1440, minutes % 1440 // 60
        parts = [(days, "unit.days"), (hours, "unit.hours"), (minutes % 60, "unit.minutes")]
        if days:
            parts.pop()
        return " ".join(f"{self.number(count)} {self(unit)}" for count, unit in parts if count)


@cache
def load(lang: str) -> Words:
    """The words of ``id`` or ``en``. Raises InputError for any other language."""
    if lang not in _LOCALES:
        raise InputError(f"--lang {lang}: there is no such language; use one of {LANGUAGES}")
    tables: dict[str, Any] = tomllib.loads((_FOLDER / f"{lang}.toml").read_text("utf-8"))
    return Words(lang, tables)
