"""Checks what an endpoint is said to have said of itself: the report prints all of it under the model's name.

Of a model behind a network all but two versions follows from the case; of a file or of local weights the names of what
is said are known. Anything else is the signer's own word, put into the mouth of a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from depose.case.tables import Wanted
from depose.custody.kinds import LOG
from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.keys import origin_of
from depose.endpoints.local import SAMPLING
from depose.endpoints.model_folder import READ
from depose.endpoints.openai import OPENAI
from depose.endpoints.recorded import READ_WITH
from depose.endpoints.remote import OWN, said
from depose.endpoints.weights import PACKAGED
from depose.errors import EvidenceError
from depose.evidence.log import Chained
from depose.evidence.records import Described
from depose.features import packaged
from depose.model import Fact, ModelSpec, Registration
from depose.model.base import ready
from depose.model.canonical import canonical

DIALECTS = {"openai": OPENAI, "anthropic": ANTHROPIC, "google": GOOGLE}
_OF_FILES = frozenset({"file", "file sha256", "model in file", READ_WITH})
_VERSION = r"[0-9][\w.+!-]{0,40}"
_OWN = {
    OWN[0]: _VERSION,
    OWN[1]: rf"(?:\w{{0,8}}SSL|AWS-LC)(?: {_VERSION})?(?: \(compatible; [\w. -]{{1,24}}\))?(?: +(?:FIPS|fips))?"
    r"(?: +(?:[0-9]{1,2}|xx) (?:[A-Z][a-z]{2}|XXX) (?:[0-9]{4}|xxxx))?",
}
"""Form of what an endpoint says of the machine that asks: a version, and no sentence."""
_OF_WEIGHTS = {
    "chat template": r"[0-9a-f]{64}|none",
    "sampling": re.escape(SAMPLING),
    "dtype": "float32|bfloat16|float16",
    "device": r"cpu|mps|(?:(?:[A-Z0-9(][\w.()/+-]{0,31}|with(?= Max-Q))(?: (?:/ )?(?=[A-Z0-9(]|with Max-Q)|\Z)){0,9}",
    "threads": r"[0-9]{1,5}",
    "torch": _VERSION,
    "transformers": _VERSION,
}
"""What every local model says; a device by the name that its maker gave it, each word of which begins great."""
_DIGESTED = re.compile(r"(weights|file|adapter) ([^/\n]{1,255})")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def odd_description(chained: Chained, one: Described, registration: Registration | None) -> EvidenceError | None:
    """Return what is wrong with what an endpoint says of itself, under the protocol in force."""
    files = {fact.name: fact.value for fact in registration.files} if registration else {}
    models = registration.case.models if registration else ()
    spec = next((spec for spec in models if spec.code == one.model), None)
    wrong = "of a model that the case does not have" if spec is None else _wrong(one.facts, spec, files)
    return (
        EvidenceError(
            f"{LOG}: record {chained.entry.seq}: {one.model[:40]}: an endpoint {wrong}",
            hint="no endpoint of depose says so: the record was made up or changed",
        )
        if wrong
        else None
    )


def _wrong(facts: tuple[Fact, ...], spec: ModelSpec, files: Mapping[str, str]) -> str:
    named = {fact.name: fact.value for fact in facts}
    if dialect := DIALECTS.get(spec.provider):
        wanted = {fact.name: fact.value for fact in said(spec, dialect, origin_of(spec))}
        odd = [name for name, value in wanted.items() if named.get(name) != value]
        odd += [name for name, value in named.items() if name not in wanted and not _formed(name, value, _OWN)]
    elif spec.provider == "recorded":
        odd = [name for name, value in named.items() if not _of_file(name, value, spec, files)]
    elif spec.provider == "transformers":
        held = _packaged(spec)
        odd = [name for name, value in named.items() if not _of_weights(name, value, spec, held)]
        odd += [name for name in (*_OF_WEIGHTS, *held, *["peft"] * bool(spec.adapter)) if name not in named]
        odd += ["weights"] * (not any(name.startswith("weights ") for name in named))
    else:  # no more is known of a plugin
        return ""
    if odd:
        return f"whose {odd[0][:40]!r} is not what the case registers"
    twice = next((name for name, number in Counter(fact.name for fact in facts).items() if number > 1), "")
    return f"whose {twice[:40]!r} is said twice" if twice else ""


def _of_file(name: str, value: str, spec: ModelSpec, files: Mapping[str, str]) -> bool:
    """Tell whether a file is the registered one; a table that names no model holds the one that was asked for."""
    file = Path(spec.file).name
    if name == "file" and file:
        return value == file
    if name == "file sha256" and file:
        return value == files.get(spec.file, files.get(file))
    if name == "model in file" and spec.model:
        return value in (spec.model, "")
    return _is_read_with(value) if name == READ_WITH else name in _OF_FILES


def _is_read_with(value: str) -> bool:
    """Tell whether this is what a user said of columns, encoding and sheet, and no word more."""
    try:
        return canonical(msgspec.json.decode(value, type=ready(Wanted))) == value.encode()
    except (msgspec.MsgspecError, UnicodeEncodeError):
        return False


def _packaged(spec: ModelSpec) -> dict[str, str]:
    """Return what a packaged model says beside all else, each with its form; nothing for any other."""
    if spec.model not in PACKAGED:
        return {}
    return {
        fact.name: rf"{re.escape(fact.value.split(' ')[0])} (?:{_VERSION}|not installed)"
        if fact.name == "package"
        else re.escape(fact.value)
        for fact in packaged.facts(PACKAGED[spec.model])
    }


def _of_weights(name: str, value: str, spec: ModelSpec, held: Mapping[str, str]) -> bool:
    """Tell whether this is what local weights say: a digest of a file that a loader is shown, or what all of them say.

    No adapter says anything where the case names none, and nothing calls itself packaged that is not.
    """
    if found := _DIGESTED.fullmatch(name):
        sort, file = found.groups()
        fits = bool(spec.adapter) if sort == "adapter" else (sort == "weights") == file.endswith(".safetensors")
        shown = Path(file).suffix in READ and file.isprintable()
        return fits and shown and _DIGEST.fullmatch(value) is not None
    if name == "peft":
        return bool(spec.adapter) and re.fullmatch(_VERSION, value) is not None
    return _formed(name, value, held if name in held else _OF_WEIGHTS)


def _formed(name: str, value: str, forms: Mapping[str, str]) -> bool:
    return name in forms and re.fullmatch(forms[name], value) is not None
