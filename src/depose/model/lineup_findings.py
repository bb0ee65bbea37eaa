"""What the line-up finds of a suspect."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from depose.model.asking import Fact
from depose.model.base import Record
from depose.model.lineup import DiagnosticResult, Exposure, LineupReason, Passage
from depose.model.lineup_plan import LineupPlan, Statistic, Tier


class LineupOpinion(Record, frozen=True, kw_only=True):
    """A lookup and nothing else (`lineup/opinion.py`)."""

    verdict: Exposure
    reasons: tuple[LineupReason, ...]


class GammaPoint(Record, frozen=True, kw_only=True):
    """The largest p that unequal chances of being delivered allow."""

    gamma: float
    log10_p: float


class Rung(Record, frozen=True, kw_only=True):
    """The e-process after so many line-ups."""

    bags: int
    log10_e: float


class AccountLine(Record, frozen=True, kw_only=True):
    """What the line-ups of one account's deliveries say."""

    account: str
    bags: int
    level: float
    log10_e: float
    named: bool
    """Chosen by e-BH at a false-discovery rate of .1, under any dependence."""


class GroupFinding(Record, frozen=True, kw_only=True):
    """One suspect and one registered group of accounts: the same test on the line-ups of that group alone.

    Those whose answers went to accounts of another group as well are left out, since nobody can say whose they are.
    """

    group: str
    accounts: tuple[str, ...]
    tier: Tier
    standing: str
    bags: int
    informative: int
    picks: int
    expected_picks: float
    area: float
    low: float
    high: float
    log10_p: float
    log10_p_holm: float
    """Over all tests of the case: of every suspect all accounts together, and each group."""
    valid: bool
    """False where a diagnostic failed on the line-ups of this group."""
    log10_e: float
    named: bool
    """Chosen by e-BH over all suspects and groups, at a false-discovery rate of .1, under any dependence; never one
    that is not valid."""
    gamma: float
    """Gamma at which p, adjusted, reaches alpha; 1e6 stands for no less."""
    drift: float | None
    log10_p_drift: float | None
    tipping: float
    power: float
    diagnostics: tuple[DiagnosticResult, ...]
    opinion: LineupOpinion


class LineupMember(Record, frozen=True, kw_only=True):
    """One member of a line-up in an exhibit."""

    text: str
    score: float
    copies: int
    delivered: bool
    passage: Passage | UnsetType = UNSET
    """Where the nearest text in the corpus stands, where one was searched and holds any."""


class LineupExhibit(Record, frozen=True, kw_only=True):
    """One line-up set out: its context, its members by score, the suspect's own words."""

    number: int
    bag: str
    prompt: str
    """The last message of the user."""
    chosen: str
    """The part of the rule that chose it: top, median or bottom."""
    margin: float
    """Score of the best delivered member, less that of the best filler."""
    members: tuple[LineupMember, ...]
    """By score, the highest first."""
    own: tuple[str, ...] = ()
    """What the suspect itself said, where it was asked."""


class Assumption(Record, frozen=True, kw_only=True):
    """What the arithmetic cannot see: who attests it, and where it shows."""

    what: str
    attested_by: str
    shown_by: str


class LineupFinding(Record, frozen=True, kw_only=True):
    """One suspect: do its parameters depend on which answers were delivered to these accounts?"""

    suspect: str
    reference: str
    accounts: tuple[str, ...]
    statistic: Statistic
    minus: str
    """Code of the model whose log-likelihood was taken off; empty where none was."""
    tier: Tier
    """The worst among the bags that were tested."""
    standing: str
    """`confirmatory`; or `indicative` where the tier, a check that it asks for, lax limits, a missing snapshot, or
    a model taken off that is not dated before the deliveries, allow no more."""
    bags: int
    """Line-ups tested."""
    informative: int
    """Of them, those in which the suspect's scores differ."""
    fillers: float
    """Mean number of fillers."""
    several: int
    """Line-ups with more than one delivered answer."""
    log10_p: float
    """Of ranks as high or higher, under delivery at random: exact."""
    log10_p_holm: float
    """Over all tests of the case: of every suspect all accounts together, and each registered group. The smallest of
    this suspect's, of its groups those that are an `indication`: what was delivered to a group was to the accounts."""
    valid: bool
    """False where a diagnostic failed: then the p-value is printed struck through, as not valid here."""
    picks: int
    """Line-ups in which the suspect puts a delivered answer before all others."""
    expected_picks: float
    band: tuple[int, int]
    """Picks that chance alone gives in 95 of 100 such tests."""
    log10_p_picks: float
    area: float
    """Chance that a delivered answer is ahead of a filler of its bag; 1/2 if delivery is irrelevant."""
    low: float
    high: float
    """95 %, bootstrap over first messages."""
    share: float
    """Lower 95 % bound of the share of deliveries that left a trace."""
    histogram: tuple[int, ...]
    """Line-ups by rank share of the delivered answer, in ten equal bins from last to first."""
    expected_histogram: tuple[float, ...]
    """What delivery at random gives in each bin."""
    log10_e: float
    """The e-process after all line-ups: a ratio against delivery at random."""
    ladder: tuple[Rung, ...]
    gamma: float
    """Gamma at which p, Holm over the suspects, reaches alpha; 1e6 stands for no less."""
    gammas: tuple[GammaPoint, ...]
    drift: float | None
    """Upper 95 % bound of what negative controls do not exclude, as an area above one half; None without controls."""
    log10_p_drift: float | None
    """p against a null that drifted by that much."""
    tipping: float
    """Drift at which p, Holm over the suspects, reaches alpha."""
    power: float
    """Of this test against the registered share and strength, at the registered alpha, Holm over the suspects."""
    cap: float
    cap_reason: str
    capped_log10_e: float
    words: str
    """The verbal equivalent of the capped ratio."""
    diagnostics: tuple[DiagnosticResult, ...]
    opinion: LineupOpinion
    by_account: tuple[AccountLine, ...]
    groups: tuple[GroupFinding, ...] | UnsetType = UNSET
    """Of each registered group, in the order of their names."""
    exhibits: tuple[LineupExhibit, ...]


class LineupAct(Record, frozen=True, kw_only=True):
    """One act in the log."""

    name: str
    at: str
    digest: str
    stamped: str
    """Time of its verified time-stamp; empty where it has none."""


class LineupFindings(Record, frozen=True, kw_only=True):
    """All that the line-up chapter of a report says."""

    plan: LineupPlan
    bags: str
    """SHA-256 of the file of bags."""
    commitment: str
    """SHA-256 of the key."""
    custodian: str
    acts: tuple[LineupAct, ...]
    tally: tuple[Fact, ...]
    tables: tuple[Fact, ...]
    """Digest of each model's table of scores."""
    flags: tuple[str, ...]
    """What a reader must know of the order of acts, one sentence each."""
    assumptions: tuple[Assumption, ...]
    exhibit_rule: str
    findings: tuple[LineupFinding, ...]
