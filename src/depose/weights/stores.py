"""Weights on disk, read one tensor at a time as float32: safetensors, whole or in shards, GGUF, and LoRA adapters.

Every file is opened once and digested; what was digested is what is read. No code of a model is ever run and no pickle
opened. A tensor is mapped only while it is copied, so that memory stays that of the largest tensor.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depose.endpoints.model_folder import ModelFiles
from depose.endpoints.weights import PACKAGED
from depose.errors import EndpointError, ModelFileError, UsageError
from depose.features import packaged
from depose.weights.gguf_table import read_table

Array = NDArray[np.float32]
Places = NDArray[np.intp]

LARGEST_FACTOR = 1e6
"""Alpha or rank of an adapter at most."""
LARGEST_JSON = 256 * 1024**2
"""Bytes of a vocabulary at most."""
_PACKED = {".qweight": "GPTQ or AWQ", ".absmax": "bitsandbytes in 4 bits", "_packed": "compressed-tensors in 4 bits"}


class Store(Protocol):
    """The weights of one model."""

    path: Path
    """The folder or file that it was opened by."""
    digests: dict[str, str]
    """SHA-256 of each file, by its name."""
    settings: dict[str, Any]
    """What its configuration says, by the names that transformers uses."""
    shapes: dict[str, tuple[int, ...]]
    """Shape of each tensor, rows first."""

    def read(self, name: str, rows: Places | None = None) -> Array:
        """Return one tensor, or some rows of a matrix, with its quantisation undone."""

    def vocabulary(self) -> dict[str, int]:
        """Return tokens with their numbers; empty where no file tells them."""


@contextmanager
def open_weights(path: Path, adapter: Path | None = None) -> Iterator[Store]:
    """Open a folder of safetensors, a GGUF file, a folder that holds one, or a packaged model by its name.

    Raises EndpointError where it is none of them, ModelFileError where a file changes while it is read.
    """
    with ExitStack() as stack:
        store = _opened(path, stack)
        if adapter is None:
            yield store
            return
        if not (adapter / "adapter_config.json").is_file():
            raise EndpointError(
                f"{adapter}: not the folder of an adapter (it has no adapter_config.json)", hint="look at its name"
            )
        files = stack.enter_context(ModelFiles(adapter, "the adapter"))
        yield Adapted(store, _Safetensors(files, adapter), adapter)


def _opened(path: Path, stack: ExitStack) -> Store:
    if not path.exists() and str(path) in PACKAGED:
        return _Gguf(next(packaged.folder(PACKAGED[str(path)]).glob("*.gguf")), stack)
    if path.suffix == ".gguf" and not path.is_dir():
        return _Gguf(path, stack)
    if not path.is_dir():
        raise EndpointError(
            f"{path}: no weights there",
            hint=f"name a folder of safetensors, a .gguf file, or {' or '.join(PACKAGED)}",
        )
    if any(path.glob("*.safetensors")):
        if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
            raise EndpointError(
                f"{path}: an adapter, not a model", hint="name its base, and the adapter with --suspect-adapter"
            )
        return _Safetensors(stack.enter_context(ModelFiles(path, "the model")), path)
    found = sorted(path.glob("*.gguf"))
    if len(found) == 1:
        return _Gguf(found[0], stack)
    raise EndpointError(
        f"{path}: {'several .gguf files' if found else 'no .safetensors or .gguf file'}",
        hint="name one of the files" if found else "convert the weights to safetensors first; pickles are not opened",
    )


class _Safetensors:
    """A folder of safetensors, in one file or in shards."""

    def __init__(self, files: ModelFiles, folder: Path) -> None:
        self._files, self._folder = files, folder
        self.path = folder
        self.digests = dict(files.digests)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._in: dict[str, str] = {}
        for file in sorted(name for name in files.digests if name.endswith(".safetensors")):
            for name, shape in self._listed(file):
                if name in self._in:
                    raise EndpointError(
                        f"{folder / file}: tensor {name[:80]!r} is in {self._in[name]} too",
                        hint="leave one set of weights in the folder",
                    )
                self._in[name], self.shapes[name] = file, shape
        self.settings = _json(files, folder, "config.json")
        for end, how in _PACKED.items():
            if any(name.endswith(end) for name in self.shapes):
                raise EndpointError(
                    f"{folder}: weights packed by {how} are not read",
                    hint="save them unpacked (float16, bfloat16, int8), or as GGUF",
                )

    def _listed(self, file: str) -> list[tuple[str, tuple[int, ...]]]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path(file), framework="pt") as tensors:
                return [(name, tuple(tensors.get_slice(name).get_shape())) for name in tensors.keys()]  # noqa: SIM118
        except SafetensorError as error:
            raise EndpointError(
                f"{self._folder / file}: not safetensors: {error}", hint="fetch the file again and compare its digest"
            ) from error

    def _path(self, file: str) -> str:
        return str(Path(self._files.view) / file)

    def read(self, name: str, rows: Places | None = None) -> Array:
        """Return one tensor as float32; int8 and float8 with their scales."""
        found = self._raw(name, rows)
        for end in ("_scale", "_scale_inv", ".SCB"):
            scales = f"{name.removesuffix('.weight')}{end}" if end == ".SCB" else f"{name}{end}"
            if scales in self.shapes:
                by = self._raw(scales) / np.float32(127 if end == ".SCB" else 1)
                whole = found if rows is None else self._raw(name)
                scaled = _scaled(whole, by)
                if scaled is None:
                    raise EndpointError(
                        f"{self._folder / self._in[name]}: tensor {name[:80]!r} is {whole.shape}, and its scales "
                        f"{by.shape} are not one, one for each row, or one for each block",
                        hint="save the weights unpacked (float16, bfloat16), or as GGUF",
                    )
                return scaled if rows is None else scaled[rows]
        return found

    def _raw(self, name: str, rows: Places | None = None) -> Array:
        import torch
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path(self._in[name]), framework="pt") as tensors:
                found = tensors.get_tensor(name)
                if found.is_complex():
                    raise EndpointError(
                        f"{self._folder / self._in[name]}: tensor {name[:80]!r} holds complex numbers",
                        hint="save the weights as float32, float16 or bfloat16",
                    )
                found = found if rows is None else found[torch.from_numpy(rows)]
                # A copy, so that the file is not mapped any longer than this.
                made: Array = found.to(torch.float32, copy=True).numpy()
        except SafetensorError as error:  # its head was read before
            raise ModelFileError(
                f"{self._folder / self._in[name]}: was changed while it was read: {error}",
                hint="let nobody write there, and run the command again",
            ) from error
        return made

    def vocabulary(self) -> dict[str, int]:
        """Return the tokens of tokenizer.json or vocab.json."""
        for name, inside in (("tokenizer.json", ("model", "vocab")), ("vocab.json", ())):
            if name not in self.digests:
                continue
            loaded: Any = _json(self._files, self._folder, name)
            for key in inside:
                loaded = loaded.get(key, {}) if isinstance(loaded, dict) else {}
            if isinstance(loaded, list):  # Unigram: [token, score] in order
                return {str(one[0]): place for place, one in enumerate(loaded) if isinstance(one, list) and one}
            if isinstance(loaded, dict):
                return {str(one): place for one, place in loaded.items() if isinstance(place, int)}
        return {}


def _json(files: ModelFiles, folder: Path, name: str) -> dict[str, Any]:
    if name not in files.digests:
        return {}
    with (Path(files.view) / name).open("rb") as file:
        raw = file.read(LARGEST_JSON + 1)
    if len(raw) > LARGEST_JSON:
        raise EndpointError(f"{folder / name}: larger than {LARGEST_JSON} bytes", hint="is it the right file?")
    try:
        loaded = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise EndpointError(f"{folder / name}: not JSON: {error}", hint="fetch the file again") from error
    return loaded if isinstance(loaded, dict) else {}


BLOCK = 128
"""Rows and columns of a block of float8 with one scale; a last block may be smaller."""


def _scaled(found: Array, scales: Array) -> Array | None:
    """Multiply by scales: one, one for each row, or one for each block of rows and columns; None for any others."""
    if scales.size == 1:
        return np.asarray(found * scales.reshape(-1)[0], dtype=np.float32)
    if scales.size == len(found) > 0:
        return found * scales.reshape(-1, *([1] * (found.ndim - 1)))
    if scales.ndim == found.ndim == 2:
        sizes = [_block(size, parts) for size, parts in zip(found.shape, scales.shape, strict=True)]
        if all(sizes):
            whole = np.repeat(np.repeat(scales, sizes[0], 0), sizes[1], 1)
            return found * whole[: found.shape[0], : found.shape[1]]
    return None


def _block(size: int, parts: int) -> int:
    """How many rows share a scale where so many scales are for so many rows; 0 where that cannot be."""
    if parts == -(-size // BLOCK):
        return BLOCK
    return size // parts if parts and size % parts == 0 else 0


class _Gguf:
    """One GGUF file."""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = self.path = path
        files = stack.enter_context(ModelFiles(path.parent, "the model", only=path.name))
        self._file, self.digests = files.file(path.name), files.digests
        try:
            table = read_table(path)
        except (OSError, ValueError) as error:
            raise EndpointError(f"{path}: {error}", hint="is it a whole GGUF file?") from error
        self._tensors = {one.name: one for one in table.tensors}
        self.shapes = {one.name: one.shape for one in table.tensors}
        renamed = {
            "attention.head_count": "num_attention_heads",
            "attention.head_count_kv": "num_key_value_heads",
            "embedding_length": "hidden_size",
        }
        self.settings: dict[str, Any] = {
            renamed[name]: value for name, value in table.settings.items() if name in renamed
        }
        self.settings["model_type"] = f"gguf {table.architecture}"
        self._tokens = table.tokens

    def read(self, name: str, rows: Places | None = None) -> Array:
        """Return one tensor, or some of its rows, with its quantisation undone."""
        from gguf import GGMLQuantizationType
        from gguf.quants import QuantError, dequantize, quant_shape_to_byte_shape

        one = self._tensors[name]
        start, size, shape = one.start, one.size, one.shape
        if rows is not None and len(rows) == 1 and size % shape[0] == 0:  # one expert of a mixture
            size //= shape[0]
            start, shape, rows = start + int(rows[0]) * size, (1, *shape[1:]), None
        raw = np.frombuffer(os.pread(self._file.fileno(), size, start), dtype=np.uint8)
        try:
            kind = GGMLQuantizationType(one.kind)
            plain = {GGMLQuantizationType.F32: "<f4", GGMLQuantizationType.F16: "<f2"}
            if kind in plain:
                whole = raw.view(plain[kind]).reshape(shape)
                return (whole if rows is None else whole[rows]).astype(np.float32)
            packed = raw.reshape(quant_shape_to_byte_shape(shape, kind))
            with np.errstate(all="ignore"):  # a scale that is no number makes numbers that are none
                return np.asarray(dequantize(packed if rows is None else packed[rows], kind), dtype=np.float32)
        except (NotImplementedError, QuantError, ValueError) as error:
            raise EndpointError(
                f"{self._path}: tensor {name[:80]!r} cannot be read: {error}", hint="convert the file to Q8_0 or F16"
            ) from error

    def vocabulary(self) -> dict[str, int]:
        """Return the tokens of the file."""
        return {one: place for place, one in enumerate(self._tokens)}


_OF_GGUF = {
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip
"""What llama.cpp calls the matrices of a Llama, but for queries and keys, whose rows it keeps in another order."""
_LAYER = re.compile(r"^model\.layers\.(?P<layer>\d+)\.(?P<module>.+)\.weight\Z")


def _called(name: str, shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Say what a tensor that transformers calls so is called in a model; nothing where a GGUF has it otherwise."""
    if name in shapes or "token_embd.weight" not in shapes:
        return name
    found = _LAYER.match(name)
    if found is None:
        return {"model.embed_tokens.weight": "token_embd.weight", "lm_head.weight": "output.weight"}.get(name, "")
    module = _OF_GGUF.get(found["module"])
    return f"blk.{found['layer']}.{module}.weight" if module else ""


_LORA = re.compile(r"^base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])(?:\.\w+)?\.weight\Z")


class Adapted:
    """A model with a LoRA adapter that is merged as it is read (Hu et al., "LoRA", ICLR 2022)."""

    def __init__(self, base: Store, adapter: _Safetensors, folder: Path) -> None:
        self._base, self._adapter = base, adapter
        self.path = base.path
        self.digests = base.digests | {f"adapter/{name}": one for name, one in adapter.digests.items()}
        self.settings = base.settings
        said = _json(adapter._files, folder, "adapter_config.json")
        if said.get("peft_type", "LORA") != "LORA" or said.get("use_dora"):
            raise EndpointError(f"{folder}: only LoRA adapters are read", hint="merge it into the model first")
        self._said = said
        pairs: dict[str, dict[str, str]] = {}
        for name in adapter.shapes:
            found = _LORA.match(name)
            called = _called(f"{found['module']}.weight", base.shapes) if found else ""
            if found and called:
                pairs.setdefault(called, {"module": found["module"]})[found["side"]] = name
        self._pairs = {name: pair for name, pair in pairs.items() if {"A", "B"} <= set(pair)}
        named = {_called(name.removeprefix("base_model.model."), base.shapes): name for name in adapter.shapes}
        self._whole = {called: name for called, name in named.items() if called in base.shapes}
        """Tensors that were trained as they are, and are saved whole (`modules_to_save`): they stand for the base's."""
        self.shapes = base.shapes | {name: adapter.shapes[saved] for name, saved in self._whole.items()}
        missing = sorted(set(self._pairs) - set(self.shapes))
        if missing or not self._pairs:
            what = f"{missing[0]} is not in the model" if missing else "it holds no pair of matrices"
            raise UsageError(
                f"{folder}: the adapter is not for this model: {what}", hint="name the base it was made on"
            )

    def read(self, name: str, rows: Places | None = None) -> Array:
        """Return one tensor with what the adapter adds to it."""
        if name in self._whole:
            return self._adapter.read(self._whole[name], rows)
        if name not in self._pairs:
            return self._base.read(name, rows)
        if rows is not None:
            return self.read(name)[rows]
        found = self._base.read(name)
        down, up = (self._adapter.read(self._pairs[name][side]) for side in "AB")
        shapes = f"{up.shape} by {down.shape}"
        turned = bool(self._said.get("fan_in_fan_out"))
        if down.ndim == up.ndim == 2 and up.shape[1] == len(down) > 0:
            added = up @ down
            if (added.T if turned else added).shape == found.shape:
                added *= np.float32(self._factor(self._pairs[name]["module"], len(down)))
                return found + (added.T if turned else added)
        raise UsageError(
            f"the adapter is not for this model: {name} is {found.shape}, its change {shapes}",
            hint="name the base it was made on",
        )

    def _factor(self, module: str, rank: int) -> float:
        """What the product of two matrices is multiplied with: alpha by rank, or by its root."""
        said = self._said
        alpha = _patterned(said.get("alpha_pattern"), module, said.get("lora_alpha", rank))
        by = _patterned(said.get("rank_pattern"), module, rank)
        for what, value in (("alpha", alpha), ("rank", by)):
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < abs(value) <= LARGEST_FACTOR:
                raise EndpointError(
                    f"adapter_config.json: the {what} of {module} is {str(value)[:40]!r}",
                    hint="is it as peft wrote it? Merge the adapter into the model with peft, and name the result",
                )
        return float(alpha / (abs(by) ** 0.5 if said.get("use_rslora") else by))

    def vocabulary(self) -> dict[str, int]:
        """Return the tokens of the model."""
        return self._base.vocabulary()


def _patterned(said: Any, module: str, otherwise: Any) -> Any:
    for end, value in said.items() if isinstance(said, dict) else ():
        if module == end or module.endswith(f".{end}"):
            return value
    return otherwise
