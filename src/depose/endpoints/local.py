"""Local weights, asked through transformers.

Temperature 0 is greedy. Otherwise each answer is drawn by the Gumbel-max rule (Gumbel 1954; Maddison et al.,
"A* Sampling", NeurIPS 2014): the noise comes from a stream of its own, seeded by the protocol's seed, the
model's code, prompt, sample and replicate. Questions that happen to share a batch therefore share no
randomness. The streams are numpy's, because torch keeps only 32 bits of a CPU seed. Beyond temperature nothing
shapes the distribution: no top-p, top-k or penalty, whatever the model's own defaults say.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.answers.settle import settle
from depose.endpoints import Endpoint, adapter_settings, tokenizer_trial
from depose.endpoints.chat_template import Rendered, render
from depose.endpoints.weights import Weights, find, opened
from depose.endpoints.wire_values import turns
from depose.errors import EndpointError, few
from depose.features import packaged
from depose.model import Ask, Fact, ModelSpec, Reply
from depose.model.canonical import canonical, digest, sha256

SAMPLING = "gumbel-max over the full distribution; PCG64 seeded by sha256 of [seed, model, prompt, sample, replicate]"
MOST_LOADED = 4
_loading = Lock()


@dataclass(frozen=True)
class _Loaded:
    model: Any
    tokenizer: Any
    ends: tuple[int, ...]
    pad: int
    context: int | None
    tried: bytes
    """The tokenizer, for a trial of what it does; nothing where it is pinned, or no program of its own."""


@dataclass(frozen=True)
class _Prepared:
    ask: Ask
    tokens: list[int]
    request: bytes


# Keyed by digest, so that two items of a case with the same weights share one copy in memory.
_memory: dict[str, _Loaded] = {}


# --- opening --------------------------------------------------------------------------------------


def open_transformers(spec: ModelSpec, folder: Path) -> Endpoint:
    """Open a folder of safetensors, or the packaged model `SmolLM2-135M-Instruct`, on the best device here.

    Raises EndpointError where the folder or the adapter cannot be used, ModelFileError where a packaged or
    converted file is not the one it should be.
    """
    packaged.settle_libraries()
    device, dtype = place()
    weights = find(spec, folder, dtype)
    endpoint = Local(spec, weights, device, dtype)
    endpoint.load()
    return endpoint


def place() -> tuple[str, str]:
    """Choose device and number format."""
    import torch

    if torch.cuda.is_available():
        return "cuda", "bfloat16"
    if torch.backends.mps.is_available():
        return "mps", "float16"
    return "cpu", "bfloat16" if packaged.cpu_has_bf16() else "float32"


# --- loading --------------------------------------------------------------------------------------


ROOM = 16
"""Bytes that a model may take in memory for each byte of its weights, which may be packed in four bits."""
SPARE = 1024**3
"""And beside that, for what is made and not saved."""


def _load(folder: str, adapter: str, device: str, dtype: str, *, pinned: bool = False) -> _Loaded:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig
    from transformers.utils import logging

    logging.disable_progress_bar()
    options = {"local_files_only": True, "trust_remote_code": False}
    refused = "" if pinned else _cannot_build(Path(folder))
    if refused:
        raise EndpointError(f"the model does not load: {refused}", hint="get the model from its maker again")
    try:
        if not pinned:
            _fits(folder, options)
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        model, told = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), use_safetensors=True, output_loading_info=True, **options
        )
        if missing := sorted(told["missing_keys"]):  # a loader makes them up, and others each time
            raise ValueError(f"the weights lack {few(missing, 3)}, which config.json describes")
        if adapter:
            refused = adapter_settings.problem(Path(adapter), [name for name, _ in model.named_modules()])
            if refused:
                raise ValueError(refused)
            model = _adapted(model, adapter)
    except Exception as error:  # a library that reads other people's files may raise anything
        raise EndpointError(f"the model does not load: {type(error).__name__}: {str(error)[:500]}") from error
    model = model.to(device).eval()
    # What is loaded may lie in the file still, where a later change of it would change the answers.
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()
    # A head that needs no gradient is copied whole for every row of a batch (torch 2.13): 2.5 times slower.
    model.get_output_embeddings().weight.requires_grad_(True)
    ends = _ends(model.generation_config.eos_token_id, tokenizer.eos_token_id)
    pad = tokenizer.pad_token_id
    if pad is None:
        pad = ends[0] if ends else 0
    model.generation_config = GenerationConfig(eos_token_id=list(ends) or None, pad_token_id=pad)
    backend = None if pinned else getattr(tokenizer, "backend_tokenizer", None)
    tried = backend.to_str().encode() if backend is not None else b""
    return _Loaded(model, tokenizer, ends, pad, getattr(model.config, "max_position_embeddings", None), tried)


def _adapted(model: Any, adapter: str) -> Any:
    """Put an adapter on a model; raise UserWarning where it lacks a matrix, which would be made up."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Found missing adapter keys")
        return importlib.import_module("peft").PeftModel.from_pretrained(model, adapter)


def _cannot_build(folder: Path) -> str:
    """Say why the tokenizer of a folder cannot be built, or nothing."""
    file = folder / "tokenizer.json"
    return tokenizer_trial.build(file.read_bytes()) if file.is_file() else ""


def _fits(folder: str, options: dict[str, bool]) -> None:
    """Refuse a configuration whose model would take far more memory than its weights: a loader makes up the rest."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    with torch.device("meta"):  # where a tensor has a shape and takes no memory
        made = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder, **options))
    takes = sum(one.numel() * one.element_size() for one in (*made.parameters(), *made.buffers()))
    holds = sum(one.stat().st_size for one in Path(folder).glob("*.safetensors"))
    if takes > ROOM * holds + SPARE:
        raise ValueError(f"config.json describes a model of {takes} bytes, and the weights have {holds}")


def forget() -> None:
    """Let go of all models in memory."""
    _memory.clear()


def _ends(*given: int | list[int] | None) -> tuple[int, ...]:
    found: list[int] = []
    for value in given:
        found += [] if value is None else [value] if isinstance(value, int) else value
    return tuple(sorted(set(found)))


# --- the random streams ---------------------------------------------------------------------------


def stream_name(ask: Ask) -> str:
    """Digest that names the random stream of one question."""
    return digest([ask.seed, ask.model, ask.prompt, ask.sample, ask.replicate])


def stream(ask: Ask) -> np.random.Generator:
    """Open the random stream of one question at its beginning."""
    return np.random.default_rng(int(stream_name(ask), 16))


def gumbel(source: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Draw standard Gumbel noise: adding it to the logits and taking the largest is a draw from the softmax."""
    drawn = source.standard_exponential(size, dtype=np.float32)
    noise: NDArray[np.float32] = -np.log(np.maximum(drawn, np.finfo(np.float32).tiny))
    return noise


class _Noise:
    """Logits processor under which greedy choice draws each row at its own temperature from its own stream."""

    def __init__(self, asks: Sequence[Ask]) -> None:
        self.rows = [(row, ask.temperature, stream(ask)) for row, ask in enumerate(asks) if ask.temperature > 0]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        scores = scores.float()
        for row, temperature, source in self.rows:
            noise = torch.from_numpy(gumbel(source, scores.shape[-1])).to(scores.device)
            scores[row] = scores[row] / temperature + noise
        return scores


# --- asking ---------------------------------------------------------------------------------------


class Local:
    """One model in this process."""

    batch = 32

    def __init__(self, spec: ModelSpec, weights: Weights, device: str, dtype: str) -> None:
        self.spec = spec
        self.weights = weights
        self.device = device
        self.dtype = dtype

    def load(self) -> _Loaded:
        """Return the model in memory, loading it where no item of the case has done so yet."""
        weights = self.weights
        key = digest([weights.files, weights.adapter_files, self.device, self.dtype])
        with _loading:
            if key not in _memory:
                with opened(weights) as shown:
                    pinned = bool(weights.package)
                    loaded = _load(shown.folder, shown.adapter, self.device, self.dtype, pinned=pinned)
                if len(_memory) >= MOST_LOADED:
                    _memory.pop(next(iter(_memory)))
                _memory[key] = loaded
            return _memory[key]

    def facts(self) -> tuple[Fact, ...]:
        """Name every file that answers by its digest, and what it runs on."""
        import torch

        template = self.load().tokenizer.chat_template
        named = self.weights.files.items()
        device = torch.cuda.get_device_name() if self.device == "cuda" else self.device
        return (
            *(packaged.facts(self.weights.package) if self.weights.package else ()),
            *(Fact(name=f"{_sort(name)} {name}", value=seen) for name, seen in named),
            *(Fact(name=f"adapter {name}", value=seen) for name, seen in self.weights.adapter_files.items()),
            *((Fact(name="peft", value=version("peft")),) if self.weights.adapter else ()),
            Fact(name="chat template", value=sha256(str(template).encode()) if template else "none"),
            Fact(name="sampling", value=SAMPLING),
            Fact(name="dtype", value=self.dtype),
            Fact(name="device", value=device),
            Fact(name="threads", value=str(torch.get_num_threads())),
            Fact(name="torch", value=str(torch.__version__)),
            Fact(name="transformers", value=version("transformers")),
        )

    def ask(self, asks: Sequence[Ask]) -> tuple[Reply, ...]:
        """Answer each question in a fresh conversation; what cannot be answered is a failed reply."""
        loaded = self.load()
        asked = [_messages(msgspec.structs.replace(ask, beginning="")) for ask in asks]
        shown = render(loaded.tokenizer, asked, pinned=bool(self.weights.package))
        if loaded.tried:
            special = not loaded.tokenizer.chat_template
            texts = [one.text + ask.beginning for one, ask in zip(shown, asks, strict=True)]
            refused = tokenizer_trial.encode(loaded.tried, texts, special=special)
            shown = tuple(Rendered(text=one.text, refused=one.refused or refused) for one in shown)
        made = [_prepare(loaded, ask, one) for ask, one in zip(asks, shown, strict=True)]
        ready = [item for item in made if isinstance(item, _Prepared)]
        replies: list[Reply] = []
        for start in range(0, len(ready), self.batch):
            replies += self._answer(loaded, ready[start : start + self.batch])
        answered = iter(replies)
        return tuple(item if isinstance(item, Reply) else next(answered) for item in made)

    def _answer(self, loaded: _Loaded, items: Sequence[_Prepared]) -> list[Reply]:
        try:
            rows = _generate(loaded, items, self.device)
        except RuntimeError as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0][:300] if str(error) else ''}"
            return [Reply(outcome="failed", reason=reason, request=item.request) for item in items]
        refused = tokenizer_trial.decode(loaded.tried, rows) if loaded.tried else ""
        if refused:
            return [Reply(outcome="failed", reason=refused, request=item.request) for item in items]
        return [_reply(loaded, item, row) for item, row in zip(items, rows, strict=True)]


def _sort(name: str) -> str:
    return "weights" if name.endswith(".safetensors") else "file"


def _messages(ask: Ask) -> list[dict[str, str]]:
    system = [{"role": "system", "content": ask.system}] if ask.system else []
    return [*system, *turns(ask)]


def _prepare(loaded: _Loaded, ask: Ask, shown: Rendered) -> _Prepared | Reply:
    request: dict[str, Any] = {
        "messages": _messages(ask),
        "settings": {
            "temperature": ask.temperature,
            "max_tokens": ask.max_tokens,
            "seed": ask.seed,
            "stream": stream_name(ask) if ask.temperature > 0 else "greedy",
        },
    }
    if shown.refused:
        return Reply(outcome="failed", reason=shown.refused, request=canonical(request))
    template, prompt = bool(loaded.tokenizer.chat_template), shown.text + ask.beginning
    tokens: list[int] = loaded.tokenizer(prompt, add_special_tokens=not template)["input_ids"]
    sent = canonical(request | {"prompt": prompt})
    if loaded.context and len(tokens) + ask.max_tokens > loaded.context:
        reason = f"{len(tokens)} tokens and {ask.max_tokens} to come exceed the context of {loaded.context}"
        return Reply(outcome="failed", reason=reason, request=sent)
    return _Prepared(ask, tokens, sent)


def _generate(loaded: _Loaded, items: Sequence[_Prepared], device: str) -> list[list[int]]:
    """Return the new tokens of each row, up to the longest answer of the batch."""
    import torch
    from transformers import GenerationConfig

    width = max(len(item.tokens) for item in items)
    padded = [[loaded.pad] * (width - len(item.tokens)) + item.tokens for item in items]
    mask = [[0] * (width - len(item.tokens)) + [1] * len(item.tokens) for item in items]
    with torch.inference_mode():
        out = loaded.model.generate(
            input_ids=torch.tensor(padded, device=device),
            attention_mask=torch.tensor(mask, device=device),
            generation_config=GenerationConfig(
                max_new_tokens=max(item.ask.max_tokens for item in items),
                do_sample=False,
                eos_token_id=list(loaded.ends) or None,
                pad_token_id=loaded.pad,
            ),
            logits_processor=[_Noise([item.ask for item in items])],
        )
    rows: list[list[int]] = out[:, width:].tolist()
    return rows


def _reply(loaded: _Loaded, item: _Prepared, row: Sequence[int]) -> Reply:
    tokens = list(row[: item.ask.max_tokens])
    end = next((at for at, token in enumerate(tokens) if token in loaded.ends), None)
    finish = "length" if end is None else "stop"
    if end is not None:
        tokens = tokens[: end + 1]
    text, marked = (str(loaded.tokenizer.decode(tokens, skip_special_tokens=skip)) for skip in (True, False))
    found = settle(text, live=True, finish=finish, output_tokens=len(tokens))
    raw: dict[str, Any] = {"tokens": tokens, "text": text, "finish": finish}
    special = settle(marked, live=True, finish=finish, output_tokens=len(tokens))
    if special.reasoning and special.reasoning != found.reasoning:  # its marks of reasoning are special tokens
        found, raw = special, raw | {"marked": marked}
    return Reply(
        outcome=found.outcome,
        text=found.text,
        finish=finish,
        status=found.status,
        reasoning=found.reasoning,
        reason=found.reason,
        request=item.request,
        response=canonical(raw),
    )
