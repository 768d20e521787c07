"""What a spreadsheet would run: one rule for every file that may be opened in one.

Law: a text that begins like a formula, after blanks too, is made text; a number stays a number.
"""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
"""Full-width forms too: some spreadsheets take them for the plain ones."""


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could take ``text`` for a formula."""
    return text.lstrip(" ").startswith(FORMULA_STARTS)


def guarded(value: str | float | bool | None) -> str | float | None:
    """A cell of a CSV file: dangerous text with an apostrophe before it, truth as a word."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and looks_like_formula(value):
        return "'" + value
    return value
