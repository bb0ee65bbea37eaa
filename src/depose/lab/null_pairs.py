"""The whole decision on every two lineages of the laboratory that never met, as if they were suspect and reference.

No lineage learnt from another, so that every indication is a false one. Some are set alike by their house styles
(`nurse` and `minimalist` answer in bullets), which made kin of strangers while layout counted as wording.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from depose.lab.judged import judged_at
from depose.lab.scored import DRAWS, Material
from depose.model import Calibration
from depose.statistics.rates import lower_bound, upper_bound
from depose.statistics.rounding import at_least, at_most, tidy, upwards
from depose.validate.judged import ALPHA

SET_ALIKE = (("nurse", "minimalist"), ("coach", "minimalist"))
"""Suspect and reference of whom an opponent made kin."""


def null_pairs(plan: Sequence[Any], once: Material, calibration: Calibration) -> list[dict[str, Any]]:
    """Count opinions over every ordered pair of lineages, one set of prompts for each, with and without `untaught`."""
    lineages = [one.name for one in plan if not one.student]
    pairs = [(s, r) for s in lineages for r in lineages if s != r and once.has(s, r)]
    drawn = {pair: once.drawn(*pair) for pair in pairs}
    rows = []
    for setting in dict.fromkeys(once.settings):
        for untaught in (True, False):
            found = {}
            for number, (pair, one) in enumerate(drawn.items()):
                draw = number % DRAWS
                opinion, _ = judged_at(one[setting], draw, setting.prompts, calibration, untaught=untaught)
                found[pair] = (opinion, float(one[setting].p[draw]), float(one[setting].t[draw]))
            opinions = [opinion for opinion, _, _ in found.values()]
            k, n = opinions.count("indication"), len(opinions)
            rows.append(
                {
                    "prompts": setting.prompts,
                    "untaught": untaught,
                    "n": n,
                    "indications": k,
                    "lower95": float(at_least(lower_bound(k, n), 4)),
                    "upper95": float(at_most(upper_bound(k, n), 4)),
                    "at_alpha": sum(p <= ALPHA for _, p, _ in found.values()),
                    "opinions": {name: opinions.count(name) for name in sorted(set(opinions))},
                    "set_alike": [
                        {"suspect": pair[0], "reference": pair[1], "opinion": found[pair][0]}
                        | {"p": tidy(found[pair][1]), "t": _tidy(found[pair][2])}
                        for pair in SET_ALIKE
                        if pair in found
                    ],
                }
            )
    return rows


def null_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Set the counts out for a terminal."""
    for row in rows:
        known = "nobody taught the reference" if row["untaught"] else "who taught the reference is not known"
        yield (
            f"strangers, {row['prompts']} prompts, {known}: {row['indications']}/{row['n']} indications "
            f"(exact 95 % bounds {row['lower95']}, {row['upper95']}), p at alpha {row['at_alpha']}; "
            + ", ".join(f"{name} {count}" for name, count in row["opinions"].items())
        )
        for one in row["set_alike"]:
            yield f"  {one['suspect']} / {one['reference']}: T {one['t']:.3g}, p {upwards(one['p'])}, {one['opinion']}"


def _tidy(value: float) -> float:
    return float(f"{value:.4g}")
