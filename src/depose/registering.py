"""From a case folder to a frozen protocol: controls drawn by rule, and what could never be answered, said beforehand.

Between the case, which is read, and the analysis, whose rules say which controls are clean.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from depose.analysis import pool
from depose.analysis.beforehand import warnings
from depose.case import calibration, casefile, casetext, protocol, registry
from depose.errors import CaseError, ProtocolChanged
from depose.evidence.log import write_whole
from depose.model import Case, Dossier, Eligible, Registration
from depose.model.canonical import sha256


def frozen_case(case: Case, folder: Path, *, ahead: bool = False) -> Registration:
    """Freeze a case; where it names a registry, its controls must be those that the rule draws from it.

    With `ahead` it is only looked at before it is registered: the secret of a mix need not be made yet.
    """
    made = protocol.registration(case, folder, ahead=ahead)
    if not case.protocol.registry:
        return made
    file = casefile.resolve(folder, case.protocol.registry, "$.protocol.registry")
    found = pool.held(case, registry.read(file).models, _digest_of(case.protocol.registry, made))
    return msgspec.structs.replace(made, pool=found)


def _digest_of(name: str, made: Registration) -> str:
    return next(fact.value for fact in made.files if fact.name == name)


def draw_controls(path: Path, *, write: bool) -> tuple[Eligible, ...]:
    """Draw the controls of a case from its registry; `write` puts them into a case file that has none."""
    folder = casefile.folder_of(path)
    case = casefile.read(folder)
    if not case.protocol.registry:
        raise CaseError(f"{folder / casefile.NAME}: $.protocol.registry: missing", hint='registry = "registry.toml"')
    file = casefile.resolve(folder, case.protocol.registry, "$.protocol.registry")
    models = registry.read(file).models
    found = pool.drawn(case, models, sha256(file.read_bytes()))
    if write:
        if any(spec.role == "control" for spec in case.models):
            raise CaseError(f"{folder / casefile.NAME}: has controls", hint="take them out; the rule draws them")
        text = "\n".join(casetext.table("[[models]]", casetext.described(spec)) for spec in pool.chosen(models, found))
        before = (folder / casefile.NAME).read_text("utf-8-sig")
        casefile.parse(f"{before}\n{text}", str(folder / casefile.NAME))
        write_whole(folder / casefile.NAME, f"{before}\n{text}".encode())
    return found


def beforehand(path: Path) -> tuple[str, ...]:
    """Say what of a case could never be answered, whatever its models answer, and what would open it."""
    return tuple(warnings(casefile.read(casefile.folder_of(path))))


def registered_study(dossier: Dossier, loaded: calibration.Loaded | None) -> calibration.Loaded | None:
    """Refuse a calibration, or error rates, other than those registered, as after an update of depose.

    Error rates that were not registered are left out, since nobody could compute the findings again with them.
    """
    if loaded is None:
        return None
    name = dossier.registration.case.protocol.calibration
    registered = {fact.name: fact.value for fact in dossier.registration.files}
    rates = f"error rates {name}"
    found = {f"calibration {name}": loaded.sha256, rates: loaded.performance_sha256}
    for file, digest in found.items():
        if registered.get(file, digest) != digest:
            raise ProtocolChanged(
                f"{file}: its digest differs from the registered one",
                hint="analyze with the version of depose that registered the case, or name the old calibration file",
            )
    return loaded if rates in registered else msgspec.structs.replace(loaded, performance=None, performance_sha256="")
