"""What a bundle says of a line-up: that its acts came in order was read with the log; here is what they rest on."""

from __future__ import annotations

from msgspec import UnsetType

from depose.analysis import results
from depose.custody.bundle import HINT, Read, content
from depose.custody.kinds import LOG
from depose.errors import CaseError, EvidenceError
from depose.evidence.lineup_acts import LineupActs
from depose.lineup.acts import scored_models
from depose.lineup.reading import read_as_built, read_as_scored, throws
from depose.model.canonical import sha256


def line_ups(read: Read) -> tuple[list[str], list[str]]:
    """Compare the recorded test with the findings, and say what the acts show and what they cannot."""
    acts = read.entries.lineup
    if acts is None:
        return [], []
    checks = [
        f"the acts of the line-up of {acts.built.count} bags, in order: {', '.join(one.name for one in acts.dated)}"
    ]
    missing = [
        "that deliveries and decoys came from the reference: only their digests are here, and their owner attests them"
    ]
    _as_recorded(read, acts)
    _coin(read, acts, checks, missing)
    for one in acts.tables:
        missing.append(f"the scores of {one.model} in the line-up: made with what its facts name, and not made again")
    if acts.opened is None:
        missing.append("which members of the line-up were delivered: the key is not open")
    if acts.tested:
        name = f"out/{results.FINDINGS}"
        if sha256(content(read.bundle, name)) != acts.tested:
            raise EvidenceError(
                f"{name}: not the findings whose digest was recorded when the line-up was tested", hint=HINT
            )
        checks.append("the findings are those whose digest was recorded when the line-up was tested")
    return checks, missing


def _as_recorded(read: Read, acts: LineupActs) -> None:
    """Read bags and tables, whether the key is open or not: each is what its record says, of a model that is scored."""
    case = read.entries.registration.case
    if isinstance(case.lineup, UnsetType):
        raise EvidenceError(f"{LOG}: bags of a line-up that the protocol does not register", hint=HINT)
    scored = scored_models(case, case.lineup)
    try:
        data = content(read.bundle, f"evidence/blobs/{acts.built.bags}")
        read_as_built(acts, data)
        for one in acts.tables:
            if one.model not in scored or one.statistic != case.lineup.statistic:
                raise CaseError(
                    f"a table of {one.model[:40]} by {one.statistic}, which the line-up does not score so",
                    hint=f"it scores {', '.join(scored)} by {case.lineup.statistic}",
                )
            read_as_scored(one, content(read.bundle, f"evidence/blobs/{one.table}"), data)
    except CaseError as error:
        raise EvidenceError(f"{LOG}: {error.message}", hint=error.hint) from error


def _coin(read: Read, acts: LineupActs, checks: list[str], missing: list[str]) -> None:
    """Check the throws of a registered coin once they are shown, and say what rests on its owner's word."""
    case = read.entries.registration.case
    plan = case.lineup
    if isinstance(plan, UnsetType) or plan.tier != "randomised":
        return
    if isinstance(plan.coin, UnsetType):
        missing.append("that a coin chose what was delivered: none was registered, and the fillers count as kept")
        return
    try:
        found = throws(
            case, plan, acts, lambda name: content(read.bundle, f"evidence/blobs/{name}"), read.entries.registered_at
        )
    except CaseError as error:
        raise EvidenceError(f"{LOG}: {error.message}", hint=error.hint) from error
    if found is None:
        missing.append("that the registered coin chose what was delivered: its key and its throws are not shown")
        return
    checks.append(f"the bags follow from {found.requests} throws of the registered coin")
    if not found.chained:
        missing.append(
            "that no throw was left out, added or changed by who kept their log: its lines carry no marks of the coin"
        )
    if found.early:
        missing.append(
            f"that the coin was fixed before {found.early} of its {found.requests} throws: they are dated before it "
            "was registered"
        )
