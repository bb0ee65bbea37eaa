"""Draws of a reference and students of some of them: what the line-ups of known truth are made of.

Everything is made once below one folder, whole or not at all: a run that was killed goes on where it stopped. The same
seed gives the same bytes on the same processor, number of threads and versions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose.endpoints.local import Local, forget, place
from depose.endpoints.weights import find
from depose.errors import EndpointError
from depose.evidence.log import write_whole
from depose.evidence.workspace import workspace
from depose.features import packaged
from depose.lab import train
from depose.lab.export import Answered
from depose.lab.recipe import Tuning
from depose.lab.texts import Example
from depose.lineup.likelihood import open_weights
from depose.model import Ask, ModelSpec, Prompt
from depose.model.canonical import canonical, sha256
from depose.model.lineup import Bag, Context, Turn

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ROOT / "casefiles" / "distilled"
"""Where the reference R1 and the student S2 of another teacher are, as adapters."""
BASE = "SmolLM2-135M-Instruct"


def spec_of(adapter: str, model: str = BASE) -> ModelSpec:
    """Describe a base with an adapter, or bare where there is none."""
    return ModelSpec(code="M", role="suspect", provider="transformers", model=model, adapter=adapter)


def drawn(
    folder: Path,
    name: str,
    spec: ModelSpec,
    home: Path,
    prompts: Sequence[Prompt],
    samples: Sequence[int],
    seed: int,
    temperature: float,
    tokens: int,
    system: str = "",
    changed: Callable[[Any], None] | None = None,
) -> list[tuple[str, ...]]:
    """Draw so many answers to each prompt, each sample with a stream of its own: [prompts][samples].

    `changed` does something to the model before it answers.
    """
    columns = []
    for sample in samples:
        path = folder / "draws" / f"{name}-{sample}.jsonl"
        if not path.is_file():
            start = time.monotonic()
            asks = [
                Ask(
                    model=name,
                    prompt=prompt.id,
                    sample=sample,
                    replicate=0,
                    text=prompt.text,
                    system=system,
                    temperature=temperature,
                    max_tokens=tokens,
                    seed=seed,
                )
                for prompt in prompts
            ]
            lines = [canonical(one) for one in _answered(spec, home, asks, changed)]
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, b"\n".join(lines) + b"\n")
            print(f"{name}-{sample}: {len(asks)} answers in {time.monotonic() - start:.0f} s", flush=True)
        rows = [msgspec.json.decode(line, type=Answered) for line in path.read_bytes().splitlines()]
        columns.append([one.text for one in rows])
    return list(zip(*columns, strict=True))


def _answered(
    spec: ModelSpec, home: Path, asks: Sequence[Ask], changed: Callable[[Any], None] | None
) -> list[Answered]:
    packaged.settle_libraries()
    device, dtype = place()
    endpoint = Local(spec, find(spec, home, dtype), device, dtype)
    endpoint.batch = 96
    if changed is not None:
        forget()
        changed(endpoint.load().model)
    replies = endpoint.ask(asks)
    if changed is not None:
        forget()
    bad = next((reply for reply in replies if reply.outcome == "failed"), None)
    if bad is not None:
        raise EndpointError(f"{asks[0].model}: did not answer: {bad.reason}", hint="run it again")
    return [
        Answered(prompt=ask.prompt, sample=ask.sample, replicate=0, text=reply.text, finish=reply.finish)
        for ask, reply in zip(asks, replies, strict=True)
    ]


def scored(
    folder: Path,
    name: str,
    spec: ModelSpec,
    home: Path,
    prompts: Sequence[Prompt],
    members: Sequence[tuple[str, ...]],
) -> list[list[float]]:
    """Score the members of each prompt by their log-likelihood, in nats: [prompts][members]."""
    bags = [
        Bag(bag=f"b{n}", context=Context(messages=(Turn(role="user", content=prompt.text),)), members=texts)
        for n, (prompt, texts) in enumerate(zip(prompts, members, strict=True))
    ]
    path = folder / "scores" / f"{name}-{sha256(canonical(tuple(bags)))[:12]}.json"
    if not path.is_file():
        start = time.monotonic()
        found = open_weights(spec, home).score(bags)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, msgspec.json.encode(found))
        print(f"{name}: {sum(map(len, found))} members scored in {time.monotonic() - start:.0f} s", flush=True)
    return msgspec.json.decode(path.read_bytes(), type=list[list[float]])


def taught(
    folder: Path, name: str, examples: Sequence[Example], tuning: Tuning, seed: int, base: Path | None = None
) -> Path:
    """Tune a student on examples, and return the folder of its adapter; a bare base is the packaged one."""
    target = folder / "students" / name
    if not target.is_dir():
        packaged.settle_libraries()
        start = time.monotonic()
        home = base or Path(find(spec_of(""), ROOT, "bfloat16").folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        with workspace(target.parent) as work:
            made = train.tune(home, [one for one in examples if one.text.strip()], tuning, seed, work, "cpu")
            work.rename(target)
        print(f"{name}: {made.steps} steps in {time.monotonic() - start:.0f} s, losses {made.losses}", flush=True)
    return target
