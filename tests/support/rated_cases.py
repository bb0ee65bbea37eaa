"""What several tests share: rated cases."""

from __future__ import annotations

from xml.etree import ElementTree

from depose.model import Against, Finding, Opinion, Result

SVG = "{http://www.w3.org/2000/svg}"


def case(*names: str, value: float = 2.5, suspect: str = "S1") -> tuple[Finding, Result]:
    """A finding with these controls, spread over the axis."""
    floor = 1 / (len(names) + 1)
    result = Result(
        detector="phrases",
        primary=True,
        prompts=120,
        value=value,
        low=value - 0.6,
        high=value + 0.6,
        p_reference=floor,
        p_suspect=floor,
        p=floor,
        p_holm=floor,
        reference_side=tuple(Against(model=n, value=(i * 7 % 10) / 5 - 1) for i, n in enumerate(names)),
        suspect_side=tuple(Against(model=n, value=(i * 3 % 10) / 4 - 1) for i, n in enumerate(names)),
        p_length_matched=floor,
        p_refusals_excluded=floor,
    )
    finding = Finding(
        question="distilled",
        suspect=suspect,
        reference="R1",
        controls=names,
        excluded=(),
        k=len(names),
        k_eff=len(names),
        weight_lineages=len(names),
        data_lineages=len(names),
        floor=floor,
        k_needed=19,
        condition="",
        results=(result,),
        not_scored=(),
        candidates=(),
        opinion=Opinion(verdict="inconclusive", reasons=("controls",)),
    )
    return finding, result


def texts(svg: bytes) -> list[str]:
    """Every line of text in the drawing."""
    return ["".join(t.itertext()) for t in ElementTree.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 - our own
