"""TOML to Case, strictly; and the bundled case files.

Everything that can be known to be wrong before a question is asked is an error here, with the path
inside the file: an unknown key, a wrong type, a missing role, a code used twice, an unknown provider,
probe or detector, a primary detector that is not among the detectors.
"""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib.resources import as_file, files
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import UnsetType

from depose import plugins
from depose.case import addresses, mixes
from depose.case.untrusted_files import opened, read_untrusted, through_link
from depose.errors import CaseError, DeposeError, UsageError
from depose.model import Case, ModelSpec, file_names, likeness
from depose.model.canonical import canonical

NAME = "case.toml"
OF_LOGS = "extraction.toml"
"""Case file of a case of logs."""
LARGEST = 4 * 1024**2
EXPECTED = {
    "code": "not a code: a letter, then up to 31 letters, digits, - or _",
    "api_key_env": "not the name of a variable; the key itself must not stand in a case file",
}
"""What a field wants, where the pattern that it is checked against is hard to read."""

REMOTE = ("openai", "anthropic", "google")
"""Providers that ask over a network."""

OWN = ("model", "messages", "contents", "system", "systemInstruction", "stream", "n", "candidateCount")
"""Fields of a request body that follow from the case and cannot be set in `parameters`."""

REPORTED_ONLY = ("identity",)
"""Detectors that no question can rest on: what a model says that it is, it has learnt from texts about models."""


def folder_of(path: Path) -> Path:
    """Return the case folder, given the folder or its case file."""
    if path.is_dir():
        return path
    if path.is_file():
        if path.name != NAME:
            raise UsageError(f"{path}: a case file is called {NAME}", hint=f"depose new DIR --from {path}")
        return path.parent
    raise UsageError(f"{path}: no such case folder", hint="make one: depose new DIR --from rebadged")


def read(path: Path) -> Case:
    """Read and check a case file, or the `case.toml` of a case folder."""
    file = path / NAME if path.is_dir() else path
    try:
        text = read_untrusted(file, LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{file}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from error
    except OSError as error:
        raise CaseError(f"{file}: {error.strerror or error}", hint="make one: depose new DIR") from error
    except ValueError as error:
        raise CaseError(f"{file}: {error}", hint="a case file names files, it holds none") from error
    return parse(text, str(file))


def parse(text: str, name: str = NAME) -> Case:
    """Turn the text of a case file into a Case that can be run here; errors carry `name` and the path inside."""
    case = decoded(text, name)
    problem = _problem(case)
    if problem:
        raise CaseError(f"{name}: {problem[0]}", hint=problem[1])
    return case


def decoded(text: str, name: str = NAME) -> Case:
    """Turn the text of a case file into a Case, whether or not this machine has the plugins that it names."""
    try:
        return msgspec.convert(tomllib.loads(text), type=Case, strict=True)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{name}: not TOML: {error}", hint="see https://toml.io; strings stand in quotes") from error
    except RecursionError as error:
        raise CaseError(f"{name}: nested too deeply", hint="see: depose new") from error
    except msgspec.ValidationError as error:
        raise CaseError(f"{name}: {said(str(error))}", hint="the case format: depose new --help") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise CaseError(f"{name}: {error}", hint="a shorter number") from error


def said(message: str) -> str:
    """Put the path first: `$.protocol: unknown field 'alhpa'`."""
    text, _, where = message.partition(" - at ")
    path = where.strip("`") or "$"
    if "matching regex" in text:  # the pattern says little, and the value may be a key
        text = EXPECTED.get(path.rpartition(".")[2], text)
    text = re.sub(r"^Object contains unknown field `(.*)`$", r"unknown field '\1'", text)
    text = re.sub(r"^Object missing required field `(.*)`$", r"missing field '\1'", text)
    return f"{path}: {text.replace('`', chr(39))}"


def _problem(case: Case) -> tuple[str, str] | None:
    """Find the first thing wrong with a well-typed case: (message, hint)."""
    if not case.case.authority.strip():
        return "$.case.authority: blank", "say on what right the models are asked"
    return bad_models(case.models) or _bad_protocol(case) or _bad_lineup(case) or file_names.problem_of_case(case)


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
            return f"{where}.provider: unknown provider {spec.provider!r}", f"known: {', '.join(providers)}"
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


def _bad_claims(models: tuple[ModelSpec, ...]) -> tuple[str, str] | None:
    recorded = {spec.code for spec in models if spec.role == "control" and spec.provider == "recorded"}
    for index, spec in enumerate(models):
        where = f"$.models[{index}]"
        if spec.untaught and (not spec.source or spec.trained_on):
            return f"{where}.untaught: needs a source and no trained_on", "name the document that says so in `source`"
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
            "https; http goes to a private address only",
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
            return (
                f"$.protocol.detectors[{index}]: unknown detector {name!r}",
                f"known: {', '.join(detectors)}",
            )
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
                f"$.protocol.primary.{question}: {primary!r} is reported but decides nothing: a name is not a lineage",
                "choose another primary detector",
            )
    if likeness(protocol) and not protocol.probes and not protocol.prompts:
        return "$.protocol: neither probes nor a file of prompts", 'add probes = ["open_howto:16"]'
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
    if both := set(plan.accounts) & set(plan.matched):
        return f"$.lineup.matched: {min(both)!r} is one of $.lineup.accounts", "an account is in question or it is not"
    if plan.minus and plan.statistic != "likelihood":
        return f"$.lineup.minus: goes with likelihood, not with {plan.statistic}", "leave it out"
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
        what = "not a file" if path.exists() else "not there"
        raise CaseError(f"{folder / file}: {where}: {name!r} is {what}", hint=f"relative names start at {folder}")
    return path.resolve()


# --- bundled case files -----------------------------------------------------------------------------


def bundled() -> tuple[tuple[str, str], ...]:
    """Name and title of each bundled case, sorted."""
    cases = []
    for entry in files("depose.casefiles").iterdir():
        file = entry.joinpath(NAME)
        if entry.is_dir() and file.is_file():
            cases.append((entry.name, parse(file.read_text(encoding="utf-8"), entry.name).case.title))
    return tuple(sorted(cases))


def bundled_logs() -> tuple[tuple[str, str], ...]:
    """Name and title of each bundled case of logs, sorted."""
    cases = []
    for entry in files("depose.casefiles").iterdir():
        file = entry.joinpath(OF_LOGS)
        if entry.is_dir() and file.is_file():
            cases.append((entry.name, str(tomllib.loads(file.read_text(encoding="utf-8"))["case"]["title"])))
    return tuple(sorted(cases))


def copy(source: str, folder: Path) -> tuple[Path, ...]:
    """Copy a bundled case (by name), or a case file or folder of one's own, into a new folder.

    A case of logs has another case file (`OF_LOGS`); bundled, it is copied with its events.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not an empty folder", hint="name a new folder")
    known = [name for name, _ in bundled()]
    if source in known:
        with as_file(files("depose.casefiles").joinpath(source)) as origin:
            return _copy_files(origin, folder)
    logs = files("depose.casefiles").joinpath(source)
    if source in [name for name, _ in bundled_logs()]:
        with as_file(logs) as origin:
            return _copied(
                {one.relative_to(origin).as_posix(): one for one in origin.rglob("*") if one.is_file()}, folder
            )
    own = Path(source)
    if own.is_file() or (own / NAME).is_file():
        read(own)
        return _copy_files(own, folder)
    known += [name for name, _ in bundled_logs()]
    raise UsageError(f"no bundled case {source!r}", hint=f"bundled: {', '.join(known)}; or give a case file")


def _files_of(origin: Path) -> dict[str, Path]:
    """What belongs to a case: its file, what that names below its folder, and what stands beside it in a folder."""
    base = origin if origin.is_dir() else origin.parent
    found = {NAME: origin / NAME if origin.is_dir() else origin}
    if origin.is_dir():
        beside = [f for f in base.iterdir() if not f.name.startswith(("_", "."))]
        for file in beside:
            if file.is_symlink():
                raise CaseError(
                    f"{file}: a symbolic link among the files of a case",
                    hint="it may lead to what was never meant to be copied; remove it, or copy what it leads to",
                )
        found |= {f.name: f for f in beside if f.is_file()}
    named = file_names.named_files(read(origin)).items()
    found |= {name: resolve(base, name, where) for name, where in named if name != file_names.KEY_OF_HALF}
    found.pop(file_names.KEY_OF_HALF, None)  # a new case makes a secret of its own
    return found


def _copy_files(origin: Path, folder: Path) -> tuple[Path, ...]:
    return _copied(_files_of(origin), folder)


def _copied(sources: dict[str, Path], folder: Path) -> tuple[Path, ...]:
    """Copy into a temporary folder beside the goal, then rename: there is no half-made case."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow a link that is to be the case
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        work.mkdir()
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}", hint="name a folder that can be made") from error
    try:
        for name, file in sources.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            with opened(file) as given, (work / name).open("xb") as copy_:
                shutil.copyfileobj(given, copy_)
        if folder.is_dir():  # kept, because somebody may stand in it; the case file comes last
            for made in sorted(work.iterdir(), key=lambda one: one.name == NAME):
                made.rename(folder / made.name)
        else:
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tuple(sorted(folder.iterdir()))
