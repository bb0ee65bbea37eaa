"""Pairs of a population with their opinions, and p without bare words: for `opinion_bare.py`."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bare_case import Case, p_of
from kept_rows import Row, Store, digest
from msgspec.structs import replace

import depose
from depose.case import calibration, population
from depose.model import Question
from depose.scoring.engine import CONFOUND
from depose.validate.labelled import QUESTIONS
from depose.validate.opinions import GREY, Judge, kind
from depose.validate.scoring import DECIDING, PairScores, score_population
from depose.validate.study import PRIMARY, SIBLINGS, Study

SEED = 7
"""Of `depose validate`."""
ACCUSED = ("indication", "relation, kind not resolved")
READ_AFRESH = 8
"""Bags whose features are kept: more of them fill the memory."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A population, and the studies that judge it: its own first."""

    name: str
    folder: Path
    host: Any
    other: str


def opinions(source: Source, store: Store) -> list[Row]:
    """Score the pairs of a population, and look the opinions up without the rule: one row for a pair and question."""
    key = f"{source.name}: opinions"
    if key not in store.rows:
        labelled = population.read(source.folder, source.name)
        pairs = [one for one in labelled.pairs if one.label is not None or one.relation in (*SIBLINGS, *GREY)]
        scored = score_population(
            replace(labelled, tasks=()),
            pairs,
            (*DECIDING, CONFOUND),
            {},
            seed=SEED,
            encode=None,
            progress=say,
            choose=lambda whole, _: (np.ones((1, len(whole.rows))), (len({prompt for prompt, _ in whole.rows}),)),
        )
        study = Study(labelled, scored, SEED)
        judges = {by: _judge(study, source, by) for by in (source.name, source.other)}
        rows = [
            _row(judges, question, name, one)
            for question in QUESTIONS
            for one in scored.pairs
            if (name := kind(question, one)) and np.isfinite(one.t[PRIMARY[question]][0])
        ]
        store.keep(key, {"prompts": scored.sizes[0], "pairs": rows})
    found: list[Row] = store.rows[key]["pairs"]
    return found


def _judge(study: Study, source: Source, by: str) -> Judge:
    loaded = calibration.load(by, Path())
    if loaded is None:
        raise SystemExit(f"no calibration {by}")
    return Judge(study, loaded.calibration, elsewhere=by != source.name)


def _row(judges: dict[str, Judge], question: Question, name: str, one: PairScores) -> Row:
    said = {by: judge.opinion(question, one, 0) for by, judge in judges.items()}
    accused = any(opinion in ACCUSED for opinion in said.values())
    return {
        "question": question,
        "kind": name,
        "suspect": one.pair.suspect,
        "reference": one.pair.reference,
        "family": one.pair.suspect_family,
        "p": float(one.p[PRIMARY[question]][0].max()),
        "t": float(one.t[PRIMARY[question]][0]),
        "said": said,
        "falls": {by: judge.opinion(question, one, 0, p_bare=1.0) for by, judge in judges.items()} if accused else {},
    }


def anew(source: Source, rows: Sequence[Row], store: Store) -> dict[tuple[str, str], Row]:
    """Rank pairs anew without bare words, those that stand in the store apart."""
    found: dict[tuple[str, str], Row] = {}
    case: Case | None = None
    pairs = list(dict.fromkeys((row["suspect"], row["reference"]) for row in rows))
    t_of = {(row["suspect"], row["reference"], PRIMARY[row["question"]]): row["t"] for row in rows}
    read = 0
    for number, (suspect, reference) in enumerate(pairs):
        key = f"{source.name}: {suspect} and {reference}"
        if key not in store.rows:
            if case is None:
                case = Case(source.folder, source.name, source.host, sys.maxsize, SEED)
            used = case.bags.controls(suspect, reference).used
            members = [case.bags.index[name] for name in (suspect, reference, *(one.code for one in used))]
            if read == 0:  # the whole way, once for each start: what a case scores is what the study scored
                _same_scores(case, members, (suspect, reference), t_of)
            store.keep(key, {name: p_of(t) for name, t in case.without(members).items()})
            read += 1
            if read % READ_AFRESH == 0:
                case.forget()
            say(f"{source.name}: {number + 1} of {len(pairs)} pairs, {time.process_time():.0f} s of processor")
        found[suspect, reference] = store.rows[key]
    return found


def _same_scores(
    case: Case, members: list[int], pair: tuple[str, str], t_of: dict[tuple[str, str, str], float]
) -> None:
    """Stop where a case scores a pair otherwise than the study did."""
    t = case.scored(case.bag(members))
    for name in DECIDING:
        if (*pair, name) in t_of and abs(t[name][0, 1] - t_of[*pair, name]) > 1e-6:
            raise SystemExit(f"{pair}, {name}: T {t[name][0, 1]} of a case, {t_of[*pair, name]} of the study")


def say(line: str) -> None:
    """Tell how far a run is."""
    print(line, file=sys.stderr, flush=True)


def state() -> str:
    """Name the code and the calibrations that results depend on."""
    root = Path(depose.__file__).parent
    parts = ("answers", "analysis", "case", "detectors", "features", "scoring", "statistics", "validate")
    listed = [file for part in parts for file in (root / part).rglob("*.py")]
    listed += (root / "case" / "calibrations").rglob("*.json")
    here = [Path(__file__).with_name(name) for name in ("bare_case.py", "opinion_pairs.py")]
    return str(digest([*listed, *here]))
