"""What a case and its study say of pairs without a relation: control pairs, and ratios held to the case's bounds."""

from __future__ import annotations

from depose.model.base import Record


class NullPair(Record, frozen=True, kw_only=True):
    """Two controls in place of suspect and reference, in the same bag."""

    left: str
    right: str
    value: float
    """T of the two."""
    p: float
    """The larger of the two sides, as for the pair that is tested."""
    ratio: float | None
    """Capped likelihood ratio against an unrelated model, where one was fitted for such a score."""


class NullPairs(Record, frozen=True, kw_only=True):
    """All pairs of controls of one bag under the primary detector."""

    n: int
    at_alpha: int
    """Pairs with p at or below alpha."""
    as_close: int
    """Pairs with a T at least that of suspect and reference."""
    largest: float
    """The largest T among them."""
    rated: int
    """Pairs with a ratio."""
    mean_ratio: float | None
    """Mean of the ratios; at most about 1 where ratios are honest."""
    as_large: int
    """Pairs with a ratio at least that of suspect and reference."""
    pairs: tuple[NullPair, ...]
    """The closest first; all of them, up to a number at which the rest are counted only."""


class Reported(Record, frozen=True, kw_only=True):
    """Ratios of left-out pairs of the study, held to the widest bounds that one ratio of the case may reach."""

    against: str
    prompts: int
    """Prompts of the study's pairs: the nearest number at or below the case's."""
    n_true: int
    n_other: int
    cllr: float
    cllr_low: float | None
    cllr_high: float | None
    """95 %, bootstrap over families; None where the study does not say which pair is of which family."""
    cllr_min: float
    dev_pav: float
    """Mean distance, in powers of ten, from the best monotone recalibration, over the range in which it is finite."""
    mean_other: float
    """Mean ratio where H2 is true; at most about 1 where ratios are honest."""
    as_large: int
    """Of the other pairs, those with a ratio at least that of the case."""
