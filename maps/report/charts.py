"""The report's charts as SVG: the same drawing for the screen and for paper.

Law: bars begin at zero, the target is a dashed line with its words, a forecast is a band and never
a line, a gap is a gap, and the words stand at the drawing instead of in a legend. Colours are
attributes, so that a drawing needs no style sheet; a page may restyle the classes.
"""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from maps.look import ACCENT, INK, STATES
from maps.words import Words
from model.definition import State

SOFT, GRID, BAND = "#5b6168", "#dcdad5", "#cfe3ee"
_LETTER_WIDTH = 6.8
"""Of 12 px sans text, on the average: only to keep words inside the drawing."""


def _svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label={quoteattr(label)}>'
        + "".join(parts)
        + "</svg>"
    )


def _text(
    x: float, y: float, words: str, *, end: bool = False, soft: bool = False, bold: bool = False
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{"soft" if soft else "ink"}" font-size="12" '
        f'font-family="Source Sans Pro, sans-serif" fill="{SOFT if soft else INK}"'
        + (' text-anchor="end"' if end else "")
        + (' font-weight="600"' if bold else "")
        + f">{escape(words)}</text>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, *, dashed: bool = False) -> str:
    style = f'class="goal" stroke="{SOFT}" stroke-dasharray="4 4"' if dashed else ""
    style = style or f'class="grid" stroke="{GRID}"'
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {style}/>'


def progress(
    words: Words,
    width: int,
    label: str,
    weeks: Sequence[str],
    stable: Sequence[int],
    on_target: Sequence[int | None],
    total: int,
    ahead: Sequence[tuple[int, float, float]],
) -> str:
    """Villages stable and on target by week, the target line, and the band of what is ahead:
    (weeks after the last, low, high). None in ``on_target`` is a week whose window is not known."""
    top, height, left, whole = 26.0, 170.0, 36.0, max(total, 1)
    # Without a forecast the words stand beside the curves' ends.
    beside = width > 500 and not ahead
    right = width - (156.0 if beside else 8.0)
    span = max(len(weeks) - 1 + (ahead[-1][0] if ahead else 0), 1)

    def x(week: float) -> float:
        return left + (right - left) * week / span

    def y(villages: float) -> float:
        return top + height * (1 - villages / whole)

    parts = []
    for quarter in (0, 0.25, 0.5, 0.75):
        parts.append(_line(left, y(whole * quarter), right, y(whole * quarter)))
        parts.append(
            _text(left - 6, y(whole * quarter) + 4, f"{quarter * 100:.0f}", end=True, soft=True)
        )
    parts.append(_line(left, top, right, top, dashed=True))
    parts.append(_text(left, top - 8, words("report.target_line", total=words.number(total))))
    last = len(weeks) - 1
    now = on_target[-1]
    if ahead and now is not None:
        upper = [(last, float(now)), *((last + h, high) for h, _, high in ahead)]
        lower = [(last + h, low) for h, low, _ in reversed(ahead)]
        points = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in [*upper, *lower])
        parts.append(f'<polygon class="band" points="{points}" fill="{BAND}"/>')
        below = min(y(ahead[-1][1]) + 32, top + height - 8)
        parts.append(_text(right, below, words("report.band"), end=True, soft=True))
    parts += _curve("stable", "#58b1dd", [(x(at), y(v)) for at, v in enumerate(stable)])
    met = [(x(at), y(v)) for at, v in enumerate(on_target) if v is not None]
    parts += _curve("met", ACCENT, met)
    labels = [(y(stable[-1]), words("report.line_stable"), stable[-1], False)]
    if now is not None:
        labels.append((y(now), words("report.line_target"), now, True))
    parts += _end_labels(words, labels, x(last), right, beside=beside)
    if x(last) - left > 2.2 * len(weeks[0]) * _LETTER_WIDTH or not last:
        parts.append(_text(left, top + height + 18, weeks[0], soft=True))
    if last:
        end = x(last) if ahead else right
        parts.append(_text(end, top + height + 18, weeks[-1], end=True, soft=True))
    return _svg(width, top + height + 26, label, parts)


def _curve(name: str, colour: str, points: Sequence[tuple[float, float]]) -> list[str]:
    if not points:
        return []
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return [
        f'<polyline class="{name}" points="{path}" fill="none" stroke="{colour}" '
        'stroke-width="2"/>',
        f'<circle class="{name}-dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>',
    ]


def _end_labels(
    words: Words,
    labels: Sequence[tuple[float, str, int, bool]],
    x: float,
    right: float,
    *,
    beside: bool,
) -> list[str]:
    """The words at the ends of the curves, kept apart from each other."""
    ordered = sorted(labels)
    places = [at for at, *_ in ordered]
    if len(places) == 2 and places[1] - places[0] < 30:
        places = [places[0] - 9, places[1] + 19] if not beside else [places[0] - 6, places[1] + 12]
    elif not beside:
        places = [at - 9 for at in places]
    found = []
    for at, (value_at, name, value, bold) in zip(places, ordered, strict=True):
        said = f"{name} {words.number(value)}"
        if beside:
            found.append(_text(right + 10, at + 4, said, bold=bold))
        elif at > value_at and x + 8 + len(said) * _LETTER_WIDTH < right:
            # Below its curve, which comes from the left: the words go to the right.
            found.append(_text(x + 8, at, said, bold=bold))
        else:
            fits = max(x, len(said) * _LETTER_WIDTH + 44)
            found.append(_text(fits, at, said, end=True, bold=bold))
    return found


Bar = tuple[str, float, str]
"""The name of a bar, its value, and the words at its end."""


def told(rows: Sequence[Bar]) -> str:
    """What bars say, in words."""
    return "; ".join(f"{name} {said}" for name, _, said in rows) + "."


def bars(width: int, label: str, rows: Sequence[Bar]) -> str:
    """Horizontal bars from zero."""
    most = max((value for _, value, _ in rows), default=0) or 1
    wide = width > 500
    left, step = (190.0, 26.0) if wide else (0.0, 42.0)
    room = width - left - 8 - max((len(said) for *_, said in rows), default=0) * _LETTER_WIDTH
    parts = []
    for at, (name, value, said) in enumerate(rows):
        top = at * step + (5 if wide else 19)
        length = max(room, 40) * value / most
        parts.append(
            _text(left - 10, top + 12, name, end=True) if wide else _text(0, top - 5, name)
        )
        parts.append(
            f'<rect class="bar" x="{left:.1f}" y="{top:.1f}" width="{length:.1f}" height="16" '
            f'fill="{ACCENT}"/>'
        )
        parts.append(_text(left + length + 8, top + 12, said, soft=True))
    return _svg(width, len(rows) * step + 4, label, parts)


def strip(weeks: Sequence[Mapping[State, int]]) -> str:
    """A region's weeks as columns, each from stable (below) to not connected (above)."""
    height, step = 24.0, 11
    parts = []
    for at, states in enumerate(weeks):
        total = sum(states.values()) or 1
        bottom = height
        for state, look in STATES.items():
            part = height * states[state] / total
            if not part:
                continue
            bottom -= part
            edge = ' stroke="#8b8f93" stroke-width="0.5"' if state is State.NOT_CONNECTED else ""
            parts.append(
                f'<rect x="{at * step:.1f}" y="{bottom:.2f}" width="{step - 2}" '
                f'height="{part:.2f}" fill="{look.colour}"{edge}/>'
            )
    label = " ".join(str(states[State.STABLE]) for states in weeks)
    return _svg(len(weeks) * step, height, label, parts)
