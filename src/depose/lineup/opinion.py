"""Which opinion follows from which numbers: a table and nothing else.

| opinion | when |
|---|---|
| `inconclusive` | any reason below, whatever p is |
| `indication` | p, Holm over the suspects, is at most alpha |
| `no indication` | p above alpha, and power of at least .8 against the registered share and strength |

| reason | what fails |
|---|---|
| `decoys` | there are none, or they were drawn after the suspect was first asked though the tier says otherwise |
| `few` | fewer line-ups whose scores differ than registered (of a corpus: line-ups); or p above alpha, power below .8 |
| `tier` | answers of a changed model, or of one whose state nobody noted |
| `circular` | the accounts were chosen by answers of the suspect |
| `diagnostics` | a control is not uniform, or one that the tier needs could not be made |
| `drift` | what the negative controls leave open is as large as the effect |
"""

from __future__ import annotations

from dataclasses import dataclass

from depose.model.lineup import DiagnosticResult, LineupReason
from depose.model.lineup_findings import LineupOpinion
from depose.model.lineup_plan import LineupLimits, Tier

POWER = 0.8
NEEDED: dict[Tier, tuple[str, ...]] = {
    "randomised": (),
    "kept": ("D1", "D2", "D3"),
    "resampled": ("D1", "D2", "D3", "D4", "D5"),
    "drifted": (),
}
"""Diagnostics without which there is no opinion, by tier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LineupGrounds:
    """All that the opinion looks at."""

    tier: Tier
    snapshot_known: bool
    decoys: int
    """Fillers in all."""
    late_decoys: bool
    """Drawn after the suspect was first asked, though the tier says that they were kept or randomised."""
    chosen_with: str
    informative: int
    log10_p: float
    log10_alpha: float
    area: float
    drift: float | None
    power: float
    diagnostics: tuple[DiagnosticResult, ...]
    limits: LineupLimits


def needed(tier: Tier, limits: LineupLimits) -> tuple[str, ...]:
    """Name the diagnostics that an opinion needs: as registered, else those of the tier."""
    return NEEDED[tier] if limits.required is None else limits.required


def failed(diagnostics: tuple[DiagnosticResult, ...]) -> tuple[str, ...]:
    """Name the diagnostics that block: then the p-value is not valid here."""
    return tuple(one.name for one in diagnostics if one.blocking and one.passed is False)


def holds(tier: Tier, diagnostics: tuple[DiagnosticResult, ...]) -> bool:
    """Tell whether all that the tier itself asks for was made and holds, whatever a case registers as required."""
    passed = {one.name for one in diagnostics if one.passed}
    return tier != "drifted" and passed >= set(NEEDED[tier])


def laxer(limits: LineupLimits) -> tuple[str, ...]:
    """Name the limits of the checks that are laxer than where a case registers none, with both values."""
    usual = LineupLimits()
    found = {
        "diagnostic_alpha": limits.diagnostic_alpha < usual.diagnostic_alpha,
        "classifier": limits.classifier > usual.classifier,
        "unmatched": limits.unmatched > usual.unmatched,
        "controls": limits.controls < usual.controls,
    }
    return tuple(f"{name} {getattr(limits, name):g} for {getattr(usual, name):g}" for name, lax in found.items() if lax)


def decide(grounds: LineupGrounds) -> LineupOpinion:
    """Look the opinion up."""
    reaches = grounds.log10_p <= grounds.log10_alpha
    made = {one.name for one in grounds.diagnostics if one.passed is not None}
    lacking = [name for name in needed(grounds.tier, grounds.limits) if name not in made]
    drifts = reaches and grounds.drift is not None and grounds.drift >= grounds.area - 0.5
    few = grounds.informative < grounds.limits.bags or (not reaches and grounds.power < POWER)
    found: dict[LineupReason, bool] = {
        "decoys": grounds.decoys == 0 or grounds.late_decoys,
        "few": few,
        "tier": grounds.tier == "drifted" or not grounds.snapshot_known,
        "circular": grounds.chosen_with == "suspect",
        "diagnostics": bool(failed(grounds.diagnostics) or lacking),
        "drift": drifts,
    }
    reasons = tuple(name for name, holds in found.items() if holds)
    if reasons:
        return LineupOpinion(verdict="inconclusive", reasons=reasons)
    return LineupOpinion(verdict="indication" if reaches else "no indication", reasons=())
