"""The questions that a protocol comes to, each with all that decides its answer."""

from __future__ import annotations

from pathlib import Path

from depose.evidence.records import Key
from depose.model import Ask, Case, Exchange, ModelSpec, Prompt, Registration, replicates, setting


def key(one: Ask | Exchange) -> Key:
    """Which question it is: model, prompt, sample, replicate."""
    return one.model, one.prompt, one.sample, one.replicate


def asks(registration: Registration) -> list[Ask]:
    """List every question of a protocol, model by model."""
    case = registration.case
    return [
        _ask(case, spec, prompt, sample, replicate)
        for spec in case.models
        for replicate in range(replicates(spec, case.protocol))
        for prompt in registration.prompts
        for sample in range(case.protocol.samples)
    ]


def _ask(case: Case, spec: ModelSpec, prompt: Prompt, sample: int, replicate: int) -> Ask:
    return Ask(
        model=spec.code,
        prompt=prompt.id,
        sample=sample,
        replicate=replicate,
        text=prompt.text,
        system=spec.system,
        temperature=float(setting(spec, case.protocol, "temperature")),
        max_tokens=int(setting(spec, case.protocol, "max_tokens")),
        seed=int(setting(spec, case.protocol, "seed")),
    )


def questions(registration: Registration) -> dict[Key, tuple[object, ...]]:
    """Tell by question what decides its answer: words and settings, whom it goes to, the phase that it belongs to."""
    files = {fact.name: fact.value for fact in registration.files}
    reach = {
        spec.code: (
            *(spec.provider, spec.model, spec.revision, spec.adapter, spec.route, spec.base_url, spec.file),
            *(spec.parameters, spec.omit),
            files.get(spec.file, files.get(Path(spec.file).name)),
        )
        for spec in registration.case.models
    }
    phase = registration.case.protocol.phase
    return {key(ask): (ask, reach[ask.model], phase) for ask in asks(registration)}
