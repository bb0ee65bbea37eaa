"""TOML to a plan: who is screened against whom, on which half of the prompts; strict as a case file is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from depose.answers.line_ends import evened
from depose.case import casefile, population, written
from depose.case.population import Member, Population
from depose.case.representatives import in_turn
from depose.case.tables import Row
from depose.case.tables import read as read_table
from depose.endpoints.recorded import Recorded
from depose.errors import CaseError
from depose.model import Ask, Budget, CaseHead, ModelSpec, Price, Question, Record, Text, WeightsHeld
from depose.model.file_names import problem_of_models, unfit_for_case
from depose.model.natural_order import natural
from depose.model.random_streams import stream

FEWEST_PROMPTS = 20
"""Half of them are screened on; no labelled scores exist for fewer than ten prompts."""
HINT = "the batch format: depose batch --help"
Names = Annotated[tuple[Text, ...], Meta(min_length=1)]


class Screening(Record, frozen=True, kw_only=True):
    """How cells are judged."""

    questions: Annotated[tuple[Question, ...], Meta(min_length=1)] = ("same", "derived", "distilled")
    """What each cell is screened for."""
    alpha: Annotated[float, Meta(gt=0, le=0.2)] = 0.05
    """A hit needs a p-value of its own controls of at most this."""
    fdr: Annotated[float, Meta(gt=0, le=0.5)] = 0.1
    """A cell is a hit if its local false-discovery rate is at most this, and its p-value at most `alpha`."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)] = 7
    """Decides which half of the prompts is screened on, and which control stands for a lineage of several."""
    labelled: Text = "alpaca_eval"
    """Scores of pairs of known relation: a bundled name, or a `screening.json` that depose validate wrote."""
    prompts: str = ""
    """File of all prompts; needed with [[models]]."""


class Data(Record, frozen=True, kw_only=True):
    """A folder of the lineage benchmark; names may be patterns such as `*` or `gpt-*`."""

    folder: Text
    """The folder, read from that of the batch file."""
    source: Text
    """Which source of answers in it."""
    suspects: Names
    """Names or patterns."""
    references: Names
    """Names or patterns."""
    controls: Names
    """Names or patterns; each cell takes one of every lineage that is clean for it."""


class Asking(Record, frozen=True, kw_only=True):
    """How live models are asked, as in the protocol of a case."""

    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.7
    """Of every model that names none of its own."""
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)] = 200
    """Length of an answer at most."""


class BatchFile(Record, frozen=True, kw_only=True):
    """A whole batch file: its models stand in [data], or in [[models]] as in a case."""

    batch: CaseHead
    """What the batch is called, and on what right its models are asked."""
    screening: Screening = Screening()
    """How cells are judged."""
    asking: Asking = Asking()
    """How live models are asked."""
    budget: Budget = Budget()
    """Of the screening, and again of the case of each hit."""
    prices: dict[str, Price] = {}
    """One [prices.CODE] for each model that is asked and costs."""
    data: Data | None = None
    """A folder of the lineage benchmark, instead of [[models]]."""
    models: Annotated[tuple[ModelSpec, ...], Meta(max_length=100_000)] = ()
    """One [[models]] for each, as in a case; its role is suspect, reference or control."""
    weights: WeightsHeld | None = None
    """Compare the weights of each suspect and reference that are held, as in a case."""


class Plan(Record, frozen=True, kw_only=True):
    """What a batch file comes to."""

    file: BatchFile
    folder: str
    """Where relative names start."""
    population: Population
    """Every model, on every prompt."""
    suspects: tuple[str, ...]
    references: tuple[str, ...]
    controls: tuple[str, ...]
    """In the order in which the seed draws representatives of a lineage, whoever lists them in whatever order."""
    clusters: dict[str, str]
    """Of each prompt, where its table names one."""
    screened: tuple[int, ...]
    """Rows of the prompts that are screened on."""
    fresh: tuple[int, ...]
    """Rows of the other half, which is not looked at before a hit is confirmed."""
    log: str = ""
    """Head of the log of the models that were asked; nothing where all answers stand in files."""


def live(file: BatchFile) -> tuple[ModelSpec, ...]:
    """List the models that are asked: those without a file of answers."""
    return tuple(spec for spec in file.models if not spec.file)


def read(path: Path) -> Plan:
    """Read a batch file, its models and their answers."""
    return plan(_parsed(path), path)


def _parsed(path: Path) -> BatchFile:
    text = written.taken(written.text_of(path, HINT), str(path), path.parent)
    found = written.converted(text, BatchFile, HINT)
    if problem := _problem(found):
        raise text.wrong(*problem)
    return found


def _problem(file: BatchFile) -> tuple[str, str] | None:
    """Find the first thing wrong with a well-typed batch file: (message, hint)."""
    if not file.batch.authority.strip():
        return "$.batch.authority: blank", "say on what right the models are asked"
    if len(set(file.screening.questions)) != len(file.screening.questions):
        return "$.screening.questions: one of them stands twice", "name each once"
    if "exposed" in file.screening.questions:
        hint = "a case of its own, with a [lineup]: depose lineup --help; it takes any number of suspects"
        return "$.screening.questions: 'exposed' needs answers that were delivered, not controls", hint
    if (file.data is None) == (not file.models):
        return "$: models stand in [data] or in [[models]], in one of the two", HINT
    if file.data is not None and "\0" in file.data.folder:
        return "$.data: holds a NUL, which no file name can", "name a folder"
    if file.data is not None and ("/" in file.data.source or unfit_for_case(file.data.source)):
        return "$.data.source: not the name of a source", "as in responses-SOURCE.parquet"
    if problem := problem_of_models(file.models, file.screening.prompts, "$.screening.prompts"):
        return problem
    if file.data is not None:
        if file.screening.prompts:
            return "$.screening.prompts: [data] has its own prompts", "leave it out"
        bare = BatchFile(batch=file.batch)
        spare = [name for name in ("asking", "budget", "prices") if getattr(file, name) != getattr(bare, name)]
        return (f"$.{spare[0]}: nobody is asked: [data] holds all answers", "leave it out") if spare else None
    if not file.screening.prompts:
        return "$.screening.prompts: missing", "name a table of the prompts that all models answered"
    seen: set[str] = set()
    for index, spec in enumerate(file.models):
        where = f"$.models[{index}]"
        if spec.code.lower() in seen:
            return f"{where}.code: {spec.code!r} stands twice", "give each model its own code"
        seen.add(spec.code.lower())
        if spec.role not in ("suspect", "reference", "control"):
            return f"{where}.role: {spec.role!r} has no place in a batch", "suspect, reference or control"
        if not spec.file and spec.provider == "recorded":
            return f"{where}.file: missing", "name the file of its answers, or a provider that can be asked"
        if not (spec.developer and spec.weight_lineage and spec.data_lineage):
            return f"{where}: developer, weight_lineage or data_lineage is missing", "controls are chosen by lineage"
    asked = {spec.code for spec in live(file)}
    for code in file.prices:
        if code not in asked:
            return (
                f"$.prices.{code}: no model that is asked has this code",
                f"asked: {', '.join(sorted(asked)) or 'none'}",
            )
    if file.budget.money is not None and not file.prices:
        return "$.budget.money: a limit in money needs [prices]", "add [prices.CODE] input = ... output = ..."
    for role in ("suspect", "reference", "control"):
        if role not in {spec.role for spec in file.models}:
            return f"$.models: no model has the role {role!r}", "a matrix needs suspects, references and controls"
    return casefile.bad_models(file.models)


def plan(file: BatchFile, path: Path) -> Plan:
    """Find the models and their answers, and split the prompts by the seed; `path` is that of the batch file."""
    folder = path.parent
    if file.data is not None:
        clusters: dict[str, str] = {}
        made = population.read((folder / file.data.folder).resolve(), file.data.source)
        names = [one.name for one in made.members]
        roles = {
            role: _matching(getattr(file.data, role), names, f"$.data.{role}")
            for role in ("suspects", "references", "controls")
        }
    else:
        table = casefile.resolve(folder, file.screening.prompts, "$.screening.prompts", path.name)
        asked = _prompts(table)
        made = _population(file, path, table.name, asked)
        clusters = {key: row.cluster for key, row in asked.items()}
        roles = {f"{role}s": _with_role(file, role) for role in ("suspect", "reference", "control")}
    prompts = sorted({prompt for prompt, _ in made.rows})
    if len(prompts) < FEWEST_PROMPTS:
        raise CaseError(
            f"{len(prompts)} prompts; a batch needs {FEWEST_PROMPTS}, half of them fresh for confirmation",
            hint="ask more prompts",
        )
    first = _first_half(made, clusters, file.screening.seed)
    rows = range(len(made.rows))
    return Plan(
        file=file,
        folder=str(folder),
        population=made,
        suspects=tuple(sorted(roles["suspects"], key=natural)),
        references=tuple(sorted(roles["references"], key=natural)),
        controls=in_turn(roles["controls"], f"seed {file.screening.seed}"),
        clusters=clusters,
        screened=tuple(row for row in rows if made.rows[row][0] in first),
        fresh=tuple(row for row in rows if made.rows[row][0] not in first),
    )


def _first_half(population: Population, clusters: Mapping[str, str], seed: int) -> set[str]:
    """Draw the prompts that are screened on; those of one cluster, or of the same words, never stand in both halves."""
    texts = {prompt: text for (prompt, _), text in zip(population.rows, population.prompts, strict=True)}
    together: dict[str, list[str]] = {}
    for prompt in sorted(texts):
        together.setdefault(clusters.get(prompt) or " ".join(texts[prompt].casefold().split()), []).append(prompt)
    groups, half = list(together.values()), (len(texts) + 1) // 2
    first: set[str] = set()
    for place in stream(seed, "halves").permutation(len(groups)):
        if len(first) + len(groups[place]) // 2 < half:
            first.update(groups[place])
    if min(len(first), len(texts) - len(first)) < FEWEST_PROMPTS // 4:
        raise CaseError(
            f"{len(texts)} prompts in {len(groups)} clusters cannot be split in halves: {len(first)} to screen on",
            hint="ask prompts of more clusters; those of one are not independent",
        )
    return first


def _with_role(file: BatchFile, role: str) -> tuple[str, ...]:
    return tuple(spec.code for spec in file.models if spec.role == role)


def _matching(patterns: Sequence[str], names: Sequence[str], where: str) -> tuple[str, ...]:
    """Names that match a pattern, in their own order; a pattern that matches nothing is an error."""
    for index, pattern in enumerate(patterns):
        if not any(fnmatchcase(name, pattern) for name in names):
            raise CaseError(
                f"{where}[{index}]: no model is called {pattern!r}", hint=f"models: {', '.join(names[:20])}"
            )
    return tuple(name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns))


def _population(file: BatchFile, path: Path, source: str, prompts: Mapping[str, Row]) -> Population:
    """Put the models of a batch file and their recorded answers together."""
    asks = [
        Ask(
            model="", prompt=key, sample=0, replicate=0, text=row.prompt, system="", temperature=0, max_tokens=1, seed=0
        )
        for key, row in sorted(prompts.items())
    ]
    columns: list[list[str | None]] = []
    for index, spec in enumerate(file.models):
        if not spec.file:
            columns.append([None] * len(asks))
            continue
        answers = casefile.resolve(path.parent, spec.file, f"$.models[{index}].file", path.name)
        replies = Recorded(answers, spec.model).ask(asks)
        columns.append([evened(reply.text) if reply.outcome == "answered" else None for reply in replies])
    return Population(
        source=source,
        members=tuple(map(_member, file.models)),
        pairs=(),
        tasks=(),
        rows=tuple((ask.prompt, 0) for ask in asks),
        prompts=tuple(evened(ask.text) for ask in asks),
        answers=tuple(zip(*columns, strict=True)),
        families=tuple(sorted({row.family or "listed" for row in prompts.values()})),
    )


def _prompts(table: Path) -> dict[str, Row]:
    """Read the prompts by id, or by their words where they have none; one id stands for one text."""
    found: dict[str, Row] = {}
    for row in read_table(table, answers=False):
        if row.prompt.strip() and found.setdefault(row.id or row.prompt, row).prompt != row.prompt:
            raise CaseError(f"{table}: row {row.line}: another prompt has the id {row.id!r} too", hint="one id each")
    return found


def _member(spec: ModelSpec) -> Member:
    return Member(
        name=spec.code,
        family=spec.data_lineage,
        developer=spec.developer,
        weight_lineage=spec.weight_lineage,
        data_lineage=spec.data_lineage,
        trained_on=spec.trained_on,
        hub=False,
        released=spec.released,
    )
