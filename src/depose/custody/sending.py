"""Follows a log as questions were sent: within a run, said before, each attempt after the one before it.

Depose writes down which questions it is about to send, and has that on disk, before it sends one; then what came of
each attempt, as it ends. What stands elsewhere was not asked by depose, or something that went before it was left out.
"""

from __future__ import annotations

from depose.custody.kinds import LOG
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import EvidenceError
from depose.evidence import ledger, timestamp
from depose.evidence.log import Chained
from depose.evidence.machine import Run
from depose.evidence.records import Asking, Key
from depose.model import Exchange, ModelSpec

_HINT = "depose asks nothing in such a way: a record was made up or left out"


class Sending:
    """Takes the records of a log one by one; raises EvidenceError for an exchange that depose did not ask so."""

    def __init__(self) -> None:
        self._running = False
        self._said: dict[Key, str] = {}
        """When a question was said to be about to be sent, as long as it is open."""
        self._tried: dict[Key, int] = {}
        """Attempts at a question after which another was to follow."""
        self._in_run: set[Key] = set()
        """What was said to be about to be sent in this run."""
        self._twice: set[Key] = set()
        self._controls: set[tuple[str, str, str]] = set()
        self._models: tuple[ModelSpec, ...] = ()
        self._specs: dict[str, ModelSpec] = {}

    def see(self, chained: Chained) -> None:
        """Take a record that is no exchange."""
        kind = chained.entry.kind
        if kind == "run":
            self._running = ledger.body(chained, Run).event == "begin"
            self._in_run.clear()
            self._twice.clear()
        elif kind == "asking":
            for one in ledger.body(chained, Asking).asks:
                self._said[one] = chained.entry.at
                self._tried.pop(one, None)
                (self._twice if one in self._in_run else self._in_run).add(one)
        elif kind == "left":
            for one in ledger.body(chained, Asking).asks:
                self._said.pop(one, None)

    def odd(self, chained: Chained, one: Exchange, models: tuple[ModelSpec, ...]) -> EvidenceError | None:
        """Take an exchange, and return what is wrong with where it stands."""
        try:
            self.came(chained, one, models)
        except EvidenceError as error:
            return error
        return None

    def came(self, chained: Chained, one: Exchange, models: tuple[ModelSpec, ...]) -> None:
        """Take an exchange; of answers from files no more is known than when they were looked up."""
        kind, key = chained.entry.kind, ledger.key(one)
        if timestamp.seconds_between(chained.entry.at, one.ended) > CLOCK_TOLERANCE:
            raise self._wrong(chained, one, f"ended {one.ended}, after it was written down")
        if models is not self._models:
            self._models, self._specs = models, {spec.code: spec for spec in models}
        spec = self._specs.get(one.model)
        if spec is None or spec.provider == "recorded":
            return
        if key not in self._said:
            raise self._wrong(chained, one, "no record before it says that this question was about to be sent")
        if timestamp.seconds_between(one.started, self._said[key]) > CLOCK_TOLERANCE:
            raise self._wrong(chained, one, f"asked {one.started}, before it was said to be about to be sent")
        if not self._running and kind != "lineup_answer":  # a line-up is asked in an act of its own
            raise self._wrong(chained, one, "asked outside of any run")
        due = self._tried.get(key, 0) + 1
        if one.wire is not None and one.wire.attempt != due:
            raise self._wrong(chained, one, f"attempt {one.wire.attempt}, where attempt {due} is due")
        if kind == "exchange" and key in self._twice:
            raise self._wrong(chained, one, "asked twice in one run, and of two answers the better one could be kept")
        if kind == "control":
            self._once(chained, one, spec)
            self._in_run.discard(key)
        if one.wire is not None and one.wire.again:
            self._tried[key] = one.wire.attempt
        else:
            self._said.pop(key)
            self._tried.pop(key, None)

    def _once(self, chained: Chained, one: Exchange, spec: ModelSpec) -> None:
        place = (spec.code, spec.provider, spec.base_url)
        if place in self._controls:
            raise self._wrong(
                chained,
                one,
                "asked before for a model that cannot exist, and of two replies the better one could be kept",
            )
        self._controls.add(place)

    @staticmethod
    def _wrong(chained: Chained, one: Exchange, what: str) -> EvidenceError:
        return EvidenceError(
            f"{LOG}: record {chained.entry.seq}: {one.model}, {one.prompt}, sample {one.sample}, "
            f"replicate {one.replicate}: {what}",
            hint=_HINT,
        )
