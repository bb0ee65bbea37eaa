"""What recorded digests say of two models' weights, before any statistic.

Equal digests of everything that makes a model what it is: one set of files, whatever the answers say. Different ones
exclude that the files are the same. They do not exclude the same weights in another format, order or precision. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.model import Fact, FilesCompared

KINDS = ("weights ", "adapter ")
"""Facts of a local model whose value is the digest of a file of weights begin so (`endpoints/local.py`)."""
SETTINGS = ("adapter_config.json",)
"""Files that say how an adapter is applied: they are compared, and by themselves are no weights."""


def files_compared(suspect: Sequence[Fact], reference: Sequence[Fact]) -> FilesCompared:
    """Compare the digests of weights that were recorded of suspect and reference."""
    mine, theirs = _digests(suspect), _digests(reference)
    if not mine or not theirs:
        return FilesCompared(state="not known")
    shared = tuple(Fact(name=name, value=value) for name, value in sorted(mine.items()) if theirs.get(name) == value)
    one_side = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    if not one_side:
        return FilesCompared(state="equal", shared=shared)
    if sorted(mine.values()) == sorted(theirs.values()):
        return FilesCompared(state="equal", shared=tuple(Fact(name=n, value=v) for n, v in sorted(mine.items())))
    return FilesCompared(
        state="different",
        differing=tuple(Fact(name=name, value=mine.get(name, "none")) for name in one_side),
        shared=shared,
    )


def _digests(facts: Sequence[Fact]) -> dict[str, str]:
    found = {one.name: one.value for one in facts if one.name.startswith(KINDS) and _digest(one.value)}
    settings = {name for name in found if name.endswith(SETTINGS)}
    return found if found.keys() - settings else {}


def _digest(value: str) -> bool:
    return len(value) == 64 and set(value) <= set("0123456789abcdef")
