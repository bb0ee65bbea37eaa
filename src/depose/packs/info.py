"""What a pack holds: who signed it, when its controls were asked, which of them are clean for a pair."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from depose.case.packs import Pack, PackModel
from depose.case.representatives import drawn
from depose.errors import UsageError
from depose.model import Case, ModelSpec, Question, Record
from depose.statistics.era import era
from depose.statistics.lineage import choose

FEWEST = 19
"""Independent control lineages without which no finding speaks at alpha .05."""
QUESTIONS: tuple[Question, ...] = ("same", "derived", "distilled")


class Clean(Record, frozen=True, kw_only=True):
    """How many control lineages of a pack are clean for one pair and question."""

    suspect: str
    reference: str
    question: Question
    k_eff: int
    clean: tuple[str, ...]
    """Codes of the controls that would be used."""
    left_out: dict[str, int]
    """How many are not, by reason."""
    near: int
    """Of those that would be used, how many are of the years of the pair."""
    near_needed: int
    in_years: bool
    """Whether their dates span those of the pair, by the rule; never where one of the two has no date."""


class Info(Record, frozen=True, kw_only=True):
    """What a pack is, in short."""

    path: str
    pack: str
    title: str
    signer: str
    sha256: str
    built: str
    made_from: str
    models: int
    prompts: int
    answers: int
    languages: tuple[str, ...]
    settings: str
    weight_lineages: int
    data_lineages: int
    unstated: tuple[str, ...]
    """Controls whose developer or lineage is not stated: no case uses them."""
    asked: str
    """When its controls were asked."""
    age: int | None
    """Days since the last of them was asked; None where nobody wrote it down."""
    released: str
    """From when to when its controls were first offered, as far as stated."""
    undated: int
    """Controls whose release is not stated."""
    clean: tuple[Clean, ...] = ()


def info(pack: Pack, path: Path, now: str, case: Case | None = None) -> Info:
    """Describe a pack; with a case, count the lineages that are clean for each of its pairs."""
    manifest = pack.manifest
    specs = [one.spec for one in manifest.models]
    asked = sorted(filter(None, (date for one in manifest.models for date in (one.first_asked, one.last_asked))))
    dates = sorted(spec.released for spec in specs if spec.released not in ("", "unknown"))
    return Info(
        path=str(path),
        pack=f"{manifest.name} {manifest.version}",
        title=manifest.title,
        signer=pack.signer,
        sha256=pack.sha256,
        built=manifest.built,
        made_from=manifest.made_from,
        models=len(specs),
        prompts=manifest.prompts,
        answers=manifest.answers,
        languages=manifest.languages,
        settings=f"temperature {manifest.settings.temperature:g}, at most {manifest.settings.max_tokens} tokens, "
        f"{manifest.settings.samples} answers a prompt",
        weight_lineages=len({spec.weight_lineage for spec in specs if spec.weight_lineage}),
        data_lineages=len({spec.data_lineage for spec in specs if spec.data_lineage}),
        unstated=tuple(s.code for s in specs if not (s.developer and s.weight_lineage and s.data_lineage)),
        asked=f"{asked[0][:10]} to {asked[-1][:10]}" if asked else "not written down",
        age=_days(asked[-1], now) if asked else None,
        released=f"{dates[0]} to {dates[-1]}" if dates else "not stated",
        undated=len(specs) - len(dates),
        clean=_clean(case, specs) if case else (),
    )


def _days(then: str, now: str) -> int:
    return (dt.date.fromisoformat(now[:10]) - dt.date.fromisoformat(then[:10])).days


def _clean(case: Case, specs: Sequence[ModelSpec]) -> tuple[Clean, ...]:
    suspects = [spec for spec in case.models if spec.role == "suspect"]
    references = [spec for spec in case.models if spec.role == "reference"]
    rows = []
    for suspect in suspects:
        for reference in references:
            for question in QUESTIONS:
                chosen = choose(suspect, reference, specs, question, drawn(specs, case.protocol.seed))
                years = era(suspect.released, reference.released, {spec.code: spec.released for spec in chosen.used})
                rows.append(
                    Clean(
                        suspect=suspect.code,
                        reference=reference.code,
                        question=question,
                        k_eff=chosen.k_eff,
                        clean=tuple(spec.code for spec in chosen.used),
                        left_out=dict(Counter(one.reason for one in chosen.excluded).most_common()),
                        near=years.near,
                        near_needed=years.needed,
                        in_years=years.inside,
                    )
                )
    return tuple(rows)


def lines(found: Info) -> list[str]:
    """Say what a pack is, for a terminal."""
    said = [
        f"{found.pack}: {found.title}",
        f"{found.models} controls, {found.prompts} prompts, {found.answers} answers; {found.settings}",
        f"lineages: {found.weight_lineages} of weights, {found.data_lineages} of data",
        f"asked: {found.asked}" + (f", {found.age} days ago" if found.age is not None else ""),
        f"released: {found.released}" + (f"; of {found.undated} not stated" if found.undated else ""),
        f"languages: {', '.join(found.languages) or 'none known'}",
        f"from: {found.made_from}; built {found.built}",
        f"signed by {found.signer}",
        f"{found.path}  sha256 {found.sha256}",
    ]
    said += undated(found.undated, found.models)
    if found.unstated:
        said.append(f"never used, developer or lineage not stated: {', '.join(found.unstated)}")
    for one in found.clean:
        enough = "enough" if one.k_eff >= FEWEST else f"NOT ENOUGH: {FEWEST} needed"
        said.append(f"{one.suspect}/{one.reference} {one.question}: {one.k_eff} clean lineages, {enough}")
        if not one.in_years:
            said.append(
                f"  NOT OF THEIR YEARS: {one.near} of the controls are of the years of the two, {one.near_needed} are "
                "needed, and both need a date: inconclusive (era)"
            )
        said += [f"  left out {n}: {reason}" for reason, n in one.left_out.items()]
    return said


def undated(count: int, of: int) -> list[str]:
    """Warn of controls without a date of release: they are near no pair in time, so that a finding cannot speak."""
    if not count:
        return []
    ends = "every finding with them is inconclusive (era)" if 2 * count > of else "they count as of no year (era)"
    return [f"WARNING: {count} of {of} controls have no date of release: {ends}"]


def model_of(pack: Pack, code: str) -> PackModel:
    """Find a model of a pack by its code or its name; raise UsageError where there is none."""
    for one in pack.manifest.models:
        if code in (one.spec.code, one.spec.model, one.asked_as):
            return one
    known = ", ".join(one.spec.code for one in pack.manifest.models)
    raise UsageError(f"{code}: not in pack {pack.manifest.name}", hint=f"it has: {known}")
