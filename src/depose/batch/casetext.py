"""What a batch writes into the case files of its own cases, and the files that it lays beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
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
from depose.model.file_names import ADAPTER


def described(spec: ModelSpec, folder: Path) -> dict[str, Any]:
    """Describe a model; files start at `folder`, but an adapter, which a case stores, at that of its own case."""
    own = {
        name: str((folder / getattr(spec, name)).resolve())
        for name in ("model", "api_key_file")
        if getattr(spec, name)
        and (name != "model" or spec.provider == "transformers")
        and (folder / getattr(spec, name)).exists()
    }
    if spec.adapter:
        own["adapter"] = _adapter(spec)
    return casetext.described(msgspec.structs.replace(spec, **own))


def _adapter(spec: ModelSpec) -> str:
    return f"adapters/{spec.code}"


def lay_adapters(specs: Iterable[ModelSpec], folder: Path, case: Path) -> None:
    """Copy the adapters of models from the folder of a batch into the folder of a case."""
    for spec in (one for one in specs if one.adapter):
        for name in ADAPTER:
            found = casefile.resolve(folder, f"{spec.adapter.rstrip('/')}/{name}", f"{spec.code}.adapter")
            goal = case / _adapter(spec) / name
            if through_link(case, f"{_adapter(spec)}/{name}"):
                raise CaseError(f"{goal}: leads through a symbolic link; nothing is written there", hint="remove it")
            goal.parent.mkdir(parents=True, exist_ok=True)
            with opened(found) as file:
                write_whole(goal, file.read())


def limits(file: BatchFile, codes: Collection[str]) -> list[str]:
    """Write the tables of the budget and of the prices of these models, as far as there are any."""
    budget = {name: value for name, value in msgspec.to_builtins(file.budget).items() if value is not None}
    prices = {code: price for code, price in msgspec.to_builtins(file.prices).items() if code in codes}
    if not prices:
        budget.pop("money", None)
    return [table(head, values) for head, values in (("[budget]", budget), ("[prices]", prices)) if values]
