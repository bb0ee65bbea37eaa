"""Bodies of the records of a log, but for those that other stages know too (`model`).

Kinds of record: `protocol` (record 0), `amendment`, `timestamp`, `seed` (what a token or a beacon drew),
`selftest`, `run` (asking begins or ends),
`endpoint`, `asking` (questions about to be sent), `exchange`, `control` (a question to a model that cannot exist),
`left` (questions of `asking` that are done with, unanswered), `withdrawal` (answers of one model that no longer count),
`checkpoint`, `unstamped` (a time-stamp that failed), `weights` (two models' weights, compared), `ledger` (number and
head of the registration in the ledger of a signing key), the acts of a line-up (`lineup_acts`),
and those that the analysis writes and does not read: `scores` (digest of the scores, under blind codes),
`unblinding` (who the codes are), `lineup_tested`.
"""

from __future__ import annotations

from depose.model import Fact, Record, Registration, SeedDrawn

Key = tuple[str, str, int, int]
"""Which question: model, prompt, sample, replicate."""

AFTERWARDS = ("scores", "unblinding", "lineup_tested")
"""Kinds that follow from the analysis, so that they are no part of what it reads."""


class Described(Record, frozen=True, kw_only=True):
    """What an endpoint said of itself when it was opened."""

    model: str
    facts: tuple[Fact, ...]


class Amendment(Record, frozen=True, kw_only=True):
    """A change of protocol: the whole new registration, what differs, why, and whether scores were known."""

    reason: str
    changes: tuple[Fact, ...]
    """Path in the registration; `before -> after`."""
    scored: bool
    """Whether scores had been computed before: such a change is no preregistration."""
    registration: Registration


class Drawn(Record, frozen=True, kw_only=True):
    """The seed that was drawn once the protocol in force had its time-stamp, and the protocol with it.

    After an amendment the seed stays, and is put into the protocol as amended.
    """

    seed: SeedDrawn
    beacon: str
    """SHA-256 of the file of the beacon's round; empty where the token drew."""
    registration: Registration
    """The protocol with the seed, the prompts and the controls that it draws."""


class Withdrawal(Record, frozen=True, kw_only=True):
    """Answers of one model that no longer count: they stay in the log, and their questions are open again."""

    model: str
    reason: str
    answers: int
    """Questions that they settled."""
    files: tuple[Fact, ...]
    """What their endpoint said of itself, such as the file and its digest."""
    scored: bool
    """Whether scores had been computed before: whoever takes answers back then may know what they did."""


class Stamp(Record, frozen=True, kw_only=True):
    """A verified RFC 3161 time-stamp of one record; the token stands in `seals/<of>.tsr`."""

    of: str
    """Digest of the record."""
    time: str
    token: str
    """SHA-256 of the token."""
    authority: str
    """Subject of the certificate that signed it."""


class Checkpoint(Record, frozen=True, kw_only=True):
    """How long the log was and where it ended, noted in it as it grows."""

    records: int
    """Records before this one."""
    head: str
    """Digest of the record before this one."""


class Unstamped(Record, frozen=True, kw_only=True):
    """A time-stamp that was asked for and not given."""

    of: str
    """Digest of the record."""
    reason: str


class Asking(Record, frozen=True, kw_only=True):
    """Questions about to be sent (`asking`), or done with in this run and unanswered (`left`).

    On disk before the first of them is sent, so that a question that a kill met in flight has this record and no
    answer.
    """

    asks: tuple[Key, ...]


class Scored(Record, frozen=True, kw_only=True):
    """Digest of the scores, made under blind codes."""

    scores: str
    head: str
    """Digest of the last record that they were made from."""
    arithmetic: str
    """What added: machine, numpy and its BLAS. Another one may round otherwise."""
    vectors: str
    """SHA-256 of the sentence vectors that they were made with, if any; what made these is in `encoder`."""
    encoder: str


class Unblinded(Record, frozen=True, kw_only=True):
    """The moment from which the codes had names."""

    scores: str
    names: tuple[Fact, ...]
