"""Groups to deliveries for the line-up: what was answered to their accounts, and to alike accounts of none.

Groups that nothing ties but their prompts are left out, and so are accounts that a standing community brought in. The
list of accounts is written into the log before a delivery is: whoever asks a suspect afterwards can show that the
accounts were chosen without it. Alike accounts are drawn by a registered stream from those of no group, as many, of the
same stratum.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from depose.errors import CaseError
from depose.evidence.log import Clock, Log, write_whole
from depose.evidence.workspace import held
from depose.extraction import accounts as conformal
from depose.extraction import conduct, features, onward, plan, tables
from depose.extraction import manifest as manifest_of
from depose.extraction.engine import engine, listed
from depose.extraction.findings import hexed, named
from depose.extraction.masking import words_of
from depose.extraction.sources.fields import parsed
from depose.model import Fact, Record
from depose.model.canonical import canonical, sha256
from depose.model.random_streams import stream

FILE = "deliveries.jsonl"
CONTEXT = 6
"""Place of the context in a row."""
BEYOND_WORDS = "answers to images, files, calls of tools or thoughts, which no context of a line-up holds"
CACHED = "answers out of a cache, which were drawn for another request, it may be for another prompt"
UNASKED = "answers to nothing in words, or to what the log does not hold"
OTHERWISE = "answers under other settings than most, such as stops or a format, which no field of a delivery holds"
ROLES = {"system": "system", "developer": "system", "assistant": "assistant", "model": "assistant", "gpt": "assistant",
         "tool": "tool", "function": "tool"}  # fmt: skip
"""Roles of the line-up by those of logs; anybody else is the user."""


class Chosen(Record, frozen=True, kw_only=True):
    """The accounts whose answers are tested, sealed before the suspect is asked: the body of a record of the log."""

    findings: str
    accused: tuple[Fact, ...]
    """Group and account."""
    alike: tuple[Fact, ...]
    """The same for accounts of no group."""


class Counted(Record, frozen=True, kw_only=True):
    """Deliveries of one side of a group."""

    group: str
    accounts: int
    deliveries: int


class Delivered(Record, frozen=True, kw_only=True):
    """What was written."""

    file: str
    sealed: str
    """Digest of the record that holds the accounts."""
    table: str
    """File of the fields of [lineup] that follow from the scan."""
    case: str
    """The case file that they were put into; empty where none was named."""
    left_out: tuple[Fact, ...]
    """Answers that no line-up can hold, by why."""
    settings: str
    """What all were asked with that no field of a delivery holds, as JSON; empty for nothing."""
    kinds: tuple[Fact, ...]
    """Where not all can be drawn for at once: the file of each kind, and its settings."""
    groups: tuple[Counted, ...]


def write(case: Path, out: Path | None, most: int, clock: Clock, into: Path | None = None) -> Delivered:
    """Seal the accounts, and write deliveries in the fields of the line-up; raise CaseError where there is nothing.

    Accounts, their groups and alike accounts go into the case of the line-up `into`, as it will register them.
    """
    folder = plan.folder_of(case)
    found = conduct.read_findings(folder)
    manifest = manifest_of.read_manifest(folder)
    registered = plan.read(folder)
    words = [folder / "events" / one.path for one in manifest.files if one.path.startswith("texts/")]
    tied = tuple(one for one in found.groups if one.tied_by)
    if not tied:
        raise CaseError(
            f"{folder}: no group in which concert is shown, so that there is nobody to line up",
            hint="see the report: prompts in common are a lead, for people who know the customers",
        )
    if not words:
        raise CaseError(f"{folder}: no answers were kept", hint="import the logs with --keep-text into a new case")
    made = tables.read(folder / "out" / "tables")
    accused = named(tied)
    grouped = {member.account for group in found.groups for member in group.accounts}
    alike = _alike(registered, made, accused, grouped)
    if into is not None:
        onward.put(into, onward.table_of(accused, alike, "", most))
    with held(folder), Log(folder, clock) as log:
        body = Chosen(
            findings=sha256(canonical(found)),
            accused=tuple(Fact(name=group, value=one) for one, group in sorted(accused.items())),
            alike=tuple(Fact(name=group, value=one) for one, group in sorted(alike.items())),
        )
        sealed = log.append("extraction-accounts", body)
    goal = (out or folder / "out" / "lineup") / FILE
    goal.parent.mkdir(parents=True, exist_ok=True)
    sides: tuple[tuple[Literal["accused", "matched"], dict[str, str]], ...] = (("accused", accused), ("matched", alike))
    taken: list[tuple[str, str, list[Any]]] = []
    left: Counter[str] = Counter()
    events = [folder / "events" / one.path for one in manifest.files if not one.path.startswith("texts/")]
    with engine(folder / "out") as db:
        tables.view(db, events)
        db.execute(f"CREATE VIEW words AS SELECT * FROM read_parquet({listed(words)}, hive_partitioning = false)")  # noqa: S608
        for side, chosen in sides:
            for code in sorted(set(chosen.values())):
                members = sorted(int(one, 16) for one, group in chosen.items() if group == code)
                rng = stream(registered.tests.seed, "deliveries", side, code)
                rows = _rows(db, members, registered, most, rng, left)
                taken.append((code, side, _able(rows, left)))
    usual = _usual(taken)
    lines: list[bytes] = []
    by_kind: dict[str, list[bytes]] = {}
    counted = []
    for code, own, rows in taken:
        kept = [row for row in rows if _settings(row) == usual]
        left[OTHERWISE] += len(rows) - len(kept)
        for one in (delivery_of(row, own) for row in kept):
            lines.append(canonical(one))
            by_kind.setdefault(_kind(one), []).append(lines[-1])
        accounts = sum(group == code for group in (accused if own == "accused" else alike).values())
        counted.append(Counted(group=f"{code} {own}", accounts=accounts, deliveries=len(kept)))
    if not any(one.deliveries for one in counted if one.group.endswith("accused")):
        why = "; ".join(f"{count} {name}" for name, count in left.items() if count)
        raise CaseError(
            f"{folder}: no answer to the accounts of the groups: {why or 'none was kept, or all requests failed'}",
            hint="look at the words and the status of the log; with --map, at what they are mapped to",
        )
    write_whole(goal, b"".join(line + b"\n" for line in lines))
    kinds = []
    for number, (kind, some) in enumerate(sorted(by_kind.items()) if len(by_kind) > 1 else (), 1):
        file = goal.with_name(f"{goal.stem}-{number}{goal.suffix}")
        write_whole(file, b"".join(line + b"\n" for line in some))
        kinds.append(Fact(name=str(file), value=kind))
    fields = onward.table_of(accused, alike, sealed, most)
    text = goal.with_name(onward.FILE)
    write_whole(text, onward.text_of(fields).encode())
    put = onward.into(into, fields) if into is not None else ""
    return Delivered(
        file=str(goal),
        sealed=sealed,
        table=str(text),
        case=put,
        left_out=tuple(Fact(name=name, value=str(count)) for name, count in left.items() if count),
        settings=usual,
        kinds=tuple(kinds),
        groups=tuple(counted),
    )


def _able(rows: Sequence[Any], left: Counter[str]) -> list[Any]:
    """Keep the answers to words alone: an image is in no context, so that no filler would answer to it."""
    asked = [row for row in rows if any(one["content"].strip() for one in _turns(json.loads(row[CONTEXT])))]
    kept = [row for row in asked if _in_words(json.loads(row[CONTEXT]).get("messages"))]
    left[UNASKED] += len(rows) - len(asked)
    left[BEYOND_WORDS] += len(asked) - len(kept)
    return kept


def _kind(one: dict[str, Any]) -> str:
    """Name what deliveries have in common for which `lineup draw` draws at once: the rest is set for each."""
    left = [name for name in ("temperature", "max_tokens") if name not in one]
    said = [
        one["reference_snapshot"] or "no state named",
        f"top_p {one['top_p']:g}" if "top_p" in one else "no top_p",
        *(f"no {name}" for name in left),
    ]
    return ", ".join(said)


def _settings(row: Any) -> str:
    said = json.loads(row[CONTEXT]).get("settings")
    return json.dumps(said, sort_keys=True) if said else ""


def _usual(taken: Sequence[tuple[str, str, list[Any]]]) -> str:
    """Return the further settings of most answers: fillers are drawn under one set of them."""
    found = Counter(_settings(row) for _, _, rows in taken for row in rows)
    return max(sorted(found), key=lambda one: found[one]) if found else ""


def _in_words(value: Any) -> bool:
    """Tell whether messages are words and nothing else: no image, file, call of a tool or thought."""
    if isinstance(value, list):
        return all(map(_in_words, value))
    if not isinstance(value, dict):
        return True
    if any(value.get(name) for name in ("tool_calls", "function_call")) or str(value.get("type")).startswith("tool"):
        return False
    inner = [value[name] for name in ("content", "parts") if isinstance(value.get(name), list | dict)]
    spoken = any(isinstance(value.get(name), str) for name in ("content", "text", "value"))
    return all(map(_in_words, inner)) if inner else spoken or not value.keys() - {"role", "type", "content", "name"}


def _alike(
    case: plan.ExtractionFile, made: tables.Tables, accused: dict[str, str], grouped: set[str]
) -> dict[str, str]:
    """Draw for each group as many accounts of no group, of the same strata."""
    table = made.by_name["accounts"]
    names = [hexed(one) for one in table["account"].to_numpy()]
    strata = conformal.strata_of(features.strata(table, case.strata.by), len(names))[:, -1]
    free = np.array([one not in grouped for one in names])
    rng = stream(case.tests.seed, "alike")
    found: dict[str, str] = {}
    for code in sorted(set(accused.values())):
        mine = np.array([accused.get(one) == code for one in names])
        for stratum in np.unique(strata[mine]):
            pool = np.flatnonzero(free & (strata == stratum))
            count = min(int((mine & (strata == stratum)).sum()), len(pool))
            for place in rng.choice(pool, size=count, replace=False):
                found[names[place]] = code
                free[place] = False
    return found


def _rows(
    db: Any, members: list[int], case: plan.ExtractionFile, most: int, rng: np.random.Generator, left: Counter[str]
) -> list[Any]:
    """Return deliveries to accounts in the tested period, at most so many, drawn without a look at them."""
    first, end = case.period.tested[0], plan.before(case.period.tested)
    every = db.execute(
        "SELECT e.event, e.account, e.ts, e.model_served, e.temperature, e.max_tokens, "
        "w.context, w.response, w.finish_reason, coalesce(e.cache_hit, false) "
        "FROM events e JOIN words w ON w.event = e.event "
        "WHERE e.account IN (SELECT unnest(?::UBIGINT[])) AND e.ts >= ?::TIMESTAMP AND e.ts < ?::TIMESTAMP "
        "AND w.response <> '' AND e.status IN ('ok', 'success') ORDER BY e.event",
        [members, first, end],
    ).fetchall()
    rows = [row[:-1] for row in every if not row[-1]]
    left[CACHED] += len(every) - len(rows)
    if len(rows) > most:
        rows = [rows[place] for place in sorted(rng.choice(len(rows), size=most, replace=False).tolist())]
    return list(rows)


def delivery_of(row: Any, side: str) -> dict[str, Any]:
    """Write one delivery in the fields of the line-up: its messages, a system prompt among them, and its answer.

    It names no draw: a log does not say which answers came from a cache, and one draw that was delivered twice would
    count as two. Without the name the line-up counts the first delivery of a context alone.
    """
    event, account, at, model, temperature, max_tokens, context, response, ended = row
    said = json.loads(context)
    tools = parsed(said.get("tools"))
    found = {
        "delivery_id": hexed(event),
        "messages": _turns(said),
        "text": response,
        "text_sha256": sha256(response.encode()),
        "tools": [one for one in tools if isinstance(one, dict)] if isinstance(tools, list) else None,
        "account_code": hexed(account),
        "account_group": side,
        "delivered_at": at.isoformat(timespec="microseconds") + "Z",
        "reference_snapshot": model or "",
        "temperature": temperature,
        "top_p": said.get("top_p"),
        "seed": said.get("seed"),
        "max_tokens": max_tokens,
        "finish_reason": ended,
    }
    return {name: value for name, value in found.items() if value is not None}


def _turns(said: dict[str, Any]) -> list[dict[str, str]]:
    """Return the messages of a context as role and content."""
    messages = said.get("messages")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    turns = [{"role": "system", "content": str(said["system"])}] if said.get("system") else []
    for one in messages if isinstance(messages, list) else []:
        if isinstance(one, dict):
            role = ROLES.get(str(one.get("role", one.get("from", "user"))).lower(), "user")
            turns.append({"role": role, "content": words_of(one.get("content", one.get("parts", one.get("value"))))})
    return turns
