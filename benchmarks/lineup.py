"""Speed and memory of the line-up. Run by `make bench-lineup`.

    benchmarks/lineup.py [--documents N] [--bags N] [PART ...]

Parts: `exact` (p of 10^6 line-ups with 9 fillers), `corpus` (a planted corpus and 1,000 bags), `likelihood` (1,000 bags
of 4 fillers, batched against each member alone). All by default. A figure is of the machine that prints it. The level
of the test, and other tests on the same tables, are in lineup_study.py.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from depose.lineup.rank_test import opened, rank_sum
from depose.model.lineup import Bag, Context, Turn

VOCABULARY = 20_000
LENGTH = 60
"""Words of a document."""


def main() -> None:
    """Run the parts, each in a process of its own, so that its memory is its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--bags", type=int, default=1_000)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        PARTS[asked.parts[0]](asked)
        return
    sizes = [f"--documents={asked.documents}", f"--bags={asked.bags}"]
    for part in asked.parts or PARTS:
        subprocess.run([sys.executable, __file__, part, "--here", *sizes], check=True)


def told(what: str, start: float, **more: Any) -> None:
    """Print one line: what, seconds by the clock and of the processor, and the most memory so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {"seconds": round(time.perf_counter() - start, 1), "cpu": round(used.ru_utime + used.ru_stime, 1)}
    print(f"{what}: {json.dumps(figures | more)}, {used.ru_maxrss / 1024**2:.2f} GB", flush=True)


# --- parts ------------------------------------------------------------------------------------------


def exact(asked: argparse.Namespace) -> None:
    """Time the exact p of a million line-ups of ten members, ties among them."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(1_000_000, 10))
    scores[:, 0] += 0.02
    scores[:1_000] = np.round(scores[:1_000])
    key = np.zeros(scores.shape, dtype=bool)
    key[:, 0] = True
    start = time.perf_counter()
    found = rank_sum(opened(scores, key))
    told("exact p, N = 10^6, M = 9", start, log10_p=round(found.log10_p, 3), area=round(found.level, 4))


def _text(rng: np.random.Generator, length: int = LENGTH) -> str:
    # A few words make up most of a text, as in any language.
    return " ".join(f"w{n}" for n in np.minimum(rng.zipf(1.3, size=length), VOCABULARY))


def corpus(asked: argparse.Namespace) -> None:
    """Plant a tenth of the deliveries, one word in ten changed, in a corpus, and search all members in it."""
    from depose.lineup.corpus import CorpusScorer

    rng = np.random.default_rng(7)
    turn = Context(messages=(Turn(role="user", content="?"),))
    bags = [Bag(bag=f"b{n}", context=turn, members=tuple(_text(rng) for _ in range(5))) for n in range(asked.bags)]
    with tempfile.TemporaryDirectory() as folder:
        import pyarrow
        import pyarrow.parquet

        path, planted = Path(folder) / "corpus.parquet", 0
        schema = pyarrow.schema([("text", pyarrow.string())])
        with pyarrow.parquet.ParquetWriter(path, schema) as writer:
            for at in range(0, asked.documents, 10_000):
                size = min(10_000, asked.documents - at)
                rows = np.minimum(rng.zipf(1.3, size=(size, LENGTH)), VOCABULARY)
                texts = [" ".join(f"w{n}" for n in row) for row in rows.tolist()]
                while planted < len(bags) // 10 and planted * asked.documents < at * (len(bags) // 10) + 1:
                    words = bags[planted * 10].members[0].split()
                    for place in rng.choice(LENGTH, size=LENGTH // 10, replace=False):
                        words[place] = "changed"
                    texts[planted % size] = " ".join(words)
                    planted += 1
                writer.write_table(pyarrow.table({"text": texts}, schema=schema))
        start = time.perf_counter()
        scorer = CorpusScorer(path)
        scores = scorer.score(bags)
    found = sum(row[0] is not None and row[0].ratio > 0.8 for row in scorer.matches)
    key = np.zeros((len(bags), 5), dtype=bool)
    key[:, 0] = True
    p = rank_sum(opened(np.array(scores), key)).log10_p
    told(
        f"corpus of {asked.documents:,} documents, {len(bags):,} bags",
        start,
        planted=planted,
        found=found,
        log10_p=round(p, 1),
    )


def likelihood(asked: argparse.Namespace) -> None:
    """Score bags of five members together, and a tenth of them member by member as anybody would; the ratio is per bag.

    Contexts have about 200 tokens, as prompts with a short system prompt do, and answers about 64.
    """
    import torch

    from depose.endpoints.local import place
    from depose.endpoints.weights import find
    from depose.features.packaged import settle_libraries
    from depose.lab.texts import docstrings, pool
    from depose.lineup.likelihood import open_weights
    from depose.model import ModelSpec

    settle_libraries()
    rng = np.random.default_rng(7)
    paragraphs = docstrings(rng, 6_000)
    prompts = [one.text for one in pool()]

    def say(count: int) -> str:
        return " ".join(paragraphs[int(n)] for n in rng.integers(len(paragraphs), size=count))

    bags = [
        Bag(
            bag=f"b{n}",
            context=Context(
                messages=(
                    Turn(role="system", content=say(5)),
                    Turn(role="user", content=prompts[n % len(prompts)]),
                )
            ),
            members=tuple(" ".join(say(3).split()[:45]) for _ in range(5)),
        )
        for n in range(asked.bags)
    ]
    spec = ModelSpec(code="S1", role="suspect", provider="transformers", model="SmolLM2-135M-Instruct")
    scorer = open_weights(spec, Path())
    start, cpu = time.perf_counter(), time.process_time()
    scorer.score(bags)
    together = (time.perf_counter() - start, time.process_time() - cpu)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = find(spec, Path(), place()[1]).folder
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=getattr(torch, place()[1]), local_files_only=True
    ).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    some = bags[:: max(1, len(bags) // max(4, len(bags) // 50))]
    begun, cpu = time.perf_counter(), time.process_time()
    for bag in some:
        turns = [{"role": turn.role, "content": turn.content} for turn in bag.context.messages]
        shown = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        context = tokenizer(shown, add_special_tokens=False)["input_ids"]
        for member in bag.members:
            ids = torch.tensor([context + tokenizer(member, add_special_tokens=False)["input_ids"]])
            with torch.inference_mode():
                logits = model(input_ids=ids).logits[0].float()
                torch.log_softmax(logits, dim=-1)[:-1].gather(-1, ids[0, 1:, None]).sum()
    alone = (time.perf_counter() - begun, time.process_time() - cpu)
    ratios = [one / len(some) / (other / len(bags)) for one, other in zip(alone, together, strict=True)]
    told(
        f"likelihood of {len(bags):,} bags of 4 fillers",
        start,
        ratio_by_clock=round(ratios[0], 2),
        ratio_of_processor=round(ratios[1], 2),
        bags_a_cpu_second=round(len(bags) / together[1], 2),
    )


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "exact": exact,
    "corpus": corpus,
    "likelihood": likelihood,
}

if __name__ == "__main__":
    main()
