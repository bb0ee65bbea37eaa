"""The acts of a line-up in the log of a case, in the only order in which they say anything.

    protocol            accounts, rule, statistic, limits (record 0, or an amendment)
    lineup_bags         the bags were built; the key was made with them and never enters the log
    lineup_key          a custodian's commitment to the key
    lineup_answer       what a model said to the context of a bag, where the statistic needs its words
    lineup_scores       one model's table of scores, made once
    lineup_sealed       no further table is made
    lineup_opened       the key, which must be the one that was committed to
    lineup_tested       digest of what followed; the analysis does not read it

An act out of order is no evidence: bags that come after a table may have been chosen by it, a second table may be the
better one, scores made after the key are not blind.
"""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from depose.errors import CaseError, EvidenceError
from depose.evidence.log import Chained
from depose.model import Exchange, Fact, Record
from depose.model.lineup import Statistic

PREFIX = "lineup_"
TESTED = "lineup_tested"


class BagsBuilt(Record, frozen=True, kw_only=True):
    """Bags made of deliveries and decoys."""

    bags: str
    """SHA-256 of the file of bags, which is its blob."""
    count: int
    deliveries: str
    """SHA-256 of the file of deliveries, which stays with its owner: it is the key."""
    decoys: str
    """SHA-256 of the file of decoys, likewise."""
    tally: tuple[Fact, ...]
    """How many rows and contexts were taken, left out and merged, and why."""
    under: str
    """Digest of the record that holds the protocol in force."""


class KeySealed(Record, frozen=True, kw_only=True):
    """A commitment to the key."""

    commitment: str
    """SHA-256 of the file of the key, which holds 256 random bits."""
    bags: str
    custodian: str
    """Who keeps it, as they say."""


class TableScored(Record, frozen=True, kw_only=True):
    """The scores that one model gives to all members of all bags."""

    model: str
    statistic: Statistic
    table: str
    """SHA-256 of the table, which is its blob."""
    bags: str
    facts: tuple[Fact, ...]
    """What made them: digests of weights, versions; for a table made elsewhere, who handed it out."""


class ScoresSealed(Record, frozen=True, kw_only=True):
    """The end of scoring."""

    bags: str
    tables: tuple[Fact, ...]
    """Digest of each model's table."""


class KeyOpened(Record, frozen=True, kw_only=True):
    """The key, from here on known to whoever holds the log."""

    key: str
    """SHA-256 of the file of the key, which is its blob, and which was committed to."""
    coin: str | UnsetType = UNSET
    """SHA-256 of the key of the coin, which is its blob, and which was registered."""
    thrown: str | UnsetType = UNSET
    """SHA-256 of the log of all throws, which is its blob, and from which the bags follow."""


class LineupTested(Record, frozen=True, kw_only=True):
    """What the test came to."""

    findings: str
    """SHA-256 of the findings."""


class Dated(Record, frozen=True, kw_only=True):
    """An act, when it was noted, and its digest."""

    name: str
    at: str
    digest: str


class LineupActs(Record, frozen=True, kw_only=True):
    """What of a line-up stands in a log."""

    built: BagsBuilt
    key: KeySealed | None
    tables: tuple[TableScored, ...]
    answers: tuple[Exchange, ...]
    sealed: ScoresSealed | None
    opened: KeyOpened | None
    tested: str
    """SHA-256 of the findings of the last test; empty where none was recorded."""
    dated: tuple[Dated, ...]
    """Each act but the answers, in order."""

    @property
    def blobs(self) -> tuple[str, ...]:
        """Name every blob that the acts rest on, but those of the answers."""
        key = (self.opened.key, self.opened.coin, self.opened.thrown) if self.opened else ()
        given = (one for one in key if not isinstance(one, UnsetType))
        return (self.built.bags, *(one.table for one in self.tables), *given)


class LineupReading:
    """Takes the acts of a log one by one, and refuses one that is out of order."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._built: BagsBuilt | None = None
        self._key: KeySealed | None = None
        self._tables: list[TableScored] = []
        self._answers: list[Exchange] = []
        self._sealed: ScoresSealed | None = None
        self._opened: KeyOpened | None = None
        self._tested = ""
        self._dated: list[Dated] = []

    def add(self, chained: Chained, act: object, in_force: str) -> None:
        """Take the next act; raise EvidenceError where it may not stand here."""
        try:
            self.take(act, in_force)
        except CaseError as error:
            raise EvidenceError(
                f"{self._name}: record {chained.entry.seq}: {error.message}",
                hint="depose lets no act of a line-up happen out of order: the log was made up",
            ) from error
        if not isinstance(act, Exchange):
            self._dated.append(Dated(name=chained.entry.kind, at=chained.entry.at, digest=chained.digest))

    def take(self, act: object, in_force: str) -> None:
        """Take an act; raise CaseError where it may not follow what was done."""
        if isinstance(act, BagsBuilt):
            if self._built is not None:
                raise CaseError(
                    "the bags were built before; bags that are built anew may have been chosen by what is known now",
                    hint="start a new case folder for another line-up",
                )
            if act.under != in_force:
                raise CaseError("the bags were built under another protocol", hint=_AGAIN)
            self._built = act
            return
        built = self._built
        if built is None:
            raise CaseError("no bags were built", hint="depose lineup build CASE --deliveries FILE --decoys FILE")
        if in_force != built.under:
            raise CaseError("the protocol was amended after the bags were built", hint=_AGAIN)
        if isinstance(act, LineupTested):
            self._need(self._opened is not None, "the key is not open", "depose lineup open CASE --key FILE")
            self._tested = act.findings
        elif isinstance(act, KeySealed):
            self._need(self._key is None, "the key was sealed before", _AGAIN)
            self._same(act.bags, built, "the key")
            self._key = act
        elif isinstance(act, Exchange):
            self.may_score()
            self._answers.append(act)
        elif isinstance(act, TableScored):
            self.may_score()
            self._same(act.bags, built, f"the table of {act.model}")
            self._need(
                all(one.model != act.model for one in self._tables),
                f"{act.model} was scored before; of two tables the better one could be kept",
                "the first one counts; start a new case folder if it was made wrongly, and say so",
            )
            self._tables.append(act)
        elif isinstance(act, ScoresSealed):
            self.may_score()
            self._same(act.bags, built, "the seal of the scores")
            self._need(bool(self._tables), "nothing was scored", "depose lineup score CASE")
            found = tuple(Fact(name=one.model, value=one.table) for one in self._tables)
            self._need(act.tables == found, "the seal of the scores names other tables", _AGAIN)
            self._sealed = act
        elif isinstance(act, KeyOpened):
            sealed = self._sealed is not None and self._key is not None
            self._need(sealed, "the scores are not sealed, so that the key stays shut", "depose lineup seal CASE")
            self._need(self._opened is None, "the key was opened before", "depose lineup test CASE")
            shown = [isinstance(one, UnsetType) for one in (act.coin, act.thrown)]
            self._need(shown[0] == shown[1], "a coin and its throws are shown together", _AGAIN)
            committed = self._key.commitment if self._key else ""
            self._need(
                act.key == committed,
                f"another key than the one that was committed to: {act.key[:12]}..., not {committed[:12]}...",
                "the custodian holds the right file; its bytes must not have changed",
            )
            self._opened = act
        else:
            raise CaseError("no act of a line-up", hint=_AGAIN)

    @property
    def begun(self) -> bool:
        """Whether an act of a line-up was done."""
        return self._built is not None

    def may_score(self) -> None:
        """Raise CaseError where nothing may be scored, or asked for a score."""
        self._need(self._key is not None, "the key is not sealed", "depose lineup seal CASE --key FILE")
        self._need(self._opened is None, "the key is open: what is scored now is not blind", _AGAIN)
        self._need(self._sealed is None, "the scores are sealed, and no further one is made", _AGAIN)

    @staticmethod
    def _need(holds: bool, message: str, hint: str) -> None:
        if not holds:
            raise CaseError(message, hint=hint)

    def _same(self, bags: str, built: BagsBuilt, what: str) -> None:
        self._need(bags == built.bags, f"{what} is of other bags: {bags[:12]}..., not {built.bags[:12]}...", _AGAIN)

    def acts(self) -> LineupActs | None:
        """Sum up; None where no bags were built."""
        if self._built is None:
            return None
        return LineupActs(
            built=self._built,
            key=self._key,
            tables=tuple(self._tables),
            answers=tuple(self._answers),
            sealed=self._sealed,
            opened=self._opened,
            tested=self._tested,
            dated=tuple(self._dated),
        )


BODIES: dict[str, type[Record]] = {
    "lineup_bags": BagsBuilt,
    "lineup_key": KeySealed,
    "lineup_answer": Exchange,
    "lineup_scores": TableScored,
    "lineup_sealed": ScoresSealed,
    "lineup_opened": KeyOpened,
    TESTED: LineupTested,
}
"""What the body of each kind of record is."""

_AGAIN = "a line-up is done once; start a new case folder for another"
