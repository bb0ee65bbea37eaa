"""Checks what a sealed comparison of weights says of itself, for whoever has no weights to compare again.

Its tests follow from its layers, its result from its tests, its reading from its result; it is of the models of the
case, by the files that answered, and there is one for each pair: of two the better one could be kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from depose.custody.bundle import Read
from depose.custody.consistent import elsewhere
from depose.custody.kinds import LOG
from depose.errors import EvidenceError
from depose.model import WeightFinding
from depose.model.weights import TestKind, WeightTests
from depose.weights import exact_tails
from depose.weights.assumptions import NOT_COUNTED
from depose.weights.compare import ALPHA, Tests, together

PART = 1e-3
"""Share of a logarithm that comes of its parts having been rounded to three places."""
ROUNDING = 0.05
OF_LAYERS: tuple[tuple[str, TestKind, TestKind], ...] = (
    ("mlp", "order of units", "signs of units"),
    ("attention", "order of value dimensions", "signs of value dimensions"),
)


def weights_follow(read: Read) -> tuple[list[str], list[str]]:
    """Check every comparison of weights of a log; raise EvidenceError for one that does not follow from its parts."""
    seen: set[tuple[str, str]] = set()
    for number, one in read.weighed:
        where = f"{LOG}: record {number}: weights of {one.suspect[:40]} and {one.reference[:40]}"
        for wrong in _wrong(read, one, seen):
            raise EvidenceError(f"{where}: {wrong}{elsewhere(read)}", hint="it is not what depose recorded")
        seen.add((one.suspect, one.reference))
    if not seen:
        return [], []
    return [f"{len(seen)} comparisons of weights: of models of the case, once each, results follow from layers"], []


def _wrong(read: Read, one: WeightFinding, seen: set[tuple[str, str]]) -> Iterator[str]:
    roles = {spec.code: spec.role for spec in read.entries.registration.case.models}
    if (one.suspect, one.reference) in seen:
        yield "were compared before, and of two comparisons the better one could be kept"
    if (roles.get(one.suspect), roles.get(one.reference)) != ("suspect", "reference"):
        yield "are not those of a suspect and a reference of the case"
    if read.entries.registration.case.weights is None:
        yield "the case does not register a comparison of weights"
    for code, files in ((one.suspect, one.suspect_files), (one.reference, one.reference_files)):
        yield from _of_other_files(read, code, files)
    yield from _not_following(one)


def _of_other_files(read: Read, code: str, files: dict[str, str]) -> Iterator[str]:
    """Yield a file that was compared and is not the file of that name that answered."""
    held = read.entries.registration.case.weights
    if held is None or code in held.files:  # weights that lie elsewhere, under whatever names
        return
    described = {fact for asked in read.asked if asked.exchange.model == code for fact in asked.described}
    answered = {
        fact.name.removeprefix("weights "): fact.value for fact in described if fact.name.startswith("weights ")
    }
    for name in sorted(answered.keys() & files.keys()):
        if answered[name] != files[name]:
            yield f"{name[:80]} of {code} is not the file whose model answered"


def _not_following(one: WeightFinding) -> Iterator[str]:
    if one.alpha != ALPHA:
        yield f"a level of {one.alpha}, not {ALPHA}"
    logs = _logs(one)
    values = [value for each in logs.values() for value in (*each.logs, *(each.again or ()))]
    if any(value > 0 for value in values) or one.log10_p > 0:
        yield "a logarithm of a probability above 0"
    said = {test.kind: test for test in one.tests}
    if len(said) != len(one.tests):
        yield "a kind of test stands twice"
    for kind, each in logs.items():
        again = None if each.again is None else exact_tails.fisher(each.again)
        found = WeightTests(kind=kind, n=len(each.logs), log10_p=exact_tails.fisher(each.logs), again_log10_p=again)
        told = said.get(kind, WeightTests(kind=kind, n=0, log10_p=0.0))
        if told.n != found.n or not _close(told.log10_p, found.log10_p):
            gives = f"{found.log10_p:.3f} of {found.n}"
            yield f"the {kind}: log10 p {told.log10_p} of {told.n} tests, and its layers give {gives}"
        if told.n and (
            (told.again_log10_p is None) != (again is None) or not _close(told.again_log10_p or 0, again or 0)
        ):
            yield f"the {kind}: log10 p {told.again_log10_p} at the second look, and its layers give {again}"
    others = {
        kind: Tests([test.log10_p], None if test.again_log10_p is None else [test.again_log10_p])
        for kind, test in said.items()
        if kind not in logs
    }
    spoilt = {text.removeprefix(NOT_COUNTED) for text in one.cautions if text.startswith(NOT_COUNTED)}
    counted = [each for kind, each in (logs | others).items() if kind not in spoilt]
    if not _close(one.log10_p, together(counted)):
        yield f"log10 p {one.log10_p} in all, and its tests give {together(counted):.3f}"
    reading = "not independent" if one.log10_p <= log10(ALPHA) else "nothing against independence"
    if one.reading != (reading if any(each.logs for each in counted) else "not testable"):
        yield f"is read as {one.reading!r}, and log10 p is {one.log10_p}"


def _logs(one: WeightFinding) -> dict[TestKind, Tests]:
    """Sort the tests of the layers that count by kind."""
    found: dict[TestKind, Tests] = {}
    for kind, order, signs in OF_LAYERS:
        of = [each for each in one.layers if each.kind == kind and each.counted]
        of = [each for each in of if each.matched >= exact_tails.FEWEST]
        again = [each.again_log10_p for each in of if each.again_log10_p is not None]
        found[order] = Tests([each.order_log10_p for each in of], again or None)
        found[signs] = Tests([each.signs_log10_p for each in of if each.signs_log10_p is not None])
    return found


def _close(said: float, found: float) -> bool:
    return abs(said - found) <= ROUNDING + PART * abs(found)
