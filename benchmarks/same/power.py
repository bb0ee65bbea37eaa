"""Calls until another setting is found, and false alarms: the substitution test on a bank of answers (`same/bank.py`).

    python benchmarks/same/power.py BANK [--sets choices open llmmap choices+open] [--runs 300] [--level 1000]
        [--kept-tokens 2880] [--tokens 1152]

Sets are compared on the variants that all of them have, at equal cost: each has as many kept answers and rounds of new
ones as these tokens pay for. A set such as `choices+open` is half of the prompts of either. Each run draws kept answers
of the reference to every prompt and then new ones, without replacement, from the variant (of the reference: others of
its own). It says with which calls 90 of 100 runs have rejected at .01, with the tokens these took, and how often same
against same was rejected at any call; then, beside each other, what is found for so many tokens, and what a set chosen
on all other models finds of one left out; and of a day on which several endpoints are watched, how many Holm and e-BH
find.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from depose.features.words import words
from depose.statistics import ranks
from depose.statistics.evalues import calibrated, e_bh
from depose.statistics.rates import upper_bound
from depose.statistics.substitution import Array, Substitution, examine, likeness

Days = dict[str, list[tuple[float, float, float]]]
"""Of each variant, for each day: tokens out, and tokens in and out, until rejection (infinite: none), and p."""
ALPHA = 0.01
POWER = 0.9
DRAWS = 1_999
"""Permutations of a look: fewer than a real day makes, which costs a little power."""


def load(bank: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Read the variants of a set, the reference first; of a set of several, half of the prompts of each."""
    if "+" in kind:
        parts = [load(bank, part) for part in kind.split("+")]
        return {name: _half([part[name] for part in parts]) for name in parts[0] if all(name in one for one in parts)}
    rows = [json.loads(file.read_text("utf-8")) for file in sorted(bank.glob(f"{kind}-*.json"))]
    return {row["variant"]: row for row in sorted(rows, key=lambda row: row["variant"] != "reference")}


def _half(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Put half of the prompts of several sets together, the same number of answers to each."""
    many = [(len(row["prompts"]) + 1) // 2 for row in rows]
    samples = min(len(row["answers"][0]) for row in rows)
    return {
        "variant": rows[0]["variant"],
        "prompts": [text for row, n in zip(rows, many, strict=True) for text in row["prompts"][:n]],
        "answers": [said[:samples] for row, n in zip(rows, many, strict=True) for said in row["answers"][:n]],
        "tokens": sum(row["tokens"] * n for row, n in zip(rows, many, strict=True)) / sum(many),
    }


def drawn(size: int, new: int, kept: int, rounds: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Choose kept and new answers: places in the row of the reference, followed by that of the variant, if any."""
    first = rng.permutation(size)
    return first[:kept], (size + rng.permutation(new)[:rounds] if new else first[kept : kept + rounds])


def run(alike: list[Array], size: int, new: int, kept: int, rounds: int, rng: np.random.Generator) -> Substitution:
    """Make one day."""
    parts = []
    for among in alike:
        where = np.concatenate(drawn(size, new, kept, rounds, rng))
        parts.append(among[np.ix_(where, where)])
    order = [int(one) for _ in range(rounds) for one in rng.permutation(len(alike))]
    return examine(parts, [kept] * len(parts), order, rounds, ALPHA, rng, DRAWS)


def row(name: str, hits: list[int | None], tokens: float, seconds: float) -> str:
    """Set one variant out as a row of a table."""
    found = sorted(hit for hit in hits if hit is not None)
    needed = found[int(np.ceil(POWER * len(hits))) - 1] if len(found) >= POWER * len(hits) else None
    share = len(found) / len(hits)
    median = f"{np.median(found):.0f}" if found else "-"
    end = f"{needed} | {needed * tokens:.0f}" if needed else "not reached | -"
    return f"| {name} | {share:.2f} | {median} | {end} | {seconds:.0f} |"


def study(bank: Path, kind: str, among: set[str], runs: int, level: int, kept_tokens: int, tokens: int) -> Days:
    """Print the table of one set; all days of each variant."""
    rows = {name: row for name, row in load(bank, kind).items() if name in among}
    reference = rows["reference"]
    each = len(reference["prompts"]) * float(reference["tokens"])
    kept = min(int(kept_tokens / each), len(reference["answers"][0]) // 2)
    rounds = min(int(tokens / each), min(len(one["answers"][0]) for one in rows.values()))
    print(f"\n{kind}: {len(reference['prompts'])} prompts, {kept} kept answers to each, at most {rounds} rounds\n")
    print(f"| variant | rejected at {ALPHA} | median calls | calls for power {POWER} | tokens out | s |")
    print("|---|---|---|---|---|---|")
    found: Days = {}
    for name, one in rows.items():
        began = time.monotonic()
        own = name == "reference"
        texts = [old if own else [*old, *new] for old, new in zip(reference["answers"], one["answers"], strict=True)]
        alike = [likeness(some) for some in texts]
        size, new = len(reference["answers"][0]), 0 if own else len(one["answers"][0])
        many = level if own else runs
        days = [run(alike, size, new, kept, rounds, np.random.default_rng([seed, 5])) for seed in range(many)]
        hits = [day.rejected_at for day in days]
        print(row(name, hits, float(one["tokens"]), time.monotonic() - began))
        if own:
            alarms = sum(hit is not None for hit in hits)
            print(f"same against same: {alarms} of {many} days rejected, upper bound {upper_bound(alarms, many):.4f}")
        asked = float(np.mean([len(words(text)) * 4 / 3 for text in one["prompts"]]))
        calls = [day.rejected_at or np.inf for day in days]
        found[name] = [
            (one["tokens"] * many, (one["tokens"] + asked) * many, day.p) for many, day in zip(calls, days, strict=True)
        ]
        sys.stdout.flush()
    return found


def beside(sets: dict[str, Days], budgets: list[int], *, asked: bool) -> None:
    """Print what each set finds for so many tokens of new answers, and what a set chosen on the others finds.

    Tokens of the prompts count too where `asked`: their words times 4/3.
    """
    names = [
        name for name in next(iter(sets.values())) if name != "reference" and all(name in d for d in sets.values())
    ]
    print(f"\nshare found for so many tokens {'in and out' if asked else 'out'}, {len(names)} variants\n")
    print("| variant | tokens | " + " | ".join(sets) + " |\n|---|---|" + "---|" * len(sets))
    share = {
        (kind, name, budget): float(np.mean([one[asked] <= budget for one in days[name]]))
        for kind, days in sets.items()
        for name in names
        for budget in budgets
    }
    for name in names:
        for budget in budgets:
            print(f"| {name} | {budget} | " + " | ".join(f"{share[kind, name, budget]:.2f}" for kind in sets) + " |")
    for budget in budgets:
        means = [float(np.mean([share[kind, name, budget] for name in names])) for kind in sets]
        print(f"| mean | {budget} | " + " | ".join(f"{mean:.2f}" for mean in means) + " |")
    print("\n| tokens | found by what is chosen on all other variants | chosen |\n|---|---|---|")
    for budget in budgets:
        chosen = [
            max(sets, key=lambda kind: sum(share[kind, name, budget] for name in names if name != left))
            for left in names
        ]
        got = float(np.mean([share[kind, left, budget] for kind, left in zip(chosen, names, strict=True)]))
        counts = ", ".join(f"{kind} {chosen.count(kind)}" for kind in dict.fromkeys(chosen))
        print(f"| {budget} | {got:.2f} | {counts} |")


def fleet(days: Days, same: int, rate: float, runs: int) -> None:
    """Print what Holm and e-BH choose of a day on which all variants and some unchanged endpoints are watched."""
    names = [name for name in days if name != "reference"]
    made: dict[str, list[tuple[int, int]]] = {"Holm": [], "e-BH": []}
    for number in range(min(runs, len(days["reference"]) // same, *(len(days[name]) for name in names))):
        p = [days[name][number][2] for name in names]
        p += [one for _, _, one in days["reference"][number * same : (number + 1) * same]]
        chosen = {
            "Holm": [place for place, one in enumerate(ranks.holm(p)) if one <= rate],
            "e-BH": e_bh([float(np.log10(calibrated(max(one, 1e-300)))) for one in p], rate),
        }
        for how, places in chosen.items():
            wrong = sum(place >= len(names) for place in places)
            made[how].append((len(places) - wrong, wrong))
    print(f"\n{len(names)} changed endpoints and {same} unchanged ones watched together, rate {rate}\n")
    print("| | changed ones found, mean | days with a false one | share of false ones, mean |\n|---|---|---|---|")
    for how, rows in made.items():
        false = np.mean([wrong / max(right + wrong, 1) for right, wrong in rows])
        days_with = sum(wrong > 0 for _, wrong in rows)
        print(f"| {how} | {np.mean([r for r, _ in rows]):.1f} | {days_with} of {len(rows)} | {false:.3f} |")


def main() -> int:
    """Print a table for each set of the bank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--sets", nargs="*", default=["choices", "open", "llmmap", "choices+open"])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--level", type=int, default=1_000)
    parser.add_argument("--kept-tokens", type=int, default=2_880, help="tokens of the kept answers to all prompts")
    parser.add_argument("--tokens", type=int, default=1_152, help="tokens of the new answers of a day at most")
    given = parser.parse_args()
    there = {kind: {*load(given.bank, kind)} for kind in given.sets}
    among = set.intersection(*(names for names in there.values() if names))
    found = {
        kind: study(given.bank, kind, among, given.runs, given.level, given.kept_tokens, given.tokens)
        for kind, names in there.items()
        if names
    }
    if len(found) > 1:
        for asked in (False, True):
            budgets = [given.tokens // 4, given.tokens // 2, given.tokens, *[2 * given.tokens] * asked]
            beside(found, budgets, asked=asked)
    if "choices" in found:
        fleet(found["choices"], 5, 0.1, given.runs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
