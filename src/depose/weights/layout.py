"""Where the hidden units of a model are: which tensors, and which rows or columns of them, by the names of tensors.

A block is one MLP (of a mixture, one expert) or one attention layer. Rows of a matrix given out here are always units
and columns always the model's own space, so that a unit can be compared whatever the file calls it. Names are those of
transformers and of GGUF; a layer that is called otherwise is left out, and said so.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from depose.errors import AnalysisError
from depose.weights.stores import Array, Places, Store

MOST_EXPERTS = 4
"""Experts of one layer that are looked at, evenly spread; the others tell no more of the layer's origin."""


class Rows(NamedTuple):
    """A tensor and how the rows of units are taken from it."""

    name: str
    cut: Callable[[Array], Array]


class Mlp(NamedTuple):
    """The hidden units of one MLP. `gate` is None where it is not gated."""

    label: str
    layer: int
    units: int
    gate: Rows | None
    up: Rows
    down: Rows
    norm: str


class Attention(NamedTuple):
    """The value dimensions of one attention layer, `heads` times `size` of them, each head's together."""

    label: str
    layer: int
    heads: int
    size: int
    value: Rows
    output: Rows
    norm: str


class Layout(NamedTuple):
    """All that is compared of one model."""

    width: int
    embedding: str
    mlps: tuple[Mlp, ...]
    attentions: tuple[Attention, ...]
    shift: float
    """Added to the weights of a norm: Gemma stores them less one."""


_LAYER = re.compile(r"^(?P<stack>.*?\b(?:layers|h|blk|blocks|layer))\.(?P<number>\d{1,5})\.(?P<inside>.+)\Z")
_OTHER_STACK = re.compile(r"vision|visual|audio|encoder|image|mtp|draft")
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight", "token_embd.weight",
               "tok_embeddings.weight")  # fmt: skip
_GATED = (
    ("mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight"),
    ("feed_forward.w1.weight", "feed_forward.w3.weight", "feed_forward.w2.weight"),
    ("ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"),
)
_FUSED = (("mlp.gate_up_proj.weight", "mlp.down_proj.weight"),)
_PLAIN = (
    ("mlp.c_fc.weight", "mlp.c_proj.weight"),
    ("fc1.weight", "fc2.weight"),
    ("mlp.fc1.weight", "mlp.fc2.weight"),
    ("mlp.fc_in.weight", "mlp.fc_out.weight"),
    ("mlp.dense_h_to_4h.weight", "mlp.dense_4h_to_h.weight"),
    ("ffn.up_proj.weight", "ffn.down_proj.weight"),
    ("mlp.up_proj.weight", "mlp.down_proj.weight"),
    ("ffn_up.weight", "ffn_down.weight"),
)
_EXPERT = re.compile(
    r"^(?P<of>.*experts)\.(?P<number>\d{1,5})\.(?P<role>gate_proj|up_proj|down_proj|w1|w2|w3)\.weight\Z"
)
_ROLE = {"gate_proj": "gate", "w1": "gate", "up_proj": "up", "w3": "up", "down_proj": "down", "w2": "down"}
_VALUES = (
    ("self_attn.v_proj.weight", "self_attn.o_proj.weight"),
    ("self_attn.v_proj.weight", "self_attn.out_proj.weight"),
    ("self_attn.v_proj.weight", "self_attn.dense.weight"),
    ("attn.v_proj.weight", "attn.out_proj.weight"),
    ("attn.attention.v_proj.weight", "attn.attention.out_proj.weight"),
    ("attention.wv.weight", "attention.wo.weight"),
    ("attn_v.weight", "attn_output.weight"),
)
_FUSED_VALUES = (
    ("self_attn.qkv_proj.weight", "self_attn.o_proj.weight"),
    ("attn.c_attn.weight", "attn.c_proj.weight"),
    ("attn.Wqkv.weight", "attn.out_proj.weight"),
    ("attn_qkv.weight", "attn_output.weight"),
)
_MLP_NORMS = ("pre_feedforward_layernorm.weight", "post_attention_layernorm.weight", "ffn_norm.weight", "ln_2.weight")
_ATTENTION_NORMS = ("input_layernorm.weight", "attention_norm.weight", "attn_norm.weight", "ln_1.weight")


def layout(store: Store, what: str) -> Layout:
    """Find the hidden units of a model; raises AnalysisError, which begins with `what`, where none are found."""
    shapes = store.shapes
    embedding = next((name for end in _EMBEDDINGS for name in sorted(shapes) if _ends(name, end)), "")
    if not embedding or len(shapes[embedding]) != 2:
        raise AnalysisError(f"{what}: no table of token embeddings among its tensors", hint=_hint(shapes))
    width = shapes[embedding][1]
    stacks: dict[str, dict[int, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for name in shapes:
        found = _LAYER.match(name)
        if found and not _OTHER_STACK.search(found["stack"]):
            stacks[found["stack"]][int(found["number"])][found["inside"]] = name
    largest = max(stacks, key=lambda one: (sum(len(inside) for inside in stacks[one].values()), one), default="")
    settings = _settings(store.settings)
    mlps: list[Mlp] = []
    attentions: list[Attention] = []
    for number, inside in sorted(stacks[largest].items()) if largest else ():
        mlps += _mlps(number, inside, shapes, width)
        attentions += _attentions(number, inside, shapes, width, settings)
    if not mlps and not attentions:
        raise AnalysisError(f"{what}: no hidden units that are known by their names", hint=_hint(shapes))
    gemma = str(settings.get("model_type", "")).startswith("gemma")
    return Layout(width, embedding, tuple(mlps), tuple(attentions), 1.0 if gemma else 0.0)


def finite(store: Store, name: str, rows: Places | None = None) -> Array:
    """Read a tensor, or some of its rows; raises AnalysisError for numbers that are not finite."""
    found = store.read(name, rows)
    if not np.isfinite(np.abs(found).max(initial=0.0)):
        raise AnalysisError(
            f"tensor {name[:80]!r} holds numbers that are not finite", hint="fetch the file again; is it whole?"
        )
    return found


def units(store: Store, rows: Rows) -> Array:
    """Read the rows of units of one matrix: [units, width of the model]."""
    return np.ascontiguousarray(rows.cut(finite(store, rows.name)))


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


def _hint(shapes: Mapping[str, tuple[int, ...]]) -> str:
    kinds = Counter(re.sub(r"\d+", "N", name) for name in shapes)
    return f"its tensors are called {', '.join(sorted(kinds)[:4])}; is it a causal model with its usual names?"


def _settings(said: Mapping[str, Any]) -> dict[str, Any]:
    inner = said.get("text_config")
    return {**said, **(inner if isinstance(inner, dict) else {})}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**20 else 0


def _named(inside: Mapping[str, str], ends: Iterable[str]) -> tuple[str, ...]:
    """The tensors of a layer with these ends, or nothing where one is missing."""
    found = [next((name for key, name in inside.items() if key == end or key.endswith(f".{end}")), "") for end in ends]
    return tuple(found) if all(found) else ()


def _into(shape: tuple[int, ...], width: int) -> Callable[[Array], Array] | None:
    """How to turn a matrix that reads from the model's space so that its rows are units."""
    if len(shape) != 2 or width not in shape:
        return None
    return _as_it_is if shape[1] == width else _turned


def _out_of(shape: tuple[int, ...], width: int) -> Callable[[Array], Array] | None:
    """How to turn a matrix that writes into the model's space so that its rows are units."""
    if len(shape) != 2 or width not in shape:
        return None
    return _turned if shape[0] == width else _as_it_is


def _as_it_is(matrix: Array) -> Array:
    return matrix


def _turned(matrix: Array) -> Array:
    return matrix.T


def _part(into: Callable[[Array], Array], rows: slice) -> Callable[[Array], Array]:
    """Take some of the units, where one matrix holds several kinds."""

    def cut(matrix: Array) -> Array:
        return into(matrix)[rows]

    return cut


def _expert(place: int, turn: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Take one expert of a tensor that holds all of a layer."""

    def cut(all_of: Array) -> Array:
        return turn(all_of[place])

    return cut


def _mlps(number: int, inside: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], width: int) -> list[Mlp]:
    norms = next((found[0] for end in _MLP_NORMS if (found := _named(inside, (end,)))), "")
    experts = _experts(number, inside, shapes, width, norms)
    if experts:
        return experts
    for gated in _GATED:
        if found := _named(inside, gated):
            made = _mlp(f"{number}", number, found, shapes, width, norms)
            return [made] if made else []
    for both, out in _FUSED:
        if found := _named(inside, (both, out)):
            into, back = _into(shapes[found[0]], width), _out_of(shapes[found[1]], width)
            count = (
                max(shapes[found[0]]) // 2 if width not in shapes[found[0]] else _other(shapes[found[0]], width) // 2
            )
            if into and back and count == _other(shapes[found[1]], width):
                gate_rows = Rows(found[0], _part(into, slice(None, count)))
                up_rows = Rows(found[0], _part(into, slice(count, None)))
                return [Mlp(f"{number}", number, count, gate_rows, up_rows, Rows(found[1], back), norms)]
    for ends in _PLAIN:
        if found := _named(inside, ends):
            made = _mlp(f"{number}", number, ("", *found), shapes, width, norms)
            return [made] if made else []
    return []


def _other(shape: tuple[int, ...], width: int) -> int:
    """The side of a matrix that is not the model's space."""
    return shape[0] if shape[1] == width else shape[1]


def _mlp(
    label: str, number: int, names: tuple[str, ...], shapes: Mapping[str, tuple[int, ...]], width: int, norms: str
) -> Mlp | None:
    gate, up, down = names
    into, back = _into(shapes[up], width), _out_of(shapes[down], width)
    if into is None or back is None:
        return None
    count = _other(shapes[up], width)
    if not count or _other(shapes[down], width) != count or (gate and shapes[gate] != shapes[up]):
        return None
    return Mlp(label, number, count, Rows(gate, into) if gate else None, Rows(up, into), Rows(down, back), norms)


def _experts(
    number: int, inside: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], width: int, norms: str
) -> list[Mlp]:
    each: dict[int, dict[str, str]] = defaultdict(dict)
    for key, name in inside.items():
        found = _EXPERT.match(key)
        if found:
            each[int(found["number"])][_ROLE[found["role"]]] = name
    whole = sorted(one for one, roles in each.items() if len(roles) == 3)
    made = []
    for one in whole[:: max(len(whole) // MOST_EXPERTS, 1)][:MOST_EXPERTS]:
        roles = each[one]
        label = f"{number}.{one}"
        found_mlp = _mlp(label, number, (roles["gate"], roles["up"], roles["down"]), shapes, width, norms)
        made += [found_mlp] if found_mlp else []
    return made or _stacked_experts(number, inside, shapes, width, norms)


def _stacked_experts(
    number: int, inside: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], width: int, norms: str
) -> list[Mlp]:
    """The experts of one layer in one tensor, as GGUF keeps them."""
    found = _named(inside, ("ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight"))
    if not found or any(len(shapes[name]) != 3 for name in found):
        return []
    count, size = shapes[found[1]][0], shapes[found[1]][1]
    made = []
    for one in range(0, count, max(count // MOST_EXPERTS, 1))[:MOST_EXPERTS]:
        gate, up = (Rows(name, _expert(one, _as_it_is)) for name in found[:2])
        down = Rows(found[2], _expert(one, _turned))
        made.append(Mlp(f"{number}.{one}", number, size, gate, up, down, norms))
    return made


def _attentions(
    number: int, inside: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]], width: int, settings: dict[str, Any]
) -> list[Attention]:
    heads = _whole(settings.get("num_attention_heads")) or _whole(settings.get("n_head"))
    if not heads:
        return []
    kept = _whole(settings.get("num_key_value_heads")) or heads
    norms = next((found[0] for end in _ATTENTION_NORMS if (found := _named(inside, (end,)))), "")
    for ends in _VALUES:
        if found := _named(inside, ends):
            cut = _into(shapes[found[0]], width)
            count = _other(shapes[found[0]], width)
            return _attention(number, (found[0], found[1]), shapes, (heads, kept, count), cut, norms, width)
    for ends in _FUSED_VALUES:
        if found := _named(inside, ends):
            into = _into(shapes[found[0]], width)
            total, wide = _other(shapes[found[0]], width), _other(shapes[found[1]], width)
            count = kept * (wide // heads)
            if into is None or total != wide + 2 * count:
                return []
            return _attention(
                number, found, shapes, (heads, kept, count), _part(into, slice(-count, None)), norms, width
            )
    if found := _named(inside, ("attention.query_key_value.weight", "attention.dense.weight")):
        total = _other(shapes[found[0]], width)
        if shapes[found[0]][1] != width or total % (3 * heads) or kept != heads:
            return []
        size = total // (3 * heads)
        return _attention(
            number, found, shapes, (heads, heads, heads * size),
            lambda one: one.reshape(heads, 3, size, width)[:, 2].reshape(-1, width), norms, width,
        )  # fmt: skip
    return []


def _attention(
    number: int,
    names: tuple[str, ...],
    shapes: Mapping[str, tuple[int, ...]],
    sizes: tuple[int, int, int],
    cut: Callable[[Array], Array] | None,
    norms: str,
    width: int,
) -> list[Attention]:
    """One attention layer; what each value dimension writes is the sum over the query heads that share it."""
    heads, kept, count = sizes
    back = _out_of(shapes[names[1]], width)
    if cut is None or back is None or count % kept or heads % kept:
        return []
    size, shared = count // kept, heads // kept
    if _other(shapes[names[1]], width) != heads * size:
        return []

    def written(matrix: Array) -> Array:
        each = back(matrix).reshape(kept, shared, size, width)
        return np.asarray(each.sum(axis=1).reshape(count, width), dtype=np.float32)

    return [Attention(f"{number}", number, kept, size, Rows(names[0], cut), Rows(names[1], written), norms)]
