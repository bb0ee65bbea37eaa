"""The fifteen questions that an opponent will ask, each with an answer in a sentence and the place that answers it.

Answers name no figure that the place does not show. A place is the key of a section, the letter of an appendix, or the
anchor of a heading or table; tests hold that each exists.
"""

from __future__ import annotations

from math import floor

from msgspec import UnsetType

from depose.model import Findings, Record
from depose.model.opinion import FEWEST_LINEAGES
from depose.report.arrange import primary

PLACES = {
    "facts": "facts of section 6",
    "nulls": "every two controls",
    "itself": "likeness to itself",
    "judged": "how good such ratios were",
    "unseen": "independent evaluations",
    "power": "power",
    "choice": "choice of controls",
    "stood": "controls beside the pair",
    "documents": "documents",
    "registrations": "other registrations",
}
"""Anchors that stand in a report where the findings have what they show, and what they are called."""
INSTEAD = {
    "facts": "framework",
    "nulls": "results",
    "itself": "results",
    "judged": "evaluation",
    "unseen": "validation",
    "power": "validation",
    "choice": "conditions",
    "stood": "conditions",
    "documents": "conditions",
    "registrations": "conditions",
}
"""The section that says so where a report has no such place."""


class Asked(Record, frozen=True, kw_only=True):
    """A question with its answer, and where to read on."""

    question: str
    answer: str
    places: tuple[str, ...]


MISSING = {
    "nulls": "In this case nobody knows: it has no two controls that were put in their place.",
    "unseen": "Nobody counted it on such models: what counts stand here are of models on which the method was chosen.",
    "power": "Nobody knows: no power is stated in this case, of any share of the outputs.",
    "stood": "They could: p supposes that either might have been one of the controls. How peculiar the two are was not "
    "computed here; what is recorded of each model is listed.",
    "judged": "Nothing in this report judges them: no ratios of pairs left out of a study stand in it.",
}
"""Answers where a report has not the place that the question is answered at: what was not done is not said to be."""


def asked(findings: Findings, there: set[str]) -> list[Asked]:
    """Answer the fifteen questions; `there` names the anchors that this report has."""
    return [
        Asked(
            question=question,
            answer=next((MISSING[one] for one in places[:1] if one in MISSING and one not in there), answer),
            places=tuple(dict.fromkeys(INSTEAD[one] if one in PLACES and one not in there else one for one in places)),
        )
        for question, answer, places in _all(findings)
    ]


class PromptsFrom(Record, frozen=True, kw_only=True):
    """Where the prompts of a case come from."""

    drawn: bool
    """Whether a seed drew some of them, from families of probes."""
    listed: str
    """What lists the others, in words; nothing if none is listed."""


def prompts_from(findings: Findings) -> PromptsFrom:
    """Tell prompts that a seed drew from those that a party handed in, whom no seed chose."""
    protocol = findings.protocol
    named = f"the file {protocol.prompts} that the party handed in" if protocol.prompts else ""
    pack = protocol.controls if isinstance(protocol.controls, str) else ""
    listed = named or (f"the control pack {pack}" if pack and not protocol.probes else "")
    return PromptsFrom(drawn=bool(protocol.probes) or not listed, listed=listed)


def _all(findings: Findings) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return (
        (
            "Would the tool say of two models that never met what it says of these two?",
            "Every two controls were put in their place; the pairs at or below alpha, and those at least as close, are "
            "counted and named.",
            ("nulls",),
        ),
        (
            "Is it wording that is alike, or only lists, dashes and length?",
            "Layout is taken out before wording is read, as printed in full; an indication needs the same at equal "
            "length, at equal layout, and without stock answers and templates (bare words).",
            ("method", "E", "results", "conditions"),
        ),
        (
            "Is the lower end of the interval an artefact of the resampling?",
            "How far raw draws lay from the score, and the share below it, stand beside every score; the interval is "
            "corrected for both.",
            ("method", "results"),
        ),
        (
            "So many times more probable than what?",
            "Each ratio names the one alternative that it is against; where a part of H2 is not evaluated, there is no "
            "ratio against H2 as a whole.",
            ("evaluation",),
        ),
        (
            "Do not the files themselves say whether it is one model?",
            "Digests come before statistics: equal ones answer the question, different ones are named with what they "
            "exclude, and no ratio for one set of weights stands beside them.",
            ("facts",),
        ),
        (
            "Who chose the controls and the prompts, out of how many, and had they seen answers?",
            _who_chose(findings),
            ("choice", "results", "collection", "stood", "sensitivity"),
        ),
        (
            "Who says that these are so many independent lineages?",
            "The case file does; nobody need believe it: controls that stand closer to each other than chance makes "
            "them count once, and the smaller count is used. The closest pairs are named, so that each can be asked "
            "about.",
            ("items", "stood", "nulls"),
        ),
        (
            "How often does the procedure err on models like these, never seen before?",
            "The counts on families that took no part in any choice stand beside the study’s own, and are the better "
            "guide.",
            ("unseen", "validation"),
        ),
        (
            "Would a small share of the reference’s outputs have been found?",
            "Power is given with its lower bound, and by dose where students of known dose were made; below the doses "
            "that were found the test is blind.",
            ("power",),
        ),
        (
            "How many other comparisons were tried before this one was shown?",
            "p adjusted over all findings of this report stands in the summary. "
            + (
                "Of other cases it knows what the ledger of the signing key counts; of other keys nothing, and"
                if findings.ledger
                else "Of other cases this report knows nothing;"
            )
            + " the declaration has a line for them.",
            ("summary", "registrations", "declaration"),
        ),
        (
            "Could suspect and reference be alike since they are of one year, size or language, and the controls not?",
            "They could: p supposes that either might have been one of the controls. Dates must be near, or there is "
            "no opinion; what is recorded of each model, and how peculiar the two are, is listed.",
            ("stood", "conditions"),
        ),
        (
            "Are the ratios that are reported, and not others, any good?",
            "Left-out ratios of the study, held to the bounds of this case, are judged by Cllr, recalibration and "
            "their mean where H2 is true.",
            ("judged",),
        ),
        (
            "Do the controls, the calibration and the power rest on the same models?",
            "A row of the conditions says how many controls are models of the study; where there are any, these "
            "figures do not support each other.",
            ("conditions",),
        ),
        (
            "On whose word is a common teacher excluded?",
            _on_whose_word(findings),
            ("documents", "evaluation", "summary") if findings.documents else ("evaluation", "framework"),
        ),
        (
            "Who has reviewed or repeated this, and what would have been concluded from another score?",
            _otherwise(findings),
            ("limitations", "method"),
        ),
    )


def _picked(findings: Findings) -> str:
    if not findings.retrospective:
        return ""
    return (
        " Answers were there before: whoever picks prompts by their answers makes strangers look alike, which no "
        "figure of this report would show."
    )


def _who_chose(findings: Findings) -> str:
    """Say who chose controls and prompts, as far as the registration tells."""
    chosen = "" if isinstance(findings.chosen, UnsetType) else findings.chosen.by
    controls = (
        "A rule drew the controls from a registry; each of its models is listed, drawn or not, with the reason."
        if findings.pool
        else "The controls are all models of a signed pack, and what the party named besides."
        if chosen == "pack"
        else "The party named the controls in the case file; whom it could have named instead is not on record."
    )
    of = prompts_from(findings)
    by = "that was drawn after registration" if not isinstance(findings.seed, UnsetType) else "that the party typed"
    prompts = (
        f"The prompts are those of {of.listed}, and who chose them is not on record.{_picked(findings)}"
        if not of.drawn
        else f"A seed {by} drew the prompts{f', but for those of {of.listed}' if of.listed else ''}."
    )
    return f"{controls} {prompts} {_tried(findings)} What was looked at before registration no record can show."


def _tried(findings: Findings) -> str:
    """Say which other sets of the controls were tried, and which were not."""
    sets = any(one.exchangeability and one.exchangeability.subsets for one in findings.findings)
    each = any(one.without for one in findings.findings)
    done = [name for name, there in (("Other sets of these controls", sets), ("Each control left out", each)) if there]
    if len(done) == 2:
        return "Other sets of these controls, and each control left out, are tried in turn."
    return (
        f"{done[0]} is tried in turn."
        if each
        else "Other sets of these controls are tried."
        if sets
        else ("They are too few for other sets of them to be tried.")
    )


def _on_whose_word(findings: Findings) -> str:
    if not findings.documents:
        return "On nobody’s: no document was handed in, and where it is not evaluated the ratio says so."
    return (
        "On that of a document that the party handed in and nobody examined; it is an exhibit with its digest, and "
        "the opinion without it stands beside."
    )


def _otherwise(findings: Findings) -> str:
    """Say what other outcomes would have led to, fixed by the rule and the number of controls."""
    said = "No peer has reviewed it, and it was repeated only in the independent evaluations. "
    scored = [one for one in findings.findings if primary(one) is not None and one.k]
    ks = sorted({one.k for one in scored if one.k_eff >= FEWEST_LINEAGES})
    if not ks:
        few = f"By the rule fixed beforehand every score is inconclusive with fewer than {FEWEST_LINEAGES} lineages."
        return said + (few if scored else "The rule of section 7 was fixed before the answers.")
    parts = []
    for k in ks:
        may = floor(findings.protocol.alpha * (k + 1) + 1e-9) - 1
        if may < 0:
            parts.append(f"with {k} controls p cannot reach alpha")
        else:
            few = f"at the most {may} of them reach" if may > 1 else f"{'one' if may else 'none'} of them reaches"
            parts.append(f"with {k} controls p reaches alpha if {few} the score")
    return (
        said
        + f"By the rule fixed beforehand, {'; '.join(parts)}, which an indication needs besides all else; any other "
        "score is no indication, or inconclusive."
    )
