"""Where the models of somebody else's case are asked, and with which keys: its asker says, never the case.

    [models.S1]
    base_url = "https://api.example.com/v1"
    api_key_env = "MY_KEY"

    [models.C3]
    model = "/models/llama-3-8b"      # weights on this machine

    [budget]
    money = 20.0

A variable or a file that a bundle names for a key is never read, its proxy never used, and its word that an address
may be private never taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from depose.case import addresses, casefile, written
from depose.case.casefile import REMOTE
from depose.endpoints.weights import PACKAGED
from depose.errors import CaseError, UsageError
from depose.model import Budget, Case, ModelSpec, Record, Text

HINT = "the fields of endpoints.toml: depose replicate --help"
REACH = ("base_url", "api_key_env", "api_key_file", "proxy", "allow_private")
"""What of a model is its asker's and not the protocol's."""


class Own(Record, frozen=True, kw_only=True):
    """How its asker reaches one model."""

    base_url: str = ""
    """Nothing: the provider's own address."""
    api_key_env: Annotated[str, Meta(pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?\Z")] = ""
    """Name of the variable that holds one's own key."""
    api_key_file: str = ""
    """Or a file that holds it, which nobody else can read."""
    proxy: str = ""
    """The only way a proxy is used."""
    allow_private: bool = False
    """Whether `base_url` may lead to this machine or a private network."""
    model: str = ""
    """A folder of weights on this machine, for a model whose weights the case names."""


class Endpoints(Record, frozen=True, kw_only=True):
    """The whole of endpoints.toml."""

    models: dict[str, Own]
    """One [models.CODE] for each model that is asked."""
    budget: Budget | None = None
    """Instead of that of the case: it is the asker's money."""


class Reached(Record, frozen=True, kw_only=True):
    """One model of a plan: what would be asked, where, and with which key."""

    model: str
    provider: str
    asked_as: str
    address: Text
    key: Text
    questions: int = 0
    tokens: int = 0
    """Upper bound, in and out."""


def read(path: Path) -> Endpoints:
    """Read endpoints.toml strictly."""
    try:
        return written.record_of(written.text_of(path, HINT), str(path), Endpoints, HINT)
    except CaseError as error:  # the file is named on the command line
        raise UsageError(error.message, hint=error.hint) from error


def mapped(case: Case, own: Endpoints | None) -> Case:
    """Return a case whose models are reached as its asker says, and in no other way; raises CaseError or UsageError.

    Without `own`, models are asked at the addresses that the case names, where no key is needed and nothing private.
    """
    if own is not None:
        stranger = next((code for code in own.models if code not in {spec.code for spec in case.models}), "")
        if stranger:
            raise UsageError(f"endpoints.toml: the case has no model {stranger!r}", hint=f"models: {_codes(case)}")
    models = tuple(_one(spec, None if own is None else own.models) for spec in case.models)
    budget = own.budget if own is not None and own.budget is not None else case.budget
    made = msgspec.structs.replace(case, models=models, budget=budget)
    if problem := casefile.bad_models(made.models):
        raise CaseError(f"the case with these endpoints: {problem[0]}", hint=problem[1])
    return made


def _codes(case: Case) -> str:
    return ", ".join(spec.code for spec in case.models)


def _one(spec: ModelSpec, given: Mapping[str, Own] | None) -> ModelSpec:
    bare = msgspec.structs.replace(spec, api_key_env="", api_key_file="", proxy="", allow_private=False)
    weights = spec.provider == "transformers" and spec.model not in PACKAGED
    own = None if given is None else given.get(spec.code)
    if own is None:
        _reachable_as_it_stands(spec, weights=weights, mapped=given is not None)
        return bare if spec.provider in REMOTE else msgspec.structs.replace(bare, base_url="")
    if own.model and not weights:
        raise UsageError(
            f"endpoints.toml: {spec.code}: the protocol says which model is asked", hint="leave out `model`"
        )
    if weights:
        return msgspec.structs.replace(bare, base_url="", model=own.model)
    if spec.base_url and not own.base_url:
        raise UsageError(
            f"endpoints.toml: {spec.code}: no base_url, and the case asks at {spec.base_url}",
            hint="say where it is asked, be it the same",
        )
    return msgspec.structs.replace(bare, **{name: getattr(own, name) for name in REACH})


def _reachable_as_it_stands(spec: ModelSpec, *, weights: bool, mapped: bool) -> None:
    """Refuse a model that can only be asked with what its asker has not given."""
    if weights:
        raise UsageError(
            f"{spec.code}: the bundle names a folder of weights on another machine, {spec.model!r}",
            hint=f'--endpoints FILE with [models.{spec.code}] model = "your folder"',
        )
    if spec.provider not in REMOTE:
        return
    hint = f"--endpoints FILE with [models.{spec.code}] base_url and api_key_env, of your own"
    if mapped:
        raise UsageError(f"endpoints.toml: {spec.code} is missing: every model that is asked is named", hint=hint)
    if spec.api_key_env or spec.api_key_file:
        origin = f"the variable {spec.api_key_env}" if spec.api_key_env else f"the file {spec.api_key_file}"
        raise UsageError(f"{spec.code}: the bundle names {origin} for a key, which is never read", hint=hint)
    if addresses.of_url(spec.base_url) not in ("public", "name"):
        raise UsageError(
            f"{spec.code}: the bundle leads to {spec.base_url}, which is no public address", hint=f"{hint}; {_PRIVATE}"
        )


_PRIVATE = "allow_private = true if it is meant"


def protocol_of(case: Case) -> Case:
    """Return a case without what is its asker's, so that two askers of one protocol compare equal."""
    bare = {"base_url": "", "api_key_env": "", "api_key_file": "", "proxy": "", "allow_private": False}
    models = tuple(
        msgspec.structs.replace(
            spec,
            **bare,
            model="" if spec.provider == "transformers" and spec.model not in PACKAGED else spec.model,
        )
        for spec in case.models
    )
    return msgspec.structs.replace(case, models=models, budget=Budget())


def reached(case: Case) -> tuple[Reached, ...]:
    """Say of every model of a mapped case where it is asked and with which key."""
    return tuple(
        Reached(
            model=spec.code, provider=spec.provider, asked_as=spec.model or "-", address=_address(spec), key=_key(spec)
        )
        for spec in case.models
    )


def _address(spec: ModelSpec) -> str:
    if spec.provider == "recorded":
        return f"a file of the bundle: {spec.file}" if spec.file else "nowhere: its answers are imported"
    if spec.provider == "transformers":
        return "this machine"
    if spec.provider not in REMOTE:
        return "where the plugin leads"
    own = f"{spec.base_url}{' (private)' if spec.allow_private else ''}" if spec.base_url else "the provider's own"
    return f"{own} through {spec.proxy}" if spec.proxy else own


def _key(spec: ModelSpec) -> str:
    if spec.api_key_env:
        return f"yours, from {spec.api_key_env}"
    return f"yours, from {spec.api_key_file}" if spec.api_key_file else "none"
