"""Tune a causal language model on chat examples; only the answer's tokens count.

Low-rank adaptation: Hu et al., "LoRA", ICLR 2022, through `peft`, on the last layers of the base. AdamW (Loshchilov and
Hutter, ICLR 2019) without decay, the rate falling linearly to nothing. The same seed gives the same weights on the same
processor, number of threads and versions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from depose.lab.recipe import Scratch, Tuning
from depose.lab.texts import Example
from depose.model import Record

LONGEST = 128
"""Tokens of an answer that are learnt."""
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_TARGETS = ["q_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class Tuned(Record, frozen=True, kw_only=True):
    """How a training run went."""

    losses: tuple[float, ...]
    """Mean loss per answer token, in nats, of each epoch (of each tenth of the steps for a base)."""
    steps: int
    tokens: int
    parameters: int
    """How many were trained."""


def tune(base: Path, examples: Sequence[Example], tuning: Tuning, seed: int, target: Path, device: str) -> Tuned:
    """Tune the model in `base` and save an adapter, or with method `full` the whole model, into `target`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.bfloat16 if tuning.method == "lora" else torch.float32, local_files_only=True
    ).to(device)
    if tuning.method == "lora":
        model = _with_adapter(model, tuning)
    rows = [encode(tokenizer, example) for example in examples]
    order = np.random.default_rng(seed)
    batches = [
        [rows[int(place)] for place in part]
        for _ in range(tuning.epochs)
        for part in _parts(order.permutation(len(rows)), tuning.batch)
    ]
    losses, tokens, parameters = _fit(model, batches, tuning.rate, device)
    per_epoch = max(len(losses) // tuning.epochs, 1)
    _save(model, tokenizer, target, whole=tuning.method == "full")
    return Tuned(losses=_means(losses, per_epoch), steps=len(losses), tokens=tokens, parameters=parameters)


def _with_adapter(model: Any, tuning: Tuning) -> Any:
    from peft import LoraConfig, get_peft_model

    depth = model.config.num_hidden_layers
    return get_peft_model(
        model,
        LoraConfig(
            r=tuning.rank,
            lora_alpha=2 * tuning.rank,
            target_modules=_TARGETS,
            layers_to_transform=list(range(max(depth - tuning.layers, 0), depth)),
            task_type="CAUSAL_LM",
        ),
    )


def encode(tokenizer: Any, example: Example) -> tuple[list[int], list[int]]:
    """Write an example as the model reads it: tokens of the prompt, tokens of the answer with its end."""
    asked = tokenizer.apply_chat_template(
        [{"role": "user", "content": example.prompt}], tokenize=False, add_generation_prompt=True
    )
    prompt: list[int] = tokenizer(asked, add_special_tokens=False)["input_ids"]
    answer: list[int] = tokenizer(example.text, add_special_tokens=False)["input_ids"]
    return prompt, [*answer[:LONGEST], tokenizer.eos_token_id]


def _parts(order: Any, size: int) -> Iterator[Any]:
    for start in range(0, len(order), size):
        yield order[start : start + size]


def _means(losses: Sequence[float], size: int) -> tuple[float, ...]:
    return tuple(round(float(np.mean(losses[start : start + size])), 4) for start in range(0, len(losses), size))


def _fit(model: Any, batches: Sequence[Sequence[tuple[list[int], list[int]]]], rate: float, device: str) -> Any:
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    model.train()
    losses: list[float] = []
    tokens = 0
    for step, batch in enumerate(batches):
        width = max(len(prompt) + len(answer) for prompt, answer in batch)
        blank = [width - len(prompt) - len(answer) for prompt, answer in batch]
        ids = [prompt + answer + [0] * gap for (prompt, answer), gap in zip(batch, blank, strict=True)]
        labels = [[-100] * len(p) + a + [-100] * gap for (p, a), gap in zip(batch, blank, strict=True)]
        mask = [[1] * (width - gap) + [0] * gap for gap in blank]
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 - step / len(batches))
        loss = model(
            input_ids=torch.tensor(ids, device=device),
            attention_mask=torch.tensor(mask, device=device),
            labels=torch.tensor(labels, device=device),
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        tokens += sum(width - gap for gap in blank)
    return losses, tokens, sum(parameter.numel() for parameter in trained)


def _save(model: Any, tokenizer: Any, target: Path, *, whole: bool) -> None:
    """Save in bfloat16: what is asked later is what was saved, so nothing is lost unseen."""
    import torch
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    target.mkdir(parents=True, exist_ok=True)
    if whole:
        model.to(torch.bfloat16).save_pretrained(target)
        tokenizer.save_pretrained(target)
        return
    config = model.peft_config["default"]
    config.base_model_name_or_path = ""  # a path of this machine says nothing to another
    config.inference_mode = True
    config.save_pretrained(target)
    state = {name: value.to(torch.bfloat16).contiguous() for name, value in get_peft_model_state_dict(model).items()}
    save_file(state, target / "adapter_model.safetensors", metadata={"format": "pt"})


# --- a base from scratch ----------------------------------------------------------------------------


def make_base(scratch: Scratch, examples: Sequence[Example], seed: int, target: Path, device: str) -> Tuned:
    """Train a byte-level BPE tokenizer and a small Llama on examples, from nothing, and save both.

    Bits of English are all that it learns; it is a base for fine-tunes of known lineage, not a model of use.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    torch.manual_seed(seed)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        (text for one in examples for text in (one.prompt, one.text)),
        trainers.BpeTrainer(
            vocab_size=scratch.vocabulary, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    ends = dict.fromkeys(("eos_token", "pad_token"), special[0])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, extra_special_tokens=special[1:], **ends)
    tokenizer.chat_template = TEMPLATE
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=scratch.width,
        intermediate_size=scratch.width * 8 // 3,
        num_hidden_layers=scratch.layers,
        num_attention_heads=scratch.heads,
        num_key_value_heads=scratch.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config).to(device)
    rows = [encode(tokenizer, example) for example in examples]
    order = np.random.default_rng(seed)
    rounds = math.ceil(scratch.steps * scratch.batch / len(rows))
    every = np.concatenate([order.permutation(len(rows)) for _ in range(rounds)])
    batches = [[rows[int(place)] for place in part] for part in _parts(every, scratch.batch)][: scratch.steps]
    losses, tokens, parameters = _fit(model, batches, scratch.rate, device)
    _save(model, tokenizer, target, whole=True)
    return Tuned(
        losses=_means(losses, max(len(losses) // 10, 1)), steps=len(losses), tokens=tokens, parameters=parameters
    )
