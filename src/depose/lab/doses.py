"""The doses of a laboratory, in the form in which a calibration and its error rates carry them to a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from depose.model import Calibration, Dose, Fact, Performance, Question
from depose.model.canonical import sha256

QUESTION: Question = "distilled"
TRUE_PAIRS = "all of whose training answers were outputs of the reference"
"""What the true pairs of a laboratory are (`export.pure`), as it ends a sentence on them."""
CALLED = ("indication", "relation, kind not resolved")


def doses(rows: Iterable[Mapping[str, Any]]) -> tuple[Dose, ...]:
    """Keep of a study's rows (`study.json`, `doses`) those of one answer to each prompt."""
    return tuple(
        Dose(
            question=QUESTION,
            percent=row["dose"],
            prompts=row["prompts"],
            k=row["at_alpha"]["k"],
            n=row["at_alpha"]["n"],
            indications=sum(row["opinions"].get(name, 0) for name in CALLED),
        )
        for row in rows
        if row["samples"] == 1
    )


def with_doses(
    calibration: Calibration, performance: Performance, rows: Iterable[Mapping[str, Any]]
) -> tuple[bytes, bytes]:
    """Enter doses into a calibration and its error rates; what is written of both, with the digest that ties them."""
    told = msgspec.json.encode(msgspec.structs.replace(calibration, doses=(Fact(name=QUESTION, value=TRUE_PAIRS),)))
    return told, msgspec.json.encode(msgspec.structs.replace(performance, calibration=sha256(told), doses=doses(rows)))
