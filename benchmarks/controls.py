"""What badly chosen controls do to the test, and what the rules on controls do about it: `make controls-study`.

    python benchmarks/controls.py [--bags 2000] [--seed 3] [--data ../shared/data --source alpaca_eval] [--pairs 150]

Simulated: models have traits in 30 dimensions and a gift for resembling others; a bag is centred and ranked as in a
case. Printed is the share of null bags with p <= .05, by p alone and with what a case asks besides: controls of the
years of the pair, 19 lineages by likeness, a pair that is not more peculiar than every control.

On real answers, with `--data`: the controls that are left out because they are documented or likely to be trained on
outputs of the reference's maker are put back, and pairs whose kind is known are tested with and without them.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.case.population import Pair, Population, read
from depose.scoring.bags import Bags
from depose.scoring.engine import score_bag
from depose.statistics import era
from depose.statistics.centring import centre, standardise
from depose.statistics.clades import clades, independent
from depose.statistics.ranks import levels, model_level
from depose.statistics.subsets import peculiar
from depose.validate.scoring import prepare

Array = NDArray[np.float64]
TRAITS, K, ALPHA, NEEDED = 30, 25, 0.05, 19


@dataclass(frozen=True, kw_only=True)
class World:
    """How the controls differ from the pair."""

    name: str
    lineages: int = K
    """Independent lineages behind the K names."""
    alike: float = 0.9
    """Share of the traits that names of one lineage have in common."""
    era: float = 0.0
    """Share of the variance that suspect and reference have in common with their time."""
    with_era: float = 0.0
    """Share of the controls that are of that time."""
    strong: float = 1.0
    """How large the traits of suspect and reference are."""
    tainted: int = 0
    """Controls that learnt from the reference."""
    student: float = 0.0
    """Share of its traits that the suspect has from the reference: 0 under the null."""
    controls: int = K

    def draw(self, rng: np.random.Generator) -> tuple[Array, dict[str, str]]:
        """Draw a bag: scores, and the dates of its controls."""
        roots = rng.normal(size=(min(self.lineages, self.controls), TRAITS))
        of = np.concatenate([np.arange(len(roots)), rng.integers(0, len(roots), self.controls - len(roots))])
        mixed = len(roots) < self.controls
        own = np.sqrt(1 - self.alike) * rng.normal(size=(self.controls, TRAITS))
        controls = np.sqrt(self.alike) * roots[of] + own if mixed else roots
        pair = rng.normal(size=(2, TRAITS)) * self.strong
        time = rng.normal(size=TRAITS) * np.sqrt(self.era)
        recent = np.arange(self.controls) < round(self.with_era * self.controls)
        pair = np.sqrt(1 - self.era) * pair + time
        controls[recent] = np.sqrt(1 - self.era) * controls[recent] + time
        pair[0] = np.sqrt(1 - self.student) * pair[0] + np.sqrt(self.student) * pair[1]
        taught = slice(self.controls - self.tainted, self.controls)
        controls[taught] = np.sqrt(0.5) * controls[taught] + np.sqrt(0.5) * pair[1]
        each = np.vstack([pair, controls])
        gift = rng.normal(size=len(each))
        t = standardise(centre(each @ each.T / TRAITS + gift[:, None] + gift))
        dates = {f"C{n}": "2025-03" if new or not self.era else "2023-03" for n, new in enumerate(recent)}
        return t, dates


WORLDS = (
    World(name="all exchangeable"),
    *(World(name=f"{n} lineages under {K} names, alike .9", lineages=n) for n in (20, 16, 12, 8, 5, 3)),
    *(World(name=f"{n} lineages under {K} names, alike .6", lineages=n, alike=0.6) for n in (12, 8, 5, 3)),
    *(World(name=f"pair shares {s:.0%} with its time, no control does", era=s) for s in (0.15, 0.3, 0.5)),
    *(
        World(name=f"pair shares 30% with its time, {s:.0%} of controls do", era=0.3, with_era=s)
        for s in (0.2, 0.4, 0.6)
    ),
    World(name="suspect and reference twice as peculiar", strong=2.0),
    World(name="suspect and reference three times as peculiar", strong=3.0),
)


def simulated(world: World, bags: int, rng: np.random.Generator) -> str:
    """Count the null bags that fire, by p alone and with each rule."""
    hits: dict[str, int] = defaultdict(int)
    for _ in range(bags):
        t, dates = world.draw(rng)
        names = ["S", "R", *dates]
        if model_level(t).p > ALPHA:
            continue
        held = {
            "dates": era.era("2025-03", "2025-03", dates).inside,
            "likeness": independent(names[2:], clades(t, names)) >= NEEDED,
            "peculiarity": not all(one.rank == 1 for one in peculiar(t, names)),
        }
        hits["p"] += 1
        for name, inside in held.items():
            hits[name] += inside
        hits["all"] += all(held.values())
    shares = "".join(f"{hits[name] / bags:>9.3f}" for name in ("p", "dates", "likeness", "peculiarity", "all"))
    return f"{world.name:<52}{shares}"


def kept(bags: int, rng: np.random.Generator) -> Iterator[str]:
    """Compare clean controls with clean ones and partly clean ones: how often the null, and a student, is called."""
    for clean, more, tainted in ((25, 0, 0), (16, 0, 0), *((16, 9, n) for n in (0, 1, 2, 4, 9))):
        shares = []
        for student in (0.0, 0.5, 0.7):
            world = World(name="", controls=clean + more, lineages=K + more, tainted=tainted, student=student)
            p = [model_level(world.draw(rng)[0]).p for _ in range(bags)]
            able = clean + more >= NEEDED
            shares.append(f"{np.mean(np.array(p) <= ALPHA) if able else 0:>9.3f}")
        yield f"{clean:>3} clean and {more} partly clean, {tainted} of them taught by R{''.join(shares)}"


def on_answers(data: Path, source: str, most: int, rng: np.random.Generator) -> Iterator[str]:
    """Put the controls back that are left out as taught, and test pairs of known kind with and without them."""
    population = read(data, source)
    detectors = ("wording",)
    found, _ = prepare(population, detectors, 7, None, 2)
    found = replace(found, weights=found.weights[:1], profiles={n: one.first() for n, one in found.profiles.items()})
    clean = Bags(population)
    every = Bags(_untaught(population))
    kinds: dict[str, list[Pair]] = {
        "unrelated": [one for one in population.pairs if one.relation == "unrelated" and one.documented],
        "distilled": [one for one in population.pairs if one.relation == "distilled_from"],
    }
    for kind, listed in kinds.items():
        pairs = [listed[place] for place in rng.permutation(len(listed))[:most]]
        counts: dict[str, list[int]] = defaultdict(list)
        for pair in pairs:
            for name, bags in (("clean", clean), ("with partly clean", every)):
                used = [spec.code for spec in bags.controls(pair.suspect, pair.reference).used]
                if len(used) < 3:
                    counts[name].append(0)
                    continue
                t = score_bag(found, [bags.index[one] for one in (pair.suspect, pair.reference, *used)])
                fires = levels(t["wording"])[0].max() <= ALPHA + 1e-9 and len(used) >= NEEDED
                counts[name].append(int(fires))
                counts[f"{name} K"].append(len(used))
        for name in ("clean", "with partly clean"):
            lineages = counts[f"{name} K"]
            yield (
                f"{source}, {kind}, {name}: {sum(counts[name])} of {len(pairs)} called; "
                f"K {min(lineages)} to {max(lineages)}, median {int(np.median(lineages))}"
            )


def _untaught(population: Population) -> Population:
    """Forget who was taught by whom; makers, weights and data still exclude."""
    members = tuple(msgspec.structs.replace(one, trained_on=()) for one in population.members)
    return msgspec.structs.replace(population, members=members)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bags", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--source", default="alpaca_eval")
    parser.add_argument("--pairs", type=int, default=150)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(options.seed)
    print(f"share of {options.bags} null bags with p <= {ALPHA}")
    print(f"{'':<52}{'p alone':>9}{'dates':>9}{'likeness':>9}{'peculiar':>9}{'all':>9}")
    for world in WORLDS:
        print(simulated(world, options.bags, rng), flush=True)
    print(f"called at {ALPHA} with {NEEDED} controls or more: unrelated, students of half and of 70 % of the traits")
    print(*kept(options.bags // 4, rng), sep="\n", flush=True)
    if (options.data / "lineage.csv").is_file():
        print(*on_answers(options.data, options.source, options.pairs, rng), sep="\n")
    else:
        print(f"skipped: {options.data} is not here; the last table needs the lineage benchmark")
    return 0


if __name__ == "__main__":
    sys.exit(main())
