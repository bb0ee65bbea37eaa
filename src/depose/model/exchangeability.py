"""Whether suspect and reference could be two more of the controls: records of what is known of it."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from depose.model.base import Record


class Eligible(Record, frozen=True, kw_only=True):
    """One model of the registry that the controls were drawn from."""

    code: str
    name: str
    data_lineage: str
    released: str
    eligible: bool
    """Clean for every suspect, reference and question."""
    drawn: bool
    reason: str
    """Why it was not drawn."""


class Era(Record, frozen=True, kw_only=True):
    """The controls of a finding in time, beside suspect and reference."""

    suspect: str
    reference: str
    oldest: str
    """First release among the controls; empty where none is dated."""
    newest: str
    near: int
    """Controls released in the years of suspect and reference: between the two, or not far from them."""
    needed: int
    """How many of the controls must be."""
    undated: tuple[str, ...]
    """Controls whose release is not known; they count as not near."""
    inside: bool
    """Whether the rule holds; it never does where suspect or reference is not dated."""


class Clade(Record, frozen=True, kw_only=True):
    """Controls that are closer to each other than the pair, or than chance makes them: they count as one lineage."""

    models: tuple[str, ...]
    t: float
    """Mean T of the last two groups that were joined."""


class Peculiar(Record, frozen=True, kw_only=True):
    """How far a model stands from everybody, beside the controls."""

    model: str
    value: float
    """Root mean square of its T with all others of the bag; 1 is typical."""
    rank: int
    """1: more peculiar than every control."""
    of: int
    """Controls, and the model itself."""


class Subsets(Record, frozen=True, kw_only=True):
    """The primary result with random subsets of the controls: what another choice of controls would have given."""

    size: int
    draws: int
    at_alpha: int
    """Subsets with p <= alpha."""
    p_low: float
    p_median: float
    p_high: float


class Exchangeability(Record, frozen=True, kw_only=True):
    """Could suspect and reference be two more of the controls? What is known of it, for one finding."""

    era: Era
    k_by_name: int
    """Independent control lineages by their names."""
    k_by_likeness: int | None
    """The same by likeness: a clade counts once. None where the primary detector gave no scores."""
    clades: tuple[Clade, ...]
    peculiar: tuple[Peculiar, ...]
    """Suspect and reference; empty without scores."""
    subsets: Subsets | None
    """None with no more controls than a subset has, and without scores."""
    mute: tuple[str, ...] | UnsetType = UNSET
    """Controls that answered or said too little to witness anything: used, and not counted by likeness."""

    @property
    def k_eff(self) -> int:
        """The smaller of both counts."""
        return self.k_by_name if self.k_by_likeness is None else min(self.k_by_name, self.k_by_likeness)
