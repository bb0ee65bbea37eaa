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
import pyarrow as pa
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
    "one client": "30 customers of one framework: its 60 prompts, at hours of their own, under its name as client",
    "app template": "25 bots made of one template of 40 prompts, each a job at an hour of its own, under one client",
    "news feed": "20 bots that do not know of each other ask about the same news as it comes, 12 a day, in ten minutes",
    "daily puzzle": "40 accounts ask about the puzzle that comes out each day at one hour, most in the first hour",
    "load test": "two firms of six keys each test their load on one day, with 120 prompts of their own",
    "queue after an outage": "30 customers of one framework; what ten outages held back goes out within three minutes",
    "another time zone": "25 accounts of one country share a list of 200 prompts, at its office hours, with a holiday",
    "plugin": "20 translators with one plugin and one client: segments of 15 manuals that all of them work on",
    "daily job": "25 accounts run a job at nine sharp each day, one of 30 prompts of a blog",
    "six-hourly job": "25 accounts run a job at 0, 6, 12 and 18 sharp, one of 30 prompts of a blog",
    "news desks": "40 accounts follow four of 30 fields each, and ask about the news of these within ten minutes",
    "one country": "25 of 60 accounts behind five networks of one country's carriers share a list of 200 prompts",
    "one country unsaid": "the same, in a log that says no countries",
    "market moves": "25 trading bots of one source ask about a stock of 100 when it moves, 30 moves a day, at once",
    "matches": "40 fans ask an app's 60 prompts within four minutes of goals and cards, two matches a week",
    "webhooks": "18 bots of one template ask at each push to a common upstream, 15 a day, in three minutes",
    "starter on one host": "25 bots of one starter behind four networks of their host, as are 30 other accounts",
    "dormitory": "60 residents of two dormitories behind two networks, of whom 25 share the tasks of one course",
    "marathon": "30 people do a challenge's task of the day, at hours of their own, and five of 90 tips",
    "webinar": "40 people paste the ten prompts that a speaker shows, once a week, as they are shown",
}


class Maker(worlds._Maker):
    """A world with one such group, in the place of a look-alike."""

    kind = ""
    client: Any = None
    """Who names itself as one client."""
    country: Any = None
    """Who is in a country of their own."""

    def _table(self, who: Any, ts: Any, prompt: Any, release: Any) -> Any:
        table = super()._table(who, ts, prompt, release)
        if self.country is not None:
            inside = set() if "unsaid" in self.kind else set(self.country.tolist())
            said = None if "unsaid" in self.kind else "DE"
            place = pa.array([("PT" if one in inside else said) for one in who.tolist()], pa.string())
            table = table.set_column(table.column_names.index("country"), "country", place)
        if self.client is None:
            return table
        named = np.where(np.isin(who, self.client), np.uint64(12_345), table["agent"].to_numpy())
        return table.set_column(table.column_names.index("agent"), "agent", [named])

    def _classes(self) -> None:
        getattr(self, "_" + self.kind.split(" on one")[0].split(" with")[0].replace(" ", "_").replace("-", "_"))()

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

    def _human(self, every: Any, each: int, prompts: int) -> None:
        who = np.repeat(every, each)
        times = self._times(who, self._recipe.clean, self._whole)
        self._put(who, times, PROMPT + self._rng.integers(0, prompts, size=len(who)))

    def _one_client(self) -> None:
        self.client = self._group(30)
        self._human(self.client, 40, 60)

    def _app_template(self) -> None:
        self.client = self._group(25)
        for one in self.client:
            minute = 60 * int(self._rng.integers(0, 24)) + 15 * int(self._rng.integers(0, 4))
            for day in range(self._recipe.clean, self._whole):
                steps = self._rng.choice(40, size=3, replace=False)
                self._put(one, day * 1440 + minute + self._rng.integers(0, 2, size=3), PROMPT + steps)

    def _news_feed(self) -> None:
        every = self._group(20)
        for day in range(self._recipe.clean, self._whole):
            for place, minute in enumerate(self._rng.integers(300, 1430, size=int(self._rng.poisson(12)))):
                there = every[self._rng.random(20) < 0.6]
                when = day * 1440 + minute + self._rng.integers(0, 10, size=len(there))
                self._put(there, when, PROMPT + 100 * day + place)

    def _daily_puzzle(self) -> None:
        every = self._group(40)
        for day in range(self._recipe.clean, self._whole):
            there = every[self._rng.random(40) < 0.7]
            late = np.minimum(self._rng.exponential(45, size=len(there)), 900).astype(np.int64)
            self._put(there, day * 1440 + 300 + late, PROMPT + day)
            self._put(there, day * 1440 + 300 + late + self._rng.integers(1, 9, size=len(there)), PROMPT + 100 + day)

    def _load_test(self) -> None:
        for firm in range(2):
            every = self._group(6)
            start = (self._recipe.clean + int(self._rng.integers(2, 20))) * 1440 + int(self._rng.integers(480, 1080))
            for one in every:
                steps = self._rng.choice(120, size=400)
                self._put(one, start + self._rng.integers(0, 30, size=400), PROMPT + 1_000 * firm + steps)

    def _queue_after_an_outage(self) -> None:
        every = self._group(30)
        self._human(every, 40, 200)
        for _ in range(10):
            start = int(self._rng.integers(self._recipe.clean, self._whole)) * 1440 + int(self._rng.integers(480, 1200))
            for one in every[self._rng.random(30) < 0.7]:
                self._put(one, start + self._rng.integers(0, 3, 6), PROMPT + self._rng.integers(0, 200, 6))

    def _another_time_zone(self) -> None:
        every = self._group(25)
        holiday = self._days(2)[1]
        for day in self._days(0, 1, 2, 3, 4):
            for one in every if day != holiday else ():
                when = self._rng.integers(0, 540, size=3)
                self._put(one, day * 1440 + when, PROMPT + self._rng.integers(0, 200, size=3))

    def _plugin(self) -> None:
        self.client = self._group(20)
        for day in self._days(0, 1, 2, 3, 4):
            for one in self.client:
                manual = int(self._rng.integers(0, 15))
                when = day * 1440 + 480 + self._rng.integers(0, 540, size=8)
                self._put(one, when, PROMPT + 100 * manual + self._rng.integers(0, 40, size=8))

    def _daily_job(self) -> None:
        every = self._group(25)
        for day in range(self._recipe.clean, self._whole):
            for one in every:
                self._put(one, day * 1440 + 540 + self._rng.integers(0, 2, 2), PROMPT + self._rng.integers(0, 30, 2))

    def _six_hourly_job(self) -> None:
        every = self._group(25)
        for day in range(self._recipe.clean, self._whole):
            for hour in (0, 360, 720, 1080):
                when = day * 1440 + hour + self._rng.integers(0, 2, size=25)
                self._put(every, when, PROMPT + self._rng.integers(0, 30, size=25))

    def _news_desks(self) -> None:
        every = self._group(40)
        follows = np.argsort(self._rng.random((40, 30)), axis=1)[:, :4]
        for day in range(self._recipe.clean, self._whole):
            for place, minute in enumerate(self._rng.integers(300, 1430, size=20)):
                there = every[(follows == self._rng.integers(0, 30)).any(axis=1) & (self._rng.random(40) < 0.7)]
                when = day * 1440 + minute + self._rng.integers(0, 10, size=len(there))
                self._put(there, when, PROMPT + 100 * day + place)

    def _one_country(self) -> None:
        self.country = self._some(60)
        self._network[self.country] = 10_000_000 + self._rng.integers(0, 5, size=60)
        self._alike.append(self.country[:25])
        self._human(self._alike[-1], 40, 200)

    def _one_country_unsaid(self) -> None:
        self._one_country()

    def _reacting(self, every: Any, moments: Any, prompts: Any, within: int, share: float) -> None:
        """Let each of them ask the prompt of a moment soon after it, or not."""
        for moment, prompt in zip(moments, prompts, strict=True):
            there = every[self._rng.random(len(every)) < share]
            self._put(there, moment + self._rng.integers(0, within, size=len(there)), PROMPT + prompt)

    def _market_moves(self) -> None:
        every = self._group(25)
        for day in self._days(0, 1, 2, 3, 4):
            moments = day * 1440 + self._rng.integers(870, 1260, size=30)
            self._reacting(every, moments, self._rng.integers(0, 100, size=30), 1, 0.4)

    def _matches(self) -> None:
        every = self._group(40)
        for day in self._days(2, 6):
            moments = day * 1440 + 1140 + np.sort(self._rng.integers(0, 115, size=12))
            self._reacting(every, moments, self._rng.integers(0, 60, size=12), 4, 0.4)

    def _webhooks(self) -> None:
        every = self._group(18)
        for day in range(self._recipe.clean, self._whole):
            moments = day * 1440 + np.clip(self._rng.normal(900, 240, size=15), 0, 1430).astype(np.int64)
            self._reacting(every, moments, self._rng.integers(0, 40, size=15), 3, 0.7)

    def _starter(self) -> None:
        every = self._some(55)
        self._network[every] = 10_000_000 + self._rng.integers(0, 4, size=55)
        self._alike.append(every[:25])
        self._human(self._alike[-1], 40, 60)

    def _dormitory(self) -> None:
        every = self._some(60)
        self._network[every] = 10_000_000 + self._rng.integers(0, 2, size=60)
        self._alike.append(every[:25])
        for day in self._days(1, 3):
            for task in range(6):
                there = self._alike[-1][self._rng.random(25) < 0.8]
                when = day * 1440 + 960 + self._rng.integers(0, 420, size=len(there))
                self._put(there, when, PROMPT + 100 * day + task)

    def _marathon(self) -> None:
        every = self._group(30)
        for day in range(self._recipe.clean, self._whole):
            there = every[self._rng.random(30) < 0.8]
            hours = np.clip(self._rng.normal(self._centre[there], 2.5), 0, 23.9) * 60
            self._put(there, day * 1440 + hours.astype(np.int64), PROMPT + day)
        self._human(every, 5, 90)

    def _webinar(self) -> None:
        every = self._group(40)
        for week, day in enumerate(self._days(3)):
            there = every[self._rng.random(40) < 0.8]
            for place in range(10):
                start = day * 1440 + 960 + 6 * place
                keen = there[self._rng.random(len(there)) < 0.8]
                self._put(keen, start + self._rng.integers(0, 5, size=len(keen)), PROMPT + 100 * week + place)


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
