"""Who answered, by the providers' own word: pure, from the records of the exchanges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from depose.endpoints.model_names import is_deployment
from depose.endpoints.model_names import same_model as same_model
from depose.endpoints.wire_values import DOUBT
from depose.model import Exchange, Fact, Wire


def returned(exchanges: Sequence[Exchange]) -> tuple[Fact, ...]:
    """Sum up the model names and fingerprints that came back with answers, and say where they are not as asked."""
    heard = [one.wire for one in exchanges if one.wire is not None and one.outcome != "failed"]
    if not heard:
        return ()
    names = Counter(wire.model_returned for wire in heard)
    chosen = is_deployment(heard[0].url)
    other = [name for name in names if name and not same_model(heard[0].model_asked, name, deployment=chosen)]
    facts = [Fact(name="model returned", value=_counted(names))]
    if chosen:
        facts.append(Fact(name="name asked for", value="a deployment's, which says nothing of the model"))
    if other:
        facts.append(Fact(name="MODEL MISMATCH", value=f"asked for {heard[0].model_asked}, got {', '.join(other)}"))
    if len(names) > 1:
        facts.append(Fact(name="MODEL CHANGED", value="the name returned changed while it was asked"))
    prints = Counter(wire.fingerprint for wire in heard)
    if any(prints):
        facts.append(Fact(name="fingerprint", value=_counted(prints)))
    tries = sum(one.wire is not None and one.wire.attempt > 1 for one in exchanges)
    facts.append(
        Fact(name="attempts", value=f"{sum(one.wire is not None for one in exchanges)}, {tries} of them retries")
    )
    return tuple(facts)


def _counted(counts: Counter[str]) -> str:
    total = counts.total()
    return ", ".join(f"{name or 'none given'} ({n} of {total})" for name, n in sorted(counts.items()))


def heeded(controls: Iterable[Exchange]) -> tuple[Fact, ...]:
    """Say what came of asking for a model that cannot exist."""
    facts = []
    for one in controls:
        name = one.wire.model_returned if one.wire else ""
        told = f"ANSWERED all the same, as {name or 'a model without a name'}"
        value = f"refused: {one.reason}" if one.outcome == "failed" else told
        facts.append(Fact(name="asked for a model that cannot exist", value=value[:200]))
    return tuple(facts)


def _doubtful(wire: Wire) -> bool:
    return any(wire.missing.get(name, "").startswith(DOUBT) for name in ("input_tokens", "output_tokens"))


def notices(recorded: Sequence[Exchange], given_up: Iterable[str]) -> tuple[str, ...]:
    """Say what a person should hear of a run: why questions failed, whom it gave up, who else answered."""

    def key(one: Exchange) -> tuple[str, str, int, int]:
        return one.model, one.prompt, one.sample, one.replicate

    last = {key(one): one for one in recorded}
    failures = Counter((one.model, one.reason) for one in last.values() if one.outcome == "failed")
    lines = [f"{model}: {number} failed: {reason}" for (model, reason), number in sorted(failures.items())]
    lines += [f"{model}: asked no more in this run" for model in sorted(given_up)]
    again = Counter(one.model for one in recorded if one is not last[key(one)])
    lines += [f"{model}: {number} attempts failed and were repeated" for model, number in sorted(again.items())]
    doubted = Counter(one.model for one in recorded if one.wire is not None and _doubtful(one.wire))
    lines += [
        f"{model}: {number} answers came with counts of tokens that cannot be; their upper bound is counted"
        for model, number in sorted(doubted.items())
    ]
    held = Counter((one.model, one.reason) for one in last.values() if one.outcome in ("blocked", "empty"))
    lines += [
        f"{model}: {number} without an answer: {why or 'no text'}" for (model, why), number in sorted(held.items())
    ]
    for model in dict.fromkeys(one.model for one in recorded):
        facts = returned([one for one in recorded if one.model == model])
        lines += [f"{model}: {fact.name}: {fact.value}" for fact in facts if fact.name.isupper()]
    return tuple(lines)
