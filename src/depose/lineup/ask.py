"""The black box: what a model itself says to the contexts of the bags, asked and recorded in the log of the case.

By the statistic `text` it is asked the context, by `continuation` to go on from the beginning of each member. Whoever
asks sees the bags alone. A context that cannot be asked has no answers, which is the same for all its members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

import msgspec

from depose import plugins
from depose.asking.book import Book
from depose.asking.desk import Desk, batched
from depose.case.budget import Budget
from depose.endpoints import Endpoint
from depose.errors import CaseError, EndpointError
from depose.evidence import ledger
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.log import Clock
from depose.evidence.records import Described
from depose.features.sentence_vectors import Embedder
from depose.lineup.acts import Act
from depose.lineup.answer_likeness import WEIGHTS, likeness
from depose.lineup.continuation import beginnings, continuing
from depose.lineup.draw import question
from depose.lineup.scorer import Scores
from depose.model import Ask, Case, Exchange, ModelSpec, setting
from depose.model.lineup import Bag, LineupPlan

Answers = Mapping[str, tuple[str, ...]]
"""What a model said, by the name of the question: that of the bag, or of the beginning of a member."""
_TAKES_NONE = (
    "run it again; a server that takes no beginning of an answer (vLLM and SGLang do) can be scored by "
    'statistic = "text", which is registered before the bags are built'
)
Tell = Callable[[int, int], None]


def questions(case: Case, plan: LineupPlan, spec: ModelSpec, bags: Sequence[Bag]) -> tuple[Ask, ...]:
    """List what is asked of a model: each question as often as registered, sample by sample over all bags."""
    heat, most = float(setting(spec, case.protocol, "temperature")), int(setting(spec, case.protocol, "max_tokens"))
    made = [
        (question(bag.context, spec, name, sample, heat, most, case.protocol.seed), beginning)
        for sample in range(plan.samples)
        for bag in bags
        for name, beginning in (beginnings(bag) if plan.statistic == "continuation" else {bag.bag: ""}).items()
    ]
    return tuple(msgspec.structs.replace(ask, beginning=beginning) for ask, beginning in made if isinstance(ask, Ask))


def ask_bags(folder: Path, code: str, bags: Sequence[Bag], clock: Clock, tell: Tell) -> None:
    """Ask a model what is still unanswered; raise EndpointError where questions are left, CaseError at the budget.

    Safe to stop and to start again: what was answered is never asked twice.
    """
    with Act(folder, clock) as act:
        built = act.built()
        act.may_score()
        by = act.plan.statistic
        spec = next(one for one in act.case.models if one.code == code)
        asks = {ledger.key(one): one for one in questions(act.case, act.plan, spec, bags)}
        settled = {ledger.key(one) for one in built.answers if one.outcome != "failed"}
        left = tuple(one for key, one in asks.items() if key not in settled)
        if not left:
            return
        endpoint: Endpoint = plugins.load("providers", spec.provider)(spec, folder)
        spent = [*act.entries.exchanges, *act.entries.superseded, *act.entries.controls, *built.answers]
        budget = Budget(act.case, [(one.model, asks.get(ledger.key(one)), one.wire) for one in spent])
        book = Book(act.log, {code}, Checkpoints(), tell, "lineup_answer")
        act.log.append("endpoint", Described(model=code, facts=endpoint.facts()))
        Desk((spec,), {code: endpoint}, budget, clock).run(batched(left, {code: endpoint}), book, lambda _: None)
    came = {ledger.key(one) for one in book.recorded if one.outcome != "failed"}
    if budget.stopped:
        raise CaseError(f"{code}: {budget.stopped}", hint="raise it by depose amend before the bags are built")
    if missing := len(left) - len(came):
        reason = next((one.reason for one in book.recorded if one.outcome == "failed"), "the run was stopped")
        raise EndpointError(
            f"{code}: {missing} of {len(asks)} questions failed: {reason}",
            hint="run it again" if by != "continuation" else _TAKES_NONE,
        )


def answers_of(exchanges: Sequence[Exchange], code: str) -> Answers:
    """Return what a model said, by the name of the question, in the order of the samples."""
    found: dict[str, dict[int, str]] = {}
    for one in exchanges:
        if one.model == code and one.outcome == "answered":
            found.setdefault(one.prompt, {}).setdefault(one.sample, one.text)
    return {bag: tuple(said[sample] for sample in sorted(said)) for bag, said in found.items()}


def has_vectors(plan: LineupPlan) -> bool:
    """Tell whether sentence vectors weigh in: they come out a little otherwise on another machine."""
    return plan.statistic in ("text", "continuation") and bool(plan.weights.get("vectors"))


@cache
def encoder() -> Embedder:
    """Return what makes sentence vectors: on the CPU, where machines agree best, and with nothing kept."""
    return Embedder(None)


def scores_of(plan: LineupPlan, bags: Sequence[Bag], answers: Answers) -> tuple[Scores, ...]:
    """Score bags by the answers, with the registered weights: pure, so that whoever has the log scores alike.

    Raises ModelFileError where sentence vectors weigh in and their model is not here.
    """
    encode = encoder().encode if has_vectors(plan) else None
    if plan.statistic == "continuation":
        return continuing(plan.weights or WEIGHTS, encode=encode)(bags, answers)
    return likeness(plan.weights or WEIGHTS, encode=encode)(bags, [answers.get(bag.bag, ()) for bag in bags])
