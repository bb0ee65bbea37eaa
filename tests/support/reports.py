"""What several tests share: reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import msgspec

from depose.model import (
    Against,
    Candidate,
    Condition,
    Denominator,
    Excluded,
    Exhibit,
    ExhibitAnswer,
    Fact,
    Finding,
    Findings,
    Item,
    NotScored,
    Opinion,
    Power,
    Prompt,
    Protocol,
    Question,
    Ratio,
    Result,
    Role,
    Span,
    Unanswered,
    canonical,
)

PROSE = (
    "To keep bread fresh for longer, store it at room temperature in a paper bag or a bread box, away from direct "
    "sunlight. Avoid the refrigerator, because cold air makes the starch set and the loaf goes stale sooner.\n\n"
    "1. Let the loaf cool fully before you wrap it.\n2. Slice only what you need, and keep the cut side down.\n"
    "3. Freeze what you will not eat within three days, in slices, well wrapped.\n\nA stale loaf comes back to life "
    "after five minutes in a hot oven, once its crust has been brushed with a little water. Enjoy your bread!"
)


CONTROLS = tuple(
    f"C{i:02d}-{name}"
    for i, name in enumerate(
        (
            *("falcon", "mpt", "dolly", "rwkv", "phi", "yi", "baize", "guanaco", "recycled", "minotaur", "jina"),
            *("zephyr", "tulu", "xwin", "deita", "mixtral", "starling", "cohere", "platolm", "nous", "gemma"),
            *("opt", "bloom"),
        ),
        1,
    )
)


def build(
    *,
    suspects: Sequence[str] = ("S1",),
    references: Sequence[str] = ("R1",),
    questions: tuple[Question, ...] = ("same", "derived", "distilled"),
    exhibits: int = 6,
    text: str = PROSE,
    retrospective: bool = True,
    controls: Sequence[str] = CONTROLS,
    protocol: Protocol | None = None,
) -> Findings:
    """A whole Findings, invented and consistent."""
    findings = tuple(
        finding(q, s, r, shift=i, controls=controls)
        for i, (q, s, r) in enumerate((q, s, r) for q in questions for s in suspects for r in references)
    )
    models: list[tuple[str, Role]] = [(s, "suspect") for s in suspects]
    models += [(r, "reference") for r in references]
    models += [(c, "control") for c in controls]
    return Findings(
        format="depose findings 1",
        title="Two chat models against a reference",
        authority="own endpoint, contract section 4",
        protocol=protocol or Protocol(questions=questions),
        protocol_digest=canonical.sha256(b"protocol"),
        log_head=canonical.sha256(b"head"),
        registered_at="2026-11-24T06:00:00Z",
        first_asked="2026-11-24T06:01:10Z",
        last_asked="2026-11-24T06:09:41Z",
        retrospective=retrospective,
        time_stamped=False,
        software=(Fact(name="depose", value="0.1.0"), Fact(name="numpy", value="2.3.5")),
        files=(Fact(name="alpaca_eval.json", value=canonical.sha256(b"file")),),
        prompts=390,
        clusters=390,
        families=(Fact(name="alpaca_eval", value="390"),),
        items=tuple(
            Item(
                code=code,
                role=role,
                name=f"{code.lower()}-chat-7b",
                provider="recorded",
                developer=f"Maker {i}",
                weight_lineage="llama-2" if i % 3 else f"base-{i}",
                data_lineage=f"sft-{i}",
                trained_on=() if i % 5 else ("Maker 1",),
                system="You are Ada." if role == "suspect" else "",
                temperature=0.7,
                max_tokens=200,
                retrospective=retrospective,
                facts=(Fact(name="weights", value=canonical.sha256(code.encode())),) if role != "control" else (),
            )
            for i, (code, role) in enumerate(models)
        ),
        denominators=tuple(
            Denominator(model=code, planned=390, sent=0, answered=387, refused=4, empty=2, failed=1, excluded=3)
            for code, _ in models
        ),
        unanswered=(
            Unanswered(model="S1", prompt="alpaca-17", sample=0, replicate=0, reason="no record for this prompt"),
            Unanswered(model="S1", prompt="alpaca-29", sample=0, replicate=0, reason="empty"),
        ),
        findings=findings,
        exhibits=tuple(exhibit(i, text=text, controls=controls) for i in range(1, exhibits + 1)),
        exhibit_rule="per suspect and reference, the top 2, median 2 and bottom 1 by d, and 1 at random by seed 7.",
        amendments=(),
    )


def finding(
    question: Question, suspect: str, reference: str, *, shift: int = 0, controls: Sequence[str] = CONTROLS
) -> Finding:
    """One finding with four detectors that gave a score and one that did not."""
    k = len(controls)
    floor = 1 / (k + 1)
    results = tuple(
        Result(
            detector=detector,
            primary=n == 0,
            prompts=390,
            value=1.52 - 0.21 * n,
            low=0.71,
            high=2.13,
            p_reference=floor,
            p_suspect=min(1.0, (1 + n) * floor),
            p=min(1.0, (1 + n) * floor),
            p_holm=min(1.0, (2 + n) * floor),
            reference_side=tuple(
                Against(model=c, value=((i * 37 + shift * 11) % 23 - 11) / 12) for i, c in enumerate(controls)
            ),
            suspect_side=tuple(
                Against(model=c, value=((i * 53 + shift * 7) % 29 - 16) / 13) for i, c in enumerate(controls)
            ),
            p_length_matched=min(1.0, 3 * floor),
            p_refusals_excluded=floor,
        )
        for n, detector in enumerate(("phrases", "openings", "fuzzy", "length"))
    )
    return Finding(
        question=question,
        suspect=suspect,
        reference=reference,
        controls=tuple(controls),
        excluded=(
            Excluded(model="X1", reason="developer of the reference"),
            Excluded(model="X2", reason="likely trained on outputs of OpenAI"),
        ),
        k=k,
        k_eff=min(k, 21),
        weight_lineages=21,
        data_lineages=22,
        floor=floor,
        k_needed=39,
        condition="a common base" if question == "distilled" else "",
        results=results,
        not_scored=(NotScored(detector="embedding", reason="model package not installed"),),
        candidates=(
            Candidate(model=reference, value=1.52, tested=True),
            Candidate(model="T2", value=1.71, tested=False),
        ),
        opinion=Opinion(verdict="inconclusive", reasons=("power", "lr_spans_one")),
    )


def exhibit(number: int, *, text: str = PROSE, controls: Sequence[str] = CONTROLS) -> Exhibit:
    """One exhibit in which reference and suspect share two passages."""
    spans = tuple(Span(start=a, end=b, controls=c) for a, b, c in ((12, 60, 2), (330, 371, 0)) if b <= len(text))
    pair = tuple(controls[:2])
    return Exhibit(
        number=number,
        suspect="S1",
        reference="R1",
        prompt=Prompt(
            id=f"alpaca-{number}", family="alpaca_eval", cluster="c", text="How do I keep bread fresh for longer?"
        ),
        rank=number,
        of=390,
        chosen=("top", "median", "bottom", "random")[number % 4],
        value=4.2 - 0.1 * number,
        controls=len(controls),
        answers=(
            *(ExhibitAnswer(model=c, text=text[40:], spans=()) for c in pair),
            ExhibitAnswer(model="S1", text=text, spans=spans),
            ExhibitAnswer(model="R1", text=text, spans=spans),
        ),
    )


def ratio(against: str = "unrelated", value: float | None = 5.1, low: float = 3.2, high: float = 6.8) -> Ratio:
    """A likelihood ratio under the cap that 19 lineages allow, or none."""
    if value is None:
        return Ratio(
            against=against,
            value=None,
            low=None,
            high=None,
            uncapped=None,
            cap=None,
            bottom=None,
            reached=0,
            lineages=0,
            elub_low=None,
            elub_high=None,
            words="",
            reason="too few families",
        )
    return Ratio(
        against=against,
        value=value,
        low=low,
        high=high,
        uncapped=57.3,
        cap=6.855,
        bottom=0.2,
        reached=0,
        lineages=19,
        elub_low=0.08,
        elub_high=40.0,
        words="weak support for H1 over H2" if low > 1 else "the findings do not discriminate",
        reason="",
    )


OWN = {
    "same": ("relatives",),
    "derived": ("distilled only",),
    "distilled": ("same base, other teacher", "common teacher"),
}


def calibrated(**given: object) -> Findings:
    """Findings with ratios, conditions and power from a validation study."""
    findings = build(**given)  # type: ignore[arg-type]
    conditions = (
        Condition(name="number of prompts", validated="10 to 390", case="390", inside=True),
        Condition(name="language", validated="English", case="Dutch", inside=False),
    )
    found = tuple(
        msgspec.structs.replace(
            one,
            ratios=(
                ratio(),
                ratio(OWN[one.question][0], 1.4, 0.6, 2.9),
                *(ratio(name, None) for name in OWN[one.question][1:]),
            ),
            conditions=conditions,
            power=Power(value=0.83, k=14, n=17, families=9, prompts=390),
            p_prompt_level=0.0001,
        )
        for one in findings.findings
    )
    calibration = (Fact(name="source", value="alpaca_eval"), Fact(name="sha256", value=canonical.sha256(b"validation")))
    return msgspec.structs.replace(findings, findings=found, calibration=calibration, scale="enfsi-2015")


HOSTILE = (
    "<script>alert(1)</script></style></td></table><img src=x onerror=alert(1)><a href='javascript:alert(1)'>x</a> "
    "\x1b[31mred\x1b[0m \x00null \u202eevil\u202c \u200bhidden \u2066iso\u2069 \ufeffbom \u0085 next \u2028 line "
    "{{ 7 * 7 }} {% include 'expert.html' %} ]]> &lt; --> <!-- \U0001f469\u200d\U0001f52c \U000e0041 "
    "data:text/html;base64,PHNjcmlwdD4= http://evil.example/x.png Z\u0301\u0302\u0303\u0304\u0305\u0306 "
    "</mark></body></html>"
)


class Outline(HTMLParser):
    """The start tags of a page, in order, with their attributes, and the text outside of them."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """Keep text, but not the style sheet."""
        if self.tags and self.tags[-1] != "style":
            self.text.append(data)


def outline(page: bytes) -> Outline:
    """Parse a page."""
    seen = Outline()
    seen.feed(page.decode())
    return seen


def words(page: bytes) -> str:
    """The text of a page, white space folded."""
    return re.sub(r"\s+", " ", " ".join(outline(page).text))


def own_words(page: bytes) -> str:
    """The text that depose itself writes: without quoted answers, and without the list of words avoided."""
    for quoted in (rb'<div class="exhibit[" ].*?</table>\s*</div>', rb'<div class="vocabulary".*?</div>'):
        page = re.sub(quoted, b"", page, flags=re.DOTALL)
    return words(page)


def drop_cut(page: bytes) -> bytes:
    """Leave out the notes on what was cut, which stand only where something was."""
    return re.sub(rb'<span class="cut">[^<]*</span>', b"", page)
