"""Ask models of the laboratory every family of prompts; `same/lab_power.py` reads the answers.

    python benchmarks/same/lab_bank.py OUT [--llmmap queries.json] [--families ...] [--lineages reporter almanac ...]

Lineages are those whose adapters ship with the case `distilled`, unless others are named; with each stands one student
that learnt from its answers and from nothing else, and the student of `detective`. Adapters that do not ship are made
here as the recipe `default` says, but for TEXTS. Every step is one file, written whole: what is there is not made
again, so that a stop costs one step. Each family has as many prompts, samples and tokens as cost 384 tokens of answers
of a model at most; of a long answer the first tokens are drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bank import CASE, WARM, answers
from msgspec.structs import replace

from depose import plugins
from depose.endpoints.local import _load, place
from depose.endpoints.weights import find, opened
from depose.evidence.log import write_whole
from depose.features import packaged
from depose.lab import recipe, texts, train
from depose.lab.export import pure
from depose.lab.recipe import Part, Planned, Recipe, Texts
from depose.model import ModelSpec, Prompt
from depose.model.random_streams import stream

SHIPPED = {"reporter": "R1", "almanac": "L1", "butler": "L2", "coach": "L3", "dose-100": "S1", "other": "S2"}
"""Models of the laboratory whose adapters are those of the bundled case, by name."""
ASKED = {"forced_choice": (16, 4, 6), "tie_break": (12, 8, 4), "long_tail": (8, 4, 12), "llmmap": (8, 3, 16)}
"""Prompts, samples and tokens of a family; of any other that `depose list probes` names, LONG."""
LONG = (12, 2, 16)
TEXTS = Texts(prompts=64, tokens=48)
"""What a model learns that is made here, in three rounds: the steps of those that ship, at two thirds of the cost."""
Model = tuple[Any, Any, tuple[int, ...]]


def asked(llmmap: Path | None, seed: int) -> dict[str, list[tuple[str, str]]]:
    """List id and text of the prompts of each family."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(plugins.names("probes")):
        drawn = plugins.load("probes", name)(ASKED.get(name, LONG)[0], stream(seed, "lab bank", name))
        found[name] = [(one.id, one.text) for one in drawn]
    if llmmap is not None:
        queries = json.loads(llmmap.read_text("utf-8"))[: ASKED["llmmap"][0]]
        found["llmmap"] = [(f"llmmap-{at:02d}", text) for at, text in enumerate(queries)]
    return found


def planned(made: Recipe, lineages: Sequence[str]) -> list[Planned]:
    """List the lineages, one pure student of each, and the student that ships of another."""
    plan = recipe.line_up(made)
    students = {one.parts[0].teacher: one for one in reversed(plan) if pure(one)}
    own = [one for one in plan if one.name in lineages]
    taught = [students.get(one.name) or student(one.name) for one in own]
    others = [one for one in students.values() if one.name in SHIPPED and one not in taught]
    # What ships comes first: it costs no training.
    return sorted([*own, *taught, *others], key=lambda one: one.name not in SHIPPED)


def student(teacher: str) -> Planned:
    """Plan a student of a lineage that has none in the recipe."""
    return Planned(name=f"{teacher}-a", material="answers", parts=(Part(teacher=teacher, percent=100),))


class Lab:
    """The models of a laboratory in a folder, made where they are not there."""

    def __init__(self, made: Recipe, out: Path) -> None:
        self.made, self.out, self.dtype = made, out, place()[1]

    def spec(self, name: str) -> ModelSpec:
        """Describe a model as one of a case; the base has no name."""
        adapter = str(self.folder(name)) if name else ""
        return ModelSpec(
            code=name or "base", role="control", provider="transformers", model=self.made.base, adapter=adapter
        )

    def folder(self, name: str) -> Path:
        """Return where the adapter of a model is, or will be."""
        ships = SHIPPED.get(name)
        return (CASE / "adapters" / ships if ships else self.out / "models" / name).resolve()

    def load(self, name: str) -> Model:
        """Load a model, its adapter merged."""
        with opened(find(self.spec(name), self.out, self.dtype)) as shown:
            one = _load(shown.folder, shown.adapter, "cpu", self.dtype)
        return (one.model.merge_and_unload() if name else one.model).eval(), one.tokenizer, one.ends

    def learnt_from(self, name: str, teacher: str, asked: Sequence[Prompt]) -> list[str]:
        """Let a teacher, or the base, answer once to each prompt that a model learns from."""
        file = self.out / f"learn-{name}.json"
        if not file.is_file():
            seed = int(stream(self.made.seed, "lab bank", "learn", name).integers(2**31))
            texts_of = [prompt.text for prompt in asked]
            said = answers(*self.load(teacher), texts_of, 1, self.made.texts.tokens, WARM, "", seed)
            write_whole(file, json.dumps([one for (one,) in said]).encode())
        found: list[str] = json.loads(file.read_text("utf-8"))
        return found

    def tuned(self, one: Planned) -> None:
        """Tune a model, unless it is there."""
        target = self.folder(one.name)
        if target.is_dir():
            return
        prompts = texts.drawn(self.made, one.name)
        teacher = one.parts[0].teacher if one.student else ""
        said = list(zip(prompts, self.learnt_from(one.name, teacher, prompts), strict=True))
        examples = (
            texts.from_teachers(self.made, one, {teacher: said})
            if teacher
            else texts.in_house_style(self.made, one, said)
        )
        began = time.monotonic()
        work = target.with_name(f".{one.name}.{os.getpid()}.tmp")
        shutil.rmtree(work, ignore_errors=True)
        base = Path(find(self.spec(""), self.out, "bfloat16").folder)
        seed = int(stream(self.made.seed, "lab bank", "weights", one.name).integers(2**31))
        told = train.tune(base, examples, self.made.tuning, seed, work, "cpu")
        work.rename(target)
        spent = time.monotonic() - began
        print(
            f"{one.name}: learnt {len(examples)} answers in {spent:.0f} s, loss {told.losses[0]} to {told.losses[-1]}"
        )
        sys.stdout.flush()


def main() -> int:
    """Make and ask what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lineages", nargs="*", default=["reporter", "almanac", "butler", "coach"])
    parser.add_argument("--llmmap", type=Path, help="queries of LLMmap (confs/queries/default.json)")
    parser.add_argument("--families", nargs="*", help="only these, and in this order")
    given = parser.parse_args()
    packaged.settle_libraries()
    made = recipe.read("default")
    made = replace(made, texts=TEXTS, tuning=replace(made.tuning, epochs=3))
    lab, plan = Lab(made, given.out), planned(made, given.lineages)
    (given.out / "models").mkdir(parents=True, exist_ok=True)
    prompts = asked(given.llmmap, made.seed)
    prompts = {name: prompts[name] for name in given.families or prompts}
    for number, one in enumerate(plan):
        lab.tuned(one)
        files = {name: given.out / f"{name}-{one.name}.json" for name in prompts}
        missing = [name for name in prompts if not files[name].is_file()]
        if not missing:
            continue
        began = time.monotonic()
        model = lab.load(one.name)
        for name in missing:
            _, samples, length = ASKED.get(name, LONG)
            said = answers(*model, [text for _, text in prompts[name]], samples, length, WARM, "", 10_000 + number)
            row = {
                "family": name,
                "model": one.name,
                "lineage": one.parts[0].teacher if one.student else one.name,
                "teacher": one.parts[0].teacher if one.student else "",
                "prompts": prompts[name],
                "answers": said,
                "tokens": [[len(model[1](text)["input_ids"]) for text in some] for some in said],
            }
            write_whole(files[name], json.dumps(row, ensure_ascii=False).encode())
        print(f"{one.name}: {len(missing)} families in {time.monotonic() - began:.0f} s")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
