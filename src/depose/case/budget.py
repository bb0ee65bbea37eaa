"""What questions cost at most, what they did cost, and the stop before a limit is passed."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence

from depose.model import Ask, Case, Record, Wire

MOST_TOKENS = 10**8
"""No request takes more; a log of an older version may say so, or count below nothing."""
TEMPLATE_TOKENS = 64
"""Room for what a chat template adds to a prompt."""


def tokens_in(ask: Ask) -> int:
    """Upper bound: no tokenizer that falls back to bytes makes more tokens than there are bytes."""
    return ask.sent + TEMPLATE_TOKENS * (1 + len(ask.earlier))


def cost(case: Case, model: str, tokens_in: int, tokens_out: int) -> float:
    """Price of so many tokens of a model; 0 where the case gives none."""
    price = case.prices.get(model)
    return 0.0 if price is None else (tokens_in * price.input + tokens_out * price.output) / 1e6


def bound(ask: Ask) -> tuple[int, int]:
    """Tokens in and out that a question can take at most."""
    return tokens_in(ask), ask.max_tokens


def used(most: tuple[int, int], wire: Wire | None) -> tuple[int, int]:
    """Tokens in and out that an attempt took: as the provider counts, none for an error, else the upper bound.

    An attempt that found no connection took none: its record says 0.
    """
    if wire is None:
        return most
    counts = wire.input_tokens, wire.output_tokens
    if wire.status is None:
        return (0, 0) if counts == (0, 0) else most
    if wire.status != 200 and None in counts:
        return 0, 0
    read, written = (
        count if count is not None and 0 <= count <= MOST_TOKENS else bound
        for count, bound in zip(counts, most, strict=True)
    )
    return read, written


class Estimate(Record, frozen=True, kw_only=True):
    """What is still to be asked of one model, and upper bounds of what it takes."""

    model: str
    questions: int
    input_tokens: int
    output_tokens: int
    cost: float | None


def estimates(case: Case, asks: Sequence[Ask]) -> tuple[Estimate, ...]:
    """Sum up, for each model of a case, the questions that are still to be asked."""
    rows = []
    for spec in case.models:
        mine = [bound(ask) for ask in asks if ask.model == spec.code]
        priced = sum(cost(case, spec.code, *tokens) for tokens in mine) if spec.code in case.prices else None
        rows.append(
            Estimate(
                model=spec.code,
                questions=len(mine),
                input_tokens=sum(tokens[0] for tokens in mine),
                output_tokens=sum(tokens[1] for tokens in mine),
                cost=priced,
            )
        )
    return tuple(rows)


class Budget:
    """Counts what was spent and stops before a limit is passed; recorded answers cost nothing.

    A question is counted at its upper bound when it is sent and at what it took once that is known. What was spent
    before comes as the model, the question where the protocol still has it, and how it went.
    """

    def __init__(self, case: Case, spent: Iterable[tuple[str, Ask | None, Wire | None]]) -> None:
        self._case = case
        self._free = {spec.code for spec in case.models if spec.provider == "recorded"}
        self._lock = threading.Lock()
        self.stopped = ""
        self._requests, self._tokens, self.money = 0, 0, 0.0
        for model, asked, wire in spent:
            if model not in self._free:
                self._requests += 1
                self._count(model, used(bound(asked) if asked else (0, 0), wire), 1)

    def _count(self, model: str, tokens: tuple[int, int], sign: int) -> None:
        self._tokens += sign * sum(tokens)
        self.money += sign * cost(self._case, model, *tokens)

    def _passed(self, ask: Ask) -> str:
        limits = self._case.budget
        for name, limit, value in (
            ("requests", limits.requests, self._requests + 1),
            ("tokens", limits.tokens, self._tokens + sum(bound(ask))),
            ("money", limits.money, self.money + cost(self._case, ask.model, *bound(ask))),
        ):
            if limit is not None and value > limit and ask.model not in self._free:
                return f"the budget of {limit:g} {name} would be passed"
        return ""

    def passed(self, ask: Ask) -> str:
        """Name the limit that one more question would pass, or nothing."""
        with self._lock:
            return self._passed(ask)

    def fits(self, ask: Ask) -> bool:
        """Tell whether a question fits while others are still counted at their upper bounds."""
        return not self.passed(ask)

    def allows(self, ask: Ask) -> bool:
        """Count one request, or note in `stopped` which limit it would pass; then no other is allowed."""
        if ask.model in self._free:
            return True
        with self._lock:
            self.stopped = self.stopped or self._passed(ask)
            if not self.stopped:
                self._requests += 1
                self._count(ask.model, bound(ask), 1)
            return not self.stopped

    def settle(self, ask: Ask, wire: Wire | None) -> None:
        """Count a request at what it took instead of its upper bound."""
        if ask.model not in self._free:
            with self._lock:
                self._count(ask.model, bound(ask), -1)
                self._count(ask.model, used(bound(ask), wire), 1)
