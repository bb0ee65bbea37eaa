"""Why the rule on bare words silences true pairs: what passes them, by number of prompts; part of `bare_words.py`.

Every `derived` pair of a population that p calls at equal length and layout is scored with and without bare words,
beside all controls. Of each that is no longer called those controls are named that pass it then, and whether they carry
weights of the maker of the reference, say as a fine-tune of another size of it, or taught the suspect. Last, p without
controls of the first kind: tried, and not taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np
from bare_case import NEEDED, WIDE, Case, Row, Store, low, p_of, worst_of

from depose.case.population import Pair
from depose.validate.study import RELATION

SIZES = (25, 60, 148)
"""Numbers of prompts; the last is all that the Japanese population has."""


def _row(case: Case, pair: Pair, members: Sequence[int]) -> Row:
    before = case.scored(case.bag(members))[WIDE]
    p, worst = worst_of(before, case.near(members, ()))
    row: Row = {"suspect": pair.suspect, "reference": pair.reference, "k": len(members) - 2, "called": low(worst)}
    if not row["called"]:
        return row
    after = case.without(members)[WIDE]
    beside = case.beside(members)
    alone = case.without(beside)[WIDE] if len(beside) < len(members) else after
    names = [case.population.members[member].name for member in members]
    kin = set(members) - set(beside)
    ends = [np.fmax(t[0, 2:], t[2:, 1]) for t in (before, after)]
    return row | {
        "p": p,
        "t": float(before[0, 1]),
        "t_bare": float(after[0, 1]),
        "bare": p_of(after),
        "k_strangers": len(beside) - 2,
        "beside_strangers": p_of(alone),
        "passing": [
            {"name": names[place + 2], "kin": members[place + 2] in kin, "t": float(ends[0][place]), "t_bare": far}
            for place, far in enumerate(ends[1].tolist())
            if far >= after[0, 1]
        ],
    }


def rows(case: Case, store: Store) -> list[Row]:
    """Score every `derived` pair with controls enough, once, and mark who passes it and taught the suspect."""
    found = []
    models = {one.name: one for one in case.population.members}
    for pair in case.pairs:
        if pair.label != 1 or pair.relation != RELATION["derived"] or not (members := case.members(pair)):
            continue
        key = f"{case.name}, {len(case.prompts)} prompts: {pair.suspect} from {pair.reference}"
        if key not in store.rows:
            store.keep(key, _row(case, pair, members))
        row = store.rows[key]
        for one in row.get("passing", ()):
            one["taught"] = models[one["name"]].developer in models[pair.suspect].trained_on
        found.append(row)
    return found


def by_size(found: dict[tuple[str, int], list[Row]]) -> Iterator[str]:
    """Write how many are called and stand, and by what the others are passed."""
    yield (
        "| population | prompts | tested | called | without bare words too | others | ... passed by one control alone "
        "| ... passed by a control with weights of the reference's maker | ... else, by one of the suspect's teachers "
        "| without bare words beside strangers alone | T of those that stand, and without (medians) | of the others |\n"
        + "|---" * 12
        + "|"
    )
    for (name, size), listed in found.items():
        called = [row for row in listed if row["called"]]
        stand = [row for row in called if low(row["bare"])]
        lost = [row for row in called if not low(row["bare"])]
        alone = [row for row in lost if len(row["passing"]) == 1]
        kin = [row for row in lost if any(one["kin"] for one in row["passing"])]
        taught = [row for row in lost if row not in kin and any(one["taught"] for one in row["passing"])]
        yield (
            f"| {name} | {size} | {len(listed)} | {len(called)} | {len(stand)} | {len(lost)} | {len(alone)} "
            f"| {len(kin)} | {len(taught)} | {sum(low(row['beside_strangers']) for row in called)} "
            f"| {_medians(stand)} | {_medians(lost)} |"
        )


def _medians(listed: Sequence[Row]) -> str:
    if not listed:
        return "-"
    return ", ".join(f"{median(row[name] for row in listed):.2f}" for name in ("t", "t_bare"))


def lost(found: dict[tuple[str, int], list[Row]]) -> Iterator[str]:
    """Write each pair that is lost, and what passes it."""
    yield (
        "| population, prompts | suspect, reference | controls | T, without bare words | p without "
        "| passed by (T, without) | p beside strangers alone (controls) |\n" + "|---" * 7 + "|"
    )
    for (name, size), listed in found.items():
        for row in listed:
            if row["called"] and not low(row["bare"]):
                passed = "; ".join(
                    f"{one['name']} ({one['t']:.2f}, {one['t_bare']:.2f}{_how(one)})" for one in row["passing"]
                )
                yield (
                    f"| {name}, {size} | {row['suspect']}, {row['reference']} | {row['k']} "
                    f"| {row['t']:.2f}, {row['t_bare']:.2f} | {row['bare']:.3f} | {passed} "
                    f"| {row['beside_strangers']:.3f} ({row['k_strangers']}) |"
                )


def _how(one: Row) -> str:
    return "; weights of its maker" if one["kin"] else "; the suspect's teacher" if one["taught"] else ""


def reasons(found: dict[tuple[str, int], list[Row]]) -> Iterator[str]:
    """Write both tables."""
    yield f"\nwhy: `derived` pairs with {NEEDED} clean control lineages, called at equal length and layout"
    yield from by_size(found)
    yield "\nthe others: not called without bare words beside all controls"
    yield from lost(found)
