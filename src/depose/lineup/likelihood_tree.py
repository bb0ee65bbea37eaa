"""Log-likelihoods of texts whose common beginnings go through a model once, nothing padded and nothing copied.

The tokens of a tree (`prefix_tree`) stand in one row, each at its own position, and a token attends to what is before
it in its own node and in the nodes above. So every other operation of the model sees each token once. It works where
position and order reach a model through its attention alone, so only in the families named here; what a pass leaves
behind for the next is the keys and values of the nodes that those of the next stem from.

The idea is that of tree attention (Miao et al., "SpecInfer", ASPLOS 2024) and of prefixes shared in a batch
(Juravsky et al., "Hydragen", 2024).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from depose.errors import EndpointError
from depose.lineup.log_probabilities import looked_up
from depose.lineup.prefix_tree import Tokens, Tree, grow

FAMILIES = frozenset(
    {"gemma", "granite", "llama", "mistral", "mixtral", "olmo2", "phi3", "qwen2", "qwen3", "qwen3_moe", "smollm3"}
)
"""Architectures, as their config names them, in which tokens meet in full causal attention alone."""
FIXED_POSITIONS = frozenset({"default", "linear", "llama3", "yarn"})
"""Kinds of rotary embedding that do not depend on the longest text beside."""
ROOM = 1_024
"""Tokens of one pass. More do not make the products of matrices faster on a CPU."""
BLOCK = 128
"""Tokens whose attention is made at once, so that their weights stay in the cache of a core."""
LOGITS = 1 << 27
"""Logits of one pass."""
NAME = "depose_tree"


@dataclass(frozen=True, slots=True)
class Text:
    """Tokens to read, and what is asked of them."""

    before: Tokens
    counted: Tokens
    """Tokens after `before` whose log-probabilities are summed."""


@dataclass(slots=True)
class _Part:
    """A node in the row of a pass."""

    node: int
    parent: int
    row: int
    length: int
    before: int
    widest: int = 0
    """At the first child of a parent: tokens of its longest child in this pass."""
    closes: bool = False
    """At the last child of a parent."""


@dataclass(slots=True)
class _Layout:
    """One pass, as attention needs it."""

    tree: Tree
    parts: list[_Part]
    keep: frozenset[int]
    """Nodes that later passes stem from."""
    kept: dict[int, dict[int, tuple[Any, Any]]] = field(default_factory=dict)
    """Keys and values of nodes of earlier passes and of those to keep: by node, then by layer."""
    seen: set[int] = field(default_factory=set)
    """Layers that have attended."""


def takes(model: Any) -> bool:
    """Tell whether in this model tokens meet in full causal attention alone, at positions that are given."""
    config = _inner(model).config
    kinds = getattr(config, "layer_types", None)
    rope = getattr(config, "rope_parameters", None) or {}
    windowed = getattr(config, "sliding_window", None) if kinds is None else set(kinds) != {"full_attention"}
    return bool(
        config.model_type in FAMILIES
        and not windowed
        and rope.get("rope_type", "default") in FIXED_POSITIONS
        and hasattr(_inner(model), "set_attn_implementation")
    )


def scored(model: Any, texts: Sequence[Text], device: str, room: int | None = None) -> list[float]:
    """Sum the natural logs of the probabilities of the counted tokens of each text; 0 where none is counted."""
    import torch

    asked = [place for place, text in enumerate(texts) if text.counted]
    room = max(1, min(room or ROOM, LOGITS // _inner(model).config.vocab_size))
    tree = grow([texts[place].before + texts[place].counted[:-1] for place in asked], room)
    wanted = _wanted(tree, [texts[place] for place in asked], asked)
    totals = [0.0] * len(texts)
    kept: dict[int, dict[int, tuple[Any, Any]]] = {}
    with torch.inference_mode(), _attending(_inner(model)):
        for run in tree.passes(room):
            layout = _laid_out(tree, run, kept)
            goals = _goals(layout, wanted)
            logits = _through(model, layout, sorted(goals), device)
            rows = [row for row in sorted(goals) for _ in goals[row]]
            asks = [goal for row in sorted(goals) for goal in goals[row]]
            places = {row: place for place, row in enumerate(sorted(goals))}
            found = looked_up(logits, [places[row] for row in rows], [token for token, _ in asks], device)
            for (_, owner), value in zip(asks, found, strict=True):
                totals[owner] += value
            kept = {node: kept[node] for node in layout.keep}
    return totals


def _inner(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


# --- what is asked of which token -------------------------------------------------------------------


_Goal = tuple[int, int]
"""A token that may follow, and the text that it is counted for."""


def _wanted(tree: Tree, texts: Sequence[Text], owners: Sequence[int]) -> dict[int, dict[int, list[_Goal]]]:
    """List what is asked after each token: by node, then by place in it."""
    wanted: dict[int, dict[int, list[_Goal]]] = defaultdict(lambda: defaultdict(list))
    for text, end, owner in zip(texts, tree.ends, owners, strict=True):
        node = end
        for place in range(len(text.counted) - 1, -1, -1):
            at = len(text.before) - 1 + place
            while at < tree.nodes[node].start:
                node = tree.nodes[node].parent
            wanted[node][at - tree.nodes[node].start].append((text.counted[place], owner))
    return wanted


def _laid_out(tree: Tree, run: range, kept: dict[int, dict[int, tuple[Any, Any]]]) -> _Layout:
    after = tree.nodes[run.stop].parent if run.stop < len(tree.nodes) else -1
    layout = _Layout(tree, [], frozenset(tree.path(after)), kept)
    row, children = 0, defaultdict(list)
    for place in run:
        node = tree.nodes[place]
        part = _Part(place, node.parent, row, len(node.tokens), node.start)
        layout.parts.append(part)
        children[node.parent].append(part)
        row += part.length
        if place in layout.keep:
            kept[place] = {}
    for family in children.values():
        family[0].widest = max(part.length for part in family)
        family[-1].closes = True
    return layout


def _goals(layout: _Layout, wanted: dict[int, dict[int, list[_Goal]]]) -> dict[int, list[_Goal]]:
    """List what is asked after each token of a row."""
    return {
        part.row + at: goals for part in layout.parts for at, goals in wanted.get(part.node, {}).items()
    }  # two nodes share no place of a row


def _through(model: Any, layout: _Layout, rows: Sequence[int], device: str) -> Any:
    """Run one pass and return the logits after the tokens at `rows`."""
    import torch

    nodes = [layout.tree.nodes[part.node] for part in layout.parts]
    positions = [at for node in nodes for at in range(node.start, node.end)]
    out = model(
        input_ids=torch.tensor([[token for node in nodes for token in node.tokens]], device=device),
        position_ids=torch.tensor([positions], device=device),
        use_cache=False,
        logits_to_keep=torch.tensor(rows, dtype=torch.long, device=device),
        layout=layout,
    )
    layers = _inner(model).config.num_hidden_layers
    if len(layout.seen) != layers:
        raise EndpointError(
            f"{len(layout.seen)} of {layers} layers of the model attended as they were told",
            hint="this version of transformers is not one that depose knows: install that of constraints/base.txt",
        )
    return out.logits[0]


# --- attention ---------------------------------------------------------------------------------------


@contextmanager
def _attending(model: Any) -> Iterator[None]:
    """Let a model attend along a tree, and as before afterwards."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    before = model.config._attn_implementation
    model.set_attn_implementation(NAME)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    *,
    layout: _Layout,
    scaling: float | None = None,
    **_: Any,
) -> tuple[Any, None]:
    """Attend from each token to those of its node up to itself and to all of the nodes above.

    Shapes are those of transformers: queries (1, heads, tokens, width), keys and values with as many heads or fewer;
    the answer is (1, tokens, heads, width).
    """
    layer = module.layer_idx
    layout.seen.add(layer)
    own = {
        part.node: (key[0, :, part.row : part.row + part.length], value[0, :, part.row : part.row + part.length])
        for part in layout.parts
    }
    out = query.new_empty(query.shape[2], query.shape[1], value.shape[-1])
    above: dict[int, tuple[Any, Any]] = {}
    for part in layout.parts:
        seen = own[part.node]
        if part.parent >= 0:
            if part.widest:
                above[part.parent] = _above(layout, own, layer, part)
            for room, mine in zip(above[part.parent], seen, strict=True):
                room[:, part.before : part.before + part.length] = mine
            seen = above[part.parent]
        if part.closes:
            above.pop(part.parent, None)
        _attend_one(query, *seen, part, scaling or query.shape[-1] ** -0.5, out)
        if part.node in layout.keep:
            layout.kept[part.node][layer] = tuple(one.clone() for one in own[part.node])
    return out[None], None


def _above(layout: _Layout, own: dict[int, tuple[Any, Any]], layer: int, part: _Part) -> tuple[Any, Any]:
    """Set out keys and values of all nodes above a part, with room behind for its own and its longest sibling's."""
    pieces = [own[node] if node in own else layout.kept[node][layer] for node in layout.tree.path(part.parent)]
    rooms = []
    for which in range(2):
        heads, _, width = pieces[0][which].shape
        room = pieces[0][which].new_empty(heads, part.before + part.widest, width)
        at = 0
        for piece in pieces:
            room[:, at : at + piece[which].shape[1]] = piece[which]
            at += piece[which].shape[1]
        rooms.append(room)
    return rooms[0], rooms[1]


def _attend_one(query: Any, keys: Any, values: Any, part: _Part, scaling: float, out: Any) -> None:
    """Fill the rows of a part; its own keys are the `length` ones after those `before` it."""
    import torch

    heads, width = query.shape[1], query.shape[-1]
    shared = keys.shape[0]
    none = query.new_zeros(1)
    for low in range(0, part.length, BLOCK):
        high = min(low + BLOCK, part.length)
        many, seen = high - low, part.before + high
        asks = query[0, :, part.row + low : part.row + high].reshape(shared, heads // shared * many, width)
        weights = torch.baddbmm(none, asks, keys[:, :seen].transpose(1, 2), beta=0, alpha=scaling)
        later = weights.new_full((many, many), float("-inf")).triu_(1)
        weights.view(heads, many, seen)[:, :, seen - many :] += later
        got = torch.bmm(torch.softmax(weights, dim=-1), values[:, :seen])
        out[part.row + low : part.row + high] = got.view(heads, many, -1).transpose(0, 1)
