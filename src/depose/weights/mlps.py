"""Find the MLPs of a layer, and the experts of a mixture, by the names of their tensors in transformers and GGUF."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from depose.weights.parts import Mlp, Rows, Shapes, into, named, other, out_of, part

_GATED = (
    ("mlp.gate_proj.weight", "mlp.up_proj.weight", "mlp.down_proj.weight"),
    ("feed_forward.gate_proj.weight", "feed_forward.up_proj.weight", "feed_forward.down_proj.weight"),
    ("mlp.w2.weight", "mlp.w1.weight", "mlp.c_proj.weight"),
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
_STACKED = (
    ("ffn_gate_exps.weight", "ffn_up_exps.weight", "ffn_down_exps.weight"),
    ("experts.gate_up_proj", "experts.down_proj"),
    ("block_sparse_moe.input_linear.weight", "block_sparse_moe.output_linear.weight"),
)
_SHARED = (
    ("shared_expert.gate_proj.weight", "shared_expert.up_proj.weight", "shared_expert.down_proj.weight"),
    ("shared_experts.gate_proj.weight", "shared_experts.up_proj.weight", "shared_experts.down_proj.weight"),
    ("ffn_gate_shexp.weight", "ffn_up_shexp.weight", "ffn_down_shexp.weight"),
)
_ROLE = {"gate_proj": "gate", "w1": "gate", "up_proj": "up", "w3": "up", "down_proj": "down", "w2": "down"}
_MLP_NORMS = ("pre_feedforward_layernorm.weight", "post_attention_layernorm.weight", "ffn_norm.weight", "ln_2.weight")


def mlps_of(number: int, inside: Mapping[str, str], shapes: Shapes, width: int) -> list[Mlp]:
    """Find the MLP of one layer, or its experts with what all tokens share; nothing where names are not known."""
    norms = next((found[0] for end in _MLP_NORMS if (found := named(inside, (end,)))), "")
    experts = _experts(number, inside, shapes, width, norms) or _stacked_experts(number, inside, shapes, width, norms)
    if experts:
        shared = (named(inside, ends) for ends in _SHARED)
        also = [_mlp(f"{number}.shared", number, found, shapes, width, norms) for found in shared if found]
        return experts + [one for one in also if one]
    for gated in _GATED:
        if found := named(inside, gated):
            made = _mlp(f"{number}", number, found, shapes, width, norms)
            return [made] if made else []
    for both, out in _FUSED:
        if found := named(inside, (both, out)):
            turn, back = into(shapes[found[0]], width), out_of(shapes[found[1]], width)
            count = max(shapes[found[0]]) // 2 if width not in shapes[found[0]] else other(shapes[found[0]], width) // 2
            if turn and back and count == other(shapes[found[1]], width):
                gate_rows = Rows(found[0], part(turn, slice(None, count)))
                up_rows = Rows(found[0], part(turn, slice(count, None)))
                return [Mlp(f"{number}", number, count, gate_rows, up_rows, Rows(found[1], back), norms)]
    for ends in _PLAIN:
        if found := named(inside, ends):
            made = _mlp(
                f"{number}", number, ("", *found), shapes, width, norms, turned=_is_turned(inside, shapes, width)
            )
            return [made] if made else []
    return []


def _is_turned(inside: Mapping[str, str], shapes: Shapes, width: int) -> bool:
    """Tell whether rows are what matrices read, as GPT-2 has them, by one that is not square."""
    found = named(inside, ("attn.c_attn.weight",))
    return bool(found) and len(shapes[found[0]]) == 2 and shapes[found[0]][1] != width


def _mlp(
    label: str, number: int, names: tuple[str, ...], shapes: Shapes, width: int, norms: str, *, turned: bool = False
) -> Mlp | None:
    gate, up, down = names
    turn, back = into(shapes[up], width, turned=turned), out_of(shapes[down], width, turned=turned)
    if turn is None or back is None:
        return None
    count = other(shapes[up], width)
    if not count or other(shapes[down], width) != count or (gate and shapes[gate] != shapes[up]):
        return None
    return Mlp(label, number, count, Rows(gate, turn) if gate else None, Rows(up, turn), Rows(down, back), norms)


def _experts(number: int, inside: Mapping[str, str], shapes: Shapes, width: int, norms: str) -> list[Mlp]:
    each: dict[int, dict[str, str]] = defaultdict(dict)
    for key, name in inside.items():
        found = _EXPERT.match(key)
        if found:
            each[int(found["number"])][_ROLE[found["role"]]] = name
    whole = sorted(one for one, roles in each.items() if len(roles) == 3)
    made = []
    for one in whole:
        roles = each[one]
        label = f"{number}.{one}"
        found_mlp = _mlp(label, number, (roles["gate"], roles["up"], roles["down"]), shapes, width, norms)
        made += [found_mlp] if found_mlp else []
    return made


def _stacked_experts(number: int, inside: Mapping[str, str], shapes: Shapes, width: int, norms: str) -> list[Mlp]:
    """The experts of one layer in one tensor, as GGUF keeps them, and as transformers does in its memory."""
    for ends in _STACKED:
        found = named(inside, ends)
        if not found or any(len(shapes[name]) != 3 for name in found):
            continue
        inner = [shapes[name][1:] for name in found]
        turn, back = into(inner[0], width), out_of(inner[-1], width)
        if turn is None or back is None or len({shapes[name][0] for name in found}) > 1:
            continue
        size = other(inner[-1], width)
        # GPT-OSS, whose experts alone have biases, has the rows of gate and up in turn.
        halves = (
            (slice(None, None, 2), slice(1, None, 2))
            if named(inside, ("experts.gate_up_proj_bias",))
            else (slice(None, size), slice(size, None))
        )
        cuts = (turn, turn) if len(found) == 3 else (part(turn, halves[0]), part(turn, halves[1]))
        if other(inner[0], width) != size * (1 if len(found) == 3 else 2) or inner[0] != inner[len(found) - 2]:
            continue
        return [
            Mlp(f"{number}.{one}", number, size, Rows(found[0], cuts[0], one),
                Rows(found[-2], cuts[1], one), Rows(found[-1], back, one), norms)
            for one in range(shapes[found[0]][0])
        ]  # fmt: skip
    return []
