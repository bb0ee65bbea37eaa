"""Checks the log of watching as it lies, before a day is compared with another one.

Nobody seals it: whoever can write the folder can write another one. What they cannot do is to make an answer follow
from raw bytes that hold another, or from a question that the plan of its day does not ask.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import msgspec

from depose.custody.bundle import Asked
from depose.custody.described import odd_description
from depose.custody.rederive import again
from depose.custody.unsealed import Lying, check_blobs, read_as_it_lies
from depose.custody.verified import as_evidence
from depose.errors import EvidenceError
from depose.evidence import ledger
from depose.evidence.log import Chained, log_path, read_log
from depose.evidence.records import Amendment, Described, Drawn
from depose.model import Ask, Exchange, Fact, Registration
from depose.watch.days import FOLDER, Planned


def answers_follow(folder: Path) -> list[str]:
    """Check that each answer in the log of watching of a case follows from its raw bytes; say what cannot be told.

    Raises EvidenceError at the first that does not.
    """
    home = folder / FOLDER
    if not log_path(home).is_file():
        return []
    with as_evidence(home):
        lying = Lying(home)
        check_blobs(lying)
        heads = {ledger.body(one, Planned).case_head for one in read_log(home) if one.entry.kind == "watch"}
        in_force = _in_force(folder, heads)
        read = read_as_it_lies(folder)._replace(bundle=lying)
    try:
        with as_evidence(home):
            return again(read, _asked(home, in_force))
    except EvidenceError as error:
        raise EvidenceError(f"{home}: {error.message}", hint=error.hint) from error


def _in_force(folder: Path, heads: Collection[str]) -> dict[str, Registration]:
    """Return the protocol that was in force at each of some records of the case."""
    found, registration = dict[str, Registration](), None
    for one in read_log(folder):
        registration = _registered(one) or registration
        if one.digest in heads and registration is not None:
            found[one.digest] = registration
    return found


def _registered(one: Chained) -> Registration | None:
    """Return the protocol that a record puts in force, if it does."""
    if one.entry.kind == "protocol":
        return ledger.body(one, Registration)
    if one.entry.kind == "amendment":
        return ledger.body(one, Amendment).registration
    return ledger.body(one, Drawn).registration if one.entry.kind == "seed" else None


def _asked(home: Path, in_force: dict[str, Registration]) -> Iterator[tuple[Asked, Ask | None]]:
    """Yield each exchange with the question that its day asks of its model in that place, if it does."""
    firsts: dict[str, dict[tuple[str, str], Ask]] = {}
    described: dict[str, tuple[Fact, ...]] = {}
    day: Planned | None = None
    for one in read_log(home):
        if one.entry.kind == "watch":
            day, described = ledger.body(one, Planned), {}
        registration = in_force.get(day.case_head) if day else None
        if day is None or registration is None:
            continue
        if one.entry.kind == "endpoint":
            said = ledger.body(one, Described)
            described[said.model] = said.facts
            if odd := odd_description(one, said, registration):
                raise odd
        elif one.entry.kind == "exchange":
            exchange = ledger.body(one, Exchange)
            if day.case_head not in firsts:
                every = ledger.asks(registration)
                firsts[day.case_head] = {(q.model, q.prompt): q for q in every if q.sample == q.replicate == 0}
            first = firsts[day.case_head].get((exchange.model, exchange.prompt))
            facts = described.get(exchange.model, ())
            ask = first and msgspec.structs.replace(first, sample=exchange.sample, seed=day.seed)
            yield Asked(one.entry.seq, exchange, registration, facts, control=False), ask
