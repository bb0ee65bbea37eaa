"""Controls that may have learnt from the reference, put back: what that does to size and power on real answers.

    python benchmarks/partly_clean.py --data ../shared/data --source alpaca_eval [--pairs 400] [--seed 3]

Models documented, or likely, to be trained on outputs of the reference's maker are no clean controls, and without them
most pairs have fewer than 19. Here students of documented teachers, and documented-unrelated pairs of the same
references, are tested by `wording` beside the clean controls, beside those and the merely likely ones, and beside all.
A bound on the contamination says how many of those put back learnt from this very reference: so many of them, the
closest to it, are taken out again, as whoever knows the bound and not the models would do. In the last rows only the
first 16 clean lineages are there, which is too few for an opinion without others.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from depose.case.population import Pair, Population, read
from depose.scoring.bags import Bags
from depose.scoring.engine import Material, score_bag
from depose.statistics.ranks import levels
from depose.statistics.rates import lower_bound, upper_bound
from depose.validate.scoring import prepare

DETECTOR = "wording"
ALPHA, NEEDED, FEW = 0.05, 19, 16
"""Clean lineages that most pairs of the independent evaluation have, of which no opinion can come."""
BOUNDS = (1, 2, 4, 8)
CLEAN, LIKELY, EVERY = "clean", "clean, likely taught", "clean, all taught"


@dataclass(frozen=True, kw_only=True)
class Pools:
    """A population, and three ways to choose controls in it."""

    found: Material
    bags: dict[str, Bags]

    def used(self, pair: Pair, pool: str) -> list[str]:
        """Name the controls of a pair, one for each lineage."""
        return [spec.code for spec in self.bags[pool].controls(pair.suspect, pair.reference).used]

    def tested(self, pair: Pair, controls: Sequence[str]) -> tuple[float, np.ndarray]:
        """Return the larger p beside controls, and the T of each control with the reference."""
        index = self.bags[CLEAN].index
        t = score_bag(self.found, [index[name] for name in (pair.suspect, pair.reference, *controls)])[DETECTOR]
        return float(levels(t)[0].max()), t.reshape(t.shape[-2:])[1, 2:]


def pools(data: Path, source: str) -> tuple[Population, Pools]:
    """Read a population; forget likely teachers, or all, in the other two pools."""
    population = read(data, source)
    found, _ = prepare(population, (DETECTOR,), 7, None, 2)
    with (data / "lineage.csv").open(encoding="utf-8", newline="") as file:
        sure = {
            row["model"]
            for row in csv.DictReader(file)
            if row["teacher_confidence"] == "documented" or row["openai_teacher"] == "documented yes"
        }
    kept = {CLEAN: {one.name for one in population.members}, LIKELY: sure, EVERY: set[str]()}
    bags = {
        name: Bags(
            msgspec.structs.replace(
                population,
                members=tuple(
                    one if one.name in known else msgspec.structs.replace(one, trained_on=())
                    for one in population.members
                ),
            )
        )
        for name, known in kept.items()
    }
    first = replace(found, weights=found.weights[:1], profiles={n: one.first() for n, one in found.profiles.items()})
    return population, Pools(found=first, bags=bags)


def chosen(population: Population, most: int, rng: np.random.Generator) -> dict[str, list[Pair]]:
    """Take students of documented teachers, and as many unrelated pairs of the same references as are wanted."""
    students = [one for one in population.pairs if one.relation == "distilled_from"]
    references = {one.reference for one in students}
    strangers = [one for one in population.pairs if one.label == 0 and one.documented and one.reference in references]
    kinds = {"unrelated": strangers, "students": students}
    return {kind: [listed[n] for n in rng.permutation(len(listed))[:most]] for kind, listed in kinds.items()}


def outcomes(which: Pools, pair: Pair) -> Iterator[tuple[str, int, float]]:
    """Test a pair in every way: name, number of controls, larger p; p is 1 where there are fewer than 19."""
    clean = which.used(pair, CLEAN)
    for pool in (CLEAN, LIKELY, EVERY):
        controls = which.used(pair, pool)
        if len(controls) < NEEDED:
            yield pool, len(controls), 1.0
            continue
        p, close = which.tested(pair, controls)
        yield pool, len(controls), p
        if pool != EVERY:
            continue
        doubtful = [n for n in np.argsort(-close).tolist() if controls[n] not in set(clean)]
        few = {one for n, one in enumerate(controls) if n not in doubtful and one not in clean[:FEW]}
        for left_out, said in ((set[str](), EVERY), (few, f"{FEW} clean and those")):
            for bound in (0, *BOUNDS) if left_out else BOUNDS:
                out = set(doubtful[:bound])
                rest = [one for n, one in enumerate(controls) if n not in out and one not in left_out]
                p = which.tested(pair, rest)[0] if len(rest) >= NEEDED else 1.0
                yield f"{said}, less {bound} closest to R" if bound else said, len(rest), p


def share(hits: Sequence[float]) -> str:
    """Write how many reach alpha, of how many, with the exact interval of the share."""
    k = sum(p <= ALPHA + 1e-9 for p in hits)
    low, high = lower_bound(k, len(hits), 0.975), upper_bound(k, len(hits), 0.975)
    return f"{k:>4} of {len(hits):<4} {k / len(hits):.3f} ({low:.3f} to {high:.3f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--source", default="alpaca_eval")
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args(arguments)
    if not (options.data / "lineage.csv").is_file():
        print(f"skipped: {options.data} is not here; the study needs the lineage benchmark")
        return 0
    population, which = pools(options.data, options.source)
    kinds = chosen(population, options.pairs, np.random.default_rng(options.seed))
    rows: dict[str, dict[str, list[tuple[int, float]]]] = defaultdict(lambda: defaultdict(list))
    for kind, pairs in kinds.items():
        for pair in pairs:
            for name, k, p in outcomes(which, pair):
                rows[name][kind].append((k, p))
    print(
        f"{options.source}: {DETECTOR}, alpha {ALPHA}, {NEEDED} controls or more; pairs of the references of students"
    )
    print(f"{'controls':<42}{'K':>10}{'pairs with 19':>15}   {'unrelated called':<34}students called")
    for name, by_kind in rows.items():
        every = [k for listed in by_kind.values() for k, _ in listed]
        able = sum(k >= NEEDED for k in every)
        columns = "  ".join(share([p for _, p in by_kind[kind]]) for kind in kinds)
        print(f"{name:<42}{min(every):>4} to {max(every):<3}{able:>7} of {len(every):<5}   {columns}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
