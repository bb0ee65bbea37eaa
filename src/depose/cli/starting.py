"""The command that begins a case from what somebody holds: init."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from depose.cli.console import columns_of, show
from depose.cli.lines import plain
from depose.cli.options import JSON
from depose.cli.steps import advice
from depose.cli.words import put_prose, wrapped
from depose.errors import DeposeError, UsageError, few

if TYPE_CHECKING:
    from depose.case.drafting import Drafted, Endpoint, Weights
    from depose.case.holdings import Held
    from depose.model import Role

Answer = TypeVar("Answer")
ROLES = ("suspect", "reference", "candidate")
SHOWN = 60


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--answers", multiple=True, type=click.Path(path_type=Path), help="A file or folder of answers. Repeat.")
@click.option(
    "--column", "columns", multiple=True, metavar="MEANING=NAME", help="Where a column of theirs has another name."
)
@click.option("--encoding", default="", help="Of text tables that are not UTF-8, such as cp1252.")
@click.option("--suspect", "suspects", multiple=True, help="Model in the files that is the suspect. Repeat.")
@click.option("--reference", "references", multiple=True, help="Model in the files that is the reference. Repeat.")
@click.option("--candidate", "candidates", multiple=True, help="Model in the files that is a rival teacher. Repeat.")
@click.option("--ask", "asked", multiple=True, metavar="ROLE=MODEL@ADDRESS", help="A model behind an endpoint. Repeat.")
@click.option("--key-env", default="", help="Variable that holds the key of those endpoints.")
@click.option("--weights", "held", multiple=True, metavar="ROLE=DIR", help="A model on this machine. Repeat.")
@click.option(
    "--lineage", type=click.Path(path_type=Path), help="Table: model, developer, base, data_lineage, date, teachers."
)
@click.option(
    "--study",
    type=click.Path(path_type=Path),
    help="calibration.json of depose validate, for the ratios; it is copied.",
)
@click.option("--title", default="", help="Printed on the first page.")
@click.option("--authority", default="", help="On what right the models are asked, or the answers held.")
@click.option("--yes", is_flag=True, help="Ask nothing: take options and guesses.")
@JSON
def init(
    folder: Path,
    answers: Sequence[Path],
    columns: Sequence[str],
    encoding: str,
    suspects: Sequence[str],
    references: Sequence[str],
    candidates: Sequence[str],
    asked: Sequence[str],
    key_env: str,
    held: Sequence[str],
    lineage: Path | None,
    study: Path | None,
    title: str,
    authority: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Begin a case in a new FOLDER from what you hold: files of answers, endpoints, weights.

    Looks through the files for columns, prompts and models, asks which model is which, and writes a short case.toml
    with models.csv, where each model is one row. Nothing is sent, and no file is changed. What depose cannot know,
    such as who made a control, is left blank there; depose check says what is missing.

    \b
    Example:  depose init acme
              depose init acme --answers answers/ --suspect acme-chat --reference gpt-x --lineage lineage.csv --yes
    Logs:     depose new acme --from extraction
    """
    from depose.case import drafting, holdings
    from depose.case.origins import origins

    ask = not yes
    drafting.new(folder)
    known = origins(lineage) if lineage else {}

    def look(where: Sequence[Path]) -> Held:
        found = holdings.look(where, columns_of(columns), encoding)
        _tell(found)
        if where and not found.models:
            raise UsageError(
                f"{where[0]}: no file of answers is understood",
                hint="name their columns: --column prompt=NAME --column text=NAME, as the files have them",
            )
        return found

    if ask and not answers and not asked and not held:
        question = "Files of answers, or a folder of them (empty: none)"
        found = _until(question, lambda given: look(_paths(given)), default="", show_default=False)
    else:
        found = look(answers)
    roles: dict[str, Role] = {}
    for role, names in zip(ROLES, (suspects, references, candidates), strict=True):
        for name in names:
            model = drafting.named(found, name)
            _once(model, role, roles)
            roles[model] = role  # type: ignore[assignment]
    endpoints, weights = [_endpoint(one, key_env) for one in asked], [_weights(one) for one in held]
    if ask:
        _ask_roles(found, roles, endpoints, weights)
        if lineage is None and found.models:
            question = "Table of who made which model (empty: fill models.csv)"
            known = _until(
                question,
                lambda given: origins(Path(given).expanduser()) if given else {},
                default="",
                show_default=False,
            )
        title = title or _answer("Title of the case", default=folder.name)
        authority = authority or _answer("On what right are the models asked, or the answers held")
    order = drafting.Order(
        title=title or folder.name,
        authority=authority or "TO BE FILLED: on what right the models are asked",
        held=found,
        roles=roles,
        endpoints=tuple(endpoints),
        weights=tuple(weights),
        study=study,
    )
    made = drafting.draft(order, known, folder)
    show(made if as_json else None, _next(made, folder, blank=not authority))


def _answer(question: str, **more: Any) -> str:
    """Ask a person; raise UsageError where there is no terminal and nobody answers."""
    try:
        return str(click.prompt(question, **more))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UsageError(
            f"there is no terminal to ask: {question}",
            hint="say it all: --answers DIR --suspect NAME --reference NAME --lineage TABLE --authority TEXT --yes",
        ) from None


def _until(question: str, read: Callable[[str], Answer], **more: Any) -> Answer:
    """Ask a person until the answer can be used: a slip of the hand costs one line, and not what was typed before."""
    while True:
        said = _answer(question, **more)
        try:
            return read(said)
        except DeposeError as error:
            if not sys.stdin.isatty():
                raise
            for line in (f"error: {plain(error.message)}", *([f"  {advice(plain(error.hint))}"] if error.hint else ())):
                put_prose(line)


def _paths(given: str) -> list[Path]:
    try:
        return [Path(one).expanduser() for one in shlex.split(given)]
    except ValueError as error:
        raise UsageError(f"{given!r}: {error}", hint="a name with blanks stands in quotes") from error


def _tell(found: Held) -> None:
    """Say on stderr what was found."""
    lines = [f"found {len(found.models)} models in files, {len(found.prompts)} prompts that most of them answered"]
    lines += [f"  {found.rare} prompts that fewer than half of them answered are left out"] if found.rare else []
    lines += [part for one in found.other[:5] for part in wrapped(f"not answers: {one}", "  ")]
    lines += [f"  and {len(found.other) - 5} more"] if len(found.other) > 5 else []
    for line in lines if found.models or found.other else ():
        click.echo(plain(line), err=True)


def _ask_roles(found: Held, roles: dict[str, Role], endpoints: list[Endpoint], weights: list[Weights]) -> None:
    """Ask which model is the suspect and which the reference, where no option says so."""
    names = [one.name for one in found.models]
    for role in ("suspect", "reference"):
        taken = [*roles.values(), *(one.role for one in endpoints), *(one.role for one in weights)]
        if role in taken:
            continue
        if names and "suspect" not in taken:
            for number, name in enumerate(names[:SHOWN], start=1):
                click.echo(plain(f"{number:4}  {name}"), err=True)
        chosen = _until(
            f"Which is the {role}? A number or name, or MODEL@ADDRESS of an endpoint",
            partial(_chosen, found, role, roles),
        )
        if isinstance(chosen, str):
            roles[chosen] = role
        else:
            endpoints.append(
                msgspec.structs.replace(chosen, api_key_env=_answer("Variable that holds its key", default=""))
            )


def _chosen(found: Held, role: Role, roles: Mapping[str, Role], said: str) -> str | Endpoint:
    """Read which model somebody means: one of the files by number or name, or one behind an address."""
    from depose.case import drafting

    names = [one.name for one in found.models]
    if "@http" in said:
        return _endpoint(f"{role}={said}", "")
    by_number = said.isdigit() and 1 <= int(said) <= len(names) and said not in names
    name = names[int(said) - 1] if by_number else drafting.named(found, said)
    _once(name, role, roles)
    return name


def _once(name: str, role: str, roles: Mapping[str, str]) -> None:
    if roles.get(name, role) != role:
        raise UsageError(f"{name} is the {roles[name]} already", hint=f"name another model as the {role}")


def _endpoint(given: str, key_env: str) -> Endpoint:
    from depose.case.drafting import Endpoint

    role, model, rest = _parted(given, "--ask ROLE=MODEL@ADDRESS")
    if "@" not in model + rest:
        raise UsageError(f"--ask {given}: no address", hint="--ask suspect=acme-chat@https://api.acme.example/v1")
    name, _, address = (model + rest).rpartition("@")
    provider = next((one for one in ("anthropic", "google") if f"api.{one}" in address), "openai")
    return Endpoint(role=role, model=name, base_url=address, provider=provider, api_key_env=key_env)


def _weights(given: str) -> Weights:
    from depose.case.drafting import Weights

    role, folder, rest = _parted(given, "--weights ROLE=DIR")
    return Weights(role=role, folder=str(Path(folder + rest).expanduser().absolute()))


def _parted(given: str, form: str) -> tuple[Any, str, str]:
    role, sign, rest = given.partition("=")
    if role not in (*ROLES, "control") or not sign or not rest:
        raise UsageError(f"{given!r}: not {form}", hint=f"roles: {', '.join((*ROLES, 'control'))}")
    return role, rest, ""


def _next(made: Drafted, folder: Path, *, blank: bool) -> list[str]:
    """Say what was written, what only a person can fill, and what to do next."""
    case = shlex.quote(str(folder))
    lines = wrapped(f"{folder}: {made.models} models, {made.prompts or 'drawn'} prompts: {', '.join(made.files)}")
    for role in ROLES:
        named = [f"{code} {name}" for code, one, name in made.pair if one == role]
        lines += wrapped(f"{role}: {', '.join(named)}") if named else []
    if made.study:
        lines += wrapped(f"study of the ratios: {made.study} (calibration in case.toml says why)")
    if made.private:
        lines += wrapped(f"asked on this machine or its network (allow_private): {', '.join(made.private)}")
    if blank:
        lines.append("to fill in case.toml: authority, on what right the models are asked")
    for what, codes in (
        ("maker and lineage (a control without them is not used)", made.unknown),
        ("date of release", made.undated),
    ):
        if codes:
            lines += wrapped(f"to fill in models.csv: {what}: {few(codes, 6)}")
    if made.to_import:
        parts = [f"depose register {case}"]
        for one in made.to_import:
            told = [f"--column={meaning}={name}" for meaning, name in sorted(one.columns.items())]
            told += [f"--encoding={one.encoding}"] if one.encoding else []
            parts.append(f"depose import {case} {shlex.join(told)} {_in_short([Path(file) for file in one.files])}")
        lines += [advice(f"depose check {case}"), f"then: {' && '.join(parts)}"]
    else:
        lines.append(advice(f"depose check {case}"))
    return lines


def _in_short(files: Sequence[Path]) -> str:
    """Name files as a shell reads them: by a pattern where it stands for just these."""
    folder, suffix = files[0].parent, files[0].suffix
    if len(files) > 3 and sorted(files) == sorted(folder.glob(f"*{suffix}")) and suffix.isascii():
        return f"{shlex.quote(str(folder))}/*{suffix}"
    return shlex.join(map(str, files))
