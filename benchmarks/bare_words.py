"""What the rule on bare words stops, and costs, on an English and a Japanese population: `make bare-words-study`.

    python benchmarks/bare_words.py [--data ../shared/data] [--modern ../shared/data-modern] [--pairs 2]
        [--prompts 60] [--seed 5] [--out out/bare-words]

First table: documented strangers whose hosts dress their answers alike (`dressed_alike.py`), so many pairs of each
population, each model in one of them. Counted by each detector that decides: pairs with p at most .05, at equal length
and equal layout too, and how many of these still have it without bare words. Second table: true pairs, and documented
strangers as they are, that p calls beside 19 clean control lineages or more, and how many of them are called without
bare words too. All on the same prompts, drawn by the seed; a population with fewer has them all. Nothing is chosen
by what comes out. Results stand in a file of OUT for each state of code and data; a run that was killed goes on there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from dressed_alike import ENGLISH, JAPANESE, WAYS, Answer, Host
from numpy.typing import NDArray

import depose
from depose import plugins
from depose.answers.settle import compared_text
from depose.case.population import Pair, Population, read
from depose.detectors import layout, length
from depose.features.bare_words import Said, bare_words
from depose.features.compared import compared, question
from depose.features.extract import Bag, Features
from depose.model import Primary, Prompt
from depose.scoring.bags import Bags
from depose.scoring.confounds import confounds
from depose.scoring.engine import score_bag
from depose.statistics.centring import score
from depose.statistics.ranks import formed, model_level
from depose.statistics.sensitivity import matched
from depose.validate.scoring import prepare
from depose.validate.study import RELATION

ALPHA, NEEDED = 0.05, 19
WIDE = "wording"
DECIDING = Primary().detectors()
STRANGERS = "documented strangers"
Array = NDArray[np.float64]
Row = dict[str, Any]


@dataclass(kw_only=True)
class Store:
    """Rows of results, kept as they come."""

    path: Path
    rows: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what an earlier run left."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.is_file():
            for line in self.path.read_text("utf-8").splitlines():
                if line.endswith("}"):
                    row = json.loads(line)
                    self.rows[row["key"]] = row

    def keep(self, key: str, row: Row) -> Row:
        """Write a row down."""
        self.rows[key] = {"key": key, **row}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.rows[key]) + "\n")
        return self.rows[key]


class Case:
    """A population on some of its prompts, and bags of it."""

    def __init__(self, folder: Path, source: str, host: Host, prompts: int, seed: int) -> None:
        whole = read(folder, source)
        self.rng = np.random.default_rng(seed)
        rows = sorted(self.rng.permutation(len(whole.rows))[:prompts].tolist())
        self.name, self.host = source, host
        self.population: Population = whole.cut(rows)
        self.pairs = whole.pairs
        self.bags = Bags(whole)
        self.prompts = tuple(
            Prompt(id=f"{name}/{sample}", family=kind, cluster=name, text=question(text))
            for (name, sample), text, kind in zip(
                self.population.rows, self.population.prompts, self.population.kinds, strict=True
            )
        )
        self._features, self._said = Features(), dict[str, Said]()
        self._seen: dict[int, list[str | None]] = {}
        self._habits: dict[int, Array] = {}
        self._detect = plugins.load("detectors", WIDE)

    def members(self, pair: Pair) -> list[int]:
        """Number suspect, reference and their clean controls; nothing where these are too few for an opinion."""
        controls = self.bags.controls(pair.suspect, pair.reference)
        if controls.k_eff < NEEDED and not (pair.relation == RELATION["distilled"] and len(controls.used) >= NEEDED):
            return []
        return [self.bags.index[name] for name in (pair.suspect, pair.reference, *(one.code for one in controls.used))]

    def said(self, member: int) -> list[str | None]:
        """Return what detectors see of a model's answers."""
        if member not in self._seen:
            texts = [row[member] for row in self.population.answers]
            self._seen[member] = [None if text is None else compared(text) for text in texts]
        return self._seen[member]

    def bag(self, members: Sequence[int], ends: Sequence[list[str | None]] = ()) -> Bag:
        """Make a bag; the first two members say something else, where it is given."""
        columns = [*ends, *(self.said(member) for member in members[len(ends) :])]
        return Bag(
            models=tuple(self.population.members[member].name for member in members),
            prompts=self.prompts,
            answers=tuple(tuple(() if text is None else (text,) for text in row) for row in zip(*columns, strict=True)),
        )

    def dressed(self, member: int, way: str) -> list[str | None]:
        """Dress a model's answers, and read them as answers are read."""
        made = []
        for prompt, row in zip(self.population.prompts, self.population.answers, strict=True):
            text = row[member]
            worn = None if text is None else WAYS[way](Answer(text=text, prompt=prompt, host=self.host))
            made.append((compared_text(worn) if worn else "") or None)
        return made

    def near(self, members: Sequence[int], ends: Sequence[list[str | None]]) -> tuple[Array, Array]:
        """Closeness in length and in layout of members of whom the first two say something else."""
        logs, habits = [], []
        for place, member in enumerate(members):
            if place < len(ends) or member not in self._habits:
                listed = ends[place] if place < len(ends) else [row[member] for row in self.population.answers]
                texts = [text for text in listed if text is not None]
                log = np.mean([length.log_length(len(text)) for text in texts])
                found = np.array([log, *layout.habit_of(texts)])
                if place >= len(ends):
                    self._habits[member] = found
            else:
                found = self._habits[member]
            logs.append(found[0])
            habits.append(found[1:])
        return length.nearness(np.array(logs)), layout.nearness(np.array(habits))

    def scored(self, bag: Bag) -> dict[str, Array]:
        """Score a bag by every detector that decides: `wording`, and the part of it that is `phrases`."""
        whole = self._detect(bag, self._features)
        return {WIDE: score(whole).t} | {one.detector: score(one).t for one in whole.parts if one.detector in DECIDING}

    def bare(self, bag: Bag) -> dict[str, float]:
        """Return p of every detector without bare words; 1 where a member has nothing left."""
        return {name: _p(t) for name, t in self.scored(bare_words(bag, self._said)).items()}


def _p(t: Array) -> float:
    return model_level(t).p if formed(t) else 1.0


def _worst(t: Array, near: Sequence[Array]) -> tuple[float, float]:
    """Return p, and the largest of p and of those at equal length and at equal layout."""
    if not formed(t):
        return 1.0, 1.0
    return _p(t), max(_p(t), *(matched(t, one).p for one in near))


def low(p: float) -> bool:
    """Tell whether p reaches alpha."""
    return p <= ALPHA + 1e-9


def strangers(case: Case, many: int) -> list[Pair]:
    """Draw documented strangers with controls enough, each model in one pair."""
    listed = [one for one in case.pairs if one.label == 0 and one.documented and one.relation == "unrelated"]
    chosen: list[Pair] = []
    for place in case.rng.permutation(len(listed)).tolist():
        one = listed[place]
        met = {name for pair in chosen for name in (pair.suspect, pair.reference)}
        if len(chosen) < many and not met & {one.suspect, one.reference} and case.members(one):
            chosen.append(one)
    return chosen


def dress(case: Case, store: Store, pairs: Sequence[Pair]) -> Iterator[Row]:
    """Dress each pair in each way."""
    for pair in pairs:
        for way in WAYS:
            key = f"{case.name} {way}: {pair.suspect} and {pair.reference}"
            if key not in store.rows:
                members = case.members(pair)
                raw = [case.dressed(member, way) for member in members[:2]]
                bag = case.bag(members, [[None if text is None else compared(text) for text in one] for one in raw])
                near = case.near(members, raw)
                before = {name: _worst(t, near)[1] for name, t in case.scored(bag).items()}
                after = case.bare(bag) if any(map(low, before.values())) else None
                store.keep(key, {"before": before, "after": after})
            yield {"way": way, **store.rows[key]}


def called(case: Case, store: Store) -> list[Row]:
    """Find the pairs that p calls by the detector of their question, true ones and documented strangers."""
    key = f"{case.name}: called"
    if key not in store.rows:
        population = case.population
        found, _ = prepare(population, DECIDING, 7, None, 1)
        one = replace(found, weights=found.weights[:1], profiles={n: p.first() for n, p in found.profiles.items()})
        near = confounds(population, one.weights)
        rows: list[Row] = []
        asked: dict[str, int] = {}
        for place, pair in enumerate(case.pairs):
            kinds = {RELATION[q]: q for q in RELATION} if pair.label == 1 else {"unrelated": STRANGERS}
            kind = kinds.get(pair.relation) if pair.label == 1 or (pair.label == 0 and pair.documented) else None
            members = case.members(pair) if kind else []
            if not kind or not members:
                continue
            t = score_bag(one, members)
            for name in DECIDING if kind == STRANGERS else (getattr(Primary(), kind),):
                title = f"{kind}, `{name}`"
                asked[title] = asked.get(title, 0) + 1
                p, worst = _worst(t[name][0], [close[0] for close in near.near(members)])
                if low(p):
                    rows.append({"pair": place, "title": title, "detector": name, "matched": low(worst)})
        store.keep(key, {"asked": asked, "called": rows})
    return [{"asked": store.rows[key]["asked"]}, *store.rows[key]["called"]]


def cost(case: Case, store: Store) -> Iterator[str]:
    """Write how many pairs are called, and how many of them without bare words."""
    head, *rows = called(case, store)
    for row in rows:
        pair = case.pairs[row["pair"]]
        key = f"{case.name}: {pair.suspect} and {pair.reference}, bare"
        if key not in store.rows:
            store.keep(key, {"p": case.bare(case.bag(case.members(pair)))})
        row["bare"] = low(store.rows[key]["p"][row["detector"]])
        row["named"] = f"{pair.suspect} and {pair.reference}"
    for title, many in sorted(head["asked"].items()):
        mine = [row for row in rows if row["title"] == title]
        even = [row for row in mine if row["matched"]]
        yield (
            f"| {case.name} | {title} | {many} | {len(mine)} | {sum(row['bare'] for row in mine)} "
            f"| {len(even)} | {sum(row['bare'] for row in even)} |"
        )
        lost = [row["named"] for row in even if not row["bare"]]
        if lost and STRANGERS not in title:
            _say(f"{case.name}, {title}, lost: {'; '.join(lost)}")


def by_way(found: dict[str, list[Row]], many: dict[str, int]) -> Iterator[str]:
    """Write the first table: ways that some pair fires in, then the sum of all."""
    columns = [(name, detector) for name in found for detector in DECIDING]
    yield (
        "| way | "
        + " | ".join(f"{name}, `{detector}`: called, without bare words" for name, detector in columns)
        + " |"
    )
    yield "|---" * (len(columns) + 1) + "|"
    totals = {column: [0, 0, 0, 0] for column in columns}
    for way in WAYS:
        cells = []
        for name, detector in columns:
            fired = [row for row in found[name] if row["way"] == way and low(row["before"][detector])]
            stay = sum(low(row["after"][detector]) for row in fired)
            cells.append((len(fired), stay))
            add = (len(fired), stay, bool(fired), bool(stay))
            totals[name, detector] = [a + b for a, b in zip(totals[name, detector], add, strict=True)]
        if any(fired for fired, _ in cells):
            yield f"| {way} | " + " | ".join(f"{fired}, {stay}" for fired, stay in cells) + " |"
    pairs = [f"{t[0]}, {t[1]} of {many[name] * len(WAYS)}" for (name, _), t in totals.items()]
    ways = [f"{t[2]}, {t[3]} of {len(WAYS)}" for t in totals.values()]
    yield f"| **all, pairs** | {' | '.join(pairs)} |"
    yield f"| **ways with a pair** | {' | '.join(ways)} |"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def state(prompts: int, seed: int) -> str:
    """Name the code and settings that results depend on."""
    root = Path(depose.__file__).parent
    listed = [
        file for part in ("answers", "detectors", "features", "statistics") for file in (root / part).rglob("*.py")
    ]
    listed.append(Path(__file__).with_name("dressed_alike.py"))
    made = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(listed))).hexdigest()[:12]
    return f"{made}-{prompts}-{seed}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--modern", type=Path, default=Path("../shared/data-modern"))
    parser.add_argument("--pairs", type=int, default=2, help="of each population, dressed in each way")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("out/bare-words"))
    options = parser.parse_args(arguments)
    began, store = time.monotonic(), Store(path=options.out / f"{state(options.prompts, options.seed)}.jsonl")
    drawn: dict[str, tuple[Case, list[Pair]]] = {}
    costs: list[str] = []
    for folder, source, host in (
        (options.data, "alpaca_eval", ENGLISH),
        (options.modern, "shaberi_w", JAPANESE),
    ):
        if not (folder / "lineage.csv").is_file():
            print(f"skipped: {folder} is not here; the study needs the lineage benchmark")
            continue
        case = Case(folder, source, host, options.prompts, options.seed)
        drawn[case.name] = case, strangers(case, options.pairs)
        costs += cost(case, store)
        _say(f"{source}: costs counted, {time.monotonic() - began:.0f} s")
        told = ", ".join(f"{one.suspect} and {one.reference}" for one in drawn[case.name][1])
        print(f"{source}: {len(case.prompts)} prompts; dressed alike: {told}")
    found: dict[str, list[Row]] = {name: [] for name in drawn}
    for place in range(options.pairs):
        for name, (case, pairs) in drawn.items():
            found[name] += dress(case, store, pairs[place : place + 1])
            _say(f"{name}: pair {place + 1} dressed, {time.monotonic() - began:.0f} s")
    many = {name: len(pairs) for name, (_, pairs) in drawn.items()}
    if not found:
        return 0
    print(f"\nstrangers dressed alike, p <= {ALPHA} also at equal length and layout")
    print(*by_way(found, many), sep="\n")
    print(f"\npairs with {NEEDED} clean control lineages; called: p <= {ALPHA}")
    print(
        "| population | pairs | tested | called | without bare words too "
        "| called at equal length and layout | without bare words too |\n|---|---|---|---|---|---|---|"
    )
    print(*costs, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
