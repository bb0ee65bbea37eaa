"""TOML to Case, strictly.

Everything that can be known to be wrong before a question is asked is an error here, with the path
inside the file: an unknown key, a wrong type, a missing role, a code used twice, an unknown provider,
probe or detector, a primary detector that is not among the detectors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import UnsetType

from depose import plugins
from depose.case import addresses, controls, mixes, written
from depose.case.near import nearest
from depose.case.untrusted_files import through_link
from depose.case.written import Written
from depose.errors import CaseError, DeposeError, UsageError
from depose.model import Case, ModelSpec, file_names, likeness
from depose.model.canonical import canonical
from depose.model.lineup_plan import ASSUMED, DIAGNOSTICS, PARTS, LineupPlan

NAME = "case.toml"
OF_LOGS = "extraction.toml"
"""Case file of a case of logs."""
LARGEST = written.LARGEST
HINT = "every field, with its values: docs/reference/files/case.md; or begin anew: depose init DIR"

REMOTE = ("openai", "anthropic", "google")
"""Providers that ask over a network."""

OWN = ("model", "messages", "contents", "system", "systemInstruction", "stream", "n", "candidateCount")
"""Fields of a request body that follow from the case and cannot be set in `parameters`."""

REPORTED_ONLY = {
    "identity": "a name is not a lineage",
    "shared_values": "in families left out it is worse than `wording`",
}
"""Detectors that no question can rest on, and why."""


def folder_of(path: Path) -> Path:
    """Return the case folder, given the folder or its case file."""
    if path.is_dir():
        return own_places(path)
    if path.is_file():
        if path.name != NAME:
            raise UsageError(f"{path}: a case file is called {NAME}", hint=f"depose new DIR --from {path}")
        return own_places(path.parent)
    raise UsageError(
        f"{path}: no such case folder",
        hint="look at its name; a new one: depose init DIR, or depose new DIR --from rebadged",
    )


def own_places(folder: Path, more: Sequence[str] = ()) -> Path:
    """Return a folder; raise CaseError where a place in which depose writes, or removes files, there is a link.

    `more` are patterns of such places beside those of a case.
    """
    found = [folder / name for name in file_names.WRITTEN]
    for place in (*found, *(one for name in more for one in folder.glob(name))):
        if place.is_symlink():
            raise CaseError(
                f"{place}: a symbolic link; nothing is written there",
                hint="a case that others made may lead anywhere; copy it: cp -RL, and use the copy",
            )
    return folder


def read(path: Path) -> Case:
    """Read and check a case file, or the `case.toml` of a case folder."""
    return checked(written_in(path), path if path.is_dir() else path.parent)


def written_file(path: Path) -> Path:
    """Return a case file, or that of a case folder."""
    return path / NAME if path.is_dir() else path


def written_in(path: Path) -> Written:
    """Read a case file, or the `case.toml` of a case folder, with its table of models where it names one."""
    file = written_file(path)
    text = written.text_of(file, "a case file names files, it holds none", "make one: depose init DIR")
    return written.taken(text, str(file), file.parent)


def parse(text: str, name: str = NAME, folder: Path | None = None) -> Case:
    """Turn the text of a case file of `folder` into a Case that can be run here; errors carry `name` and the path."""
    return checked(written.taken(text, name), folder)


def checked(found: Written, folder: Path | None = None) -> Case:
    """Turn what a case file says into a Case that can be run here, with the controls of the pack that it names."""
    case = controls.expanded(written.converted(found, Case, HINT), folder, found.text)
    if problem := _problem(case) or _typed_seed(case, found.data):
        raise found.wrong(*problem)
    return case


def decoded(text: str, name: str = NAME) -> Case:
    """Turn the text of a case file into a Case, whether or not this machine has the plugins that it names."""
    return written.converted(written.taken(text, name), Case, HINT)


def _problem(case: Case) -> tuple[str, str] | None:
    """Find the first thing wrong with a well-typed case: (message, hint)."""
    if not case.case.authority.strip():
        return "$.case.authority: blank", "say on what right the models are asked"
    return bad_models(case.models) or _bad_protocol(case) or _bad_lineup(case) or file_names.problem_of_case(case)


def _typed_seed(case: Case, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """Find a seed that is typed where one is to be drawn, or what is missing to draw it."""
    asked = case.protocol
    if isinstance(asked.seed_from, UnsetType):
        lone = "$.protocol.beacon_at: nothing is drawn then", 'it goes with seed_from = "beacon"'
        return None if isinstance(asked.beacon_at, UnsetType) else lone
    typed = ["$.protocol.seed"] if "seed" in data["protocol"] else []
    typed += [f"$.models[{index}].seed" for index, spec in enumerate(case.models) if spec.seed is not None]
    if typed:
        return f"{typed[0]}: typed, and $.protocol.seed_from draws it", "leave it out"
    if (asked.seed_from == "beacon") == isinstance(asked.beacon_at, UnsetType):
        said = "missing" if asked.seed_from == "beacon" else "goes with a beacon, not with the token"
        return f"$.protocol.beacon_at: {said}", 'a moment after the time-stamp: beacon_at = "2027-03-01T12:00Z"'
    if not isinstance(asked.beacon_at, UnsetType) and not is_moment(asked.beacon_at):
        return f"$.protocol.beacon_at: {asked.beacon_at!r} is no moment of the beacon", "it began on 2023-08-24"
    if asked.registry and any(spec.role == "control" for spec in case.models):
        return "$.models: has controls, and the seed draws them from $.protocol.registry", "leave them out"
    return None


def is_moment(text: str) -> bool:
    """Tell whether a text is a moment of the beacon."""
    try:
        return datetime.fromisoformat(text) >= datetime(2023, 8, 24, tzinfo=UTC)
    except ValueError:
        return False


def bad_models(models: tuple[ModelSpec, ...]) -> tuple[str, str] | None:
    """Find the first thing wrong with well-typed models: (message, hint)."""
    providers = plugins.names("providers")
    seen: dict[str, int] = {}
    for index, spec in enumerate(models):
        where = f"$.models[{index}]"
        if spec.code.lower() in seen:
            first = seen[spec.code.lower()]
            return (
                f"{where}.code: {spec.code!r} is already the code of $.models[{first}]",
                "give each model its own code",
            )
        seen[spec.code.lower()] = index
        if spec.provider not in providers:
            return _unknown(f"{where}.provider", "provider", spec.provider, providers)
        if spec.provider == "transformers" and not spec.model:
            return f"{where}.model: missing; which model?", "a folder of weights, or SmolLM2-135M-Instruct"
        problem = _bad_address(spec, where) if spec.provider in REMOTE else None
        if problem:
            return problem
        if spec.provider == "recorded" and (spec.replicates or 1) > 1:
            return f"{where}.replicates: recorded answers cannot be asked for again", "leave it out"
    problem = _bad_claims(models)
    if problem:
        return problem
    for role in ("suspect", "reference"):
        if role not in {spec.role for spec in models}:
            return f"$.models: no model has the role {role!r}", "a case needs a suspect and a reference"
    return None


def _unknown(where: str, what: str, name: str, known: Sequence[str]) -> tuple[str, str]:
    return f"{where}: unknown {what} {name!r}{nearest(name, known)}", f"known: {', '.join(known)}"


def _bad_claims(models: tuple[ModelSpec, ...]) -> tuple[str, str] | None:
    recorded = {spec.code for spec in models if spec.role == "control" and spec.provider == "recorded"}
    for index, spec in enumerate(models):
        where = f"$.models[{index}]"
        if spec.untaught is True:
            return f"{where}.untaught: a claim is no document", 'name the file that says so: untaught = "letter.pdf"'
        if spec.untaught and (not spec.source or spec.trained_on):
            return f"{where}.untaught: needs a source and no trained_on", "say in `source` whose document it is"
        if spec.repeats and (spec.role != "control" or spec.provider == "recorded" or spec.repeats not in recorded):
            return (
                f"{where}.repeats: {spec.repeats!r}: a live control repeats a recorded one",
                f"recorded controls: {', '.join(sorted(recorded)) or 'none'}",
            )
        if spec.within is not None and (not spec.repeats or not spec.within[0] < spec.within[1]):
            return f"{where}.within: needs `repeats`, and the lower end first", "depose lab study prints the range"
    return None


def repeated(case: Case) -> Iterator[tuple[ModelSpec, ModelSpec]]:
    """Pair every live control that repeats a recorded one with it."""
    by_code = {spec.code: spec for spec in case.models}
    for spec in case.models:
        if spec.repeats:
            yield spec, by_code[spec.repeats]


def _bad_address(spec: ModelSpec, where: str) -> tuple[str, str] | None:
    """What can be known to be wrong with how a model is reached, before anything is sent."""
    if not spec.model:
        return f"{where}.model: missing; which model?", "the name that the provider knows it by"
    if spec.api_key_env and spec.api_key_file:
        return f"{where}.api_key_file: there is api_key_env too", "name one place for the key"
    if not spec.base_url and not spec.api_key_env and not spec.api_key_file:
        return f"{where}.api_key_env: missing", "the name of the environment variable that holds the key"
    for name, url in (("base_url", spec.base_url), ("proxy", spec.proxy)):
        problem = _bad_url(url, f"{where}.{name}") if url else None
        if problem:
            return problem
    plain = spec.base_url.startswith("http:")
    if plain and (not spec.allow_private or spec.proxy):
        return (
            f"{where}.base_url: http sends the key and the answers in clear",
            "https; to this machine or its network, and through no proxy, http will do with allow_private = true",
        )
    found = addresses.of_host(urlsplit(spec.base_url).hostname or "") if spec.base_url else "name"
    if not spec.allow_private and found not in ("public", "name"):
        return f"{where}.base_url: a {found} address", "say allow_private = true if that is meant"
    own = next((name for name in spec.parameters if name in OWN), None)
    if own:
        return f"{where}.parameters: {own!r} follows from the case", "leave it out; several answers: samples"
    try:
        canonical(spec.parameters)
    except DeposeError as error:
        return f"{where}.parameters: {error.message}", "plain JSON values"
    return None


def _bad_url(url: str, where: str) -> tuple[str, str] | None:
    """Check the form of an address; one that may hold a credential is not repeated."""
    if "@" in url:
        return f"{where}: holds a name or password", "the key itself must not stand in a case file"
    if "?" in url or "#" in url:
        return f"{where}: goes on after the path", "end it before ? or #"
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not url.isascii() or not url.isprintable() or " " in url:
        return f"{where}: {url!r} is not an address", "https://host/path"
    return None


def _bad_protocol(case: Case) -> tuple[str, str] | None:
    protocol = case.protocol
    detectors = plugins.names("detectors")
    for index, name in enumerate(protocol.detectors):
        if name not in detectors:
            return _unknown(f"$.protocol.detectors[{index}]", "detector", name, detectors)
    for label, listed in (("questions", protocol.questions), ("detectors", protocol.detectors)):
        if len(set(listed)) != len(listed):
            return f"$.protocol.{label}: one of them stands twice", "name each once"
    for question in likeness(protocol):
        primary = getattr(protocol.primary, question)
        if primary not in protocol.detectors:
            return (
                f"$.protocol.primary.{question}: {primary!r} is not in $.protocol.detectors",
                "list it there, or choose another primary detector",
            )
        if primary in REPORTED_ONLY:
            return (
                f"$.protocol.primary.{question}: {primary!r} is reported but decides nothing: {REPORTED_ONLY[primary]}",
                "choose another primary detector",
            )
    if likeness(protocol) and not protocol.probes and not protocol.prompts:
        return (
            "$.protocol: neither probes nor a file of prompts",
            'for answers in files: prompts = "prompts.csv"; for models to ask: probes = ["open_howto:16"]',
        )
    if problem := mixes.problem_of_probes(protocol):
        return problem
    codes = {spec.code for spec in case.models}
    for code in case.prices:
        if code not in codes:
            return f"$.prices.{code}: no model has this code", f"codes: {', '.join(sorted(codes))}"
    for code in case.weights.files if case.weights else ():
        if code not in codes:
            return f"$.weights.files.{code}: no model has this code", f"codes: {', '.join(sorted(codes))}"
    if case.budget.money is not None and not case.prices:
        return "$.budget.money: a limit in money needs [prices]", "add [prices.CODE] input = ... output = ..."
    return None


def _bad_lineup(case: Case) -> tuple[str, str] | None:
    """What can be known to be wrong with a line-up before a bag is built."""
    asked, plan = "exposed" in case.protocol.questions, case.lineup
    if isinstance(plan, UnsetType):
        missing = "$.lineup: missing, and `exposed` is asked", "say which accounts, and how they were chosen: [lineup]"
        return missing if asked else None
    if not asked:
        return "$.lineup: `exposed` is not asked", 'add it: questions = ["exposed"]'
    roles = {spec.code: spec.role for spec in case.models}
    reference = (plan.reference,) if plan.reference else ()
    minus = (plan.minus,) if plan.minus else ()
    for name, codes in (
        ("reference", reference),
        ("minus", minus),
        ("controls", plan.controls),
        ("snapshots", plan.snapshots),
    ):
        for code in codes:
            if code not in roles:
                return f"$.lineup.{name}: no model has the code {code!r}", f"codes: {', '.join(sorted(roles))}"
            if roles[code] == "suspect":
                return f"$.lineup.{name}: {code!r} is a suspect", "a suspect is tested, and nothing is measured by it"
            if roles[code] == "reference" and name == "controls":
                return (
                    f"$.lineup.controls: {code!r} is a reference",
                    "controls are models older than the first delivery",
                )
    for name, given, known in (
        ("weights", plan.weights, PARTS),
        ("attested", plan.attested, ASSUMED),
        ("limits.required", plan.limits.required or (), DIAGNOSTICS),
    ):
        if strange := [one for one in given if one not in known]:
            return f"$.lineup.{name}: no {strange[0]!r} is known", f"there are {', '.join(known)}"
    if plan.weights and plan.statistic not in ("text", "continuation"):
        return f"$.lineup.weights: go with text or continuation, not with {plan.statistic}", "leave them out"
    if plan.weights and not any(plan.weights.values()):
        return "$.lineup.weights: all are zero", "leave them out, or give one of them more than zero"
    if both := set(plan.accounts) & set(plan.matched):
        return f"$.lineup.matched: {min(both)!r} is one of $.lineup.accounts", "an account is in question or it is not"
    if problem := _groups_problem(plan):
        return problem
    if not isinstance(plan.coin, UnsetType) and plan.tier != "randomised":
        return f"$.lineup.coin: goes with randomised answers, not with {plan.tier}", 'tier = "randomised", or no coin'
    if plan.coin_marks is True and isinstance(plan.coin, UnsetType):
        return "$.lineup.coin_marks: goes with a coin, and none is registered", 'coin = "...": depose lineup coin FILE'
    if plan.minus and plan.statistic != "likelihood":
        return f"$.lineup.minus: goes with likelihood, not with {plan.statistic}", "leave it out"
    return None


def _groups_problem(plan: LineupPlan) -> tuple[str, str] | None:
    """Say what is wrong with the registered groups of accounts: every account stands in one of several."""
    if isinstance(plan.groups, UnsetType):
        return None
    if not plan.groups:
        return "$.lineup.groups: names no group", "leave it out, or name two groups or more"
    if len(plan.groups) < 2:
        return f"$.lineup.groups: {min(plan.groups)} is the only group", "leave it out, or name the others"
    homes: dict[str, str] = {}
    for name, codes in plan.groups.items():
        for code in codes:
            where = f"$.lineup.groups.{name}"
            if code not in plan.accounts:
                return f"{where}: {code!r} is none of $.lineup.accounts", "groups are made of the accounts in question"
            if code in homes:
                other = "it twice" if homes[code] == name else f"{homes[code]} too"
                return f"{where}: {code!r} stands in {other}", "an account is in one group, and once"
            homes[code] = name
    if left := [code for code in plan.accounts if code not in homes]:
        return f"$.lineup.groups: {left[0]!r} is in none", "every account in question is in exactly one group"
    return None


def resolve(folder: Path, name: str, where: str, file: str = NAME) -> Path:
    """Find a file that `file` names at `where`: relative names are read from its folder, and no link is followed."""
    path = folder / name
    if through_link(folder, name):
        raise CaseError(
            f"{folder / file}: {where}: {name!r} is a symbolic link, or leads through one",
            hint="copy the file into the folder of the case: what it names is stored",
        )
    if not path.is_file():
        said = "not a file" if path.exists() else f"not there{nearest(name, _beside(folder, path))}"
        raise _placed(folder / file, f"{where}: {name!r} is {said}", f"relative names start at {folder}")
    return path.resolve()


def _beside(folder: Path, path: Path) -> list[str]:
    """Name files where one was looked for, as a case file would."""
    if not path.parent.is_dir():
        return []
    prefix = path.parent.relative_to(folder) if path.is_relative_to(folder) else path.parent
    return [str(prefix / one.name) for one in islice(path.parent.iterdir(), 2_000) if one.is_file()]


def _placed(file: Path, message: str, hint: str) -> CaseError:
    """Make an error with its line, or the row of a table; without them where the file itself cannot be read."""
    try:
        return written_in(file).wrong(message, hint)
    except CaseError:
        return CaseError(f"{file}: {message}", hint=hint)
