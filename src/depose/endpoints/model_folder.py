"""The files of a local model, each opened once: what was digested is what is loaded, and nothing else can be.

A loader follows names that the files themselves hold: an index of shards, a tokenizer's own files. It is therefore
shown a folder of nothing but links to the opened files, and every name in them that could lead out is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from depose.case.untrusted_files import opened
from depose.errors import EndpointError, ModelFileError

READ = {".safetensors", ".json", ".model", ".txt", ".jinja"}
"""Kinds of files that a model consists of; others, such as pickles, are never shown to a loader."""
LARGEST_CONFIG = 64 * 1024**2
"""Bytes of a JSON file that is looked through for names."""
VOCABULARIES = ("tokenizer.json", "vocab.json")
"""Files that may be larger; they name no file."""
MOST_LAYERS = 1_000
"""Layers of a model at most; the deepest have some 130. A loader makes each of them before it looks at the weights."""
MOST_EXPERTS = 8_192
MERELY_SAID = ("name_or_path", "special_tokens_map_file")
"""Ends of keys that tell where something came from, which no loader opens."""
CODE = "_implementation"
"""End of keys that say which code computes a part of the model."""
_OPENED = Path("/proc/self/fd")
_SETTLED = 50_000_000
"""Nanoseconds after which a change of a file must show in its times."""

_known: dict[tuple[int, ...], str] = {}
"""Digests by the identity of a file, its size and its times, which change whenever it does."""


class ModelFiles:
    """The files of one folder, held open; use as a context, in which `view` is the folder to load from."""

    def __init__(self, folder: Path, what: str, only: str = "") -> None:
        """Open every file of the folder, or one alone; raises EndpointError, which begins with `what`.

        It is raised where one is no file of the folder, or names what is none.
        """
        self._what, self._folder = what, folder
        self._files: dict[str, io.BufferedReader] = {}
        self._seen: dict[str, tuple[int, ...]] = {}
        self.digests: dict[str, str] = {}
        self.view = ""
        name = ""
        try:
            every = (one.name for one in folder.iterdir() if one.suffix in READ and not one.is_dir())
            for name in (only,) if only else sorted(every):
                self._files[name] = opened(folder / name)
                self._seen[name] = self._state(name)
                self.digests[name] = self._digest(name)
            for name in self._files:
                self._check_names(name)
            self._check_sizes()
        except (OSError, ValueError) as error:
            self.close()
            raise EndpointError(
                f"{what}: {folder / name}: {error}", hint="copy the files themselves into the folder: cp -RL"
            ) from error

    def __enter__(self) -> ModelFiles:
        """Make the view."""
        self.view = tempfile.mkdtemp(prefix="depose-model-")
        for name, file in self._files.items():
            (Path(self.view) / name).symlink_to(
                _OPENED / str(file.fileno()) if _OPENED.is_dir() else (self._folder / name).absolute()
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Take the view down, and say so where a file was changed meanwhile."""
        shutil.rmtree(self.view, ignore_errors=True)
        try:
            if kind is None:
                self._unchanged()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()

    def _state(self, name: str) -> tuple[int, ...]:
        found = os.fstat(self._files[name].fileno())
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def file(self, name: str) -> io.BufferedReader:
        """Return an opened file."""
        return self._files[name]

    def _digest(self, name: str) -> str:
        state = self._seen[name]
        if state not in _known:
            settled = time.time_ns() - state[-1] > _SETTLED
            digest = self._read(name)
            if not settled or self._others_may_write(name):
                return digest
            _known[state] = digest
        return _known[state]

    def _read(self, name: str) -> str:
        self._files[name].seek(0)
        return hashlib.file_digest(self._files[name], "sha256").hexdigest()

    def _others_may_write(self, name: str) -> bool:
        """Tell whether a file is another user's, or may be written by one: mapped, it changes without its times."""
        found = os.fstat(self._files[name].fileno())
        return bool(found.st_mode & 0o022) or found.st_uid not in (os.geteuid(), 0)

    def _unchanged(self) -> None:
        for name in self._files:
            path = (self._folder / name).lstat()
            changed = self._state(name) != self._seen[name] or (path.st_dev, path.st_ino) != self._seen[name][:2]
            if changed or (self._others_may_write(name) and self._read(name) != self.digests[name]):
                raise ModelFileError(
                    f"{self._what}: {self._folder / name}: was changed while it was loaded",
                    hint="let nobody write there, and run the command again",
                )

    def _check_sizes(self) -> None:
        """Refuse a configuration of a larger model than its weights can be: a loader would build it before it looks."""
        name = "config.json"
        size = sum(state[2] for file, state in self._seen.items() if file.endswith(".safetensors"))
        if name not in self._files:
            return
        tensors = sum(self._tensors(file) for file in self._files if file.endswith(".safetensors"))
        self._files[name].seek(0)
        for key, value in _numbers(json.loads(self._files[name].read())):
            experts = key in ("num_experts", "num_local_experts", "n_routed_experts")
            large = key in ("vocab_size", "hidden_size", "intermediate_size", "n_embd", "d_model")
            # Each layer and expert has some tensors, of which the head alone takes more bytes than this.
            if (large and value > size * 8) or (("layer" in key or experts) and value > size // 64):
                raise ValueError(f"{key} is {value}, too much for weights of {size} bytes")
            layers = key == "n_layer" or (key.endswith("layers") and not key.startswith("max_"))
            if (layers and value > max(1, min(tensors, MOST_LAYERS))) or (experts and value > MOST_EXPERTS):
                raise ValueError(f"{key} is {value}, too much for weights of {tensors} tensors")

    def _tensors(self, name: str) -> int:
        """Count the tensors of a file from what its head, in which each has its place, can hold."""
        file = self._files[name]
        file.seek(0)
        size = int.from_bytes(file.read(8), "little")
        return file.read(min(size, LARGEST_CONFIG)).count(b'"data_offsets"')

    def _check_names(self, name: str) -> None:
        """Refuse a name of a file, in one of the JSON files, that is not one of these files."""
        file = self._files[name]
        if not name.endswith(".json"):
            return
        if self._seen[name][2] > LARGEST_CONFIG:
            if name in VOCABULARIES:
                return
            raise ValueError(f"larger than {LARGEST_CONFIG} bytes, and no vocabulary")
        file.seek(0)
        try:
            loaded = json.loads(file.read())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"not JSON: {error}") from error
        for where, value in _named(loaded):
            if value not in self._files:
                raise ValueError(f"{where} names {value[:120]!r}, which is none of the files of the folder")
        for where, value in _code(loaded):
            raise ValueError(
                f"{where} names {value[:120]!r}: code of another place, which a loader would fetch and run"
            )


def _named(loaded: Any) -> Iterator[tuple[str, str]]:
    """Yield what a JSON document names as a file: the shards of an index, and whatever stands under such a key."""
    waiting: list[tuple[str, Any]] = [("", loaded)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            if key == "weight_map":
                waiting += [("weight_map_file", one) for one in value.values()]
            else:
                waiting += [(str(inner), one) for inner, one in value.items()]
        elif isinstance(value, list):
            waiting += [(key, one) for one in value if isinstance(one, str | dict | list)]
        elif isinstance(value, str) and _is_of_a_file(key):
            yield key.replace("weight_map_file", "weight_map"), value


def _code(loaded: Any) -> Iterator[tuple[str, str]]:
    """Yield what a JSON document names as the code of its attention or experts, where that is of another place."""
    waiting: list[tuple[str, Any]] = [("", loaded)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(key if key.endswith(CODE) else str(inner), one) for inner, one in value.items()]
        elif isinstance(value, list):
            waiting += [(key, one) for one in value]
        elif isinstance(value, str) and key.endswith(CODE) and set(value) & set("/:@\\"):
            yield key, value


def _numbers(loaded: Any) -> Iterator[tuple[str, int]]:
    """Yield the whole numbers of a JSON document, each with its key."""
    waiting: list[tuple[str, Any]] = [("", loaded)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(key), value


def _is_of_a_file(key: str) -> bool:
    return not key.endswith(MERELY_SAID) and (
        key.endswith(("_file", "_files", "_path")) or key in ("transformers_weights", "file", "filename")
    )
