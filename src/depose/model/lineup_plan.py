"""The line-up as a case registers it, before a bag is built."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from depose.model.base import Code, Count, Record, Text

Tier = Literal["randomised", "kept", "resampled", "drifted"]
"""How the answers that were not delivered came to be, the best first: it decides what may be concluded."""
Statistic = Literal["likelihood", "text", "continuation", "corpus"]
"""What a member's score is: log-likelihood, likeness to answers, continuation of its beginning, search in a corpus."""


PARTS = ("fuzzy", "grams", "vectors")
"""Of the likeness of answers, by their names in `weights`."""
DIAGNOSTICS = ("D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8")
ASSUMED = ("log", "draw", "sampler", "accounts", "frozen", "training", "form", "exclusions")
"""Keys of the assumptions that somebody attests."""


class LineupLimits(Record, frozen=True, kw_only=True):
    """When a diagnostic fails, and what is needed for an opinion."""

    diagnostic_alpha: Annotated[float, Meta(gt=0, lt=1)] = 0.01
    """A control whose p is at or below this is not uniform; several are counted together by Holm."""
    classifier: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    """Distance from one half at which the blind classifier (D2) blocks, however few line-ups there are."""
    bags: Annotated[int, Meta(ge=1, le=1_000_000)] = 100
    """Line-ups with two different members that an opinion needs."""
    unmatched: Annotated[float, Meta(ge=0, lt=1)] = 0.01
    """Share of contexts that may be missing in one of the two files."""
    controls: Annotated[int, Meta(ge=0, le=1_000)] = 3
    """Models older than the first delivery that D3 asks for."""
    required: tuple[str, ...] | None = None
    """Diagnostics without which there is no opinion, such as D2; none: those of the tier."""


class Cap(Record, frozen=True, kw_only=True):
    """The most that a ratio may say: what the arithmetic cannot see is custody and premises."""

    value: Annotated[float, Meta(ge=1, le=1e6)]
    """The ratio at which words and figures end."""
    reason: Text
    """Why this one: a convention, not a measurement."""


class LineupPlan(Record, frozen=True, kw_only=True):
    """The line-up: what is registered before a bag is built."""

    accounts: Annotated[tuple[str, ...], Meta(min_length=1)]
    """Codes of the accounts in question, chosen without the suspect."""
    groups: dict[Code, Annotated[tuple[str, ...], Meta(min_length=1)]] | UnsetType = UNSET
    """Names of groups of these accounts, such as clusters of a scan, each with its codes: every account in exactly one.
    Each is tested by itself too, with its own p, Holm over all, and opinion."""
    chosen_by: Text
    """How the accounts were chosen, and by whom."""
    sampling: Text
    """Which of their deliveries are taken, as a rule that another can follow."""
    chosen_with: Literal["logs", "order", "suspect"] = "logs"
    """What the choice rests on: logs alone, an order or subpoena, or answers of the suspect, which is circular."""
    matched: tuple[str, ...] = ()
    """Codes of accounts like them that are not in question."""
    bags: Count = 1_000
    """Line-ups at most; of more, a random choice is taken."""
    fillers: Annotated[int, Meta(ge=1, le=99)] = 4
    """Decoys of a delivered answer at most."""
    tier: Tier = "resampled"
    """How the decoys come to be; bags of a lower tier are not taken."""
    coin: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")] | UnsetType = UNSET
    """SHA-256 of the key of the coin that chose what was delivered; without it `randomised` counts as `kept`."""
    coin_marks: bool | UnsetType = UNSET
    """Whether each line of the log of its throws carries a mark of the coin, as its server writes them: a log without
    any, from which lines could be left out, is then refused."""
    statistic: Statistic = "likelihood"
    """What decides."""
    minus: Code | None = None
    """Code of the model whose log-likelihood is taken off: the suspect's own base, else the reference."""
    samples: Annotated[int, Meta(ge=1, le=1_000)] = 8
    """Answers of the suspect for each bag, where it is asked."""
    weights: dict[str, Annotated[float, Meta(ge=0)]] = {}
    """Weights of `fuzzy`, `grams` and `vectors` in `text` and `continuation`; none: 1 each of the first two."""
    strengths: tuple[Annotated[float, Meta(gt=0, le=100)], ...] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
    """Grid of the e-process."""
    controls: tuple[Code, ...] = ()
    """Models older than the first delivery (D3)."""
    snapshots: tuple[Code, ...] = ()
    """Later states of the reference (D7)."""
    reference: Code | None = None
    """Model that is the archived reference (D1); none: the first one with that role."""
    cutoff: Annotated[str, Meta(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z")] = ""
    """Last day of the suspect's training data, as its maker says: later deliveries are controls (D6)."""
    limits: LineupLimits = LineupLimits()
    """Of the diagnostics, and of what an opinion needs."""
    share: Annotated[float, Meta(gt=0, le=1)] = 0.3
    """Share of the deliveries for which power is stated."""
    learnt: Annotated[float, Meta(gt=0.5, le=1)] = 0.75
    """Area of a learnt delivery for which power is stated."""
    attested: dict[str, str] = {}
    """Who attests `log`, `draw`, `sampler`, `accounts`, `frozen`, `training`, `form`, `exclusions` (checklist)."""
    cap: Cap | None = None
    """None: that of the tier."""
