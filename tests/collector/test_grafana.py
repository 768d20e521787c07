"""The Grafana dashboard asks for metrics that exist."""

import json
import re
from pathlib import Path

from collector.metrics import METRICS

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana" / "collector.json"


def test_every_query_names_a_metric_of_ours() -> None:
    """Each expression uses our metrics only (a histogram's buckets too), and none is left out that
    would tell of trouble."""
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    names = {name for expression in asked for name in re.findall(r"jangkau_\w+", expression)}
    assert {name.removesuffix("_bucket") for name in names} <= METRICS.keys()
    assert {"jangkau_ailing", "jangkau_archive_lag_seconds", "jangkau_probes_silent"} <= names
