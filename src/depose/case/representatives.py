"""Which control stands for a lineage of several: drawn by the seed of the registration, whoever lists or packs them.

The order of models in a case file, and in a control pack, is its author's. Where the first of a lineage represents it,
that order is a choice that can be made after answers were seen. So the codes are hashed with the seed, as those of a
registry are. A code's place depends on no other code: one more model, or one less, moves nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.case.lineages import counted
from depose.model import ControlChoice, ModelSpec, Registration, Represented
from depose.model.canonical import sha256


def in_turn(codes: Sequence[str], by: str) -> tuple[str, ...]:
    """Put codes into the order in which `by` draws them: `seed N`, or the digest of a registry."""
    return tuple(sorted(codes, key=lambda code: sha256(f"{by} {code}".encode())))


def drawn(models: Sequence[ModelSpec], seed: int) -> tuple[str, ...]:
    """Draw the order of the controls of a case; those that ask a recorded one again are none."""
    return in_turn([spec.code for spec in models if spec.role == "control" and not spec.repeats], f"seed {seed}")


def choice(registration: Registration, pack: str) -> ControlChoice:
    """Say who chose the controls of a registered protocol; `pack` is the name under which it keeps its pack."""
    case, order = registration.case, registration.drawn
    specs = {spec.code: spec for spec in case.models}
    shared: dict[str, list[str]] = {}
    for code in order or ():
        if specs[code].data_lineage:
            shared.setdefault(counted(specs[code].data_lineage, "data_lineage"), []).append(code)
    return ControlChoice(
        by="registry" if case.protocol.registry else "pack" if registration.pack else "hand",
        pack=registration.pack or None,
        by_hand=tuple(code for code in specs if code in (order or ()) and specs[code].file != pack) if pack else (),
        lineages=tuple(
            Represented(lineage=specs[codes[0]].data_lineage, models=tuple(codes))
            for codes in shared.values()
            if len(codes) > 1
        ),
    )
