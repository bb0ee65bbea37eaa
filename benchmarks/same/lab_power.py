"""Laboratory power for `distilled` and `same` by family of prompts and by mix, at equal cost (`same/lab_bank.py`).

    python benchmarks/same/lab_power.py BANK [--budgets 96 192 384] [--draws 10]

Each draw takes prompts of one family, or of a mix in its shares, until the answers of a model to them have cost so many
tokens (the mean over models): answers to one choice together, of other prompts a first answer to each before a second.

`distilled`: the area is T(student, its teacher) among T(other students, that teacher), mean over teachers; found is the
share of draws in which no control stands as near as the teacher, or to the teacher as near as the student (p at its
floor), each teacher weighing the same; a false alarm is the same for a student and a lineage that did not teach it, one
draw of each pair. Then family and detector are chosen on all teachers but one, by the area, and measured on that one.
`same`: the answers of one model are kept, those of another are new, as many of either; found is the share of pairs with
p at most .01.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depose import plugins
from depose.case.mixes import MIXES
from depose.case.population import Member, Population
from depose.detectors import Similarity
from depose.features.extract import Bag, Features
from depose.features.words import words
from depose.lab.export import ROOT
from depose.model import Prompt
from depose.model.random_streams import stream
from depose.scoring import counting
from depose.scoring.bags import Bags
from depose.scoring.engine import material, score_bag
from depose.statistics.centring import average, centre, standardise
from depose.statistics.ranks import levels
from depose.statistics.substitution import examine, likeness

Array = NDArray[np.float64]
LEVEL = 0.01
"""Of `same`."""
POOLED = "choices"
"""The detector that reads all answers to a prompt at once."""
DETECTORS = ("wording", POOLED, "starts", "layout", "shared_values")
FEWEST = 0.5
"""Share of draws on which a detector must have a score to be shown."""
STATED = {
    "forced_choice": (POOLED,),
    "tie_break": (POOLED,),
    "mix:short": (POOLED,),
    "who_are_you": (POOLED,),
    "long_tail": ("shared_values",),
    "false_premise": ("shared_values",),
    "format_habits": ("layout", "starts"),
}
"""Detectors shown beside `wording`."""
TOGETHER = ("forced_choice", "tie_break")
"""Families whose answers to one prompt are of use together."""


@dataclass(frozen=True, kw_only=True)
class Bank:
    """What all models answered."""

    rows: tuple[tuple[str, str, int], ...]
    """Family, prompt and sample of each row."""
    prompts: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    """[rows][models]."""
    out: Array
    """[rows]: tokens of an answer, the mean over models."""
    models: tuple[tuple[str, str, str], ...]
    """Name, lineage and teacher (empty: a lineage), lineages first."""

    @property
    def families(self) -> tuple[str, ...]:
        """Name the families."""
        return tuple(dict.fromkeys(family for family, _, _ in self.rows))


def read(folder: Path) -> Bank:
    """Read a bank; families that some of the models have not answered are left out, and said."""
    files = [json.loads(file.read_text("utf-8")) for file in sorted(folder.glob("*-*.json"))]
    found = {(one["family"], one["model"]): one for one in files if "family" in one}
    named = {one["model"]: (one["model"], one["lineage"], one["teacher"]) for one in found.values()}
    models = tuple(sorted(named.values(), key=lambda one: (bool(one[2]), one[0])))
    rows, prompts, answers, out = [], [], [], []
    for family in sorted({family for family, _ in found}):
        mine = [found.get((family, name)) for name, _, _ in models]
        whole = [one for one in mine if one is not None]
        if len(whole) < len(mine):
            print(f"{family}: asked of {len(whole)} of {len(mine)} models, left out")
            continue
        for at, (prompt, text) in enumerate(whole[0]["prompts"]):
            for sample in range(len(whole[0]["answers"][at])):
                rows.append((family, prompt, sample))
                prompts.append(text)
                answers.append(tuple(one["answers"][at][sample] for one in whole))
                out.append(np.mean([one["tokens"][at][sample] for one in whole]))
    return Bank(
        rows=tuple(rows), prompts=tuple(prompts), answers=tuple(answers), out=np.array(out), models=tuple(models)
    )


def compositions(bank: Bank) -> dict[str, dict[str, int]]:
    """Name every family and every mix whose families were asked, with their shares."""
    mixes = {f"mix:{name}": dict(one.families) for name, one in MIXES.items()}
    whole = {name: shares for name, shares in mixes.items() if {*shares} <= {*bank.families}}
    return {family: {family: 1} for family in bank.families} | whole


def drawn(bank: Bank, cost: Array, shares: Mapping[str, int], budget: float, rng: np.random.Generator) -> list[int]:
    """Choose rows until the budget is used up."""
    turn: list[tuple[float, list[int]]] = []
    for family, share in shares.items():
        units: dict[tuple[int, str], list[int]] = {}
        for row, (of, prompt, sample) in enumerate(bank.rows):
            if of == family:
                units.setdefault((0 if family in TOGETHER else sample, prompt), []).append(row)
        order = [units[key] for key in sorted(units)]
        order = [order[at] for at in rng.permutation(len(order))]
        order.sort(key=lambda rows: 0 if family in TOGETHER else bank.rows[rows[0]][2])
        turn += [((at + 0.5) / share, rows) for at, rows in enumerate(order)]
    kept: list[int] = []
    for _, rows in sorted(turn, key=lambda one: one[0]):
        if cost[[*kept, *rows]].sum() > budget:
            break
        kept += rows
    return kept


# --- distilled ------------------------------------------------------------------------------------------


def population(bank: Bank) -> Population:
    """Set the bank out as a labelled population; every model has a maker of its own."""
    return Population(
        source="laboratory",
        members=tuple(
            Member(
                name=name,
                family=lineage,
                developer=f"maker of {name}",
                weight_lineage=ROOT,
                data_lineage=lineage,
                trained_on=(),
                hub=not teacher,
            )
            for name, lineage, teacher in bank.models
        ),
        pairs=(),
        tasks=(),
        rows=tuple((prompt, sample) for _, prompt, sample in bank.rows),
        prompts=bank.prompts,
        answers=tuple(tuple(text.strip() or None for text in row) for row in bank.answers),
    )


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One pair on every draw, by one detector."""

    t: Array
    """NaN where it has no score."""
    found: NDArray[np.bool_]
    """p is at its floor."""


class Scorer:
    """Scores a pair by every detector on every draw."""

    def __init__(self, bank: Bank, weights: Array) -> None:
        self.bank, self.weights, self.bags = bank, weights, Bags(population(bank))
        counted = [one for one in DETECTORS if one != POOLED]
        given = population(bank)
        self.ready = material(
            given,
            counted,
            counting.count(given, counted, lean=True),
            np.array([np.ones(len(bank.rows)), *weights]),
            Features(),
        )
        self.pooled = self._pooled()

    def _pooled(self) -> Array:
        """Compare all answers to a prompt, on the row of each of them: [rows, models, models]."""
        where: dict[str, list[int]] = {}
        for row, (_, prompt, _) in enumerate(self.bank.rows):
            where.setdefault(prompt, []).append(row)
        bag = Bag(
            models=tuple(name for name, _, _ in self.bank.models),
            prompts=tuple(Prompt(id=one, family="", cluster=one, text="-") for one in where),
            answers=tuple(
                tuple(tuple(self.bank.answers[row][m] for row in rows) for m in range(len(self.bank.models)))
                for rows in where.values()
            ),
        )
        values = plugins.load("detectors", POOLED)(bag, Features()).values
        found = np.empty((len(self.bank.rows), *values.shape[1:]))
        for value, rows in zip(values, where.values(), strict=True):
            found[rows] = value
        return found

    def pair(self, suspect: str, reference: str) -> dict[str, Scored]:
        """Score a pair by each detector on every draw."""
        used = [one.code for one in self.bags.controls(suspect, reference).used]
        bag = [self.bags.index[code] for code in (suspect, reference, *used)]
        scores = {name: one[1:] for name, one in score_bag(self.ready, bag).items() if name in DETECTORS}
        cut = Similarity(detector=POOLED, values=self.pooled[:, bag][:, :, bag])
        with np.errstate(invalid="ignore", divide="ignore"):
            scores[POOLED] = standardise(centre(average(cut, self.weights)))
        most = 1.5 / (len(used) + 1)
        return {
            name: Scored(t=one[:, 0, 1], found=np.nan_to_num(levels(one).max(axis=1), nan=1) < most)
            for name, one in scores.items()
        }


Setting = tuple[str, int, int]


def area(true: Array, others: Array) -> float:
    """Return the share of others below the true one, ties half; a missing score is the lowest."""
    true, others = np.nan_to_num(true, nan=-np.inf), np.nan_to_num(others, nan=-np.inf)
    return float(((others < true) + (others == true) / 2).mean())


def distilled(bank: Bank, cost: Array, budgets: Sequence[int], draws: int, said: str) -> None:
    """Print the tables of `distilled`."""
    settings = [(name, budget, draw) for name in compositions(bank) for budget in budgets for draw in range(draws)]
    weights = np.zeros((len(settings), len(bank.rows)))
    for at, (name, budget, draw) in enumerate(settings):
        rng = stream(7, "lab power", name, str(budget), str(draw), said)
        weights[at, drawn(bank, cost, compositions(bank)[name], budget, rng)] = 1
    scorer = Scorer(bank, weights)
    students = [one for one in bank.models if one[2]]
    true = [(s, t) for s, _, t in students if t in {name for name, _, teacher in bank.models if not teacher}]
    lineages = [name for name, _, teacher in bank.models if not teacher]
    scored = {(s, r): scorer.pair(s, r) for s, _, _ in students for r in lineages}
    where = {
        (name, budget): [at for at, one in enumerate(settings) if one[:2] == (name, budget)]
        for name, budget, _ in settings
    }
    areas: dict[tuple[str, str, int], dict[str, float]] = {}
    print(f"\n`distilled`, tokens {said}: {len(true)} true pairs, {len(students)} students, {len(lineages)} lineages,")
    print(f"{draws} draws\n")
    heads = " | ".join(f"area, {budget}" for budget in budgets)
    print(f"| prompts of | detector | {heads} | calls, {budgets[-1]} | found | false alarms |")
    print("|---|---|" + "---|" * (len(budgets) + 3))
    null = [(s, r) for s, lineage, _ in students for r in lineages if r != lineage]
    for name in compositions(bank):
        for detector in DETECTORS:
            cells = []
            for budget in budgets:
                mine = where[name, budget]
                if np.isfinite([scored[pair][detector].t[mine] for pair in true]).mean() < FEWEST:
                    cells.append("-")
                    continue
                each = {
                    t: area(
                        scored[s, t][detector].t[mine],
                        np.array([scored[o, t][detector].t[mine] for o, _, other in students if other != t]),
                    )
                    for s, t in true
                }
                areas[name, detector, budget] = each
                cells.append(f"{np.mean([*each.values()]):.2f}")
            if cells[-1] == "-" or detector not in ("wording", *STATED.get(name, ())):
                continue
            found = np.mean([scored[pair][detector].found[mine] for pair in true])
            hits = sum(int(scored[pair][detector].found[mine[at % draws]]) for at, pair in enumerate(null))
            calls, shown = np.median(weights[mine].sum(axis=1)), " | ".join(cells)
            print(f"| {name} | {detector} | {shown} | {calls:.0f} | {found:.2f} | {hits} of {len(null)} |")
    print("\nfamily and detector chosen on all teachers but one, measured on that one, beside others by `wording`:\n")
    print("| tokens | area | open_howto | mix:standard | chosen |\n|---|---|---|---|---|")
    for budget in budgets:
        made = {key: each for key, each in areas.items() if key[2] == budget}
        got, chosen = [], []
        for _, left in true:
            best = max(made, key=lambda key: np.mean([value for t, value in made[key].items() if t != left]))
            chosen.append(" by ".join(best[:2]))
            got.append(made[best][left])
        plain = [
            np.mean([*made.get((name, "wording", budget), {"": np.nan}).values()])
            for name in ("open_howto", "mix:standard")
        ]
        counts = ", ".join(f"{name} {chosen.count(name)}" for name in dict.fromkeys(chosen))
        print(f"| {budget} | {np.mean(got):.2f} | {plain[0]:.2f} | {plain[1]:.2f} | {counts} |")


# --- same -----------------------------------------------------------------------------------------------


def same(bank: Bank, cost: Array, budgets: Sequence[int], draws: int) -> None:
    """Print the table of `same`: every student beside its teacher, every two lineages."""
    place = {name: at for at, (name, _, _) in enumerate(bank.models)}
    lineages = [name for name, _, teacher in bank.models if not teacher]
    sets = {
        "student and teacher": [(teacher, name) for name, _, teacher in bank.models if teacher in lineages],
        "two lineages": [*combinations(lineages, 2)],
    }
    print(f"\n`same` at {LEVEL}, {draws} draws of each pair; kept and new answers cost so many tokens each\n")
    heads = [f"{name}, {budget}" for name in sets for budget in budgets]
    print(f"{', '.join(f'{len(some)} pairs of {name}' for name, some in sets.items())}\n")
    print(f"| prompts of | new calls, {budgets[-1]} | " + " | ".join(heads) + " |\n|---|---|" + "---|" * len(heads))
    alike: dict[tuple[tuple[str, str], str], Array] = {}
    where: dict[str, list[int]] = {}
    for row, (_, prompt, _) in enumerate(bank.rows):
        where.setdefault(prompt, []).append(row)
    for name, shares in compositions(bank).items():
        shown, calls = [], 0
        for pairs in sets.values():
            for budget in budgets:
                hits = []
                for number, pair in enumerate(pairs):
                    for draw in range(draws):
                        rng = stream(7, "lab same", name, str(budget), str(draw), str(number))
                        prompts = whole(bank, cost, shares, budget, rng)
                        for prompt in prompts:
                            if (pair, prompt) not in alike:
                                texts = [bank.answers[row][place[model]] for model in pair for row in where[prompt]]
                                alike[pair, prompt] = likeness(texts)
                        kept = [len(where[prompt]) for prompt in prompts]
                        order = [at for turn in range(max(kept, default=0)) for at, n in enumerate(kept) if turn < n]
                        calls, rounds = len(order), max(len(order) // max(len(prompts), 1), 1)
                        parts = [alike[pair, prompt] for prompt in prompts]
                        hits.append(bool(order) and examine(parts, kept, order, rounds, LEVEL, rng, 1_999).p <= LEVEL)
                shown.append(f"{np.mean(hits):.2f}")
        print(f"| {name} | {calls} | " + " | ".join(shown) + " |")
        sys.stdout.flush()


def whole(bank: Bank, cost: Array, shares: Mapping[str, int], budget: float, rng: np.random.Generator) -> list[str]:
    """Choose prompts, all answers to each, until the budget is used up."""
    turn: list[tuple[float, str]] = []
    for family, share in shares.items():
        prompts = sorted({prompt for of, prompt, _ in bank.rows if of == family})
        turn += [((at + 0.5) / share, prompts[one]) for at, one in enumerate(rng.permutation(len(prompts)))]
    price: dict[str, float] = {}
    for (_, prompt, _), value in zip(bank.rows, cost, strict=True):
        price[prompt] = price.get(prompt, 0.0) + value
    kept: list[str] = []
    for _, prompt in sorted(turn):
        budget -= price[prompt]
        if budget < 0:
            break
        kept.append(prompt)
    return kept


def main() -> int:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--budgets", type=int, nargs="*", default=[96, 192, 384], help="tokens of each model's answers")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--only", choices=("distilled", "same"))
    given = parser.parse_args()
    bank = read(given.bank)
    both = bank.out + np.array([len(words(text)) * 4 / 3 for text in bank.prompts])
    if given.only != "same":
        distilled(bank, bank.out, given.budgets, given.draws, "out")
        distilled(bank, both, [2 * one for one in given.budgets], given.draws, "in and out")
    if given.only != "distilled":
        same(bank, bank.out, given.budgets, max(given.draws // 4, 1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
