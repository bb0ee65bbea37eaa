"""What illustrates the findings of a case: exhibits by the registered rule, and the tree of likeness. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depose.analysis import exhibits
from depose.analysis.scored_bags import AGAIN, Bench
from depose.model import Case, Exhibit, Finding, Tree, likeness
from depose.model.random_streams import stream
from depose.statistics.rounding import tidy
from depose.statistics.tree import FEWEST_MODELS, MOST_MODELS, tree


def shown_exhibits(bench: Bench, found: Sequence[Finding]) -> tuple[Exhibit, ...]:
    """Set out exhibits for every suspect and reference, on the primary detector of the last question."""
    shown: list[Exhibit] = []
    for one in found:
        if one.question != likeness(bench.protocol)[-1] or bench.silent((one.suspect, one.reference)):
            continue
        detector = getattr(bench.protocol.primary, one.question)
        members = (one.suspect, one.reference, *one.controls)
        bag, scored = bench.bag(members), bench.scored(members, detector)
        similarity = exhibits.similarities(scored.measured)
        scores = scored.d[:, 0, 1]
        if not np.isfinite(scores).any():
            wider = (*members, one.reference + AGAIN) if bench.asked_again(one.reference) else members
            scores = exhibits.similarities(bench.scored(wider, detector).measured)[:, 0, 1]
        rng = stream(bench.protocol.seed, "exhibits", one.suspect, one.reference)
        for choice in exhibits.choose(scores, bench.protocol.exhibits, rng):
            shown.append(
                exhibits.exhibit(
                    bag,
                    choice,
                    number=len(shown) + 1,
                    of=int(np.isfinite(scores).sum()),
                    value=tidy(float(scores[choice.index])),
                    similarity=similarity[choice.index],
                    rng=rng,
                    endings=bench.endings,
                )
            )
    return tuple(shown)


def joined(bench: Bench, case: Case) -> Tree | None:
    """Join all models that answered by likeness, on the primary detector of the last question."""
    codes = [spec.code for spec in case.models if not spec.repeats and not bench.silent((spec.code,))]
    if not FEWEST_MODELS <= len(codes) <= MOST_MODELS:
        return None
    detector = getattr(bench.protocol.primary, likeness(bench.protocol)[-1])
    clusters = [prompt.cluster for prompt in bench.bag(codes).prompts]
    rng = stream(bench.protocol.seed, "tree", detector)
    try:
        return tree(bench.measured(codes, detector), codes, clusters, bench.protocol.bootstrap, rng)
    except ValueError:
        return None
