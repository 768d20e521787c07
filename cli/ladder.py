"""Check ladders in words: the outermost rung of a site that works, and the lowest that is broken.

Law: the words stand in the locale files, one for each rung, and the rule in ``model/ladder.py``.
What is much older than the site's newest look says nothing of now.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from model.ladder import LADDER, LadderState, rung_of, rung_outcome, state
from model.measurement import Outcome, Rung

FRESH_SECONDS = 2 * 3600
"""Twice the longest usual interval of a look that decides (a certificate, a path)."""


def sentence(found: LadderState, lang: str) -> str:
    """``internet berfungsi, pusat data provinsi tidak terjangkau``; empty when nothing is known.
    Raises InputError for a language that there is not."""
    from maps.words import load  # babel, only when something is said

    words = load(lang)
    parts = []
    if found.works is not None:
        parts.append(words(f"rung_works.{found.works}"))
    if found.broken is not None:
        parts.append(words(f"rung_broken.{found.broken}"))
    return ", ".join(parts)


def documents(looks: Iterable[Mapping[str, Any]], lang: str) -> list[dict[str, Any]]:
    """Of each site and vantage: ``broken`` and ``works`` (a rung, or None) and the ``state`` in
    words, from newest looks with ``site``, ``vantage``, ``target``, ``at_ms`` and ``outcome``."""
    ladders: defaultdict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for look in looks:
        if rung_of(look["target"]) in LADDER:
            ladders[look["site"], look["vantage"]].append(look)
    found = []
    for (site, vantage), some in sorted(ladders.items()):
        newest_ms = max(look["at_ms"] for look in some)
        fresh = [look for look in some if newest_ms - look["at_ms"] <= FRESH_SECONDS * 1000]
        said = ladder_state((look["target"], Outcome[look["outcome"]]) for look in fresh)
        found.append(
            {
                "site": site,
                "vantage": vantage,
                "broken": said.broken,
                "works": said.works,
                "state": sentence(said, lang),
            }
        )
    return found


def ladder_state(outcomes: Iterable[tuple[str, Outcome]]) -> LadderState:
    """Of one ladder, from its targets and their outcomes."""
    rungs: defaultdict[Rung, list[Outcome]] = defaultdict(list)
    for target, outcome in outcomes:
        if (rung := rung_of(target)) in LADDER and rung is not None:
            rungs[rung].append(outcome)
    return state({rung: rung_outcome(some) for rung, some in rungs.items()})
