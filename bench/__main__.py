"""``python -m bench [NAME ...]``: run the named benches, or all of them in turn."""

import sys

from bench import (
    aggregate,
    beside,
    echoes,
    history,
    ingest,
    ladder,
    maps,
    probe_cost,
    province,
    report,
    services,
    snmp,
    throughput,
    week,
)

BENCHES = {
    "echoes": echoes.run,
    "history": history.run,
    "province": province.run,
    "week": week.run,
    "services": services.run,
    "aggregate": aggregate.run,
    "report": report.run,
    "maps": maps.run,
    "ingest": ingest.run,
    "beside": beside.run,
    "ladder": ladder.run,
    "probe_cost": probe_cost.run,
    "snmp": snmp.run,
    "throughput": throughput.run,
}


def main(words: list[str]) -> int:
    """0 when every bench ran, 2 for a name that is none. Words with two hyphens are for a bench."""
    names = [word for word in words if not word.startswith("--")]
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    for name in names or BENCHES:
        print(f"== {name}")
        BENCHES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
