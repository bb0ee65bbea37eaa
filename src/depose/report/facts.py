"""Facts that stand before statistics: files, dates, likeness to itself, the controls among themselves; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from depose.model import Fact, Finding, Findings
from depose.model.weights import WeightFinding
from depose.report.arrange import adapts, codes, primary
from depose.report.typography import clip, number, power_of_ten

SEEN_OUTSIDE = "The models were seen from the outside only"
RELATED = (
    "One was made from the other, or both from a third, or from the same random numbers; weights do not say which."
)
EXCLUDES = (
    "That excludes that they are the same files, and not the same weights in another format, order or precision; "
    "comparing the weights themselves would."
)


def _pairs(findings: Findings) -> Iterator[Finding]:
    """Yield one finding for each suspect and reference."""
    seen = set()
    for one in findings.findings:
        if (one.suspect, one.reference) not in seen:
            seen.add((one.suspect, one.reference))
            yield one


def of_files(findings: Findings) -> list[str]:
    """Say of each pair what the recorded digests of weights say, pairs that say the same together."""
    said: dict[str, list[str]] = {}
    for one in _pairs(findings):
        found = one.files
        if found is None or found.state == "not known":
            continue
        if found.state == "equal":
            text = "every recorded file of weights has one digest on both sides: it is one set of files."
        else:
            names = ", ".join(clip(fact.name, 60) for fact in found.differing[:4])
            shared = [clip(fact.name, 60) for fact in found.shared]
            also = f" ({', '.join(shared[:3])} {'is' if len(shared) == 1 else 'are'} the same)" if shared else ""
            text = f"recorded files differ in {names}{also}. {EXCLUDES}"
        said.setdefault(text, []).append(f"{one.suspect} and {one.reference}")
    return [f"{', '.join(pairs)}: {text}" for text, pairs in said.items()]


def of_files_shortly(findings: Findings) -> list[str]:
    """Say the same on the first page, where names of files tell a reader nothing."""
    said: dict[str, list[str]] = {}
    words = {
        "equal": "all recorded files of weights are equal: one set of files",
        "different": "recorded files of weights differ, so that they are not the same files; the same weights in "
        "another format, order or precision they may be",
    }
    for one in _pairs(findings):
        if one.files is not None and one.files.state in words:
            said.setdefault(words[one.files.state], []).append(f"{one.suspect} and {one.reference}")
    return [f"{', '.join(pairs)}: {text}." for text, pairs in said.items()]


def of_weights(findings: Findings) -> list[str]:
    """Say what a comparison of weights found, which no opinion on answers looks at and which may tell more than all."""
    said: dict[str, list[str]] = {}
    for one in findings.weights:
        by = " by embeddings alone" if _embeddings_alone(one) else ""
        words = f"{one.reading}{by}, p {power_of_ten(one.log10_p)}" if one.layers else one.reading
        said.setdefault(words, []).append(f"{one.suspect} and {one.reference}")
    if not said:
        return []
    rows = "; ".join(f"{', '.join(pairs)} {text}" for text, pairs in said.items())
    hidden = [one.reading for one in findings.weights if not _embeddings_alone(one)]
    means = f" {RELATED}" if "not independent" in hidden else ""
    return [f"Weights, compared by themselves, by no opinion in the table: {rows}.{means}"]


def _embeddings_alone(one: WeightFinding) -> bool:
    return bool(one.cautions) and one.cautions[0].startswith("embeddings alone")


def limitations(findings: Findings, listed: Sequence[str]) -> tuple[str, ...]:
    """List the limitations of a case; where weights were compared, not all of a model was seen from the outside."""
    if not findings.weights:
        return tuple(listed)
    pairs = ", ".join(f"{one.suspect} and {one.reference}" for one in findings.weights)
    said = f"But for the weights of {pairs}, the models were seen from the outside only: what they answered."
    return tuple(said if one.startswith(SEEN_OUTSIDE) else one for one in listed)


def of_dates(findings: Findings) -> list[str]:
    """Say of each pair which was offered first, where documented dates tell."""
    words = {
        "reference first": "{r} was offered first ({rd}, {s} {sd}), as the case file documents",
        "suspect first": "{s} was offered first ({sd}, {r} {rd}), as the case file documents, which speaks against it "
        "as the learner",
    }
    return [
        f"{words[d.order].format(s=one.suspect, r=one.reference, sd=d.suspect_released, rd=d.reference_released)}."
        for one in _pairs(findings)
        if (d := one.direction) is not None and d.order in words
    ]


def of_itself(findings: Findings) -> list[str]:
    """Set the likeness of suspect and reference beside that of the reference to itself."""
    said: dict[str, list[str]] = {}
    for one in _pairs(findings):
        deciding = {result.detector for result in one.results if result.primary} | set(one.per_prompt)
        raw = next((r for r in one.raw if r.replicate is not None and (r.detector in deciding or not deciding)), None)
        if raw is None or raw.replicate is None:
            continue
        beside = f", controls with either {number(raw.controls)}" if raw.controls is not None else ""
        how = "at least as alike as the reference to itself" if raw.value >= raw.replicate else "less than that"
        said.setdefault(raw.detector, []).append(
            f"{one.suspect} and {one.reference} {number(raw.value)}, {one.reference} asked twice "
            f"{number(raw.replicate)}{beside}: {how}"
        )
    return [
        f"Likeness as it is, by {detector}, 0 to 1, weighed anew beside each suspect: {'; '.join(rows)}."
        for detector, rows in said.items()
    ]


def of_nulls(findings: Findings) -> list[str]:
    """Count the pairs of controls that the tool would call, or that are as close, beside those that decide."""
    said: dict[tuple[int, int, int], list[str]] = {}
    blind: dict[tuple[int, int], list[str]] = {}
    for place, one in enumerate(findings.findings, 1):
        if one.null_pairs is not None and primary(one) is not None:
            n = one.null_pairs
            if one.floor > findings.protocol.alpha:
                blind.setdefault((n.n, n.as_close), []).append(str(place))
            else:
                said.setdefault((n.n, n.at_alpha, n.as_close), []).append(str(place))
    return [*_counted(said, findings.protocol.alpha), *(_blind(*row, findings.protocol.alpha) for row in blind.items())]


def _blind(pairs: tuple[int, int], places: Sequence[str], alpha: float) -> str:
    n, close = pairs
    return (
        f"Of {n} pairs of controls in the place of the two {close or 'none'} {'is' if close < 2 else 'are'} at least "
        f"as close; with so few controls no pair can have p at or below {alpha} "
        f"(finding{'s' if len(places) > 1 else ''} {codes(places)})."
    )


def _counted(said: dict[tuple[int, int, int], list[str]], alpha: float) -> list[str]:
    if not said:
        return []
    counts = list(said)
    if len({n for n, _, _ in counts}) == 1 and len(counts) > 1:
        rows = [
            f"{at_alpha} ({close or 'none'}) in {' and '.join(places)}" for (_, at_alpha, close), places in said.items()
        ]
        return [
            f"Of {counts[0][0]} pairs of controls in the place of the two, so many had p at or below "
            f"{alpha} (were at least as close), by finding: {', '.join(rows)}."
        ]
    listed = [
        f"{at_alpha} of {n} have p at or below {alpha} and {close or 'none'} "
        f"{'is' if close == 1 else 'are'} at least as close (finding{'s' if len(rows) > 1 else ''} {codes(rows)})"
        for (n, at_alpha, close), rows in said.items()
    ]
    return [f"Pairs of controls, put in the place of suspect and reference: {'; '.join(listed)}."]


def assumed(findings: Findings) -> list[str]:
    """List what opinions take from documents that the case file names."""
    return list(
        dict.fromkeys(
            f"{one.reference} has learnt from no other model ({ratio.reason.split('; ')[0]})"
            for one in findings.findings
            for ratio in one.ratios
            if ratio.excluded
        )
    )


def files_apart(findings: Findings) -> list[Fact]:
    """List the files of a case whose digests do not stand among the facts of its models."""
    told = {fact.value for item in findings.items for fact in item.facts if adapts(fact)}
    return [one for one in findings.files if one.value not in told]
