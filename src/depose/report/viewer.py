"""The whole case to read: a list of prompts, and a page for each with every answer and score, linked to its record.

No page needs a script. `explore.html` is the same list with one that sorts and filters. A content security policy
lets nothing load, and lets no script run but our own, named by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

from depose.answers.how_ended import named
from depose.answers.settle import of_exchange
from depose.features import passages
from depose.model import Exchange, Findings, Prompt, Record, canonical
from depose.report import excerpts
from depose.report.typography import clip, number, template
from depose.report.wording import SENTENCES


class Recorded(Record, frozen=True, kw_only=True):
    """An exchange with the place and the digest of its line in the log."""

    seq: int
    digest: str
    exchange: Exchange

    @property
    def ended(self) -> str:
        """How it ended, with the provider's own word."""
        return named(of_exchange(self.exchange).status, self.exchange.finish)


class Score(Record, frozen=True, kw_only=True):
    """A centred score of two models on one prompt."""

    detector: str
    prompt: str
    left: str
    right: str
    value: float


class Beside(Record, frozen=True, kw_only=True):
    """The first answers of a suspect and a reference to one prompt, with the passages that they share."""

    suspect: str
    reference: str
    controls: int
    """How many controls that are clean for the two answered the prompt."""
    sides: tuple[excerpts.Excerpt, ...]
    """Reference first, then suspect, whole."""


class Shown(Record, frozen=True, kw_only=True):
    """A prompt with all that belongs to it."""

    page: str
    """Its file, from the list."""
    prompt: Prompt
    records: tuple[Recorded, ...]
    answered: int
    scores: tuple[tuple[str, str], ...]
    """Detector, and its scores in one line."""
    beside: tuple[Beside, ...]
    """Each suspect and reference that both answered."""
    score: float | None
    """The deciding score of the first finding; prompts are sorted by it."""


def pages(
    findings: Findings, prompts: Sequence[Prompt], records: Sequence[Recorded], scores: Sequence[Score]
) -> Iterator[tuple[str, bytes]]:
    """Yield `viewer.html`, `explore.html` and `viewer/0001.html` and so on; the same case gives the same bytes."""
    from markupsafe import Markup

    shown = _shown(findings, prompts, records, scores)
    digest = canonical.digest(findings)
    pair = (findings.findings[0].suspect, findings.findings[0].reference) if findings.findings else ()
    shared: dict[str, Any] = {
        "findings": findings,
        "report_id": digest[:12],
        "css": Markup(_text("viewer.css")),  # noqa: S704 - our own
    }
    filters: dict[str, Callable[..., Any]] = {"number": number, "clip": clip}
    whole, single = (template(name, filters=filters) for name in ("viewer.html", "prompt.html"))
    for name, code in (("viewer.html", ""), ("explore.html", _text("explore.js"))):
        yield (
            name,
            whole(
                digest=digest,
                version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
                prompts=shown,
                count=len(records),
                pair=pair,
                sentences=SENTENCES,
                script=Markup(code),  # noqa: S704 - our own
                script_digest=Markup(_digest(code)),  # noqa: S704
                **shared,
            ),
        )
    roles = {item.code: item.role for item in findings.items}
    names = [one.page.removeprefix("viewer/") for one in shown]
    for place, one in enumerate(shown):
        yield (
            one.page,
            single(
                p=one,
                place=place + 1,
                of=len(shown),
                before=names[place - 1] if place else "",
                after=names[place + 1] if place + 1 < len(names) else "",
                roles=roles,
                **shared,
            ),
        )


def _text(name: str) -> str:
    return files("depose.templates").joinpath(name).read_text("utf-8").strip()


def _digest(code: str) -> str:
    """Name a script as a content security policy does."""
    return "sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()


def _shown(
    findings: Findings, prompts: Sequence[Prompt], records: Sequence[Recorded], scores: Sequence[Score]
) -> list[Shown]:
    order = {item.code: place for place, item in enumerate(findings.items)}
    by_prompt: dict[str, list[Recorded]] = defaultdict(list)
    for one in records:
        by_prompt[one.exchange.prompt].append(one)
    parts: dict[str, dict[str, dict[tuple[str, str], float]]] = defaultdict(lambda: defaultdict(dict))
    for s in scores:
        parts[s.prompt][s.detector].setdefault((s.left, s.right), s.value)
    first = findings.findings[0] if findings.findings else None
    detector = getattr(findings.protocol.primary, first.question) if first else ""
    pair = (first.suspect, first.reference) if first else ("", "")
    pairs = _pairs(findings)

    def ordered(prompt: Prompt) -> list[Recorded]:
        return sorted(
            by_prompt[prompt.id],
            key=lambda r: (order.get(r.exchange.model, len(order)), r.exchange.replicate, r.exchange.sample),
        )

    return [
        Shown(
            page=f"viewer/{place:04d}.html",
            prompt=prompt,
            records=tuple(ordered(prompt)),
            answered=sum(r.exchange.outcome == "answered" for r in by_prompt[prompt.id]),
            scores=tuple(
                (name, "; ".join(f"{left} and {right} {number(value)}" for (left, right), value in found.items()))
                for name, found in parts[prompt.id].items()
            ),
            beside=_beside(prompt, pairs, ordered(prompt)),
            score=parts[prompt.id].get(detector, {}).get(pair),
        )
        for place, prompt in enumerate(prompts, 1)
    ]


def _pairs(findings: Findings) -> dict[tuple[str, str], set[str]]:
    """Name each suspect and reference with the controls that are clean for them, by the question that has most."""
    controls = {item.code for item in findings.items if item.role == "control"}
    found: dict[tuple[str, str], set[str]] = {}
    for one in sorted(findings.findings, key=lambda one: one.k):
        found[one.suspect, one.reference] = controls - {out.model for out in one.excluded}
    order = [(one.suspect, one.reference) for one in findings.findings]
    return {pair: found[pair] for pair in order}


def _beside(
    prompt: Prompt, pairs: Mapping[tuple[str, str], Collection[str]], records: Sequence[Recorded]
) -> tuple[Beside, ...]:
    """Mark what each suspect and reference share in their first answers, as in the exhibits of the report."""
    answers = {
        r.exchange.model: r.exchange.text
        for r in reversed(records)
        if r.exchange.outcome == "answered" and r.exchange.replicate == r.exchange.sample == 0
    }
    words = {model: passages.read(text) for model, text in answers.items()}
    had = {model: passages.runs(one) for model, one in words.items()}
    asked = passages.runs(passages.read(prompt.text))
    found = []
    for (suspect, reference), controls in pairs.items():
        others = [had[model] for model in answers if model in controls]
        if suspect in answers and reference in answers:
            shared = (had[suspect] & had[reference]) - asked
            sides = tuple(
                excerpts.whole(answers[model], model, role, passages.spans(words[model], shared, others))
                for model, role in ((reference, "reference"), (suspect, "suspect"))
            )
            found.append(Beside(suspect=suspect, reference=reference, controls=len(others), sides=sides))
    return tuple(found)
