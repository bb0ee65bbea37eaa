"""What the configuration of an adapter may say, looked at before a loader does what it says.

Which parts an adapter changes may be said by regular expressions, and one of forty letters can take longer than anybody
waits: those that are more than names are first tried on the same names in a child, within its limits. Kinds other than
LoRA name further files or code, ranks and copies of layers are made in memory before any tensor is looked at, and a
beginning by the values of the model is worked out for hours, or for as many rounds as it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from depose.case.untrusted_files import in_child

FIELDS = ("target_modules", "exclude_modules", "modules_to_save", "layers_pattern", "rank_pattern", "alpha_pattern")
"""Fields whose texts, or keys, a loader compiles."""
REFUSED = (
    *("layer_replication", "megatron_config", "arrow_config", "adapters"),
    *("use_bdlora", "monteclora_config", "velora_config", "kasa_config", "corda_config", "lora_ga_config"),
)
"""Fields that copy layers, import modules by their names, load further adapters, or make another kind of adapter."""
BEGINNINGS = (True, False, "gaussian", "orthogonal", "eva")
"""How an adapter may begin: what is loaded takes the place of all of it. Others change the model by what they find."""
MOST_NAMES = 1_000
"""Entries of a list at most, where the model has no more parts: a loader compares each with each."""
MOST_TOKENS = 100_000
LARGEST = 4 * 1024**2
"""Bytes of the configuration of an adapter at most; that of a large model with every part named has 200 thousand."""
_NAME = re.compile(r"[\w.-]*\Z", re.ASCII)


def problem(folder: Path, names: Sequence[str]) -> str:
    """Say why the adapter in a folder is not loaded over a model whose parts have these names, or nothing."""
    data = (folder / "adapter_config.json").read_bytes()
    if len(data) > LARGEST:
        return f"adapter_config.json: larger than {LARGEST} bytes"
    said = json.loads(data)
    if not isinstance(said, dict) or said.get("peft_type") != "LORA":
        return "adapter_config.json: only LoRA adapters are loaded; merge another kind into the model first"
    for field in REFUSED:
        if said.get(field):
            return f"adapter_config.json: {field} is not taken up; merge the adapter into the model first"
    begins = said.get("init_lora_weights", True)
    if begins not in BEGINNINGS:
        return f"adapter_config.json: begins by {str(begins)[:40]!r}; merge the adapter into the model first"
    for where, count in _lengths(said):
        if count > (MOST_TOKENS if where == "trainable_token_indices" else max(MOST_NAMES, len(names))):
            return f"adapter_config.json: {where} has {count} entries, and the model {len(names)} parts"
    most = max(_kept_ranks(folder), default=0)
    for rank in _ranks(said):
        if isinstance(rank, bool) or not isinstance(rank, int) or not 0 < rank <= most:
            return f"adapter_config.json: a rank of {str(rank)[:40]}, and its largest matrix has {most}"
    patterns = [one for one in _patterns(said) if not _NAME.match(one)]
    if patterns:
        try:
            in_child(f"{__name__}:hold", patterns, list(names), answer=int)
        except ValueError as error:
            return f"a pattern of adapter_config.json {str(error).replace('to read', 'to try')}"
    return ""


def _kept_ranks(folder: Path) -> Iterator[int]:
    """Yield the rank of each pair of matrices of an adapter."""
    from safetensors import safe_open

    for file in folder.glob("*.safetensors"):
        with safe_open(str(file), framework="np") as tensors:
            for name in tensors.keys():  # noqa: SIM118
                if ".lora_A" in name or ".lora_embedding_A" in name:
                    yield tensors.get_slice(name).get_shape()[0]


def _lengths(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield how many entries each list and table of a configuration has, by the field in which it stands."""
    waiting: list[tuple[str, Any]] = list(config.items())
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, dict | list):
            yield where, len(value)
            waiting += [(where, one) for one in (value.values() if isinstance(value, dict) else value)]


def _ranks(config: Mapping[str, Any]) -> Iterator[Any]:
    yield config.get("r", 8)
    pattern = config.get("rank_pattern")
    yield from pattern.values() if isinstance(pattern, dict) else ()


def _patterns(config: Mapping[str, Any]) -> Iterator[str]:
    for field in FIELDS:
        found = config.get(field)
        for one in [found] if isinstance(found, str) else found if isinstance(found, list | dict) else ():
            if isinstance(one, str):
                yield one


def hold(patterns: Sequence[str], names: Sequence[str]) -> int:
    """Hold each pattern against each name, in the ways in which `peft` does; for `problem` alone."""
    forms = ("{}", r"(^|.*\.){}($|\..*)", r"(.*\.)?({})$", r".*\.[^.]*{}\.(\d+)\.")
    made = [re.compile(form.replace("{}", one)) for one in patterns for form in forms]
    return sum(bool(one.match(name)) + bool(one.fullmatch(name)) for one in made for name in names)
