"""Why a finding reads as it does, in one sentence for each reason, with its number and its cause. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from depose.analysis.foreseen import in_words
from depose.analysis.opinion import FEWEST_LINEAGES, LEAST_POWER, MOST_REFUSALS
from depose.errors import few
from depose.model import Finding, Findings, Result
from depose.report.arrange import with_interval
from depose.report.grounds import unmet
from depose.report.wording import REASONS
from depose.statistics.rounding import at_least, upwards


def reasons_of(finding: Finding, findings: Findings) -> tuple[tuple[str, str], ...]:
    """Give the code of each reason of an opinion and what it comes from in this case."""
    return tuple((code, said(code, finding, findings)) for code in finding.opinion.reasons)


def also_unmet(finding: Finding, findings: Findings) -> tuple[tuple[str, str], ...]:
    """Give the same for what the opinion does not name, since an earlier step of the rule had failed already."""
    return tuple((code, said(code, finding, findings)) for code in unmet(finding))


def said(code: str, finding: Finding, findings: Findings) -> str:
    """Say what one reason comes from; in general words where the findings do not tell."""
    tell = _CAUSES.get(code)
    found = "; ".join(tell(finding, findings)) if tell else ""
    return found or REASONS.get(code, code)


def primary(finding: Finding) -> Result | None:
    """Return the result that decides, if there is one."""
    return next((one for one in finding.results if one.primary), None)


def _controls(finding: Finding, findings: Findings) -> Iterator[str]:
    needed = max(FEWEST_LINEAGES, finding.k_needed)
    yield f"{finding.k_eff} independent clean control lineages, {needed} are needed"
    if finding.grounds is not None and isinstance(finding.grounds.p_lineages, float):
        yield f"some reach the score: p counted in lineages is {upwards(finding.grounds.p_lineages)}"
    left: dict[str, list[str]] = {}
    for one in finding.excluded:
        left.setdefault(one.reason, []).append(one.model)
    for reason, codes in sorted(left.items(), key=lambda item: -len(item[1]))[:3]:
        yield f"left out: {few(codes)}: {reason}"


def _era(finding: Finding, findings: Findings) -> Iterator[str]:
    found = finding.exchangeability
    if found is None:
        return
    era = found.era
    undated = [
        code
        for code, date in ((finding.suspect, era.suspect), (finding.reference, era.reference))
        if date in ("", "unknown")
    ]
    if undated:
        yield f"since when {' and '.join(undated)} is offered is not known; fill in `released`"
    else:
        yield f"{era.near} of the controls are of the years of the two, {era.needed} are needed"
    if era.undated:
        yield f"not dated: {few(era.undated)}"


def _power(finding: Finding, findings: Findings) -> Iterator[str]:
    found = finding.power
    if found is None:
        closed = [one.validated for one in finding.conditions if one.name == "question" and not one.inside]
        why = closed[0] if closed else "no study covers this case"
        yield f"how often a true relation would have been found is not known; {why}"
    else:
        yield (
            f"a true relation would have been found in {found.k} of {found.n} pairs of the study, at least "
            f"{at_least(found.lower95)}; `no indication` needs {LEAST_POWER:.2f}"
        )


def _quality(finding: Finding, findings: Findings) -> Iterator[str]:
    for one in findings.quality:
        if not one.passed and one.model in ("", finding.suspect, finding.reference):
            who = f"{one.model} " if one.model else ""
            yield f"{who}{one.name}: {one.seen} (wanted: {one.limit})"
            if one.name == "self-test" and one.seen == "not run":
                yield "depose selftest, or depose audit, runs it"


def _range(finding: Finding, findings: Findings) -> Iterator[str]:
    for one in finding.conditions:
        if not one.inside and one.decides:
            yield in_words(one, finding.question)
    if not finding.conditions:
        yield "no validation study covers this case"


def _refusals(finding: Finding, findings: Findings) -> Iterator[str]:
    for one in findings.denominators:
        if one.model in (finding.suspect, finding.reference):
            kept = one.refused + one.blocked
            if one.unjudged:
                yield f"{one.model}: {one.unjudged} answers are in a language in which refusals cannot be told"
            elif kept > MOST_REFUSALS * max(one.answered, 1):
                yield f"{one.model} refused {kept} of {one.answered + one.blocked}, a fifth is the most"


def _matched(name: str, field: str) -> Callable[[Finding, Findings], Iterator[str]]:
    def tell(finding: Finding, findings: Findings) -> Iterator[str]:
        result = primary(finding)
        value = getattr(result, field) if result else None
        if value is not None:
            yield f"once closeness in {name} is taken out, p is {upwards(value)}, above {findings.protocol.alpha:g}"

    return tell


def _spans(finding: Finding, findings: Findings) -> Iterator[str]:
    for one in finding.ratios:
        if one.against == "unrelated":
            if one.value is None:
                yield f"no likelihood ratio: {one.reason}"
            else:
                yield f"the likelihood ratio against `unrelated` is {with_interval(one)}: it may be 1"


def _kind(finding: Finding, findings: Findings) -> Iterator[str]:
    for one in finding.ratios:
        if one.against != "unrelated" and (one.low is None or one.low <= 1):
            what = one.reason if one.low is None else f"ratio {with_interval(one)}"
            yield f"not told from `{one.against}`: {what}"
    result = primary(finding)
    closer = [one.model for one in finding.candidates if result and one.value > result.value and not one.tested]
    if closer:
        yield f"closer than {finding.reference}: {few(closer)}"
    if finding.grounds is not None and finding.grounds.rivals_left:
        yield (
            f"not compared with {finding.reference}: {few(finding.grounds.rivals_left)}; a rival needs answers to the "
            "prompts, and three controls that are clean for it too"
        )


_CAUSES: dict[str, Callable[[Finding, Findings], Iterator[str]]] = {
    "controls": _controls,
    "era": _era,
    "power": _power,
    "quality": _quality,
    "range": _range,
    "refusals": _refusals,
    "length": _matched("length", "p_length_matched"),
    "layout": _matched("layout", "p_layout_matched"),
    "lr_spans_one": _spans,
    "kind": _kind,
}
