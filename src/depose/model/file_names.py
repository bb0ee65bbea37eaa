"""Which names of files a case may hold: the one rule, for every way in which a case comes.

A case may come from the other side: in its file, in record 0 or an amendment of a log, in a bundle or a copy, through
a batch. What it names is read, stored among the blobs, and written where the case is asked again. So a name stays
below the folder of the case, means the same file on every system, and is no place of depose's own.
"""

from __future__ import annotations

import re

from depose.model.case import Case, ModelSpec

ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
"""The files of an adapter folder."""
OWN = (
    *("case.toml", "waivers.toml", "checked.toml", "witness.toml", "witness.toml.sig", "witness.toml.pub"),
    *("evidence", "out", "sealed"),
)
"""What depose keeps in the folder of a case, or reads there by itself."""
WRITTEN = (
    *("evidence", "evidence/blobs", "evidence/seals", "evidence/log.jsonl"),
    *("out", "packs", "sealed", "watch", ".lineup"),
)
"""Where depose writes in the folder of a case."""
MIX = "mix:"
"""How a probe of a protocol begins that is a mix of families."""
KEY_OF_HALF = "secret-half.key"
"""The secret of a case that asks a mix; made at registration."""
LONGEST = 240
RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|\Z)|.*[. ]\Z")
"""Names that Windows gives to devices, or cuts."""
_COPY = "copy the file into the folder of the case, and name it from there"


def unfit(name: str) -> str:
    """Say why a name may lead elsewhere, or to another file on another system; nothing for one that may not."""
    parts = name.split("/")
    if not name.isprintable():
        return "holds a NUL, which no file name can" if "\0" in name else "holds a control character"
    if name.startswith(("/", "~")) or re.match(r"[A-Za-z]:", name):
        return "is a name in full, and stands outside the case folder"
    if ".." in parts:
        return "leads out of the case folder"
    if "\\" in name:
        return "holds a backslash, which parts folders elsewhere"
    if len(name.encode()) > LONGEST:
        return f"is longer than {LONGEST} bytes"
    if any(RESERVED.match(part) for part in parts if part != "."):
        return "is a name that Windows gives to a device, or cuts"
    return ""


def unfit_for_case(name: str) -> str:
    """Say why a case may not name a file so, or nothing."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    said = unfit(name)
    if said or not parts:
        return said or "is not a file"
    if any(part.startswith(".") for part in parts):
        return "is hidden"
    if parts[0].casefold() in OWN:
        return f"is among what depose keeps in {parts[0]}"
    return ""


def named_files(case: Case) -> dict[str, str]:
    """List every file that the case names, as written in it, each with the first place that names it."""
    listed = [("$.protocol.prompts", case.protocol.prompts), ("$.protocol.registry", case.protocol.registry)]
    listed += _of_models(case.models)
    listed += [("$.terms.file", case.terms.file)] if case.terms else []
    listed += [("$.protocol.probes", KEY_OF_HALF)] if any(one.startswith(MIX) for one in case.protocol.probes) else []
    return {name: where for where, name in reversed(listed) if name}


def _of_models(models: tuple[ModelSpec, ...]) -> list[tuple[str, str]]:
    listed = [(f"$.models[{index}].file", spec.file) for index, spec in enumerate(models)]
    listed += [
        (f"$.models[{index}].untaught", spec.untaught)
        for index, spec in enumerate(models)
        if isinstance(spec.untaught, str)
    ]
    return listed + [
        (f"$.models[{index}].adapter", f"{spec.adapter.rstrip('/')}/{name}")
        for index, spec in enumerate(models)
        for name in ADAPTER
        if spec.adapter
    ]


def problem_of_case(case: Case) -> tuple[str, str] | None:
    """Find the first name that a case may not hold: (message, hint)."""
    named = {**named_files(case), case.protocol.calibration: "$.protocol.calibration"}
    return _first(named)


def problem_of_models(models: tuple[ModelSpec, ...], prompts: str = "", where: str = "") -> tuple[str, str] | None:
    """Find the first name that models, and a file of prompts named at `where`, may not hold: (message, hint)."""
    return _first({prompts: where, **{name: place for place, name in reversed(_of_models(models))}})


def _first(named: dict[str, str]) -> tuple[str, str] | None:
    for name, where in named.items():
        said = unfit_for_case(name) if name else ""
        if said:
            shown = name if len(name) <= LONGEST else name[:LONGEST] + "..."
            return f"{where}: {shown!r} {said}", _COPY
    return None
