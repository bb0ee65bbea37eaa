"""Before anything is asked: what of a case is missing, what could never speak, and what it will take.

Nothing is written, and nothing is sent unless the caller says so: then each endpoint gets one short question, which no
log holds and no budget counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from msgspec import UnsetType

from depose import plugins
from depose.analysis.scored_bags import LEAST_ANSWERED
from depose.asking import collect
from depose.case import casefile, lineages
from depose.case.budget import Estimate, estimates
from depose.case.controls import refuse_shadow
from depose.endpoints import Live, keys
from depose.endpoints.recorded import Recorded
from depose.endpoints.weights import PACKAGED
from depose.errors import DeposeError, few, shell
from depose.evidence import ledger
from depose.evidence.ledger import Entries
from depose.evidence.log import Clock, log_path, read_log
from depose.features.words import words
from depose.model import Ask, Case, ModelSpec, Record, Registration
from depose.readiness.line_up import greeting, prepared
from depose.readiness.prospects import Prospect, ahead
from depose.registering import frozen_case, trial
from depose.weights.held import held_pairs

State = Literal["fine", "open", "wrong"]
SECONDS = 3.0
"""Taken for an answer where none was timed."""


class Point(Record, frozen=True, kw_only=True):
    """One thing that was looked at."""

    about: str
    """`case`, `files`, `weights`, `keys`, `endpoints`, `self-test`, `line-up`, `budget`, `names`."""
    state: State
    """`open`: to be done before there is an opinion; `wrong`: the run would fail or stop."""
    said: str
    next: str = ""


class Checked(Record, frozen=True, kw_only=True):
    """What a check found."""

    folder: str
    points: tuple[Point, ...]
    prospects: tuple[Prospect, ...]
    estimates: tuple[Estimate, ...]
    """Of models that are asked, not those whose answers stand in files."""
    requests: int
    tokens: int
    """Upper bound, in and out."""
    money: float | None
    """Upper bound, in the currency of the prices; None where a model has no price."""
    seconds: float
    timed: bool
    """Whether answers were timed; else three seconds each are taken."""

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong and every finding could speak."""
        return all(one.state != "wrong" for one in self.points) and all(one.can_speak for one in self.prospects)


def check(path: Path, clock: Clock, *, ask: bool = False) -> Checked:
    """Look a case through; `ask` sends each endpoint one question. Raises CaseError where the case cannot be read."""
    folder = casefile.folder_of(path)
    written = casefile.read(folder)
    entries = _entries(folder)
    if entries is None:
        refuse_shadow(written, folder)
    frozen = entries.registration if entries is not None else frozen_case(written, folder, ahead=True)
    if entries is None or entries.waits_for_seed:
        frozen = trial(frozen, folder, ahead=True)
    case = written if isinstance(written.protocol.seed_from, UnsetType) else frozen.case
    left = _left(case, frozen, entries)
    counts: dict[str, list[int]] = {}
    points = [_case(folder, written, frozen, entries), *_files(folder, case, frozen, entries, counts)]
    points += [*_weights(folder, case), *_keys(folder, case)]
    took, asked = _endpoints(folder, case, frozen, clock) if ask else ({}, _not_asked(case))
    likeness = case.protocol.questions != ("exposed",)
    points += [*asked, *([_selftest(folder, entries)] if likeness else []), *_line_up(case)]
    live = {spec.code for spec in case.models if spec.provider != "recorded"}
    rows = tuple(one for one in estimates(case, left) if one.model in live and frozen.prompts)
    points += [*_budget(case, rows), *_names(case)]
    priced = [one.cost for one in rows if one.cost is not None]
    return Checked(
        folder=str(folder),
        points=tuple(points),
        prospects=tuple(ahead(case, frozen, folder, counts)),
        estimates=rows,
        requests=sum(one.questions for one in rows),
        tokens=sum(one.input_tokens + one.output_tokens for one in rows),
        money=sum(priced) if len(priced) == len(rows) else None,
        seconds=_seconds(case, rows, took),
        timed=bool(took),
    )


def _entries(folder: Path) -> Entries | None:
    if log_path(folder).is_file() and any(True for _ in read_log(folder)):
        return ledger.entries(folder)
    return None


def _left(case: Case, frozen: Registration, entries: Entries | None) -> list[Ask]:
    done = {ledger.key(one) for one in entries.exchanges if one.outcome != "failed"} if entries else set()
    return [ask for ask in collect.plan(frozen) if ledger.key(ask) not in done]


def _case(folder: Path, case: Case, frozen: Registration, entries: Entries | None) -> Point:
    roles = [spec.role for spec in case.models]
    said = f"{len(frozen.prompts)} prompts; " + ", ".join(
        f"{roles.count(role)} {role}{'s' if roles.count(role) > 1 else ''}" for role in dict.fromkeys(roles)
    )
    if entries is not None and entries.written.case != case:
        return Point(
            about="case",
            state="wrong",
            said="differs from the registered protocol",
            next=f"depose amend {shell(folder)} --reason TEXT",
        )
    if "TO BE FILLED" in case.case.authority:
        return Point(
            about="case",
            state="wrong",
            said="authority is not filled in",
            next="say in case.toml on what right the models are asked",
        )
    return Point(about="case", state="fine", said=said)


def _files(
    folder: Path, case: Case, frozen: Registration, entries: Entries | None, counts: dict[str, list[int]]
) -> Iterator[Point]:
    """Look into every file of answers, and name recorded models that have none yet; `counts` gets words of answers.

    Of a line-up alone nothing: there a file is a corpus.
    """
    if not frozen.prompts:
        return
    planned: dict[str, list[Ask]] = {}
    for ask in collect.plan(frozen):
        planned.setdefault(ask.model, []).append(ask)
    settled = {one.model for one in entries.exchanges if one.outcome == "answered"} if entries else set()
    whole, waiting = [], []
    for spec in case.models:
        if spec.provider != "recorded":
            continue
        if not spec.file:
            waiting += [spec.code] if spec.code not in settled else []
            continue
        try:
            source = Recorded(casefile.resolve(folder, spec.file, f"{spec.code}.file"), spec.model)
            replies = source.ask(planned[spec.code])
            counts[spec.code] = [len(words(one.text or "")) for one in replies if one.outcome == "answered"]
            answered = len(counts[spec.code])
        except DeposeError as error:
            yield Point(about="files", state="wrong", said=f"{spec.code}: {error.message}", next=error.hint)
            continue
        of = len(planned[spec.code])
        said = f"{spec.code}: {answered} of {of} prompts answered in {spec.file}"
        if not answered:
            yield Point(about="files", state="wrong", said=said, next="prompts are matched by id, else by their words")
        elif answered < LEAST_ANSWERED * of and spec.role in ("suspect", "reference"):
            yield Point(about="files", state="wrong", said=f"{said}; {LEAST_ANSWERED:.0%} are needed (quality)")
        else:
            whole.append(answered / of)
    if whole:
        least = f", at least {min(whole):.0%} of the prompts each" if min(whole) < 1 else ", all prompts answered"
        yield Point(about="files", state="fine", said=f"{len(whole)} files of answers{least}")
    if waiting:
        yield Point(
            about="files",
            state="open",
            said=f"{len(waiting)} models wait for answers: {few(waiting, 6)}",
            next=f"depose import {shell(folder)} FILES",
        )


def _weights(folder: Path, case: Case) -> Iterator[Point]:
    """Say whose weights are compared, which needs no control, and whose are not where the case says."""
    try:
        pairs = held_pairs(case, folder)
    except DeposeError as error:
        yield Point(about="weights", state="wrong", said=error.message, next=error.hint)
        return
    named = {model.name: model.path for pair in pairs for model in pair}
    missing = {code: path for code, path in named.items() if not path.exists() and str(path) not in PACKAGED}
    for code, path in missing.items():
        yield Point(
            about="weights",
            state="wrong",
            said=f"{code}: {path}: no weights there",
            next="name a folder of safetensors or a .gguf file, from the folder of the case",
        )
    if pairs and not missing:
        said = ", ".join(f"{suspect.name} with {reference.name}" for suspect, reference in pairs)
        yield Point(about="weights", state="fine", said=f"{said}: compared exactly, whatever controls there are")


def _keys(folder: Path, case: Case) -> Iterator[Point]:
    held, wrong = [], dict[tuple[str, str], list[str]]()
    for spec in case.models:
        if spec.provider not in casefile.REMOTE:
            continue
        try:
            if keys.read(spec, folder) is not None:
                held.append(spec.code)
        except DeposeError as error:
            wrong.setdefault((error.message.removeprefix(f"{spec.code}: "), error.hint), []).append(spec.code)
    yield from _together("keys", wrong)
    if held:
        yield Point(about="keys", state="fine", said=f"set for {few(held, 6)}")


def _not_asked(case: Case) -> list[Point]:
    remote = [spec.code for spec in case.models if spec.provider in casefile.REMOTE]
    if not remote:
        return []
    said = f"{len(remote)} not tried: {few(remote, 6)}"
    return [Point(about="endpoints", state="open", said=said, next="--ask sends each of them one short question")]


def _endpoints(folder: Path, case: Case, frozen: Registration, clock: Clock) -> tuple[dict[str, float], list[Point]]:
    """Ask each endpoint one short question, and time it."""
    took: dict[str, float] = {}
    points: list[Point] = []
    wrong: dict[tuple[str, str], list[str]] = {}
    first = {ask.model: ask for ask in reversed(collect.plan(frozen))}
    for spec in case.models:
        if spec.provider not in casefile.REMOTE:
            continue
        if case.lineup and case.lineup.statistic == "likelihood" and spec.code not in first:
            said = f"{spec.code}: not tried; it is sent texts to score, when it is scored"
            points.append(Point(about="endpoints", state="open", said=said))
            continue
        try:
            endpoint = plugins.load("providers", spec.provider)(spec, folder)
            started = time.monotonic()
            if not isinstance(endpoint, Live):
                continue
            reply = endpoint.attempt(first.get(spec.code) or greeting(case, spec), 1, clock)
        except DeposeError as error:
            wrong.setdefault((error.message.removeprefix(f"{spec.code}: "), error.hint), []).append(spec.code)
            continue
        if reply.outcome == "failed":
            wrong.setdefault((reply.reason, _see_to(spec, reply.reason)), []).append(spec.code)
        else:
            took[spec.code] = time.monotonic() - started
    points += _together("endpoints", wrong)
    if took:
        slowest = max(took, key=lambda code: took[code])
        said = f"{len(took)} answer; the slowest, {slowest}, in {took[slowest]:.1f} s"
        points.append(Point(about="endpoints", state="fine", said=said))
    return took, points


def _see_to(spec: ModelSpec, reason: str) -> str:
    """Say what to look at when one question failed, by what the endpoint said."""
    if reason.startswith(("HTTP 401", "HTTP 403")):
        held = spec.api_key_env or spec.api_key_file
        return f"the key in {held} is not taken there: check it, and what it may do" if held else "it wants a key"
    if reason.startswith("HTTP 404"):
        return f"check the name {spec.model!r} and the address"
    if reason.startswith("HTTP"):
        return "ask again later; depose probe tries each question several times"
    return f"check the address {spec.base_url}" if spec.base_url else "check the network"


def _together(about: str, wrong: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[Point]:
    """Say once what is wrong with several models."""
    for (said, hint), codes in wrong.items():
        yield Point(about=about, state="wrong", said=f"{few(codes, 6)}: {said}", next=hint)


def _line_up(case: Case) -> Iterator[Point]:
    for one in prepared(case):
        yield Point(about="line-up", state=one.state, said=one.said, next=one.next)


def _selftest(folder: Path, entries: Entries | None) -> Point:
    now = version("depose")
    found = entries.selftest if entries is not None else None
    if found is not None and found.passed and found.software == now:
        return Point(about="self-test", state="fine", said=f"passed by depose {now}")
    said = f"none by depose {now} on record; without it every opinion is inconclusive (quality)"
    if found is not None and found.software == now:
        return Point(about="self-test", state="wrong", said="failed", next=f"depose selftest {shell(folder)}")
    return Point(about="self-test", state="open", said=f"{said}; depose audit runs it")


def _budget(case: Case, rows: Sequence[Estimate]) -> Iterator[Point]:
    if not rows:
        return
    limits, over = case.budget, []
    requests = sum(one.questions for one in rows)
    tokens = sum(one.input_tokens + one.output_tokens for one in rows)
    money = sum(one.cost or 0 for one in rows)
    for name, limit, value in (
        ("requests", limits.requests, requests),
        ("tokens", limits.tokens, tokens),
        ("money", limits.money, money),
    ):
        if limit is not None and value > limit:
            over.append(f"up to {value:,.10g} {name} are needed, the budget is {limit:,.10g}")
    if over:
        yield Point(
            about="budget", state="wrong", said="; ".join(over), next="raise [budget], or ask less; the run stops there"
        )
    elif limits.requests is limits.tokens is limits.money is None:
        yield Point(about="budget", state="open", said="no limit is set", next="[budget] requests = ..., tokens, money")
    else:
        yield Point(about="budget", state="fine", said="holds what is to be asked")


def _names(case: Case) -> list[Point]:
    return [Point(about="names", state="open", said=one) for one in lineages.doubts(case.models)]


def _seconds(case: Case, rows: Sequence[Estimate], took: dict[str, float]) -> float:
    """Time of the slowest model, by its own pace: all are asked side by side."""
    specs: dict[str, ModelSpec] = {spec.code: spec for spec in case.models}
    times = [0.0]
    for one in rows:
        spec = specs[one.model]
        width = spec.concurrency if spec.provider in casefile.REMOTE else 1
        times.append(one.questions * took.get(one.model, SECONDS) / width)
        times.append(60 * one.questions / spec.rpm if spec.rpm else 0.0)
        times.append(60 * (one.input_tokens + one.output_tokens) / spec.tpm if spec.tpm else 0.0)
    return max(times)
