"""Decoys drawn by the reference: other answers to the delivered contexts, under the delivered settings.

A draw is a folder of its own, away from the case: its log holds every request and answer byte for byte, and the
contexts of the deliveries, so that it stays with the owner of the reference. What is drawn is never drawn again, a run
that was stopped goes on, and the budget of the case holds over all runs together. Each decoy is the answer as it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from depose import plugins
from depose.asking.book import Book
from depose.asking.desk import Desk, batched
from depose.case import casefile
from depose.case.budget import Budget, estimates
from depose.endpoints import Endpoint
from depose.errors import CaseError, EndpointError, UsageError
from depose.evidence import ledger
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.log import Chained, Clock, Log, read_log, write_whole
from depose.evidence.records import Described
from depose.lineup.acts import plan_of, reference_of
from depose.lineup.bags import Wanted, wanted
from depose.lineup.inputs import deliveries as read_deliveries
from depose.model import Ask, Case, Exchange, Fact, ModelSpec, Record, Spoken
from depose.model.canonical import canonical
from depose.model.lineup import Context, Decoy, Delivery, Turn
from depose.model.lineup_plan import Tier

DECOYS = "decoys.jsonl"
UNBOUNDED = {"openai": "max_tokens", "google": "maxOutputTokens"}
"""Providers that need no length at most, and its name there."""
Watch = Callable[[int, int], None]
"""Hears after each batch how many answers came and how many failed."""


class DrawBegun(Record, frozen=True, kw_only=True):
    """The first record of a draw: what is drawn, from what, and for which deliveries."""

    model: ModelSpec
    """As the case says, with the settings of the deliveries."""
    deliveries: str
    """SHA-256 of the file of deliveries."""
    protocol: str
    """Digest of the record that holds the protocol in force."""
    fillers: int
    tier: Tier
    snapshot: str
    """State of the reference that answers, as its owner says."""
    drawn_by: str


class Wish(Record, frozen=True, kw_only=True):
    """What whoever draws says of the draw."""

    snapshot: str
    drawn_by: str
    tier: Tier = "resampled"
    model: str = ""
    """Code of the model that draws; none: the reference."""


class Drawn(Record, frozen=True, kw_only=True):
    """What one run of a draw came to."""

    decoys: str
    """The file of decoys, written anew by each run."""
    contexts: int
    wanted: int
    drawn: int
    """Decoys in the file."""
    came: int
    """Answers of this run."""
    failed: int
    left_out: tuple[Fact, ...]
    """Contexts that cannot be drawn, and why."""
    stopped: str
    """Which limit of the budget ended the run, or nothing."""


class Estimated(Record, frozen=True, kw_only=True):
    """What a draw would still ask, with upper bounds."""

    questions: int
    input_tokens: int
    output_tokens: int
    cost: float | None
    left_out: tuple[Fact, ...]
    notes: tuple[str, ...]
    """What sets the draws apart from the deliveries, or leaves it open."""


class _Order:
    """One draw: the questions in their order, the model, what cannot be asked."""

    def __init__(self, case: Case, spec: ModelSpec, found: Sequence[Wanted], fillers: int) -> None:
        self.left_out: Counter[str] = Counter()
        self.contexts: dict[str, Wanted] = {}
        asks: list[Ask] = []
        for one in found:
            first = one.deliveries[0]
            heat = case.protocol.temperature if first.temperature is None else first.temperature
            most = first.max_tokens or case.protocol.max_tokens
            asked = [
                question(one.context, spec, one.digest, sample, heat, most, case.protocol.seed)
                for sample in range(fillers)
            ]
            why = next((ask for ask in asked if isinstance(ask, str)), "")
            if why:
                self.left_out[why] += 1
                continue
            self.contexts[one.digest] = one
            asks += [ask for ask in asked if isinstance(ask, Ask)]
        # Sample by sample over all contexts: a run that is stopped leaves each with some, and none with all.
        self.asks = tuple(sorted(asks, key=lambda ask: (ask.sample, ask.prompt)))


def question(context: Context, spec: ModelSpec, name: str, sample: int, heat: float, most: int, seed: int) -> Ask | str:
    """Ask a model a whole context; return why it cannot be asked where it cannot."""
    said = parted(context)
    if isinstance(said, str):
        return said
    return Ask(
        model=spec.code,
        prompt=name,
        sample=sample,
        replicate=0,
        text=said[-1].content,
        system=said[0].content if said[0].role == "system" else "",
        earlier=tuple(
            Spoken(role="user" if turn.role == "user" else "assistant", content=turn.content)
            for turn in said[:-1]
            if turn.role != "system"
        ),
        temperature=heat,
        max_tokens=most,
        seed=seed,
    )


def parted(context: Context) -> tuple[Turn, ...] | str:
    """Return the messages of a context that every provider takes, or why there are none."""
    if context.tools:
        return "with tools: draw them with the stack that served them"
    turns = context.messages
    if turns[-1].role != "user":
        return "that do not end with a message of the user"
    if any(turn.role == "tool" for turn in turns):
        return "with results of tools: draw them with the stack that served them"
    if any(turn.role == "system" for turn in turns[1:]):
        return "with a system prompt in their midst: draw them with the stack that served them"
    return turns


def estimate(folder: Path, deliveries: Path, out: Path, wish: Wish) -> Estimated:
    """Count what a draw would still ask, with upper bounds; nothing is asked and nothing written."""
    case, order, begun = _prepared(casefile.folder_of(folder), deliveries, wish)
    known = _Kept()
    if (out / "evidence" / "log.jsonl").is_file():
        for chained in read_log(out):
            known.add(chained)
    left = [ask for ask in order.asks if ledger.key(ask) not in known.settled]
    row = next(one for one in estimates(case, left) if one.model == begun.model.code)
    return Estimated(
        questions=row.questions,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=row.cost,
        left_out=_counted(order.left_out),
        notes=_notes(begun, order, case.protocol.max_tokens),
    )


def draw(folder: Path, deliveries: Path, out: Path, wish: Wish, clock: Clock, progress: Watch) -> Drawn:
    """Draw decoys for every delivered context of a registered case into the folder `out`, and write its file of them.

    Raises CaseError where `out` holds another draw, or lies in the case folder; EndpointError where all answers failed.
    """
    folder = casefile.folder_of(folder)
    if out.resolve().is_relative_to(folder.resolve()):
        raise UsageError(
            f"--out {out}: lies in the case folder, which the scorer gets",
            hint="a draw holds the contexts of the deliveries: keep it with their owner",
        )
    case, order, begun = _prepared(folder, deliveries, wish)
    kept = _Kept()
    (out / "evidence").mkdir(parents=True, exist_ok=True)
    with Log(out, clock, kept.add) as log:
        if not log.records:
            log.append("draw", begun)
        elif kept.begun != begun:
            raise CaseError(f"{out}: holds another draw, of other deliveries or settings", hint="name a new folder")
        left = tuple(ask for ask in order.asks if ledger.key(ask) not in kept.settled)
        endpoint: Endpoint = plugins.load("providers", begun.model.provider)(begun.model, folder)
        endpoints = {begun.model.code: endpoint}
        by_key = {ledger.key(ask): ask for ask in order.asks}
        budget = Budget(case, [(one.model, by_key.get(ledger.key(one)), one.wire) for one in kept.all])
        book = Book(log, {begun.model.code}, Checkpoints(), progress)
        if left:
            log.append("endpoint", Described(model=begun.model.code, facts=endpoint.facts()))
            Desk((begun.model,), endpoints, budget, clock).run(batched(left, endpoints), book, lambda _: None)
    for one in book.recorded:
        kept.take(one)
    rows = [
        _decoy(one, begun, order.contexts[one.prompt].deliveries[0])
        for _, one in sorted(kept.settled.items())
        if one.outcome == "answered" and one.prompt in order.contexts
    ]
    if book.failed and not book.answered and not rows:
        reason = next(one.reason for one in book.recorded if one.outcome == "failed")
        raise EndpointError(f"all {book.failed} answers failed; the first reason: {reason}", hint="run the draw again")
    write_whole(out / DECOYS, b"".join(canonical(row) + b"\n" for row in rows))
    return Drawn(
        decoys=str(out / DECOYS),
        contexts=len(order.contexts),
        wanted=len(order.asks),
        drawn=len(rows),
        came=book.answered,
        failed=book.failed,
        left_out=_counted(order.left_out),
        stopped=budget.stopped,
    )


class _Kept:
    """What a draw holds so far."""

    def __init__(self) -> None:
        self.begun: DrawBegun | None = None
        self.settled: dict[tuple[str, str, int, int], Exchange] = {}
        self.all: list[Exchange] = []

    def add(self, chained: Chained) -> None:
        """Take a record of its log."""
        if chained.entry.kind == "draw":
            self.begun = ledger.body(chained, DrawBegun)
        elif chained.entry.kind == "exchange":
            self.take(ledger.body(chained, Exchange))

    def take(self, one: Exchange) -> None:
        """Take what came of a question; of several answers the first counts."""
        self.all.append(one)
        if one.outcome != "failed":
            self.settled.setdefault(ledger.key(one), one)


def _prepared(folder: Path, deliveries: Path, wish: Wish) -> tuple[Case, _Order, DrawBegun]:
    entries = ledger.entries(folder)
    case = entries.registration.case
    plan = plan_of(case, folder)
    code = wish.model or reference_of(case, plan)
    spec = next((one for one in case.models if one.code == code), None)
    if spec is None or spec.role == "suspect":
        known = ", ".join(one.code for one in case.models if one.role != "suspect")
        raise UsageError(f"--model {code}: is no model that may draw", hint=f"models: {known}")
    if spec.provider == "recorded":
        raise CaseError(f"{code}: is recorded, and draws nothing", hint="give it a provider, or bring decoys in a file")
    given, named = read_deliveries(deliveries)
    found = wanted(plan, given, case.protocol.seed)
    order = _Order(case, spec, found, plan.fillers)
    begun = DrawBegun(
        model=_as_delivered(spec, list(order.contexts.values())),
        deliveries=named,
        protocol=entries.in_force,
        fillers=plan.fillers,
        tier=wish.tier,
        snapshot=wish.snapshot or spec.revision,
        drawn_by=wish.drawn_by,
    )
    return case, order, begun


def _as_delivered(spec: ModelSpec, found: Sequence[Wanted]) -> ModelSpec:
    """Set the model as it was when it delivered, as far as that is one setting for all."""
    firsts = [one.deliveries[0] for one in found]
    nucleus = {one.top_p for one in firsts}
    heat = {one.temperature is None for one in firsts}
    length = {one.max_tokens is None for one in firsts}
    for name, values in (("top_p", nucleus), ("temperature", heat), ("max_tokens", length)):
        if len(values) > 1:
            raise CaseError(
                f"deliveries: {name} is set in some rows and not, or otherwise, in others",
                hint="draw each kind by itself, and put their files of decoys together",
            )
    top_p = next(iter(nucleus), None)
    if spec.provider == "transformers" and top_p not in (None, 1.0):
        raise CaseError(f"{spec.code}: local weights are drawn from whole, not by top_p = {top_p}", hint="serve them")
    if top_p is not None and spec.provider != "transformers":
        added = {"generationConfig": {"topP": top_p}} if spec.provider == "google" else {"top_p": top_p}
        spec = msgspec.structs.replace(spec, parameters=spec.parameters | added)
    if heat == {True} and spec.provider != "transformers":
        spec = msgspec.structs.replace(spec, omit=(*spec.omit, "temperature"))
    if length == {True} and (longest := UNBOUNDED.get(spec.provider)):
        spec = msgspec.structs.replace(spec, omit=(*spec.omit, longest))
    return spec


def _notes(begun: DrawBegun, order: _Order, most: int) -> tuple[str, ...]:
    """Say what sets these draws apart from the deliveries, or leaves it open."""
    found = []
    unbounded = any(one.deliveries[0].max_tokens is None for one in order.contexts.values())
    if unbounded and begun.model.provider not in UNBOUNDED:
        found.append(
            f"the deliveries name no max_tokens, and {begun.model.provider} needs one: decoys end at {most} tokens, "
            "where a delivered answer may be longer"
        )
    delivered = {row.reference_snapshot for one in order.contexts.values() for row in one.deliveries}
    if not begun.snapshot:
        found.append("no --snapshot: the state that draws is not known, and no opinion can follow (tier)")
    elif strange := sorted(delivered - {begun.snapshot, ""}):
        found.append(
            f"--snapshot {begun.snapshot}: deliveries come from {strange[0]}, so that these decoys are drifted"
        )
    if "" in delivered:
        found.append("deliveries without reference_snapshot: no opinion can follow (tier)")
    return tuple(found)


def _decoy(one: Exchange, begun: DrawBegun, delivered: Delivery) -> Decoy:
    return Decoy(
        decoy_id=f"{one.prompt[:20]}-{one.sample}",
        context_sha256=one.prompt,
        text=one.text,
        tier=begun.tier,
        drawn_at=one.ended,
        drawn_by=begun.drawn_by,
        reference_snapshot=begun.snapshot,
        stack_id=one.wire.fingerprint if one.wire is not None else "",
        temperature=delivered.temperature,
        top_p=delivered.top_p,
        max_tokens=delivered.max_tokens,
        finish_reason=one.finish,
    )


def _counted(left_out: Counter[str]) -> tuple[Fact, ...]:
    return tuple(Fact(name=why, value=str(count)) for why, count in sorted(left_out.items()))
