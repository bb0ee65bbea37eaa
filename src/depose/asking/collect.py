"""Ask every prompt, record every exchange.

The order is drawn from the protocol's seed over all models together, so that models are interleaved
and no model is asked in one block of time. What a log already answers is never asked again.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import UNSET

from depose import plugins
from depose.answers.how_ended import NAMES, by_model
from depose.answers.line_ends import evened
from depose.answers.settle import Settled, compared, of_exchange
from depose.asking.book import Book, record
from depose.asking.desk import Desk, batched
from depose.case.budget import Budget, Estimate, estimates
from depose.endpoints import Endpoint, Live
from depose.endpoints.identity import heeded, notices, returned
from depose.errors import EvidenceError
from depose.evidence import ledger, machine
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.ledger import Entries, Reading, entries, key, place
from depose.evidence.log import Clock, Log
from depose.evidence.records import Asking, Described, Key
from depose.model import (
    Ask,
    Dossier,
    Ending,
    Exchange,
    Fact,
    ModelSpec,
    Record,
    Registration,
    Transcript,
    Unanswered,
)
from depose.model.random_streams import stream

BOGUS = "depose-no-such-model"

Check = Callable[[Entries], None]
"""Raises where nothing may be asked under the protocol in force."""
Progress = Callable[[int, int], None]
"""Told after each batch: how many were answered and how many failed in it."""


class Watch(Protocol):
    """Whoever looks on while a case is asked."""

    def spent(self, money: float) -> None:
        """Hear what the case has cost so far."""
        ...

    def failed(self, model: str, reason: str) -> None:
        """Hear of the first failure of a model in this run, as it comes, and of a model that is given up."""
        ...

    def waiting(self, requests: int) -> None:
        """Hear that an interrupt waits for so many answers that are under way."""
        ...


class Collected(Record, frozen=True, kw_only=True):
    """What one run of `collect` did."""

    asked: int
    answered: int
    blocked: int
    """Cut by a filter or refused by the provider: settled, and no answer."""
    empty: int
    failed: int
    waiting: tuple[str, ...]
    """Models without an endpoint, whose answers must be imported."""
    stopped: str
    """Why it stopped before the end, or nothing."""
    notices: tuple[str, ...] = ()
    """Reasons of failures with their numbers, models given up, and models that answered under another name."""
    known: bool = False
    """Whether an answer stood in the log before."""
    ended: dict[str, tuple[Ending, ...]]
    """How what came in this run ended, per model."""


def plan(registration: Registration) -> tuple[Ask, ...]:
    """List every question of a case in the order in which it is asked."""
    asks = ledger.asks(registration)
    order = stream(registration.case.protocol.seed, "order").permutation(len(asks))
    return tuple(asks[int(index)] for index in order)


def settles(exchange: Exchange, files: Collection[str]) -> bool:
    """Tell whether an exchange settles its question; in a file, an empty cell leaves room for another file."""
    return exchange.outcome != "failed" and not (exchange.outcome == "empty" and exchange.model in files)


def _from_files(registration: Registration) -> frozenset[str]:
    return frozenset(spec.code for spec in registration.case.models if spec.provider == "recorded")


def _remaining(found: Entries) -> tuple[Ask, ...]:
    files = _from_files(found.registration)
    done = {key(exchange) for exchange in found.exchanges if settles(exchange, files)}
    return tuple(ask for ask in plan(found.registration) if key(ask) not in done)


def _worth_asking(found: Entries) -> tuple[Ask, ...]:
    """Leave out what a registered file of answers was found not to hold: it will not hold it the next time."""
    files = {spec.code for spec in found.registration.case.models if spec.provider == "recorded" and spec.file}
    looked_up = {key(exchange) for exchange in found.exchanges if exchange.model in files}
    return tuple(ask for ask in _remaining(found) if key(ask) not in looked_up)


def estimate(folder: Path) -> tuple[Estimate, ...]:
    """Count what is still unanswered, per model, with upper bounds of tokens and cost."""
    return estimate_of(entries(folder))


def estimate_of(found: Entries) -> tuple[Estimate, ...]:
    """Count it in a log that was read before."""
    return estimates(found.registration.case, _worth_asking(found))


def _budget(found: Entries) -> Budget:
    """Count what a log says was spent."""
    by_key = {key(ask): ask for ask in plan(found.registration)}
    past = [(one.model, by_key.get(key(one)), one.wire) for one in (*found.controls, *_all(found))]
    past += [(one[0], by_key.get(one), None) for one in found.lost]
    return Budget(found.registration.case, past)


def exhausted(found: Entries) -> str:
    """Say which limit of the budget lets no open question be asked any more, or nothing."""
    budget = _budget(found)
    passed = [budget.passed(ask) for ask in _worth_asking(found)]
    return passed[0] if passed and all(passed) else ""


def _open(specs: tuple[ModelSpec, ...], folder: Path) -> dict[str, Endpoint]:
    opened: dict[str, Endpoint] = {}
    for spec in specs:
        endpoint: Endpoint = plugins.load("providers", spec.provider)(spec, folder)
        opened[spec.code] = endpoint
    return opened


def collect(
    folder: Path,
    clock: Clock,
    progress: Progress,
    check: Check = lambda _: None,
    watch: Watch | None = None,
    checkpoints: Checkpoints | None = None,
) -> Collected:
    """Ask what is still unanswered and record every exchange; safe to kill and to run again."""
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        check(found)
        left = _worth_asking(found)
        case = found.registration.case
        open_now = tuple(s for s in case.models if s.provider != "recorded" or s.file)
        needed = {ask.model for ask in left}
        waiting = tuple(s.code for s in case.models if s not in open_now and s.code in needed)
        specs = tuple(s for s in open_now if s.code in needed)
        endpoints = _open(specs, folder)
        budget = _budget(found)
        checkpoints = checkpoints or Checkpoints()

        desk = Desk(specs, endpoints, budget, clock)
        told: set[str] = set()

        def tell(answered: int, failed: int) -> None:
            if watch is not None:
                watch.spent(budget.money)
                for model in desk.given_up.keys() - told:
                    told.add(model)
                    watch.failed(model, f"asked no more in this run: {desk.given_up[model]}")
            progress(answered, failed)

        heard = watch.failed if watch is not None else lambda model, reason: None
        live = {s.code for s in specs if s.provider != "recorded"}
        book = Book(log, live, checkpoints, tell, failed=heard)
        if specs:
            with _run(log, found, checkpoints):
                for code, endpoint in endpoints.items():
                    log.append("endpoint", Described(model=code, facts=endpoint.facts()))
                if case.protocol.bogus_model:
                    _ask_bogus(log, found, specs, folder, clock, budget)
                wanted = tuple(ask for ask in left if ask.model in endpoints)
                desk.run(batched(wanted, endpoints), book, watch.waiting if watch else lambda number: None)
    last = {key(one): one for one in book.recorded}
    came = Counter(one.outcome for one in last.values())
    return Collected(
        asked=book.answered + book.failed,
        answered=came["answered"],
        blocked=came["blocked"],
        empty=came["empty"],
        failed=book.failed,
        waiting=waiting,
        stopped=budget.stopped,
        notices=(*notices(book.recorded, desk.given_up), *checkpoints.notices),
        known=any(exchange.outcome == "answered" for exchange in found.exchanges),
        ended=by_model(last.values()),
    )


def _all(found: Entries) -> tuple[Exchange, ...]:
    return (*found.exchanges, *found.superseded)


@contextlib.contextmanager
def _run(log: Log, found: Entries, checkpoints: Checkpoints) -> Iterator[None]:
    """Record where a run begins and ends, on what machine and by what clock, with a checkpoint at its end."""
    checkpoints.open(found.checkpoints[-1].entry.seq if found.checkpoints else 0)
    log.append("run", machine.run("begin"))
    whole = False
    try:
        yield
        whole = True
    finally:
        log.append("run", machine.run("end"))
        checkpoints.close(log, whole=whole)


def _ask_bogus(
    log: Log, found: Entries, specs: tuple[ModelSpec, ...], folder: Path, clock: Clock, budget: Budget
) -> None:
    """Ask each endpoint once, ever, for a model that cannot exist."""
    done = set(found.places)
    for spec in specs:
        if place(spec) in done or spec.provider == "recorded":
            continue
        done.add(place(spec))
        endpoint = plugins.load("providers", spec.provider)(msgspec.structs.replace(spec, model=BOGUS), folder)
        ask = next(ask for ask in plan(found.registration) if ask.model == spec.code)
        if isinstance(endpoint, Live) and budget.allows(ask):
            log.append("asking", Asking(asks=(key(ask),)))
            log.sync()
            started = clock()
            reply = endpoint.attempt(ask, 1, clock)
            budget.settle(ask, reply.wire)
            record(log, ask, reply, started, clock(), kind="control")
            if reply.again is not None:
                log.append("left", Asking(asks=(key(ask),)))
            log.sync()


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
    files = _from_files(found.registration)
    settled = [e for e in found.exchanges if settles(e, files)]
    done = {key(e): e for e in settled}
    if len(done) < len(settled):
        raise _answered_twice(name, settled)
    final = last | done
    protocol = found.registration.case.protocol
    transcripts: list[Transcript] = []
    unanswered: list[Unanswered] = []
    for ask in planned:
        exchange = final.get(key(ask))
        spot = {name: getattr(ask, name) for name in ("model", "prompt", "sample", "replicate")}
        if exchange is None:
            unanswered.append(msgspec.convert({**spot, "reason": "not asked"}, Unanswered))
            continue
        said = of_exchange(exchange)
        spot |= {"finish": exchange.finish, "status": said.status}
        text = evened(said.text) if said.outcome in ("answered", "blocked") else ""
        if text and compared(protocol, said.status):
            transcripts.append(msgspec.convert({**spot, "text": text, "reasoning": said.reasoning}, Transcript))
        else:
            unanswered.append(msgspec.convert({**spot, "reason": _why(said)}, Unanswered))
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
        amendments=tuple(map(str, found.amendments)),
        withdrawn=tuple(map(str, found.withdrawn)),
        time_stamped=found.stamped,
        selftest=found.selftest,
        ledger=found.ledger,
        seed=found.draws[-1].drawn.seed if found.draws else UNSET,
        weights=found.weights if found.registration.case.weights is not None else (),
    )


def _answered_twice(name: str, settled: Sequence[Exchange]) -> EvidenceError:
    """Name a question with two answers: whoever may choose between answers can choose the findings."""
    seen: set[Key] = set()
    for model, prompt, sample, replicate in map(key, settled):
        if (model, prompt, sample, replicate) in seen:
            break
        seen.add((model, prompt, sample, replicate))
    return EvidenceError(
        f"{name}: a question is answered twice: {model}, {prompt}, sample {sample}, replicate {replicate}",
        hint="depose asks nothing again that was answered: the log was made up",
    )


def _why(said: Settled) -> str:
    if said.outcome == "failed":
        return said.reason
    if said.outcome == "answered":
        return f"not compared by the protocol: {NAMES[said.status]}"
    name = "empty answer" if said.outcome == "empty" else "blocked"
    return f"{name}: {said.reason.removeprefix('blocked by the provider: ')}" if said.reason else name


def _facts(spec: ModelSpec, found: Entries) -> tuple[Fact, ...]:
    """What an endpoint said of itself, and what its answers say of it."""
    mine = tuple(one for one in found.exchanges if one.model == spec.code)
    bogus = tuple(one for one, at in zip(found.controls, found.places, strict=True) if at == place(spec))
    return (*found.endpoints.get(spec.code, ()), *returned(mine), *heeded(bogus))
