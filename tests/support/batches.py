"""A made batch of known truth: who copies whom, who has nothing to do with anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from depose.validate.labelled import FORMAT, Labelled, LabelledPair
from fakes import to_toml
from populations import WORDS

CONTROLS = 24
PROMPTS = 28
REFERENCES = ("R1", "R2", "R3")
TRUTH = {"S1": "R1", "S2": "S2", "S3": "R2", "S4": "S4", "S5": "R3", "S6": "S6", "S7": "R1"}
"""Suspects, and in whose words each of them writes."""


def said(voice: str, prompt: int) -> str:
    """Answer a prompt in the words that a voice prefers."""
    rng = np.random.default_rng(list(f"{voice} says".encode()))
    stock = rng.permutation(WORDS)[:8].tolist()
    rng = np.random.default_rng([prompt, *voice.encode()])
    return " ".join(" ".join(rng.choice(stock, 6)).capitalize() + "." for _ in range(6))


def labelled(seed: int = 1, **change: Any) -> Labelled:
    """Make scores of pairs of known relation: true ones about 11, unrelated ones about 0."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(150):
        true = number < 50
        t = tuple(float(np.round(rng.normal(11.0 if true else 0.0, 2.0 if true else 1.0), 4)) for _ in range(2))
        for question in ("same", "derived", "distilled"):
            pairs.append(
                LabelledPair(
                    suspect=f"known{number}",
                    reference=f"teacher{number % 7}",
                    question=question if true else None,
                    lineages=(f"k{number}", f"t{number % 7}"),
                    family=f"k{number}",
                    control_for=() if true else (question,),
                    t={"phrases": t, "wording": t},
                )
            )
    made = Labelled(
        format=FORMAT,
        source="made",
        files=(),
        software=(),
        prompts=(14, 10),
        k_low=3,
        k_high=60,
        one_base=False,
        pairs=tuple(pairs),
    )
    return msgspec.structs.replace(made, **change)


def spec(code: str, role: str, **more: Any) -> dict[str, Any]:
    """Describe a recorded model with a developer and lineages of its own."""
    own = {name: f"{name} {code}" for name in ("developer", "weight_lineage", "data_lineage")}
    return {"code": code, "role": role, "provider": "recorded", "file": f"{code}.jsonl", **own, **more}


def write(
    folder: Path, truth: Mapping[str, str] = TRUTH, *, models: Sequence[dict[str, Any]] = (), **screening: Any
) -> Path:
    """Write a batch file with the answers of its models and labelled scores; return the batch file."""
    folder.mkdir(parents=True, exist_ok=True)
    controls = [f"C{number}" for number in range(CONTROLS)]
    voices = {**truth, **{name: name for name in (*REFERENCES, *controls)}}
    prompts = [f"Write about the {WORDS[n % len(WORDS)]}, number {n}" for n in range(PROMPTS)]
    rows = [{"prompt_id": f"q{n:02}", "prompt": text, "category": "made"} for n, text in enumerate(prompts)]
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for code, voice in voices.items():
        lines = [{**row, "model": code, "output": said(voice, n)} for n, row in enumerate(rows)]
        (folder / f"{code}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "screening.json").write_bytes(msgspec.json.encode(labelled()))
    listed = [
        *(spec(code, "suspect") for code in truth),
        *(spec(code, "reference") for code in REFERENCES),
        *(spec(code, "control") for code in controls),
    ]
    file = {
        "batch": {"title": "Made vendors", "authority": "made-up models"},
        "screening": {"labelled": "screening.json", "prompts": "prompts.jsonl", **screening},
        "models": list(models) or listed,
    }
    path = folder / "batch.toml"
    path.write_text(to_toml(file), encoding="utf-8")
    return path
