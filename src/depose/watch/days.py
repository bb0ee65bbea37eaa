"""What a log of watching holds: each day's plan before anything is asked, every exchange, and what was found.

It stands in `watch/` of the case and is a chain of its own: the log of the case stays as it was sealed.
"""

from __future__ import annotations

from math import isclose
from pathlib import Path
from typing import Literal

from depose.errors import EvidenceError
from depose.evidence.ledger import body
from depose.evidence.log import Chained, log_path, read_log
from depose.model import Exchange, Fact, Record
from depose.statistics.substitution import Substitution

FOLDER = "watch"

Outcome = Literal["different", "no difference found", "inconclusive"]


class Paired(Record, frozen=True, kw_only=True):
    """A model that is asked, and the answers that it is compared with."""

    model: str
    against: str
    """Code of the model that gave the kept answers; often the same."""
    since: str
    """The day of watching whose answers are the kept ones; empty: those in the log of the case."""
    prompts: tuple[str, ...]
    """In the order in which they stand in the protocol."""
    kept: int
    """Kept answers, all prompts together."""
    rounds: int
    """How often each prompt is asked at most."""
    settings: tuple[Fact, ...]
    """Registered settings in which the two differ, as `then -> now`: a difference may be theirs."""


class Planned(Record, frozen=True, kw_only=True):
    """A day of watching, before anything is asked."""

    case_head: str
    """Digest of the last record of the case's log, which holds the kept answers."""
    sealed: bool
    """Whether the case is sealed, so that its log can no longer grow."""
    alpha: float
    seed: int
    """Draws the order of the prompts, and is sent where a provider takes a seed."""
    pairs: tuple[Paired, ...]


class Power(Record, frozen=True, kw_only=True):
    """How likely the e-process alone would have found another model, by resampling recorded answers."""

    against: str
    low: float
    """Lower bound, one-sided, 95 % (Clopper-Pearson)."""
    runs: int


class Day(Record, frozen=True, kw_only=True):
    """What one day of watching found of one model."""

    at: str
    model: str
    against: str
    since: str
    kept_from: str
    """When the first and the last of the kept answers were given."""
    outcome: Outcome
    alpha: float
    p: float
    """Valid at whatever call the asking stopped."""
    p_holm: float
    """Adjusted for the models watched on this day (Holm 1979)."""
    e_bh: bool = False
    """Whether e-BH chooses it among these models, at a false-discovery rate of .1; Holm decides (`outcome`)."""
    tested: Substitution
    planned: int
    """Calls that were planned."""
    asked: int
    """Calls that were made; those under way when p fell below alpha are not compared."""
    failed: int
    """Calls without an answer that is compared."""
    tokens: int | None
    """In and out, as the provider counts; None where it does not say."""
    discrepancy: float | None
    """Squared maximum mean discrepancy of kept answers and today's, unbiased: about 0 for one model."""
    p_all_days: float
    """Of all days with the same kept answers together: valid over the whole time of watching."""
    days: int
    """How many these are, with this one."""
    settings: tuple[Fact, ...]
    named: tuple[Fact, ...]
    """What the provider called its model and its configuration, where that is not what it was: `then -> now`."""
    power: tuple[Power, ...]
    """Where no difference was found."""
    kept_asked: int = 0
    """Questions that were asked for the kept answers."""
    kept_failed: int = 0
    """Of these, those without an answer that is compared."""
    p_failed: float = 1.0
    """Of answers missing as often now as then (Fisher's exact test, two-sided). It decides nothing: what stands before
    a model may withhold its answers, or be down."""
    stopped: str
    """Why the asking ended before the plan did, other than by a difference."""


class History:
    """Takes the records of a log of watching one by one."""

    def __init__(self) -> None:
        self.days: list[Day] = []
        self.answers: dict[str, list[Exchange]] = {}
        """Final exchanges of each finished day, by its time and model: `day_name`."""
        self.heads: dict[str, str] = {}
        """When each head of the case's log was that on which a day was planned."""
        self._open: list[Exchange] = []
        self._planned: Planned | None = None
        self._found: set[str] = set()

    def add(self, chained: Chained) -> None:
        """Take the next record."""
        kind = chained.entry.kind
        if kind == "watch":
            self._open, self._planned, self._found = [], body(chained, Planned), set()
            self.heads[self._planned.case_head] = chained.entry.at
        elif kind == "exchange":
            self._open.append(body(chained, Exchange))
        elif kind == "watched":
            day = body(chained, Day)
            answers = [one for one in self._open if one.model == day.model]
            if said := self._wrong(day, answers):
                raise EvidenceError(
                    f"log of watching: record {chained.entry.seq}: {said}",
                    hint="the log was changed after it was written; restore it from a copy",
                )
            self.days.append(day)
            self._found.add(day.model)
            self.answers[day_name(day)] = answers

    def _wrong(self, day: Day, answers: list[Exchange]) -> str:
        """Say in what a finding does not follow from the plan and the answers before it, or nothing."""
        pairs = {one.model: one for one in self._planned.pairs} if self._planned else {}
        pair = pairs.get(day.model)
        if self._planned is None or pair is None or (day.against, day.since) != (pair.against, pair.since):
            return f"a finding of {day.model[:80]}, which the plan of the day does not compare so"
        if day.model in self._found or any(day_name(one) == day_name(day) for one in self.days):
            return f"a second finding of {day.model} on one day"
        final = sum(one.wire is None or not one.wire.again for one in answers)
        if day.asked != final or not 0 <= day.failed <= day.asked <= day.planned:
            return f"counts {day.asked} calls to {day.model}, and the log has {final}"
        different = isclose(day.p_holm, day.alpha, rel_tol=1e-6) or day.p_holm <= day.alpha
        if day.alpha != self._planned.alpha or (day.outcome == "different" and not different):
            return f"{day.model} is {day.outcome} with p = {day.p_holm:g}, planned with alpha {self._planned.alpha:g}"
        if day.outcome != "different" and day.p_holm < day.alpha * (1 - 1e-6):
            return f"{day.model} is {day.outcome} with p = {day.p_holm:g} at alpha {day.alpha:g}"
        return self._cannot_be(day, pair, answers)

    def _cannot_be(self, day: Day, pair: Paired, answers: list[Exchange]) -> str:
        """Say which number of a finding no day can have, or nothing."""
        if strange := next((one.prompt for one in answers if one.prompt not in pair.prompts), ""):
            return f"an answer of {day.model} to {strange[:80]}, which the plan of the day does not ask"
        settled = [(one.prompt, one.sample) for one in answers if one.wire is None or not one.wire.again]
        if len(set(settled)) < len(settled):
            return f"a question that {day.model} answered twice on one day"
        if day.planned > pair.rounds * len(pair.prompts) or day.tested.calls > day.asked - day.failed:
            return f"compares {day.tested.calls} of {day.planned} calls to {day.model}, which are more than there are"
        chances = (day.p, day.p_holm, day.p_all_days, day.p_failed)
        if not all(0 <= one <= 1 for one in chances) or day.p_holm < day.p * (1 - 1e-6) or day.p != day.tested.p:
            return f"{day.model} with p = {day.p:g}, tested {day.tested.p:g} and {day.p_holm:g} in all, which cannot be"
        same = sum((one.model, one.against, one.since) == (day.model, day.against, day.since) for one in self.days)
        if day.days != same + 1:
            return f"calls {day.model}'s day {same + 1} its day {day.days}"
        return ""


def day_name(day: Day) -> str:
    """Name a model's day."""
    return f"{day.at} {day.model}"


def of_this_case(past: History, folder: Path) -> History:
    """Raise EvidenceError where a day was planned on another log than that of the case, or on one that is gone."""
    there = {chained.digest for chained in read_log(folder)} if past.heads else set()
    for head, at in past.heads.items():
        if head not in there:
            raise EvidenceError(
                f"{folder / FOLDER}: the day of {at} was planned on a log that ends in {head[:16]}..., and the log of "
                "the case has no such record",
                hint="the log of watching is of another case, or one of the two was changed: restore both",
            )
    return past


def history(home: Path) -> History:
    """Read the log of watching, if there is one; raise EvidenceError where it is not of the case around it."""
    found = History()
    if log_path(home).is_file():
        for chained in read_log(home):
            found.add(chained)
    return of_this_case(found, home.parent)
