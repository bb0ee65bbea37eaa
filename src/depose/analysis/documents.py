"""Papers that a party handed in: what an opinion rests on besides the answers, and what it would be without them.

Pure. A document lifts an alternative that the answers cannot exclude; so the opinion names it, and the one that does
not count it stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from depose.analysis.opinion import decide
from depose.model import Document, Dossier, Grounds, Opinion, Ratio, Record

UNTAUGHT = "learnt from no other model's outputs"


def documents(dossier: Dossier) -> tuple[Document, ...]:
    """List the papers that were handed in with the case, in the order of its models."""
    files = {fact.name: fact.value for fact in dossier.registration.files}
    listed = [spec for spec in dossier.registration.case.models if isinstance(spec.untaught, str)]
    return tuple(
        Document(
            exhibit=f"D{number}",
            model=spec.code,
            says=f"{spec.code} {UNTAUGHT}",
            file=str(spec.untaught),
            sha256=files.get(str(spec.untaught), ""),
            source=spec.source,
        )
        for number, spec in enumerate(listed, 1)
    )


def named(document: Document | None) -> str:
    """Name a document as the report does, or return nothing."""
    return f"exhibit {document.exhibit}, {document.file}, handed in with the case" if document else ""


class Opinions(Record, frozen=True, kw_only=True):
    """The opinion, and the one without the document; none where there is no document."""

    opinion: Opinion
    without: Opinion | None


def least(ratios: Sequence[Ratio], *, documents: bool = True) -> float | None:
    """Return the smallest conservative end against the question's own alternatives; None if one was not evaluated.

    Those that documents exclude do not count, unless `documents` do not.
    """
    ends = [one.low for one in ratios[1:] if not (one.excluded and documents)]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def opinions(grounds: Grounds, ratios: Sequence[Ratio], document: Document | None) -> Opinions:
    """Look the opinion up, with the document and without."""
    opinion = decide(grounds)
    if document is None:
        return Opinions(opinion=opinion, without=None)
    without = decide(msgspec.structs.replace(grounds, lr_alternative_low=least(ratios, documents=False)))
    if without != opinion:
        opinion = msgspec.structs.replace(opinion, assumption=f"{document.says} ({named(document)})")
    return Opinions(opinion=opinion, without=without)
