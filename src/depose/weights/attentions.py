"""Find the value dimensions of a layer's attention by the names of its tensors, fused with queries and keys or not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from depose.weights.parts import Attention, Rows, Shapes, into, named, other, out_of, part
from depose.weights.stores import Array

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
    ("self_attn.W_pack.weight", "self_attn.o_proj.weight"),
)
_GROUPED_VALUES = (
    ("attention.query_key_value.weight", "attention.dense.weight"),
    ("self_attention.query_key_value.weight", "self_attention.dense.weight"),
    ("attention.wqkv.weight", "attention.wo.weight"),
    ("self_attn.query_key_value.weight", "self_attn.dense.weight"),
)
_GROUPED_TYPES = re.compile(r"gpt_?neox|bloom|falcon|refinedweb|internlm|chatglm|phi3small|persimmon|fuyu|\Z")
_FUSED_TYPES = re.compile(r"bailing|llada2")
"""Makers of models who fuse values in one way and in the other by the same names. Where neither is known, values are
left out: a matrix that is cut in the wrong place gives rows of queries and keys for values, whose numbers mean the same
in every model that turns them by their places."""
_PAIRED = ("diffllama",)
"""Types of models that lay the values of two heads beside each other: heads of both matrices are not the same then."""
_HEADS = ("num_attention_heads", "n_head", "n_heads", "attention_heads", "num_heads")
_ATTENTION_NORMS = ("input_layernorm.weight", "attention_norm.weight", "attn_norm.weight", "ln_1.weight")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**20 else 0


def attentions_of(
    number: int, inside: Mapping[str, str], shapes: Shapes, width: int, settings: dict[str, Any]
) -> list[Attention]:
    """Find the value dimensions of one layer; nothing where the configuration does not tell its heads."""
    heads = next((count for name in _HEADS if (count := _whole(settings.get(name)))), 0)
    if not heads:
        return []
    if settings.get("model_type") in _PAIRED:
        return []
    kept = _kept(settings, heads)
    norms = next((found[0] for end in _ATTENTION_NORMS if (found := named(inside, (end,)))), "")
    for ends in _VALUES:
        if found := named(inside, ends):
            back = out_of(shapes[found[1]], width)
            sizes = (heads, kept, other(shapes[found[0]], width))
            return _attention(number, found, shapes, sizes, into(shapes[found[0]], width), back, norms, width)
    for ends in (*_FUSED_VALUES, *_GROUPED_VALUES):
        if found := named(inside, ends):
            turn = into(shapes[found[0]], width)
            total, wide = other(shapes[found[0]], width), other(shapes[found[1]], width)
            size, rest = divmod(wide, heads)
            if turn is None or rest or total != wide + 2 * kept * size:
                return []
            # GPT-BigCode with as many heads of values as of queries has them as GPT-NeoX, by GPT-2's name.
            grouped = settings.get("multi_query") is False
            if ends in _GROUPED_VALUES:
                maker = str(settings.get("model_type", "")).lower()
                grouped = _GROUPED_TYPES.match(maker) is not None
                if not grouped and not _FUSED_TYPES.match(maker):
                    return []
            cut = _grouped(turn, kept, size) if grouped else part(turn, slice(-kept * size, None))
            back = out_of(shapes[found[1]], width, turned=shapes[found[0]][1] != width)
            return _attention(number, found, shapes, (heads, kept, kept * size), cut, back, norms, width)
    return []


def _kept(settings: dict[str, Any], heads: int) -> int:
    """Say how many heads of values there are."""
    if settings.get("multi_query") is True and settings.get("new_decoder_architecture") is not True:
        return 1
    return _whole(settings.get("num_key_value_heads")) or _whole(settings.get("num_kv_heads")) or heads


def _grouped(turn: Callable[[Array], Array], kept: int, size: int) -> Callable[[Array], Array]:
    """Take the values where each head of values stands behind its queries and keys."""

    def cut(matrix: Array) -> Array:
        rows = turn(matrix)
        return np.asarray(rows.reshape(kept, -1, size, rows.shape[1])[:, -1].reshape(kept * size, -1))

    return cut


def _attention(
    number: int,
    names: tuple[str, ...],
    shapes: Shapes,
    sizes: tuple[int, int, int],
    cut: Callable[[Array], Array] | None,
    back: Callable[[Array], Array] | None,
    norms: str,
    width: int,
) -> list[Attention]:
    """One attention layer; what each value dimension writes is the sum over the query heads that share it."""
    heads, kept, count = sizes
    if cut is None or back is None or count % kept or heads % kept:
        return []
    size, shared = count // kept, heads // kept
    if other(shapes[names[1]], width) != heads * size:
        return []

    def written(matrix: Array) -> Array:
        each = back(matrix).reshape(kept, shared, size, width)
        return np.asarray(each.sum(axis=1).reshape(count, width), dtype=np.float32)

    return [Attention(f"{number}", number, kept, size, Rows(names[0], cut), Rows(names[1], written), norms)]
