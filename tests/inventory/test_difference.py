"""The difference of two inventories is what an engineer changed, and nothing else."""

from pathlib import Path

from inventory.difference import Change, differences
from inventory.read import load

GOOD = Path(__file__).parents[1] / "data" / "inventories" / "good.yaml"


def test_nothing(tmp_path: Path) -> None:
    """Comments and spelling are no difference."""
    path = tmp_path / "inventory.yaml"
    text = GOOD.read_text(encoding="utf-8").replace("code: 61,", 'code: "61",')
    path.write_text("# a comment\n" + text, encoding="utf-8")
    assert differences(load(GOOD), load(path)) == []


def test_changes(tmp_path: Path) -> None:
    """A changed key is named with both values; what came or went is one change."""
    path = tmp_path / "inventory.yaml"
    text = GOOD.read_text(encoding="utf-8").replace("semparuk-kd:", "semparuk:")
    text = text.replace("name: Lintas Serat", "name: Lintas Serat, sla_availability: 0.99")
    path.write_text(text + "definition: {thresholds: {4g: {loss_p95_max: 0.04}}}\n")
    old, new = load(GOOD), load(path)
    assert differences(old, new) == [
        Change("definition.thresholds.4g.loss_p95_max", 0.05, 0.04),
        Change("providers.serat.sla_availability", None, 0.99),
        Change("sites.semparuk", None, new.by_id["semparuk"]),
        Change("sites.semparuk-kd", old.by_id["semparuk-kd"], None),
    ]
