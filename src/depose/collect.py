"""Ask every prompt, record every exchange.

The order is drawn from the protocol's seed over all models together, so that models are interleaved
and no model is asked in one block of time. What a log already answers is never asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from depose import casefile, plugins
from depose.asking import Came, Desk, Ended, batched
from depose.budget import Budget, Estimate, estimates
from depose.endpoints import Endpoint, Live
from depose.endpoints.identity import heeded, notices, returned
from depose.errors import CaseError, EndpointError, EvidenceError
from depose.evidence import Chained, Clock, Log, read_log
from depose.model import (
    Ask,
    Case,
    Dossier,
    Exchange,
    Fact,
    ModelSpec,
    Prompt,
    Record,
    Registration,
    Reply,
    Transcript,
    Unanswered,
)
from depose.register import stream

BOGUS = "depose-no-such-model"

Key = tuple[str, str, int, int]
Kind = TypeVar("Kind", bound=Record)
Progress = Callable[[int, int], None]
"""Told after each batch: how many were answered and how many failed in it."""


class Watch(Protocol):
    """Whoever looks on while a case is asked."""

    def spent(self, money: float) -> None:
        """Hear what the case has cost so far."""
        ...

    def waiting(self, requests: int) -> None:
        """Hear that an interrupt waits for so many answers that are under way."""
        ...


class Collected(Record, frozen=True, kw_only=True):
    """What one run of `collect` did."""

    asked: int
    answered: int
    failed: int
    waiting: tuple[str, ...]
    """Models without an endpoint, whose answers must be imported."""
    stopped: str
    """Why it stopped before the end, or nothing."""
    notices: tuple[str, ...] = ()
    """Reasons of failures with their numbers, models given up, and models that answered under another name."""


class Described(Record, frozen=True, kw_only=True):
    """What an endpoint said of itself when it was opened."""

    model: str
    facts: tuple[Fact, ...]


class Entries(Record, frozen=True, kw_only=True):
    """A log, read and sorted by kind."""

    registration: Registration
    protocol_digest: str
    registered_at: str
    head: str
    exchanges: tuple[Exchange, ...]
    """Every attempt; a question that was tried again has several."""
    endpoints: dict[str, tuple[Fact, ...]]
    controls: tuple[Exchange, ...] = ()
    """Questions to models that cannot exist."""


def entries(folder: Path) -> Entries:
    """Read and check the whole log of a case."""
    exchanges: list[Exchange] = []
    controls: list[Exchange] = []
    endpoints: dict[str, tuple[Fact, ...]] = {}
    first = head = None
    for chained in read_log(folder):
        head, entry = chained, chained.entry
        first = first or chained
        if entry.kind == "exchange":
            exchanges.append(_body(chained, Exchange))
        elif entry.kind == "control":
            controls.append(_body(chained, Exchange))
        elif entry.kind == "endpoint":
            described = _body(chained, Described)
            endpoints[described.model] = described.facts
    if first is None or head is None:
        raise CaseError(f"{folder}: the log is empty", hint=f"depose register {folder}")
    if first.entry.kind != "protocol":
        raise EvidenceError(f"{folder}: the log does not begin with a protocol", hint="work from a sealed copy")
    return Entries(
        registration=_body(first, Registration),
        protocol_digest=first.digest,
        registered_at=first.entry.at,
        head=head.digest,
        exchanges=tuple(exchanges),
        endpoints=endpoints,
        controls=tuple(controls),
    )


def _body(chained: Chained, kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(chained.entry.body, kind)
    except msgspec.ValidationError as error:
        raise EvidenceError(
            f"record {chained.entry.seq} of the log is no {kind.__name__}: {error}",
            hint="read it with the version of depose that wrote it",
        ) from error


def _key(one: Ask | Exchange) -> Key:
    return one.model, one.prompt, one.sample, one.replicate


def plan(registration: Registration) -> tuple[Ask, ...]:
    """List every question of a case in the order in which it is asked."""
    case = registration.case
    asks = [
        _ask(case, spec, prompt, sample, replicate)
        for spec in case.models
        for replicate in range(casefile.replicates(spec, case.protocol))
        for prompt in registration.prompts
        for sample in range(case.protocol.samples)
    ]
    order = stream(case.protocol.seed, "order").permutation(len(asks))
    return tuple(asks[int(index)] for index in order)


def _ask(case: Case, spec: ModelSpec, prompt: Prompt, sample: int, replicate: int) -> Ask:
    return Ask(
        model=spec.code,
        prompt=prompt.id,
        sample=sample,
        replicate=replicate,
        text=prompt.text,
        system=spec.system,
        temperature=float(casefile.setting(spec, case.protocol, "temperature")),
        max_tokens=int(casefile.setting(spec, case.protocol, "max_tokens")),
        seed=int(casefile.setting(spec, case.protocol, "seed")),
    )


def _remaining(found: Entries) -> tuple[Ask, ...]:
    done = {_key(exchange) for exchange in found.exchanges if exchange.outcome != "failed"}
    return tuple(ask for ask in plan(found.registration) if _key(ask) not in done)


def _worth_asking(found: Entries) -> tuple[Ask, ...]:
    """Leave out what a registered file of answers was found not to hold: it will not hold it the next time."""
    files = {spec.code for spec in found.registration.case.models if spec.provider == "recorded" and spec.file}
    looked_up = {_key(exchange) for exchange in found.exchanges if exchange.model in files}
    return tuple(ask for ask in _remaining(found) if _key(ask) not in looked_up)


def estimate(folder: Path) -> tuple[Estimate, ...]:
    """Count what is still unanswered, per model, with upper bounds of tokens and cost."""
    found = entries(folder)
    return estimates(found.registration.case, _worth_asking(found))


def _open(specs: tuple[ModelSpec, ...], folder: Path) -> dict[str, Endpoint]:
    opened: dict[str, Endpoint] = {}
    for spec in specs:
        endpoint: Endpoint = plugins.load("providers", spec.provider)(spec, folder)
        opened[spec.code] = endpoint
    return opened


def _whole(text: str) -> str:
    """Put U+FFFD for half of a surrogate pair, which no log can hold; the raw bytes are kept as they came."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _record(log: Log, ask: Ask, reply: Reply, started: str, ended: str, kind: str = "exchange") -> Exchange:
    for raw in reply.kept:
        log.store(raw)
    exchange = Exchange(
        model=ask.model,
        prompt=ask.prompt,
        sample=ask.sample,
        replicate=ask.replicate,
        outcome=reply.outcome,
        text=_whole(reply.text),
        finish=_whole(reply.finish),
        reason=_whole(reply.reason),
        request=log.store(reply.request),
        response=log.store(reply.response),
        source=reply.source,
        started=started,
        ended=ended,
        wire=reply.wire,
    )
    log.append(kind, exchange)
    return exchange


def collect(folder: Path, clock: Clock, progress: Progress, watch: Watch | None = None) -> Collected:
    """Ask what is still unanswered and record every exchange; safe to kill and to run again."""
    with Log(folder, clock) as log:
        found = entries(folder)
        left = _worth_asking(found)
        case = found.registration.case
        open_now = tuple(s for s in case.models if s.provider != "recorded" or s.file)
        needed = {ask.model for ask in left}
        waiting = tuple(s.code for s in case.models if s not in open_now and s.code in needed)
        specs = tuple(s for s in open_now if s.code in needed)
        endpoints = _open(specs, folder)
        for code, endpoint in endpoints.items():
            log.append("endpoint", Described(model=code, facts=endpoint.facts()))
        by_key = {_key(ask): ask for ask in plan(found.registration)}
        past = (*found.controls, *found.exchanges)
        budget = Budget(case, [(by_key[_key(one)], one.wire) for one in past if _key(one) in by_key])
        if case.protocol.bogus_model:
            _ask_bogus(log, found, specs, folder, clock, budget)
        answered = failed = 0
        recorded: list[Exchange] = []

        def record(came: list[Came], ended: list[Ended]) -> None:
            nonlocal answered, failed
            for one in came:
                recorded.append(_record(log, one.ask, one.reply, one.started, one.ended))
            if came:
                log.sync()
            if watch is not None:
                watch.spent(budget.money)
            for end in ended:
                answered, failed = answered + end.answered, failed + end.failed
                progress(end.answered, end.failed)

        desk = Desk(specs, endpoints, budget, clock)
        wanted = tuple(ask for ask in left if ask.model in endpoints)
        desk.run(batched(wanted, endpoints), record, watch.waiting if watch else lambda number: None)
    return Collected(
        asked=answered + failed,
        answered=answered,
        failed=failed,
        waiting=waiting,
        stopped=budget.stopped,
        notices=notices(recorded, desk.given_up),
    )


def _ask_bogus(
    log: Log, found: Entries, specs: tuple[ModelSpec, ...], folder: Path, clock: Clock, budget: Budget
) -> None:
    """Ask each endpoint once, ever, for a model that cannot exist."""
    models = {spec.code: spec for spec in found.registration.case.models}
    done = {_place(models[one.model]) for one in found.controls}
    for spec in specs:
        if _place(spec) in done or spec.provider == "recorded":
            continue
        done.add(_place(spec))
        endpoint = plugins.load("providers", spec.provider)(msgspec.structs.replace(spec, model=BOGUS), folder)
        ask = next(ask for ask in plan(found.registration) if ask.model == spec.code)
        if isinstance(endpoint, Live) and budget.allows(ask):
            started = clock()
            reply = endpoint.attempt(ask, 1, clock)
            budget.settle(ask, reply.wire)
            _record(log, ask, reply, started, clock(), kind="control")
            log.sync()


def _place(spec: ModelSpec) -> tuple[str, str]:
    return spec.provider, spec.base_url


class Imported(Record, frozen=True, kw_only=True):
    """What an import did, and every row that it could not use."""

    model: str
    answered: int
    missing: int
    already: int
    unaligned: tuple[str, ...]


def import_answers(folder: Path, code: str, file: Path, name: str, clock: Clock) -> Imported:
    """Record the answers of one model from a file; what does not fit a registered prompt is listed."""
    from depose.endpoints.recorded import Recorded

    with Log(folder, clock) as log:
        found = entries(folder)
        spec = next((s for s in found.registration.case.models if s.code == code), None)
        if spec is None or spec.provider != "recorded":
            known = ", ".join(s.code for s in found.registration.case.models if s.provider == "recorded")
            raise EndpointError(
                f"{code}: {'not a recorded model' if spec else 'no such model in the case'}",
                hint=f"recorded models: {known or 'none'}",
            )
        source = Recorded(file.resolve(), name or spec.model)
        planned = tuple(ask for ask in plan(found.registration) if ask.model == code)
        left = tuple(ask for ask in _remaining(found) if ask.model == code)
        if left:
            log.append("endpoint", Described(model=code, facts=source.facts()))
        started, replies = clock(), source.ask(left)
        ended = clock()
        for ask, reply in zip(left, replies, strict=True):
            _record(log, ask, reply, started, ended)
        missing = sum(reply.outcome == "failed" for reply in replies)
    return Imported(
        model=code,
        answered=len(left) - missing,
        missing=missing,
        already=len(planned) - len(left),
        unaligned=tuple(f"row {row.line}: {row.prompt[:80]}" for row in source.unaligned(planned)),
    )


def dossier(folder: Path) -> Dossier:
    """Read the log into what the analysis may see."""
    found = entries(folder)
    planned = sorted(plan(found.registration), key=_key)
    strangers = {_key(exchange) for exchange in found.exchanges} - {_key(ask) for ask in planned}
    if strangers:
        model, prompt, sample, replicate = min(strangers)
        raise EvidenceError(
            f"{folder}: the log answers a question that the protocol does not ask: {model}, {prompt}, "
            f"sample {sample}, replicate {replicate}",
            hint="the log was changed, or belongs to another case",
        )
    last = {_key(exchange): exchange for exchange in found.exchanges}
    done = {_key(e): e for e in found.exchanges if e.outcome != "failed"}
    final = last | done
    transcripts, unanswered = [], []
    for ask in planned:
        exchange = final.get(_key(ask))
        spot = {"model": ask.model, "prompt": ask.prompt, "sample": ask.sample, "replicate": ask.replicate}
        if exchange is not None and exchange.outcome == "answered":
            transcripts.append(msgspec.convert({**spot, "text": exchange.text}, Transcript))
        else:
            reason = "not asked" if exchange is None else _why(exchange)
            unanswered.append(msgspec.convert({**spot, "reason": reason}, Unanswered))
    return Dossier(
        registration=found.registration,
        protocol_digest=found.protocol_digest,
        head=found.head,
        registered_at=found.registered_at,
        first_asked=min((e.started for e in found.exchanges), default=""),
        last_asked=max((e.ended for e in found.exchanges), default=""),
        transcripts=tuple(transcripts),
        unanswered=tuple(unanswered),
        endpoints={spec.code: _facts(spec, found) for spec in found.registration.case.models},
    )


def _why(exchange: Exchange) -> str:
    if exchange.outcome == "failed":
        return exchange.reason
    return f"empty answer: {exchange.reason}" if exchange.reason else "empty answer"


def _facts(spec: ModelSpec, found: Entries) -> tuple[Fact, ...]:
    """What an endpoint said of itself, and what its answers say of it."""
    mine = tuple(one for one in found.exchanges if one.model == spec.code)
    models = {one.code: one for one in found.registration.case.models}
    bogus = tuple(one for one in found.controls if _place(models[one.model]) == _place(spec))
    return (*found.endpoints.get(spec.code, ()), *returned(mine), *heeded(bogus))
