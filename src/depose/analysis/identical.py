"""Models that gave the same answers: word for word, to most of the questions that both answered.

Pure. Two codes for one file are a mistake of the case. Two endpoints that answer alike may be one model, which is what
the case asks: then the check says how many answers are equal, and fails nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from depose.answers.line_ends import evened
from depose.model import Check, Dossier, Fact, ModelSpec

NAME = "identical answers"
FEWEST = 3
"""Questions that both must have answered."""
LIMIT = "no two models have most of their answers in common, unless one of them is a repeat or a known answer"


def identical(dossier: Dossier) -> Iterator[Check]:
    """Yield a check for each pair whose answers are mostly the same, or one for the whole case where there is none.

    It fails for a pair that has one file, and for a control that says what another model says.
    """
    texts: dict[str, dict[tuple[str, int], str]] = defaultdict(dict)
    for one in dossier.transcripts:
        if one.replicate == 0:
            texts[one.model][one.prompt, one.sample] = evened(one.text)
    specs = {spec.code: spec for spec in dossier.registration.case.models}
    codes = [code for code in specs if code in texts]
    found = False
    for left, right in combinations(codes, 2):
        if specs[left].repeats == right or specs[right].repeats == left:
            continue
        both = texts[left].keys() & texts[right].keys()
        alike = sum(texts[left][place] == texts[right][place] for place in both)
        if len(both) >= FEWEST and 2 * alike > len(both):
            found = True
            yield _check(specs[left], specs[right], alike, len(both), dossier.endpoints)
    if not found:
        count = len(codes) * (len(codes) - 1) // 2
        yield Check(name=NAME, model="", limit=LIMIT, seen=f"none of {count} pairs", passed=True)


def _check(left: ModelSpec, right: ModelSpec, alike: int, of: int, endpoints: dict[str, tuple[Fact, ...]]) -> Check:
    one_file = bool(_files(endpoints.get(left.code, ())) & _files(endpoints.get(right.code, ())))
    later = right if right.role == "control" or left.role != "control" else left
    known = {"positive", "foil"} & {left.role, right.role}
    controls = "control" in (left.role, right.role)
    seen = f"{left.code} and {right.code}: {alike} of {of}"
    if one_file:
        seen += ", from one file"
    return Check(name=NAME, model=later.code, limit=LIMIT, seen=seen, passed=bool(known) or not (one_file or controls))


def _files(facts: tuple[Fact, ...]) -> set[tuple[str, str]]:
    """Give digest and model of each file that stands under a code."""
    digests = [fact.value for fact in facts if fact.name == "file sha256"]
    models = [fact.value for fact in facts if fact.name == "model in file"]
    return set(zip(digests, models, strict=False))
