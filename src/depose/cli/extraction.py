"""The commands of extraction in the logs: begin, import, register, scan, lineup, simulate, report, sql."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli.console import show, table
from depose.cli.extraction_lines import lines_of, news
from depose.cli.options import JSON, now, say
from depose.cli.steps import advice
from depose.errors import shell

if TYPE_CHECKING:
    from depose.extraction.findings import ExtractionFindings

CASE = click.argument("case", type=click.Path(path_type=Path))
ENGINES = ("duckdb", "bigquery", "clickhouse", "postgres", "snowflake", "spark", "sqlite")
FORMATS = ("litellm", "langfuse", "otlp", "bedrock", "apim", "vertex", "openai", "openai-compliance", "helicone",
           "generic")  # fmt: skip


@click.group()
def extraction() -> None:
    """Find in the request logs who collected answers systematically, with error rates.

    \b
    Example:  depose extraction begin mycase --title "Own logs" --authority "own service" --hash-key ~/keys/custodian
                --tested 2026-05-01 2026-05-28 --clean 2026-04-01 2026-04-28
              depose extraction import mycase spend.jsonl.gz --format litellm --hash-key ~/keys/custodian
              depose extraction scan mycase
              depose extraction report mycase
    """


@extraction.command()
@CASE
@click.option("--title", required=True, help="What the case is called; names of accounts follow from it and the key.")
@click.option("--authority", required=True, help="On what right the logs are looked at.")
@click.option("--tested", nargs=2, required=True, metavar="FIRST LAST", help="Days in question, YYYY-MM-DD, in UTC.")
@click.option("--clean", nargs=2, metavar="FIRST LAST", help="Earlier days: what stands out there is no campaign.")
@click.option("--release", "releases", multiple=True, metavar="MODEL=DAY", help="A model that came out in these days.")
@click.option("--fewest", type=int, help="Accounts that a stratum needs; else 999, for p-values down to 1/1000.")
@click.option("--accused-alone", is_flag=True, help="The logs hold accused accounts and no others: nothing to test.")
@click.option("--hash-key", required=True, type=click.Path(path_type=Path), help="The custodian's key; made if none.")
@JSON
def begin(
    case: Path,
    title: str,
    authority: str,
    tested: tuple[str, str],
    clean: tuple[str, str] | None,
    releases: Sequence[str],
    fewest: int | None,
    accused_alone: bool,
    hash_key: Path,
    as_json: bool,
) -> None:
    """Write the case file of a new CASE for logs of your own, and a key for the hashes of ids if there is none.

    \b
    Example:  depose extraction begin mycase --title "Own logs" --authority "own service" --hash-key ~/keys/custodian
                --tested 2026-05-01 2026-05-28 --clean 2026-04-01 2026-04-28 --release model-2=2026-05-12
    """
    from depose.extraction import beginning

    said = beginning.Said(title=title, authority=authority, tested=tested, clean=clean or None,
                          releases=tuple(releases), fewest=fewest, accused_alone=accused_alone)  # fmt: skip
    done = beginning.begin(case, said, hash_key)
    key = "made now: keep it, and apart from the case" if done.key_made else "as it was"
    follows = f"depose extraction import {shell(case)} LOGS --format FORMAT --hash-key {shell(hash_key)}"
    show(done if as_json else None, [f"{done.file}: written", f"{done.hash_key}: {key}", advice(follows)])


@extraction.command(name="import")
@CASE
@click.argument("logs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "format_", required=True, type=click.Choice(FORMATS), help="Whose log it is.")
@click.option("--map", "mapping", default="", help="With --format generic: which column is what, in TOML.")
@click.option("--hash-key", default="", help="File of the custodian's key, 32 random bytes; ids are hashed with it.")
@click.option("--keep-text", is_flag=True, help="Keep prompts and answers, for the line-up; else keys of them alone.")
@click.option(
    "--allow-truncated", is_flag=True, help="Take what is whole of a log that breaks off; the loss is stated."
)
@click.option("--allow-nameless", is_flag=True, help="Leave out requests that name nobody; how many is stated.")
@click.option("--production", default="", help="List of digests as sha256sum writes it; another log exits 3.")
@click.option(
    "--public", default="", help="Prompts that are public, one a line, such as benchmarks: they do not count."
)
@click.option("--countries", default="", help="Table of networks and countries, for a log that says addresses alone.")
@JSON
def import_(
    case: Path,
    logs: Sequence[Path],
    format_: str,
    mapping: str,
    hash_key: str,
    keep_text: bool,
    allow_truncated: bool,
    allow_nameless: bool,
    production: str,
    public: str,
    countries: str,
    as_json: bool,
) -> None:
    """Read LOGS into the events of a CASE: ids as keyed hashes, prompts as masked keys, Parquet by day.

    JSON lines, JSON, CSV and Parquet, plain or packed by gzip, zstd or bzip2; of a folder all logs in it. A log that
    was read before is not read again, and a killed import goes on. What is no request, or has no time, is counted; more
    than 1 in 1,000 is refused.

    Networks in common show concert only among accounts whose country is known: a country has its carriers. LiteLLM and
    API Management say addresses and no countries; --countries names a table of networks for them (CSV: network,country
    or start_ip,end_ip,country), as registries and their resellers give it.

    \b
    [columns]                        for --format generic: meaning = "name of the column"
    id = "Request"                   id, ts and account are needed
    ts = "When"
    account = "Customer"
    prompt = "Text"
    [hashed]
    columns = ["Customer"]           hashed by the producer: an e-mail or an address in one exits 6

    \b
    Example:  depose extraction import mycase spend.jsonl.gz --format litellm --hash-key ~/keys/custodian
    """
    from depose.extraction import importing

    manner = importing.Manner(
        format=format_,
        mapping=mapping,
        hash_key=hash_key,
        keep_text=keep_text,
        allow_truncated=allow_truncated,
        allow_nameless=allow_nameless,
        production=production,
        public=public,
        countries=countries,
    )
    done = importing.load(case, logs, manner, say)
    lines = []
    for one in done.sources:
        cut = ", breaks off" if one.truncated else ""
        lines.append(f"{one.name}: {one.rows} requests, {one.duplicates} of them again{cut}")
        lines += [f"  {count} {why}" for why, count in one.losses.items()]
        if one.without:
            lines.append(f"  without {', '.join(one.without)}")
    lines += [f"{done.already} logs were read before"] if done.already else []
    lines += [f"{done.events} events on {done.days} days", advice(f"depose extraction scan {shell(case)}")]
    show(done if as_json else None, lines)


@extraction.command()
@CASE
@JSON
def register(case: Path, as_json: bool) -> None:
    """Freeze what will be looked for: strata, templates, tests, draws, seed, accounts that belong together.

    Stands as record 0 of the log, before the first scan; a scan registers a case that was not.

    \b
    Example:  depose extraction register mycase
    """
    from depose.extraction import conduct

    done = conduct.register(case, now)
    fresh = "registered" if done.fresh else "was registered before"
    show(done if as_json else None, [f"{done.case}: {fresh}, protocol {done.digest}"])


@extraction.command()
@CASE
@click.option("--watch", type=click.Path(path_type=Path), help="Folder of logs: import what is new in it, scan again.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="With --watch: whose logs they are.")
@click.option("--hash-key", default="", help="With --watch: the custodian's key.")
@click.option("--map", "mapping", default="", help="With --watch and --format generic: which column is what.")
@click.option("--allow-nameless", is_flag=True, help="With --watch: leave out requests that name nobody.")
@click.option("--countries", default="", help="With --watch: table of networks and countries.")
@click.option("--every", default=60.0, show_default=True, help="With --watch: seconds between two looks.")
@click.option("--passes", default=0, help="With --watch: looks after which it ends; 0 is never.")
@click.option("--fail-on", type=click.Choice(["indication", "inconclusive"]), multiple=True, help="Exit 4, or 5.")
@JSON
def scan(
    case: Path,
    watch: Path | None,
    format_: str | None,
    hash_key: str,
    mapping: str,
    allow_nameless: bool,
    countries: str,
    every: float,
    passes: int,
    fail_on: Sequence[str],
    as_json: bool,
) -> None:
    """Test the events of a CASE: accounts, pairs, groups, and what else ties a group together.

    The primary test asks whether a set of accounts shares rare templates more closely than random tables with the same
    margins. Accounts of one organisation, and those named as [[benign]], are one; what stood out in the clean period
    already is a standing community. A group is a lead: it shows who collected in concert, not for what.

    \b
    Example:  depose extraction scan mycase --fail-on indication
              depose extraction scan mycase --watch /var/log/gateway --format litellm --hash-key ~/keys/custodian
    """
    from depose.extraction import conduct, watching

    last: Any = None
    if watch is None:
        done = last = conduct.scan_case(case, now, say)
        show(done.findings if as_json else None, [*lines_of(done.findings), *done.files,
                                                  advice(f"depose extraction report {shell(case)}")])  # fmt: skip
    else:
        looks = watching.Folder(watch=watch, format=format_ or "", hash_key=hash_key, mapping=mapping,
                                 allow_nameless=allow_nameless, countries=countries)  # fmt: skip
        number = 0
        while True:
            number += 1
            look = watching.look(case, looks, now, say)
            show(look if as_json else None, news(look))
            last = look.ran
            if passes and number >= passes:
                if look.refused:
                    sys.exit(max(one.exit_code for one in look.refused))
                break
            time.sleep(every)
    if last is not None:
        _leave(last.findings, fail_on)


def _leave(found: ExtractionFindings, fail_on: Sequence[str]) -> None:
    """Exit as --fail-on asks, or return."""
    if "indication" in fail_on and found.opinion.verdict == "indication":
        sys.exit(4)
    if "inconclusive" in fail_on and found.opinion.verdict == "inconclusive":
        sys.exit(5)


@extraction.command()
@CASE
@click.option("--format", "formats", default="pdf,html", show_default=True, help="With commas: html, pdf.")
@click.option("--exposure", default="", help="Findings of a line-up on these deliveries: both ratios as one.")
@JSON
def report(case: Path, formats: str, exposure: str, as_json: bool) -> None:
    """Render what the last scan of a CASE found: a report and a page for compliance, as HTML and PDF.

    \b
    Example:  depose extraction report mycase --format html
    """
    from depose.extraction import reporting

    wanted = tuple(one.strip() for one in formats.split(","))
    if not wanted or not set(wanted) <= {"html", "pdf"}:
        raise click.BadParameter(f"{formats!r}: choose among html, pdf", param_hint="--format")
    files = reporting.write(case, wanted, exposure)
    show({"files": files} if as_json else None, [*files, advice(f"depose seal {shell(case)} --key KEY")])


@extraction.command()
@CASE
@click.option("--out", type=click.Path(path_type=Path), help="Folder; else CASE/out/lineup.")
@click.option("--most", default=5_000, show_default=True, help="Deliveries of a group at most, and of its likes.")
@click.option("--into", type=click.Path(path_type=Path), help="Case of the line-up; its [lineup] gets the accounts.")
@JSON
def lineup(case: Path, out: Path | None, most: int, into: Path | None, as_json: bool) -> None:
    """Write deliveries for the line-up: answers to the accounts of the groups, and to alike accounts of none.

    Needs events that were imported with --keep-text. The list of accounts is sealed into the log first, so that it can
    be shown to have stood before the suspect was asked anything. Beside the deliveries lies lineup.toml: accounts,
    groups, alike accounts, and how they were chosen; --into puts them into [lineup] of a case not yet registered.

    \b
    Example:  depose extraction lineup mycase --into acme
              depose register acme
    """
    from depose.extraction import deliveries

    done = deliveries.write(case, out, most, now, into)
    rows = [[one.group, one.accounts, one.deliveries] for one in done.groups]
    here = f"put into {done.case}" if done.case else f"fields of [lineup] in {done.table}; --into CASE puts them in"
    without = [f"left out: {one.value} {one.name}" for one in done.left_out]
    without += [f"all were asked with {done.settings}: so are fillers to be drawn"] if done.settings else []
    without += (
        ["draw for each kind by itself, from its own state, and put the files of decoys together:"]
        if done.kinds
        else []
    )
    without += [f"  {one.name}: {one.value}" for one in done.kinds]
    show(done if as_json else None, [*table(("group", "accounts", "deliveries"), rows), *without, done.file, here,
                                     f"accounts sealed as record {done.sealed}"])  # fmt: skip


@extraction.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--accounts", default=600, show_default=True, help="Ordinary accounts.")
@click.option("--days", default=28, show_default=True, help="Days tested; as many clean ones stand before.")
@click.option(
    "--look-alikes",
    default="",
    help="With commas: resellers, evaluations, classes, frameworks, benchmarks, launches, topics.",
)
@click.option("--campaign", default=0, show_default=True, help="Accounts of a campaign; 0 is none.")
@click.option("--per-day", default=5.0, show_default=True, help="Requests of each a day.")
@click.option(
    "--templates", default=200, show_default=True, help="Templates of its prompts; 0 is a data set, each once."
)
@click.option("--cover", default=0.8, show_default=True, help="Share of its traffic that is ordinary.")
@click.option("--timing", type=click.Choice(["sync", "jitter", "human"]), default="human", show_default=True)
@click.option("--format", "format_", type=click.Choice(["litellm", "apim"]), default="litellm", show_default=True)
@click.option(
    "--prompts", type=click.Path(path_type=Path), help="Prompts of ordinary accounts: a log or conversations."
)
@click.option("--seed", default=7, show_default=True, help="The same seed, the same log.")
@JSON
def simulate(
    out: Path,
    accounts: int,
    days: int,
    look_alikes: str,
    campaign: int,
    per_day: float,
    templates: int,
    cover: float,
    timing: Any,
    format_: Any,
    prompts: Path | None,
    seed: int,
    as_json: bool,
) -> None:
    """Write a simulated log into OUT, with a campaign if one is asked for, and the truth beside it.

    OUT gets the log as the product writes it, extraction.toml for it, countries.csv for its addresses, a hash key for
    practice, and truth.json.

    \b
    Example:  depose extraction simulate practice --campaign 40
              depose extraction import practice practice/log.jsonl.gz --format litellm \\
                --hash-key practice/custodian.key --countries practice/countries.csv
              depose extraction scan practice
    """
    from depose.extraction import simulate as simulating
    from depose.extraction import worlds

    names = tuple(one.strip() for one in look_alikes.split(",") if one.strip())
    unknown = [one for one in names if one not in worlds.LOOK_ALIKES]
    if unknown:
        raise click.BadParameter(f"{unknown[0]!r}: {', '.join(worlds.LOOK_ALIKES)}", param_hint="--look-alikes")
    planted: Any = None
    if campaign:
        planted = {"accounts": campaign, "per_day": per_day, "templates": templates, "cover": cover, "timing": timing}
    recipe = {"accounts": accounts, "days": days, "clean": days, "look_alikes": names, "campaign": planted}
    done = simulating.write(out, simulating.recipe(recipe), format_, prompts, seed)
    show(done if as_json else None, [f"{done.requests} requests of {done.accounts} accounts, {done.planted} planted",
                                     *done.files, advice(done.next)])  # fmt: skip


@extraction.command()
@CASE
@click.option("--engine", default="duckdb", show_default=True, type=click.Choice(ENGINES), help="Whose SQL.")
@JSON
def sql(case: Path, engine: str, as_json: bool) -> None:
    """Print the queries that make the tables of a CASE: an exhibit that anybody can run, also where the logs are.

    \b
    Example:  depose extraction sql mycase > queries.sql
              depose extraction sql mycase --engine bigquery
    """
    from depose.extraction import conduct, plan, queries

    found = {name: queries.translated(one, engine) for name, one in conduct.sql_of(plan.read(case)).items()}
    if as_json:
        show(found, [])
    else:
        for name, query in found.items():
            click.echo(f"-- {name}\n{query};\n")
