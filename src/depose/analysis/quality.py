"""Quality control of a case: each check with its limit, what was seen, and whether it passed.

Pure. A case whose checks do not all pass gets no opinion (criterion 30).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from depose.analysis.identical import identical
from depose.analysis.scored_bags import LEAST_ANSWERED, Bench
from depose.case.casefile import repeated
from depose.errors import AnalysisError
from depose.model import Check, Denominator, Dossier, Primary, SelfTest
from depose.statistics.rounding import tidy

DETECTOR = Primary().same
"""Compares a control's recorded answers with those that it gives live."""


def checks(dossier: Dossier, counts: Mapping[str, Denominator], bench: Bench) -> tuple[Check, ...]:
    """Run every check of a case."""
    return (_selftest(dossier), *_answered(dossier, counts), *_repeats(dossier, bench), *identical(dossier))


def passed(found: tuple[Check, ...], *models: str) -> bool:
    """Tell whether the checks of the whole case and of these models passed."""
    return all(one.passed for one in found if not one.model or one.model in models)


def _selftest(dossier: Dossier) -> Check:
    version = next((fact.value for fact in dossier.registration.software if fact.name == "depose"), "")
    limit = f"every known sample judged as it should be, by depose {version}"
    found = dossier.selftest
    if found is None:
        return Check(name="self-test", model="", limit=limit, seen="not run", passed=False)
    return Check(
        name="self-test", model="", limit=limit, seen=_seen(found), passed=found.passed and found.software == version
    )


def _seen(found: SelfTest) -> str:
    failed = [one.name for one in found.tests if not one.passed]
    right = f"{len(found.tests) - len(failed)} of {len(found.tests)}"
    return f"{right} by depose {found.software}" + (f"; failed: {', '.join(failed)}" if failed else "")


def _answered(dossier: Dossier, counts: Mapping[str, Denominator]) -> Iterator[Check]:
    for spec in dossier.registration.case.models:
        if spec.role in ("suspect", "reference"):
            one = counts[spec.code]
            yield Check(
                name="answered",
                model=spec.code,
                limit=f"at least {LEAST_ANSWERED:.0%} of its questions",
                seen=f"{one.answered} of {one.planned}",
                passed=one.answered >= LEAST_ANSWERED * one.planned,
            )


def _repeats(dossier: Dossier, bench: Bench) -> Iterator[Check]:
    """Compare what a control answered live with what it answered when it was recorded."""
    case = dossier.registration.case
    controls = [spec.code for spec in case.models if spec.role == "control" and not spec.repeats]
    for live, kept in repeated(case):
        bag = (live.code, kept.code, *(code for code in controls if code != kept.code))
        limit = f"closer to its own recorded answers than to any other control (T of {DETECTOR})"
        if live.within is not None:
            limit += f", and T from {live.within[0]:g} to {live.within[1]:g}"
        try:
            t = bench.scored(bag, DETECTOR).scores.t[0, 1:]
        except AnalysisError as error:
            yield Check(name="batch", model="", limit=limit, seen=f"{live.code}: {error}", passed=False)
            continue
        own, others = float(t[0]), float(t[1:].max())
        inside = live.within is None or live.within[0] <= own <= live.within[1]
        yield Check(
            name="batch",
            model="",
            limit=limit,
            seen=f"{live.code} with {kept.code}: T {tidy(own):z.2f}; next {tidy(others):z.2f}",
            passed=own > others and inside,
        )
