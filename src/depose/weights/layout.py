"""Where the hidden units of a model are: which tensors, and which rows or columns of them, by the names of tensors.

A block is one MLP (of a mixture, one expert) or one attention layer. Rows of a matrix given out here are always units
and columns always the model's own space, so that a unit can be compared whatever the file calls it. Names are those of
transformers and of GGUF; a layer that is called otherwise is left out, and said so.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from depose.endpoints.model_folder import MOST_LAYERS
from depose.errors import AnalysisError
from depose.weights.attentions import attentions_of
from depose.weights.mlps import mlps_of
from depose.weights.parts import Attention, Mlp, Rows
from depose.weights.stores import Array, Places, Store

MOST_MLPS = 128
"""MLPs of one model that are looked at; of a mixture with more, some experts of each layer are drawn by a seed."""
FEWEST_EXPERTS = 4
SEED = 22


class Layout(NamedTuple):
    """All that is compared of one model."""

    width: int
    embedding: str
    mlps: tuple[Mlp, ...]
    attentions: tuple[Attention, ...]
    shift: float
    """Added to the weights of a norm: Gemma and others store them less one, in safetensors and not in GGUF."""
    drawn: str = ""
    """Which experts of a mixture were drawn, where it has more than are looked at."""
    gaps: str = ""
    """How many of the layers that its configuration names have units that are known, where not all do."""
    waves: bool = False
    """Whether sines and cosines of places are added to embeddings: each dimension has a frequency of its own."""


_LAYER = re.compile(r"^(?P<stack>.*?\b(?:layers|h|blk|blocks|layer))\.(?P<number>\d{1,5})\.(?P<inside>.+)\Z")
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
_OTHER_STACK = re.compile(r"vision|visual|audio|encoder|image|mtp|draft")
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "token_embd.weight",
               "tok_embeddings.weight")  # fmt: skip


_LESS_ONE = re.compile(
    r"(gemma[23]?|gemma3_text|vaultgemma|recurrent_gemma|t5gemma2?|nemotron|qwen3_next|qwen3_5\w*|qwen4_exp\w*|"
    r"step3p7\w*|minimax_m3\w*|muse_\w+)\Z"
)
"""Types of models whose norms multiply with one more than what is stored."""
_WAVES = re.compile(r"xglm|m2m_100|marian|nllb|pegasus|fsmt|musicgen|trocr|speech_to_text|seamless_m4t|kosmos")
"""Types of models to whose embeddings sines and cosines of places are added (Vaswani et al. 2017)."""


def layout(store: Store, what: str) -> Layout:
    """Find the hidden units of a model; raises AnalysisError, which begins with `what`, where none are found."""
    shapes = store.shapes
    if store.packed:
        raise AnalysisError(
            f"{what}: weights packed by {store.packed} are not read",
            hint="save them unpacked (float16, bfloat16, int8), or as GGUF",
        )
    embedding = next((name for end in _EMBEDDINGS for name in sorted(shapes) if _ends(name, end)), "")
    if not embedding or len(shapes[embedding]) != 2:
        raise AnalysisError(f"{what}: no table of token embeddings among its tensors", hint=_hint(store))
    width = shapes[embedding][1]
    stacks: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name in shapes:
        found = _LAYER.match(name)
        if found and not _OTHER_STACK.search(found["stack"]):
            stacks[found["stack"]][int(found["number"])][found["inside"]] = name
    largest = max(stacks, key=lambda one: (sum(len(inside) for inside in stacks[one].values()), one), default="")
    if largest and len(stacks[largest]) > MOST_LAYERS:
        raise AnalysisError(
            f"{what}: {len(stacks[largest])} layers among its tensors, more than {MOST_LAYERS}",
            hint="is it one model? Name the folder of one",
        )
    settings = _settings(store.settings)
    mlps: list[Mlp] = []
    attentions: list[Attention] = []
    for number, inside in sorted(stacks[largest].items()) if largest else ():
        mlps += mlps_of(number, inside, shapes, width)
        attentions += attentions_of(number, inside, shapes, width, settings)
    if not mlps and not attentions:
        raise AnalysisError(f"{what}: no hidden units that are known by their names", hint=_hint(store))
    shift = 1.0 if _LESS_ONE.match(str(settings.get("model_type", ""))) else 0.0
    waves = _WAVES.match(str(settings.get("model_type", ""))) is not None
    looked_at, drawn = _drawn(mlps)
    return Layout(
        width, embedding, looked_at, tuple(attentions), shift, drawn, _gaps(settings, mlps, attentions), waves
    )


def _gaps(settings: Mapping[str, Any], mlps: Sequence[Mlp], attentions: Sequence[Attention]) -> str:
    """Say what is not looked at: layers that are packed, called otherwise or in a file that is not there."""
    said = next((settings[name] for name in _LAYERS if isinstance(settings.get(name), int)), 0)
    with_units, with_values = len({one.layer for one in mlps}), len({one.layer for one in attentions})
    if min(with_units, with_values) >= said:
        return ""
    return f"MLPs in {with_units} and attention in {with_values} of {said} layers"


def _drawn(mlps: list[Mlp]) -> tuple[tuple[Mlp, ...], str]:
    """Draw so many experts of each layer that all fit: of two models of one shape the same, by their numbers."""
    if len(mlps) <= MOST_MLPS:
        return tuple(mlps), ""
    by_layer: dict[int, list[Mlp]] = defaultdict(list)
    for one in mlps:
        by_layer[one.layer].append(one)
    most = max(MOST_MLPS // len(by_layer), FEWEST_EXPERTS)
    kept: list[Mlp] = []
    for layer, every in by_layer.items():
        draw = np.random.default_rng([SEED, layer, len(every)])
        kept += [every[place] for place in sorted(draw.permutation(len(every))[:most].tolist())]
    if len(kept) == len(mlps):
        return tuple(mlps), ""
    return tuple(kept), f"{len(kept)} of {len(mlps)}, drawn in each layer by seed {SEED}"


def finite(store: Store, name: str, rows: Places | None = None) -> Array:
    """Read a tensor, or some of its rows; raises AnalysisError for numbers that are not finite."""
    found = store.read(name, rows)
    if not np.isfinite(np.abs(found).max(initial=0.0)):
        raise AnalysisError(
            f"{store.path}: tensor {name[:80]!r} holds numbers that are not finite",
            hint="fetch the file again; is it whole?",
        )
    return found


def units(store: Store, rows: Rows) -> Array:
    """Read the rows of units of one matrix: [units, width of the model]."""
    if rows.expert is None:
        return np.ascontiguousarray(rows.cut(finite(store, rows.name)))
    return np.ascontiguousarray(rows.cut(finite(store, rows.name, np.array([rows.expert]))[0]))


def norm(store: Store, of: Layout, name: str) -> Array:
    """Read what a norm multiplies the model's space with, before a matrix, up to a factor; ones where there is none."""
    if not name:
        return np.ones(of.width, dtype=np.float32)
    found = finite(store, name).reshape(-1) + np.float32(of.shift)
    most = np.abs(found).max(initial=0.0)
    if len(found) != of.width or not most:
        return np.ones(of.width, dtype=np.float32)
    return np.asarray(found / most, dtype=np.float32)  # whatever is multiplied with it stays finite


def _ends(name: str, end: str) -> bool:
    return (name == end or name.endswith(f".{end}")) and not _OTHER_STACK.search(name)


def _hint(store: Store) -> str:
    kinds = Counter(re.sub(r"\d+", "N", name) for name in store.shapes)
    said = _settings(store.settings).get("model_type")
    of = f"it is of the type {str(said)[:40]}; " if said else ""
    return (
        f"{of}its tensors are called {', '.join(sorted(kinds)[:4])}; causal transformers are read by their usual "
        "names, and not Mamba, RWKV, T5 or encoders such as BERT: compare the answers of such models"
    )


def _settings(said: Mapping[str, Any]) -> dict[str, Any]:
    inner = said.get("text_config")
    return {**said, **(inner if isinstance(inner, dict) else {})}
