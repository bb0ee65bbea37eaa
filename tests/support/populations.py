"""What several tests share: populations."""

from __future__ import annotations

import numpy as np

from depose.case.population import Member, Population, Task

WORDS = "amber basil cedar dune ember fjord grove heron iris jade kelp lilac maple north ocean pine".split()  # noqa: SIM905


def population(models: int = 70, prompts: int = 14) -> Population:
    """Make models of distinct lineage with habits of their own; model 1 copies model 0; one answer is missing."""
    rng = np.random.default_rng(5)
    stock = [rng.permutation(WORDS)[:7].tolist() for _ in range(models)]
    stock[1] = stock[0]

    def text(model: int) -> str:
        sentences = [" ".join(rng.choice(stock[model], 6)).capitalize() + "." for _ in range(8)]
        return "\n".join(sentences[:2]) + " " + " ".join(sentences[2:])

    answers = [[text(m) for m in range(models)] for _ in range(prompts)]
    rows: list[list[str | None]] = [list(row) for row in answers]
    rows[3][4] = None
    members = tuple(
        Member(
            name=f"m{m}",
            family=f"f{m}",
            developer=f"dev{m}",
            weight_lineage=f"w{m}",
            data_lineage=f"d{m}",
            trained_on=(),
            hub=False,
        )
        for m in range(models)
    )
    return Population(
        source="made",
        members=members,
        pairs=(),
        tasks=(Task(kind="teacher", suspect="m1", candidates=("m0", "m5", "m9"), true=("m0",), same_developer=()),),
        rows=tuple((f"q{p}", 0) for p in range(prompts)),
        prompts=tuple(f"Write about the {WORDS[p]} and the {WORDS[-p]}" for p in range(prompts)),
        answers=tuple(tuple(row) for row in rows),
    )
