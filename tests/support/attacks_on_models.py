"""Traps in a folder of a model that somebody else made or may change: its weights, its tokenizer, its chat template."""

from __future__ import annotations

import json
from typing import Any

from depose.endpoints.chat_template import render
from depose.endpoints.model_folder import ModelFiles
from depose.errors import EndpointError
from traps import Place, Traps

ON_MODELS = Traps("another model than the one on record, or one that takes more than it may")


# --- folders of weights ---------------------------------------------------------------------------


def _weights(name: str, says: str, file: str, content: Any) -> None:
    def spring(place: Place) -> object:
        folder = place.folder / "model"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"decoy")
        (folder / "config.json").write_text("{}")
        (folder / file).write_text(json.dumps(content))
        return ModelFiles(folder, "model S1")

    ON_MODELS.add(name, says)(spring)


_out = "which is none of the files of the folder"
_weights(
    "an index of shards that leads out",
    _out,
    "model.safetensors.index.json",
    {"weight_map": {"a": "../real.safetensors"}},
)
_weights(
    "an index that names a shard in full",
    _out,
    "x.safetensors.index.json",
    {"weight_map": {"a": "/models/a.safetensors"}},
)
_weights(
    "an index that names a folder within",
    _out,
    "model.safetensors.index.json",
    {"weight_map": {"a": "sub/a.safetensors"}},
)
_weights("a tokenizer of another place", _out, "tokenizer_config.json", {"tokenizer_file": "/tmp/other/tokenizer.json"})  # noqa: S108
_weights(
    "a list of tokenizers that leads out",
    _out,
    "tokenizer_config.json",
    {"fast_tokenizer_files": ["../tokenizer.4.json"]},
)
_weights(
    "weights that the configuration names elsewhere",
    _out,
    "config.json",
    {"transformers_weights": "../real.safetensors"},
)
_weights(
    "a vocabulary of another place, deep down", _out, "adapter_config.json", {"a": [{"b": {"vocab_file": "../v.json"}}]}
)


@ON_MODELS.add("an index nested without end", "not JSON|recursion")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors.index.json").write_text("[" * 1_000_000)
    return ModelFiles(folder, "model S1")


_weights(
    "a model of a billion layers", "num_hidden_layers is 1000000000, too", "config.json", {"num_hidden_layers": 10**9}
)
_weights("a model with more words than weights", "vocab_size is .*, too", "config.json", {"a": {"vocab_size": 2**40}})


@ON_MODELS.add("weights that are a link", "a symbolic link; name the file")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").symlink_to(place.canary)
    return ModelFiles(folder, "model S1")


@ON_MODELS.add("weights that are changed while they are loaded", "was changed while it was loaded")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with ModelFiles(folder, "model S1"):
        (folder / "model.safetensors").write_bytes(b"another, longer")
    return None


@ON_MODELS.add("weights that are exchanged while they are loaded", "was changed while it was loaded")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with ModelFiles(folder, "model S1"):
        (folder / "other").write_bytes(b"another")
        (folder / "other").rename(folder / "model.safetensors")
    return None


# --- chat templates -------------------------------------------------------------------------------


class _Tokenizer:
    special_tokens_map: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, template: str) -> None:
        self.chat_template = template

    def get_chat_template(self) -> str:
        return self.chat_template


def _template(name: str, says: str, template: str, *, slow: bool = False) -> None:
    def spring(place: Place) -> object:
        (made,) = render(_Tokenizer(template), [[{"role": "user", "content": "Hi"}]], pinned=False)
        raise EndpointError(made.refused)  # the question fails with this reason, and the run goes on

    ON_MODELS.add(f"a chat template with {name}", says, slow=slow)(spring)


_loop = "{% for a in range(99999) %}"
_template("loops within loops", "takes more than .* s ", f"{_loop}{_loop}{'{% endfor %}' * 2}", slow=True)
_template("a text of ten gigabytes", "MiB of memory|refuses the messages", "{{ 'x' * 9999999999 }}", slow=True)
_template("an arithmetic error", "refuses the messages: .*division", "{{ 1 // 0 }}")
_template("a way to other classes", "refuses the messages: .*unsafe", "{{ messages.__class__.__mro__ }}", slow=True)
