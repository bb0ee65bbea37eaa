"""False alarms by the years of the controls, and the rule on dates that follows: `make era-study`.

    python benchmarks/era.py [--data ../shared/data-modern] [--source shaberi_w] [--since 2025-01] [--draws 1]

Every pair of models that are documented to be unrelated and were both released since a month is tested as a case tests
it, at alpha .10, since the population has few clean lineages. First table: controls of all dates, and of those before
or from a cut-off only, on the pairs that have nine of each that are compared. Second table: nine controls each, of
which so many are near in time (released no more than some months before the earlier of the two), drawn at random among
the clean ones. Third table: the same bags, parted by whether the rule of `depose.statistics.era` holds for them.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from depose.case.population import Pair, Population, read
from depose.scoring.bags import Bags
from depose.scoring.engine import Material, score_bag
from depose.statistics import era
from depose.statistics.ranks import levels
from depose.statistics.rates import lower_bound, upper_bound
from depose.validate.scoring import prepare

DETECTORS = ("phrases", "wording", "habits")
FEWEST = 9
ALPHA = 0.10
CUTS = ("2024-02", "2024-05", "2024-08", "2024-11", "2025-01")
COMPARED = ("all dates", "before 2024-08", "from 2025-01")
WINDOWS = (0, 3, 6, 9, 12)


@dataclass(frozen=True, kw_only=True)
class Study:
    """A population whose bags are scored one by one."""

    population: Population
    found: Material
    bags: Bags
    pairs: tuple[Pair, ...]

    @property
    def released(self) -> dict[str, str]:
        """When each model was released."""
        return {one.name: one.released for one in self.population.members}

    def clean(self, pair: Pair) -> list[str]:
        """Name the controls of a pair, one for each clean lineage."""
        return [spec.code for spec in self.bags.controls(pair.suspect, pair.reference).used]

    def p(self, pair: Pair, controls: Sequence[str]) -> dict[str, float]:
        """Test a pair beside controls: the larger p of each detector."""
        bag = [self.bags.index[name] for name in (pair.suspect, pair.reference, *controls)]
        return {name: float(levels(t)[0].max()) for name, t in score_bag(self.found, bag).items() if name in DETECTORS}


def study(data: Path, source: str, since: str, until: str) -> Study:
    """Read a population and choose the pairs."""
    population = read(data, source)
    found, _ = prepare(population, DETECTORS, 7, None, 2)
    when = {one.name: one.released for one in population.members}
    pairs = tuple(
        one
        for one in population.pairs
        if one.label == 0
        and one.documented
        and all(since <= when[name] < until for name in (one.suspect, one.reference))
    )
    first = replace(found, weights=found.weights[:1], profiles={n: one.first() for n, one in found.profiles.items()})
    return Study(population=population, found=first, bags=Bags(population), pairs=pairs)


def share(hits: Sequence[float]) -> str:
    """Write how many p-values reach alpha, of how many, with the exact interval of the share."""
    k = sum(p <= ALPHA + 1e-9 for p in hits)
    low, high = lower_bound(k, len(hits), 0.975), upper_bound(k, len(hits), 0.975)
    return f"{k:>4} of {len(hits):<5} {k / len(hits):.3f} ({low:.3f} to {high:.3f})"


def by_cutoff(one: Study) -> Iterator[str]:
    """Table 1: the same pairs beside controls of all dates, before and from each cut-off."""
    when = one.released
    pools = {"all dates": list(when)}
    for cut in CUTS:
        pools[f"before {cut}"] = [name for name in when if when[name] < cut]
        pools[f"from {cut}"] = [name for name in when if when[name] >= cut]
    chosen = {name: Bags(one.population, pool) for name, pool in pools.items()}
    p: dict[tuple[str, str], list[float]] = defaultdict(list)
    k: dict[str, list[int]] = defaultdict(list)
    for pair in one.pairs:
        used = {
            name: [spec.code for spec in bags.controls(pair.suspect, pair.reference).used]
            for name, bags in chosen.items()
        }
        if min(len(used[name]) for name in COMPARED) < FEWEST:
            continue
        for name, controls in used.items():
            if len(controls) >= FEWEST:
                k[name].append(len(controls))
                for detector, value in one.p(pair, controls).items():
                    p[name, detector].append(value)
    for name in chosen:
        if k[name]:
            shares = "   ".join(share(p[name, detector]) for detector in DETECTORS)
            yield f"{name:<16} {min(k[name]):>3} to {max(k[name]):<3} {shares}"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One bag of nine controls."""

    near: dict[int, int]
    """Controls near in time, by window in months."""
    inside: bool
    p: dict[str, float]


def drawn(one: Study, draws: int) -> list[Drawn]:
    """Draw nine clean controls for each pair, with every possible number of them near by the window of the rule."""
    when = one.released
    rng = np.random.default_rng(11)
    made = []
    for pair in one.pairs:
        dates = (when[pair.suspect], when[pair.reference])
        clean = one.clean(pair)
        close = [name for name in clean if era.near(*dates, when[name])]
        rest = [name for name in clean if name not in close]
        for count in range(max(0, FEWEST - len(rest)), min(FEWEST, len(close)) + 1):
            for _ in range(draws):
                names = [(close, count), (rest, FEWEST - count)]
                controls = [name for listed, size in names for name in rng.permutation(listed)[:size].tolist()]
                made.append(
                    Drawn(
                        near={w: sum(era.near(*dates, when[name], w) for name in controls) for w in WINDOWS},
                        inside=era.era(*dates, {name: when[name] for name in controls}).inside,
                        p=one.p(pair, controls),
                    )
                )
    return made


def by_share(bags: Sequence[Drawn]) -> Iterator[str]:
    """Table 2: nine controls, so many of them near in time."""
    for window in WINDOWS:
        for count in range(FEWEST + 1):
            mine = [bag for bag in bags if bag.near[window] == count]
            if mine:
                shares = "   ".join(share([bag.p[detector] for bag in mine]) for detector in DETECTORS)
                yield f"{window:>2} months, {count} of {FEWEST} near  {shares}"


def by_rule(bags: Sequence[Drawn]) -> Iterator[str]:
    """Table 3: all those bags, by whether the rule holds."""
    for name, inside in (("the rule holds", True), ("it does not", False)):
        mine = [bag for bag in bags if bag.inside is inside]
        if mine:
            yield f"{name:<22} {'   '.join(share([bag.p[detector] for bag in mine]) for detector in DETECTORS)}"


def main() -> int:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data-modern"))
    parser.add_argument("--source", default="shaberi_w")
    parser.add_argument("--since", default="2025-01", help="first month of suspects and references")
    parser.add_argument("--until", default="9999", help="month that none of them reaches")
    parser.add_argument("--draws", type=int, default=1, help="bags drawn for each pair and number of near controls")
    options = parser.parse_args()
    if not (options.data / "lineage.csv").is_file():
        print(f"skipped: {options.data} is not here; the study needs the second batch of the lineage benchmark")
        return 0
    one = study(options.data, options.source, options.since, options.until)
    columns = "   ".join(f"{f'p <= {ALPHA:.2f} by {name}':<36}" for name in DETECTORS)
    print(f"{options.source}: {len(one.pairs)} pairs documented as unrelated, both released since {options.since}")
    print(f"controls         K          {columns}")
    print(*by_cutoff(one), sep="\n", flush=True)
    bags = drawn(one, options.draws)
    print(f"nine controls drawn     {columns}")
    print(*by_share(bags), sep="\n", flush=True)
    print(*by_rule(bags), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
