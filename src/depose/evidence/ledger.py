"""A log, read into what the stages need: the protocol in force, the answers that count under it, what else happened."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from depose.errors import CaseError, EvidenceError
from depose.evidence.drawn_seed import Draw, SeedReading, Source
from depose.evidence.lineup_acts import BODIES, LineupActs, LineupReading
from depose.evidence.log import Chained, read_log
from depose.evidence.machine import Run
from depose.evidence.provenance import Withdrawn, joined, withdrawn
from depose.evidence.questions import asks as asks
from depose.evidence.questions import key as key
from depose.evidence.questions import questions
from depose.evidence.records import (
    AFTERWARDS,
    Amendment,
    Asking,
    Checkpoint,
    Described,
    Drawn,
    Key,
    Scored,
    Stamp,
    Unblinded,
    Unstamped,
    Withdrawal,
)
from depose.model import (
    Case,
    Exchange,
    Fact,
    InLedger,
    ModelSpec,
    Record,
    Registration,
    SelfTest,
)
from depose.model.file_names import problem_of_case
from depose.model.weights import WeightFinding

Kind = TypeVar("Kind", bound=Record)


class Amended(Record, frozen=True, kw_only=True):
    """An amendment and where it stands."""

    at: str
    digest: str
    reason: str
    changes: tuple[Fact, ...]
    scored: bool
    lost: int
    """Earlier answers that do not count any more, because it changed their question or their phase."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        changed = ", ".join(fact.name for fact in self.changes)
        late = "; made after scores were computed" if self.scored else ""
        return f"{self.at}: {self.reason} (changed: {changed}; {self.lost} earlier answers no longer count{late})"


class Entries(Record, frozen=True, kw_only=True):
    """A log, read and sorted by kind."""

    registration: Registration
    """The protocol in force, with the seed that was drawn for it."""
    written: Registration
    """The same as it was registered or amended: before a seed was drawn for it, where one is."""
    draws: tuple[Draw, ...]
    """Each drawing of a seed; after the first, of the same seed for an amended protocol."""
    seed_source: Source | None
    """The protocol from which the seed is drawn, once it has its time-stamp."""
    waits_for_seed: bool
    """Whether the protocol in force draws its seed, and has not yet."""
    protocol_digest: str
    """Digest of record 0."""
    in_force: str
    """Digest of the record that holds the protocol in force."""
    registered_at: str
    head: str
    """Digest of the last record that the analysis reads."""
    end: str
    """Digest of the last record."""
    records: int
    exchanges: tuple[Exchange, ...]
    """Exchanges that count under the protocol in force."""
    superseded: tuple[Exchange, ...]
    """Exchanges that an amendment or a withdrawal has put aside."""
    controls: tuple[Exchange, ...]
    places: tuple[tuple[str, str], ...]
    """Of each of `controls` the provider and address that it was sent to, whatever an amendment changed since."""
    """Questions to models that cannot exist."""
    endpoints: dict[str, tuple[Fact, ...]]
    amendments: tuple[Amended, ...]
    stamps: tuple[Stamp, ...]
    stamped: bool
    """Whether the protocol in force had a time-stamp before anything was asked, or lined up, under it."""
    noted_at: dict[str, str]
    """When each time-stamp was noted in the log, by the digest of its record."""
    asked_first: dict[str, str]
    """When the first question was asked under each protocol, by the digest of its record."""
    scored: tuple[Scored, ...]
    unblinded: tuple[str, ...]
    runs: tuple[Run, ...]
    """Beginnings and ends of runs of asking."""
    checkpoints: tuple[Chained, ...]
    unstamped: tuple[Unstamped, ...]
    lost: tuple[Key, ...]
    """Questions that a run was ended in the midst of: sent, or about to be, and nothing is known of it. Once a time."""
    selftest: SelfTest | None = None
    """The last self-test."""
    withdrawn: tuple[Withdrawn, ...] = ()
    ledger: InLedger | None = None
    """Where the registration stands among those of a signing key; the last such record."""
    lineup: LineupActs | None = None
    weights: tuple[WeightFinding, ...] = ()
    """Comparisons of weights, the last of each suspect and reference."""


class Reading:
    """Takes the records of a log one by one; `entries` gives what they come to."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._protocols: list[tuple[Chained, Registration, Amendment | None]] = []
        self._seed = SeedReading(name)
        self._exchanges: list[tuple[int, Exchange]] = []
        self._controls: list[Exchange] = []
        self._places: list[tuple[str, str]] = []
        self._endpoints: dict[str, tuple[Fact, ...]] = {}
        self._stamps: list[Stamp] = []
        self._noted_at: dict[str, str] = {}
        self._asked_first: dict[str, str] = {}
        self._stamped = False
        self._scored: list[Scored] = []
        self._unblinded: list[str] = []
        self._runs: list[Run] = []
        self._checkpoints: list[Chained] = []
        self._unstamped: list[Unstamped] = []
        self._open: set[Key] = set()
        self._lost: list[Key] = []
        self._selftest: SelfTest | None = None
        self._weights: dict[tuple[str, str], WeightFinding] = {}
        self._withdrawn: list[Withdrawn] = []
        self._ledger: InLedger | None = None
        self._taken_back: list[Exchange] = []
        self.lineup = LineupReading(name)
        self._head = self._end = ""
        self._heads: set[str] = set()
        self._records = 0

    def add(self, chained: Chained) -> None:
        """Take the next record."""
        kind = chained.entry.kind
        if not self._protocols and kind != "protocol":
            raise EvidenceError(f"{self._name}: the log does not begin with a protocol", hint="work from a sealed copy")
        self._records, self._end = self._records + 1, chained.digest
        self._head = self._head if kind in AFTERWARDS else chained.digest
        self._heads.add(self._head)
        self._seed.see(chained)
        if kind in ("exchange", "control"):
            self._came(kind, body(chained, Exchange))
        elif kind in ("asking", "left"):
            self._asked(kind, body(chained, Asking).asks)
        elif kind == "endpoint":
            described = body(chained, Described)
            self._endpoints[described.model] = joined(self._endpoints.get(described.model, ()), described.facts)
        elif kind == "withdrawal":
            self._take_back(withdrawn(chained, body(chained, Withdrawal)))
        elif kind == "protocol":
            if self._protocols:
                raise EvidenceError(f"{self._name}: record {chained.entry.seq} is a second protocol", hint=_amend())
            self._in_force(chained, body(chained, Registration), None)
        elif kind == "amendment":
            amendment = body(chained, Amendment)
            self._in_force(chained, amendment.registration, amendment)
        elif kind == "selftest":
            self._selftest = body(chained, SelfTest)
        elif kind == "ledger":
            self._ledger = body(chained, InLedger).after(self._ledger, f"{self._name}: record {chained.entry.seq}")
        elif kind == "weights":
            weighed = body(chained, WeightFinding)
            self._weights[weighed.suspect, weighed.reference] = weighed
        elif kind == "seed":
            in_force, _, changed = self._protocols[-1]
            self._protocols[-1] = in_force, self._seed.draw(chained, body(chained, Drawn)), changed
        elif kind == "timestamp":
            self._date(chained.entry.at, body(chained, Stamp))
        elif kind == "checkpoint":
            self._checkpoints.append(self._true(chained))
        elif kind == "unstamped":
            self._unstamped.append(body(chained, Unstamped))
        elif kind == "run":
            self._runs.append(body(chained, Run))
        elif kind == "scores":
            self._scored.append(self._made_of(chained, body(chained, Scored)))
        elif kind == "unblinding":
            self._unblinded.append(self._known(body(chained, Unblinded)))
        elif kind in BODIES:
            act = body(chained, BODIES[kind])
            if isinstance(act, Exchange) and (act.wire is None or not act.wire.again):
                self._open.discard(key(act))
            self.lineup.add(chained, act, self._protocols[-1][0].digest)
        else:
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq} is a {kind!r}, which is no kind", hint=_amend()
            )

    def _in_force(self, chained: Chained, registration: Registration, amendment: Amendment | None) -> None:
        if problem := problem_of_case(registration.case):
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq}: {problem[0]}",
                hint="no case may hold such a name: the log was made up, or comes from a version that let it pass",
            )
        self._protocols.append((chained, registration, amendment))
        self._stamped = False
        self._seed.begin(registration)

    def _date(self, at: str, stamp: Stamp) -> None:
        self._noted_at[stamp.of] = at
        digest = self._protocols[-1][0].digest
        if stamp.of == digest:
            self._seed.stamped(digest)
        first = digest not in self._asked_first and not self.lineup.begun
        self._stamped = self._stamped or (stamp.of == digest and first)
        self._stamps.append(stamp)

    def _came(self, kind: str, one: Exchange) -> None:
        digest = self._protocols[-1][0].digest
        self._asked_first[digest] = min(one.started, self._asked_first.get(digest, one.started))
        if kind == "exchange":
            self._exchanges.append((len(self._protocols) - 1, one))
        else:
            self._controls.append(one)
            specs = {spec.code: spec for spec in self._protocols[-1][1].case.models}
            self._places.append(place(specs[one.model]) if one.model in specs else ("", ""))
        if one.wire is None or not one.wire.again:
            self._open.discard(key(one))

    def _take_back(self, one: Withdrawn) -> None:
        self._withdrawn.append(one)
        self._taken_back += [exchange for _, exchange in self._exchanges if exchange.model == one.model]
        self._exchanges = [(under, exchange) for under, exchange in self._exchanges if exchange.model != one.model]
        self._endpoints.pop(one.model, None)

    def _asked(self, kind: str, asks: tuple[Key, ...]) -> None:
        if kind == "asking":
            self._lost += [one for one in asks if one in self._open]
            self._open.update(asks)
        else:
            self._open.difference_update(asks)

    def _true(self, chained: Chained) -> Chained:
        """Refuse a checkpoint that says otherwise than the chain."""
        said = body(chained, Checkpoint)
        if (said.records, said.head) != (chained.entry.seq, chained.entry.prev):
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq} is a checkpoint of another log: {said.records} records, "
                f"{said.head[:16]}...",
                hint=_amend(),
            )
        return chained

    def _made_of(self, chained: Chained, scored: Scored) -> Scored:
        """Refuse scores of another log: a later analysis that comes to the same ones keeps those of an earlier head."""
        if scored.head not in self._heads:
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq}: scores made from a record {scored.head[:16]}... that is "
                "not among those before",
                hint=_amend(),
            )
        return scored

    def _known(self, unblinded: Unblinded) -> str:
        if all(unblinded.scores != one.scores for one in self._scored):
            raise EvidenceError(f"{self._name}: unblinded before the scores were recorded", hint=_amend())
        if unblinded.names != names(self._protocols[-1][1].case):
            raise EvidenceError(
                f"{self._name}: the codes were given other names than the protocol gives them", hint=_amend()
            )
        return unblinded.scores

    def entries(self) -> Entries:
        """Sum up; raise CaseError where nothing was read."""
        if not self._protocols:
            raise CaseError(f"{self._name}: the log is empty", hint=f"depose register {self._name}")
        first, registration = self._protocols[0][0], self._protocols[-1][1]
        counts, superseded = self._sorted_out()
        return Entries(
            registration=registration,
            written=self._seed.written or registration,
            draws=tuple(self._seed.draws),
            seed_source=self._seed.source,
            waits_for_seed=self._seed.waits,
            protocol_digest=first.digest,
            in_force=self._protocols[-1][0].digest,
            registered_at=first.entry.at,
            head=self._head,
            end=self._end,
            records=self._records,
            exchanges=tuple(counts),
            superseded=(*(one for _, one in superseded), *self._taken_back),
            withdrawn=tuple(self._withdrawn),
            controls=tuple(self._controls),
            places=tuple(self._places),
            endpoints=self._endpoints,
            amendments=tuple(
                Amended(
                    at=chained.entry.at,
                    digest=chained.digest,
                    reason=amendment.reason,
                    changes=amendment.changes,
                    scored=amendment.scored,
                    lost=sum(under < place for under, _ in superseded),
                )
                for place, (chained, _, amendment) in enumerate(self._protocols)
                if amendment is not None
            ),
            stamps=tuple(self._stamps),
            stamped=self._stamped,
            noted_at=self._noted_at,
            asked_first=self._asked_first,
            scored=tuple(self._scored),
            unblinded=tuple(self._unblinded),
            runs=tuple(self._runs),
            checkpoints=tuple(self._checkpoints),
            unstamped=tuple(self._unstamped),
            lost=(*self._lost, *sorted(self._open)),
            selftest=self._selftest,
            ledger=self._ledger,
            lineup=self.lineup.acts(),
            weights=tuple(self._weights.values()),
        )

    def _sorted_out(self) -> tuple[list[Exchange], list[tuple[int, Exchange]]]:
        """Part the exchanges that answer a question of the protocol in force from those that an amendment changed."""
        last = len(self._protocols) - 1
        if not last:
            return [one for _, one in self._exchanges], []
        every = [questions(registration) for _, registration, _ in self._protocols]
        counts: list[Exchange] = []
        superseded: list[tuple[int, Exchange]] = []
        for under, one in self._exchanges:
            asked = every[under].get(key(one))
            if asked is None:
                raise not_asked(self._name, key(one))
            if under == last or asked == every[last].get(key(one)):
                counts.append(one)
            else:
                superseded.append((under, one))
        return counts, superseded


def names(case: Case) -> tuple[Fact, ...]:
    """Say who the codes are."""
    return tuple(Fact(name=spec.code, value=spec.model or spec.code) for spec in case.models)


def place(spec: ModelSpec) -> tuple[str, str]:
    """Return the provider and address of an endpoint, which is asked once for a model that cannot exist."""
    return spec.provider, spec.base_url


def _amend() -> str:
    return "the log was not written by depose; work from a sealed copy"


def not_asked(name: str, stranger: Key) -> EvidenceError:
    """Say that a log answers what its protocol does not ask."""
    model, prompt, sample, replicate = stranger
    return EvidenceError(
        f"{name}: the log answers a question that the protocol does not ask: {model}, {prompt}, "
        f"sample {sample}, replicate {replicate}",
        hint="the log was changed, or belongs to another case",
    )


def entries(folder: Path) -> Entries:
    """Read and check the whole log of a case."""
    reading = Reading(str(folder))
    for chained in read_log(folder):
        reading.add(chained)
    return reading.entries()


def body(chained: Chained, kind: type[Kind]) -> Kind:
    """Read the body of a record as what its kind says."""
    try:
        return msgspec.convert(chained.entry.body, kind)
    except msgspec.ValidationError as error:
        raise EvidenceError(
            f"record {chained.entry.seq} of the log is no {kind.__name__}: {error}",
            hint="read it with the version of depose that wrote it",
        ) from error
