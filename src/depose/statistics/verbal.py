"""Verbal equivalents of likelihood ratios: published conventions, printed whole wherever a word is used.

A value on an edge between two bands takes the lower, weaker word. The word is chosen from the conservative end
of the interval (the end nearer to 1); an interval that spans 1 has no word, nor has one whose end lies between 1 and
the 2 at which the documents begin.
"""

from __future__ import annotations

from depose.model import Band, Scale

SPANS_ONE = "the findings do not discriminate"
NO_WORD = "below the scale, which has no word for it"


def _scale(name: str, document: str, year: int, *bands: tuple[float, str]) -> Scale:
    rows = tuple(Band(above=above, words=words) for above, words in bands)
    return Scale(id=name, document=document, year=year, checked=False, bands=rows)


SCALES = {
    "enfsi-2015": _scale(
        "enfsi-2015",
        "ENFSI Guideline for Evaluative Reporting in Forensic Science, M1",
        2015,
        (2, "weak support"),
        (10, "moderate support"),
        (100, "moderately strong support"),
        (1_000, "strong support"),
        (10_000, "very strong support"),
        (1_000_000, "extremely strong support"),
    ),
    "swgdam-2018": _scale(
        "swgdam-2018",
        "SWGDAM Recommendations on Verbal Equivalents of Likelihood Ratios",
        2018,
        (2, "limited support"),
        (100, "moderate support"),
        (10_000, "strong support"),
        (1_000_000, "very strong support"),
    ),
}

PRINTED = {
    "enfsi-2015": ("2 – 10", "10 – 100", "100 – 1,000", "1,000 – 10,000", "10,000 – 1,000,000", "1,000,000 and above"),
    "swgdam-2018": ("2 – 99", "100 – 9,999", "10,000 – 999,999", "1,000,000 and above"),
}
"""The numbers of each band as its document prints them, gaps and edges in common included."""


def word(low: float, high: float, scale: Scale) -> str:
    """Name the band of an interval of likelihood ratios, with the proposition that it favours.

    Raises ValueError for an interval that is not one of positive numbers in order.
    """
    if not 0 < low <= high:
        raise ValueError(f"not an interval of likelihood ratios: {low} to {high}")
    if low <= 1 <= high:
        return SPANS_ONE
    favours, size = ("H1 over H2", low) if low > 1 else ("H2 over H1", 1 / high)
    bands = [one for one in scale.bands if size > one.above]
    return f"{bands[-1].words} for {favours}" if bands else f"{NO_WORD}, for {favours}"
