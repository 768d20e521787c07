"""Typesetting: bytes of the right kind, no file from elsewhere, and our mistakes are loud."""

from pathlib import Path

import pytest

from maps.typeset import UndisplayableError, compile_pdf, compile_png

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="9" height="9"/></svg>'  # noqa: E501

HEAD = '#set document(title: "a")\n#set page(width: 2cm, height: 2cm)\n'


def test_a_source_becomes_a_pdf_and_a_picture() -> None:
    """Both kinds begin with their own signature, and a picture that came along is found."""
    source = (
        '#set document(title: "a")\n#set page(width: 2cm, height: 2cm)\n#image("a.svg", alt: "a")'
    )
    assert compile_pdf(source, {"a.svg": PICTURE}).startswith(b"%PDF-")
    small, large = (compile_png(source, {"a.svg": PICTURE}, ppi) for ppi in (72, 144))
    assert small.startswith(b"\x89PNG\r\n")
    assert int.from_bytes(small[16:20]) * 2 == pytest.approx(int.from_bytes(large[16:20]), abs=1)


@pytest.mark.parametrize("name", ["../a.svg", "/srv/a.svg", "b/a.svg", ""])
def test_files_have_plain_names(name: str) -> None:
    """A name that leads out of the document's folder, or into another one, is refused."""
    with pytest.raises(ValueError, match="plain file name"):
        compile_pdf("", {name: b""})


@pytest.mark.parametrize("path", ["../secret.txt", "/etc/hostname"])
def test_a_source_reads_only_what_came_with_it(path: str, tmp_path: Path) -> None:
    """No path of the machine is within reach of a document."""
    with pytest.raises(ValueError, match="typst"):
        compile_pdf(f'#read("{path}")', {})


def test_a_wrong_source_says_why() -> None:
    """typst's message reaches the developer; two pages are no picture."""
    with pytest.raises(ValueError, match="unknown variable"):
        compile_pdf("#nothing", {})
    with pytest.raises(ValueError, match="2 pages"):
        compile_png("a #pagebreak() b", {}, 72)


def test_letters_without_a_font_are_named() -> None:
    """All of them in one error, and none of the plain letters beside them; a picture, which no
    standard binds, is drawn all the same."""
    source = f"{HEAD}ab \u6f22 c \U0001f600"
    with pytest.raises(UndisplayableError) as found:
        compile_pdf(source, {})
    assert found.value.characters == {"\u6f22", "\U0001f600"}
    assert compile_png(source, {}, 72)


@pytest.mark.parametrize(
    ("source", "said"),
    [("a", "missing document title"), ('#set document(title: "a")\n#image("a.svg")', "alt text")],
)
def test_what_ua_forbids_is_refused(source: str, said: str) -> None:
    """A document without a title and a picture without words are mistakes of ours."""
    with pytest.raises(ValueError, match=said):
        compile_pdf(source, {"a.svg": PICTURE})
