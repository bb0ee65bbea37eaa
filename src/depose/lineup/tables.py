"""Score tables and bags as bytes, and back: nothing that a file says is believed before it was checked."""

from __future__ import annotations

from math import isfinite
from typing import TypeVar

import msgspec
from msgspec import UnsetType

from depose.errors import CaseError
from depose.lineup.bags import KEY_FORMAT, SALT, place_of
from depose.model import Record
from depose.model.canonical import UNREADABLE, sha256
from depose.model.lineup import Bag, LineupKey, ScoreTable

Kind = TypeVar("Kind", bound=Record)


LARGEST = 1e15
"""Of a score, on both sides: beyond it nothing is a log-likelihood, and differences lose what they are of."""


def read_bags(data: bytes, name: str) -> tuple[Bag, ...]:
    """Read a file of bags; raise CaseError where a line is none, or a name stands twice."""
    found = []
    for number, line in enumerate(data.splitlines(), 1):
        one = _decoded(line, Bag, f"{name}: line {number}", "bag", "depose lineup build writes it")
        if len(set(one.members)) < len(one.members):
            raise CaseError(f"{name}: line {number}: a member stands twice", hint="equal draws are one member")
        found.append(one)
    if len({one.bag for one in found}) < len(found):
        raise CaseError(f"{name}: a bag stands twice", hint="depose lineup build writes each once")
    return tuple(found)


def table_file(table: ScoreTable) -> bytes:
    """Write a table of scores as JSON."""
    return msgspec.json.encode(table, order="deterministic") + b"\n"


def read_table(data: bytes, bags: bytes, name: str) -> ScoreTable:
    """Read a table of scores of these bags; raise CaseError for other bags, another shape, or a score that is none."""
    table = _decoded(data, ScoreTable, name, "table of scores", "depose lineup score writes it")
    if table.bags != sha256(bags):
        raise CaseError(
            f"{name}: scores other bags: {table.bags[:12]}..., not {sha256(bags)[:12]}...",
            hint="score the file of bags that the case was built with",
        )
    shape = [len(one.members) for one in read_bags(bags, "bags")]
    if [len(row) for row in table.scores] != shape:
        raise CaseError(f"{name}: has not one score for each member of each bag", hint="score all bags, in order")
    if not isinstance(table.passages, UnsetType) and [len(row) for row in table.passages] != shape:
        raise CaseError(
            f"{name}: has not one passage for each member of each bag", hint="depose lineup score writes it"
        )
    for number, row in enumerate(table.scores, 1):
        if not all(map(isfinite, row)):
            raise CaseError(f"{name}: bag {number} has a score that is no number", hint="every member needs a score")
        if max(map(abs, row)) > LARGEST:
            raise CaseError(
                f"{name}: bag {number} has a score beyond {LARGEST:g}: the difference of two such is no number",
                hint="a score is a log-likelihood in nats, or a likeness",
            )
    return table


def read_key(data: bytes, bags: bytes, name: str) -> LineupKey:
    """Read the key of these bags; raise CaseError where it is none, or does not fit them."""
    key = _decoded(data, LineupKey, name, "key", "depose lineup build writes it")
    if key.format != KEY_FORMAT:
        raise CaseError(
            f"{name}: of the format {key.format[:40]!r}, not {KEY_FORMAT}", hint="use the version that made it"
        )
    if key.bags != sha256(bags):
        raise CaseError(f"{name}: the key of other bags: {key.bags[:12]}...", hint="each build has a key of its own")
    known, salt = read_bags(bags, "bags"), _salt(key, name)
    if [one.bag for one in key.entries] != [one.bag for one in known]:
        raise CaseError(f"{name}: names other bags, or in another order", hint="the key was changed")
    for entry, bag in zip(key.entries, known, strict=True):
        columns = (entry.copies, entry.received, entry.times)
        fits = all(len(one) == len(bag.members) for one in columns)
        if not fits or not all(
            copies >= 1 and 0 <= received <= copies and times >= received
            for copies, received, times in zip(*columns, strict=True)
        ):
            raise CaseError(f"{name}: bag {entry.bag}: its counts do not fit its members", hint="the key was changed")
        if not isinstance(entry.ended, UnsetType) and tuple(map(len, entry.ended)) != entry.copies:
            raise CaseError(
                f"{name}: bag {entry.bag}: says how draws ended that are not there", hint="the key was changed"
            )
        places = [place_of(salt, bag.bag, text) for text in bag.members]
        if places != sorted(places):
            raise CaseError(
                f"{name}: bag {entry.bag}: its members are not in the order that the salt gives them",
                hint="whoever built the bags chose their order: it may tell who is who",
            )
    return key


def _salt(key: LineupKey, name: str) -> bytes:
    try:
        salt = bytes.fromhex(key.salt)
    except ValueError:
        salt = b""
    if len(salt) < SALT:
        raise CaseError(f"{name}: its salt has not {8 * SALT} bits", hint="a short salt hides nothing")
    return salt


def _decoded(data: bytes, kind: type[Kind], name: str, what: str, hint: str) -> Kind:
    try:
        return msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise CaseError(f"{name}: no {what}: {error}", hint=hint) from error
