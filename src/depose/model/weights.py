"""What a comparison of two sets of weights finds."""

from __future__ import annotations

from typing import Literal

from depose.model.base import Record

TestKind = Literal[
    "order of units",
    "signs of units",
    "order of value dimensions",
    "signs of value dimensions",
    "order of the model's dimensions",
]
WeightReading = Literal["not independent", "nothing against independence", "not testable"]

EMBEDDINGS_ALONE = "embeddings alone"
"""What the caution begins with where hidden layers tell nothing, and a table of embeddings is all that speaks."""

NOT_COMPARED = "not compared: "
"""And where no test could be made of weights that were read, before the reason."""


class WeightTests(Record, frozen=True, kw_only=True):
    """All tests of one kind, combined by Fisher's method; they are independent of each other under the null."""

    kind: TestKind
    n: int
    """Layers (or heads) with a test that counts."""
    log10_p: float
    """Logarithm to base 10 of the combined p-value; at most 0."""
    again_log10_p: float | None = None
    """The same of the second look at an order, by signs of weights alone and by neighbours; None for tests of signs."""


class WeightLayer(Record, frozen=True, kw_only=True):
    """One layer of the suspect beside the layer of the reference that it is closest to."""

    kind: Literal["mlp", "attention"]
    label: str
    """Number of the layer, counted from 0; of a mixture, with the number of the expert."""
    closest: str
    """The layer of the reference whose units it matches best, whatever their order and signs."""
    units: int
    matched: int
    """Units that the tests look at: the surest of those that choose each other, at most 128 (in each head)."""
    cosine: float
    """Median cosine of those matched rows; of independent models that of chance for the number of units."""
    margin: float
    """Mean of how much closer the best match is than the second; near 0 for independent models."""
    order_log10_p: float
    """Of the order of matched units, by all pairs of them."""
    again_log10_p: float | None = None
    """Of the order of units that are matched by the signs of their weights alone, by neighbours; it must speak too."""
    signs_log10_p: float | None
    """None for an MLP without gate, whose units have no free sign."""
    counted: bool
    """Each layer of either model counts once, with the copies that it has in its model, in its best match."""


class WeightMap(Record, frozen=True, kw_only=True):
    """Every MLP of the suspect (rows) against every MLP of the reference (columns)."""

    suspect: tuple[str, ...]
    reference: tuple[str, ...]
    margins: tuple[tuple[float, ...], ...]
    """How much closer the best match of a unit is than the second, on average; it knows neither order nor signs."""
    order_log10_p: tuple[tuple[float, ...], ...]
    """Of the order of the 32 surest matches. Cells of one row depend on each other; nothing is combined from them."""


class WeightFinding(Record, frozen=True, kw_only=True):
    """Were these weights initialised independently? One suspect, one reference."""

    suspect: str
    reference: str
    suspect_files: dict[str, str]
    """SHA-256 of each file that was read, by its name."""
    reference_files: dict[str, str]
    """SHA-256 of each file that was read, by its name."""
    reading: WeightReading
    """Follows from `log10_p` and `alpha` alone; never from shapes, configurations or tokenizers."""
    log10_p: float
    """All tests together, by Fisher's method: with orders as the first look has them, or the second if that is more."""
    alpha: float
    """The p-value up to which the weights are called not independent."""
    tests: tuple[WeightTests, ...]
    layers: tuple[WeightLayer, ...]
    map: WeightMap
    alignment: str
    """How the two models' spaces were laid over each other before units were compared."""
    support: dict[str, str]
    """Shapes, vocabularies, embeddings: facts that decide nothing."""
    cautions: tuple[str, ...] = ()
