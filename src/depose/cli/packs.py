"""The commands of control packs: build, info, check, add, audit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli import cases
from depose.cli.console import Meter, fitted, show
from depose.cli.levels import verbosity
from depose.cli.options import (
    ALLOW_BLIND,
    FAIL_ON,
    FLAVOUR,
    FORMAT,
    JSON,
    KEY,
    PASSPHRASE,
    PUBLIC_KEY,
    bytes_of,
    key_of,
    now,
    say,
)
from depose.cli.steps import advice
from depose.cli.words import put_prose, wrapped
from depose.errors import EvidenceError, UsageError, shell
from depose.statistics.rounding import upwards

if TYPE_CHECKING:
    from depose.case.packs import Pack
    from depose.packs.asked import Gateway, Limits

PACK = click.argument("pack")
BASE_URL = click.option("--base-url", default="", help="Address of a gateway, such as OpenRouter or LiteLLM.")
API_KEY_ENV = click.option("--api-key-env", default="", help="Variable that holds its key.")
PRIVATE = click.option("--allow-private", is_flag=True, help="The address may be of this machine or a private network.")
REQUESTS = click.option("--requests", type=click.IntRange(1), help="Stop before so many requests are passed.")
TOKENS = click.option("--tokens", type=click.IntRange(1), help="Stop before so many tokens are passed.")
MONEY = click.option("--money", type=click.FloatRange(0, min_open=True), help="Stop before so much is spent.")


@click.group()
def pack() -> None:
    """Control packs: one signed file of many controls' answers, for any number of cases.

    A case names one under [protocol]: controls = "pack:NAME", or its file. Its models are then the controls, and its
    prompts and settings those of the case.

    \b
    Example:  depose pack info lab
              depose pack audit lab rc1 --authority "our own models" --reference pack:nurse
                --suspect file=rc1.jsonl,developer=Acme,weight_lineage=SmolLM2-135M,data_lineage=rc1,released=2026-11
    """


@pack.command()
@click.argument("name")
@click.option("--version", default="1", show_default=True, help="Numbers with points between.")
@click.option("--title", default="", help="What it holds, in a line.")
@click.option("--authority", default="", help="On what right its models were asked.")
@click.option("--case", type=click.Path(path_type=Path), help="A case: its controls, as they answered.")
@click.option("--role", "roles", multiple=True, type=click.Choice(["control", "candidate"]), help="Of the case.")
@click.option(
    "--batch", type=click.Path(path_type=Path), help="A batch file: its controls, whose answers lie in files."
)
@click.option("--data", type=click.Path(path_type=Path), help="A folder of the lineage benchmark; needs --source.")
@click.option("--source", default="", help="Which source of answers in it.")
@click.option("--hubs", is_flag=True, help="Of that source, the first-hand models alone.")
@BASE_URL
@API_KEY_ENV
@PRIVATE
@click.option("--model", "models", multiple=True, help="A name at the gateway; may be given many times.")
@click.option("--models", "listed", type=click.Path(path_type=Path), help="A table of them, with lineages and prices.")
@click.option("--probes", multiple=True, help="What a gateway's models are asked, such as open_howto:16.")
@click.option("--prompts", type=click.Path(path_type=Path), help="Or a file of prompts.")
@click.option("--temperature", type=click.FloatRange(0, 2), default=0.7, show_default=True)
@click.option("--max-tokens", type=click.IntRange(1, 32_768), default=200, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where the case that asks a gateway is kept.")
@REQUESTS
@TOKENS
@MONEY
@click.option("--out", type=click.Path(path_type=Path), help="The file; by default NAME-VERSION.pack here.")
@KEY
@PASSPHRASE
@JSON
def build(name: str, key: Path | None, passphrase_env: str, out: Path | None, as_json: bool, **given: Any) -> None:
    """Build and sign the pack NAME from one source of answers.

    A gateway is asked in a case of its own, kept in --folder with its log: a run that stopped goes on. A table of
    models has a column `model`, and others named as the fields of [[models]] (developer, weight_lineage, data_lineage,
    trained_on, source, released) or price_input and price_output. A control whose developer or lineage is not stated
    is never used.

    \b
    Example:  depose pack build acme --case cases/acme --key ~/keys/lab.pem
              depose pack build alpaca --data ../data --source alpaca_eval --authority "published" --key KEY
              depose pack build hub --base-url https://openrouter.ai/api/v1 --api-key-env OPENROUTER_API_KEY
                --models models.csv --probes open_howto:16 --probes open_lists:16 --folder hub --money 5 --key KEY
    """
    from depose.packs import build as building

    if key is None:
        raise UsageError("a pack is signed", hint="make a key: depose keygen FILE; then --key FILE")
    private = key_of(key, passphrase_env)
    label = building.Label(name, given["version"], given["title"], given["authority"])
    done = building.write(_source(given), label, private, out, now())
    lines = [
        f"{done.path}: {done.models} controls, {done.prompts} prompts, {done.answers} answers, {done.size} bytes",
        *(f"left out: {line}" for line in done.left_out),
        f"signed by {done.signer}",
        f"sha256 {done.sha256}",
        advice(f"depose pack info {shell(done.path)}"),
    ]
    show(done if as_json else None, lines)


def _source(given: dict[str, Any]) -> Any:
    """Take the one source that is named."""
    from depose.case.packs import Settings
    from depose.packs import asked
    from depose.packs import build as building

    kinds = [name for name in ("case", "batch", "data", "base_url") if given[name]]
    if len(kinds) != 1:
        raise UsageError("a pack has one source", hint="give one of --case, --batch, --data and --base-url")
    kind = kinds[0]
    if kind == "case":
        return building.from_case(given["case"], given["roles"] or building.CONTROLS)
    if kind == "batch":
        return building.from_batch(given["batch"])
    settings = Settings(temperature=given["temperature"], max_tokens=given["max_tokens"])
    authority = given["authority"]
    if not authority:
        raise UsageError("a pack says on what right its models were asked", hint="--authority TEXT")
    if kind == "data":
        return building.from_benchmark(given["data"], given["source"], settings, authority, hubs=given["hubs"])
    if given["folder"] is None:
        raise UsageError("the case that asks a gateway is kept", hint="--folder DIR")
    head = {"title": given["title"] or "models of a gateway", "authority": authority}
    folder = asked.ask_gateway(
        _models(given), _gateway(given), _protocol(given), head, _limits(given), given["folder"], now, Meter, say
    )
    return building.from_case(folder, ("suspect", "reference", "control"))


def _models(given: dict[str, Any]) -> list[dict[str, str]]:
    from depose.packs.given import table as read_table

    return [*({"model": one} for one in given["models"]), *(read_table(given["listed"]) if given["listed"] else ())]


def _protocol(given: dict[str, Any]) -> dict[str, Any]:
    from depose.packs.given import kept

    said = {"temperature": given["temperature"], "max_tokens": given["max_tokens"]}
    if given["probes"]:
        said["probes"] = list(given["probes"])
    if given["prompts"]:
        said["prompts"] = kept(given["prompts"], "prompts", given["folder"])
    return said


def _gateway(given: dict[str, Any]) -> Gateway:
    from depose.packs.asked import Gateway

    return Gateway(**{name: given[name] for name in ("base_url", "api_key_env", "allow_private")})


def _limits(given: dict[str, Any]) -> Limits:
    from depose.packs.asked import Limits

    return Limits(**{name: given[name] for name in ("requests", "tokens", "money")})


def _read(pack_: str, public_key: Path | None = None) -> tuple[Pack, Path]:
    """Read a pack by its file or its name, and hold its signer against a key where one is given."""
    from depose.case import controls, packs, signatures

    path = Path(pack_)
    if not path.is_file():
        path = controls.find(pack_.removeprefix(controls.PREFIX))
    found = packs.read(path)
    if public_key is not None:
        wanted = signatures.fingerprint(signatures.load_public(bytes_of(public_key), str(public_key)))
        if found.signer != wanted:
            raise EvidenceError(f"{path}: signed by {found.signer}, not by {wanted}", hint="get it from the signer")
    return found, path


@pack.command()
@click.argument("pack", required=False, default="")
@click.option("--case", type=click.Path(path_type=Path), help="Count the lineages that are clean for its pairs.")
@click.option(
    "--prompts", type=click.Path(path_type=Path), help="Write its prompts into this file (JSONL), to ask them."
)
@PUBLIC_KEY
@JSON
def info(pack: str, case: Path | None, prompts: Path | None, public_key: Path | None, as_json: bool) -> None:
    """Say what a PACK holds (a file or a name): signer, dates, languages, lineages; without one, list those here.

    The signature and every digest are checked first. Who holds the key only its owner can say: give --public-key.

    \b
    Example:  depose pack info lab
              depose pack info acme-2.pack --case rc9 --public-key lab.pem.pub
    """
    from depose.case import casefile, controls, packs
    from depose.packs import info as looking

    if not pack:
        found = [(path, packs.read(path).manifest) for path in controls.listed(controls.bundled(), controls.shelf())]
        rows = [[path.stem, len(one.models), one.prompts, one.title, str(path.parent)] for path, one in found]
        show(
            [{"pack": row[0], "folder": row[4], "title": row[3]} for row in rows] if as_json else None,
            fitted(["pack", "controls", "prompts", "title", "folder"], rows),
        )
        return
    read, path = _read(pack, public_key)
    asked, _ = packs.contents(read, str(path))
    if prompts:
        from depose.packs.given import write_prompts

        write_prompts(asked, prompts)
        named = f"{read.manifest.name} {read.manifest.version}"
        show({"prompts": str(prompts)} if as_json else None, [f"{len(asked)} prompts of {named}: {prompts}"])
        return
    told = looking.info(read, path, now(), casefile.read(casefile.folder_of(case)) if case else None)
    show(told if as_json else None, [line for one in looking.lines(told) for line in wrapped(one)])


@pack.command()
@click.argument("file", type=click.Path(path_type=Path))
@PUBLIC_KEY
@JSON
def add(file: Path, public_key: Path | None, as_json: bool) -> None:
    """Put a pack FILE among your own, so that cases find it by its name.

    \b
    Example:  depose pack add acme-2.pack --public-key lab.pem.pub
    """
    from depose.case import controls, packs
    from depose.evidence.log import write_whole

    read, path = _read(str(file), public_key)
    packs.contents(read, str(path))
    goal = controls.shelf() / read.manifest.file
    if goal.exists() and packs.read(goal).sha256 != read.sha256:
        raise UsageError(f"{goal}: another pack has this name and version", hint="build it with another --version")
    goal.parent.mkdir(parents=True, exist_ok=True)
    write_whole(goal, path.read_bytes())
    said = [f"{goal}", f"signed by {read.signer}", f'in a case: controls = "pack:{read.manifest.name}"']
    show({"path": str(goal), "signer": read.signer} if as_json else None, said)


@pack.command()
@PACK
@click.argument("folder", type=click.Path(path_type=Path))
@BASE_URL
@API_KEY_ENV
@PRIVATE
@click.option("--model", "models", multiple=True, help="Code or name of a control; by default the first three.")
@click.option("--prompts", "count", type=click.IntRange(1), default=20, show_default=True, help="How many are asked.")
@REQUESTS
@TOKENS
@MONEY
@PUBLIC_KEY
@JSON
def check(
    pack: str,
    folder: Path,
    models: Sequence[str],
    count: int,
    public_key: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Ask some controls of a PACK again, in a case kept in FOLDER: have they moved?

    A control that has not moved is closer to its own answers of then than to those of any other control. Ends with 1
    where one has moved, or where nothing can be said. Addresses in a pack are never asked: name yours.

    \b
    Example:  depose pack check hub hub-today --base-url https://openrouter.ai/api/v1
                --api-key-env OPENROUTER_API_KEY --model K003 --prompts 30 --money 1
    """
    from depose.packs import asked
    from depose.packs.info import model_of

    read, path = _read(pack, public_key)
    if not given["base_url"]:
        known = sorted({one.base_url for one in read.manifest.models if one.base_url})
        raise UsageError("where to ask?", hint=f"--base-url URL; it was asked at {', '.join(known) or 'no address'}")
    chosen = models or [one.spec.code for one in read.manifest.models[:3]]
    codes = list(dict.fromkeys(model_of(read, one).spec.code for one in chosen))
    done = asked.ask_again(read, path, codes, count, _gateway(given), _limits(given), folder, now, Meter, say)
    rows = [
        [
            one.model,
            one.prompts,
            f"{one.own:z.2f}",
            f"{one.next:z.2f}",
            upwards(one.p),
            one.problem or _said(one.moved),
        ]
        for one in done
    ]
    head = ["control", "prompts", "T with itself", "T with the next", "p", "verdict"]
    show(done if as_json else None, fitted(head, rows))
    if any(one.moved or one.problem for one in done):
        raise SystemExit(1)


def _said(moved: bool) -> str:
    return "MOVED: others are as close" if moved else "still itself"


@pack.command()
@PACK
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--suspect", required=True, help="A file of answers, or KEY=VALUE,... as in [[models]].")
@click.option("--reference", required=True, help="The same, or pack:CODE for a model of the pack.")
@click.option("--title", default="", help="Printed on the first page.")
@click.option("--authority", required=True, help="On what right the models are asked.")
@click.option("--question", "questions", multiple=True, type=click.Choice(["same", "derived", "distilled"]))
@PUBLIC_KEY
@FORMAT
@FLAVOUR
@FAIL_ON
@ALLOW_BLIND
@KEY
@PASSPHRASE
@JSON
@verbosity
@click.pass_context
def audit(
    context: click.Context,
    /,
    pack: str,
    folder: Path,
    suspect: str,
    reference: str,
    title: str,
    authority: str,
    questions: Sequence[str],
    public_key: Path | None,
    **given: Any,
) -> None:
    """Hold one release against a reference, with the controls of a PACK: a whole audit, in a new case FOLDER.

    The case file is written; the same command goes on where it stopped. A file of answers has columns as in depose
    import; the prompts to ask are written by: depose pack info PACK --prompts FILE. Without maker, lineages and date of
    the suspect hardly a finding can speak: a control must share neither, and be of its years.

    \b
    Example:  depose pack audit acme rc9 --authority "our own models" --reference pack:K001
                --suspect file=rc9.csv,developer=Acme,weight_lineage=llama-3,data_lineage=rc9,released=2026-11
                --fail-on distilled:indication
    Asked:    --suspect provider=openai,model=rc9,base_url=https://host/v1,api_key_env=RC_KEY,developer=Acme,...
    """
    from depose.packs.info import undated
    from depose.packs.release import lay_out

    read, path = _read(pack, public_key)
    specs = [one.spec for one in read.manifest.models]
    for line in undated(sum(spec.released in ("", "unknown") for spec in specs), len(specs)):
        put_prose(line)
    head = {"title": title or f"{folder.name} against pack {read.manifest.name}", "authority": authority}
    protocol = {"questions": list(questions)} if questions else {}
    lay_out(read, path, folder, suspect, reference, head, protocol)
    context.invoke(cases.audit, case=folder, tsa="", tsa_root=None, **given)
