"""Ask every prompt, record every exchange.

The order is drawn from the protocol's seed over all models together, so that models are interleaved
and no model is asked in one block of time. What a log already answers is never asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from pathlib import Path

import msgspec

from depose import ledger, plugins
from depose.endpoints import Endpoint
from depose.errors import EndpointError, PluginError
from depose.evidence import Clock, Log
from depose.ledger import Described, Entries, Reading, entries, key
from depose.model import (
    Ask,
    Case,
    Dossier,
    Exchange,
    ModelSpec,
    Record,
    Registration,
    Reply,
    Transcript,
    Unanswered,
)
from depose.register import stream

TEMPLATE_TOKENS = 64
"""Room for what a chat template adds to a prompt."""

Check = Callable[[Entries], None]
"""Raises where nothing may be asked under the protocol in force."""
Progress = Callable[[int, int], None]
"""Told after each batch: how many were answered and how many failed in it."""


class Estimate(Record, frozen=True, kw_only=True):
    """What is still to be asked of one model, and upper bounds of what it takes."""

    model: str
    questions: int
    input_tokens: int
    output_tokens: int
    cost: float | None


class Collected(Record, frozen=True, kw_only=True):
    """What one run of `collect` did."""

    asked: int
    answered: int
    failed: int
    waiting: tuple[str, ...]
    """Models without an endpoint, whose answers must be imported."""
    stopped: str
    """Why it stopped before the end, or nothing."""
    known: bool = False
    """Whether an answer stood in the log before."""


def plan(registration: Registration) -> tuple[Ask, ...]:
    """List every question of a case in the order in which it is asked."""
    asks = ledger.asks(registration)
    order = stream(registration.case.protocol.seed, "order").permutation(len(asks))
    return tuple(asks[int(index)] for index in order)


def _remaining(found: Entries) -> tuple[Ask, ...]:
    done = {key(exchange) for exchange in found.exchanges if exchange.outcome != "failed"}
    return tuple(ask for ask in plan(found.registration) if key(ask) not in done)


def _worth_asking(found: Entries) -> tuple[Ask, ...]:
    """Leave out what a registered file of answers was found not to hold: it will not hold it the next time."""
    files = {spec.code for spec in found.registration.case.models if spec.provider == "recorded" and spec.file}
    looked_up = {key(exchange) for exchange in found.exchanges if exchange.model in files}
    return tuple(ask for ask in _remaining(found) if key(ask) not in looked_up)


def _tokens(ask: Ask) -> int:
    """Upper bound: no tokenizer that falls back to bytes makes more tokens than there are bytes."""
    return len((ask.system + ask.text).encode()) + TEMPLATE_TOKENS


def _cost(case: Case, ask: Ask) -> float:
    price = case.prices.get(ask.model)
    return 0.0 if price is None else (_tokens(ask) * price.input + ask.max_tokens * price.output) / 1e6


def estimate(folder: Path) -> tuple[Estimate, ...]:
    """Count what is still unanswered, per model, with upper bounds of tokens and cost."""
    return estimate_of(entries(folder))


def estimate_of(found: Entries) -> tuple[Estimate, ...]:
    """Count it in a log that was read before."""
    case = found.registration.case
    left = _worth_asking(found)
    rows = []
    for spec in case.models:
        asks = [ask for ask in left if ask.model == spec.code]
        priced = sum(_cost(case, ask) for ask in asks) if spec.code in case.prices else None
        rows.append(
            Estimate(
                model=spec.code,
                questions=len(asks),
                input_tokens=sum(map(_tokens, asks)),
                output_tokens=sum(ask.max_tokens for ask in asks),
                cost=priced,
            )
        )
    return tuple(rows)


def _batches(asks: tuple[Ask, ...], endpoints: dict[str, Endpoint]) -> Iterator[tuple[Ask, ...]]:
    """Walk through the order and hand out a batch whenever a model has enough questions waiting."""
    waiting: dict[str, list[Ask]] = {}
    for ask in asks:
        queue = waiting.setdefault(ask.model, [])
        queue.append(ask)
        if len(queue) >= endpoints[ask.model].batch:
            yield tuple(waiting.pop(ask.model))
    for queue in waiting.values():
        yield tuple(queue)


def _open(specs: tuple[ModelSpec, ...], folder: Path) -> dict[str, Endpoint]:
    opened: dict[str, Endpoint] = {}
    for spec in specs:
        endpoint: Endpoint = plugins.load("providers", spec.provider)(spec, folder)
        opened[spec.code] = endpoint
    return opened


def _whole(text: str) -> str:
    """Put U+FFFD for half of a surrogate pair, which no log can hold; the raw bytes are kept as they came."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _record(log: Log, ask: Ask, reply: Reply, started: str, ended: str) -> None:
    log.append(
        "exchange",
        Exchange(
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
        ),
    )


class _Meter:
    """Counts what was spent and stops before a limit is passed; recorded answers cost nothing."""

    def __init__(self, found: Entries) -> None:
        self._case = found.registration.case
        by_key = {key(ask): ask for ask in plan(found.registration)}
        self._free = {spec.code for spec in self._case.models if spec.provider == "recorded"}
        sent = (*found.exchanges, *found.superseded)
        paid = [exchange for exchange in sent if exchange.model not in self._free]
        self.stopped = ""
        self._requests = len(paid)
        spent = [by_key[key(exchange)] for exchange in paid if key(exchange) in by_key]
        self._tokens = sum(_tokens(ask) + ask.max_tokens for ask in spent)
        self._money = sum(_cost(self._case, ask) for ask in spent)

    def allows(self, ask: Ask) -> bool:
        """Count a question, or note in `stopped` which limit it would pass; then no other is allowed."""
        if ask.model in self._free:
            return True
        budget = self._case.budget
        requests = self._requests + 1
        tokens = self._tokens + _tokens(ask) + ask.max_tokens
        money = self._money + _cost(self._case, ask)
        for name, limit, value in (
            ("requests", budget.requests, requests),
            ("tokens", budget.tokens, tokens),
            ("money", budget.money, money),
        ):
            if limit is not None and value > limit:
                self.stopped = self.stopped or f"the budget of {limit:g} {name} would be passed"
        if not self.stopped:
            self._requests, self._tokens, self._money = requests, tokens, money
        return not self.stopped


def collect(folder: Path, clock: Clock, progress: Progress, check: Check = lambda _: None) -> Collected:
    """Ask what is still unanswered and record every exchange; safe to kill and to run again."""
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        check(found)
        left = _worth_asking(found)
        specs = found.registration.case.models
        open_now = tuple(s for s in specs if s.provider != "recorded" or s.file)
        needed = {ask.model for ask in left}
        waiting = tuple(s.code for s in specs if s not in open_now and s.code in needed)
        endpoints = _open(tuple(s for s in open_now if s.code in needed), folder)
        for code, endpoint in endpoints.items():
            log.append("endpoint", Described(model=code, facts=endpoint.facts()))
        meter = _Meter(found)
        answered = failed = 0
        for whole in _batches(tuple(ask for ask in left if ask.model in endpoints), endpoints):
            batch = tuple(takewhile(meter.allows, whole))
            if not batch:
                continue
            bad = _ask_batch(log, endpoints[batch[0].model], batch, clock)
            answered, failed = answered + len(batch) - bad, failed + bad
            progress(len(batch) - bad, bad)
    return Collected(
        asked=answered + failed,
        answered=answered,
        failed=failed,
        waiting=waiting,
        stopped=meter.stopped,
        known=any(exchange.outcome == "answered" for exchange in found.exchanges),
    )


def _ask_batch(log: Log, endpoint: Endpoint, batch: tuple[Ask, ...], clock: Clock) -> int:
    started = clock()
    replies = endpoint.ask(batch)
    ended = clock()
    if len(replies) != len(batch):
        raise PluginError(
            f"the provider of {batch[0].model} gave {len(replies)} replies to {len(batch)} questions",
            hint="it is broken; report it to its maker",
        )
    for ask, reply in zip(batch, replies, strict=True):
        _record(log, ask, reply, started, ended)
    log.sync()
    return sum(reply.outcome == "failed" for reply in replies)


class Imported(Record, frozen=True, kw_only=True):
    """What an import did, and every row that it could not use."""

    model: str
    answered: int
    missing: int
    already: int
    unaligned: tuple[str, ...]


def import_answers(
    folder: Path, code: str, file: Path, name: str, clock: Clock, check: Check = lambda _: None
) -> Imported:
    """Record the answers of one model from a file; what does not fit a registered prompt is listed."""
    from depose.endpoints.recorded import Recorded

    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        check(found)
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
            log.keep(file)
            log.append("endpoint", Described(model=code, facts=source.facts()))
        missing = _ask_batch(log, source, left, clock) if left else 0
    return Imported(
        model=code,
        answered=len(left) - missing,
        missing=missing,
        already=len(planned) - len(left),
        unaligned=tuple(f"row {row.line}: {row.prompt[:80]}" for row in source.unaligned(planned)),
    )


def dossier(folder: Path) -> Dossier:
    """Read the log into what the analysis may see."""
    return dossier_of(entries(folder), str(folder))


def dossier_of(found: Entries, name: str) -> Dossier:
    """Sort the answers of a log into what the analysis may see; `name` is for messages."""
    planned = sorted(plan(found.registration), key=key)
    strangers = {key(exchange) for exchange in found.exchanges} - {key(ask) for ask in planned}
    if strangers:
        raise ledger.not_asked(name, min(strangers))
    last = {key(exchange): exchange for exchange in found.exchanges}
    done = {key(e): e for e in found.exchanges if e.outcome != "failed"}
    final = last | done
    transcripts, unanswered = [], []
    for ask in planned:
        exchange = final.get(key(ask))
        spot = {"model": ask.model, "prompt": ask.prompt, "sample": ask.sample, "replicate": ask.replicate}
        if exchange is not None and exchange.outcome == "answered":
            transcripts.append(msgspec.convert({**spot, "text": exchange.text}, Transcript))
        else:
            reason = "not asked" if exchange is None else exchange.reason or "empty answer"
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
        endpoints=found.endpoints,
        amendments=tuple(map(str, found.amendments)),
        time_stamped=found.stamped,
        selftest=found.selftest,
    )
