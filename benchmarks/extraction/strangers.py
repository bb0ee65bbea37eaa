"""Groups that share prompts for good reasons and stand in no mix of `depose extraction simulate`: what is said of them.

    python benchmarks/extraction/strangers.py --worlds 40 --seed 910000 [--only homework,lessons]

Each is put into a world of 400 ordinary accounts, in the tested period alone; nothing here was chosen on it. Prints a
line for each world, and a table at the end.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from typing import Any

import duckdb
import numpy as np
from levels import case_of

from depose.extraction import scan, tables, worlds
from depose.model.random_streams import stream

PROMPT = 1 << 42
"""First of the prompts of these groups."""
KINDS = {
    "lessons": "three classes of 26 pupils, a lesson a week in which eight tasks are set one after the other",
    "lessons on one network": "the same, each class behind one address",
    "homework": "the same tasks, done within four hours after they were set",
    "nightly suite": "three firms of four accounts run one suite of 150 prompts each night, at an hour of their own",
    "suite on push": "twelve accounts run one suite of 150 prompts fifteen times, at the same moment",
    "agency": "twelve translators share 300 orders of a day's work, at office hours",
    "agency with one card": "the same, and the agency pays",
    "retry storms": "18 accounts of one framework; six outages after which they ask again within twenty minutes",
    "branches": "15 branches of a bank run four of 60 macros each morning within 45 minutes of opening",
    "hackathon": "40 accounts work through a handout of 80 prompts on one weekend",
}


class Maker(worlds._Maker):
    """A world with one such group, in the place of a look-alike."""

    kind = ""

    def _classes(self) -> None:
        getattr(self, "_" + self.kind.split(" on one")[0].split(" with")[0].replace(" ", "_"))()

    def _put(self, who: Any, minute: Any, prompt: Any) -> None:
        who, minute, prompt = np.broadcast_arrays(who, minute, prompt)
        self._blocks.append(tuple(np.array(one, dtype=np.int64).ravel() for one in (who, minute, prompt)))  # type: ignore[arg-type]

    def _days(self, *weekdays: int) -> list[int]:
        return [day for day in range(self._recipe.clean, self._whole) if (day + 6) % 7 in weekdays]

    def _group(self, size: int) -> Any:
        self._alike.append(self._some(size))
        return self._alike[-1]

    def _lessons(self, minutes: int = 15) -> None:
        for course in range(3):
            pupils = self._group(26)
            for week, day in enumerate(self._days(course)):
                for task in range(8):
                    there = pupils[self._rng.random(26) < 0.9]
                    start = day * 1440 + (9 + course) * 60 + 5 * task
                    when = start + self._rng.integers(0, minutes, size=len(there))
                    self._put(there, when, PROMPT + 10_000 * course + 100 * week + task)
            if "network" in self.kind:
                self._network[pupils] = 10_000_000 + course

    def _homework(self) -> None:
        self._lessons(240)

    def _nightly_suite(self) -> None:
        every = self._group(12)
        for place, one in enumerate(every):
            hour = 60 * (1 + place // 4)
            for day in range(self._recipe.clean, self._whole):
                steps = np.arange(150)
                self._put(one, day * 1440 + hour + steps // 8 + self._rng.integers(0, 2, size=150), PROMPT + steps)

    def _suite_on_push(self) -> None:
        every = self._group(12)
        for _ in range(15):
            start = int(self._rng.integers(self._recipe.clean * 1440, self._whole * 1440 - 60))
            steps = np.arange(150)
            for one in every:
                self._put(one, start + steps // 8 + self._rng.integers(0, 4, size=150), PROMPT + steps)

    def _agency(self) -> None:
        every = self._group(12)
        for day in self._days(0, 1, 2, 3, 4):
            count = int(self._rng.poisson(60))
            when = day * 1440 + 480 + self._rng.integers(0, 540, size=count)
            self._put(self._rng.choice(every, size=count), when, PROMPT + self._rng.integers(0, 300, size=count))
        if "card" in self.kind:
            self._payment[every] = 10_000_000

    def _retry_storms(self) -> None:
        every = self._group(18)
        for one in every:
            who = np.full(40, one)
            times = self._times(who, self._recipe.clean, self._whole)
            self._put(who, times, PROMPT + self._rng.integers(0, 200, size=40))
        for _ in range(6):
            day = int(self._rng.integers(self._recipe.clean, self._whole))
            start = day * 1440 + int(self._rng.integers(600, 1080))
            for one in every[self._rng.random(18) < 0.6]:
                self._put(one, start + self._rng.integers(0, 20, 10), PROMPT + self._rng.integers(0, 200, 10))

    def _branches(self) -> None:
        for day in self._days(0, 1, 2, 3, 4):
            every = self._alike[-1] if self._alike else self._group(15)
            for one in every:
                macros = self._rng.choice(60, size=4, replace=False)
                self._put(one, day * 1440 + 540 + self._rng.integers(0, 45, size=4), PROMPT + macros)

    def _hackathon(self) -> None:
        day = self._days(5)[1]
        for one in self._group(40):
            when = day * 1440 + 540 + self._rng.integers(0, 36 * 60, size=30)
            self._put(one, when, PROMPT + self._rng.integers(0, 80, size=30))


def examined(kind: str, seed: int) -> dict[str, Any]:
    """Scan one world."""
    recipe = worlds.Recipe(accounts=400, look_alikes=("classes",))
    maker = Maker(recipe, stream(seed, "strangers", kind))
    maker.kind = kind
    world = maker.world()
    case = case_of(recipe, world.release)
    with duckdb.connect(config={"threads": "1"}) as db:
        db.register("events", world.events)
        tables.declare(db, case, ())
        made = tables.make(db, case)
        found = scan.Scan(case, made, lambda ids: tables.slots(db, case, ids)[0], 1, lambda _: None).run()
    alike = {f"{one:016x}" for group in world.alike for one in group.tolist()}
    members = [one.account for group in found.groups for one in group.accounts]
    layers = [(layer.name, layer.p, layer.note) for group in found.groups for layer in group.layers]
    return {"kind": kind, "seed": seed, "verdict": found.opinion.verdict, "members": len(members),
            "of the group": sum(one in alike for one in members), "layers": layers,
            "tied by": sorted({one for group in found.groups for one in group.tied_by})}  # fmt: skip


def main() -> None:
    """Run the worlds and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=910_000)
    parser.add_argument("--only", default="")
    said = parser.parse_args()
    kinds = said.only.split(",") if said.only else list(KINDS)
    by_kind: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for seed in range(said.seed, said.seed + said.worlds):
        for kind in kinds:
            by_kind[kind].append(examined(kind, seed))
            print(json.dumps(by_kind[kind][-1]), flush=True)
    print("| group | worlds | no group | shared prompts | `indication` | by |\n|---|---|---|---|---|---|")
    for kind, every in by_kind.items():
        count = Counter(one["verdict"] for one in every)
        by = Counter(name for one in every for name in one["tied by"])
        ties = ", ".join(f"{name} {n}" for name, n in sorted(by.items())) or "-"
        print(f"| {kind}: {KINDS[kind]} | {len(every)} | {count['no group found']} | "
              f"{count['shared prompts, concert not shown']} | {count['indication']} | {ties} |")  # fmt: skip


if __name__ == "__main__":
    main()
