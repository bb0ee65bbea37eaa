"""Reads the drawings of a log: one seed, after the time-stamp of its protocol and before the first question."""

from __future__ import annotations

from msgspec import UnsetType

from depose.errors import EvidenceError
from depose.evidence.beacon import NAME, pulse, round_of
from depose.evidence.log import Chained
from depose.evidence.records import Drawn, Stamp
from depose.evidence.seed import derived, of_token
from depose.model import Record, Registration, SeedDrawn
from depose.model.file_names import problem_of_case

ASKING = ("exchange", "control", "asking")
HINT = "the log was not written by depose; work from a sealed copy"


class Source(Record, frozen=True, kw_only=True):
    """The protocol whose time-stamp, or whose moment of a beacon, draws the seed: the first that was stamped for it."""

    digest: str
    """Of its record."""
    registration: Registration


class Draw(Record, frozen=True, kw_only=True):
    """A seed that was drawn, where its record stands, and the protocol before it."""

    seq: int
    drawn: Drawn
    source: Source
    written: Registration


def drawn_from(source: Source, stamp: Stamp, token: bytes, beacon: bytes) -> SeedDrawn:
    """Draw the seed from the time-stamp of its protocol, or from the file of the beacon's round.

    Raises EvidenceError where the file is of another round, or the round was there before the time-stamp.
    """
    moment = source.registration.case.protocol.beacon_at
    if isinstance(moment, UnsetType):
        value, said, at = of_token(token, f"{source.digest[:16]}....tsr"), stamp.authority, stamp.time
    else:
        found = pulse(beacon, round_of(moment), "the beacon's file")
        value, said, at = found.value, f"{NAME}, round {found.round}", found.at
        if at <= stamp.time:
            raise EvidenceError(
                f"round {found.round} of {NAME} was there at {at}, before the time-stamp of {stamp.time}",
                hint="register anew, with a moment that is yet to come: $.protocol.beacon_at",
            )
    return SeedDrawn(
        by="token" if isinstance(moment, UnsetType) else "beacon",
        of=source.digest,
        value=value,
        source=said,
        at=at,
        seed=derived(source.digest, value),
    )


class SeedReading:
    """Takes the records that matter to the seed, one by one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.draws: list[Draw] = []
        self.source: Source | None = None
        """Once it is stamped; no amendment changes it, or its signer could amend until a seed suits him."""
        self.written: Registration | None = None
        """The protocol in force as it was registered or amended."""
        self.waits = False
        """Whether the protocol in force draws its seed, and has not yet."""

    def begin(self, registration: Registration) -> None:
        """Take a protocol that comes into force."""
        self.written = registration
        self.waits = not isinstance(registration.case.protocol.seed_from, UnsetType)

    def stamped(self, in_force: str) -> None:
        """Take the time-stamp of the protocol in force, whose record has that digest."""
        if self.waits and self.source is None and self.written is not None:
            self.source = Source(digest=in_force, registration=self.written)

    def see(self, chained: Chained) -> None:
        """Refuse a record that asks before the seed is drawn."""
        if self.waits and chained.entry.kind in ASKING:
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq} asks before the seed of the protocol was drawn", hint=HINT
            )

    def draw(self, chained: Chained, drawn: Drawn) -> Registration:
        """Take the seed of the protocol in force and return the protocol with it."""
        where = f"{self._name}: record {chained.entry.seq}"
        first, said = self.draws[0].drawn if self.draws else drawn, drawn.seed
        if not self.waits or self.written is None:
            raise EvidenceError(f"{where} draws a seed for a protocol that waits for none", hint=HINT)
        if (said, drawn.beacon) != (first.seed, first.beacon):
            raise EvidenceError(f"{where} draws a second seed: the first is {first.seed.seed}", hint=HINT)
        if self.source is None:
            raise EvidenceError(f"{where} draws a seed before the protocol was time-stamped", hint=HINT)
        if (said.of, said.by) != (self.source.digest, self.source.registration.case.protocol.seed_from):
            raise EvidenceError(
                f"{where} draws a seed otherwise than the protocol says that was time-stamped first", hint=HINT
            )
        if said.seed != derived(said.of, said.value) or drawn.registration.case.protocol.seed != said.seed:
            raise EvidenceError(
                f"{where}: the seed does not follow from the protocol and its {said.by} by the rule: it was typed",
                hint="a drawn seed is SHA-256 of record and token, or of record and beacon: docs/seed.md",
            )
        if problem := problem_of_case(drawn.registration.case):
            raise EvidenceError(f"{where}: {problem[0]}", hint=HINT)
        self.draws.append(Draw(seq=chained.entry.seq, drawn=drawn, source=self.source, written=self.written))
        self.waits = False
        return drawn.registration
