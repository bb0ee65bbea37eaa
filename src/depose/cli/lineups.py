"""The commands of the line-up: draw, build, seal, score, open, test."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from depose.cli.console import Meter, lineup_lines, listed, show
from depose.cli.options import CASE, JSON, TOKEN, TSA, TSA_ROOT, now, say, source_of
from depose.cli.steps import advice
from depose.errors import UsageError, shell

if TYPE_CHECKING:
    from depose.custody.stamp import Source

DELIVERIES = click.option(
    "--deliveries", required=True, type=click.Path(path_type=Path), help="What was delivered: Parquet or JSONL."
)
KEY_FILE = click.option("--key", required=True, type=click.Path(path_type=Path), help="The key, outside of the case.")
MODEL = click.option(
    "--model", "models", multiple=True, help="Code of a model; may be given several times. Default: all."
)


@click.group()
def lineup() -> None:
    """Was a suspect trained on these very answers? An exact test that needs no control models.

    Each prompt is a line-up: the answer that was delivered stands among others that the reference drew for the same
    prompt and that nobody received. A suspect that never learnt from the deliveries cannot tell them apart. The case
    registers accounts, rule and statistic in [lineup] and asks the question `exposed`.

    \b
    Example, the owner:          depose register CASE
                                 depose lineup draw CASE --deliveries D --out draws --snapshot NAME
                                 depose lineup build CASE --deliveries D --decoys draws/decoys.jsonl --key key.json
                                 depose lineup seal CASE --key key.json --custodian NAME
    Whoever has the suspect:     depose lineup score CASE
                                 depose lineup seal CASE
    Both together:               depose lineup open CASE --key key.json
                                 depose lineup test CASE
    """


class Bags:
    """Progress over bags on stderr: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._start = self._last = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """Show how many bags are done, and how long the others will take."""
        moment = time.monotonic()
        if self._first is None:
            self._first, self._start = done, moment
        terminal = sys.stderr.isatty()
        if moment - self._last < (0.2 if terminal else 10) and done < total:
            return
        self._last = moment
        made = done - self._first
        left = f" {(moment - self._start) / made * (total - done):z.0f} s left" if made else ""
        line = f"{self._what} {done}/{total} [{'#' * (24 * done // max(total, 1)):<24}]{left}"
        click.echo(f"\r{line}" if terminal else f"  {line}", err=True, nl=not terminal or done == total)


@lineup.command()
@CASE
@DELIVERIES
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the draw, outside of the case.")
@click.option("--snapshot", default="", help="Which state of the reference answers, as its owner names it.")
@click.option("--by", "drawn_by", default="", help="Who draws; a neutral third party may.")
@click.option(
    "--tier",
    type=click.Choice(["resampled", "drifted"]),
    default="resampled",
    show_default=True,
    help="drifted: it is not the state that delivered.",
)
@click.option("--model", default="", help="Code of the model that draws; else the reference.")
@click.option("--dry-run", is_flag=True, help="Ask nothing; print counts and upper bounds of tokens and cost.")
@JSON
def draw(
    case: Path,
    deliveries: Path,
    out: Path,
    snapshot: str,
    drawn_by: str,
    tier: Any,
    model: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Let the reference of a registered CASE draw other answers to the delivered contexts, under their settings.

    As many for each context as the case registers fillers, within its budget; --out gets the file decoys.jsonl and a
    log of every request and answer. Safe to stop and to start again: nothing is drawn twice.

    \b
    Example:  depose lineup draw acme --deliveries deliveries.parquet --out draws --snapshot r-2026-03-01 --dry-run
              depose lineup draw acme --deliveries deliveries.parquet --out draws --snapshot r-2026-03-01
    """
    from depose.lineup import draw as drawing

    wish = drawing.Wish(snapshot=snapshot, drawn_by=drawn_by, tier=tier, model=model)
    bound = drawing.estimate(case, deliveries, out, wish)
    without = [f"left out: {one.value} contexts {one.name}" for one in bound.left_out]
    without += [f"note: {one}" for one in bound.notes]
    if dry_run:
        cost = "no price" if bound.cost is None else f"{bound.cost:z.2f}"
        lines = [f"{bound.questions} answers, <= {bound.input_tokens} tokens in and {bound.output_tokens} out, {cost}"]
        show(bound if as_json else None, [*lines, *without])
        return
    meter = Meter(bound.questions)
    done = drawing.draw(case, deliveries, out, wish, now, meter.advance)
    meter.finish()
    lines = [f"{done.drawn} of {done.wanted} decoys for {done.contexts} contexts in {done.decoys}"]
    lines += [f"{done.failed} failed: the same command tries them again"] if done.failed else []
    lines += [f"stopped: {done.stopped}"] if done.stopped else []
    following = advice(
        f"depose lineup build {shell(case)} --deliveries {shell(deliveries)} --decoys {shell(done.decoys)} --key FILE"
    )
    show(done if as_json else None, [*lines, *without, following])


@lineup.command()
@CASE
@DELIVERIES
@click.option("--decoys", required=True, type=click.Path(path_type=Path), help="Undelivered answers: Parquet or JSONL.")
@KEY_FILE
@click.option("--bags", type=click.Path(path_type=Path), help="Write the bags here too, for a laboratory that scores.")
@click.option(
    "--dry-run", is_flag=True, help="Write nothing; print what is taken and left out, and what it could not say."
)
@JSON
def build(
    case: Path, deliveries: Path, decoys: Path, key: Path, bags: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Build the line-ups of a registered CASE, and write their key to a new file outside of it.

    The case gets the bags, in which nothing tells who is who; deliveries, decoys and key stay with their custodian.
    A line-up is built once, so try with --dry-run: it says what these files leave inconclusive whatever is scored. Exit
    1 where more contexts than registered stand in one of the two files alone.

    \b
    Example:  depose lineup build acme --deliveries deliveries.parquet --decoys decoys.jsonl --key key.json --dry-run
              depose lineup build acme --deliveries deliveries.parquet --decoys decoys.jsonl --key custody/key.json
    """
    from depose.lineup import acts

    done = acts.build_bags(case, deliveries, decoys, key, now, bags, dry_run)
    lines = [f"{one.name}: {one.value}" for one in done.tally]
    lines += [f"note: {one}" for one in done.foreseen]
    if dry_run:
        show(done if as_json else None, [*lines, "nothing was written"])
        return
    lines += [
        f"{done.count} bags, sha256 {done.bags}",
        f"key in {done.key}, sha256 {done.commitment}: keep it away from whoever scores",
        advice(f"depose lineup seal {shell(case)} --key {shell(done.key)} --custodian NAME"),
    ]
    show(done if as_json else None, lines)


@lineup.command()
@CASE
@click.option("--key", type=click.Path(path_type=Path), help="Seal the key, whose file stays outside of the case.")
@click.option("--custodian", default="", help="Who keeps the key; printed in the report.")
@TSA
@TOKEN
@TSA_ROOT
@JSON
def seal(
    case: Path, key: Path | None, custodian: str, tsa: str, token: Path | None, tsa_root: Path | None, as_json: bool
) -> None:
    """Seal the key of a CASE with --key, before anything is scored; without it the scores, before the key is opened.

    The seal of the key is a commitment: the log gets its SHA-256, and takes no other key later. After the seal of the
    scores no model is scored any more. With a time-stamp either can be shown to have come first.

    \b
    Example:  depose lineup seal acme --key custody/key.json --custodian "Notary N." --tsa https://freetsa.org/tsr
              depose lineup seal acme
    """
    from depose.lineup import acts

    source = source_of(tsa, token, tsa_root)
    if key is None:
        done = acts.seal_scores(case, now)
        lines = ["scores sealed: no further table is made", f"record sha256 {done.record}"]
        following = advice(f"depose lineup open {shell(case)} --key FILE")
    else:
        done = acts.seal_key(case, key, custodian, now)
        lines = [f"key sealed: sha256 {done.digest}", f"record sha256 {done.record}"]
        following = advice(f"depose lineup score {shell(case)}")
    show(done if as_json else None, [*lines, *_stamped(case, source, done.record), following])


@lineup.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def coin(file: Path, as_json: bool) -> None:
    """Make the key of a coin for randomised delivery in FILE, and print the commitment to publish before it is thrown.

    \b
    Example:  depose lineup coin custody/coin.key
    """
    import secrets

    from depose.lineup import acts
    from depose.lineup.coin import KEY_BYTES, Coin

    key = secrets.token_bytes(KEY_BYTES)
    acts.write_secret(file, key)
    made = {"file": str(file), "commitment": Coin(key).commitment}
    show(made if as_json else None, [f"key in {file}", f"commitment sha256 {made['commitment']}"])


@lineup.command()
@click.argument("log", type=click.Path(path_type=Path))
@click.option("--coin", "coin_key", required=True, type=click.Path(path_type=Path), help="Key of the coin.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="New folder for the two files.")
@click.option(
    "--comparable", multiple=True, help="Code of an account that is not in question; may be given several times."
)
@JSON
def unfold(log: Path, coin_key: Path, out: Path, comparable: Sequence[str], as_json: bool) -> None:
    """Turn the LOG of a randomised delivery into deliveries and decoys, after checking every throw of the coin.

    \b
    Example:  depose lineup unfold thrown.jsonl --coin custody/coin.key --out files
    """
    from depose.lineup import acts, unfolding

    made = unfolding.unfold(acts.read_file(log, "LOG"), str(log), acts.read_file(coin_key, "--coin"), out, comparable)
    chain = "each follows the one before it" if made.chained else "no line carries a mark, so that one may be missing"
    lines = [f"{made.requests} requests, every choice is the coin's, commitment sha256 {made.commitment}", chain]
    lines += made.files
    show(made if as_json else None, lines)


def _stamped(case: Path, source: Source, record: str) -> list[str]:
    """Time-stamp a record where a source is given, and say so."""
    if not source.given:
        return ["no time-stamp: its date rests on this machine's clock"]
    from depose.case.casefile import folder_of
    from depose.custody.stamp import stamp

    made = stamp(folder_of(case), source, now, record)
    return [f"time-stamped {made.time} by {made.authority}"]


@lineup.command()
@CASE
@MODEL
@click.option("--table", "table_file", type=click.Path(path_type=Path), help="A table of scores made elsewhere.")
@JSON
def score(case: Path, models: Sequence[str], table_file: Path | None, as_json: bool) -> None:
    """Score all members of all bags of a CASE: every model that the line-up names, or those of --model.

    Each model is scored once. Safe to stop and to start again. With --table a table is recorded that the owner of the
    weights made (depose lineup table), for one model.

    \b
    Example:  depose lineup score acme
              depose lineup score acme --model S1 --table from-the-owner.json
    """
    from depose.case.casefile import folder_of
    from depose.lineup import acts, scorers

    if table_file is not None:
        if len(models) != 1:
            raise UsageError("--table goes with one --model", hint="depose lineup score CASE --model S1 --table FILE")
        done = [acts.record_table(case, models[0], acts.read_file(table_file, "--table"), str(table_file), now)]
    else:
        folder = folder_of(case)
        done = [
            scorers.score_model(folder, code, now, Bags(code)) for code in scorers.to_score(folder, tuple(models), say)
        ]
    lines = [f"{one.model}: {one.bags} bags, table sha256 {one.table}" for one in done]
    left = acts.unscored(case)
    lines += [f"not scored: {', '.join(left)}"] if left else []
    show(done if as_json else None, [*lines, advice(acts.act_due(case))])


@lineup.command("table")
@click.argument("bags", type=click.Path(path_type=Path))
@click.option("--model", "code", required=True, help="Code that the case gives to this model.")
@click.option("--weights", default="", help="Folder of the weights, or the name of a bundled model.")
@click.option("--adapter", default="", help="Folder of a LoRA adapter.")
@click.option("--corpus", type=click.Path(path_type=Path), help="Instead: what it was trained on, a file or folder.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File of the table.")
@JSON
def table_(bags: Path, code: str, weights: str, adapter: str, corpus: Path | None, out: Path, as_json: bool) -> None:
    """Score a file of BAGS beside weights or a corpus, for an owner who hands out numbers and nothing else.

    The table has one number for each member, the digests of bags and of what was read, of a corpus the numbers of
    documents, and no word of any answer. No case, no key and no network is needed. A run over weights is safe to stop
    and to start again.

    \b
    Example:  depose lineup table bags.jsonl --model S1 --weights /models/acme-chat --out S1.json
              depose lineup table bags.jsonl --model S1 --corpus /data/sft --out S1.json
              and elsewhere: depose lineup score acme --model S1 --table S1.json
    """
    from depose.lineup.elsewhere import make_table

    done = make_table(bags, code, out, Bags(code), weights=weights, adapter=adapter, corpus=corpus)
    lines = [f"{fact.name}: {fact.value}" for fact in done.facts]
    lines += [f"{done.count} bags, sha256 {done.bags}", f"table {done.table}, sha256 {done.sha256}"]
    show(done if as_json else None, [*lines, "hand out the table alone"])


@lineup.command("open")
@CASE
@KEY_FILE
@click.option("--thrown", type=click.Path(path_type=Path), help="The log of a randomised delivery, whole.")
@click.option("--coin", "coin_key", type=click.Path(path_type=Path), help="Key of the coin that the case registers.")
@TSA
@TOKEN
@TSA_ROOT
@JSON
def open_(
    case: Path,
    key: Path,
    thrown: Path | None,
    coin_key: Path | None,
    tsa: str,
    token: Path | None,
    tsa_root: Path | None,
    as_json: bool,
) -> None:
    """Open the key of a CASE whose scores are sealed: from here on its log holds who is who.

    Exit 1 where the file is not the one that was committed to. A case that registers a coin is opened with the key of
    the coin and the log of all its throws, from which the very bags must follow; they go into the bundle, and `verify`
    checks them again. Without them the fillers count as `kept`.

    \b
    Example:  depose lineup open acme --key custody/key.json
              depose lineup open acme --key custody/key.json --thrown thrown.jsonl --coin custody/coin.key
    """
    from depose.lineup import acts

    source = source_of(tsa, token, tsa_root)
    done = acts.open_key(case, key, now, thrown, coin_key)
    lines = [f"opened: the key is the one that was committed to, sha256 {done.digest}"]
    if coin_key is not None:
        lines.append("the coin is the one that was registered, and the bags follow from its throws")
    if source.given:
        lines += _stamped(case, source, done.record)
    show(done if as_json else None, [*lines, advice(f"depose lineup test {shell(case)}")])


@lineup.command()
@CASE
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication", "inconclusive"]),
    help="Exit 4 at an indication, 5 where an opinion is inconclusive. May be given twice.",
)
@JSON
def test(case: Path, fail_on: Sequence[str], as_json: bool) -> None:
    """Test an opened line-up: the exact p of each suspect, its ratio, bounds, diagnostics and opinion.

    Analyzes the whole CASE, since its findings are one file, and records their digest. Makes nothing new: whoever has
    the log computes the same (depose verify).

    \b
    Example:  depose lineup test acme
              depose report acme
    """
    from depose import pipeline
    from depose.lineup import acts

    acts.need_open(case)
    findings, written = pipeline.analyze_case(case, say, now)
    acts.record_test(case, written[0].sha256, now)
    found = acts.line_up_of(findings)
    show(
        found if as_json else None, [*lineup_lines(findings), *listed(written), advice(f"depose report {shell(case)}")]
    )
    verdicts = {one.opinion.verdict for one in found.findings}
    if "indication" in fail_on and "indication" in verdicts:
        sys.exit(4)
    if "inconclusive" in fail_on and "inconclusive" in verdicts:
        sys.exit(5)
