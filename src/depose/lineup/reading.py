"""From the acts in a log to what the line-up finds: pure but for the blobs that are handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose

from msgspec import UNSET, UnsetType

from depose.errors import CaseError, EvidenceError
from depose.evidence.ledger import Entries
from depose.evidence.lineup_acts import LineupActs, TableScored
from depose.lineup.acts import reference_of, scored_models, taken_off
from depose.lineup.ask import answers_of, has_vectors, scores_of
from depose.lineup.bags import is_after
from depose.lineup.comparable import shown
from depose.lineup.diagnostics import diagnose
from depose.lineup.examine import examine
from depose.lineup.exhibits import RULE
from depose.lineup.family import shared
from depose.lineup.inputs import moment
from depose.lineup.opened import OpenedLineup
from depose.lineup.opinion import laxer
from depose.lineup.scorer import Scores
from depose.lineup.tables import read_bags, read_key, read_table
from depose.lineup.unfolding import Throws, bags_follow
from depose.model import Case
from depose.model.lineup import Bag, LineupPlan, ScoreTable
from depose.model.lineup_findings import Assumption, LineupAct, LineupFindings

Blob = Callable[[str], bytes]
"""Returns the bytes of a blob by its digest, checked."""

EXACTLY, ROUGHLY = 1e-9, 0.05
"""How far a score may lie from the one that is computed again; roughly where sentence vectors weigh in, in spreads."""
ASSUMPTIONS = (
    ("log", "the log of the reference is complete and authentic", "digests of both files in the act of building"),
    ("draw", "what the log holds is what left the endpoint", "text_sha256 of the deliveries, where the log has it"),
    ("sampler", "decoys come from the sampler that made the deliveries", "tier, snapshot, and diagnostics D1 to D4"),
    ("accounts", "the accounts were chosen without the suspect", "registered before the bags were built"),
    ("frozen", "the suspect was the same in all scores, and is the one in question", "digests beside the scores"),
    ("training", "the reference itself was not trained on this traffic", "diagnostic D7: later snapshots"),
    ("form", "delivered answers and decoys were stored in one form", "one canonical form, and diagnostic D2"),
    ("exclusions", "what was left out was left out by rules that do not look at the key", "the tally of the build"),
)
"""Key, what is assumed, and where it shows."""


def lineup_findings(entries: Entries, blob: Blob, name: str) -> LineupFindings | UnsetType:
    """Test the line-up of a log once its key is open; raise EvidenceError where its parts contradict each other.

    No act follows the opening of the key of itself, so that here alone an amendment after it is met.
    """
    acts, case = entries.lineup, entries.registration.case
    if acts is None or acts.opened is None or acts.key is None:
        return UNSET
    if entries.in_force != acts.built.under or isinstance(case.lineup, UnsetType):
        raise EvidenceError(
            f"{name}: the protocol was amended after the bags were built, and the key is open",
            hint="what is asked with the key in view is no test: start a new case folder, also for other questions",
        )
    try:
        opened = opened_lineup(case, case.lineup, acts, blob)
    except CaseError as error:
        raise EvidenceError(f"{name}: {error.message}", hint="the log or a blob was changed") from error
    asked_at = _first_asked(entries, opened.suspects)
    found = examine(opened, case.protocol.alpha, case.protocol.seed, asked_at, diagnose)
    stamps = {one.of: one.time for one in entries.stamps}
    return LineupFindings(
        plan=case.lineup,
        bags=acts.built.bags,
        commitment=acts.key.commitment,
        custodian=acts.key.custodian,
        acts=(
            LineupAct(
                name="registered",
                at=entries.registered_at,
                digest=entries.in_force,
                stamped=stamps.get(entries.in_force, ""),
            ),
            *(
                LineupAct(name=one.name, at=one.at, digest=one.digest, stamped=stamps.get(one.digest, ""))
                for one in acts.dated
                if one.name != "lineup_tested"
            ),
        ),
        tally=acts.built.tally,
        tables=() if acts.sealed is None else acts.sealed.tables,
        flags=(*_flags(opened, entries, asked_at), *_of_coin(case, opened, entries, blob)),
        assumptions=tuple(
            Assumption(what=what, attested_by=case.lineup.attested.get(key, ""), shown_by=shown)
            for key, what, shown in ASSUMPTIONS
        ),
        exhibit_rule=RULE,
        findings=tuple(found),
    )


def opened_lineup(case: Case, plan: LineupPlan, acts: LineupActs, blob: Blob) -> OpenedLineup:
    """Read bags, key and tables; raise CaseError where one is not what its record says."""
    data = blob(acts.built.bags)
    bags = read_as_built(acts, data)
    if acts.opened is None:
        raise CaseError("the key is not open", hint="depose lineup open CASE --key FILE")
    tables = {one.model: read_as_scored(one, blob(one.table), data) for one in acts.tables}
    answers = {code: answers_of(acts.answers, code) for code in dict.fromkeys(one.model for one in acts.answers)}
    for code in answers.keys() & tables.keys():
        made = scores_of(plan, bags, answers[code])
        if not _alike(made, tables[code].scores, ROUGHLY if has_vectors(plan) else EXACTLY):
            raise CaseError(
                f"the table of {code} does not follow from its answers", hint="the table, or an answer, was changed"
            )
    return OpenedLineup(
        plan=plan,
        suspects=tuple(spec.code for spec in case.models if spec.role == "suspect"),
        reference=reference_of(case, plan),
        bags=bags,
        key=read_key(blob(acts.opened.key), data, "key"),
        tables=tables,
        minus=taken_off(case, plan),
        coin=throws(case, plan, acts, blob, "") is not None,
        answers=answers,
        released={spec.code: spec.released for spec in case.models if spec.released},
    )


def read_as_built(acts: LineupActs, data: bytes) -> tuple[Bag, ...]:
    """Read the bags; raise CaseError where they are not as many as their record says."""
    bags = read_bags(data, "bags")
    if len(bags) != acts.built.count:
        raise CaseError(f"the bags are {len(bags)}, not {acts.built.count}", hint="the record or its blob was changed")
    return bags


def read_as_scored(one: TableScored, data: bytes, bags: bytes) -> ScoreTable:
    """Read a table of the bags; raise CaseError where it says otherwise than its record."""
    table = read_table(data, bags, f"table of {one.model}")
    if (table.model, table.statistic, table.facts) != (one.model, one.statistic, one.facts):
        raise CaseError(f"the table of {one.model} says otherwise than its record", hint="one of both was changed")
    return table


def throws(case: Case, plan: LineupPlan, acts: LineupActs, blob: Blob, registered_at: str) -> Throws | None:
    """Check the log that was shown of the registered coin; None for none. Raises CaseError where it does not hold."""
    opened = acts.opened
    if opened is None or isinstance(opened.coin, UnsetType) or isinstance(opened.thrown, UnsetType):
        return None
    files = (blob(opened.thrown), blob(opened.coin), blob(opened.key), blob(acts.built.bags))
    return bags_follow(plan, case.protocol.seed, *files, registered_at)


def _alike(made: Sequence[Scores], table: Sequence[Scores], within: float) -> bool:
    """Compare two tables of scores but for rounding."""
    return all(
        len(one) == len(two)
        and all(isclose(a, b, rel_tol=within, abs_tol=within) for a, b in zip(one, two, strict=True))
        for one, two in zip(made, table, strict=True)
    )


def _first_asked(entries: Entries, suspects: tuple[str, ...]) -> str:
    """Return when a suspect was first asked anything or scored, as far as this log knows."""
    acts = entries.lineup
    asked = [one.started for one in entries.exchanges if one.model in suspects]
    if acts is not None:
        asked += [one.started for one in acts.answers if one.model in suspects]
        asked += [one.at for one in acts.dated if one.name == "lineup_scores"]
    return min(asked, default="")


def _of_coin(case: Case, opened: OpenedLineup, entries: Entries, blob: Blob) -> list[str]:
    """Say what is not known of the coin."""
    if all(one.tier != "randomised" for one in opened.entries) or entries.lineup is None:
        return []
    if isinstance(opened.plan.coin, UnsetType):
        return ["No coin was registered: that one chose what was delivered is attested, and the fillers count as kept."]
    found = throws(case, opened.plan, entries.lineup, blob, entries.registered_at)
    if found is None:
        return ["The registered coin and the log of its throws were not shown: the fillers count as kept."]
    if not found.early:
        return []
    return [
        f"{found.early} of {found.requests} throws are dated before the coin was registered: that it was fixed before "
        "them is its owner's word."
    ]


def _seals(acts: LineupActs | None, entries: Entries) -> list[tuple[str, str]]:
    """Say of both seals whether each has a time-stamp: `in time`, `late`, or nothing.

    That of the key shows that it came before the scores only if it was noted before them, that of the scores before
    the key was opened.
    """
    dated = acts.dated if acts else ()
    found = []
    for name, what, then in (
        ("lineup_key", "the key", "lineup_scores"),
        ("lineup_sealed", "the scores", "lineup_opened"),
    ):
        after = [one.at for one in dated if one.name == then]
        if acts is not None and what == "the key":
            after += [one.started for one in acts.answers]
        for one in dated:
            if one.name == name:
                noted = entries.noted_at.get(one.digest, "")
                late = bool(noted) and not all(is_after(at, noted) for at in after)
                found.append((what, "late" if late else noted and "in time"))
    return found


def _flags(opened: OpenedLineup, entries: Entries, asked_at: str) -> list[str]:
    acts = entries.lineup
    found = []
    if not entries.stamped:
        found.append("The registration has no time-stamp: that it came first rests on the log alone.")
    if late_seals := [name for name, at in _seals(acts, entries) if at == "late"]:
        found.append(f"Time-stamped only after what was to come later: the seal of {' and of '.join(late_seals)}.")
    if any(not at for _, at in _seals(acts, entries)):
        found.append("The seal of the key, or that of the scores, has no time-stamp.")
    late = sum(is_after(one.drawn_at, asked_at) for one in opened.entries)
    if late:
        found.append(f"In {late} line-ups a decoy was drawn after the suspect was first asked: resampled at best.")
    undated = sum(one.tier in ("randomised", "kept") and moment(one.drawn_at) is None for one in opened.entries)
    if undated and not opened.coin:
        found.append(f"In {undated} line-ups it is not said when a decoy was drawn: resampled at best.")
    unknown = sum(not one.snapshot for one in opened.entries)
    if unknown:
        found.append(f"In {unknown} line-ups the state of the reference is not known, or not the same for all members.")
    if seen := shown(opened.bags):
        found.append(
            f"In {seen} line-ups a later turn of the conversation shows what was delivered: scoring them was not blind."
        )
    if several := shared(opened):
        found.append(
            f"In {several} line-ups answers went to accounts of several registered groups: they count for none of them."
        )
    case = entries.registration.case
    missing = [code for code in scored_models(case, opened.plan) if code not in opened.tables]
    if missing:
        found.append(f"Not scored: {', '.join(missing)}.")
    if lax := laxer(opened.plan.limits):
        found.append(f"Limits of the checks are laxer than where a case registers none: {', '.join(lax)}.")
    if opened.taken_off_undated():
        found.append(
            f"{opened.minus}, which is taken off, is not dated before the deliveries: that it never learnt the fillers "
            "is its owner's word."
        )
    if opened.plan.chosen_with == "suspect":
        found.append("The accounts were chosen by answers of the suspect: the test is circular.")
    return found
