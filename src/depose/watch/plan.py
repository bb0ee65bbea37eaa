"""Which models are asked on a day of watching, about what, and with which kept answers they are compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from depose.answers.line_ends import evened
from depose.answers.settle import compared, of_exchange
from depose.errors import CaseError, UsageError
from depose.model import Case, Dossier, Exchange, Fact, ModelSpec, Protocol, Record, setting
from depose.watch.days import History, Paired, day_name

_DAY = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T[0-2]\d(:[0-5]\d(:[0-5]\d(\.\d+)?)?)?Z?)?)?)?\Z")
"""The beginning of a time as the log has it, of which earlier and later are told letter by letter."""
Texts = dict[str, list[str]]
"""Answers to each prompt that has one, in the order in which they came."""

SETTINGS = ("provider", "model", "revision", "base_url", "route", "adapter", "system", "parameters")
"""What decides an answer besides temperature and length, which a protocol may give."""


class Wanted(Record, frozen=True, kw_only=True):
    """What the user asks for."""

    models: tuple[str, ...] = ()
    """Codes; none: every suspect and reference that can be asked."""
    against: str = ""
    """Code of the model whose answers are the kept ones; none: its own, or else the reference's."""
    since: str = ""
    """Compare with the answers of the first day of watching from this date on, instead of those of the case."""
    calls: int = 200
    """To each model at most."""
    alpha: float = 0.01
    recorded: bool = False
    """Ask nothing: compare what is on record of two models."""


class Kept(Record, frozen=True, kw_only=True):
    """Answers that new ones are compared with."""

    texts: Texts
    first: str
    last: str
    names: tuple[Fact, ...]
    """What the provider called its model and its configuration."""
    asked: int
    """Questions that were asked for them."""
    failed: int
    """Of these, those without an answer that is compared."""


def paired(wanted: Wanted, dossier: Dossier, exchanges: Sequence[Exchange], past: History) -> dict[str, Paired]:
    """Say what each model is asked and compared with, by its code; raise where there is nothing to compare with."""
    case = dossier.registration.case
    specs = {spec.code: spec for spec in case.models}
    made = {}
    for spec in _chosen(wanted, case, specs):
        against = _against(wanted, spec, dossier)
        kept = kept_answers(spec.code, against, _since(wanted, spec.code, past), dossier, exchanges, past)
        prompts = tuple(one.id for one in dossier.registration.prompts if one.id in kept.texts)
        made[spec.code] = Paired(
            model=spec.code,
            against=against,
            since=_since(wanted, spec.code, past),
            prompts=prompts,
            kept=sum(map(len, kept.texts.values())),
            rounds=max(1, wanted.calls // len(prompts)),
            settings=differing(specs[against], spec, case.protocol),
        )
    return made


def _chosen(wanted: Wanted, case: Case, specs: Mapping[str, ModelSpec]) -> Iterable[ModelSpec]:
    for code in (*wanted.models, *([wanted.against] if wanted.against else [])):
        if code not in specs:
            raise UsageError(f"{code}: no such model in the case", hint=f"models: {', '.join(specs)}")
    if wanted.models:
        chosen = [specs[code] for code in dict.fromkeys(wanted.models)]
    else:
        chosen = [spec for spec in case.models if spec.role in ("suspect", "reference") and spec.code != wanted.against]
        chosen = [spec for spec in chosen if wanted.recorded or spec.provider != "recorded"]
    for spec in chosen:
        if spec.provider == "recorded" and not wanted.recorded:
            raise UsageError(
                f"{spec.code}: its answers are recorded, and cannot be asked for again",
                hint="--recorded compares what is on record; or watch a model that has an endpoint",
            )
    if not chosen:
        raise UsageError(
            "no suspect or reference can be asked", hint="--recorded compares what is on record; --model CODE"
        )
    return chosen


def _against(wanted: Wanted, spec: ModelSpec, dossier: Dossier) -> str:
    case = dossier.registration.case
    if wanted.against:
        return wanted.against
    own = any(one.model == spec.code for one in dossier.transcripts)
    if own and not wanted.recorded:
        return spec.code
    reference = next((one.code for one in case.models if one.role == "reference" and one.code != spec.code), "")
    return reference or spec.code


def _since(wanted: Wanted, code: str, past: History) -> str:
    if not wanted.since:
        return ""
    if not _DAY.match(wanted.since):
        raise UsageError(
            f"--since {wanted.since[:40]}: not a date as the log has them",
            hint="a year, month or day: --since 2026-11-28",
        )
    found = next((one for one in past.days if one.model == code and one.at >= wanted.since), None)
    if found is None:
        raise UsageError(
            f"{code}: was not watched on {wanted.since} or later",
            hint="days of watching: " + (", ".join(sorted({one.at[:10] for one in past.days})) or "none"),
        )
    return found.at


def kept_answers(
    code: str, against: str, since: str, dossier: Dossier, exchanges: Sequence[Exchange], past: History
) -> Kept:
    """Collect the answers that new ones are compared with; raise CaseError where there are none."""
    protocol = dossier.registration.case.protocol
    if since:
        day = next(one for one in past.days if one.model == code and one.at == since)
        mine = past.answers[day_name(day)]
    else:
        mine = [one for one in exchanges if one.model == against]
    texts: Texts = defaultdict(list)
    given: list[Exchange] = []
    for one in sorted(mine, key=lambda one: (one.sample, one.replicate)):
        if (text := answer_of(one, protocol)) is not None:
            texts[one.prompt].append(text)
            given.append(one)
    if not given:
        raise CaseError(
            f"{against}: has no answers to compare with",
            hint="depose probe CASE asks for them; samples = 20 in [protocol] makes the test sharp",
        )
    return Kept(
        texts=dict(texts),
        first=min(one.started for one in given),
        last=max(one.ended for one in given),
        names=names_of(given),
        asked=(asked := sum(one.wire is None or not one.wire.again for one in mine)),
        failed=asked - len(given),
    )


def answer_of(one: Exchange, protocol: Protocol) -> str | None:
    """Return the words of an answer that the protocol compares, or None."""
    said = of_exchange(one)
    if said.outcome not in ("answered", "blocked") or not compared(protocol, said.status):
        return None
    return evened(said.text) or None


def names_of(given: Sequence[Exchange]) -> tuple[Fact, ...]:
    """List what providers called the model and its configuration."""
    wires = [one.wire for one in given if one.wire is not None]
    seen = {
        "model": sorted({one.model_returned for one in wires if one.model_returned}),
        "fingerprint": sorted({one.fingerprint for one in wires if one.fingerprint}),
    }
    return tuple(Fact(name=name, value=", ".join(values)) for name, values in seen.items() if values)


def changed(then: Sequence[Fact], now: Sequence[Fact]) -> tuple[Fact, ...]:
    """Say which of what both name differs."""
    before = {one.name: one.value for one in then}
    differ = [one for one in now if one.name in before and before[one.name] != one.value]
    return tuple(Fact(name=one.name, value=f"{before[one.name]} -> {one.value}") for one in differ)


def differing(then: ModelSpec, now: ModelSpec, protocol: Protocol) -> tuple[Fact, ...]:
    """List the registered settings in which two models differ."""
    pairs = {name: (getattr(then, name), getattr(now, name)) for name in SETTINGS}
    pairs |= {
        name: (setting(then, protocol, name), setting(now, protocol, name)) for name in ("temperature", "max_tokens")
    }
    return tuple(
        Fact(name=name, value=f"{_shown(old)} -> {_shown(new)}") for name, (old, new) in pairs.items() if old != new
    )


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode() if isinstance(value, dict) else str(value) or "none"


def order_of(pair: Paired, calls: int, rng: np.random.Generator) -> list[int]:
    """Draw the order of the prompts, round by round; of more prompts than calls a part is asked once."""
    size = len(pair.prompts)
    if size > calls:
        return [int(one) for one in rng.permutation(size)[:calls]]
    return [int(one) for _ in range(pair.rounds) for one in rng.permutation(size)]
