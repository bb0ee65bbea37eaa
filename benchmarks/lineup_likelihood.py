"""Log-likelihoods of bags as depose makes them, against each member alone. Run by `make bench-lineup`.

    benchmarks/lineup_likelihood.py [--scored N]

For contexts of about 50, 200 and 1,000 tokens, each bag with a system prompt of its own or all with one: how many times
faster N bags of five members of about 64 tokens are than one member after the other, as anybody would score them, by
the processor's time and by the clock. Beside it the limit: the multiplications of that plain way by those that are
left when each different beginning goes through the model once and only counted tokens through its head. Both sides
have the same model in the same format on the same threads; where the plain way is slower than its multiplications
(attention, logarithms over the vocabulary) the ratio may exceed the limit.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from depose.endpoints.local import place
from depose.endpoints.weights import find
from depose.features.packaged import settle_libraries
from depose.lab.texts import docstrings, pool
from depose.lineup.likelihood import WeightsScorer, open_weights
from depose.lineup.prefix_tree import grow
from depose.model import ModelSpec
from depose.model.lineup import Bag, Context, Turn

LENGTHS = (50, 200, 1_000)
ANSWER = 64
ALONE = {50: 6, 200: 4, 1_000: 2}
"""Bags that are scored member by member."""
SPEC = ModelSpec(code="S1", role="suspect", provider="transformers", model="SmolLM2-135M-Instruct")

Read = list[tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]]
"""Tokens of each bag: context, members."""


def main(scored: int) -> None:
    """Print one line for each length of context, with a system prompt for each bag and with one for all."""
    settle_libraries()
    from transformers import AutoModelForCausalLM, AutoTokenizer

    import torch  # isort: skip

    folder = find(SPEC, Path(), place()[1]).folder
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    plain: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, place()[1]), local_files_only=True
    ).eval()
    scorer = open_weights(SPEC, Path())
    print(f"{place()[1]} on {torch.get_num_threads()} threads; {scored} bags of 5 members, times faster than alone")
    print("| context | system prompt | limit by operations | processor | clock | bags a processor second |")
    print("|---|---|---|---|---|---|")
    for length in LENGTHS:
        for shared in (False, True):
            bags = made(tokenizer, scored, length, shared)
            scorer.score(bags[:1])
            read = tokens(scorer, bags)
            ours = timed(lambda bags=bags: scorer.score(bags))  # type: ignore[misc]
            some = read[:: max(1, scored // ALONE[length])][: ALONE[length]]
            theirs = timed(lambda some=some: one_by_one(plain, some))  # type: ignore[misc]
            by = [one / len(some) / (other / len(bags)) for one, other in zip(theirs, ours, strict=True)]
            kind = "one for all" if shared else "one each"
            long = round(np.mean([len(context) for context, _ in read]))
            print(
                f"| {long:,} | {kind} | {limit(plain, read):.1f} | {by[0]:.1f} | {by[1]:.1f}"
                f" | {len(bags) / ours[0]:.2f} |",
                flush=True,
            )


def made(tokenizer: Any, count: int, length: int, shared: bool) -> list[Bag]:
    """Make bags with contexts of about so many tokens, most of them in the system prompt."""
    rng = np.random.default_rng(7)
    paragraphs, prompts = docstrings(rng, 6_000), [one.text for one in pool()]

    def say(tokens: int) -> str:
        text = " ".join(paragraphs[int(n)] for n in rng.integers(len(paragraphs), size=tokens // 8 + 2))
        return str(tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"][:tokens]))

    template = 10
    prompt = round(np.mean([len(tokenizer(one)["input_ids"]) for one in prompts]))
    size = max(8, length - prompt - template)
    one = say(size)
    return [
        Bag(
            bag=f"b{n}",
            context=Context(
                messages=(
                    Turn(role="system", content=one if shared else say(size)),
                    Turn(role="user", content=prompts[n % len(prompts)]),
                )
            ),
            members=tuple(say(int(rng.integers(ANSWER * 3 // 4, ANSWER * 5 // 4))) for _ in range(5)),
        )
        for n in range(count)
    ]


def tokens(scorer: WeightsScorer, bags: Sequence[Bag]) -> Read:
    """Read bags as the model does."""
    return [(one.context, one.members) for one in scorer._tokens(bags)]


def timed(act: Callable[[], object]) -> tuple[float, float]:
    """Return the processor's seconds and those of the clock."""
    start, cpu = time.perf_counter(), time.process_time()
    act()
    return time.process_time() - cpu, time.perf_counter() - start


def one_by_one(model: Any, read: Read) -> list[float]:
    """Score each member alone: context and member through the model, the logarithm over the vocabulary everywhere."""
    import torch

    found = []
    for context, members in read:
        for member in members:
            ids = torch.tensor([context + member])
            with torch.inference_mode():
                log = torch.log_softmax(model(input_ids=ids).logits[0].float(), dim=-1)
            picked = log[len(context) - 1 : -1].gather(-1, ids[0, len(context) :, None])
            found.append(float(picked.sum()))
    return found


def limit(model: Any, read: Read) -> float:
    """Divide the multiplications of members alone by the least that give the same sums."""
    head: int = model.get_output_embeddings().weight.numel()
    body: int = sum(module.weight.numel() for module in model.modules() if type(module).__name__ == "Linear") - head
    shape = model.config
    pair: int = 2 * shape.num_hidden_layers * shape.num_attention_heads * shape.head_dim

    def attended(first: int, end: int) -> int:
        return int(pair * (end * (end + 1) - first * (first + 1)) // 2)

    alone = [len(context) + len(member) for context, members in read for member in members]
    plain = sum(length * (body + head) + attended(0, length) for length in alone)
    tree = grow([context + member[:-1] for context, members in read for member in members], 1 << 40, worth=1)
    least = sum(len(node.tokens) * body + attended(node.start, node.end) for node in tree.nodes)
    return float(plain / (least + head * sum(len(member) for _, members in read for member in members)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scored", type=int, default=200)
    main(parser.parse_args().scored)
