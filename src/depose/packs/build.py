"""A pack from what is there: a case with its log, a batch, or a folder of the lineage benchmark."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from depose.answers.settle import of_exchange
from depose.batch import plan as batches
from depose.case import calibration, casefile, packs, population
from depose.case.packs import MAY, PackAnswer, PackModel, Settings
from depose.case.places import explained
from depose.case.population import Population
from depose.case.protocol import registration
from depose.case.signatures import PrivateKey, fingerprint
from depose.custody.unsealed import follows
from depose.endpoints.recorded import open_recorded
from depose.errors import CaseError, UsageError
from depose.evidence import ledger
from depose.evidence.ledger import Entries
from depose.evidence.log import log_path, write_whole
from depose.features.refusal_words import language
from depose.model import Exchange, ModelSpec, Prompt, Protocol, Record, Registration, Role, setting
from depose.model.canonical import sha256

CONTROLS: tuple[Role, ...] = ("control",)
Answered = dict[str, dict[tuple[str, int], Exchange]]
"""Of each model, by prompt and sample."""
SEVERAL = 40
"""Answers of which the language is looked at, of each model."""


class Built(Record, frozen=True, kw_only=True):
    """A pack that was written."""

    path: str
    sha256: str
    size: int
    signer: str
    models: int
    prompts: int
    answers: int
    left_out: tuple[str, ...]
    """Models that are not in it, each with the reason."""


class Source(NamedTuple):
    """What a pack is made from."""

    made_from: str
    title: str
    authority: str
    settings: Settings
    prompts: tuple[Prompt, ...]
    models: tuple[tuple[PackModel, tuple[PackAnswer, ...]], ...]
    """Each control with its answers; count and digest are set when the pack is written."""
    left_out: tuple[str, ...]


class Label(NamedTuple):
    """What a pack is called."""

    name: str
    version: str
    title: str = ""
    authority: str = ""


def write(source: Source, label: Label, key: PrivateKey, path: Path | None, at: str) -> Built:
    """Write a signed pack to `path`, or under its usual name here; a file that is there is never written over."""
    given = [(one, answers) for one, answers in source.models if any(not answer.reason for answer in answers)]
    silent = [f"{one.spec.code}: it answered nothing" for one, _ in source.models if one not in [m for m, _ in given]]
    if not given:
        raise CaseError(f"{source.made_from}: no control with an answer", hint="a pack is made of answers of controls")
    models = [
        msgspec.structs.replace(one, answers=len(answers), sha256=packs.digest_of(answers)) for one, answers in given
    ]
    rows = [answer for _, answers in given for answer in answers]
    manifest = packs.manifest_of(
        models,
        name=label.name,
        version=label.version,
        title=label.title or source.title,
        authority=label.authority or source.authority,
        built=at,
        software=version("depose"),
        made_from=source.made_from,
        settings=source.settings,
        prompts=len(source.prompts),
        answers=len(rows),
        languages=_languages(answers for _, answers in given),
    )
    try:
        data = packs.written(manifest, source.prompts, rows, key)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"no such pack can be: {explained(str(error), packs.PackManifest, {})}",
            hint="NAME: a-z, 0-9, -; version: 1.2",
        ) from error
    goal = path or Path(f"{label.name}-{label.version}{packs.SUFFIX}")
    if goal.suffix != packs.SUFFIX:
        raise UsageError(f"{goal}: a pack is called NAME{packs.SUFFIX}", hint=f"--out {goal}{packs.SUFFIX}")
    if packs.named(goal.name) not in (None, (label.name, label.version)):
        raise UsageError(
            f"{goal}: is what another pack is called", hint=f"--out {label.name}-{label.version}{packs.SUFFIX}"
        )
    if goal.exists():
        raise UsageError(f"{goal}: is there already", hint="give the pack another --version")
    packs.contents(packs.parsed(data, str(goal)), str(goal))
    goal.parent.mkdir(parents=True, exist_ok=True)
    write_whole(goal, data)
    return Built(
        path=str(goal),
        sha256=sha256(data),
        size=len(data),
        signer=fingerprint(key.public_key()),
        models=len(models),
        prompts=len(source.prompts),
        answers=len(rows),
        left_out=(*source.left_out, *silent),
    )


def _languages(rows: Iterable[Sequence[PackAnswer]]) -> tuple[str, ...]:
    seen = Counter(language(one.text) for answers in rows for one in answers[:SEVERAL] if one.text)
    whole = sum(seen.values())
    return tuple(name for name, n in seen.most_common() if name != "-" and n >= 0.02 * whole)


# --- from a case ------------------------------------------------------------------------------------


def from_case(path: Path, roles: Collection[Role] = CONTROLS) -> Source:
    """Take the models of these roles from a case, as they answered; from its files before it is registered.

    Raises EvidenceError where an answer of its log does not follow from its raw bytes or its file.
    """
    folder = casefile.folder_of(path)
    if log_path(folder).is_file():
        unread = follows(folder)
        found = ledger.entries(folder)
        frozen, made_from, answered = found.registration, f"case, end of its log {found.head}", _last(found)
    else:
        unread, frozen = (), registration(casefile.read(folder), folder)
        made_from, answered = "files that a case names", _looked_up(frozen, folder)
    protocol = frozen.case.protocol
    chosen = [spec for spec in frozen.case.models if spec.role in roles]
    called = _called(chosen)
    models, left_out = [], [f"not checked: {one}" for one in unread]
    for spec in chosen:
        if spec.repeats or spec.code not in answered:
            left_out.append(f"{spec.code}: {f'repeats {spec.repeats}' if spec.repeats else 'was not asked'}")
            continue
        mine = sorted(answered[spec.code].values(), key=lambda one: (one.prompt, one.sample))
        entry = _of_case(spec, called[spec.code], mine, protocol)
        models.append((entry, tuple(_answer(one, entry.spec.model) for one in mine)))
    return Source(
        made_from=made_from,
        title=f"controls of: {frozen.case.case.title}",
        authority=frozen.case.case.authority,
        settings=Settings(
            temperature=protocol.temperature,
            max_tokens=protocol.max_tokens,
            samples=protocol.samples,
            calibration=protocol.calibration if protocol.calibration in calibration.bundled() else "",
        ),
        prompts=frozen.prompts,
        models=tuple(models),
        left_out=tuple(left_out),
    )


def _called(specs: Sequence[ModelSpec]) -> dict[str, str]:
    """Call each model by its name at the provider where no other has it, else by its code."""
    names = Counter(spec.model.lower() for spec in specs) + Counter(spec.code.lower() for spec in specs)
    alone = {spec.code: spec.model and names[spec.model.lower()] == 1 for spec in specs}
    return {spec.code: spec.model if alone[spec.code] else spec.code for spec in specs}


def _last(found: Entries) -> Answered:
    """Keep of each question of each model the answer that counts: the first run, and of its tries the last."""
    last: Answered = defaultdict(dict)
    for one in found.exchanges:
        if one.replicate == 0:
            last[one.model][one.prompt, one.sample] = one
    return last


def _looked_up(frozen: Registration, folder: Path) -> Answered:
    """Look the answers of recorded models up in the files that the case names."""
    found: Answered = {}
    for spec in frozen.case.models:
        if spec.provider != "recorded" or not spec.file:
            continue
        asks = [ask for ask in ledger.asks(frozen) if ask.model == spec.code and ask.replicate == 0]
        replies = open_recorded(spec, folder).ask(asks)
        found[spec.code] = {
            (ask.prompt, ask.sample): Exchange(
                **{name: getattr(ask, name) for name in ("model", "prompt", "sample", "replicate")},
                **{name: getattr(reply, name) for name in ("outcome", "text", "finish", "reason", "source", "status")},
                request="",
                response="",
                started="",
                ended="",
            )
            for ask, reply in zip(asks, replies, strict=True)
        }
    return found


def _of_case(spec: ModelSpec, called: str, mine: Sequence[Exchange], protocol: Protocol) -> PackModel:
    own = {name: setting(spec, protocol, name) for name in ("temperature", "max_tokens")}
    own = {name: value for name, value in own.items() if value != getattr(protocol, name)}
    live = spec.provider != "recorded"
    return _entry(
        msgspec.structs.replace(spec, **own),
        called,
        asked_as=spec.model or spec.code,
        provider=spec.provider,
        base_url=spec.base_url,
        first_asked=min((one.started for one in mine), default="") if live else "",
        last_asked=max((one.ended for one in mine), default="") if live else "",
    )


def _entry(spec: ModelSpec, called: str, **more: str) -> PackModel:
    """Describe a model as a recorded control of a pack."""
    kept = {name: getattr(spec, name) for name in MAY} | {"model": called}
    control = ModelSpec(code=spec.code, role="control", provider="recorded", **kept)
    return PackModel(spec=control, answers=0, sha256="", **more)


def _answer(one: Exchange, model: str) -> PackAnswer:
    """Write down an answer so that a case which reads it again settles it alike."""
    settled = of_exchange(one)
    row = PackAnswer(model=model, prompt=one.prompt, sample=one.sample, text="", finish=one.finish)
    if settled.outcome == "answered":
        return msgspec.structs.replace(row, text=settled.text)
    if settled.status == "refused":
        return msgspec.structs.replace(row, refusal=settled.text or settled.reason)
    if settled.outcome == "blocked":
        return msgspec.structs.replace(row, text=settled.text, guard=settled.reason or "blocked")
    return msgspec.structs.replace(row, reason=settled.reason or settled.status)


# --- from a population ------------------------------------------------------------------------------


def from_batch(path: Path) -> Source:
    """Take the controls of a batch file whose answers stand in files."""
    plan = batches.read(path)
    if batches.live(plan.file):
        raise UsageError(
            f"{path}: some of its models are asked", hint="run it, then: depose pack build NAME --case DIR/asked"
        )
    specs = {spec.code: spec for spec in plan.file.models}
    return _from_population(
        plan.population,
        plan.controls,
        specs,
        made_from=f"batch {plan.file.batch.title}",
        title=f"controls of: {plan.file.batch.title}",
        authority=plan.file.batch.authority,
        settings=Settings(temperature=plan.file.asking.temperature, max_tokens=plan.file.asking.max_tokens),
    )


def from_benchmark(folder: Path, source: str, settings: Settings, authority: str, *, hubs: bool = False) -> Source:
    """Take the models of a source of the lineage benchmark, all or the first-hand ones (hubs) alone."""
    known = population.sources(folder)
    if source not in known:
        raise UsageError(f"{folder}: no source {source!r}", hint=f"sources here: {', '.join(known) or 'none'}")
    made = population.read(folder, source)
    return _from_population(
        made,
        [one.name for one in made.members if one.hub or not hubs],
        {},
        made_from=f"source {source} of the lineage benchmark in {folder.name}",
        title=f"models of {source}",
        authority=authority,
        settings=settings,
    )


def _from_population(
    made: Population,
    names: Sequence[str],
    specs: Mapping[str, ModelSpec],
    *,
    made_from: str,
    title: str,
    authority: str,
    settings: Settings,
) -> Source:
    place = {one.name: index for index, one in enumerate(made.members)}
    samples = 1 + max(sample for _, sample in made.rows)
    prompts = {
        prompt: _prompt(prompt, text, made.families) for (prompt, _), text in zip(made.rows, made.prompts, strict=True)
    }
    codes = _codes(names)
    models = []
    for name in names:
        spec = specs.get(name) or made.members[place[name]].spec()
        spec = msgspec.structs.replace(spec, code=codes[name], role="control")
        entry = _entry(spec, name, asked_as=name)
        answers = tuple(
            PackAnswer(model=name, prompt=prompt, sample=sample, text=text)
            for (prompt, sample), row in zip(made.rows, made.answers, strict=True)
            if (text := row[place[name]]) is not None
        )
        models.append((entry, answers))
    return Source(
        made_from=made_from,
        title=title,
        authority=authority,
        settings=msgspec.structs.replace(settings, samples=samples),
        prompts=tuple(prompts.values()),
        models=tuple(models),
        left_out=(),
    )


def _prompt(name: str, text: str, families: Sequence[str]) -> Prompt:
    """Put a prompt into the family and cluster that its id names, as those of probes do; else it was listed."""
    family = next((one for one in families if name.startswith(f"{one}-")), "listed")
    template = re.match(r"(\d\d)-[0-9a-f]{6}\Z", name.removeprefix(f"{family}-"))
    return Prompt(id=name, family=family, cluster=f"{family}/{template[1] if template else name}", text=text)


def _codes(names: Sequence[str]) -> dict[str, str]:
    """Give each model a code that may stand in a case: its name where that is one, else a number."""
    fits = {name: name for name in names if _is_code(name)}
    lower = Counter(name.lower() for name in fits)
    return {
        name: name if name in fits and lower[name.lower()] == 1 else f"K{number:03}"
        for number, name in enumerate(names, 1)
    }


def _is_code(name: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9_-]{0,31}\Z", name) is not None
