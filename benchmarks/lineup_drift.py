"""Line-ups whose fillers came from a changed sampler, and suspects that learnt nothing. Run by `make lineup-drift`.

    benchmarks/lineup_drift.py [--cases N] [--prompts N] [--controls N] [DIR]

DIR is ./out/lineup-drift; a run that was killed goes on there.

R1 of the case `distilled` delivers; fillers are drawn from it with another temperature, another system prompt, weights
rounded to eight bits, or an adapter at nine tenths of its strength, as of another snapshot. The suspects are the
untuned base and a student of another teacher, the controls three other lineages of the laboratory. Each case registers
the tier `resampled`, which such fillers are not, and chooses anew which draw was delivered and which accounts are in
question. Printed: how often p is at most .05, which diagnostic fails, and the opinion; `indication` would be false.
"""

from __future__ import annotations

import argparse
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from lineup_students import KNOWN, drawn, scored, spec_of

from depose.lab import recipe as recipes
from depose.lab import texts
from depose.lineup.diagnostics import diagnose
from depose.lineup.examine import examine
from depose.lineup.opened import OpenedLineup
from depose.model import Prompt
from depose.model.lineup import Bag, Context, LineupKey, Opened, ScoreTable, Turn
from depose.model.lineup_plan import LineupLimits, LineupPlan

TOKENS = 32
DELIVERED, FILLERS = 2, 2
"""Draws of the unchanged sampler, and of each changed one, for a prompt."""
TEMPERATURE = 0.7
SYSTEM = "You are a helpful assistant. Keep it short."
SUSPECTS, CONTROLS = ("B", "S2"), ("L1", "L2", "L3")
KINDS = ("none", "temperature -.05", "temperature +.05", "system prompt", "int8", "snapshot")


def main() -> None:
    """Draw, score, and judge so many cases of each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("out/lineup-drift"))
    parser.add_argument("--cases", type=int, default=20, help="of each kind")
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--controls", type=int, default=len(CONTROLS), choices=range(1, len(CONTROLS) + 1))
    asked = parser.parse_args()
    recipe, controls = recipes.read("default"), CONTROLS[: asked.controls]
    prompts = texts.pool()[:: max(1, len(texts.pool()) // asked.prompts)][: asked.prompts]
    draws = {kind: _draws(asked.folder, kind, prompts, recipe) for kind in ("delivered", *KINDS)}
    members = [
        tuple(dict.fromkeys(text for kind in draws for text in draws[kind][place])) for place in range(len(prompts))
    ]
    tables = {
        code: scored(asked.folder, code, spec_of(f"adapters/{code}" if code != "B" else ""), KNOWN, prompts, members)
        for code in ("R1", *SUSPECTS, *controls)
    }
    known = [
        {code: dict(zip(texts_, tables[code][place], strict=True)) for code in tables}
        for place, texts_ in enumerate(members)
    ]
    names = [f"D{n}" for n in range(1, 8)]
    print(
        f"{len(prompts)} prompts, {FILLERS} fillers, {asked.cases} cases of each kind, "
        f"suspects {', '.join(SUSPECTS)}, controls {', '.join(controls)}"
    )
    print(f"| fillers from | p <= .05 | {' | '.join(names)} | opinions |\n|---{'|---' * (len(names) + 2)}|")
    for kind in KINDS:
        small, verdicts, failing = 0, Counter[str](), Counter[str]()
        for number in range(asked.cases):
            rng = np.random.default_rng([7, KINDS.index(kind), number])
            case = _case(prompts, draws["delivered"], draws[kind], known, controls, rng)
            for one in examine(case, 0.05, number, "", diagnose):
                small += 10**one.log10_p <= 0.05
                failing.update(d.name for d in one.diagnostics if d.passed is False)
                verdicts[" ".join([one.opinion.verdict, *one.opinion.reasons])] += 1
        told = "; ".join(f"{count} {name}" for name, count in verdicts.most_common())
        print(f"| {kind} | {small} | {' | '.join(str(failing[name]) for name in names)} | {told} |", flush=True)


def _draws(folder: Path, kind: str, prompts: tuple[Prompt, ...], recipe: Any) -> list[tuple[str, ...]]:
    adapter, system, temperature, home = "adapters/R1", "", TEMPERATURE, KNOWN
    changed: Callable[[Any], None] | None = None
    count = DELIVERED if kind == "delivered" else FILLERS
    first = 100 * (("delivered", *KINDS).index(kind))
    if kind.startswith("temperature"):
        temperature += 0.05 if "+" in kind else -0.05
    elif kind == "system prompt":
        system = SYSTEM
    elif kind == "int8":
        changed = rounded
    elif kind == "snapshot":
        home, adapter = folder, str(_weakened(folder).relative_to(folder))
    found: list[tuple[str, ...]] = drawn(
        folder,
        kind.replace(" ", "-"),
        spec_of(adapter),
        home,
        prompts,
        range(first, first + count),
        recipe.seed,
        temperature,
        TOKENS,
        system=system,
        changed=changed,
    )
    return found


def rounded(model: Any) -> None:
    """Round each matrix of a model to eight bits, one scale for each row, as servers that quantise do."""
    for parameter in model.parameters():
        if parameter.ndim == 2:
            wide = parameter.data.float()
            scale = wide.abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
            parameter.data = ((wide / scale).round() * scale).to(parameter.dtype)


def _weakened(folder: Path) -> Path:
    """Write R1's adapter at nine tenths of its strength."""
    from safetensors.torch import load_file, save_file

    target = folder / "snapshot"
    if not (target / "adapter_model.safetensors").is_file():
        target.mkdir(parents=True, exist_ok=True)
        source = KNOWN / "adapters" / "R1"
        shutil.copyfile(source / "adapter_config.json", target / "adapter_config.json")
        state = load_file(source / "adapter_model.safetensors")
        weaker = {name: value * 0.9 if "lora_B" in name else value for name, value in state.items()}
        save_file(weaker, target / "adapter_model.safetensors", metadata={"format": "pt"})
    return target


def _case(
    prompts: tuple[Prompt, ...],
    delivered: list[tuple[str, ...]],
    fillers: list[tuple[str, ...]],
    known: list[dict[str, dict[str, float]]],
    controls: tuple[str, ...],
    rng: np.random.Generator,
) -> OpenedLineup:
    """Put a line-up of each prompt together, as an owner would who believes that the sampler never changed."""
    bags, entries, rows = [], [], []
    matched = rng.random(len(prompts)) < 0.4
    for place, prompt in enumerate(prompts):
        given = delivered[place][rng.integers(len(delivered[place]))]
        copies = Counter((given, *fillers[place]))
        if len(copies) < 2:
            continue
        members = tuple(sorted(copies))
        name = f"b{place}"
        bags.append(Bag(bag=name, context=Context(messages=(Turn(role="user", content=prompt.text),)), members=members))
        account = ("B1" if matched[place] else "A1",)
        entries.append(
            Opened(
                bag=name,
                copies=tuple(copies[one] for one in members),
                received=tuple(int(one == given) for one in members),
                times=tuple(int(one == given) for one in members),
                group="matched" if matched[place] else "accused",
                tier="resampled",
                delivered_at="",
                accounts=account,
                snapshot="R1",
                drawn_at="",
            )
        )
        rows.append(place)
    tables = {
        code: ScoreTable(
            model=code,
            statistic="likelihood",
            bags="",
            facts=(),
            scores=tuple(
                tuple(known[place][code][one] for one in bag.members) for place, bag in zip(rows, bags, strict=True)
            ),
        )
        for code in ("R1", *SUSPECTS, *controls)
    }
    plan = LineupPlan(
        accounts=("A1",),
        chosen_by="the laboratory",
        sampling="all",
        matched=("B1",),
        fillers=FILLERS,
        minus="R1",
        controls=controls,
        share=1.0,
        limits=LineupLimits(bags=len(prompts) // 3, controls=len(controls)),
    )
    salt = rng.bytes(32).hex()
    return OpenedLineup(
        plan=plan,
        suspects=SUSPECTS,
        reference="R1",
        bags=tuple(bags),
        key=LineupKey(format="depose-lineup-key/1", salt=salt, bags="", entries=tuple(entries)),
        tables=tables,
        minus="R1",
    )


if __name__ == "__main__":
    main()
