"""Answers from a file, taken into the log: all that can be used, or nothing.

Before anything is written the file is held against what is on record: answers under the same code that read otherwise,
and answers under another code that read the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from depose.answers.line_ends import evened
from depose.asking import collect
from depose.asking.book import record
from depose.case.tables import AS_IT_IS, Wanted
from depose.endpoints.recorded import Recorded, Unaligned
from depose.errors import CaseError, EndpointError, shell
from depose.evidence.ledger import Entries, Reading, key
from depose.evidence.log import Clock, Log
from depose.evidence.records import Described, Key
from depose.model import Ask, Exchange, ModelSpec, Record, Reply

FIRST = 3
"""Rows that are shown for each reason."""
FEWEST_ALIKE = 3
"""Answers that two codes must have in common to be compared, where the files differ."""


class Reason(Record, frozen=True, kw_only=True):
    """Why rows of a file were not used."""

    reason: str
    rows: int
    first: tuple[str, ...]
    """The first of them, written out."""


class Imported(Record, frozen=True, kw_only=True):
    """What an import did, and every row that it could not use."""

    model: str
    planned: int
    answered: int
    blocked: int
    """Recorded as refused or cut by a filter, in the provider's own word."""
    missing: int
    already: int
    whole: bool
    """Whether no row that was meant for a question was left out while that question stays open."""
    format: str
    notes: tuple[str, ...]
    reasons: tuple[Reason, ...]
    unaligned: tuple[str, ...]


def import_answers(
    folder: Path,
    code: str,
    file: Path,
    name: str,
    clock: Clock,
    check: collect.Check = lambda _: None,
    wanted: Wanted = AS_IT_IS,
    *,
    same_on_purpose: bool = False,
) -> Imported:
    """Record the answers of one model from a file; what does not fit a registered prompt is listed.

    Raises CaseError, and leaves the case as it was, where no row can be used, where answers on record read otherwise,
    and where another code has the same answers and nobody said that it is meant.
    """
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        check(found)
        spec = _recorded(found, code)
        source = Recorded(file.absolute(), name or spec.model, wanted)
        planned = tuple(ask for ask in collect.plan(found.registration) if ask.model == code)
        started = clock()
        replies = _replies(source, planned)
        ended = clock()
        settled = {key(one): one for one in found.exchanges if one.model == code and one.outcome != "failed"}
        left = tuple(ask for ask in planned if key(ask) not in settled)
        idle = source.unaligned(planned)
        _as_on_record(folder, code, file, replies, settled)
        _same_snapshot(found, code, source, named=bool(name), standing=bool(settled))
        if not same_on_purpose:
            _nobody_elses(found, spec, source, file, replies)
        usable = [ask for ask in left if replies[key(ask)].outcome != "failed"]
        if left and not usable:
            raise _nothing(file, code, len(left), idle)
        if usable:
            if log.keep(file) != source.digest:
                raise CaseError(f"{file}: was changed while it was read", hint="run the command again")
            log.append("endpoint", Described(model=code, facts=source.facts()))
            for ask in left:
                record(log, ask, replies[key(ask)], started, ended)
    blocked = sum(replies[key(ask)].outcome == "blocked" for ask in usable)
    return Imported(
        model=code,
        planned=len(planned),
        answered=len(usable) - blocked,
        blocked=blocked,
        missing=len(left) - len(usable),
        already=len(planned) - len(left),
        whole=len(usable) == len(left) or not any(row.asked or not row.problem for row in idle),
        format=source.table.format,
        notes=source.table.notes,
        reasons=reasons(idle),
        unaligned=tuple(map(str, idle)),
    )


def _recorded(found: Entries, code: str) -> ModelSpec:
    spec = next((s for s in found.registration.case.models if s.code == code), None)
    if spec is None or spec.provider != "recorded":
        known = ", ".join(s.code for s in found.registration.case.models if s.provider == "recorded")
        raise EndpointError(
            f"{code}: {'not a recorded model' if spec else 'no such model in the case'}",
            hint=f"recorded models: {known or 'none'}",
        )
    return spec


def _replies(source: Recorded, planned: Sequence[Ask]) -> Mapping[Key, Reply]:
    """Look every question up; a row that holds nothing and does not say why leaves its question open."""
    replies = source.ask(planned)
    blank = source.blank(planned)
    return {
        key(ask): msgspec.structs.replace(reply, outcome="failed", reason=reply.reason or "no answer in its row")
        if nothing
        else reply
        for ask, reply, nothing in zip(planned, replies, blank, strict=True)
    }


def _as_on_record(
    folder: Path,
    code: str,
    file: Path,
    replies: Mapping[Key, Reply],
    settled: Mapping[Key, Exchange],
) -> None:
    """Refuse a file that answers otherwise than what is on record under its code."""
    both = [one for place, one in settled.items() if replies[place].outcome == "answered"]
    others = [one for one in both if evened(one.text) != evened(replies[key(one)].text)]
    if others:
        raise CaseError(
            f"{file}: {len(others)} of {len(both)} answers differ from those on record for {code}; "
            f"the first: {others[0].prompt}, sample {others[0].sample}; nothing was recorded",
            hint=f"if those on record are wrong: depose withdraw {shell(folder)} --model {code} --reason TEXT",
        )


def _same_snapshot(found: Entries, code: str, source: Recorded, *, named: bool, standing: bool) -> None:
    """Refuse answers of another model name beside those on record, unless the user names it."""
    before = [fact.value for fact in found.endpoints.get(code, ()) if fact.name == "model in file" and fact.value]
    if standing and before and source.model and source.model not in before and not named:
        raise CaseError(
            f"{code}: its answers on record are of {before[-1]!r}, those of this file of {source.model!r}",
            hint=f"if one code is to stand for both: --name {source.model}; the report then names both",
        )


def _nobody_elses(found: Entries, spec: ModelSpec, source: Recorded, file: Path, replies: Mapping[Key, Reply]) -> None:
    """Refuse answers that stand under another code: the same model of the same file, or most texts equal."""
    mine = {place[1:3]: evened(one.text) for place, one in replies.items() if one.outcome == "answered"}
    theirs: dict[str, dict[tuple[str, int], str]] = {}
    for one in found.exchanges:
        if one.outcome == "answered" and one.model not in (spec.code, spec.repeats):
            theirs.setdefault(one.model, {}).setdefault((one.prompt, one.sample), evened(one.text))
    repeated = {other.code for other in found.registration.case.models if other.repeats == spec.code}
    for code, texts in theirs.items():
        if code in repeated:
            continue
        both = mine.keys() & texts.keys()
        alike = sum(mine[place] == texts[place] for place in both)
        facts = {(fact.name, fact.value) for fact in found.endpoints.get(code, ())}
        one_file = {("file sha256", source.digest), ("model in file", source.model)} <= facts
        if alike and ((one_file and 2 * alike > len(both)) or (len(both) >= FEWEST_ALIKE and 2 * alike > len(both))):
            what = "this file, whose answers stand" if one_file else f"{alike} of {len(both)} answers, which stand"
            raise CaseError(
                f"{file}: {what} under {code} already; nothing was recorded under {spec.code}",
                hint=f"import the file of {spec.code}; if both codes are to have these answers, --same-on-purpose",
            )


def _nothing(file: Path, code: str, left: int, idle: Sequence[Unaligned]) -> CaseError:
    told = "; ".join(f"{one.rows} rows: {one.reason} ({', '.join(one.first)})" for one in reasons(idle)[:4])
    return CaseError(
        f"{file}: no row answers any of the {left} open questions to {code}; nothing was recorded. {told}".strip(),
        hint="prompts are matched by prompt_id, else by their exact words; compare with the registered ones",
    )


def reasons(idle: Sequence[Unaligned]) -> tuple[Reason, ...]:
    """Count the rows that were not used by why, the most frequent reason first, with the first rows of each."""
    rows: dict[str, list[str]] = {}
    for one in idle:
        shown = str(one) if one.registered else f"row {one.line}: {one.prompt[:80]}"
        rows.setdefault(one.problem or "no registered prompt has its id or its words", []).append(shown)
    ordered = sorted(rows.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(Reason(reason=why, rows=len(lines), first=tuple(lines[:FIRST])) for why, lines in ordered)
