"""Draws the seed of a bundle again: from the token or the beacon's round, and from the seed prompts and controls."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
from msgspec import UnsetType

from depose.case import mixes, registry, representatives
from depose.custody.bundle import FORMAT_1, FORMAT_2, HINT, Read, content
from depose.custody.kinds import LOG
from depose.errors import CaseError, EvidenceError, PluginError
from depose.evidence import timestamp
from depose.evidence.drawn_seed import Draw, drawn_from
from depose.model import ModelSpec, Registration, likeness
from depose.model.file_names import KEY_OF_HALF
from depose.registering import completed


def seed_again(read: Read) -> tuple[list[str], list[str]]:
    """Draw seed, prompts and controls again by the rule; say what a seed does not show, and where it was typed."""
    entries = read.entries
    asked = entries.written.case.protocol
    if isinstance(asked.seed_from, UnsetType):
        if asked.phase == "confirmatory" and likeness(asked) and read.seal.format not in (FORMAT_1, FORMAT_2):
            raise EvidenceError(
                f"{LOG}: a confirmatory protocol whose seed was typed: whoever chose it could see what it draws",
                hint="it must be drawn after registration, from a token or a beacon: docs/seed.md",
            )
        return [], ["that the seed was not picked among many: it was typed into the protocol"] if drawn(read) else []
    if entries.waits_for_seed or not entries.draws:
        raise EvidenceError(f"{LOG}: the protocol draws its seed, and no seed was drawn", hint=HINT)
    missing = [found for draw in entries.draws for found in _again(read, draw)]
    said = entries.draws[0].drawn.seed
    checks = [f"seed {said.seed} drawn again from the {said.by} of {said.at} ({said.source}), with what it draws"]
    return checks, [*dict.fromkeys(missing), *_open(read, entries.draws[0])]


def drawn(read: Read) -> bool:
    """Tell whether the seed draws anything that is asked."""
    return bool(read.entries.written.case.protocol.probes)


def representatives_again(read: Read) -> tuple[list[str], list[str]]:
    """Draw again which control stands for a lineage of several, by the seed; say where the first listed does."""
    frozen = read.entries.registration
    chosen = representatives.choice(
        msgspec.structs.replace(frozen, drawn=representatives.drawn(frozen.case.models, frozen.case.protocol.seed)), ""
    )
    if not chosen.lineages:
        return [], []
    said = f"{len(chosen.lineages)} control lineages of several models"
    if isinstance(frozen.drawn, UnsetType):
        return [], [f"that nobody chose which model stands for {said}: the first that is listed does, as before 0.2.0"]
    if frozen.drawn != representatives.drawn(frozen.case.models, frozen.case.protocol.seed):
        raise EvidenceError(
            f"{LOG}: the representatives of lineages are not those that seed {frozen.case.protocol.seed} draws",
            hint="they were picked, not drawn; or another version drew them: verify with that one",
        )
    return [f"representatives of {said} drawn again by seed {frozen.case.protocol.seed}"], []


def _again(read: Read, draw: Draw) -> list[str]:
    """Check one record of a drawn seed against what draws it; say what a plugin that is not here would show."""
    where, said = f"{LOG}: record {draw.seq}", draw.drawn.seed
    name = f"evidence/seals/{said.of}.tsr"
    stamps = [one for one in read.entries.stamps if one.of == said.of]
    if not stamps or name not in read.bundle.sizes():
        raise EvidenceError(f"{where}: the token of the protocol that draws the seed is not in the bundle", hint=HINT)
    beacon = content(read.bundle, f"evidence/blobs/{draw.drawn.beacon}") if draw.drawn.beacon else b""
    found = drawn_from(draw.source, stamps[0], content(read.bundle, name), beacon)
    if found.seed == said.seed and found != said:
        raise EvidenceError(f"{where}: names another time or source than the {said.by} that drew the seed", hint=HINT)
    if found != said:
        raise EvidenceError(
            f"{where}: seed {said.seed} is not what this {said.by} draws, which is {found.seed}",
            hint="the token was swapped, or the seed typed",
        )
    try:
        prompts = mixes.drawn(draw.drawn.registration.case.protocol, secret_half(read, draw.written))
        whole = completed(draw.written, said.seed, prompts, _registry(read, draw.written))
    except PluginError as error:
        return [f"that prompts and controls of record {draw.seq} are those that the seed draws: {error.message}"]
    except CaseError as error:
        raise EvidenceError(f"{where}: {error.message}", hint=HINT) from error
    for field in ("case", "prompts", "files", "pool", "drawn"):
        if field == "drawn" and isinstance(draw.drawn.registration.drawn, UnsetType):
            continue  # registered before representatives were drawn: `representatives_again` says so
        if getattr(whole, field) != getattr(draw.drawn.registration, field):
            what = {"case": "controls and settings", "pool": "registry", "drawn": "representatives of lineages"}.get(
                field, field
            )
            raise EvidenceError(
                f"{where}: the {what} are not those that the seed draws",
                hint="they were picked, not drawn; or another version drew them: verify with that one",
            )
    return []


def _open(read: Read, draw: Draw) -> list[str]:
    """Say what remains to be asked of somebody else."""
    said = draw.drawn.seed
    if said.by == "beacon":
        return []
    number = timestamp.serial(content(read.bundle, f"evidence/seals/{said.of}.tsr"), "the token")
    return [
        f"that the token which drew the seed is the first over this protocol: {said.source[:80]} can say what it gave "
        f"besides number {number}; a beacon leaves no such choice"
    ]


def secret_half(read: Read, registration: Registration) -> str:
    """Read the secret of a mix, whose digest was registered; nothing where the protocol asks no mix."""
    if not mixes.mixed(registration.case.protocol):
        return ""
    digest = next((fact.value for fact in registration.files if fact.name == KEY_OF_HALF), "")
    try:
        return content(read.bundle, f"evidence/blobs/{digest}").decode("ascii").strip()
    except (KeyError, OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{KEY_OF_HALF}: the secret of the mix is not in the bundle", hint=HINT) from error


def _registry(read: Read, registration: Registration) -> tuple[ModelSpec, ...]:
    name = registration.case.protocol.registry
    if not name:
        return ()
    digest = next((fact.value for fact in registration.files if fact.name == name), "")
    blob = f"evidence/blobs/{digest}"
    if blob not in read.bundle.sizes():
        raise EvidenceError(f"{LOG}: the registry {name!r} is not in the bundle", hint=HINT)
    with tempfile.TemporaryDirectory(prefix="depose-verify-") as folder:
        file = Path(folder) / "registry.toml"
        file.write_bytes(content(read.bundle, blob))
        return registry.read(file).models
