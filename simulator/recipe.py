"""How a simulated province lies in a folder: as the few numbers that make it again.

Law: a province is never stored, it is made anew from its recipe; so whoever plays history, answers
packets or scores results works on the very same lines and devices.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from model.errors import InputError
from simulator.province import END, NETWORK, SimulatedProvince, make_province

FILE = "simulation.json"
VERSION = 2
"""Raised whenever the same recipe would make another province."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The arguments of ``make_province``."""

    seed: int
    villages: int = 2145
    kabupaten: int = 14
    end: date = END
    network: str = NETWORK
    interval_seconds: int = 300
    loss_range: tuple[float, float] | None = None

    def make(self) -> SimulatedProvince:
        """The province. Raises InputError where the numbers do not fit together."""
        try:
            return make_province(
                self.seed,
                self.villages,
                self.kabupaten,
                end=self.end,
                network=self.network,
                interval_seconds=self.interval_seconds,
                loss_range=self.loss_range,
            )
        except ValueError as error:
            raise InputError(f"this province cannot be made: {error}") from None


def write_recipe(folder: Path, recipe: Recipe) -> None:
    """Put a recipe into a folder."""
    content = {"version": VERSION, **asdict(recipe), "end": recipe.end.isoformat()}
    (folder / FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_recipe(folder: Path) -> Recipe:
    """Read a folder's recipe. Raises InputError with the remedy."""
    path = folder / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if (version := content.pop("version")) != VERSION:
            raise InputError(f"{path}: made by another version ({version}): make the province anew")
        content["end"] = date.fromisoformat(content["end"])
        if content["loss_range"] is not None:
            content["loss_range"] = tuple(content["loss_range"])
        return Recipe(**content)
    except FileNotFoundError:
        raise InputError(f"{path} is missing: make it with 'jangkau simulate province'") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: not a recipe ({error!r}): make the province anew") from None
