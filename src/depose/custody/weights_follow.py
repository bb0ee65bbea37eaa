"""Checks what a sealed comparison of weights says of itself, for whoever has no weights to compare again.

Its tests follow from its layers, its result from its tests, its reading from its result; it is of the models of the
case, by the files that answered, and there is one for each pair: of two the better one could be kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import lgamma, log, log10

from depose.custody.bundle import Read
from depose.custody.consistent import elsewhere
from depose.custody.kinds import LOG
from depose.custody.seal import FORMAT
from depose.errors import EvidenceError
from depose.model import WeightFinding
from depose.model.weights import TestKind, WeightTests
from depose.weights import exact_tails
from depose.weights.assumptions import NOT_COUNTED
from depose.weights.compare import ALPHA, Tests, together

PART = 1e-3
"""Share of a logarithm that comes of its parts having been rounded to three places."""
ROUNDING = 0.05
SHADE = 2e-4
"""Of a margin in the map, which is rounded to four places."""
MOST_MATCHED = 10**9
DIMENSIONS: TestKind = "order of the model's dimensions"
LEAST = -lgamma(exact_tails.MOST + 1) / log(10)
"""log10 of the least chance of an order of as many places as a test looks at."""
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
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
    yield from _of_no_comparison(one)
    if read.seal.format == FORMAT:  # before, an order was looked at once
        yield from _looked_at_once(one)
    yield from _not_following(one)


def _of_other_files(read: Read, code: str, files: dict[str, str]) -> Iterator[str]:
    """Yield a file that was compared and is not the file of that name that answered."""
    if not files or any(
        not _DIGEST.match(value) or not name or ".." in name.split("/") for name, value in files.items()
    ):
        yield f"files of {code} without names and digests"
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
    gguf = any(name.endswith(".gguf") for name in files)  # converted to answer, under names of its own
    if not gguf and not answered.keys() <= files.keys():
        yield f"{min(answered.keys() - files.keys())[:80]} of {code} answered, and was not compared"


def _of_no_comparison(one: WeightFinding) -> Iterator[str]:
    """Yield what no comparison can have found, whatever the weights, such as less chance than any order has."""
    for kind, of in ((kind, [each for each in one.layers if each.kind == kind]) for kind, _, _ in OF_LAYERS):
        if len({each.label for each in of}) < len(of):
            yield f"a layer of the kind {kind} stands twice"
        counted = [each.closest for each in of if each.counted]
        if len(set(counted)) < len(counted):
            yield f"a layer of the reference counts twice among those of the kind {kind}"
    for each in one.layers:
        if not 0 <= each.matched <= each.units or abs(each.cosine) > 1 or not -2 <= each.margin <= 2:
            yield f"{each.kind} {each.label[:40]}: {each.matched} matches of {each.units} units, which cannot be"
        orders, signs = -lgamma(min(max(each.matched, 0), MOST_MATCHED) + 1) / log(10), -each.matched * log10(2)
        if each.order_log10_p < orders - ROUNDING or (each.signs_log10_p or 0) < signs - ROUNDING:
            yield f"{each.kind} {each.label[:40]}: less likely than any order or signs of {each.matched} units"
        if each.kind == "mlp" and (each.again_log10_p or 0) < LEAST - ROUNDING:
            yield f"{each.kind} {each.label[:40]}: less likely than any order at the second look"
    for test in one.tests:
        if test.kind == DIMENSIONS and (test.n != 1 or min(test.log10_p, test.again_log10_p or 0) < LEAST - ROUNDING):
            yield f"the {DIMENSIONS}: {test.n} tests of log10 p {test.log10_p}, which cannot be"
    yield from _of_no_map(one)


def _looked_at_once(one: WeightFinding) -> Iterator[str]:
    """Yield an order without its second look: a mask that both took makes an order of strangers at the first."""
    for each in one.layers:
        if each.again_log10_p is None:
            yield f"{each.kind} {each.label[:40]}: an order without its second look"
    if any(test.kind == DIMENSIONS and test.again_log10_p is None for test in one.tests):
        yield f"the {DIMENSIONS} without its second look"


def _of_no_map(one: WeightFinding) -> Iterator[str]:
    """Yield where the map of MLPs is not that of the layers."""
    rows, wide = len(one.map.suspect), len(one.map.reference)
    tables = (one.map.margins, one.map.order_log10_p)
    if any(len(table) != (rows if wide else 0) or any(len(row) != wide for row in table) for table in tables):
        yield "a map of other MLPs than it names"
        return
    mlps = [each for each in one.layers if each.kind == "mlp"]
    if [each.label for each in mlps] != [*one.map.suspect][: len(one.map.margins)]:
        yield "a map of other MLPs than were compared"
        return
    for each, margins in zip(mlps, one.map.margins, strict=True):
        closest = [margin for label, margin in zip(one.map.reference, margins, strict=True) if label == each.closest]
        if not closest or max(closest) < max(margins) - SHADE:
            yield f"mlp {each.label[:40]} is beside {each.closest[:40]}, and the map has another closest one"
    if any(value > 0 for row in one.map.order_log10_p for value in row):
        yield "a logarithm of a probability above 0 in the map"


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
