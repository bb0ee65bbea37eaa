"""Traps in a folder of a model that somebody else made or may change: its weights, its tokenizer, its chat template."""

from __future__ import annotations

import json
import mmap
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from attacks_on_askers import facts_of_local
from depose.custody.described import odd_description
from depose.endpoints import adapter_settings, tokenizer_trial
from depose.endpoints.chat_template import render
from depose.endpoints.model_folder import ModelFiles
from depose.endpoints.weights import Weights, opened
from depose.errors import EndpointError, EvidenceError
from depose.evidence.log import GENESIS, Chained, Entry
from depose.evidence.records import Described
from depose.model import Case, Fact, ModelSpec, Registration
from depose.weights.stores import _Gguf, open_weights
from fakes import case_of, model
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


@ON_MODELS.add("an index that leads out behind 65 million spaces", "larger than .* bytes, and no vocabulary")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"decoy")
    index = json.dumps({"weight_map": {"a": "../real.safetensors"}})
    (folder / "model.safetensors.index.json").write_text(f"{index}{' ' * 65 * 1024**2}")
    return ModelFiles(folder, "model S1")


_code = "code of another place"
_weights("attention by code of another place", _code, "config.json", {"_attn_implementation": "others/kernels"})
_weights("experts by code of another place", _code, "config.json", {"experts_implementation": "others/kernels:experts"})
_weights(
    "attention of one part by code of another place",
    _code,
    "config.json",
    {"text_config": {"attn_implementation": {"decoder": "others/kernels@main"}}},
)


@ON_MODELS.add("a model of more layers than its weights have tensors", "too much for weights of 2 tensors")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    head = json.dumps({"a": one, "b": one, "__metadata__": {"note": '"data_offsets"' * 900}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(head)) + head)
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": 200}))
    return ModelFiles(folder, "model S1")


def _mapped(file: Path) -> mmap.mmap:
    """Map a file that others may write, as they can, and write through the map once, as they do before a trap."""
    file.chmod(0o666)
    with file.open("r+b") as handle:
        made = mmap.mmap(handle.fileno(), 0)
    made[0:1] = b"a"
    time.sleep(0.06)
    return made


@ON_MODELS.add("weights that others change through a map while they are loaded", "was changed while it was loaded")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with _mapped(folder / "model.safetensors") as written, ModelFiles(folder, "model S1"):
        written[0:1] = b"b"
    return None


@ON_MODELS.add("weights that others change through a map between digest and load", "is not the file that was digested")
def _(place: Place) -> object:
    folder = place.folder / "model"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"genuine")
    with _mapped(folder / "model.safetensors") as written:
        with ModelFiles(folder, "model S1") as files:
            found = Weights(folder=str(folder), files=files.digests, adapter="", adapter_files={})
        written[0:1] = b"b"
        with opened(found):
            return None


# --- GGUF -----------------------------------------------------------------------------------------


def _text(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _list(name: bytes, kind: int, count: int) -> bytes:
    return _text(name) + struct.pack("<IIQ", 9, kind, count)


def _tensor(name: bytes, *shape: int, kind: int = 0, start: int = 0) -> bytes:
    return _text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, start)


def _gguf(name: str, says: str, *parts: bytes, settings: int = 0, tensors: int = 0) -> None:
    def spring(place: Place) -> object:
        file = place.folder / "model.gguf"
        file.write_bytes(b"".join((b"GGUF", struct.pack("<IQQ", 3, tensors, settings), *parts)))
        with ExitStack() as stack:
            return _Gguf(file, stack)

    ON_MODELS.add(f"a GGUF with {name}", says)(spring)


_beyond = "ends within its head"
_many = "entries, which cannot be"
_gguf("a list of 2^40 numbers", _beyond, _list(b"a", 0, 2**40), settings=1)
_gguf("a list of 2^64 - 1 numbers of 8 bytes", _beyond, _list(b"a", 10, 2**64 - 1), settings=1)
_gguf("a vocabulary of 2^40 words", _many, _list(b"tokenizer.ggml.tokens", 8, 2**40), settings=1)
_gguf("2^60 settings", _many, settings=2**60)
_gguf("2^60 tensors", _many, tensors=2**60)
_gguf(
    "lists within lists without end",
    "of kind 9, which",
    _list(b"a", 9, 1),
    struct.pack("<IQ", 9, 1) * 9,
    bytes(99),
    settings=1,
)
_gguf("a text longer than the file", _beyond, struct.pack("<Q", 2**63), bytes(99), settings=1)
_gguf("a tensor of 2^62 numbers", "does not lie in the file", _tensor(b"a", 2**31, 2**31), tensors=1)
_gguf("a tensor of 2^31 dimensions", "has 2147483648 dimensions", _text(b"a"), b"\0\0\0\x80", bytes(99), tensors=1)
_gguf("an alignment of 3", "an alignment of 3", _text(b"general.alignment"), struct.pack("<II", 4, 3), settings=1)


@ON_MODELS.add("a GGUF that is exchanged while it is compared", "was changed while it was loaded")
def _(place: Place) -> object:
    file = place.folder / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + _tensor(b"a", 2) + bytes(64))
    with ExitStack() as stack:
        _Gguf(file, stack)
        (place.folder / "other").write_bytes(file.read_bytes()[:-1] + b"x")
        (place.folder / "other").rename(file)
    return None


@ON_MODELS.add("a GGUF that is changed while it is compared", "was changed while it was loaded")
def _(place: Place) -> object:
    file = place.folder / "model.gguf"
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + _tensor(b"a", 2) + bytes(64))
    with ExitStack() as stack:
        _Gguf(file, stack)
        file.write_bytes(file.read_bytes()[:-1] + b"xx")
    return None


@ON_MODELS.add("a part of a GGUF with another tensor of a name that was there", "is in another part too")
def _(place: Place) -> object:
    for number in (1, 2):
        file = place.folder / f"model-{number:05}-of-00002.gguf"
        count = _text(b"split.count") + struct.pack("<IH", 2, 2)
        file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + count + _tensor(b"a", 2) + bytes(64))
    with ExitStack() as stack:
        return _Gguf(place.folder / "model-00001-of-00002.gguf", stack)


@ON_MODELS.add("a GGUF called a part of two that does not say so", "one of 1 parts of a model, and its name")
def _(place: Place) -> object:
    for number in (1, 2):
        file = place.folder / f"model-{number:05}-of-00002.gguf"
        file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + _tensor(b"a", 2) + bytes(64))
    with ExitStack() as stack:
        return _Gguf(place.folder / "model-00001-of-00002.gguf", stack)


@ON_MODELS.add("scales of a kind that torch knows by name alone", "holds numbers that are not read")
def _(place: Place) -> object:
    folder, name = place.folder / "model", "a.weight"
    folder.mkdir()
    head = {
        name: {"dtype": "F32", "shape": [4, 1], "data_offsets": [0, 16]},
        f"{name}_scale": {"dtype": "F4", "shape": [4], "data_offsets": [16, 18]},
    }
    said = json.dumps(head).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(said)) + said + bytes(18))
    (folder / "config.json").write_text("{}")
    with open_weights(folder) as store:
        return store.read(name)


# --- what local weights are made to say ----------------------------------------------------------


def told(spec: ModelSpec, *more: Fact) -> EvidenceError | None:
    """Look at a record in which a signer has local weights say more, or other things, of themselves."""
    case = msgspec.convert(case_of([model("S1", "suspect"), model("R1", "reference")]), Case)
    case = msgspec.structs.replace(case, models=(spec,))
    registration = Registration(case=case, prompts=(), files=(), software=())
    body = Described(model=spec.code, facts=facts_of_local(*more))
    entry = Entry(seq=3, prev=GENESIS, at="", kind="endpoint", body=msgspec.to_builtins(body))
    return odd_description(Chained(entry=entry, digest=""), body, registration)


def _told(name: str, fact: str, value: str, *, adapter: str = "") -> None:
    def spring(place: Place) -> object:
        spec = ModelSpec(code="S1", role="suspect", provider="transformers", model="weights", adapter=adapter)
        if found := told(spec, Fact(name=fact, value=value)):
            raise found
        return None

    ON_MODELS.add(f"local weights that say {name}", "S1: an endpoint whose '.*' is not what the case")(spring)


_told("a letter in the place of their licence", "licence", "Copied from R1 by its maker, as S1 admitted in May 2026")
_told("an origin of their own", "origin", "distilled from R1")
_told("a sentence in the place of how they draw", "sampling", "none: every answer was chosen by its maker")
_told("a sentence in the place of a device", "device", "a machine of the reference's maker")
_told("a number format of words", "dtype", "taken.from.R1")
_told("a file that no loader is shown", "file stolen from R1", "a" * 64)
_told("weights in a file of another kind", "weights R1.gguf", "a" * 64)
_told("weights of a folder elsewhere", "weights ../R1/model.safetensors", "a" * 64)
_told("a name with a line that is turned round", "file \u202e1R morf.json", "a" * 64)
_told("an adapter that the case does not name", "adapter R1.safetensors", "a" * 64)
_told("the version of a loader of adapters, without one", "peft", "0.19.0")
_told("no digest of any weights", "weights model.safetensors", "")
_told("no number format", "dtype", "")
_told("nothing of the loader of their adapter", "threads", "2", adapter="lora")


# --- adapters -------------------------------------------------------------------------------------


def adapter(config: dict[str, Any]) -> Callable[[Place], object]:
    """Return a trap: what is said of an adapter with these settings, of rank 4, for three layers."""

    def spring(place: Place) -> object:
        save_file(
            {"base_model.model.q_proj.lora_A.weight": np.zeros((4, 9), np.float32)}, place.folder / "a.safetensors"
        )
        said = {"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]} | config
        (place.folder / "adapter_config.json").write_text(json.dumps(said))
        names = [f"model.layers.{n}.self_attn.q_proj" for n in range(3)]
        raise EndpointError(adapter_settings.problem(place.folder, names))

    return spring


def _adapter(name: str, says: str, **config: Any) -> None:
    ON_MODELS.add(f"an adapter with {name}", says, slow="without end" in name)(adapter(config))


_adapter("targets by a pattern without end", "takes more than 4 s", target_modules="([a-z_.0-9]+)+!")
_adapter("ranks by a pattern without end", "takes more than 4 s", rank_pattern={"(([a-z0-9]|[a-z_.])+)+!": 4})
_adapter("a pattern that is none", "unterminated subpattern", exclude_modules="(q_proj", target_modules=["v_proj"])
_adapter("a rank of ten million", "a rank of 10000000, and its largest matrix has 4", r=10**7)
_adapter("a rank of ten million for one part", "a rank of 10000000, and its", rank_pattern={"q_proj": 10**7})
_adapter("a million copies of its layers", "layer_replication is not taken up", layer_replication=[[0, 10**6]])
_adapter("a module to import", "megatron_config is not taken up", megatron_config={"a": 1}, megatron_core="antigravity")
_adapter("adapters of other places", "only LoRA adapters are loaded", peft_type="XLORA", adapters={"1": "../other"})
_adapter(
    "a tokenizer whose code is run",
    "only LoRA adapters are loaded",
    peft_type="PROMPT_TUNING",
    prompt_tuning_init="TEXT",
    tokenizer_name_or_path="../other",
    tokenizer_kwargs={"trust_remote_code": True},
)


# --- tokenizers -----------------------------------------------------------------------------------


def _tokenizer(name: str, says: str, *, text: str = "", tokens: int = 0, word: str = "a", **parts: Any) -> None:
    """Add a tokenizer that turns a text into tokens, or tokens into a text; each part is what the library calls so."""

    def spring(place: Place) -> object:
        made = Tokenizer(models.WordLevel({"?": 0, word: 1}, unk_token="?"))  # noqa: S106
        for part, value in parts.items():
            setattr(made, part, value)
        data = made.to_str().encode()
        refused = tokenizer_trial.encode(data, [text], special=True) or tokenizer_trial.decode(data, [[1] * tokens])
        raise EndpointError(refused)

    ON_MODELS.add(f"a tokenizer with {name}", says, slow="trillion" in name)(spring)


def _grown(kind: Any) -> list[Any]:
    return [kind.Replace(Regex("."), "x" * 1_000)] * 4


_large = "the tokenizer .* of memory|the tokenizer takes more than"
_tokenizer(
    "rules that write a trillion letters", _large, text="hello", normalizer=normalizers.Sequence(_grown(normalizers))
)
_tokenizer("a trillion letters for a token", _large, tokens=9, decoder=decoders.Sequence(_grown(decoders)))
_tokenizer("a word of a hundred thousand letters", "makes .* of one text", tokens=99, word="y" * 100_000)
_tokenizer(
    "a pattern without end",
    "Panic.*retry-limit",
    text="a" * 40 + "!",
    pre_tokenizer=pre_tokenizers.Split(Regex("(a+)+$"), "isolated"),
)


@ON_MODELS.add("a tokenizer that nests a hundred thousand times", "the tokenizer ")
def _(place: Place) -> object:
    raise EndpointError(tokenizer_trial.build(b'{"a":' * 100_000))


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
