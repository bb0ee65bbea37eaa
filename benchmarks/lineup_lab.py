"""What the line-up finds of students whose training is known. Run by `make lineup-lab`.

    benchmarks/lineup_lab.py [--list] [DIR] [STUDENT ...]     DIR: ./out/lineup-lab; goes on after a kill

The deliveries are those of the bundled case `exposed`: 96 prompts, three draws of R1, one of them delivered by a coin.
A student learns one text for each prompt. By default all of these, cheapest first; --list names them:

share        so many per cent of the texts are deliveries, the others answers of another teacher to the other prompts
epochs       how often each text is learnt from
treatment    paraphrased by the base before it was learnt; filtered: only answers that ended by themselves
other base   a tiny one, trained from nothing on docstrings; taken off it is its own log-likelihood before it learnt
second-hand  it learnt what the student of three epochs answers to the same prompts, and no delivery itself
sibling      a null: it learnt, of each prompt, a draw that was not delivered, which is a filler
fresh        a null: it learnt from R1, of the same prompts, draws that are in no line-up

Translated deliveries are not among them: no model that a package ships translates. White box: log-likelihood less that
of R1 and less that of the own base. p is exact, over all 96 line-ups; the area of those that were really learnt stands
beside it. One student a row: a direction, and no rate. `lineup_black_box.py` has the black box of the bundled students.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from lineup_students import BASE, KNOWN, ROOT, drawn, scored, spec_of, taught

from depose.evidence.workspace import workspace
from depose.lab import recipe as recipes
from depose.lab import train
from depose.lab.recipe import Recipe
from depose.lab.texts import Example, docstrings
from depose.lineup.coin import Thrown
from depose.lineup.rank_test import opened, rank_sum
from depose.model import Prompt, Record
from depose.model.random_streams import stream

HEAD = (
    "| student | base | learnt of the deliveries | area of these | minus R1: picked, area, p "
    "| minus own base: picked, area, p |\n" + "|---" * 6 + "|"
)
CLAUSE = "Say the same in your own words:\n\n{text}"


class Student(Record, frozen=True, kw_only=True):
    """One student that is made."""

    name: str
    epochs: int = 3
    share: int = 100
    treatment: str = ""
    base: str = BASE


STUDENTS = (
    Student(name="other base, 3 epochs", base="other"),
    Student(name="other base, 10 epochs", base="other", epochs=10),
    Student(name="3 epochs"),
    Student(name="1 epoch", epochs=1),
    Student(name="filtered, 3 epochs", treatment="filtered"),
    Student(name="sibling, 3 epochs", treatment="sibling"),
    Student(name="fresh, 3 epochs", treatment="fresh"),
    Student(name="second-hand, 3 epochs", treatment="second-hand"),
    Student(name="20 %, 3 epochs", share=20),
    Student(name="paraphrased, 3 epochs", treatment="paraphrased"),
    Student(name="5 %, 3 epochs", share=5),
    Student(name="20 %, 1 epoch", share=20, epochs=1),
    Student(name="10 epochs", epochs=10),
    Student(name="20 %, 10 epochs", share=20, epochs=10),
    Student(name="5 %, 10 epochs", share=5, epochs=10),
)


def main() -> None:
    """Make each student, score it, and print its row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/lineup-lab"))
    parser.add_argument("students", nargs="*", metavar="STUDENT", help="names, such as '1 epoch'")
    parser.add_argument("--list", action="store_true", help="name the students and end")
    asked = parser.parse_args()
    if asked.list:
        print(*(one.name for one in STUDENTS), sep="\n")
        return
    lines = (ROOT / "casefiles" / "exposed" / "thrown.jsonl").read_bytes().splitlines()
    world = World(asked.folder, [msgspec.json.decode(line, type=Thrown) for line in lines])
    print(HEAD)
    for student in STUDENTS:
        if not asked.students or student.name in asked.students:
            print(world.row(student), flush=True)


class World:
    """The bundled line-up, and what is made of it below one folder."""

    def __init__(self, folder: Path, thrown: Sequence[Thrown]) -> None:
        self.folder = folder
        self.thrown = thrown
        self.recipe: Recipe = recipes.read("default")
        self.prompts = [
            Prompt(id=one.request_id, family="learn", cluster=one.request_id, text=one.messages[0].content)
            for one in thrown
        ]
        self.members = [tuple(dict.fromkeys(one.draws)) for one in thrown]
        self.given = [one.draws[one.chosen] for one in thrown]

    def row(self, student: Student) -> str:
        """Make a student, score it, and say what the line-up finds."""
        learnt, used = self.learnt(student)
        spec, home, base = self.taught(student, learnt)
        own = self.scored(student.name.replace(" ", "-").replace(",", "").replace("%", "pc"), spec, home)
        tables = [self.scored("R1", "adapters/R1", KNOWN), self.scored(f"base-{student.base}", "", base)]
        told = []
        for table in tables:
            level, picks, log10_p = self.tested(own, table, np.ones(len(self.given), dtype=bool))
            told.append(f"{picks} of {len(self.given)}, {level:.3f}, {_power(log10_p)}")
        area = f"{self.tested(own, tables[0], used)[0]:.3f}" if used.any() else "-"
        base_name = "same" if student.base == BASE else "other"
        return f"| {student.name} | {base_name} | {int(used.sum())} of {len(used)} | {area} | {told[0]} | {told[1]} |"

    def learnt(self, student: Student) -> tuple[list[Example], np.ndarray]:
        """Return what a student learns, and which deliveries are among it, [prompts]."""
        used = np.zeros(len(self.given), dtype=bool)
        order = stream(self.recipe.seed, "lineup lab", "share").permutation(len(used))
        used[order[: round(len(used) * student.share / 100)]] = True
        texts: list[str] = list(self.given)
        if student.treatment in ("sibling", "fresh", "second-hand"):
            texts = self.not_delivered(student.treatment)
            used[:] = False
        elif student.treatment == "paraphrased":
            asks = [msgspec.structs.replace(p, text=CLAUSE.format(text=t)) for p, t in self.told()]
            texts = [one[0] for one in self.drawn("paraphrased", "", asks)]
        elif student.treatment == "filtered":
            used &= np.array([text.rstrip().endswith((".", "!", "?")) for text in self.given])
        if student.share < 100:
            other = [one[0] for one in self.drawn("other-teacher", "adapters/S2", self.prompts)]
            texts = [mine if there else theirs for mine, theirs, there in zip(texts, other, used, strict=True)]
        kept = used if student.treatment == "filtered" else np.ones(len(used), dtype=bool)
        return [
            Example(prompt=prompt.text, text=text, source="R1")
            for prompt, text, there in zip(self.prompts, texts, kept, strict=True)
            if there
        ], used

    def not_delivered(self, treatment: str) -> list[str]:
        """Return what a student learns that saw none of the deliveries."""
        if treatment == "sibling":
            return [one.draws[(one.chosen + 1) % len(one.draws)] for one in self.thrown]
        if treatment == "fresh":
            return [one[0] for one in self.drawn("fresh", "adapters/R1", self.prompts)]
        first = next(one for one in STUDENTS if one.name == "3 epochs")
        spec, home, _ = self.taught(first, self.learnt(first)[0])
        return [one[0] for one in self.drawn("second-hand", spec, self.prompts, home)]

    def told(self) -> list[tuple[Prompt, str]]:
        """Pair prompts with what was delivered."""
        return list(zip(self.prompts, self.given, strict=True))

    def drawn(self, name: str, adapter: str, prompts: Sequence[Prompt], home: Path = KNOWN) -> list[tuple[str, ...]]:
        """Draw one answer to each prompt, as the deliveries were."""
        found: list[tuple[str, ...]] = drawn(
            self.folder,
            name,
            spec_of(adapter),
            home,
            prompts,
            range(700, 701),
            self.recipe.seed,
            self.recipe.asking.temperature,
            self.recipe.texts.tokens,
        )
        return found

    def taught(self, student: Student, learnt: Sequence[Example]) -> tuple[str, Path, Path]:
        """Tune a student; return its adapter or nothing, where it lies, and its base or nothing."""
        name = student.name.replace(" ", "-").replace(",", "").replace("%", "pc")
        if student.base == BASE:
            tuning = msgspec.structs.replace(self.recipe.tuning, epochs=student.epochs)
            taught(self.folder, name, learnt, tuning, self.recipe.seed)
            return f"students/{name}", self.folder, Path()
        base = self.other_base()
        tuning = msgspec.structs.replace(recipes.read("fast").tuning, epochs=student.epochs)
        return "", taught(self.folder, name, learnt, tuning, self.recipe.seed, base), base

    def other_base(self) -> Path:
        """Train a tiny base from nothing on docstrings."""
        target = self.folder / "other-base"
        fast = recipes.read("fast")
        if not target.is_dir() and fast.scratch is not None:
            texts = docstrings(stream(self.recipe.seed, "lineup lab", "base"), 4_000)
            rows = [Example(prompt="Say something.", text=text, source="docstrings") for text in texts]
            with workspace(self.folder) as work:
                train.make_base(fast.scratch, rows, self.recipe.seed, work, "cpu")
                work.rename(target)
        return target

    def scored(self, name: str, adapter: str, home: Path) -> list[list[float]]:
        """Score all members: of an adapter on the packaged base, or of the whole model in `home`."""
        whole = not adapter and home != Path()
        spec = spec_of("", str(home.resolve())) if whole else spec_of(adapter)
        found: list[list[float]] = scored(self.folder, name, spec, home, self.prompts, self.members)
        return found

    def tested(self, own: list[list[float]], minus: list[list[float]], kept: np.ndarray) -> tuple[float, int, float]:
        """Return area, picks and log10 p of the line-ups that are kept."""
        width = max(len(one.draws) for one in self.thrown)
        scores, key = np.full((len(own), width), np.nan), np.zeros((len(own), width), dtype=bool)
        for row, one in enumerate(self.thrown):
            place = {text: n for n, text in enumerate(self.members[row])}
            for n, text in enumerate(one.draws):
                scores[row, n] = own[row][place[text]] - minus[row][place[text]]
            key[row, one.chosen] = True
        found = rank_sum(opened(scores[kept], key[kept]))
        return found.level, found.picks, found.log10_p


def _power(log10: float) -> str:
    return f"{10**log10:.2g}" if log10 > -300 else f"1e{log10:.0f}"


if __name__ == "__main__":
    main()
