"""Weights on disk, read one tensor at a time as float32: safetensors and GGUF, whole or in parts, and LoRA adapters.

Every file is opened once and digested; what was digested is what is read. No code of a model is ever run and no pickle
opened. A tensor is mapped only while it is copied, so that memory stays that of the largest tensor.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depose.endpoints.model_folder import ModelFiles
from depose.endpoints.weights import PACKAGED
from depose.errors import EndpointError, ModelFileError, few
from depose.features import packaged
from depose.weights.adapters import Adapted
from depose.weights.gguf_table import GgufTensor, read_table

Array = NDArray[np.float32]
Places = NDArray[np.intp]

LARGEST_JSON = 256 * 1024**2
"""Bytes of a vocabulary at most."""
_PACKED = {
    ".qweight": "GPTQ or AWQ",
    ".absmax": "bitsandbytes in 4 bits",
    "_packed": "compressed-tensors in 4 bits",
    ".W_q": "HQQ",
    ".weight._data": "quanto",
}
"""Ends of names that tell that weights are packed, and by what."""
_NUMBERS = frozenset({"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I8"})
"""Kinds of numbers that weights are; others, as bytes with two weights each, are packed, and units cannot be read."""


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

    packed: str
    """By what its weights are packed so that they are not read; empty where they are."""

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
        yield Adapted(store, SafetensorsFolder(files, adapter), adapter)


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
        return SafetensorsFolder(stack.enter_context(ModelFiles(path, "the model")), path)
    found = [one for one in sorted(path.glob("*.gguf")) if is_first_part(one)]
    if len(found) == 1:
        return _Gguf(found[0], stack)
    raise EndpointError(
        f"{path}: {'several .gguf files' if found else 'no .safetensors or .gguf file'}",
        hint="name one of the files" if found else "convert the weights to safetensors first; pickles are not opened",
    )


class SafetensorsFolder:
    """A folder of safetensors, in one file or in shards."""

    def __init__(self, files: ModelFiles, folder: Path) -> None:
        self._files, self._folder = files, folder
        self.path = folder
        self.digests = dict(files.digests)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.packed = ""
        self._in: dict[str, str] = {}
        for file in sorted(name for name in files.digests if name.endswith(".safetensors")):
            for name, shape, kind in self._listed(file):
                self.packed = self.packed or _packed(name, kind)
                if name in self._in:
                    raise EndpointError(
                        f"{folder / file}: tensor {name[:80]!r} is in {self._in[name]} too",
                        hint="leave one set of weights in the folder",
                    )
                self._in[name], self.shapes[name] = file, shape
        self.settings = _json(files, folder, "config.json")

    def said(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the folder; nothing where there is none."""
        return _json(self._files, self._folder, name)

    def _listed(self, file: str) -> list[tuple[str, tuple[int, ...], str]]:
        """List tensors with their shapes and the kinds of their numbers."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self._path(file), framework="pt") as tensors:
                every = [(name, tensors.get_slice(name)) for name in tensors.keys()]  # noqa: SIM118
                return [(name, tuple(one.get_shape()), str(one.get_dtype())) for name, one in every]
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
        except (RuntimeError, TypeError) as error:  # of numbers in four bits torch knows the kind alone
            raise EndpointError(
                f"{self._folder / self._in[name]}: tensor {name[:80]!r} holds numbers that are not read: {error}",
                hint="save the weights as float32, float16 or bfloat16",
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


def _packed(name: str, kind: str) -> str:
    """Say by what a tensor's weights are packed, by its name or the kind of its numbers; nothing where they are not."""
    how = next((how for end, how in _PACKED.items() if name.endswith(end)), "")
    if how or not name.endswith("weight") or kind in _NUMBERS or kind.startswith("C"):
        return how  # complex numbers are refused where they are read
    return f"its maker as {kind} ({name[:80]})"


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


_PART = re.compile(r"^(?P<of>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf\Z")
MOST_PARTS = 1_000


def is_first_part(path: Path) -> bool:
    """Tell whether a GGUF file is a whole model or the first of its parts, by its name."""
    found = _PART.match(path.name)
    return found is None or int(found["number"]) == 1


def _parts(path: Path) -> list[Path]:
    """Name the files that a GGUF was split into (llama-gguf-split); raises EndpointError where one is missing."""
    found = _PART.match(path.name)
    if found is None:
        return [path]
    count = int(found["count"])
    if not 0 < count <= MOST_PARTS:
        raise EndpointError(f"{path}: a model in {count} parts", hint=f"1 to {MOST_PARTS} are read")
    parts = [path.with_name(f"{found['of']}-{number:05}-of-{found['count']}.gguf") for number in range(1, count + 1)]
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise EndpointError(
            f"{path}: one of {count} parts of a model, and {few(missing)} not there", hint="put all parts beside it"
        )
    return parts


class _Gguf:
    """One GGUF file, or all the parts that it was split into."""

    packed = ""

    def __init__(self, path: Path, stack: ExitStack) -> None:
        self._path = self.path = path
        self.digests: dict[str, str] = {}
        self._tensors: dict[str, tuple[io.BufferedReader, GgufTensor]] = {}
        parts = _parts(path)
        tables = []
        for part in parts:
            files = stack.enter_context(ModelFiles(part.parent, "the model", only=part.name))
            self.digests |= files.digests
            try:
                tables.append(read_table(part))
            except (OSError, ValueError) as error:
                raise EndpointError(f"{part}: {error}", hint="is it a whole GGUF file?") from error
            if twice := next((one.name for one in tables[-1].tensors if one.name in self._tensors), ""):
                raise EndpointError(
                    f"{part}: tensor {twice[:80]!r} is in another part too", hint="get the parts from their maker again"
                )
            self._tensors |= {one.name: (files.file(part.name), one) for one in tables[-1].tensors}
            if (count := tables[-1].settings.get("split.count", 1)) not in (0, len(parts)):
                raise EndpointError(
                    f"{part}: one of {count} parts of a model, and its name does not tell where the others are",
                    hint="call them NAME-00001-of-0000N.gguf, or join them: llama-gguf-split --merge",
                )
        table = tables[0]
        self.shapes = {name: one.shape for name, (_, one) in self._tensors.items()}
        renamed = {
            "attention.head_count": "num_attention_heads",
            "attention.head_count_kv": "num_key_value_heads",
            "embedding_length": "hidden_size",
            "block_count": "num_hidden_layers",
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

        file, one = self._tensors[name]
        start, size, shape = one.start, one.size, one.shape
        if rows is not None and len(rows) == 1 and size % shape[0] == 0:  # one expert of a mixture
            size //= shape[0]
            start, shape, rows = start + int(rows[0]) * size, (1, *shape[1:]), None
        raw = np.frombuffer(os.pread(file.fileno(), size, start), dtype=np.uint8)
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
