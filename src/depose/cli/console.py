"""What a person sees of a command: tables, summaries, progress, exit codes that they asked for.

Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import UnsetType

from depose.cli.levels import level
from depose.cli.lines import Line, plain, put
from depose.cli.steps import advice
from depose.cli.words import ended, put_prose
from depose.errors import few
from depose.model.natural_order import natural
from depose.statistics.rounding import at_least

if TYPE_CHECKING:
    from depose.asking.collect import Collected
    from depose.asking.imports import Imported
    from depose.case.budget import Estimate
    from depose.custody.replicate import Plan, Replication
    from depose.custody.seal import Sealed
    from depose.extraction.sealing import Sealed as ExtractionSealed
    from depose.model import Ending, Findings
    from depose.model.lineup import DiagnosticResult
    from depose.model.lineup_findings import LineupFinding, LineupOpinion
    from depose.pipeline import Written
    from depose.report.gate import Gated


def show(result: object, lines: Iterable[str | Line]) -> None:
    """Print the result as JSON, or the lines if there is none."""
    if result is None:
        for line in lines:
            put(line)
    else:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(result, enc_hook=str), indent=2))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Line up cells under their heads."""
    cells = [list(head), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def fitted(head: Sequence[str], rows: Sequence[Sequence[object]], room: int = 80) -> list[str]:
    """Line up cells, and shorten those of the widest column where a row would not fit."""
    cells = [[str(cell) for cell in row] for row in rows]
    while cells and max(map(len, table(head, cells))) > room:
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        widest = widths.index(max(widths))
        if widths[widest] <= 8:
            break
        most = max(8, widths[widest] - (max(map(len, table(head, cells))) - room))
        cells = [
            [
                cell[: most - 1] + "\N{HORIZONTAL ELLIPSIS}" if i == widest and len(cell) > most else cell
                for i, cell in enumerate(row)
            ]
            for row in cells
        ]
    return table(head, cells)


def counts_of(done: Collected) -> str:
    """Say what became of the questions of a run; what nobody blocked and nothing left empty is not mentioned."""
    parts = [f"{done.answered} answered"]
    parts += [f"{n} {name}" for n, name in ((done.blocked, "blocked"), (done.empty, "empty")) if n]
    return ", ".join([*parts, f"{done.failed} failed"])


def ended_lines(ended: Mapping[str, Sequence[Ending]]) -> list[str]:
    """Say for each model how its answers of a run ended, with the words of its provider."""
    from depose.answers.how_ended import in_words

    alike: dict[str, list[str]] = {}
    for model in sorted(ended, key=natural):
        alike.setdefault(in_words(ended[model]), []).append(model)
    said_of = {said: said.replace("end not told", "with no word on their end") for said in alike}
    return [f"{few(models)}: {'each ' if len(models) > 1 else ''}{said_of[said]}" for said, models in alike.items()]


def estimated(rows: Sequence[Estimate], *, as_json: bool, recorded: Collection[str] = ()) -> None:
    """Set out what is still to be asked of each model, with upper bounds and their sums; files are not asked."""
    live = [one for one in rows if one.model not in recorded]
    if not live:
        show(rows if as_json else None, ["nobody is asked: all answers stand in files"])
        return
    head = ["model", "questions", "tokens in <=", "tokens out <=", "cost <="]
    cells = [[r.model, r.questions, r.input_tokens, r.output_tokens, _cost(r.cost)] for r in live]
    sums = [sum(getattr(r, name) for r in live) for name in ("questions", "input_tokens", "output_tokens")]
    whole = None if any(r.cost is None for r in live) else sum(r.cost or 0.0 for r in live)
    show(rows if as_json else None, fitted(head, [*cells, ["all", *sums, _cost(whole)]]))


def _cost(money: float | None) -> str:
    return "no price" if money is None else f"{money:z.2f}"


def listed(written: Sequence[Written]) -> list[str]:
    """List files with the beginning of their digests; pages of the viewer are counted."""
    pages = [one for one in written if Path(one.path).parent.name == "viewer"]
    lines = [f"{one.path}  sha256 {one.sha256[:12]}" for one in written if one not in pages]
    if pages:
        size = sum(one.size for one in pages) / 1e6
        lines.append(f"{Path(pages[0].path).parent}/  {len(pages)} pages, {size:z.1f} MB together")
    return lines


def sealed_lines(sealed: Sealed | ExtractionSealed, key: Path) -> list[str]:
    """Say what was sealed, and how to check it with the public part of the key, where that lies beside it."""
    from depose.readiness.standing import verify_command

    again = ["unchanged: this bundle was there before, byte for byte"] if sealed.unchanged else []
    return [
        *again,
        f"{sealed.bundle}  sha256 {sealed.sha256}",
        f"{sealed.records} records, end {sealed.head}",
        f"signed by {sealed.fingerprint}",
        f"time-stamped {sealed.stamped}" if sealed.stamped else "no time-stamp: its date rests on this machine's clock",
        advice(verify_command(sealed.bundle, key)),
    ]


def show_plan(plan: Plan) -> None:
    """Set out on stderr what a replication would send and write, before it does."""
    who = "the key that you gave" if plan.known else "a key that nobody here knows"
    head = ["model", "provider", "asked as", "where", "key", "questions", "tokens <="]
    cells = [[m.model, m.provider, m.asked_as, m.address, m.key, m.questions, m.tokens] for m in plan.models]
    lines = [f"{plan.bundle}: sealed with {who}, sha256 {plan.signer}", *table(head, cells)]
    lines.append(f"files written into {plan.folder}: {', '.join(('case.toml', *plan.files))}")
    for line in lines:
        click.echo(plain(line), err=True)


def replication_lines(done: Replication) -> list[str]:
    """Set out what a replication found."""
    models: list[list[object]] = [
        [
            one.model,
            f"{one.then.answered}/{one.then.planned}",
            f"{one.now.answered}/{one.now.planned}",
            _number(one.alike),
            _number(one.noise),
            f"{_number(one.low)} to {_number(one.high)}",
        ]
        for one in done.models
    ]
    pairs: list[list[object]] = [
        [
            *(
                one.suspect,
                one.reference,
                one.question,
                _number(one.then),
                f"{_number(one.low)} to {_number(one.high)}",
            ),
            *(_number(one.now), one.opinion_then, one.opinion_now),
        ]
        for one in done.pairs
    ]
    return [
        *table(["model", "answered then", "now", "like its former self", "reference, twice", "drift, 95 %"], models),
        "",
        *table(["suspect", "reference", "question", "T then", "95 %", "T now", "opinion then", "now"], pairs),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:z.2f}"


def formats_of(text: str) -> tuple[str, ...]:
    """Read the value of --format."""
    wanted = tuple(part.strip() for part in text.split(","))
    from depose.report.publish import FORMATS

    if not set(wanted) <= set(FORMATS):
        raise click.BadParameter(f"{text!r}: choose among {', '.join(FORMATS)}", param_hint="--format")
    return wanted


def imported_lines(done: Imported) -> list[str]:
    """Set out what an import did: its share, what was chosen, and by reason the rows that were not used."""
    share = (done.answered + done.blocked + done.already) / max(done.planned, 1)
    blocked = f" ({done.blocked} of them refused or cut by a filter)" if done.blocked else ""
    lines = [
        f"{done.model}: {done.answered + done.blocked} recorded{blocked}, {done.missing} missing in the file, "
        f"{done.already} were there before: {share:.0%} of its {done.planned} questions",
        *(f"  {note}" for note in done.notes),
    ]
    if done.unaligned:
        count = len(done.unaligned)
        lines.append(f"{count} row{'s were' if count > 1 else ' was'} not used:")
        for one in done.reasons[:10]:
            lines.append(f"  {one.rows}: {one.reason}")
            lines += [f"    {row}" for row in one.first]
        if len(done.reasons) > 10 or any(one.rows > len(one.first) for one in done.reasons):
            lines.append("  (--json lists all)")
    return lines


def columns_of(given: Sequence[str]) -> dict[str, str]:
    """Read the values of --column."""
    meanings = ("id", "prompt", "text", "model", "sample", "system", "context", "finish", "error")
    found: dict[str, str] = {}
    for one in given:
        meaning, _, name = one.partition("=")
        if meaning not in meanings or not name or meaning in found:
            raise click.BadParameter(
                f"{one!r}: MEANING=NAME, each of {', '.join(meanings)} once", param_hint="--column"
            )
        found[meaning] = name
    return found


class Meter:
    """Progress on stderr: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._failed = total, 0, 0
        self._start = self._last = time.monotonic()
        self._money = 0.0

    def advance(self, answered: int, failed: int) -> None:
        """Count a batch and show where things stand."""
        self._done += answered + failed
        self._failed += failed
        moment = time.monotonic()
        terminal = sys.stderr.isatty()
        if moment - self._last < (0.2 if terminal else 10) and self._done < self._total:
            return
        self._last = moment
        if level() < 0:
            return
        rate = self._done / max(moment - self._start, 1e-9)
        left = (self._total - self._done) / rate if self._done else float("inf")
        bar = "#" * (24 * self._done // self._total)
        line = f"asked {self._done}/{self._total} [{bar:<24}] {rate:z.1f}/s, {self._failed} failed, {left:z.0f} s left"
        line += f", spent {self._money:z.2f}" if self._money else ""
        click.echo(f"\r{line}" if terminal else line, err=True, nl=not terminal)

    def spent(self, money: float) -> None:
        """Take note of what the case has cost so far."""
        self._money = money

    def failed(self, model: str, reason: str) -> None:
        """Say at once that a model failed, and why."""
        start = "\n" if self._done and sys.stderr.isatty() and level() >= 0 else ""
        click.echo(start, err=True, nl=False)
        put_prose(f"{model}: {reason}")

    def waiting(self, requests: int) -> None:
        """Say what an interrupt waits for."""
        click.echo(f"\nstopping: waiting for {requests} answers under way; interrupt again to leave them", err=True)

    def finish(self) -> None:
        """End the bar's line."""
        if self._done and sys.stderr.isatty() and level() >= 0:
            click.echo(err=True)


def leave(findings: Findings, fail_on: Sequence[str], *, allow_blind: bool = False) -> None:
    """Exit as --fail-on asks, or return; the last line says the exit code and which findings it was."""
    from depose.report.gate import judged

    found = judged(findings, fail_on, allow_blind=allow_blind)
    if found.exit:
        ended(found.exit, "; ".join(found.because))
        sys.exit(found.exit)
    blind = f"; could not have closed it: {'; '.join(found.blind)}" if found.blind else ""
    ended(0, f"nothing closes the gate{blind}" if fail_on else "done; no opinion changes it without --fail-on")


def outcome_lines(found: Gated) -> list[str]:
    """Say the outcome of a case and which waivers do nothing."""
    lines = [f"outcome: {found.outcome}"]
    return lines + [f"waiver {one.id}: {one.state}, it waives nothing" for one in found.waivers if not one.holds]


def lineup_lines(findings: Findings) -> list[str]:
    """Set out one line for each suspect of a line-up, then failed checks and flags; nothing where there was none."""
    from depose.report.line_up import lineup_of

    found = lineup_of(findings)
    if found is None:
        return []
    head = ["suspect", "bags", "picked", "by chance", "area", "p", "log10 E", "cap", "Gamma", "power", "opinion"]
    lines = table(head, [_lined_up(one) for one in found.findings])
    lines += _of_groups(found.findings)
    least = found.plan.limits.bags
    lines += [
        f"{one.suspect} few: its scores differ in {one.informative} of {one.bags} line-ups, {least} are registered; "
        f"power {at_least(one.power)}"
        for one in found.findings
        if "few" in one.opinion.reasons
    ]
    lines += [
        f"{one.suspect} {check.name} {check.title}: {_found(check)}"
        for one in found.findings
        for check in one.diagnostics
        if not check.passed
    ]
    return [*lines, *found.flags]


def _of_groups(found: Sequence[LineupFinding]) -> list[str]:
    """Set out one line for each suspect and registered group, then the checks that failed there."""
    from depose.report.typography import exact_p

    rows = [(one.suspect, line) for one in found if not isinstance(one.groups, UnsetType) for line in one.groups]
    if not rows:
        return []
    head = ["suspect", "group", "bags", "picked", "area", "p", "log10 E", "e-BH", "Gamma", "power", "opinion"]
    return table(
        head,
        [
            [
                suspect,
                line.group,
                line.bags,
                line.picks,
                f"{line.area:z.3f}",
                exact_p(line.log10_p_holm) + ("" if line.valid else " not valid here"),
                f"{line.log10_e:z.1f}",
                "named" if line.named else "not",
                at_least(line.gamma),
                at_least(line.power),
                line.opinion.verdict + _reasons(line.standing, line.opinion),
            ]
            for suspect, line in rows
        ],
    ) + [
        f"{suspect} {line.group} {check.name} {check.title}: {_found(check)}"
        for suspect, line in rows
        for check in line.diagnostics
        if check.passed is False
    ]


def _reasons(standing: str, opinion: LineupOpinion) -> str:
    if standing == "indicative" and opinion.verdict == "indication":
        return ", indicative only"
    return f" ({', '.join(opinion.reasons)})" if opinion.reasons else ""


def _found(check: DiagnosticResult) -> str:
    why = "failed" if check.passed is False else check.reason
    return f"{check.seen}; {why}" if check.seen else f"not made: {why}"


def _lined_up(one: LineupFinding) -> list[object]:
    from depose.report.line_up_texts import group_of_p
    from depose.report.typography import exact_p

    whose = f" (group {group})" if (group := group_of_p(one)) else ""
    return [
        one.suspect,
        one.bags,
        f"{one.picks} ({one.picks / one.bags:.0%})",
        f"{one.expected_picks:z.0f}",
        f"{one.area:z.3f} ({one.low:z.3f} to {one.high:z.3f})",
        exact_p(one.log10_p_holm) + whose + ("" if one.valid else " not valid here"),
        f"{one.log10_e:z.1f}",
        f"{one.cap:g}",
        at_least(one.gamma),
        at_least(one.power),
        one.opinion.verdict + _reasons(one.standing, one.opinion),
    ]
