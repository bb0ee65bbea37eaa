"""Laboratory power for `distilled` by family of prompts and by mix, at equal cost: part of `make bench-same`.

    python benchmarks/same/families.py [--budgets 250 500 1000] [--draws 20]

On the bundled answers of the laboratory (28 lineages, 13 pure students of 8 teachers): each draw takes prompts of one
family, or of all in turn, until the answers of a model to them have cost so many tokens (words times 4/3, the mean over
models). Power is the share of draws with p at most .05, each teacher weighing the same. Then the family is chosen on
all teachers but one and measured on that one. The bundled answers have no families of short answers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

from depose.case.population import Population, read
from depose.features.extract import Features
from depose.features.words import words
from depose.lab.export import SOURCE, families, pure
from depose.lab.recipe import line_up
from depose.lab.scored import PRIMARY
from depose.lab.study import recipe_of
from depose.model.random_streams import stream
from depose.scoring import counting
from depose.scoring.bags import Bags
from depose.scoring.engine import material, score_bag
from depose.statistics.ranks import model_level
from depose.statistics.rates import upper_bound

Array = NDArray[np.float64]
ALPHA = 0.05
ALL = "all four"


def kinds(population: Population) -> Array:
    """Name the family of each row, which its prompt's id begins with."""
    return np.array([prompt.rsplit("-", 2)[0] for prompt, _ in population.rows])


def drawn(costs: Array, names: Array, name: str, budget: float, rng: np.random.Generator) -> Array:
    """Choose rows of one family, or of all in turn, until the budget is used up: weights [rows]."""
    order = rng.permutation(len(costs))
    if name == ALL:
        place = dict.fromkeys(sorted(set(names)), 0)
        turns = []
        for row in order:
            turns.append((place[names[row]], row))
            place[names[row]] += 1
        order = np.array([row for _, row in sorted(turns)])
    else:
        order = order[names[order] == name]
    kept = order[np.cumsum(costs[order]) <= budget]
    weights = np.zeros(len(costs))
    weights[kept] = 1
    return weights


def main() -> int:
    """Print power by family and budget, and what is chosen in lineages left out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budgets", type=int, nargs="*", default=[250, 500, 1_000], help="tokens of each model")
    parser.add_argument("--draws", type=int, default=20)
    given = parser.parse_args()
    with as_file(files("depose.kit")) as kit:
        recipe, population = recipe_of(kit), read(kit, SOURCE)
    plan, names = line_up(recipe), kinds(population)
    cost = np.array([np.mean([len(words(text)) * 4 / 3 for text in row if text]) for row in population.answers])
    settings = [
        (name, budget, draw)
        for name in (*sorted(set(names)), ALL)
        for budget in given.budgets
        for draw in range(given.draws)
    ]
    weights = np.array(
        [
            drawn(cost, names, name, budget, stream(7, "families", name, str(budget), str(draw)))
            for name, budget, draw in settings
        ]
    )
    bags = Bags(population)
    counted = counting.count(population, (PRIMARY,), lean=True)
    ready = material(population, (PRIMARY,), counted, weights, Features())

    def levels(suspect: str, reference: str) -> Array:
        used = [one.code for one in bags.controls(suspect, reference).used if "again" not in one.code]
        t = score_bag(ready, [bags.index[code] for code in (suspect, reference, *used)])[PRIMARY]
        return np.array([model_level(one).p for one in t])

    family = families(plan)
    students = [one for one in plan if pure(one)]
    shares: dict[str, list[NDArray[np.bool_]]] = {}
    for one in students:
        shares.setdefault(family[one.name], []).append(levels(one.name, one.parts[0].teacher) <= ALPHA)
    each = {name: np.mean(rows, axis=0) for name, rows in shares.items()}
    lineages = [one.name for one in plan if not one.student]
    null = [(one.name, other) for one in students for other in lineages if family[one.name] != other]
    hits = np.array([levels(*pair) <= ALPHA for pair in null])
    table(settings, weights, each, hits, given.budgets, given.draws)
    return 0


def table(
    settings: Sequence[tuple[str, int, int]],
    weights: Array,
    each: Mapping[str, Array],
    hits: Array,
    budgets: Sequence[int],
    draws: int,
) -> None:
    """Print the tables."""
    print(f"`distilled` by {PRIMARY}, {len(each)} teachers, {draws} draws of prompts; p <= {ALPHA}\n")
    print("| prompts of | tokens of each model | prompts, median | power | false alarms | upper bound |")
    print("|---|---|---|---|---|---|")
    kept = list(dict.fromkeys((name, budget) for name, budget, _ in settings))
    where = {key: [i for i, one in enumerate(settings) if one[:2] == key] for key in kept}
    for name, budget in kept:
        mine = where[name, budget]
        power = float(np.mean([row[mine].mean() for row in each.values()]))
        single = hits[np.arange(len(hits)), [mine[pair % draws] for pair in range(len(hits))]]
        alarms = f"{single.sum()} of {len(single)} | {upper_bound(int(single.sum()), len(single)):.3f}"
        print(f"| {name} | {budget} | {np.median(weights[mine].sum(axis=1)):.0f} | {power:.2f} | {alarms} |")
    print("\nchosen on all teachers but one, measured on that one:\n")
    print("| tokens | power | chosen |\n|---|---|---|")
    for budget in budgets:
        got, chosen = [], []
        for left in each:
            merit = {
                name: np.mean([row[where[name, budget]].mean() for other, row in each.items() if other != left])
                for name, one in kept
                if one == budget
            }
            best = max(merit, key=lambda name: merit[name])
            chosen.append(best)
            got.append(each[left][where[best, budget]].mean())
        counts = ", ".join(f"{name} {chosen.count(name)}" for name in dict.fromkeys(chosen))
        print(f"| {budget} | {np.mean(got):.2f} | {counts} |")


if __name__ == "__main__":
    sys.exit(main())
