"""The command that asks again: watch."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from depose.cli.console import Meter, show, table
from depose.cli.lines import plain
from depose.cli.options import CASE, JSON, now
from depose.statistics.rounding import at_least, upwards

if TYPE_CHECKING:
    from depose.watch.days import Day

POWER = 0.8
"""Power below which "no difference found" counts as inconclusive."""


@click.command()
@CASE
@click.option("--model", "models", multiple=True, help="Code of a model to ask; else every suspect and reference.")
@click.option("--against", default="", help="Whose kept answers; else its own, or else the reference's.")
@click.option("--since", default="", metavar="DATE", help="Compare with the first day of watching from DATE on.")
@click.option("--calls", type=click.IntRange(1, 100_000), default=200, show_default=True, help="To each model at most.")
@click.option("--alpha", type=float, default=0.01, show_default=True, help="False alarms in a day, all calls together.")
@click.option("--recorded", is_flag=True, help="Ask nothing: compare what is on record of two models.")
@click.option("--days", is_flag=True, help="Ask nothing: list the days of watching so far.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice(["indication", "inconclusive"]),
    help="Exit 4 where a model differs, 5 where too little was answered or the power is below .8. May be given twice.",
)
@JSON
def watch(
    case: Path,
    models: Sequence[str],
    against: str,
    since: str,
    calls: int,
    alpha: float,
    recorded: bool,
    days: bool,
    fail_on: Sequence[str],
    as_json: bool,
) -> None:
    """Ask the models of CASE again: is each still the model, under the setting, that gave the kept answers?

    If it is, its answers to a prompt and the kept ones are exchangeable; that is all the test assumes. It needs no
    controls, is exact, and stops as soon as a difference is sure. It says "different, p" or "no difference found" with
    the power of the same calls against other models of the case, and never "the same". Another temperature, system
    prompt, route or precision is a difference too: settings of the case that differ are named.

    The kept answers stand in the log of the case, which stays as it is; several to each prompt (samples = 20) make the
    test sharp. Each day is a part of the log in CASE/watch: plan, exchanges, finding.

    \b
    Example:  depose watch acme --model S1 --against R1
              depose watch acme --fail-on indication          for cron and CI
              depose watch acme --recorded --model S1 --against R1
    """
    from depose.watch.plan import Wanted
    from depose.watch.run import earlier
    from depose.watch.run import watch as run

    wanted = Wanted(models=tuple(models), against=against, since=since, calls=calls, alpha=alpha, recorded=recorded)
    if days:
        past = earlier(case)
        show(past if as_json else None, _history(past) or ["no day of watching yet"])
        return
    meter = Meter(calls * max(len(models), 1))
    found = run(case, wanted, now, meter.advance)
    meter.finish()
    past = () if recorded else earlier(case)
    show(found if as_json else None, [line for one in found for line in _lines(one, len(found) > 1)] + _history(past))
    _leave(found, fail_on)


def _lines(day: Day, several: bool) -> list[str]:
    kept = "its own answers" if day.against == day.model else f"the answers of {day.against}"
    since = f", day of watching {day.since}" if day.since else ""
    lines = [f"{day.model} against {kept} of {day.kept_from}{since}"]
    p = f"p = {upwards(day.p_holm, 2)}"
    calls = f"{day.tested.calls} of {day.planned} calls compared"
    if day.outcome == "different":
        lines.append(f"  different, {p} ({calls}, alpha {day.alpha:g})")
    elif day.outcome == "inconclusive":
        lines.append(f"  inconclusive: {day.failed} of {day.planned} calls have no answer to compare ({p})")
    else:
        lines.append(f"  no difference found, {p} ({calls}, alpha {day.alpha:g})")
    if day.p_failed <= day.alpha:
        lines.append(
            f"  no answer to {day.failed} of {day.asked} calls, and to {day.kept_failed} of {day.kept_asked} of those "
            f"kept (p = {upwards(day.p_failed, 2)}), which is not what the test compares"
        )
    lines += [f"  power at least {at_least(one.low)} against {one.against}" for one in day.power]
    lines += [
        f"  registered setting differs: {one.name}: {one.value}; a difference may be its doing" for one in day.settings
    ]
    lines += [f"  the provider names another {one.name}: {one.value}" for one in day.named]
    lines += [f"  e-BH at a false-discovery rate of .1 chooses {'it' if day.e_bh else 'others'}"] * several
    lines += [f"  {day.days} days together: p = {upwards(day.p_all_days, 2)}"] * (day.days > 1)
    return [*lines, *([f"  stopped: {day.stopped}"] if day.stopped else [])]


def _history(past: Sequence[Day]) -> list[str]:
    rows = [
        (
            one.at[:16],
            one.model,
            one.against,
            one.outcome,
            upwards(one.p, 2),
            one.tested.calls,
            _number(one.discrepancy),
        )
        for one in past
    ]
    head = ("day", "model", "against", "finding", "p", "calls", "discrepancy")
    return [plain(line) for line in table(head, rows)] if rows else []


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _leave(found: Sequence[Day], fail_on: Sequence[str]) -> None:
    """Leave with 4 or 5 where the user asked for it."""
    if "indication" in fail_on and any(one.outcome == "different" for one in found):
        sys.exit(4)
    weak = [one for one in found if one.outcome != "different"]
    if "inconclusive" in fail_on and any(
        one.outcome == "inconclusive" or max((p.low for p in one.power), default=0.0) < POWER for one in weak
    ):
        sys.exit(5)
