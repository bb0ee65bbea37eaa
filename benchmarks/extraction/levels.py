"""Level and recall of the extraction tests on simulated worlds, with rivals on the same worlds; goes on after a kill.

    python benchmarks/extraction/levels.py level --worlds 200    worlds without a campaign, by look-alikes
    python benchmarks/extraction/levels.py recall --worlds 5       planted campaigns over a grid
    python benchmarks/extraction/levels.py table                   what was run, as tables

Each world is a line of out/extraction/{level,recall}.jsonl.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa

from depose.extraction import concert, plan, scan, tables, worlds
from depose.extraction.findings import AVERAGED, LAYERS, Layer
from depose.model import CaseHead
from depose.model.random_streams import stream
from depose.statistics import evalues
from depose.statistics.rates import rate

OUT = Path("out/extraction")
MIXES: dict[str, tuple[worlds.LookAlike, ...]] = {
    "none": (),
    **{name: (name,) for name in worlds.LOOK_ALIKES},
    "all": tuple(worlds.LOOK_ALIKES),
}
SWAPS = 99
ALPHA = 0.05
INSIDE = tuple(name for name in LAYERS if name not in ("groups", "networks"))
"""Layers that are tested inside a group. `networks` has nothing to test here: every account says its country."""
RIVALS, FORESTS = 5, 60
"""Worlds of each mix in which rivals run beside, and in which E1 runs, which costs more than all other tests."""
MANY = 2_000
"""Accounts of the largest campaign, planted among three times as many; one world of it."""
WEEKS = (7, 14, 21)
"""Days of the tested period after which a campaign that was found in all of it is looked for."""


def case_of(recipe: worlds.Recipe, release: Any) -> plan.ExtractionFile:
    """The case of a world."""
    clean, tested = worlds.span(recipe)
    return plan.ExtractionFile(
        case=CaseHead(title="world", authority="simulated"),
        period=plan.Period(tested=tested, clean=clean),
        strata=plan.Strata(fewest=99),
        tests=plan.Tests(swaps=SWAPS, draws=SWAPS, rounds=2, alpha=ALPHA),
        releases=(plan.Release(model="model-2", at=str(release)),),
    )


def examined(
    recipe: worlds.Recipe, seed: int, *, leads: bool, rivals: bool = True, forest: bool = True
) -> dict[str, Any]:
    """Scan a world; `leads` also tests the layers on the strongest core, found or not; E1 and rivals if asked for."""
    world = worlds.build(recipe, stream(seed, "world", msgspec.json.encode(recipe).decode()))
    case = case_of(recipe, world.release)
    planted = {f"{one:016x}" for one in world.planted.tolist()}
    start = time.process_time()
    with duckdb.connect(config={"threads": "1"}) as db:
        db.register("events", world.events)
        tables.declare(db, case, ())
        made = tables.make(db, case)

        def slots_of(ids: Any) -> Any:
            return tables.slots(db, case, ids)[0]

        one = scan.Scan(case, made, slots_of, 1, lambda _: None)
        said = _lead(one, case, made, slots_of, world, forest) if leads else _found(one.run(), made, planted)
        if not leads:
            said["days"] = _days(db, case) if said["p"] <= ALPHA else None
    said["events"] = world.events.num_rows
    if rivals:
        from rivals import peers

        said["peers"] = peers(world, case, made, planted)
    return said | {"seconds": round(time.process_time() - start, 2)}


def _days(db: Any, case: plan.ExtractionFile) -> int:
    """Return after how many days the primary test finds a group: a week, two, three, or all."""
    first = date.fromisoformat(case.period.tested[0])
    for days in WEEKS:
        last = (first + timedelta(days=days - 1)).isoformat()
        period = msgspec.structs.replace(case.period, tested=(case.period.tested[0], last))
        early = msgspec.structs.replace(case, period=period)
        one = scan.Scan(early, tables.make(db, early), lambda _: pa.table({}), 1, lambda _: None)
        _, together = one.standing()
        table, _ = one.rare("rare", together)
        found = one.find(table, "groups")
        if found.adjusted and found.adjusted[0] <= ALPHA:
            return days
    return plan.days(case.period.tested)


def _found(found: scan.Scanned, made: tables.Tables, planted: set[str]) -> dict[str, Any]:
    """Count what a scan found of what was planted."""
    members = [member for group in found.groups for member in group.accounts if not member.standing]
    named = {member.account for member in members}
    return {
        "p": found.groups[0].p_holm if found.groups else found.next_p,
        "placebo": found.standing.p if found.standing else None,
        "groups": len(found.groups),
        "indication": found.opinion.verdict == "indication",
        "tied by": found.groups[0].tied_by if found.groups else (),
        "named": len(named),
        "right": len(named & planted),
        "supported": sum(member.supported for member in members),
        "supported right": sum(member.supported and member.account in planted for member in members),
        "planted": len(planted),
        "E1": found.accounts.hits,
        "E2": found.pairs.hits,
        "e": found.groups[0].e if found.groups else None,
        "layers": {layer.name: layer.p for layer in found.groups[0].layers} if found.groups else {},
        "ari": _ari(made.by_name["accounts"]["account"].to_numpy(), named, planted),
    }


def _lead(
    one: scan.Scan, case: plan.ExtractionFile, made: tables.Tables, slots_of: Any, world: worlds.World, forest: bool
) -> dict[str, Any]:
    """Run every test of a world without a campaign; the layers on its strongest core, found or not."""
    standing, together = one.standing()
    table, known = one.rare("rare", together)
    found = one.find(table, "groups")
    layers: dict[str, float] = {}
    tied = False
    ties: tuple[str, ...] = ()
    if found.rounds and len(found.rounds[0].members):
        places = one.accounts_of(known[found.rounds[0].members], together)
        ids = made.by_name["accounts"]["account"].to_numpy()[places]
        tied = any(2 * np.isin(ids, each).sum() > len(ids) for each in world.alike)
        tested = concert.Context(case, made, slots_of(ids), together).layers(places, "G1")
        ties = concert.tied_by(tested, ALPHA)
        layers = {layer.name: layer.p for layer in tested} | {"groups": found.rounds[0].p}
    pairs = one.pairs(table, known)
    handed = _handed(case, made, slots_of, world)

    def node_of(accounts: Any) -> Any:
        return np.array([together.get(int(each), int(each)) for each in accounts], dtype=np.uint64)

    return {
        "p": found.adjusted[0] if found.adjusted else 1.0,
        "placebo": standing.p if standing else None,
        "standing": standing.nodes if standing else 0,
        "E1": one.unusual(()).hits if forest else None,
        "tied": tied,
        "indication": bool(found.adjusted and found.adjusted[0] <= ALPHA and ties),
        "E2": pairs.hits,
        "E2 strangers": pairs.hits - sum(_alike(pair, world.alike, node_of) for pair in pairs.listed),
        "layers": layers,
        "handed": {layer.name: layer.p for layer in handed},
        "handed tied": bool(concert.tied_by(handed, ALPHA)),
    }


def _handed(case: plan.ExtractionFile, made: tables.Tables, slots_of: Any, world: worlds.World) -> Sequence[Layer]:
    """Test the first set of look-alikes as if it had been found as a group of single accounts."""
    every = made.by_name["accounts"]["account"].to_numpy()
    places = np.flatnonzero(np.isin(every, world.alike[0])) if world.alike else np.zeros(0, dtype=np.int64)
    return concert.Context(case, made, slots_of(every[places]), {}).layers(places, "G1") if len(places) > 1 else []


def _alike(pair: Any, sets: Sequence[Any], node_of: Callable[[Any], Any]) -> bool:
    """Tell whether both nodes of a pair have accounts of one set that shares prompts for a good reason."""
    both = np.array([int(pair.left, 16), int(pair.right, 16)], dtype=np.uint64)
    return any(bool(np.isin(both, node_of(one)).all()) for one in sets)


def _ari(accounts: Any, named: set[str], planted: set[str]) -> float | None:
    from sklearn.metrics import adjusted_rand_score

    if not planted:
        return None
    names = [f"{one:016x}" for one in accounts.tolist()]
    return float(adjusted_rand_score([one in planted for one in names], [one in named for one in names]))


def campaigns() -> Iterator[tuple[str, worlds.Campaign]]:
    """Yield the grid of planted campaigns."""
    base = worlds.Campaign(accounts=60, per_day=5, templates=200, cover=0.8)
    yield "base: 60 accounts, 5 a day, 200 templates, 80 % cover", base
    for accounts in (20, 200, MANY):
        yield f"{accounts} accounts", msgspec.structs.replace(base, accounts=accounts)
    for per_day in (2.0, 26.0, 200.0):
        yield f"{per_day:.0f} a day", msgspec.structs.replace(base, per_day=per_day)
    for templates in (10, 50, 1_000, 0):
        name = f"{templates} templates" if templates else "a data set, each prompt once"
        yield name, msgspec.structs.replace(base, templates=templates)
    for cover in (0.0, 0.5, 0.95):
        yield f"{cover:.0%} cover", msgspec.structs.replace(base, cover=cover)
    yield "every prompt in other words", msgspec.structs.replace(base, paraphrased=True)
    yield "load dealt out", msgspec.structs.replace(base, even=True)
    yield "bursts", msgspec.structs.replace(base, timing="sync")
    yield "bursts with jitter", msgspec.structs.replace(base, timing="jitter")
    yield "no shared cards, no pivot", msgspec.structs.replace(base, shared=False, pivot=False)


def run(kind: str, place: Path, seeds: range, *, bare: bool = False, only: str = "") -> None:
    """Examine the worlds of these seeds that are missing; of levels, rivals run in the first of each mix."""
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"{kind}.jsonl"
    done = {(one["name"], one["seed"]) for one in _lines(place, kind)}
    if kind == "level":
        jobs = [(name, worlds.Recipe(accounts=400, look_alikes=mix)) for name, mix in MIXES.items()]
        jobs = [one for one in jobs if not only or one[0] in only.split(",")]
    else:
        jobs = [
            (name, worlds.Recipe(accounts=400 if one.accounts < MANY else 3 * MANY, campaign=one))
            for name, one in campaigns()
        ]
    every = kind == "recall"
    with file.open("a") as out:
        for seed in seeds:
            for name, recipe in jobs:
                large = kind == "recall" and recipe.accounts > MANY
                if (name, seed) not in done and not (large and seed > seeds.start):
                    said = examined(
                        recipe,
                        seed,
                        leads=kind == "level",
                        rivals=not bare and (every or seed < seeds.start + RIVALS),
                        forest=not bare and (every or seed < seeds.start + FORESTS),
                    )
                    out.write(json.dumps({"name": name, "seed": seed, **said}) + "\n")
                    out.flush()


def _lines(place: Path, kind: str) -> list[dict[str, Any]]:
    """Read the worlds of every run below a folder: seeds that were run apart are counted together."""
    files = sorted(place.rglob(f"{kind}*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def _fired(layer: str, one: dict[str, Any], of: str = "layers") -> bool:
    return bool(one[of].get(layer, 1) <= ALPHA)


def _counts(
    by_mix: dict[str, list[dict[str, Any]]], counted: dict[str, Callable[[dict[str, Any]], bool | None]]
) -> None:
    """Print how many worlds of each mix are counted by each name, with the exact upper bound."""
    head = ["look-alikes", "worlds", *counted]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for mix, found in by_mix.items():
        cells = [mix, str(len(found))]
        for test in counted.values():
            tested = [hit for hit in map(test, found) if hit is not None]
            of = f" of {len(tested)}" if len(tested) < len(found) else ""
            cells.append(f"{sum(tested)}{of} ({rate(sum(tested), len(tested)).upper95:.3f})")
        print("| " + " | ".join(cells) + " |")


def level_table(place: Path) -> None:
    """Print how often each test fired where nothing was planted, and the exact upper bound of its rate."""
    by_mix: dict[str, list[dict[str, Any]]] = {}
    for one in _lines(place, "level"):
        by_mix.setdefault(one["name"], []).append(one)
    print(f"## Level: worlds without a campaign in which a test fired, at {ALPHA}, {SWAPS} random tables\n")
    print("In brackets the exact upper bound of the rate, at 95 %. E1 and E2: any account, any pair, at their FDR.\n")
    counted: dict[str, Callable[[dict[str, Any]], bool | None]] = {
        "E3": lambda one: one["p"] <= ALPHA,
        "of these a set that shares": lambda one: one["p"] <= ALPHA and one["tied"],
        "E1": lambda one: one["E1"] > 0 if one["E1"] is not None else None,
        "E2": lambda one: one["E2"] > 0,
        "of these strangers": lambda one: one["E2 strangers"] > 0,
    }
    counted |= {name: partial(_fired, name) for name in INSIDE}
    counted["indication"] = lambda one: one["indication"]
    counted["average e >= 20"] = lambda one: (
        evalues.averaged([p for name, p in one["layers"].items() if name in AVERAGED] or [1.0]) >= 20
    )
    _counts(by_mix, counted)
    print("\nThe set of look-alikes itself, handed to the tests as if it were a group of single accounts:\n")
    with_sets = {mix: [one for one in found if one["handed"]] for mix, found in by_mix.items()}
    names = list(INSIDE)
    of_sets: dict[str, Callable[[dict[str, Any]], bool | None]] = {
        name: partial(_fired, name, of="handed") for name in names
    }
    of_sets["concert shown"] = lambda one: one["handed tied"]
    _counts({mix: found for mix, found in with_sets.items() if found}, of_sets)
    beside = [one for each in by_mix.values() for one in each if "peers" in one]
    if beside:
        names = list(beside[0]["peers"])
        print(f"\n| look-alikes | worlds | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for mix, found in by_mix.items():
        with_peers = [one["peers"] for one in found if "peers" in one]
        if with_peers:
            cells = [str(sum(one[name]["fired"] for one in with_peers)) for name in with_peers[0]]
            print(f"| {mix} | {len(with_peers)} | {' | '.join(cells)} |")


def recall_table(place: Path) -> None:
    """Print what was found of planted campaigns."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for one in _lines(place, "recall"):
        by_name.setdefault(one["name"], []).append(one)
    peers = list(next(iter(by_name.values()))[0]["peers"]) if by_name else []
    print("\n## Recall: planted campaigns, means over worlds\n")
    head = [
        "campaign",
        "worlds",
        "found",
        "concert shown",
        "recall",
        "false among named",
        "recall, borne out",
        "false, borne out",
        "ARI",
        "days until found",
    ]
    head += ["median average e", *(f"{name}: recall / false" for name in peers)]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for name, found in by_name.items():
        n = len(found)

        def mean(values: list[float]) -> str:
            return f"{np.mean(values):.2f}" if values else "-"

        named = [one for one in found if one["named"]]
        cells = [name, n, sum(one["p"] <= ALPHA for one in found), sum(one["indication"] for one in found)]
        cells += [mean([one["right"] / one["planted"] for one in found])]
        cells += [mean([1 - one["right"] / one["named"] for one in named])]
        cells += [mean([one["supported right"] / one["planted"] for one in found])]
        cells += [mean([1 - one["supported right"] / one["supported"] for one in named if one["supported"]])]
        cells += [mean([one["ari"] for one in found])]
        cells += [", ".join(str(one["days"]) for one in found if one["days"]) or "-"]
        cells += [f"{np.median([one['e'] for one in named]):.1f}" if named else "-"]
        for peer in peers:
            each = [one["peers"][peer] for one in found]
            cells.append(f"{mean([x['recall'] for x in each])} / {mean([x['false'] for x in each if x['named']])}")
        print("| " + " | ".join(map(str, cells)) + " |")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("level", "recall", "table"))
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--first", type=int, default=2_000, help="the first seed; tests were made on those below 2,000")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--bare", action="store_true", help="leave out E1 and the rivals, which take most of the time")
    parser.add_argument("--only", default="", help="mixes of look-alikes, with commas")
    given = parser.parse_args()
    if given.what == "table":
        level_table(given.out)
        recall_table(given.out)
    else:
        run(given.what, given.out, range(given.first, given.first + given.worlds), bare=given.bare, only=given.only)


if __name__ == "__main__":
    main()
