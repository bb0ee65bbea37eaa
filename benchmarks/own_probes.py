"""What the ratios of the English study are worth on depose's own open questions, which none of its prompts was.

    python benchmarks/own_probes.py

The laboratory was asked `open_advice`, `open_howto`, `open_lists` and `short_creative`. The line that was fitted on
`alpaca_eval` for `same` against unrelated models is applied as it is to every pair of the laboratory: a model asked
twice, and models on the same base with other teachers. Prints the cost (Cllr) with 95 % over families of both kinds,
from files that ship. `derived` has no true pair there, since everybody carries one base, and `distilled` no ratio.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depose.analysis.likelihood_ratios import calibrator
from depose.case import calibration
from depose.statistics.calibration import log_lr
from depose.statistics.likelihood import cllr
from depose.validate import labelled

DRAWS = 2_000


def by_family(rows: list[tuple[str, float]]) -> list[np.ndarray]:
    """Put ratios of one family together."""
    found: dict[str, list[float]] = {}
    for family, value in rows:
        found.setdefault(family, []).append(value)
    return [np.array(values) for values in found.values()]


def main() -> None:
    """Print a row for each number of prompts."""
    study = calibration.load("alpaca_eval", Path())
    if study is None:
        raise SystemExit("alpaca_eval: no study of this name ships")
    made, _ = labelled.load("lab", Path())
    print("| prompts | true pairs (families) | others (families) | Cllr, 95 % over families |")
    print("|---|---|---|---|")
    for place, prompts in sorted(enumerate(made.prompts), key=lambda row: row[1]):
        used = calibrator(study.calibration, "same", "unrelated", prompts)
        if used is None:
            continue
        true, other = [], []
        for pair in made.pairs:
            value = float(log_lr(used.line, np.array([pair.t[used.detector][place]]))[0])
            if pair.question == "same":
                true.append((pair.family, value))
            elif "same" in pair.control_for:
                other.append((pair.family, value))
        first, second = by_family(true), by_family(other)
        rng = np.random.default_rng(7)
        draws = [
            cllr(
                *(
                    np.concatenate([kept[i] for i in rng.integers(len(kept), size=len(kept))])
                    for kept in (first, second)
                )
            )
            for _ in range(DRAWS)
        ]
        low, high = np.quantile(draws, [0.025, 0.975])
        point = cllr(np.concatenate(first), np.concatenate(second))
        counts = f"{len(true)} ({len(first)}) | {len(other)} ({len(second)})"
        print(f"| {prompts} | {counts} | {point:.3f} ({low:.3f}-{high:.3f}) |")


if __name__ == "__main__":
    main()
