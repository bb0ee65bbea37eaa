"""Is this installation fit for use? Known samples, judged by the code that judges a case.

The kit (`depose/kit`) holds recorded answers of the laboratory's models, whose truth is known because they were trained
there: a student of the reference (positive), a student of another teacher (negative), the untuned base (blank) and a
student of another teacher in the layout of the reference (foil). The answers of every sample are checked against
digests first. Two models, the reference and its student, are then asked live, and must be closer to their own recorded
answers than to those of anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import msgspec
import numpy as np

from depose.analysis.analyze import analyze
from depose.answers.line_ends import evened
from depose.case import calibration
from depose.case.population import Population
from depose.case.population import read as read_population
from depose.detectors.phrases import phrases
from depose.endpoints.local import open_transformers
from depose.errors import CaseError, DeposeError, ModelFileError
from depose.features.extract import Bag, Features
from depose.model import (
    Ask,
    Case,
    CaseHead,
    ControlTest,
    Dossier,
    Fact,
    ModelSpec,
    Primary,
    Prompt,
    Protocol,
    Record,
    Registration,
    SelfTest,
    Transcript,
)
from depose.model.canonical import digest
from depose.statistics.centring import score

KIT = "kit.json"
SOURCE = "lab"
PROMPTS = 50
LIVE = 12
"""Prompts that a live sample is asked."""
TRAINED = "2026-11"
"""When the models of the kit were trained."""
DETECTORS = (*Primary().detectors(), "length")
FOUND = ("indication", "relation, kind not resolved")
"""A positive is found where it is told from unrelated models; whether its kind is resolved is the study's affair."""
NOT_FOUND = ("no indication", "inconclusive (power)")
"""A negative is not found where p is above alpha; whether the study's power is known well enough is its own affair."""
Say = Callable[[str], None]


class Kit(Record, frozen=True, kw_only=True):
    """The roles of a kit and the digest of the answers of every model in it."""

    format: str
    reference: str
    samples: dict[str, str]
    """positive, negative, blank, foil: the model that plays each."""
    live: dict[str, str]
    """Model to folder of its adapter in the bundled case `distilled`."""
    base: str
    seed: int
    max_tokens: int
    temperature: float
    answers: dict[str, str]
    """Model to digest of its answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Samples:
    """A kit, read."""

    kit: Kit
    population: Population
    prompts: tuple[Prompt, ...]

    def answers(self, model: str) -> dict[str, str]:
        """Return the answers of one model by prompt."""
        place = next(n for n, one in enumerate(self.population.members) if one.name == model)
        return {
            prompt: row[place] or ""
            for (prompt, _), row in zip(self.population.rows, self.population.answers, strict=True)
        }


def selftest(folder: Path | None, say: Say, *, live: bool = True) -> SelfTest:
    """Run every test of the kit, the bundled one or that of a folder; what fails is said in the record.

    Raises CaseError where the kit cannot be read at all.
    """
    if folder is None:
        with as_file(files("depose.kit")) as bundled:
            return _run(bundled, say, live)
    return _run(folder, say, live)


def answers_digest(answers: Mapping[str, str]) -> str:
    """Digest of one model's answers by prompt, as they are compared."""
    return digest(dict(answers))


def _run(folder: Path, say: Say, live: bool) -> SelfTest:
    try:
        kit = msgspec.json.decode((folder / KIT).read_bytes(), type=Kit)
    except (OSError, msgspec.MsgspecError) as error:
        raise CaseError(
            f"{folder}: no kit: {error}", hint="install depose again, or name the folder of a kit"
        ) from error
    population = read_population(folder, SOURCE)
    samples = _Samples(kit=kit, population=population, prompts=_first(population))
    tests = _whole(samples)
    absent = {kit.reference, *kit.samples.values(), *kit.live} - {one.name for one in population.members}
    if absent:
        found = f"not in {folder}: {', '.join(sorted(absent))}"
        tests.append(ControlTest(name="recorded samples", expected="there", found=found, passed=False))
    else:
        tests += _judged(samples, say)
    if live and not absent:
        tests += [_asked(samples, model, adapter, say) for model, adapter in kit.live.items()]
    return SelfTest(
        software=version("depose"),
        kit=digest(kit),
        tests=tuple(tests),
        passed=all(one.passed for one in tests),
    )


def _first(population: Population) -> tuple[Prompt, ...]:
    """Take the prompts of the kit, the families in turn, so that each has its share."""
    texts = {prompt: text for (prompt, _), text in zip(population.rows, population.prompts, strict=True)}
    queues: dict[str, list[str]] = {}
    for name in sorted(texts):
        queues.setdefault(name.rpartition("-")[0].rpartition("-")[0], []).append(name)
    turns = [name for turn in zip(*queues.values(), strict=False) for name in turn]
    return tuple(
        Prompt(
            id=name,
            family=name.rpartition("-")[0].rpartition("-")[0],
            cluster=name.rpartition("-")[0],
            text=texts[name],
        )
        for name in turns[:PROMPTS]
    )


# --- are the samples the right ones? ------------------------------------------------------------------


def _whole(samples: _Samples) -> list[ControlTest]:
    """Check the answers of every sample and of the controls against the digests of the kit."""
    kit = samples.kit
    role = {model: name for name, model in kit.samples.items()} | {kit.reference: "reference"}
    found = {"kit": [], **{name: [] for name in (*kit.samples, "reference", "controls")}}  # type: ignore[var-annotated]
    present = {one.name for one in samples.population.members}
    for model, pinned in kit.answers.items():
        name = role.get(model, "controls")
        if model not in present:
            found[name].append(f"{model} is missing")
        elif answers_digest(samples.answers(model)) != pinned:
            found[name].append(f"the answers of {model} are not those of the kit")
    found["kit"] += [f"{name} does not belong to it" for name in sorted(present - set(kit.answers))]
    return [
        ControlTest(name=f"{name}: answers", expected="unchanged", found="; ".join(bad) or "unchanged", passed=not bad)
        for name, bad in found.items()
    ]


# --- are they judged as they should be? ---------------------------------------------------------------


def _judged(samples: _Samples, say: Say) -> list[ControlTest]:
    """Judge the recorded samples as a case would."""
    kit = samples.kit
    try:
        loaded = calibration.load(SOURCE, Path())
        findings = analyze(_dossier(samples), Features(), say, loaded).findings
    except DeposeError as error:
        return [ControlTest(name="recorded samples", expected="judged", found=str(error), passed=False)]
    opinion = {one.suspect: one.opinion for one in findings.findings}
    tests = []
    for name in kit.samples:
        expected = FOUND if name == "positive" else NOT_FOUND
        said = opinion[name]
        found = said.verdict + (f" ({', '.join(said.reasons)})" if said.reasons else "")
        tests.append(
            ControlTest(
                name=f"{name} control",
                expected=" or ".join(expected),
                found=found,
                passed=said.verdict in expected or found in expected,
            )
        )
    return tests


def _dossier(samples: _Samples) -> Dossier:
    """Put the samples into a case whose truth is known; its own self-test is taken as passed."""
    kit, members = samples.kit, {one.name: one for one in samples.population.members}
    base = members[kit.reference].weight_lineage
    suspects = [
        ModelSpec(
            code=name,
            role="suspect",
            provider="recorded",
            weight_lineage=base,
            developer=f"maker of {name}",
            released=TRAINED,
        )
        for name in kit.samples
    ]
    lineages = [one for one in samples.population.members if one.hub and one.name != kit.reference]
    controls = [msgspec.structs.replace(one.spec(), trained_on=(), released=TRAINED) for one in lineages]
    reference = msgspec.structs.replace(
        members[kit.reference].spec(),
        role="reference",
        replicates=1,
        untaught="manifest.json",
        source="the laboratory's manifest",
        released=TRAINED,
    )
    case = Case(
        case=CaseHead(title="self-test", authority="models of our own"),
        protocol=Protocol(
            questions=("distilled",),
            detectors=DETECTORS,
            calibration=SOURCE,
            prompts="kit",
            samples=1,
            bootstrap=499,
        ),
        models=(*suspects, reference, *controls),
    )
    named = {**kit.samples, **{spec.code: spec.code for spec in (reference, *controls)}}
    transcripts = tuple(
        Transcript(model=code, prompt=prompt.id, sample=0, replicate=0, text=answers[prompt.id])
        for code, model in named.items()
        for answers in (samples.answers(model),)
        for prompt in samples.prompts
        if answers.get(prompt.id, "").strip()
    )
    software = version("depose")
    return Dossier(
        registration=Registration(
            case=case, prompts=samples.prompts, files=(), software=(Fact(name="depose", value=software),)
        ),
        protocol_digest="",
        head="",
        registered_at="",
        first_asked="",
        last_asked="",
        transcripts=transcripts,
        unanswered=(),
        endpoints={},
        selftest=SelfTest(software=software, kit="", tests=(), passed=True),
    )


# --- does a live model answer as it did? --------------------------------------------------------------


def _asked(samples: _Samples, model: str, adapter: str, say: Say) -> ControlTest:
    """Ask a model of the kit live: nobody's recorded answers may be closer to its answers than its own."""
    name, expected = f"{model} asked live", "closest to its own recorded answers"
    say(f"asking {model} {LIVE} questions")
    try:
        with as_file(files("depose.casefiles")) as cases:
            texts = _live(samples, model, str(cases / "distilled" / "adapters" / adapter))
    except ModelFileError as error:
        return ControlTest(name=name, expected=expected, found=f"not asked: {error}", passed=False)
    except DeposeError as error:
        return ControlTest(name=name, expected=expected, found=str(error), passed=False)
    others = [one.name for one in samples.population.members if one.hub and one.name != model]
    bag = (model, *others)
    kept = {one: samples.answers(one) for one in bag}
    prompts = samples.prompts[:LIVE]
    measured = phrases(
        Bag(
            models=("live", *bag),
            prompts=prompts,
            answers=tuple(
                ((text,), *((kept[one][prompt.id],) for one in bag))
                for prompt, text in zip(prompts, texts, strict=True)
            ),
        ),
        Features(),
    )
    t = score(measured).t[0, 1:]
    nearest = bag[int(np.argmax(t))]
    return ControlTest(
        name=name,
        expected=expected,
        found=f"closest to {nearest}: T {t.max():z.2f}; own {t[0]:z.2f}",
        passed=nearest == model,
    )


def _live(samples: _Samples, model: str, adapter: str) -> list[str]:
    kit = samples.kit
    spec = ModelSpec(code="live", role="control", provider="transformers", model=kit.base, adapter=adapter)
    asks = [
        Ask(
            model=f"selftest {model}",
            prompt=prompt.id,
            sample=0,
            replicate=0,
            text=prompt.text,
            system="",
            temperature=kit.temperature,
            max_tokens=kit.max_tokens,
            seed=kit.seed,
        )
        for prompt in samples.prompts[:LIVE]
    ]
    return [evened(reply.text) for reply in open_transformers(spec, Path()).ask(asks)]
