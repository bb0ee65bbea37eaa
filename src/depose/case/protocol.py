"""What is frozen before the first question: the case, the prompts, the files, the software.

Prompts come from probe families, each drawn with its own random stream (the protocol's seed and the
family's name; half of a mix from the secret of the case besides), and from a file of prompts where the case names one.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from msgspec import UNSET, UnsetType

from depose import plugins
from depose.case import calibration, casefile, controls, mixes, representatives
from depose.case.tables import read
from depose.case.untrusted_files import opened
from depose.errors import CaseError
from depose.model import LISTED, Case, Fact, Prompt, Registration
from depose.model.canonical import sha256
from depose.model.file_names import KEY_OF_HALF, named_files

LIBRARIES = ("click", "icu4py", "msgspec", "numpy", "rapidfuzz", "rfc8785", "scipy")


def secret_half(case: Case, folder: Path, *, ahead: bool = False) -> str:
    """Read the secret of a case that asks a mix; nothing for one that asks none.

    With `ahead`, for a look at a case that is not registered yet, zeros stand for a secret that is not made.
    """
    if not mixes.mixed(case.protocol):
        return ""
    if ahead and _unmade(folder):
        return "0" * 2 * mixes.LEAST
    path = casefile.resolve(folder, KEY_OF_HALF, "$.protocol.probes")
    try:
        with opened(path) as file:
            found = file.read(1_000).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise CaseError(
            f"{path}: no secret of ours: not ASCII", hint="restore it; without it the half is lost"
        ) from error
    if len(found) < 2 * mixes.LEAST:
        raise CaseError(f"{path}: no secret of ours: too short", hint="restore it; without it the half is lost")
    return found


def _unmade(folder: Path) -> bool:
    return not (folder / KEY_OF_HALF).exists()


def _listed(path: Path) -> list[Prompt]:
    seen: dict[str, Prompt] = {}
    for row in read(path, answers=False):
        if not row.prompt.strip():
            raise CaseError(f"{path}: row {row.line} has no prompt", hint="every prompt needs its words")
        name = row.id or f"p-{sha256(row.prompt.encode())[:12]}"
        prompt = Prompt(
            id=name, family=row.family or LISTED, cluster=row.cluster or f"{LISTED}/{name}", text=row.prompt
        )
        if seen.setdefault(name, prompt).text != row.prompt:
            raise CaseError(f"{path}: prompt id {name!r} stands for two prompts (row {row.line})", hint="rename one")
    return list(seen.values())


def prompts_of(case: Case, folder: Path, *, ahead: bool = False) -> tuple[Prompt, ...]:
    """Draw and read every prompt of a case, in a fixed order; `ahead` as for `secret_half`.

    Where the seed is yet to be drawn, those listed in a file are all.
    """
    waits = not isinstance(case.protocol.seed_from, UnsetType)
    drawn = [] if waits else mixes.drawn(case.protocol, secret_half(case, folder, ahead=ahead))
    if case.protocol.prompts:
        listed = _listed(casefile.resolve(folder, case.protocol.prompts, "$.protocol.prompts"))
        return together(drawn, listed)
    return together(drawn, ())


def together(drawn: Sequence[Prompt], listed: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Put drawn prompts before listed ones; raise CaseError where two have one id."""
    prompts = (*drawn, *listed)
    ids = [prompt.id for prompt in prompts]
    if len(set(ids)) != len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise CaseError(f"prompt id {twice!r} is used twice", hint="rename it in the file of prompts")
    return prompts


def _software(case: Case) -> tuple[Fact, ...]:
    plain = [
        Fact(name="depose", value=version("depose")),
        Fact(name="python", value=platform.python_version()),
    ]
    plain += [Fact(name=name, value=version(name)) for name in LIBRARIES]
    probes = [plugins.provenance("probes", name) for name, _, _ in mixes.families(case.protocol)]
    detectors = [plugins.provenance("detectors", name) for name in case.protocol.detectors]
    used = sorted({spec.provider for spec in case.models})
    return tuple(plain + probes + detectors + [plugins.provenance("providers", name) for name in used])


def digests(case: Case, folder: Path, *, ahead: bool = False) -> tuple[Fact, ...]:
    """Digest of every file that the case names; `ahead` as for `secret_half`."""
    facts = []
    for name, where in named_files(case).items():
        if ahead and name == KEY_OF_HALF and _unmade(folder):
            continue
        with opened(casefile.resolve(folder, name, where)) as file:
            facts.append(Fact(name=name, value=hashlib.file_digest(file, "sha256").hexdigest()))
    loaded = calibration.load(case.protocol.calibration, folder)
    if loaded is not None:
        facts.append(Fact(name=f"calibration {case.protocol.calibration}", value=loaded.sha256))
        if loaded.performance is not None:
            facts.append(Fact(name=f"error rates {case.protocol.calibration}", value=loaded.performance_sha256))
    return tuple(facts)


def enclosures(case: Case, folder: Path) -> Iterator[Path | bytes]:
    """Yield every file that the case names, its calibration and its error rates: with them a copy needs no more."""
    for file, where in named_files(case).items():
        yield casefile.resolve(folder, file, where)
    name = case.protocol.calibration
    loaded, rates = calibration.load(name, folder), calibration.beside(name, folder) if name else None
    if loaded is not None:
        yield calibration.raw(name, folder)
        if loaded.performance is not None and rates is not None:
            yield rates


def registration(case: Case, folder: Path, *, ahead: bool = False) -> Registration:
    """Freeze a case: everything that decides what will be asked and how it will be judged.

    With `ahead` the case is only looked at: a mix whose secret is not made yet is drawn with one of zeros.
    """
    for name in case.protocol.detectors:
        plugins.load("detectors", name)
    for name in sorted({spec.provider for spec in case.models}):
        plugins.load("providers", name)
    waits = not isinstance(case.protocol.seed_from, UnsetType)
    return Registration(
        case=case,
        prompts=prompts_of(case, folder, ahead=ahead),
        files=digests(case, folder, ahead=ahead),
        software=_software(case),
        pack=controls.pinned(case, folder),
        drawn=UNSET if waits else representatives.drawn(case.models, case.protocol.seed),
    )
