"""A day of watching: plan it, ask, compare, stop as soon as a difference is sure, and keep all of it on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from math import log10
from pathlib import Path

import msgspec
import numpy as np

from depose import plugins
from depose.asking import collect
from depose.asking.book import Book
from depose.asking.desk import Desk, batched
from depose.case import casefile
from depose.case.budget import Budget
from depose.custody.unsealed import follows
from depose.endpoints import Endpoint
from depose.errors import EndpointError, ProtocolChanged, UsageError, shell
from depose.evidence import ledger
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.ledger import Entries
from depose.evidence.log import Clock, Log, is_sealed
from depose.evidence.records import Described
from depose.model import Ask, Dossier
from depose.model.canonical import sha256
from depose.model.random_streams import stream
from depose.statistics import ranks
from depose.statistics.evalues import calibrated, e_bh
from depose.statistics.rounding import tidy
from depose.statistics.substitution import Look, Substitution
from depose.watch.as_asked import answers_follow
from depose.watch.asked import Asked
from depose.watch.days import FOLDER, Day, History, Outcome, Paired, Planned, Power, day_name, history, of_this_case
from depose.watch.plan import Kept, Wanted, changed, kept_answers, names_of, order_of, paired
from depose.watch.power import powers

ENOUGH = 0.5
"""Share of the planned calls that must have an answer for "no difference found"."""
RATE = 0.1
"""False-discovery rate of e-BH over the models of a day."""
LEAST = 1e-300
"""Smallest p of which an e-value is made: numbers end there."""
MOST_OTHERS = 6
"""Other models of the case against which power is said."""


def watch(path: Path, wanted: Wanted, clock: Clock, progress: collect.Progress) -> tuple[Day, ...]:
    """Ask each watched model until its answers differ from the kept ones or the calls are used up.

    Raises EvidenceError where an answer of the case does not follow from its raw bytes or its file, and EndpointError
    where no model gave an answer; a day that was broken off is on record and has no finding.
    """
    if not 0 < wanted.alpha <= 0.2:
        raise UsageError(f"--alpha {wanted.alpha}: not above 0 and at most 0.2", hint="0.01 is the default")
    folder = casefile.folder_of(path)
    follows(folder)
    entries = ledger.entries(folder)
    dossier = collect.dossier_of(entries, str(folder))
    if wanted.recorded:
        return _together(_recorded(wanted, dossier, entries))
    _as_registered(folder, entries)
    past, home = History(), folder / FOLDER
    home.mkdir(exist_ok=True)
    with Log(home, clock, past.add) as log:
        of_this_case(past, folder)
        answers_follow(folder)
        pairs = paired(wanted, dossier, entries.exchanges, past)
        at = clock()
        seed = int(sha256(f"{log.head} {at}".encode())[:12], 16)
        planned = Planned(
            case_head=entries.end, sealed=is_sealed(folder), alpha=wanted.alpha, seed=seed, pairs=tuple(pairs.values())
        )
        log.append("watch", planned)
        log.sync()
        kept = {code: _kept(pair, dossier, entries, past) for code, pair in pairs.items()}
        asked = {
            code: Asked(
                pair,
                kept[code].texts,
                _asks(pair, entries, wanted.calls, seed),
                dossier.registration.case.protocol,
                wanted.alpha / len(pairs),
                seed,
            )
            for code, pair in pairs.items()
        }
        stopped = _ask(log, folder, entries, asked, clock, progress)
        if not any(one.compared for one in asked.values()):
            raise EndpointError(
                f"nothing was answered: {_reason(asked.values()) or stopped or 'nothing was asked'}",
                hint="the failures are in the log of watch/",
            )
        days = _together([_day(at, wanted, one, kept[code], dossier, past, stopped) for code, one in asked.items()])
        for day in days:
            log.append("watched", day)
    return days


def _as_registered(folder: Path, entries: Entries) -> None:
    """Refuse to ask under a case file that was changed since: what it says now would not be what is asked."""
    if (folder / casefile.NAME).exists() and casefile.read(folder) != entries.written.case:
        raise ProtocolChanged(
            f"{folder / casefile.NAME}: differs from the registered protocol, whose models are the ones that are asked",
            hint=f"restore it, or record the change: depose amend {shell(folder)} --reason TEXT",
        )


def _reason(asked: Iterable[Asked]) -> str:
    """Say why nothing was answered: what failed, or how answers without words ended."""
    every = [one for each in asked for one in each.exchanges]
    if failed := next((one.reason for one in every if one.reason), ""):
        return failed
    ends = sorted({one.finish for one in every if one.finish})
    said = f" (ended by {', '.join(ends)[:80]})" if ends else ""
    return f"{len(every)} answers without words that are compared{said}" if every else ""


def earlier(path: Path) -> tuple[Day, ...]:
    """List what was found on all days of watching, in their order."""
    folder = casefile.folder_of(path)
    found = history(folder / FOLDER).days
    answers_follow(folder)
    return tuple(found)


def _kept(pair: Paired, dossier: Dossier, entries: Entries, past: History) -> Kept:
    return kept_answers(pair.model, pair.against, pair.since, dossier, entries.exchanges, past)


def _asks(pair: Paired, entries: Entries, calls: int, seed: int) -> tuple[Ask, ...]:
    """List the questions of a day, in the order in which they are asked."""
    every = (one for one in ledger.asks(entries.registration) if one.model == pair.model)
    first = {one.prompt: one for one in every if one.sample == one.replicate == 0}
    seen = dict.fromkeys(pair.prompts, 0)
    made = []
    for place in order_of(pair, calls, stream(seed, "order", pair.model)):
        prompt = pair.prompts[place]
        made.append(msgspec.structs.replace(first[prompt], sample=seen[prompt], seed=seed))
        seen[prompt] += 1
    return tuple(made)


def _ask(
    log: Log, folder: Path, entries: Entries, asked: Mapping[str, Asked], clock: Clock, progress: collect.Progress
) -> str:
    """Ask until every model differs or its questions are used up; why it stopped before that, or nothing."""
    case = entries.registration.case
    specs = tuple(spec for spec in case.models if spec.code in asked)
    endpoints: dict[str, Endpoint] = {}
    for spec in specs:
        endpoints[spec.code] = plugins.load("providers", spec.provider)(spec, folder)
        log.append("endpoint", Described(model=spec.code, facts=endpoints[spec.code].facts()))
    budget = Budget(case, ())
    book = Book(log, {spec.code for spec in specs}, Checkpoints(), progress)
    desk = Desk(specs, endpoints, budget, clock)
    seen = 0

    def hear() -> None:
        nonlocal seen
        for one in book.recorded[seen:]:
            if one.wire is None or not one.wire.again:
                asked[one.model].take(one)
        seen = len(book.recorded)

    def wanted() -> Iterator[Ask]:
        rows = zip_longest(*(one.asks for one in asked.values()))
        for ask in (ask for row in rows for ask in row if ask is not None):
            hear()
            if not asked[ask.model].enough():
                yield ask

    desk.run(batched(wanted(), endpoints), book, lambda number: None)
    hear()
    for one in asked.values():
        one.enough()
    return budget.stopped or "; ".join(desk.given_up.values())


def _day(at: str, wanted: Wanted, asked: Asked, kept: Kept, dossier: Dossier, past: History, stopped: str) -> Day:
    pair, tested = asked.pair, asked.tested()
    earlier = [
        one for one in past.days if (one.model, one.against, one.since) == (pair.model, pair.against, pair.since)
    ]
    final = asked.exchanges
    outcome: Outcome = "no difference found"
    if tested.rejected_at is not None:
        outcome = "different"
    elif asked.compared < ENOUGH * len(asked.asks):
        outcome = "inconclusive"
    counts = [one.wire for one in final if one.wire is not None]
    tokens = [(one.input_tokens or 0) + (one.output_tokens or 0) for one in counts if one.output_tokens is not None]
    gap = asked.discrepancy()
    return Day(
        at=at,
        model=pair.model,
        against=pair.against,
        since=pair.since,
        kept_from=f"{kept.first} to {kept.last}",
        outcome=outcome,
        alpha=wanted.alpha,
        p=tidy(tested.p),
        p_holm=1.0,
        tested=_tidied(tested),
        planned=len(asked.asks),
        asked=len(final),
        failed=len(final) - asked.compared,
        tokens=sum(tokens) if tokens and len(tokens) == len(final) else None,
        discrepancy=None if gap is None else tidy(gap),
        p_all_days=tidy(asked.all_days([past.answers[day_name(one)] for one in earlier])),
        days=len(earlier) + 1,
        settings=pair.settings,
        named=changed(kept.names, names_of(final)),
        power=() if outcome == "different" else _power(pair, kept, wanted, dossier),
        kept_asked=kept.asked,
        kept_failed=kept.failed,
        p_failed=tidy(missing(len(final) - asked.compared, len(final), kept.failed, kept.asked)),
        stopped="" if outcome == "different" else stopped,
    )


def missing(failed: int, asked: int, kept_failed: int, kept_asked: int) -> float:
    """Return the p-value of answers missing as often now as among the kept (Fisher 1922, two-sided)."""
    from scipy.stats import fisher_exact

    table = np.array([[failed, asked - failed], [kept_failed, kept_asked - kept_failed]])
    return float(fisher_exact(table).pvalue)


def _tidied(tested: Substitution) -> Substitution:
    return msgspec.structs.replace(
        tested,
        p=tidy(tested.p),
        log10_e=tidy(tested.log10_e),
        looks=tuple(Look(calls=one.calls, p=tidy(one.p)) for one in tested.looks),
    )


def _together(days: Sequence[Day]) -> tuple[Day, ...]:
    """Adjust over the models of one day; what differs after Holm, differs. Beside it stands what e-BH chooses.

    p is valid whenever one stops, so that its calibrated e-value is one too; a value of the e-process at a moment that
    the answers themselves choose need not be.
    """
    adjusted = ranks.holm([one.p for one in days])
    chosen = e_bh([log10(calibrated(max(one.p, LEAST))) for one in days], RATE)
    made = []
    for place, (one, p) in enumerate(zip(days, adjusted, strict=True)):
        kept: Outcome = "no difference found" if one.outcome == "different" else one.outcome
        outcome: Outcome = "different" if p <= one.alpha else kept
        made.append(msgspec.structs.replace(one, p_holm=tidy(p), outcome=outcome, e_bh=place in chosen))
    return tuple(made)


def _recorded(wanted: Wanted, dossier: Dossier, entries: Entries) -> list[Day]:
    """Compare what is on record of each model with what is on record of another one; nothing is asked."""
    past, protocol = History(), dossier.registration.case.protocol
    pairs = paired(wanted, dossier, entries.exchanges, past)
    made = []
    for code, pair in pairs.items():
        if code == pair.against:
            raise UsageError(
                f"{code}: would be compared with itself", hint="--model CODE --against CODE names two models"
            )
        pair = msgspec.structs.replace(pair, rounds=protocol.samples)
        asks = [one for one in ledger.asks(entries.registration) if one.model == code and one.replicate == 0]
        asks = sorted((one for one in asks if one.prompt in pair.prompts), key=lambda one: one.sample)
        kept = _kept(pair, dossier, entries, past)
        asked = Asked(pair, kept.texts, asks, protocol, wanted.alpha / len(pairs), protocol.seed)
        for one in entries.exchanges:
            if one.model == code and one.replicate == 0 and one.prompt in pair.prompts:
                asked.take(one)
        made.append(_day(kept.last, wanted, asked, kept, dossier, past, ""))
    return made


def _power(pair: Paired, kept: Kept, wanted: Wanted, dossier: Dossier) -> tuple[Power, ...]:
    """Say what the same calls would have found of the other models of the case that answered every prompt."""
    others: dict[str, list[list[str]]] = {}
    for spec in dossier.registration.case.models:
        if spec.code in (pair.model, pair.against) or len(others) == MOST_OTHERS:
            continue
        said: dict[str, list[str]] = {prompt: [] for prompt in pair.prompts}
        for one in dossier.transcripts:
            if one.model == spec.code and one.prompt in said:
                said[one.prompt].append(one.text)
        if all(said.values()):
            others[spec.code] = list(said.values())
    before = [kept.texts[prompt] for prompt in pair.prompts]
    return powers(before, others, pair.rounds, wanted.alpha, stream(0, "power", pair.model))
