"""Patterns in the configuration of an adapter, tried before a loader holds them against the names of a model.

Which parts an adapter changes may be said by regular expressions, and one of forty letters can take longer than anybody
waits. So those that are more than names are first tried on the same names in a child, within its limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.untrusted_files import in_child

FIELDS = ("target_modules", "exclude_modules", "modules_to_save", "layers_pattern", "rank_pattern", "alpha_pattern")
"""Fields whose texts, or keys, a loader compiles."""
_NAME = re.compile(r"[\w.-]*\Z", re.ASCII)


def problem(config: bytes, names: Sequence[str]) -> str:
    """Say why an adapter's patterns cannot be held against the names of a model's parts, or nothing."""
    patterns = [one for one in _patterns(json.loads(config)) if not _NAME.match(one)]
    if not patterns:
        return ""
    try:
        in_child(f"{__name__}:hold", patterns, list(names), answer=int)
    except ValueError as error:
        return f"a pattern of adapter_config.json {str(error).replace('to read', 'to try')}"
    return ""


def _patterns(config: Any) -> Iterator[str]:
    for field in FIELDS if isinstance(config, dict) else ():
        found = config.get(field)
        for one in [found] if isinstance(found, str) else found if isinstance(found, list | dict) else ():
            if isinstance(one, str):
                yield one


def hold(patterns: Sequence[str], names: Sequence[str]) -> int:
    """Hold each pattern against each name, in the ways in which `peft` does; for `problem` alone."""
    forms = ("{}", r"(^|.*\.){}($|\..*)", r"(.*\.)?({})$", r".*\.[^.]*{}\.(\d+)\.")
    made = [re.compile(form.replace("{}", one)) for one in patterns for form in forms]
    return sum(bool(one.match(name)) + bool(one.fullmatch(name)) for one in made for name in names)
