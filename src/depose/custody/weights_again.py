"""Compares the weights of a bundle again where the verifier has them; else the sealed statistics stand alone.

The weights themselves are too large for a bundle, and seldom anybody's to hand on; it has the digest of each file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from depose.errors import EvidenceError, UsageError
from depose.model import Findings, WeightFinding
from depose.weights.compare import Named
from depose.weights.held import examined

DIGITS = 2
"""Of a p-value's logarithm, up to which another machine's rounding may show: a match that two units are equally good
for can fall to the other."""
SHADE = 0.01
"""Of a cosine or a margin, likewise."""
FAINT = 0.1
"""A margin below which a layer is close to no other: which is the closest, and how many units match, is rounding."""
CHANCE = ("closest", "counted", "matched")
"""Fields of a layer that depend on which layer is the closest."""


def weighed_again(
    findings: Findings, held: Mapping[str, Path], progress: Callable[[str], None]
) -> tuple[list[str], list[str]]:
    """Compare weights again by the codes of their models; raise EvidenceError where they say something else."""
    codes = {code for one in findings.weights for code in (one.suspect, one.reference)}
    unknown = sorted(set(held) - codes)
    if unknown:
        raise UsageError(
            f"--weights {unknown[0]}: the bundle compares no weights of it",
            hint=f"it compares those of {', '.join(sorted(codes)) or 'nobody'}",
        )
    checks, missing = [], []
    for one in findings.weights:
        if one.suspect in held and one.reference in held:
            progress(f"weights of {one.suspect} and {one.reference}")
            _compare(one, held)
            checks.append(f"weights of {one.suspect} and {one.reference}: the sealed files, compared again")
        else:
            missing.append(
                f"the comparison of the weights of {one.suspect} and {one.reference}: its statistics and the digests "
                f"of its files are sealed; --weights {one.suspect}=PATH and {one.reference}=PATH compare them again"
            )
    return checks, missing


def _compare(sealed: WeightFinding, held: Mapping[str, Path]) -> None:
    suspect, reference = (_named(code, held[code]) for code in (sealed.suspect, sealed.reference))
    compared_alike(sealed, examined(suspect, reference))


def compared_alike(sealed: WeightFinding, found: WeightFinding) -> None:
    """Raise EvidenceError where a sealed finding says in any field something else than the comparison found."""
    pair = f"{sealed.suspect} and {sealed.reference}"
    for mine, theirs in ((found.suspect_files, sealed.suspect_files), (found.reference_files, sealed.reference_files)):
        differing = sorted(set(mine.items()) ^ set(theirs.items()))
        if differing:
            raise EvidenceError(
                f"weights of {pair}: {differing[0][0]} is not the file that was compared",
                hint="get the files with the digests that findings.json names",
            )
    for one in _differences(sealed, found):
        raise EvidenceError(
            f"weights of {pair}: {one.where} is sealed as {one.sealed!s:.80}; compared again: {one.found!s:.80}",
            hint="the statistics do not follow from these files",
        )


class _Difference(NamedTuple):
    """A field that says something else than follows from the files."""

    where: str
    sealed: Any
    found: Any


def _differences(sealed: WeightFinding, found: WeightFinding) -> Iterator[_Difference]:
    """Yield every field of two findings that differs by more than another machine's rounding."""
    faint = [
        place
        for place, (then, now) in enumerate(zip(sealed.layers, found.layers, strict=False))
        if max(then.margin, now.margin) < FAINT
    ]
    yield from _unlike(msgspec.to_builtins(sealed), msgspec.to_builtins(found), (), faint)


def _unlike(sealed: Any, found: Any, path: tuple[str, ...], faint: Sequence[int]) -> Iterator[_Difference]:
    if isinstance(sealed, dict) and isinstance(found, dict) and sealed.keys() == found.keys():
        for name in sealed:
            yield from _unlike(sealed[name], found[name], (*path, name), faint)
    elif isinstance(sealed, list | tuple) and isinstance(found, list | tuple) and len(sealed) == len(found):
        for place, (then, now) in enumerate(zip(sealed, found, strict=True)):
            yield from _unlike(then, now, (*path, str(place)), faint)
    elif not _alike(sealed, found, path, faint):
        yield _Difference(".".join(path), sealed, found)


def _alike(sealed: Any, found: Any, path: tuple[str, ...], faint: Sequence[int]) -> bool:
    if sealed == found:
        return True
    if path[0] == "layers" and path[-1] in CHANCE and int(path[1]) in faint:
        return True
    if path[0] == "tests" and path[-1] == "n":
        return bool(abs(sealed - found) <= len(faint))
    if path[0] == "support" and _number(sealed) and _number(found):
        sealed, found = float(sealed), float(found)
    if not isinstance(sealed, float) or not isinstance(found, float):
        return False
    return abs(sealed - found) <= (DIGITS if any(name.endswith("log10_p") for name in path) else SHADE)


def _number(text: Any) -> bool:
    try:
        float(text)
    except (TypeError, ValueError):
        return False
    return True


def _named(code: str, path: Path) -> Named:
    """Take a folder whose adapter lies in `adapter/` with it."""
    adapter = path / "adapter"
    return Named(name=code, path=path, adapter=adapter if (adapter / "adapter_config.json").is_file() else None)
