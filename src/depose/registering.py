"""From a case folder to a frozen protocol: seed and controls by rule, and what could never be answered, beforehand.

Between the case, which is read, and the analysis, whose rules say which controls are clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import UnsetType

from depose.analysis import pool
from depose.analysis.beforehand import warnings
from depose.case import calibration, casefile, casetext, mixes, protocol, registry, representatives
from depose.errors import CaseError, ProtocolChanged, UsageError, shell
from depose.evidence.beacon import NAME as BEACON
from depose.evidence.beacon import round_of
from depose.evidence.drawn_seed import drawn_from
from depose.evidence.ledger import Entries, Reading
from depose.evidence.log import Clock, Log, seals_folder, write_whole
from depose.evidence.records import Drawn
from depose.model import Case, Dossier, Eligible, ModelSpec, Prompt, Registration, SeedDrawn, likeness
from depose.model.canonical import sha256


def frozen_case(case: Case, folder: Path, *, ahead: bool = False) -> Registration:
    """Freeze a case; where it names a registry, its controls must be those that the rule draws from it.

    Where its seed is yet to be drawn, the whole registry is frozen with it, and `completed` adds what the seed draws.
    With `ahead` it is only looked at before it is registered: the secret of a mix need not be made yet.
    Raises CaseError for a confirmatory case whose seed is typed.
    """
    asked = case.protocol
    if not isinstance(asked.seed_from, UnsetType):
        whole = everybody(case, folder)
        if problem := casefile.bad_models(whole.models):
            raise CaseError(f"with the models of {asked.registry}: {problem[0]}", hint=problem[1])
        return msgspec.structs.replace(protocol.registration(whole, folder, ahead=ahead), case=case)
    if asked.phase == "confirmatory" and likeness(asked):
        raise CaseError(
            f"{folder / casefile.NAME}: $.protocol.seed: a confirmatory case draws its seed, and types none",
            hint='seed_from = "token" (or "beacon") under [protocol], and no seed; or phase = "registered"',
        )
    made = protocol.registration(case, folder, ahead=ahead)
    if not asked.registry:
        return made
    found = pool.held(case, _of_registry(case, folder), _digest_of(asked.registry, made))
    return msgspec.structs.replace(made, pool=found)


def everybody(case: Case, folder: Path) -> Case:
    """Add the whole registry to a case whose seed is yet to draw from it: all of its files are frozen."""
    waits = not isinstance(case.protocol.seed_from, UnsetType)
    return msgspec.structs.replace(case, models=(*case.models, *_of_registry(case, folder))) if waits else case


def _of_registry(case: Case, folder: Path) -> tuple[ModelSpec, ...]:
    if not case.protocol.registry:
        return ()
    return registry.read(casefile.resolve(folder, case.protocol.registry, "$.protocol.registry")).models


def completed(written: Registration, seed: int, prompts: Sequence[Prompt], models: Sequence[ModelSpec]) -> Registration:
    """Put a drawn seed into a frozen protocol, with the prompts and the controls that it draws."""
    case, found = pool.completed(written.case, seed, models)
    whole = protocol.together(prompts, written.prompts)
    return msgspec.structs.replace(
        written, case=case, prompts=whole, pool=found, drawn=representatives.drawn(case.models, seed)
    )


def completed_here(written: Registration, seed: int, folder: Path, *, ahead: bool = False) -> Registration:
    """Complete a frozen protocol from its folder; `ahead` as for `frozen_case`."""
    case = written.case
    asked = msgspec.structs.replace(case.protocol, seed=seed)
    prompts = mixes.drawn(asked, protocol.secret_half(case, folder, ahead=ahead))
    return completed(written, seed, prompts, _of_registry(case, folder))


def trial(written: Registration, folder: Path, *, ahead: bool = False) -> Registration:
    """Complete a protocol that waits for its seed with another seed: what is counted of it is what it will come to."""
    waits = not isinstance(written.case.protocol.seed_from, UnsetType)
    return completed_here(written, written.case.protocol.seed, folder, ahead=ahead) if waits else written


def expected(case: Case, folder: Path) -> Case:
    """Add the controls that another seed draws to a case that waits for its own: as many as it will have."""
    waits = not isinstance(case.protocol.seed_from, UnsetType)
    return pool.completed(case, case.protocol.seed, _of_registry(case, folder))[0] if waits else case


def _digest_of(name: str, made: Registration) -> str:
    return next(fact.value for fact in made.files if fact.name == name)


def draw_seed(path: Path, clock: Clock, beacon: bytes = b"") -> SeedDrawn | None:
    """Draw the seed of a protocol that waits for one, from its time-stamp token or the file of a beacon's round.

    Returns what was drawn, now or before; None where the protocol types its seed, or what draws it is not there yet.
    Raises UsageError for a file that nothing is drawn from, EvidenceError where it is of another round.
    """
    folder = casefile.folder_of(path)
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        if beacon and found.written.case.protocol.seed_from != "beacon":
            raise UsageError("--beacon: the protocol draws its seed from no beacon", hint='seed_from = "beacon"')
        if found.draws and not found.waits_for_seed:
            return found.draws[-1].drawn.seed
        source = found.seed_source
        if source is None or not found.waits_for_seed:
            return None
        if found.draws:  # before an amendment: the seed stays
            made, file = found.draws[0].drawn.seed, found.draws[0].drawn.beacon
        elif source.registration.case.protocol.seed_from == "beacon" and not beacon:
            return None
        else:
            stamp = next(one for one in found.stamps if one.of == source.digest)
            token = (seals_folder(folder) / f"{source.digest}.tsr").read_bytes()
            made = drawn_from(source, stamp, token, beacon)
            file = log.store(beacon) if made.by == "beacon" else ""
        whole = completed_here(found.written, made.seed, folder)
        log.append("seed", Drawn(seed=made, beacon=file, registration=whole))
    return made


def seedless(folder: Path, entries: Entries) -> CaseError:
    """Say what a protocol waits for whose seed is not drawn."""
    moment = entries.written.case.protocol.beacon_at
    if isinstance(moment, UnsetType):
        said, how = "the time-stamp token draws its seed", "--tsa URL --tsa-root PEM"
    else:
        said = f"round {round_of(moment)} of {BEACON}, of {moment}, draws its seed, after its time-stamp"
        how = "--beacon FILE"
    return CaseError(f"{folder}: nothing is asked before {said}", hint=f"depose register {shell(folder)} {how}")


def draw_controls(path: Path, *, write: bool) -> tuple[Eligible, ...]:
    """Draw the controls of a case from its registry; `write` puts them into a case file that has none."""
    folder = casefile.folder_of(path)
    case = casefile.read(folder)
    if not case.protocol.registry:
        raise CaseError(f"{folder / casefile.NAME}: $.protocol.registry: missing", hint='registry = "registry.toml"')
    file = casefile.resolve(folder, case.protocol.registry, "$.protocol.registry")
    models = registry.read(file).models
    found = pool.drawn(case, models, sha256(file.read_bytes()))
    if not isinstance(case.protocol.seed_from, UnsetType):
        if write:
            raise CaseError(
                f"{folder / casefile.NAME}: the seed draws the controls", hint=f"depose register {shell(folder)}"
            )
        later = "eligible; of each lineage the seed draws one, after registration"
        return tuple(msgspec.structs.replace(e, drawn=False, reason=later) if e.eligible else e for e in found)
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
    folder = casefile.folder_of(path)
    return tuple(warnings(expected(casefile.read(folder), folder)))


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
