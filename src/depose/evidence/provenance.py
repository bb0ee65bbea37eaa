"""Where recorded answers come from: the files that stand under a code, and answers that were taken back."""

from __future__ import annotations

from depose.evidence.log import Chained
from depose.evidence.records import Withdrawal
from depose.model import Fact, Record


class Withdrawn(Record, frozen=True, kw_only=True):
    """Answers that were taken back, and when."""

    at: str
    digest: str
    model: str
    reason: str
    answers: int
    files: tuple[Fact, ...]
    scored: bool

    def __str__(self) -> str:
        """Say it in one sentence."""
        names = [fact.value for fact in self.files if fact.name == "file"]
        digests = [fact.value[:16] for fact in self.files if fact.name == "file sha256"]
        files = ", ".join(f"{name} (sha256 {digest})" for name, digest in zip(names, digests, strict=False))
        late = "; after scores were computed" if self.scored else ""
        return (
            f"{self.at}: {self.answers} answers of {self.model} withdrawn{f', from {files}' if files else ''}: "
            f"{self.reason}{late}"
        )


def withdrawn(chained: Chained, one: Withdrawal) -> Withdrawn:
    """Put a withdrawal and its place in the log together."""
    return Withdrawn(
        at=chained.entry.at,
        digest=chained.digest,
        model=one.model,
        reason=one.reason,
        answers=one.answers,
        files=one.files,
        scored=one.scored,
    )


def joined(before: tuple[Fact, ...], now: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Keep every file of recorded answers that stands under a code; what a live endpoint says of itself is replaced."""
    if not any(fact.name == "file sha256" for fact in now):
        return now
    return before if set(now) <= set(before) else (*before, *now)
