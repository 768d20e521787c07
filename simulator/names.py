"""Invented Indonesian-style place names; some repeat, as in life (never key on a name)."""

import numpy as np

_LANDMARKS = (
    "Sungai", "Tanjung", "Nanga", "Kuala", "Teluk", "Bukit", "Pulau", "Parit", "Lubuk", "Batu",
    "Muara", "Padang", "Riam", "Simpang", "Rantau", "Pasir",
)  # fmt: skip
_HEADS = (
    "Ba", "Ke", "La", "Ma", "Na", "Pa", "Ra", "Sa", "Ta", "Se", "Me", "Te", "Si", "Lo", "Mu", "Du",
    "Ga", "Ja", "Be", "Ri", "Su", "Wa", "En", "Em",
)  # fmt: skip
_MIDDLES = ("la", "ra", "ta", "ma", "ni", "lu", "ri", "mba", "nta", "ngka", "du", "ja", "li", "")
_TAILS = (
    "yan", "tan", "ngin", "rung", "lai", "wan", "mpit", "dau", "ruk", "las", "bang", "pok", "ting",
    "kir", "jah", "nyam", "duk", "rai", "lik", "mau",
)  # fmt: skip
_QUALIFIERS = ("Hulu", "Hilir", "Baru", "Lama", "Darat", "Laut", "Jaya", "Makmur", "Satu", "Dua")


def place_name(rng: np.random.Generator) -> str:
    """One plausible name of a village or kecamatan."""
    root = _pick(rng, _HEADS) + _pick(rng, _MIDDLES) + _pick(rng, _TAILS)
    if rng.random() < 0.35:
        root = f"{_pick(rng, _LANDMARKS)} {root}"
    if rng.random() < 0.2:
        root = f"{root} {_pick(rng, _QUALIFIERS)}"
    return root


def village_names(rng: np.random.Generator, count: int) -> list[str]:
    """So many names, about one in twenty-five of them borne by an earlier village already."""
    names: list[str] = []
    for _ in range(count):
        again = bool(names) and rng.random() < 0.04
        names.append(names[int(rng.integers(len(names)))] if again else place_name(rng))
    return names


def distinct_names(rng: np.random.Generator, count: int) -> list[str]:
    """So many different names (kabupaten, and kecamatan within one kabupaten)."""
    names: dict[str, None] = {}
    while len(names) < count:
        names[place_name(rng)] = None
    return list(names)


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]
