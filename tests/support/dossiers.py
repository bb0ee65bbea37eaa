"""What several tests share: dossiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.model import (
    Case,
    CaseHead,
    Dossier,
    ModelSpec,
    Primary,
    Prompt,
    Protocol,
    Registration,
    SelfTest,
    Transcript,
    Unanswered,
)

PROMPTS = 24


WORDS = [
    f"{a}{b}" for a in ("ka", "lo", "mi", "nu", "po", "ra", "si", "te") for b in ("bor", "dal", "fen", "gus", "hep")
]


def answer(model_words: Sequence[str], rng: np.random.Generator) -> str:
    """Write forty words, half from the stock of the model for this prompt, and a clause in English that all have."""
    own = rng.choice(list(model_words), 20)
    common = rng.choice(WORDS[:8], 20)
    pairs = [" ".join(pair) for pair in zip(own, common, strict=True)]
    return " ".join((*pairs, "and that is the whole of it"))


def spec(code: str, role: Any, **more: Any) -> ModelSpec:
    """Make a recorded model with lineages of its own."""
    return msgspec.convert(
        {
            "code": code,
            "role": role,
            "provider": "recorded",
            "model": code,
            "developer": f"dev-{code}",
            "weight_lineage": f"w-{code}",
            "data_lineage": f"d-{code}",
            "released": "2025-01",
            **more,
        },
        ModelSpec,
    )


def dossier(
    specs: Sequence[ModelSpec], copies: dict[str, str], *, missing: Sequence[str] = (), replicates: int = 1
) -> Dossier:
    """Script a case: each model has a stock of words per prompt; a copy uses the stock of its teacher."""
    prompts = tuple(
        Prompt(id=f"q{i}", family="f", cluster=f"c{i}", text=f"Tell me about item {i}.") for i in range(PROMPTS)
    )
    transcripts, unanswered = [], []
    for one in specs:
        for i, prompt in enumerate(prompts):
            for replicate in range(replicates if one.role == "reference" else 1):
                spot = {"model": one.code, "prompt": prompt.id, "sample": 0, "replicate": replicate}
                if one.code in missing:
                    unanswered.append(msgspec.convert({**spot, "reason": "not asked"}, Unanswered))
                    continue
                key = [ord(c) for c in copies.get(one.code, one.code)]
                stock = np.random.default_rng([i, *key]).permutation(WORDS)[:10].tolist()
                rng = np.random.default_rng([i, replicate, *map(ord, one.code)])
                transcripts.append(msgspec.convert({**spot, "text": answer(stock, rng)}, Transcript))
    case = Case(
        case=CaseHead(title="scripted", authority="test"),
        protocol=Protocol(
            detectors=("phrases", "openings", "fuzzy", "length"),
            primary=Primary(derived="phrases", distilled="phrases"),
            prompts="x.csv",
            bootstrap=99,
            replicates=replicates,
        ),
        models=tuple(specs),
    )
    return Dossier(
        registration=Registration(case=case, prompts=prompts, files=(), software=()),
        protocol_digest="0" * 64,
        head="1" * 64,
        registered_at="2026-01-01T00:00:00.000000Z",
        first_asked="2026-01-01T00:00:01.000000Z",
        last_asked="2026-01-01T00:00:02.000000Z",
        transcripts=tuple(transcripts),
        unanswered=tuple(unanswered),
        endpoints={},
        selftest=SelfTest(software="", kit="", tests=(), passed=True),
    )


def quiet(line: str) -> None:
    """Say nothing."""


CONTROLS = [spec(f"C{i}", "control") for i in range(FEWEST_LINEAGES + 1)]
