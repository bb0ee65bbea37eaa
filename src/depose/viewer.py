"""The whole case as one page: every prompt, answer and score, each linked to its record; with and without a script.

A content security policy lets nothing load and, in `explore.html`, lets only our own script run, named by its digest.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files

from depose import canon
from depose.model import Exchange, Findings, Prompt, Record
from depose.setting import clip, number, page
from depose.wording import SENTENCES


class Recorded(Record, frozen=True, kw_only=True):
    """An exchange with the place and the digest of its line in the log."""

    seq: int
    digest: str
    exchange: Exchange


class Score(Record, frozen=True, kw_only=True):
    """A centred score of two models on one prompt."""

    detector: str
    prompt: str
    left: str
    right: str
    value: float


class Shown(Record, frozen=True, kw_only=True):
    """A prompt with all that belongs to it."""

    prompt: Prompt
    records: tuple[Recorded, ...]
    scores: tuple[tuple[str, str], ...]
    """Detector, and its scores in one line."""
    score: float | None
    """The deciding score of the first finding; prompts are sorted by it."""


def render(
    findings: Findings,
    prompts: Sequence[Prompt],
    records: Sequence[Recorded],
    scores: Sequence[Score],
    *,
    script: bool,
) -> bytes:
    """Render `viewer.html`, or with a script `explore.html`; the same case gives the same bytes."""
    from markupsafe import Markup

    code = files("depose.templates").joinpath("explore.js").read_text("utf-8").strip() if script else ""
    return page(
        "viewer.html",
        findings=findings,
        report_id=canon.digest(findings)[:12],
        digest=canon.digest(findings),
        version=next((f.value for f in findings.software if f.name == "depose"), "version not recorded"),
        prompts=_shown(findings, prompts, records, scores),
        count=len(records),
        roles={item.code: item.role for item in findings.items},
        sentences=SENTENCES,
        script=Markup(code),  # noqa: S704 - our own
        script_digest=Markup("sha256-" + base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()),  # noqa: S704
        filters={"number": number, "clip": clip},
    )


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
    return [
        Shown(
            prompt=prompt,
            records=tuple(
                sorted(
                    by_prompt[prompt.id],
                    key=lambda r: (order.get(r.exchange.model, len(order)), r.exchange.replicate, r.exchange.sample),
                )
            ),
            scores=tuple(
                (name, "; ".join(f"{left} and {right} {number(value)}" for (left, right), value in found.items()))
                for name, found in parts[prompt.id].items()
            ),
            score=parts[prompt.id].get(detector, {}).get(pair),
        )
        for prompt in prompts
    ]
