"""Which controls are clean for a pair, and how many independent ones there are.

A control is clean if it is not of the developer of the suspect or the reference, shares neither weight
nor data lineage with them, and is not documented or likely to be trained on outputs of the reference's
developer. For `distilled` with a suspect and a reference on one base, the controls must share that base.

One control per data lineage is used, so that ten fine-tunes on one data set add at most one; among the members of
a data lineage the one is taken that lets most controls differ in weights too, and after that the one that the seed of
the registration draws first (`depose.case.representatives`), or where nothing was drawn the one listed first.

K_eff, the number of independent control lineages: for `same` and `derived` the largest set of clean controls
of which no two share a weight lineage or a data lineage (a maximum matching between the two kinds of lineage); for
`distilled` distinct data lineages are enough, so that K_eff = K.

Names are compared as the vocabulary counts them (`depose.case.lineages`): one lineage gains nothing from two spellings.
A name that is empty matches none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from depose.case.lineages import counted
from depose.model import Excluded, ModelSpec, Question

ANOTHER_DRAWN = "its lineage is represented by another control, by draw"


@dataclass(frozen=True, kw_only=True, slots=True)
class Controls:
    """The controls chosen for one pair and question."""

    used: tuple[ModelSpec, ...]
    excluded: tuple[Excluded, ...]
    k_eff: int
    weight_lineages: int
    data_lineages: int
    condition: str


def share_base(suspect: ModelSpec, reference: ModelSpec) -> bool:
    """Tell whether both are documented to carry weights of one root base model."""
    return bool(suspect.weight_lineage) and _weights(suspect) == _weights(reference)


def _maker(spec: ModelSpec) -> str:
    return counted(spec.developer, "developer")


def _weights(spec: ModelSpec) -> str:
    return counted(spec.weight_lineage, "weight_lineage")


def _data(spec: ModelSpec) -> str:
    return counted(spec.data_lineage, "data_lineage")


def unclean(suspect: ModelSpec, reference: ModelSpec, control: ModelSpec, question: Question) -> str:
    """Name the rule by which a control is not clean, or return nothing."""
    if not (control.developer and control.weight_lineage and control.data_lineage):
        return "its developer or lineage is not stated"
    same_base = question != "derived" and share_base(suspect, reference)
    for spec, name in ((suspect, "suspect"), (reference, "reference")):
        if _maker(spec) == _maker(control):
            return f"of the developer of the {name}"
        if _data(spec) == _data(control):
            return f"shares the data lineage of the {name}"
        if _weights(spec) == _weights(control) and not same_base:
            return f"shares the weight lineage of the {name}"
    if _maker(reference) in {counted(name, "developer") for name in control.trained_on}:
        return "documented or likely to be trained on outputs of the reference's developer"
    if same_base and _weights(control) != _weights(suspect):
        return "does not share the base that suspect and reference share"
    return ""


def choose(
    suspect: ModelSpec,
    reference: ModelSpec,
    candidates: Sequence[ModelSpec],
    question: Question,
    drawn: Sequence[str] = (),
) -> Controls:
    """Choose one clean representative per lineage; `drawn` are the codes in the order in which the seed draws them.

    Controls in use keep the order in which they are listed: the draw says who they are, and nothing else.
    """
    clean, excluded = [], []
    for control in candidates:
        reason = unclean(suspect, reference, control, question)
        if reason:
            excluded.append(Excluded(model=control.code, reason=reason))
        else:
            clean.append(control)
    place = {code: number for number, code in enumerate(drawn)}
    in_turn = sorted(clean, key=lambda spec: place.get(spec.code, len(place)))
    matched = _matching(in_turn)
    chosen = {spec.code for spec in _one_each(in_turn, matched)}
    kept = [spec for spec in clean if spec.code in chosen]
    excluded += [
        Excluded(model=spec.code, reason=ANOTHER_DRAWN if drawn else "its lineage is represented by another control")
        for spec in clean
        if spec.code not in chosen
    ]
    shared = question != "derived" and share_base(suspect, reference)
    return Controls(
        used=tuple(kept),
        excluded=tuple(sorted(excluded, key=lambda one: one.model)),
        k_eff=len(kept) if question == "distilled" or shared else len(matched),
        weight_lineages=len({_weights(spec) for spec in clean}),
        data_lineages=len({_data(spec) for spec in clean}),
        condition="conditional on a common base" if shared else "",
    )


def _one_each(clean: Sequence[ModelSpec], matched: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Keep the matched controls, and the first of every data lineage that has none among them."""
    first = {_data(spec): spec for spec in reversed(clean)} | {_data(spec): spec for spec in matched}
    kept = {spec.code for spec in first.values()}
    return [spec for spec in clean if spec.code in kept]


def _matching(clean: Sequence[ModelSpec]) -> list[ModelSpec]:
    """Take the largest set with pairwise distinct weight and data lineages, earlier controls first."""
    if not clean:
        return []
    weights = {name: i for i, name in enumerate(dict.fromkeys(map(_weights, clean)))}
    datas = {name: i for i, name in enumerate(dict.fromkeys(map(_data, clean)))}
    holder: dict[tuple[int, int], ModelSpec] = {}
    gain = np.zeros((len(weights), len(datas)))
    for place, spec in enumerate(clean):
        spot = weights[_weights(spec)], datas[_data(spec)]
        if spot not in holder:
            holder[spot] = spec
            gain[spot] = 4.0 * len(clean) ** 2 - place
    rows, columns = linear_sum_assignment(gain, maximize=True)
    kept = {holder[spot].code for spot in zip(rows.tolist(), columns.tolist(), strict=True) if spot in holder}
    return [spec for spec in clean if spec.code in kept]
