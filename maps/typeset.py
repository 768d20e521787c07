"""Typesetting: typst source in, a PDF or a picture out.

Law: a document reads the files that came with it and nothing else: it stands in an empty folder of
its own, which is its root, and no package of its language is ever fetched. Its fonts come from a
package and not from the machine, so that the same weeks make the same file anywhere.
"""

import re
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Literal

_SOURCE = "main.typ"
_FONTS = ("SourceSansPro-Regular.ttf", "SourceSansPro-Semibold.ttf", "SourceSansPro-Bold.ttf")
"""Source Sans Pro (SIL Open Font License), to be named by a source as ``Source Sans Pro``."""


class UndisplayableError(ValueError):
    """A text has ``characters`` that no font of ours can show."""

    def __init__(self, characters: frozenset[str]) -> None:
        super().__init__(f"no font for {len(characters)} characters")
        self.characters = characters


def compile_pdf(source: str, files: Mapping[str, bytes]) -> bytes:
    """The pages of ``source`` as one PDF that keeps to PDF/UA-1 (ISO 14289-1): tagged, with a
    title, a language, words for every picture, and fonts inside.

    ``files`` are what the source reads, by plain name (``map.svg``). Raises UndisplayableError for
    characters without a font, which the standard forbids; ValueError with typst's own message when
    the source is wrong: it is ours, so that is a bug of ours.
    """
    return _compile(source, files, "pdf", None)


def compile_png(source: str, files: Mapping[str, bytes], ppi: float) -> bytes:
    """The only page of ``source`` as PNG with ``ppi`` pixels per inch. As ``compile_pdf`` else."""
    return _compile(source, files, "png", ppi)


def _compile(
    source: str, files: Mapping[str, bytes], kind: Literal["pdf", "png"], ppi: float | None
) -> bytes:
    # In here because most commands do not typeset.
    import typst  # noqa: PLC0415, TID251 - the one file

    with tempfile.TemporaryDirectory(prefix="jangkau-typeset-") as name:
        folder = Path(name)
        for file, content in {**_fonts(), **files, _SOURCE: source.encode()}.items():
            if not file or PurePosixPath(file).name != file:
                raise ValueError(f"{file!r} is no plain file name")
            (folder / file).write_bytes(content)
        try:
            made: bytes | list[bytes] = typst.compile(
                folder / _SOURCE,
                root=folder,
                font_paths=[folder],
                format=kind,
                ppi=ppi,
                pdf_standards="ua-1" if kind == "pdf" else [],
                # The same on every machine.
                ignore_system_fonts=True,
                # No package is looked for anywhere but here, where there is none.
                package_path=folder,
                package_cache_path=folder,
            )
        except typst.TypstError as error:
            if strange := _undisplayable(error.diagnostic):
                raise UndisplayableError(strange) from error
            raise ValueError(f"typst: {error}") from error
    if isinstance(made, list):
        raise ValueError(f"the source makes {len(made)} pages, a picture is one")
    return made


def _undisplayable(diagnostic: str) -> frozenset[str]:
    """The characters that typst says, one message for each, it has no font for."""
    texts = re.findall(r'the text `"(.+?)"` could not be displayed', diagnostic)
    plain = (re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), text) for text in texts)
    # Of a cluster the plain letters are not to blame.
    return frozenset(letter for text in plain for letter in text if not "!" <= letter <= "~")


def _fonts() -> dict[str, bytes]:
    folder = resources.files("font_source_sans_pro") / "files"
    return {name: (folder / name).read_bytes() for name in _FONTS}
