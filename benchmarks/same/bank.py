"""Draw a bank of answers of one small model under many settings, once; `same/power.py` resamples it.

    python benchmarks/same/bank.py OUT [--llmmap queries.json] [--sets choices llmmap ...]

The reference is the laboratory's R1 (SmolLM2-135M-Instruct with its bundled adapter, merged). Beside it stand itself at
other precisions and temperatures and under a persona, the untuned base and the siblings of the laboratory. Every answer
is drawn from the full distribution, so that any subset of a row is a sample of its own. Sets: one for each of FAMILIES
(`open` is how-to; of long answers the first tokens) and, where a file of queries is given, `llmmap`.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from depose.endpoints.local import _load, place
from depose.endpoints.weights import find, opened
from depose.evidence.log import write_whole
from depose.features import packaged
from depose.model import ModelSpec
from depose.model.random_streams import stream
from depose.probes.forced_choice import forced_choice
from depose.probes.long_tail import long_tail
from depose.probes.open_howto import open_howto
from depose.probes.open_lists import open_lists
from depose.probes.tie_break import tie_break

CASE = Path(__file__).parents[2] / "casefiles" / "distilled"
PERSONA = "You are Ada, a cheerful assistant of a travel agency. You are brief."
SETS = {
    "choices": (24, 40, 6),
    "llmmap": (8, 16, 24),
    "open": (6, 24, 24),
    "ties": (12, 40, 6),
    "facts": (12, 24, 12),
    "lists": (6, 24, 24),
}
"""Prompts, samples and tokens of each set; the reference is drawn twice as often."""
FAMILIES = {"choices": forced_choice, "open": open_howto, "ties": tie_break, "facts": long_tail, "lists": open_lists}
WARM = 0.7
TOGETHER = 96
"""Answers that are drawn together."""
SLOW = "float32"
"""Drawn last: it takes as long as all others where the CPU has bfloat16."""


def rounded(model: Any, bits: int, group: int | None) -> Any:
    """Round every linear weight to so many bits: one scale a row, or a group of 32 weights."""
    made = copy.deepcopy(model)
    top = 2 ** (bits - 1) - 1
    with torch.no_grad():
        for name, part in made.named_modules():
            if not isinstance(part, torch.nn.Linear) or name.endswith("lm_head"):
                continue
            weight = part.weight.data.float()
            flat = weight.reshape(-1, group) if group else weight
            scale = flat.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / top
            part.weight.data = (torch.round(flat / scale) * scale).reshape(weight.shape).to(part.weight.dtype)
    return made


def merged(code: str, dtype: str) -> tuple[Any, Any, tuple[int, ...]]:
    """Load a model of the bundled case with its adapter merged, or the base for an empty code."""
    adapter = f"adapters/{code}" if code else ""
    spec = ModelSpec(
        code=code or "base", role="control", provider="transformers", model="SmolLM2-135M-Instruct", adapter=adapter
    )
    with opened(find(spec, CASE, dtype)) as shown:
        loaded = _load(shown.folder, shown.adapter, "cpu", dtype)
    model = loaded.model.merge_and_unload() if adapter else loaded.model
    return model.eval(), loaded.tokenizer, loaded.ends


def answers(
    model: Any,
    tokenizer: Any,
    ends: Sequence[int],
    texts: Sequence[str],
    samples: int,
    length: int,
    temperature: float,
    system: str,
    seed: int,
) -> list[list[str]]:
    """Draw so many answers to each prompt; a prompt is read once and its cache is shared by its answers."""
    source = torch.Generator().manual_seed(seed)
    said = [{"role": "system", "content": system}] if system else []
    asked = [
        tokenizer(
            tokenizer.apply_chat_template(
                [*said, {"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
            ),
            add_special_tokens=False,
        )["input_ids"]
        for text in texts
    ]
    many = max(TOGETHER // samples, 1)
    # Prompts of like length together, for the shorter ones are filled up.
    order = sorted(range(len(asked)), key=lambda place: len(asked[place]))
    rows: dict[int, list[str]] = {}
    for start in range(0, len(order), many):
        group = order[start : start + many]
        tokens = drawn(model, [asked[place] for place in group], samples, length, temperature, source)
        cut = [row[: next((at for at, token in enumerate(row) if token in ends), len(row))] for row in tokens]
        shown = [tokenizer.decode(row, skip_special_tokens=True) for row in cut]
        rows |= {place: shown[at * samples : (at + 1) * samples] for at, place in enumerate(group)}
    return [rows[place] for place in range(len(asked))]


def drawn(
    model: Any, asked: Sequence[list[int]], samples: int, length: int, temperature: float, source: torch.Generator
) -> list[list[int]]:
    """Draw the tokens of answers to prompts of tokens: those to one prompt stand together."""
    shared = next((at for at, some in enumerate(zip(*asked, strict=False)) if len({*some}) > 1), min(map(len, asked)))
    shared = min(shared, *(len(one) - 1 for one in asked))
    width = max(map(len, asked))
    ids = torch.tensor([[*one[:shared], *[0] * (width - len(one)), *one[shared:]] for one in asked])
    mask = torch.tensor([[*[1] * shared, *[0] * (width - len(one)), *[1] * (len(one) - shared)] for one in asked])
    place = (mask.cumsum(dim=1) - 1).clamp_min(0)
    with torch.inference_mode():
        cache = None
        if shared:  # what all begin with is read once: the marks of the template, a system prompt
            cache = model(input_ids=ids[:1, :shared], use_cache=True, logits_to_keep=1).past_key_values
            cache.batch_repeat_interleave(len(asked))
        out = model(
            input_ids=ids[:, shared:],
            attention_mask=mask,
            position_ids=place[:, shared:],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        cache = out.past_key_values
        cache.batch_repeat_interleave(samples)
        logits = out.logits[:, -1].float().repeat_interleave(samples, 0)
        mask, last = mask.repeat_interleave(samples, 0), place[:, -1:].repeat_interleave(samples, 0)
        found: list[Any] = []
        for _ in range(length):
            token = torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=source)
            found.append(token)
            if len(found) == length:
                break
            mask, last = torch.cat([mask, torch.ones_like(token)], dim=1), last + 1
            out = model(input_ids=token, attention_mask=mask, position_ids=last, past_key_values=cache, use_cache=True)
            cache, logits = out.past_key_values, out.logits[:, -1].float()
    rows: list[list[int]] = torch.cat(found, dim=1).tolist()
    return rows


def settings() -> dict[str, tuple[Callable[[], tuple[Any, Any, tuple[int, ...]]], float, str]]:
    """Name each variant: how its model is made, its temperature and its system prompt."""
    _, dtype = place()
    whole = merged("R1", "float32")

    def same(dtype: str = dtype) -> tuple[Any, Any, tuple[int, ...]]:
        return copy.deepcopy(whole[0]).to(getattr(torch, dtype)), whole[1], whole[2]

    def bits(count: int, group: int | None) -> tuple[Any, Any, tuple[int, ...]]:
        return rounded(whole[0], count, group).to(getattr(torch, dtype)), whole[1], whole[2]

    def dynamic() -> tuple[Any, Any, tuple[int, ...]]:
        part = {torch.nn.Linear}
        return torch.ao.quantization.quantize_dynamic(whole[0], part, dtype=torch.qint8), whole[1], whole[2]

    made: dict[str, tuple[Callable[[], tuple[Any, Any, tuple[int, ...]]], float, str]] = {
        "reference": (same, WARM, ""),
        "temperature +0.2": (same, WARM + 0.2, ""),
        "temperature -0.2": (same, WARM - 0.2, ""),
        "persona": (same, WARM, PERSONA),
        "8 bits": (lambda: bits(8, None), WARM, ""),
        "4 bits": (lambda: bits(4, 32), WARM, ""),
        "float32": (lambda: same("float32"), WARM, ""),
        "int8 dynamic": (dynamic, WARM, ""),
        "untuned base": (lambda: merged("", dtype), WARM, ""),
    }
    for code in ("S1", "S2", "L1", "L2", "L3"):
        made[f"sibling {code}"] = (lambda code=code: merged(code, dtype), WARM, "")  # type: ignore[misc]
    return made


def prompts(llmmap: Path | None) -> dict[str, list[str]]:
    """List the prompts of each set."""
    made = {
        kind: [one.text for one in family(SETS[kind][0], stream(7, "bank", kind))] for kind, family in FAMILIES.items()
    }
    if llmmap is not None:
        made["llmmap"] = json.loads(llmmap.read_text("utf-8"))[: SETS["llmmap"][0]]
    return {kind: made[kind] for kind in SETS if kind in made}


def main() -> int:
    """Draw what is not there yet; one file for each variant and set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--llmmap", type=Path, help="queries of LLMmap (confs/queries/default.json)")
    parser.add_argument("--sets", nargs="*", default=[*SETS], choices=SETS, help="only these sets")
    parser.add_argument("--variants", nargs="*", help="only these variants, in this order")
    given = parser.parse_args()
    packaged.settle_libraries()
    given.out.mkdir(parents=True, exist_ok=True)
    asked = {kind: texts for kind, texts in prompts(given.llmmap).items() if kind in given.sets}
    named = enumerate(settings().items())
    variants = [(number, name, *made) for number, (name, made) in named if name in (given.variants or [name])]
    variants.sort(key=lambda one: given.variants.index(one[1]) if given.variants else one[1] == SLOW)
    for number, name, make, temperature, system in variants:
        files = {kind: given.out / f"{kind}-{name.replace(' ', '_')}.json" for kind in asked}
        missing = [kind for kind in asked if not files[kind].is_file()]
        if not missing:
            continue
        model, tokenizer, ends = make()
        for kind in missing:
            _, samples, length = SETS[kind]
            samples *= 2 if name == "reference" else 1
            began, texts = time.monotonic(), asked[kind]
            said = answers(model, tokenizer, ends, texts, samples, length, temperature, system, 1_000 + number)
            row = {"set": kind, "variant": name, "prompts": texts, "answers": said, "tokens": length}
            write_whole(files[kind], json.dumps(row, ensure_ascii=False).encode())
            print(f"{kind}, {name}: {samples} answers to each of {len(texts)} in {time.monotonic() - began:.0f} s")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
