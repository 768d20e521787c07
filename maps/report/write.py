"""All files of a report, in one folder.

Law: names come from the period, the region's code and the language, never from a text of the data;
each file appears whole or not at all, and all of them bear the same seal.
"""

import re
from pathlib import Path

from maps.exports import write_csv
from maps.files import write_bytes
from maps.report import evidence_csv, xlsx
from maps.report.compose import compose
from maps.report.html import page
from maps.report.pdf import pages
from maps.report.seal import Seal, seal
from maps.report.weekly import WeeklyReport
from maps.words import Words
from model.errors import InputError

_CODE = re.compile(r"\d{2}(\.\d{2}){0,2}", re.ASCII)


def check_code(kabupaten: str | None) -> None:
    """Raises InputError for what is no region's code: it becomes a part of file names."""
    if kabupaten is not None and not _CODE.fullmatch(kabupaten):
        raise InputError(f"--kabupaten {kabupaten!r}: write a code such as 61.01")


def stem(report: WeeklyReport, words: Words, kabupaten: str | None) -> str:
    """``laporan-2026-W46``, ``laporan-2026-10-61.01``. Raises InputError for what is no code."""
    check_code(kabupaten)
    period = f"{words('report.file')}-{report.month or report.coverage.week}"
    return period + (f"-{kabupaten}" if kabupaten else "")


def write_report(
    report: WeeklyReport,
    folder: Path,
    words: Words,
    *,
    kabupaten: str | None = None,
    picture: bytes | None = None,
    fictional: bool = False,
) -> dict[str, Path]:
    """Write every form; returns the path of each: html, pdf, xlsx, csv (villages), evidence, png.

    ``picture``: the map as PNG. Raises UnavailableError when a file cannot be written.
    """
    name = stem(report, words, kabupaten)
    mark = seal(report, words.lang, kabupaten=kabupaten, fictional=fictional)
    document = compose(report, words, mark, fictional=fictional)
    made: dict[str, tuple[str, bytes | str]] = {
        "html": (f"{name}.html", page(document, words, mark, picture)),
        "pdf": (f"{name}.pdf", pages(document, words, mark, picture)),
        "xlsx": (f"{name}.xlsx", xlsx.workbook(report, document, words, mark)),
        "evidence": (
            f"{words('report.evidence_file')}-{name}.csv",
            evidence_csv.text(report),
        ),
    }
    if picture is not None:
        made["png"] = (f"{name}.png", picture)
    written = {}
    for form, (file, content) in made.items():
        write_bytes(folder / file, content.encode() if isinstance(content, str) else content)
        written[form] = folder / file
    written["csv"] = write_csv(report.register, report.coverage, folder / f"{name}.csv")
    return written


def read_seal(path: Path) -> Seal:
    """The seal in a file that ``write_report`` wrote. Raises InputError where there is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    readers = {".html": _from_html, ".pdf": _from_pdf, ".xlsx": xlsx.read_seal}
    if path.suffix not in readers:
        raise InputError(f"{path}: name a report's .html, .pdf or .xlsx, which bear its seal")
    found = readers[path.suffix](content)
    if found is None:
        raise InputError(f"{path}: no seal is in it, so nothing says what it was made of")
    return Seal.parse(found)


def _from_html(content: bytes) -> str | None:
    import html  # noqa: PLC0415 - only a check needs it

    match = re.search(rb'<meta name="jangkau-seal" content="([^"]*)">', content)
    return html.unescape(match[1].decode("utf-8", "replace")) if match else None


def _from_pdf(content: bytes) -> str | None:
    from maps.report.pdf import read_seal as read  # noqa: PLC0415 - only a check needs it

    return read(content)
