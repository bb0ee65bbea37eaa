"""Dose and power: how often the truth of a laboratory is found, by dose, number of prompts and number of samples.

Every pair is scored in a bag of clean lineages, on random sets of prompts drawn from the seed. Draws of one pair share
its models: they show what the choice of prompts does, not what another model would. What another model would do is
seen by rotating the reference over the lineages: power over the teachers that have a student, false alarms over every
student and every lineage that did not teach it.

Likelihood ratios come from a calibration that leaves out the lineages of the reference and of the negative control.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.case.population import read as read_population
from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.lab.export import AGAIN, SAMPLES, SOURCE, families, pure
from depose.lab.judged import judged_at
from depose.lab.null_pairs import null_lines, null_pairs
from depose.lab.recipe import Recipe, Roles, line_up, roles
from depose.lab.scored import BATCH, DRAWS, PRIMARY, Material, Setting
from depose.model import Calibration, Record
from depose.statistics.rates import lower_bound, upper_bound
from depose.statistics.rounding import at_least, at_most, tidy, upwards
from depose.validate import plots, run
from depose.validate.calibrate import calibration as fit_calibration
from depose.validate.judged import ALPHA
from depose.validate.scoring import score_population
from depose.validate.study import TASK, Study

Array = NDArray[np.float64]
Say = Callable[[str], None]

COUNTS = (1, 3, 5)
"""Numbers of samples of each prompt."""
USUAL = 50
"""Number of prompts of the headline figures."""


class Studied(Record, frozen=True, kw_only=True):
    """What a study wrote, and the lines for the terminal."""

    files: tuple[str, ...]
    lines: tuple[str, ...]


def recipe_of(folder: Path) -> Recipe:
    """Read the recipe of a laboratory that was built."""
    try:
        return msgspec.json.decode((folder / "recipe.json").read_bytes(), type=Recipe)
    except (OSError, msgspec.MsgspecError) as error:
        raise CaseError(
            f"{folder}: no laboratory: {error}", hint="depose lab build --recipe default --out DIR"
        ) from error


def study(folder: Path | None, out: Path, say: Say) -> Studied:
    """Study a laboratory, the bundled one if no folder is named, and write `study.json` and the figure of doses."""
    if folder is None:
        with as_file(files("depose.kit")) as bundled:
            return _study(bundled, out, say)
    return _study(folder, out, say)


def fitted(folder: Path, recipe: Recipe, say: Say) -> Calibration:
    """Fit a calibration on the laboratory without the lineages of the reference and of the negative control."""
    cast = roles(recipe)
    population = read_population(folder, SOURCE, (cast.reference, cast.other))
    scored = score_population(
        population, population.pairs, run.NEEDED, TASK, seed=recipe.seed, encode=None, progress=say
    )
    return fit_calibration(Study(population, scored, recipe.seed), population.families, (), ())


def _study(folder: Path, out: Path, say: Say) -> Studied:
    start = time.monotonic()
    recipe = recipe_of(folder)
    cast, plan = roles(recipe), line_up(recipe)
    say("features of every answer")
    once = Material(read_population(folder, SOURCE), (1,), recipe.seed, (PRIMARY, BATCH))
    several = None
    if recipe.asking.samples > 1:
        several = Material(read_population(folder, SAMPLES), COUNTS[1:], recipe.seed, (PRIMARY,))
    calibration = fitted(folder, recipe, say)
    say("doses")
    doses = _doses(recipe, cast, once, several, calibration)
    say("power and false alarms, the reference rotated over the lineages")
    power, pairs = _power(plan, once)
    alarms = _alarms(plan, once)
    say("lineages that never met, every two of them as suspect and reference")
    result: dict[str, Any] = {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "alpha": ALPHA,
        "draws": DRAWS,
        "detector": PRIMARY,
        "roles": msgspec.to_builtins(cast),
        "doses": doses,
        "smallest_dose_with_power_0.8": _smallest(doses),
        "power_at_100": power,
        "true_pairs": pairs,
        "false_alarms": alarms,
        "null_pairs": null_pairs(plan, once, calibration),
        "claims": _claims(plan, cast, once, calibration),
        "batch_ranges": _batch_ranges(plan, cast, once),
    }
    result["seconds"] = round(time.monotonic() - start, 1)
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / "study.json", (json.dumps(result, indent=1, allow_nan=False) + "\n").encode())
    write_whole(out / "doses.svg", plots.doses(doses, ALPHA))
    files = (str(out / "study.json"), str(out / "doses.svg"))
    return Studied(files=files, lines=tuple(table(result)))


# --- doses ------------------------------------------------------------------------------------------


def _doses(
    recipe: Recipe, cast: Roles, once: Material, several: Material | None, calibration: Calibration
) -> list[dict[str, Any]]:
    rows = []
    for dose in sorted(recipe.doses):
        found = once.drawn(f"dose-{dose}", cast.reference)
        if several is not None:
            found |= several.drawn(f"dose-{dose}", cast.reference)
        for setting in sorted(found, key=lambda one: (one.prompts, one.samples)):
            one = found[setting]
            judged = [judged_at(one, draw, setting.prompts, calibration) for draw in range(len(one.p))]
            ratios = [ratio for _, ratio in judged if ratio is not None]
            rows.append(
                {
                    "dose": dose,
                    "prompts": setting.prompts,
                    "samples": setting.samples,
                    "k_eff": one.k,
                    "p_median": tidy(np.median(one.p)),
                    "p_90_percent_of_draws": [tidy(np.quantile(one.p, q)) for q in (0.05, 0.95)],
                    "at_alpha": _share(one.p <= ALPHA),
                    "lr_median": _tidy(np.median(ratios)) if ratios else None,
                    "opinions": {name: sum(o == name for o, _ in judged) for name in sorted({o for o, _ in judged})},
                }
            )
    return rows


def _smallest(doses: Sequence[Mapping[str, Any]]) -> dict[str, int | None]:
    """Find the smallest dose from which on 0.8 of the draws reach alpha, for each setting."""
    found: dict[str, int | None] = {}
    for key in dict.fromkeys((row["prompts"], row["samples"]) for row in doses):
        reached = None
        for row in sorted((r for r in doses if (r["prompts"], r["samples"]) == key), key=lambda r: -r["dose"]):
            if row["at_alpha"]["share"] < 0.8:
                break
            reached = row["dose"]
        found[f"{key[0]} prompts, {key[1]} samples"] = reached
    return found


# --- rotation ---------------------------------------------------------------------------------------


def _power(plan: Sequence[Any], once: Material) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Share of draws that reach alpha, each teacher weighing the same, over all teachers that have a pure student."""
    family = families(plan)
    students = [one for one in plan if pure(one)]
    found = {one.name: once.drawn(one.name, one.parts[0].teacher) for one in students}
    pairs = [
        {
            "suspect": one.name,
            "reference": one.parts[0].teacher,
            "prompts": setting.prompts,
            "p_median": tidy(np.median(drawn.p)),
            "at_alpha": _share(drawn.p <= ALPHA),
        }
        for one in students
        for setting, drawn in found[one.name].items()
    ]
    rows = []
    for setting in dict.fromkeys(once.settings):
        shares: dict[str, list[float]] = {}
        for one in students:
            shares.setdefault(family[one.name], []).append(float((found[one.name][setting].p <= ALPHA).mean()))
        each = {name: float(np.mean(values)) for name, values in shares.items()}
        mostly = sum(value >= 0.5 for value in each.values())
        rows.append(
            {
                "prompts": setting.prompts,
                "power": _tidy(np.mean(list(each.values()))),
                "students": len(students),
                "teachers": len(each),
                "teachers_found_in_most_draws": mostly,
                "teachers_lower95": float(at_least(lower_bound(mostly, len(each)), 4)),
            }
        )
    return rows, pairs


def _alarms(plan: Sequence[Any], once: Material) -> list[dict[str, Any]]:
    """Count pure students and lineages that did not teach them at or below alpha, one set of prompts for each pair."""
    family = families(plan)
    lineages = [one.name for one in plan if not one.student]
    null = [(s.name, r) for s in plan if pure(s) for r in lineages if family[s.name] != r]
    drawn = {pair: once.drawn(*pair) for pair in null}
    rows = []
    for setting in dict.fromkeys(once.settings):
        hits = {pair: bool(one[setting].p[n % DRAWS] <= ALPHA) for n, (pair, one) in enumerate(drawn.items())}
        k, n = sum(hits.values()), len(hits)
        by_family: dict[str, list[bool]] = {}
        for (suspect, _), hit in hits.items():
            by_family.setdefault(family[suspect], []).append(hit)
        rows.append(
            {
                "prompts": setting.prompts,
                "k": k,
                "n": n,
                "share": _tidy(k / n),
                "lower95": float(at_least(lower_bound(k, n), 4)),
                "upper95": float(at_most(upper_bound(k, n), 4)),
                "families_with_any": sum(any(values) for values in by_family.values()),
                "families": len(by_family),
            }
        )
    return rows


def _claims(plan: Sequence[Any], cast: Roles, once: Material, calibration: Calibration) -> list[dict[str, Any]]:
    """Try the claims that public data cannot test: common base, common teacher, foil, paraphrase, second hand."""
    pairs = [
        ("common base, another teacher", "other", cast.reference),
        ("foil: another teacher in the layout of the reference", "foil", cast.reference),
        ("blank: the base itself", "base", cast.reference),
        ("paraphrased answers of the reference", "paraphrased", cast.reference),
        ("second hand: student of a student", "second-hand", cast.reference),
        *(("common teacher", f"{name}-a", f"{name}-b") for name in cast.twins),
    ]
    rows = []
    setting = Setting(prompts=USUAL, samples=1)
    for claim, suspect, reference in pairs:
        if not once.has(suspect, reference) or setting not in once.settings:
            continue
        one = once.drawn(suspect, reference)[setting]
        untaught = not any(p.student for p in plan if p.name == reference)
        judged = [judged_at(one, draw, USUAL, calibration, untaught=untaught) for draw in range(len(one.p))]
        ratios = [ratio for _, ratio in judged if ratio is not None]
        rows.append(
            {
                "claim": claim,
                "suspect": suspect,
                "reference": reference,
                "prompts": USUAL,
                "t_median": _tidy(np.median(one.t)),
                "p_median": tidy(np.median(one.p)),
                "at_alpha": _share(one.p <= ALPHA),
                "lr_median": _tidy(np.median(ratios)) if ratios else None,
                "opinions": {name: sum(o == name for o, _ in judged) for name in sorted({o for o, _ in judged})},
            }
        )
    return rows


def _batch_ranges(plan: Sequence[Any], cast: Roles, once: Material) -> dict[str, dict[str, float]]:
    """Predict T of `phrases` between two times of each lineage, for 50 new prompts: mean and three standard deviations.

    In the bag of the case `distilled`, whose controls are the lineages without the reference and two rival teachers.
    A draw takes half of 100 prompts without replacement, which halves its variance; new prompts have the whole of it.
    """
    setting = Setting(prompts=USUAL, samples=1)
    found: dict[str, dict[str, float]] = {}
    for name in (one.name for one in plan if not one.student and setting in once.settings):
        away = (cast.reference, cast.mixer, cast.other, "base")
        t = once.drawn(name + AGAIN, name, BATCH, away)[setting].t
        wide = 3 * float(np.std(t, ddof=1)) * np.sqrt(2)
        found[name] = {"mean": _tidy(t.mean()), "lowest": _tidy(t.mean() - wide), "highest": _tidy(t.mean() + wide)}
    return found


def _share(hits: NDArray[np.bool_]) -> dict[str, Any]:
    return {"k": int(hits.sum()), "n": len(hits), "share": _tidy(hits.mean())}


def _tidy(value: Any) -> float:
    return float(f"{float(value):.4g}")


# --- the table --------------------------------------------------------------------------------------


def table(result: Mapping[str, Any]) -> Iterable[str]:
    """Set out a study for a terminal."""
    yield f"laboratory {result['recipe']}, seed {result['seed']}, {result['seconds']} s; alpha {result['alpha']}"
    yield "  dose  prompts  samples  median p  draws at alpha  median LR  opinions"
    for row in result["doses"]:
        ratio = "  -" if row["lr_median"] is None else f"{row['lr_median']:.3g}"
        opinions = ", ".join(f"{name} {count}" for name, count in row["opinions"].items())
        hits = row["at_alpha"]
        yield (
            f"  {row['dose']:>4}  {row['prompts']:>7}  {row['samples']:>7}  {upwards(row['p_median']):>8}  "
            f"{hits['k']:>7}/{hits['n']:<6}  {ratio:>9}  {opinions}"
        )
    for name, dose in result["smallest_dose_with_power_0.8"].items():
        yield f"smallest dose found with power .8, {name}: {'none' if dose is None else f'{dose} %'}"
    for row in result["power_at_100"]:
        yield (
            f"power at 100 %, {row['prompts']} prompts: {row['power']:.3f} over {row['teachers']} teachers "
            f"({row['students']} students); found in most draws {row['teachers_found_in_most_draws']}/{row['teachers']}"
        )
    for row in result["false_alarms"]:
        yield (
            f"false alarms, {row['prompts']} prompts: {row['k']}/{row['n']} "
            f"(exact 95 % bounds {row['lower95']}, {row['upper95']}); "
            f"families {row['families_with_any']}/{row['families']}"
        )
    yield from null_lines(result["null_pairs"])
    for row in result["claims"]:
        hits = row["at_alpha"]
        yield (
            f"{row['claim']}: {row['suspect']} / {row['reference']}: median p {upwards(row['p_median'])}, "
            f"at alpha {hits['k']}/{hits['n']}, "
            + ", ".join(f"{name} {count}" for name, count in row["opinions"].items())
        )
    if result["batch_ranges"]:
        means = [one["mean"] for one in result["batch_ranges"].values()]
        yield (
            f"batch: mean T of {BATCH} between two times of one model: {min(means)} to {max(means)} over "
            f"{len(means)} lineages; the range to register for each stands in study.json"
        )
