"""Checks what an endpoint is said to have said of itself: the report prints all of it under the model's name.

Of a model behind a network all but two versions follows from the case; of a file or of local weights the names of what
is said are known. Anything else is the signer's own word, put into the mouth of a model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection

from depose.custody.kinds import LOG
from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.keys import origin_of
from depose.endpoints.openai import OPENAI
from depose.endpoints.recorded import READ_WITH
from depose.endpoints.remote import OWN, said
from depose.errors import EvidenceError
from depose.evidence.log import Chained
from depose.evidence.records import Described
from depose.model import Fact, ModelSpec

DIALECTS = {"openai": OPENAI, "anthropic": ANTHROPIC, "google": GOOGLE}
LONGEST = 160
"""Characters of a version, a device, a way of sampling or the origin of a package at most."""
_OF_FILES = frozenset({"file", "file sha256", "model in file", READ_WITH})
_OF_WEIGHTS = frozenset(
    {"package", "licence", "origin", "files", "peft", "chat template", "sampling", "dtype", "device", "threads"}
    | {"torch", "transformers"}
)
_DIGESTED = re.compile(r"(?:weights|file|adapter|sha256) .+", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def odd_description(chained: Chained, one: Described, models: tuple[ModelSpec, ...]) -> EvidenceError | None:
    """Return what is wrong with what an endpoint says of itself, under the protocol in force."""
    spec = next((spec for spec in models if spec.code == one.model), None)
    wrong = "of a model that the case does not have" if spec is None else _wrong(one.facts, spec)
    return (
        EvidenceError(
            f"{LOG}: record {chained.entry.seq}: {one.model[:40]}: an endpoint {wrong}",
            hint="no endpoint of depose says so: the record was made up or changed",
        )
        if wrong
        else None
    )


def _wrong(facts: tuple[Fact, ...], spec: ModelSpec) -> str:
    named = {fact.name: fact.value for fact in facts}
    if dialect := DIALECTS.get(spec.provider):
        wanted = {fact.name: fact.value for fact in said(spec, dialect, origin_of(spec))}
        odd = [name for name, value in wanted.items() if named.get(name) != value]
        odd += [name for name, value in named.items() if name not in wanted and not _short(name, value, OWN)]
    elif spec.provider == "recorded":
        odd = [name for name in named if name not in _OF_FILES]
    elif spec.provider == "transformers":
        odd = [name for name, value in named.items() if not _of_weights(name, value)]
    else:  # no more is known of a plugin
        return ""
    if odd:
        return f"whose {odd[0][:40]!r} is not what the case registers"
    twice = next((name for name, number in Counter(fact.name for fact in facts).items() if number > 1), "")
    return f"whose {twice[:40]!r} is said twice" if twice else ""


def _of_weights(name: str, value: str) -> bool:
    return bool(_DIGEST.match(value)) if _DIGESTED.match(name) else _short(name, value, _OF_WEIGHTS)


def _short(name: str, value: str, names: Collection[str]) -> bool:
    return name in names and len(value) <= LONGEST
