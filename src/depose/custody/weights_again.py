"""Compares the weights of a bundle again where the verifier has them; else the sealed statistics stand alone.

The weights themselves are too large for a bundle, and seldom anybody's to hand on; it has the digest of each file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from depose.errors import EvidenceError, UsageError
from depose.model import Findings, WeightFinding
from depose.weights.compare import Named, compare

DIGITS = 2
"""Of a p-value's logarithm, up to which another machine's rounding may show: a match that two units are equally good
for can fall to the other."""


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
    pair = f"{sealed.suspect} and {sealed.reference}"
    suspect, reference = (_named(code, held[code]) for code in (sealed.suspect, sealed.reference))
    found = compare(suspect, reference)
    for mine, theirs in ((found.suspect_files, sealed.suspect_files), (found.reference_files, sealed.reference_files)):
        differing = sorted(set(mine.items()) ^ set(theirs.items()))
        if differing:
            raise EvidenceError(
                f"weights of {pair}: {differing[0][0]} is not the file that was compared",
                hint="get the files with the digests that findings.json names",
            )
    same = found.reading == sealed.reading and abs(found.log10_p - sealed.log10_p) <= DIGITS
    if not same:
        raise EvidenceError(
            f"weights of {pair}: sealed as {sealed.reading}, log10 p {sealed.log10_p}; "
            f"compared again: {found.reading}, {found.log10_p}",
            hint="the statistics do not follow from these files",
        )


def _named(code: str, path: Path) -> Named:
    """Take a folder whose adapter lies in `adapter/` with it."""
    adapter = path / "adapter"
    return Named(name=code, path=path, adapter=adapter if (adapter / "adapter_config.json").is_file() else None)
