"""Build a laboratory: tune every model of the line-up, ask it everything, write a labelled population and a manifest.

    DIR/base/                     a base from scratch, if the recipe has one
    DIR/models/NAME/              adapter or whole model
    DIR/records/NAME.json         how it was made
    DIR/texts/NAME.jsonl          what it learnt
    DIR/answers/NAME.jsonl        answers: of teachers, to learn from, and of every model to the probes
    DIR/{lineage,pairs,ranking,generation}.csv, responses-lab.parquet    the population (`depose validate` reads it)
    DIR/manifest.json             recipe, roles, digests, losses, seconds, software

Each step is written under a temporary name and renamed, so that a build that was killed goes on where it stopped.
Models are made side by side, each by one thread: a second one gains them little, and the order of its sums would
change the weights.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec

from depose.endpoints.local import Local, forget, place
from depose.endpoints.weights import find
from depose.errors import AnalysisError, CaseError, EndpointError
from depose.evidence.log import write_whole
from depose.evidence.workspace import workspace
from depose.features import packaged
from depose.features.workers import cores, pool
from depose.lab import export, texts, train
from depose.lab.export import Answered
from depose.lab.recipe import Planned, Recipe, Roles, generations, line_up, lineages, roles
from depose.lab.texts import Example
from depose.model import Ask, ModelSpec, Prompt, Record
from depose.model.canonical import canonical, sha256
from depose.model.random_streams import stream

FORMAT = "depose laboratory 1"
DOCSTRINGS = 6_000
"""Paragraphs that a base from scratch reads."""
FEWEST = 8
"""Answers that a model must have to learn from."""
BATCH = 96
"""Questions answered together; a model's answers do not depend on what else is in the batch beyond rounding."""
LIBRARIES = ("depose", "torch", "transformers", "peft", "numpy")
MOST = 8
"""Models that are made side by side at most: each takes 1.5 to 3 GB."""
AGAIN = 1
"""Replicate number under which every lineage answers the probes a second time."""
Say = Callable[[str], None]


class Made(Record, frozen=True, kw_only=True):
    """One model of a laboratory, as it was made."""

    planned: Planned
    files: dict[str, str]
    """Digest of every file of the model."""
    texts: str
    """Digest of the texts learnt."""
    examples: int
    tuned: train.Tuned
    seconds: float


class Manifest(Record, frozen=True, kw_only=True):
    """What stands in a laboratory and how it was made."""

    format: str
    recipe: Recipe
    roles: Roles
    software: dict[str, str]
    base: dict[str, str]
    models: tuple[Made, ...]
    answers: dict[str, str]
    """Digest of every file of answers."""
    population: dict[str, str]


def build(recipe: Recipe, out: Path, say: Say, workers: int | None = None) -> Manifest:
    """Make the laboratory of a recipe in `out`, or go on with one that was begun.

    On a CPU so many models are made side by side, else as many as there are cores; the result is the same.
    """
    _needs(recipe)
    out.mkdir(parents=True, exist_ok=True)
    _same_recipe(out, recipe)
    packaged.settle_libraries()
    side_by_side = workers or (min(cores(), MOST) if place()[0] == "cpu" else 1)
    laboratory = _Laboratory(recipe, out, say, side_by_side)
    manifest = laboratory.run()
    write_whole(out / "manifest.json", canonical(manifest))
    return manifest


def _needs(recipe: Recipe) -> None:
    if recipe.tuning.method == "lora":
        try:
            version("peft")
        except PackageNotFoundError as error:
            raise CaseError("lab: peft is not installed", hint="pip install 'depose[lab]'") from error


def _same_recipe(out: Path, recipe: Recipe) -> None:
    """Refuse to mix two recipes in one folder."""
    kept = out / "recipe.json"
    mine = canonical(recipe)
    if kept.is_file():
        if kept.read_bytes() != mine:
            raise CaseError(f"{out}: holds a laboratory of another recipe", hint="name another folder")
        return
    if any(out.iterdir()):
        raise CaseError(f"{out}: is not empty and holds no laboratory", hint="name a new folder")
    write_whole(kept, mine)


def _make(recipe: Recipe, out: Path, name: str, say: Say | None = None) -> list[str]:
    """Make one model, and return what there is to say where it was not said."""
    packaged.settle_libraries()
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2 if name == "base" else 1)  # a base from scratch is made alone
    said: list[str] = []
    try:
        _Laboratory(recipe, out, say or said.append, 1).make(name)
    finally:
        torch.set_num_threads(before)
        forget()
    return said


class _Laboratory:
    """One build."""

    def __init__(self, recipe: Recipe, out: Path, say: Say, workers: int) -> None:
        self.recipe, self.out, self.say, self.workers = recipe, out, say, workers
        self.heard = 0
        self.device, self.dtype = place()
        self.plan = line_up(recipe)
        self.probes = texts.probes(recipe)

    def run(self) -> Manifest:
        """Do every step that is not done, teachers before their students."""
        ranks = [["base"], *([one.name for one in generation] for generation in generations(self.plan))]
        if self.workers == 1:
            for name in (name for rank in ranks for name in rank):
                _make(self.recipe, self.out, name, lambda line: self.say(f"  {line}"))
                self._hear([])
        else:
            with pool(self.workers) as workers:
                try:
                    for rank in ranks:
                        for made in as_completed([workers.submit(_make, self.recipe, self.out, name) for name in rank]):
                            self._hear(made.result())
                except BaseException:
                    workers.shutdown(cancel_futures=True)
                    raise
        names = ("base", *(planned.name for planned in self.plan))
        export.write(self.out, self.recipe, {name: self._asked(name) for name in names}, self.probes)
        return self._manifest()

    def _hear(self, lines: Sequence[str]) -> None:
        self.heard += 1
        self.say(f"{self.heard}/{len(self.plan) + 1} models")
        for line in lines:
            self.say(f"  {line}")

    def make(self, name: str) -> None:
        """Make one model of the line-up, or the base, and ask it the probes, as far as that is not done."""
        if name == "base":
            self._base()
        else:
            planned = next(one for one in self.plan if one.name == name)
            self.say(f"{name}: {_described(planned)}")
            self._tuned(planned)
        self._asked(name)

    # --- models -------------------------------------------------------------------------------------

    def _spec(self, name: str) -> ModelSpec:
        """Describe a model of the laboratory as a model of a case."""
        folder = str((self.out / "models" / name).resolve())
        base = str((self.out / "base").resolve()) if self.recipe.scratch else self.recipe.base
        adapter = self.recipe.tuning.method == "lora" and name != "base"
        return ModelSpec(
            code=name,
            role="control",
            provider="transformers",
            model=base if adapter or name == "base" else folder,
            adapter=folder if adapter else "",
        )

    def _base(self) -> Path:
        """Return the folder of the base, making it first where it is trained from nothing."""
        scratch = self.recipe.scratch
        if scratch is None:
            return Path(find(self._spec("base"), self.out, "bfloat16").folder)
        target = self.out / "base"
        if not target.is_dir():
            self.say("base: training from nothing on docstrings of the standard library")
            rng = stream(self.recipe.seed, "lab", "docstrings")
            pool = texts.pool()
            examples = [
                Example(prompt=pool[place % len(pool)].text, text=text, source="standard library")
                for place, text in enumerate(texts.docstrings(rng, DOCSTRINGS))
            ]
            self._step(target, lambda work: train.make_base(scratch, examples, self._seed("base"), work, self.device))
        return target

    def _seed(self, name: str) -> int:
        return int(stream(self.recipe.seed, "lab", "weights", name).integers(2**31))

    def _tuned(self, planned: Planned) -> None:
        """Tune one model, unless it is there."""
        record = self.out / "records" / f"{planned.name}.json"
        target = self.out / "models" / planned.name
        if record.is_file():
            return
        shutil.rmtree(target, ignore_errors=True)  # made, but its record was not written
        examples = self._examples(planned)
        if len(examples) < FEWEST:
            raise AnalysisError(
                f"lab: {planned.name} has {len(examples)} answers to learn from; {FEWEST} are needed",
                hint="more prompts or tokens in [texts], or a base that says more",
            )
        lines = b"".join(canonical(example) + b"\n" for example in examples)
        write_whole(_folder(self.out / "texts") / f"{planned.name}.jsonl", lines)
        base, seed = self._base(), self._seed(planned.name)
        tuned, seconds = self._step(
            target, lambda work: train.tune(base, examples, self.recipe.tuning, seed, work, self.device)
        )
        self.say(f"  learnt {len(examples)} answers in {seconds:.0f} s, loss {tuned.losses[0]} to {tuned.losses[-1]}")
        made = Made(
            planned=planned,
            files=_digests(target),
            texts=sha256(lines),
            examples=len(examples),
            tuned=tuned,
            seconds=seconds,
        )
        write_whole(_folder(self.out / "records") / f"{planned.name}.json", canonical(made))

    def _step(self, target: Path, make: Callable[[Path], train.Tuned]) -> tuple[train.Tuned, float]:
        """Make a folder under a temporary name and rename it."""
        start = time.monotonic()
        with workspace(target.parent) as work:
            tuned = make(work)
            work.rename(target)
        return tuned, round(time.monotonic() - start, 1)

    # --- what they learn ----------------------------------------------------------------------------

    def _examples(self, planned: Planned) -> tuple[Example, ...]:
        if not planned.student:
            return texts.in_house_style(self.recipe, planned, self._plain(planned))
        series = planned.name.startswith("dose-")
        prompts = texts.drawn(self.recipe, "doses" if series else planned.name)
        replicate = 0 if series else 1 + self.plan.index(planned)
        asked_of = {
            part.teacher: self._to_learn("doses" if series else planned.name, part.teacher, prompts, replicate)
            for part in planned.parts
        }
        if planned.material == "paraphrased":
            asked_of = {name: self._reworded(planned.name, asked) for name, asked in asked_of.items()}
        return texts.from_teachers(self.recipe, planned, asked_of)

    def _plain(self, planned: Planned) -> list[tuple[Prompt, str]]:
        """Find answers for a guide to rewrite: the base's own, or docstrings where the base is too small to answer."""
        prompts = texts.drawn(self.recipe, planned.name)
        if self.recipe.scratch is None:
            return self._to_learn(planned.name, "base", prompts, 0)
        found = texts.docstrings(stream(self.recipe.seed, "lab", "docstrings", planned.name), 3 * len(prompts))
        return [(prompt, " ".join(found[3 * place : 3 * place + 3])) for place, prompt in enumerate(prompts)]

    def _to_learn(
        self, group: str, teacher: str, prompts: Sequence[Prompt], replicate: int
    ) -> list[tuple[Prompt, str]]:
        asks = [self._ask(teacher if teacher != "base" else group, prompt, 0, replicate) for prompt in prompts]
        answered = self._answers(f"learn-{group}-of-{teacher}", teacher, asks, self.recipe.texts.tokens)
        return [(prompt, one.text) for prompt, one in zip(prompts, answered, strict=True)]

    def _reworded(self, group: str, asked: Sequence[tuple[Prompt, str]]) -> list[tuple[Prompt, str]]:
        """Let the base say answers in its own words."""
        tasks = [
            msgspec.structs.replace(prompt, text=f"Say the same in your own words:\n\n{text}") for prompt, text in asked
        ]
        reworded = self._to_learn(f"{group}-reworded", "base", tasks, 0)
        return [(prompt, text) for (prompt, _), (_, text) in zip(asked, reworded, strict=True)]

    # --- asking -------------------------------------------------------------------------------------

    def _ask(self, model: str, prompt: Prompt, sample: int, replicate: int) -> Ask:
        return Ask(
            model=model,
            prompt=prompt.id,
            sample=sample,
            replicate=replicate,
            text=prompt.text,
            system="",
            temperature=self.recipe.asking.temperature,
            max_tokens=self.recipe.asking.max_tokens,
            seed=self.recipe.seed,
        )

    def _asked(self, name: str) -> tuple[Answered, ...]:
        """Ask one model the probes: all once; lineages and the students of the study some of them several times.

        A lineage is asked all of them again: the same model at another time.
        """
        lineage = name in lineages(self.recipe)
        asks = [self._ask(name, prompt, 0, 0) for prompt in self.probes]
        if lineage or name.startswith("dose-") or name == "other":
            asks += [
                self._ask(name, prompt, sample, 0)
                for prompt in texts.repeated(self.probes)
                for sample in range(1, self.recipe.asking.samples)
            ]
        if lineage:
            asks += [self._ask(name, prompt, 0, AGAIN) for prompt in self.probes]
        return self._answers(f"probes-{name}", name, asks, self.recipe.asking.max_tokens)

    def _answers(self, file: str, model: str, asks: Sequence[Ask], tokens: int) -> tuple[Answered, ...]:
        """Read answers that are there, or ask for them and write them."""
        path = _folder(self.out / "answers") / f"{file}.jsonl"
        if not path.is_file():
            start = time.monotonic()
            spec = self._spec(model)
            endpoint = Local(spec, find(spec, self.out, self.dtype), self.device, self.dtype)
            endpoint.batch = BATCH
            replies = endpoint.ask([msgspec.structs.replace(ask, max_tokens=tokens) for ask in asks])
            bad = next((reply for reply in replies if reply.outcome == "failed"), None)
            if bad is not None:
                raise EndpointError(f"lab: {model} did not answer: {bad.reason}", hint="run it again")
            lines = [
                canonical(
                    Answered(
                        prompt=ask.prompt,
                        sample=ask.sample,
                        replicate=ask.replicate,
                        text=reply.text,
                        finish=reply.finish,
                    )
                )
                for ask, reply in zip(asks, replies, strict=True)
            ]
            write_whole(path, b"\n".join(lines) + b"\n")
            self.say(f"  {model} answered {len(asks)} questions in {time.monotonic() - start:.0f} s")
        return tuple(msgspec.json.decode(line, type=Answered) for line in path.read_bytes().splitlines())

    # --- the record ---------------------------------------------------------------------------------

    def _manifest(self) -> Manifest:
        made = [
            msgspec.json.decode((self.out / "records" / f"{planned.name}.json").read_bytes(), type=Made)
            for planned in self.plan
        ]
        return Manifest(
            format=FORMAT,
            recipe=self.recipe,
            roles=roles(self.recipe),
            software={name: version(name) for name in LIBRARIES},
            base=_digests(self._base()),
            models=tuple(made),
            answers=_digests(self.out / "answers"),
            population=_digests(self.out, ".csv", ".parquet"),
        )


def _described(planned: Planned) -> str:
    if not planned.student:
        return f"house style {planned.guide}"
    return f"{planned.material} of " + " and ".join(f"{part.teacher} ({part.percent} %)" for part in planned.parts)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _digests(folder: Path, *endings: str) -> dict[str, str]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return {path.name: packaged.file_digest(path) for path in files if not endings or path.suffix in endings}
