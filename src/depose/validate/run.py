"""`depose validate`: read a labelled population, score it, write the figures, the plots and the calibration."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import numpy as np

from depose.case import population as labelled
from depose.case.calibration import PERFORMANCE, parse
from depose.errors import UsageError
from depose.evidence.log import write_whole
from depose.features.extract import Encode, Mask
from depose.model import Fact, OpinionRate, Primary, Record
from depose.model.canonical import sha256
from depose.scoring.engine import CONFOUND
from depose.statistics.calibration import log_lr
from depose.statistics.likelihood import cllr, cllr_min
from depose.validate import gate, kinds, plots
from depose.validate import labelled as screening
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.calibrate import calibration as fit_calibration
from depose.validate.opinions import GREY, opinion_lines, opinion_rates
from depose.validate.performance import performance
from depose.validate.scoring import Progress, score_population
from depose.validate.study import (
    PRIMARY,
    SIBLINGS,
    TASK,
    Study,
    families,
    figures,
    held_out,
    leave_out_largest,
    plain,
    selection,
)

LEXICAL = ("phrases", "wording", "habits", "starts", "first_words", "openings", "length")
NEEDED = (*Primary().detectors(), CONFOUND)
LIBRARIES = ("numba", "numpy", "scipy", "scikit-learn")


class Validated(Record, frozen=True, kw_only=True):
    """What a validation run wrote, and the table for the terminal."""

    files: tuple[str, ...]
    lines: tuple[str, ...]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wanted(detectors: Sequence[str]) -> tuple[str, ...]:
    missing = [name for name in NEEDED if name not in detectors]
    if missing:
        raise UsageError(
            f"--detectors: {', '.join(missing)} cannot be left out",
            hint="they decide the three questions, and length is the confound that they are measured against",
        )
    return tuple(dict.fromkeys(detectors))


def validate(
    data: Path,
    source: str,
    out: Path,
    *,
    detectors: Sequence[str] = LEXICAL,
    applied: Path | None = None,
    leave_out: Sequence[str] = (),
    others: Sequence[Path] = (),
    judges: Sequence[Path] = (),
    seed: int = 7,
    encode: Encode | None = None,
    mask: Mask | None = None,
    progress: Progress,
) -> Validated:
    """Run the study of one source and write `validation.json`, `calibration.json` and the plots into `out`.

    `others` are files of labelled scores (`screening.json`) of other populations, on which the calibration must hold;
    `judges` are calibrations of other populations, by which the pairs of this one are judged too, as a case would be.
    """
    start = time.monotonic()
    names = _wanted(detectors)
    population = labelled.read(data, source, leave_out)
    files = tuple(
        Fact(name=name, value=_digest(data / name))
        for name in ("lineage.csv", "pairs.csv", "ranking.csv", f"responses-{source}.parquet")
    )
    pairs = [one for one in population.pairs if one.label is not None or one.relation in (*SIBLINGS, *GREY)]
    scored = score_population(population, pairs, names, TASK, seed=seed, encode=encode, mask=mask, progress=progress)
    study = Study(population, scored, seed)
    progress(f"{source}: figures, with intervals over families")
    found = figures(study)
    software = tuple(Fact(name=name, value=version(name)) for name in ("depose", *LIBRARIES))
    made = fit_calibration(study, population.families, files, software)
    elsewhere = [screening.load(one.name, one.parent)[0] for one in others]
    passed = (*gate.gates(study, elsewhere), *kinds.examine(study, progress))
    made = gate.gated(made, passed)
    made = msgspec.structs.replace(made, listed=kinds.listed(made))
    if applied is not None:
        _apply(study, found, applied)
    result = {"source": source, "seconds": 0.0, **found, "calibration": plain(made)}
    out.mkdir(parents=True, exist_ok=True)
    progress(f"{source}: plots")
    written = [_write(out / name, image) for name, image in _plots(study).items()]
    written.append(_write(out / "selection.json", _json(_selected(study))))
    scores = screening.labelled(study, files, software)
    refused = tuple(Fact(name=question, value=why) for question, why in gate.refused(passed).items())
    scores = msgspec.structs.replace(scores, refused=refused)
    written.append(_write(out / screening.NAME, msgspec.json.encode(scores)))
    fitted = msgspec.json.encode(made)
    written.append(_write(out / "calibration.json", fitted))
    progress(f"{source}: opinions on every pair, its lineages left out")
    told = performance(study, made, sha256(fitted))
    written.append(_write(out / PERFORMANCE, msgspec.json.encode(told)))
    judged = {one: _judged(study, one) for one in judges}
    result["judged_by"] = {rates[0]: [msgspec.to_builtins(one) for one in rates[1]] for rates in judged.values()}
    result["seconds"] = round(time.monotonic() - start, 1)
    written.append(_write(out / "validation.json", _json(result)))
    lines = [*table(result, scored.unscored), *opinion_lines(told.opinions)]
    lines += [line for source, rates in judged.values() for line in opinion_lines(rates, source)]
    return Validated(files=tuple(written), lines=tuple(lines))


def encoder(detectors: Sequence[str]) -> Encode | None:
    """Open the sentence encoder if a detector needs it."""
    if "embedding" not in detectors:
        return None
    from depose.features.devices import choose
    from depose.features.packaged import cache_folder
    from depose.features.sentence_vectors import Embedder

    return Embedder(cache_folder() / "vectors.sqlite", choose()).encode


def masker(detectors: Sequence[str]) -> Mask | None:
    """Open the tagger if a detector needs it."""
    if not {"style", "impostors"} & set(detectors):
        return None
    from depose.features.packaged import cache_folder
    from depose.features.tagging import Tagger

    return Tagger(cache_folder() / "tags.sqlite").mask


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, allow_nan=False) + "\n").encode()


def _write(path: Path, data: bytes) -> str:
    write_whole(path, data)
    return str(path)


def _selected(study: Study) -> dict[str, Any]:
    """Detectors chosen inside the folds, and the areas without the developer of most references."""
    return {
        question: {
            "leave_one_family_out": selection(study, question),
            "without_largest_developer": leave_out_largest(study, question, detector),
        }
        for question, detector in PRIMARY.items()
    }


def _no_file(path: Path) -> NoReturn:
    raise UsageError(f"{path} is not a file", hint="depose validate writes calibration.json")


def _judged(study: Study, path: Path) -> tuple[str, tuple[OpinionRate, ...]]:
    """Judge every pair by a calibration of another population; its source, and the counts."""
    by = parse(path.read_bytes(), str(path)).calibration if path.is_file() else _no_file(path)
    return by.source, opinion_rates(study, by, elsewhere=True)


def _apply(study: Study, found: dict[str, Any], path: Path) -> None:
    """Replace the held-out costs by those of a calibration fitted elsewhere, as a case would use it."""
    calibration = parse(path.read_bytes(), str(path)).calibration if path.is_file() else _no_file(path)
    for question, detector in PRIMARY.items():
        line = next(
            (c.line for c in calibration.calibrators if c.question == question and c.against == "unrelated"), None
        )
        positives, negatives = study.positives(question), study.matched(question)
        if line is None or min(families(positives), families(negatives)) < FEWEST_FAMILIES:
            continue
        h1, h2 = (log_lr(line, np.array([o.t[detector][0] for o in group])) for group in (positives, negatives))
        found["questions"][question].update(cllr=round(cllr(h1, h2), 4), cllr_min=round(cllr_min(h1, h2), 4))


def _plots(study: Study) -> dict[str, bytes]:
    images: dict[str, bytes] = {}
    for question, detector in PRIMARY.items():
        positives, negatives = study.positives(question), study.matched(question)
        classes = {"unrelated": negatives, **study.alternatives(question), "true": positives}
        rows = {name: np.array([o.t[detector][0] for o in group]) for name, group in classes.items() if group}
        images[f"scores-{question}.svg"] = plots.strips(rows, f"{question}, detector {detector}")
        if min(families(positives), families(negatives)) < FEWEST_FAMILIES:
            continue
        h1, h2 = held_out(study, positives, negatives, detector)
        images[f"roc-{question}.svg"] = plots.roc(rows["true"], rows["unrelated"], question)
        images[f"tippett-{question}.svg"] = plots.tippett(h1, h2, question)
        images[f"pav-{question}.svg"] = plots.calibration(h1, h2, question)
        images[f"ece-{question}.svg"] = plots.cross_entropy(h1, h2, question)
    return images


def _figure(value: dict[str, Any]) -> str:
    return "null" if value["value"] is None else f"{value['value']:.3f} ({value['lo']:.3f}-{value['hi']:.3f})"


def _gate(one: dict[str, Any]) -> str:
    what = f"{one['kind']} ({one['prompts']} prompts) left out" if one["kind"] else f"{one['left_out']} left out"
    failed = "no prompts but those of the study" if one["kind"] else "no ratio is given"
    return (
        f"gate, {one['question']:<10} {one['population']}, {what}: Cllr {one['cllr']:.3f} "
        f"({one['low']:.3f}-{one['high']:.3f}), {'passed' if one['passed'] else f'NOT PASSED: {failed}'}"
    )


def table(result: dict[str, Any], unscored: Sequence[Any]) -> list[str]:
    """Set out the main figures for a terminal."""
    lines = [f"{result['source']}: {result['seconds']} s, {len(unscored)} pairs not scored for want of controls"]
    for question, q in result["questions"].items():
        lines.append(f"{question}: {q['n_pos']} true pairs of {q['n_pos_families']} families, detector {q['detector']}")
        documented = q["auc_within_reference"]["documented"]
        if documented["value"] is None:
            lines.append(f"  areas                                null: {documented['reason']}")
            continue
        for name in ("auc_within_reference", "auc_within_reference_length_matched", "auc_within_suspect"):
            parts = [f"{kind} {_figure(value)}" for kind, value in q[name].items()]
            lines.append(f"  {name:<36} {'; '.join(parts)}")
        for kind, value in q["auc_within_reference_macro"].items():
            lines.append(f"  macro {kind:<30} {_figure(value)}; minus length {_figure(value['minus_length'])}")
        first, second = q["rule"]["h1"]["indication"]["larger"], q["rule"]["h2"]["indication"]["larger"]
        lines.append(
            f"  rule p <= .05 (both sides)           true {first['k']}/{first['n']}, families {first['k_families']}/"
            f"{first['n_families']}; unrelated {second['k']}/{second['n']}, families {second['k_families']}/"
            f"{second['n_families']}, mean over families {second['mean_over_families']}"
        )
        if q["cllr"] is None:
            lines.append(f"  likelihood ratios                    null: {q['reason']}")
        else:
            lines.append(
                f"  Cllr {q['cllr']:.3f}, Cllr_min {q['cllr_min']:.3f}, capped {q['cllr_capped']:.3f}; misleading "
                f"{q['misleading_h1']['k']}/{q['misleading_h1']['n']} true, "
                f"{q['misleading_h2']['k']}/{q['misleading_h2']['n']} unrelated"
            )
    for question, levels in result["type_one_error"].items():
        for level, e in levels.items():
            text = f"null: {e['reason']}" if e["k"] is None else f"{e['k']}/{e['n']} ({e['lower95']}-{e['upper95']})"
            lines.append(f"type I at {level}, {question:<10} {text}")
    for name, value in result["cross"].items():
        shown = "null" if value["auc"] is None else f"{value['auc']:.3f} ({value['lo']:.3f}-{value['hi']:.3f})"
        lines.append(f"{name}: {shown}, {value['n_pos']} against {value['n_neg']}")
    for one in result["calibration"]["gates"]:
        lines.append(_gate(one))
    for one in result["calibration"]["listed"]:
        lines.append(
            f"listed prompts, {one['question']}: {one['prompts']} or more, with answers of {one['shortest']:g} to "
            f"{one['longest']:g} words (median), by {one['kinds']} kinds"
        )
    for kind, value in result["ranking"].items():
        lines.append(
            f"ranking, {kind}: first {value['top1']}/{value['n']}, maker {value['same_developer']}/{value['n']}"
        )
    return lines
