"""The visual language by numbers: text can be read on every colour, and readers with any of the
three colour blindnesses tell the states apart, by the colour and by a second sign."""

import math
from collections.abc import Iterable
from itertools import combinations, pairwise

import numpy as np
import pytest

from maps.look import CATEGORIES, INK, SCALE, STATES, Pattern
from model.definition import State

# Full dichromacy in linear RGB (Machado, Oliveira and Fernandes 2009, table 1, severity 1.0).
SIGHT = {
    "full": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
# sRGB to CIE XYZ and its white (IEC 61966-2-1).
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # fmt: skip
MEASURED = (State.STABLE, State.FAIR, State.UNSTABLE, State.CUT_OFF)


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2 (relative luminance)."""
    high, low = sorted((float(XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, sight: str) -> np.ndarray:
    """CIELAB of a colour as a reader of that sight sees it."""
    seen = np.clip(SIGHT[sight] @ linear(colour), 0, 1)
    ratio = XYZ @ seen / (XYZ @ np.ones(3))
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def nearest(colours: Iterable[str], sight: str) -> float:
    """The smallest difference (CIE 1976) between any two colours."""
    return min(
        math.dist(lab(one, sight), lab(other, sight)) for one, other in combinations(colours, 2)
    )


@pytest.mark.parametrize(
    ("colour", "ink"), [(one.colour, one.ink) for one in STATES.values()] + [*CATEGORIES, *SCALE]
)
def test_text_on_every_colour_can_be_read(colour: str, ink: str) -> None:
    """At least 4.5 : 1, in the sun and with tired eyes (WCAG 2.2, 1.4.3)."""
    assert contrast(colour, ink) >= 4.5


@pytest.mark.parametrize("sight", SIGHT)
def test_states_are_told_apart_by_any_eye(sight: str) -> None:
    """Measured states differ by 30 and more for every sight, "not observed" from them by 20, and
    from paper by 15 (2.3 is the least difference that is noticed)."""
    measured = [STATES[state].colour for state in MEASURED]
    assert nearest(measured, sight) >= 30
    grey, paper = STATES[State.NOT_OBSERVED].colour, STATES[State.NOT_CONNECTED].colour
    assert min(nearest((grey, one), sight) for one in measured) >= 20
    assert nearest((grey, paper), sight) >= 15


def test_a_second_sign_stands_beside_every_colour() -> None:
    """Letters differ; "cut off", "not observed" and "not connected" have a pattern of their own."""
    letters = [look.letter for look in STATES.values()]
    assert len(set(letters)) == len(letters)
    patterns = {state: look.pattern for state, look in STATES.items()}
    assert patterns[State.CUT_OFF] is Pattern.THICK_EDGE
    assert patterns[State.NOT_OBSERVED] is Pattern.HATCH
    assert patterns[State.NOT_CONNECTED] is Pattern.EMPTY


@pytest.mark.parametrize("colour", [colour for colour, _ in (*CATEGORIES, *SCALE)])
def test_red_is_kept_for_cut_off(colour: str) -> None:
    """No layer has a colour near the red of "cut off"."""
    assert nearest((colour, STATES[State.CUT_OFF].colour), "full") >= 40


@pytest.mark.parametrize("sight", SIGHT)
def test_a_scale_gets_darker_step_by_step(sight: str) -> None:
    """Lightness alone orders the steps, for every sight and for black and white paper."""
    light = [float(lab(colour, sight)[0]) for colour, _ in SCALE]
    assert all(one - other >= 8 for one, other in pairwise(light))
    assert contrast(INK, "#ffffff") >= 7
