"""Facts that stand before statistics: files, dates, likeness to itself, the controls among themselves; pure."""

from __future__ import annotations

from collections.abc import Iterator

from depose.model import Finding, Findings
from depose.report.arrange import codes, primary
from depose.report.typography import clip, number

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
    said = []
    for one in _pairs(findings):
        deciding = {result.detector for result in one.results if result.primary} | set(one.per_prompt)
        raw = next((r for r in one.raw if r.replicate is not None and (r.detector in deciding or not deciding)), None)
        if raw is None or raw.replicate is None:
            continue
        beside = f"; controls with either {number(raw.controls)}" if raw.controls is not None else ""
        how = "at least as alike as the reference to itself" if raw.value >= raw.replicate else "less than that"
        said.append(
            f"{one.reference} asked twice is alike to itself by {number(raw.replicate)}, {one.suspect} and "
            f"{one.reference} by {number(raw.value)} ({raw.detector}{beside}): {how}."
        )
    return said


def of_nulls(findings: Findings) -> list[str]:
    """Count the pairs of controls that the tool would call, or that are as close, beside those that decide."""
    said: dict[str, list[str]] = {}
    for place, one in enumerate(findings.findings, 1):
        if one.null_pairs is None or (result := primary(one)) is None:
            continue
        n = one.null_pairs
        text = (
            f"of {n.n} pairs of controls {n.at_alpha} have p at or below {findings.protocol.alpha}, and "
            f"{n.as_close or 'none'} {'is' if n.as_close == 1 else 'are'} at least as close ({result.detector})"
        )
        said.setdefault(text, []).append(str(place))
    listed = [
        f"findings {codes(rows)}: {text}" if len(rows) > 1 else f"finding {rows[0]}: {text}"
        for text, rows in said.items()
    ]
    return [f"Beside {'; '.join(listed)}."] if listed else []


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
