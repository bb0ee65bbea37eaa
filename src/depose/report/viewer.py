"""The whole case to read: a list of prompts, and a page for each with every answer and score, linked to its record.

No page needs a script. `explore.html` is the same list with one that sorts and filters. A content security policy
lets nothing load, and lets no script run but our own, named by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from typing import Any

from depose.answers.how_ended import named
from depose.answers.settle import of_exchange
from depose.model import Exchange, Findings, Prompt, Record, canonical
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


class Shown(Record, frozen=True, kw_only=True):
    """A prompt with all that belongs to it."""

    page: str
    """Its file, from the list."""
    prompt: Prompt
    records: tuple[Recorded, ...]
    answered: int
    scores: tuple[tuple[str, str], ...]
    """Detector, and its scores in one line."""
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
            score=parts[prompt.id].get(detector, {}).get(pair),
        )
        for place, prompt in enumerate(prompts, 1)
    ]
