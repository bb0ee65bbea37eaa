"""`controls = "pack:NAME"`, or `"pack:NAME@SHA256"`: the controls of a case from a pack, and where packs lie.

The name, or the name of a file, stands in the case file; the models that it comes to stand in the case as if they had
been listed, so that everything after the case file knows listed models alone. A pack that is named is copied into the
folder `packs` of the case when the protocol is registered: digest and signer are frozen, and it goes into the bundle.
Anybody can call a pack as another is called. So a name that two signers' packs here have is refused at registration,
unless the case names a digest, or the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from depose.case import toml_text
from depose.case.near import nearest
from depose.case.untrusted_files import read_untrusted, through_link
from depose.errors import CaseError
from depose.model import Case, PinnedPack
from depose.model.canonical import sha256
from depose.model.file_names import unfit_for_case

if TYPE_CHECKING:
    from depose.case.packs import Pack, PackManifest

PREFIX = "pack:"
FOLDER = "packs"
"""Where a case keeps the pack that it names."""
WHERE = "$.protocol.controls"


def shelf(environ: Mapping[str, str] = os.environ) -> Path:
    """Choose the user's folder of packs: $DEPOSE_PACKS, $XDG_DATA_HOME/depose/packs, ~/.local/share/depose/packs."""
    if environ.get("DEPOSE_PACKS"):
        return Path(environ["DEPOSE_PACKS"]).expanduser().absolute()
    if environ.get("XDG_DATA_HOME"):
        return Path(environ["XDG_DATA_HOME"]).expanduser().absolute() / "depose" / "packs"
    return Path.home() / ".local" / "share" / "depose" / "packs"


def bundled() -> Path:
    """Folder of the packs that ship with depose."""
    return Path(str(files("depose.case.control_packs")))


def listed(*folders: Path) -> tuple[Path, ...]:
    """List the packs in folders by their names, versions in order."""
    from depose.case.packs import named, version_key

    there = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if named(path.name)]
    return tuple(sorted(there, key=lambda path: _order(named(path.name), version_key)))


def _order(found: tuple[str, str] | None, numbers: Any) -> tuple[str, tuple[int, ...]]:
    name, version = found or ("", "0")
    return name, numbers(version)


def find(wanted: str, folder: Path | None = None, *, where: str = "") -> Path:
    """Find a pack by `NAME` or `NAME-VERSION`: in the case, then among the user's, then among those that ship.

    Of several versions in one place the highest is taken; after `@` stands the SHA-256 of the file, and no other fits.
    Raises CaseError where there is none; `where` says which field of a case names it.
    """
    places = ((folder / FOLDER,) if folder else ()) + (shelf(), bundled())
    said = f"{where}: " if where else ""
    name, at, pin = wanted.partition("@")
    if at and not re.fullmatch(r"[0-9a-f]{64}", pin):
        raise CaseError(f"{said}{pin!r} is no SHA-256", hint="64 hexadecimal digits: depose pack info prints them")
    fits = [path for place in places for path in reversed(listed(place)) if _fits(name, path)]
    for path in fits:
        if not at or _digest(path) == pin:
            return path
    known = sorted({path.stem for path in listed(*places)})
    if fits:
        raise CaseError(
            f"{said}no control pack {name!r} here has the SHA-256 {pin[:16]}...",
            hint=f"{fits[0]} has {_digest(fits[0])[:16]}...; ask whoever named the digest for the file",
        )
    raise CaseError(
        f"{said}no control pack {name!r}{nearest(name, known)}",
        hint=f"packs here: {', '.join(known) or 'none'}; another one comes in by: depose pack add FILE",
    )


def _fits(name: str, path: Path) -> bool:
    from depose.case.packs import named

    return name in (path.stem, (named(path.name) or ("",))[0])


def _digest(path: Path) -> str:
    from depose.case.packs import LARGEST

    return sha256(read_untrusted(path, LARGEST))


def refuse_shadow(case: Case, folder: Path) -> None:
    """Raise CaseError where the name of a pack is that of two signers' packs here, and the case says no more."""
    controls = case.protocol.controls
    if isinstance(controls, UnsetType) or not controls.startswith(PREFIX) or "@" in controls:
        return
    from depose.case import packs

    wanted = controls.removeprefix(PREFIX)
    taken = packs.read(path := find(wanted, folder))
    for other in listed(folder / FOLDER, shelf(), bundled()):
        if other == path or not _fits(wanted, other):
            continue
        hidden = packs.read(other)
        if hidden.signer != taken.signer or (other.name == path.name and hidden.sha256 != taken.sha256):
            raise CaseError(
                f"{WHERE}: {wanted!r} is {path}, signed by {taken.signer[:16]}..., and also {other}, signed by "
                f"{hidden.signer[:16]}...: one passes for the other",
                hint=f'say which: controls = "{PREFIX}{wanted}@{taken.sha256}", or that of the other '
                "(depose pack info), or name the file in the folder of the case",
            )


def pinned(case: Case, folder: Path) -> PinnedPack | UnsetType:
    """Describe the pack that a case names, for record 0."""
    controls = case.protocol.controls
    if isinstance(controls, UnsetType):
        return UNSET
    from depose.case import packs

    return pin_of(packs.read(file_of(controls, folder)[1]))


def pin_of(pack: Pack) -> PinnedPack:
    """Describe a pack."""
    said = pack.manifest
    return PinnedPack(name=said.name, version=said.version, sha256=pack.sha256, signer=pack.signer)


def file_of(controls: str, folder: Path) -> tuple[str, Path]:
    """Return the name under which a case keeps its pack, and where the pack lies now."""
    if controls.startswith(PREFIX):
        path = find(controls.removeprefix(PREFIX), folder, where=WHERE)
        return f"{FOLDER}/{path.name}", path
    said = unfit_for_case(controls)
    if said or through_link(folder, controls):
        raise CaseError(
            f"{WHERE}: {controls!r} {said or 'is a symbolic link, or leads through one'}",
            hint='name a pack as "pack:NAME", or copy the file into the folder of the case',
        )
    return controls, folder / controls


def expanded(case: Case, folder: Path | None, text: str) -> Case:
    """List the controls of the pack that a case of `folder` names; `text` is that of its file.

    A model that the case lists itself under the same code takes the place of the pack's. What the case does not say of
    how it asks follows from the pack; raises CaseError where it says otherwise.
    """
    controls = case.protocol.controls
    if folder is None or isinstance(controls, UnsetType):
        return case
    from depose.case import packs

    name, path = file_of(controls, folder)
    return with_models(case, packs.read(path).manifest, name, toml_text.loads(text)["protocol"])


def with_models(case: Case, manifest: PackManifest, name: str, given: Mapping[str, Any]) -> Case:
    """List the controls of a pack, which the case keeps as the file `name`."""
    _asked_alike(manifest, given)
    settings = manifest.settings
    own = {spec.code.lower() for spec in case.models}
    more = [msgspec.structs.replace(one.spec, file=name) for one in manifest.models if one.spec.code.lower() not in own]
    protocol = {
        "temperature": settings.temperature,
        "max_tokens": settings.max_tokens,
        **({"calibration": settings.calibration} if settings.calibration and "calibration" not in given else {}),
        **({} if given.get("prompts") or given.get("probes") else {"prompts": name}),
    }
    return msgspec.structs.replace(
        case,
        protocol=msgspec.structs.replace(case.protocol, **protocol),
        models=(*case.models, *more),
    )


def _asked_alike(manifest: PackManifest, given: Mapping[str, Any]) -> None:
    """Refuse a case that asks its own models otherwise than the controls were asked."""
    for name in ("temperature", "max_tokens"):
        value = getattr(manifest.settings, name)
        if name in given and given[name] != value:
            raise CaseError(
                f"$.protocol.{name}: {given[name]}, and the controls of pack {manifest.name} were asked with {value}",
                hint="leave it out: it follows from the pack",
            )
    if given.get("samples", 1) > manifest.settings.samples:
        raise CaseError(
            f"$.protocol.samples: {given['samples']}, and pack {manifest.name} holds {manifest.settings.samples}",
            hint="leave it out, or ask for fewer",
        )


def placed(case: Case, folder: Path) -> Case:
    """Copy the pack that a case names into its folder, where it is not there yet; return the case."""
    from depose.case.packs import LARGEST

    controls = case.protocol.controls
    if isinstance(controls, UnsetType):
        return case
    name, path = file_of(controls, folder)
    goal = folder / name
    if path != goal and goal.exists() and _digest(goal) != _digest(path):
        raise CaseError(
            f"{goal}: is another pack than {path}, which the case names",
            hint="remove the one that is not meant, or name the file in the folder of the case",
        )
    if path != goal and not goal.exists():
        goal.parent.mkdir(exist_ok=True)
        work = goal.with_name(f".{goal.name}.{os.getpid()}.tmp")
        try:
            with work.open("wb") as file:
                file.write(read_untrusted(path, LARGEST))
                file.flush()
                os.fsync(file.fileno())
            work.replace(goal)
        finally:
            work.unlink(missing_ok=True)
    return case


def at_home(case: Case, folder: Path, named: Callable[[Case], dict[str, str]]) -> dict[str, str]:
    """List the files of a case that lie in its folder: all that it names, but for a pack that was not placed yet."""
    found = named(case)
    controls = case.protocol.controls
    if isinstance(controls, UnsetType) or not controls.startswith(PREFIX):
        return found
    name, _ = file_of(controls, folder)
    return {one: where for one, where in found.items() if one != name or (folder / one).exists()}


def kept_as(controls: str, registered: Collection[str]) -> str:
    """Tell under which of the registered names a case keeps the pack that it names; nothing for none."""
    from depose.case.packs import named

    if not controls.startswith(PREFIX):
        return controls if controls in registered else ""
    wanted, found = controls.removeprefix(PREFIX).partition("@")[0], {}
    for name in registered:
        folder, _, file = name.rpartition("/")
        fits = named(file) if folder == FOLDER else None
        if fits and wanted in (fits[0], "-".join(fits)):
            found[name] = fits
    return next(iter(found)) if len(found) == 1 else ""
