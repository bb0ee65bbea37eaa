"""What a batch writes into the case files of its own cases, and the files that it lays beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from depose.batch.plan import BatchFile
from depose.case import casefile, casetext
from depose.case.casetext import table
from depose.case.untrusted_files import opened, through_link
from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.model import ModelSpec
from depose.model.canonical import canonical, sha256
from depose.model.file_names import ADAPTER


def described(spec: ModelSpec, folder: Path, adapter: str = "") -> dict[str, Any]:
    """Describe a model; files start at `folder`, but an adapter, which a case stores, at that of its own case.

    `adapter` is where the case stores it, if not under the code of the model.
    """
    own = {
        name: str((folder / getattr(spec, name)).resolve())
        for name in ("model", "api_key_file")
        if getattr(spec, name)
        and (name != "model" or spec.provider == "transformers")
        and (folder / getattr(spec, name)).exists()
    }
    if spec.adapter:
        own["adapter"] = adapter or adapter_of(spec)
    return casetext.described(msgspec.structs.replace(spec, **own))


def adapter_of(spec: ModelSpec) -> str:
    """Return where a case stores the adapter of a model: its folder, by the code of the model."""
    return f"adapters/{spec.code}"


def pinned_adapter_of(spec: ModelSpec, folder: Path) -> str:
    """Return the same with sixteen digits of what the adapter in `folder` holds, so that the case file says which."""
    return f"{adapter_of(spec)}-{sha256(canonical(_digests(spec, folder)))[:16]}"


def _digests(spec: ModelSpec, folder: Path) -> dict[str, str]:
    found = {}
    for name in ADAPTER:
        with opened(_found(spec, name, folder)) as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _found(spec: ModelSpec, name: str, folder: Path) -> Path:
    return casefile.resolve(folder, f"{spec.adapter.rstrip('/')}/{name}", f"{spec.code}.adapter")


def lay_adapters(
    specs: Iterable[ModelSpec], folder: Path, case: Path, where: Callable[[ModelSpec], str] = adapter_of
) -> None:
    """Copy the adapters of models from the folder of a batch into the folder of a case, to `where` it stores them."""
    for spec in (one for one in specs if one.adapter):
        for name in ADAPTER:
            goal = case / where(spec) / name
            if through_link(case, f"{where(spec)}/{name}"):
                raise CaseError(f"{goal}: leads through a symbolic link; nothing is written there", hint="remove it")
            goal.parent.mkdir(parents=True, exist_ok=True)
            with opened(_found(spec, name, folder)) as file:
                write_whole(goal, file.read())


def limits(file: BatchFile, codes: Collection[str]) -> list[str]:
    """Write the tables of the budget and of the prices of these models, as far as there are any."""
    budget = {name: value for name, value in msgspec.to_builtins(file.budget).items() if value is not None}
    prices = {code: price for code, price in msgspec.to_builtins(file.prices).items() if code in codes}
    if not prices:
        budget.pop("money", None)
    return [table(head, values) for head, values in (("[budget]", budget), ("[prices]", prices)) if values]
