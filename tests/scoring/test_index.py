"""What is counted of a population in parts, and added to later, is what counting it whole gives."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from depose.case.population import Population
from depose.detectors.first_words import first_words
from depose.detectors.phrases import phrases
from depose.features.extract import Features
from depose.scoring import counting
from depose.scoring.index import Index, extended
from depose.scoring.tally import rates
from populations import population

NAMES = ("phrases", "habits")


def holders_of(one: Index) -> list[dict[tuple[int, ...], int]]:
    """Lay out an index as counts by mask, for every row."""
    return [
        {tuple(one.words[mask].tolist()): int(one.times[mask]) for mask in range(start, end)}
        for start, end in zip(one.ends, one.ends[1:], strict=False)
    ]


def without_last(made: Population) -> Population:
    """Leave the last model out."""
    return msgspec.structs.replace(made, members=made.members[:-1], answers=tuple(row[:-1] for row in made.answers))


@pytest.mark.parametrize("models", [9, 64, 65])
def test_a_model_added_later_counts_as_if_it_had_been_there(models: int) -> None:
    """Masks and profiles are the same, also where the new model needs a word of bits of its own."""
    made = population(models, 4)
    whole, part = counting.count(made, NAMES), counting.count(without_last(made), NAMES)
    mine = counting.seen([row[-1] for row in made.answers])
    for name, declared in (("phrases", phrases), ("starts", next(iter(counting.declared(["starts"]))))):
        added = extended(part.shared[name], declared, mine, models - 1, Features())  # type: ignore[arg-type]
        wanted = holders_of(whole.shared[name].lean())
        assert holders_of(added) == [{mask[: added.words.shape[1]]: n for mask, n in row.items()} for row in wanted]
    tally = part.said["first_words"].tally(models - 1).extended(first_words, mine, Features())
    all_at_once = whole.said["first_words"].tally(models)
    assert tally.vocabulary.tolist() == all_at_once.vocabulary.tolist()
    assert tally.counts.tolist() == all_at_once.counts.tolist()


def test_rows_counted_apart_are_joined_in_order() -> None:
    """Slices of a population, counted on several processes, give what one process gives, to the byte."""
    made = population(7, 5)
    whole = counting.count(made, NAMES, lean=True)
    parts = counting.joined([counting.count(made.cut(rows), NAMES, lean=True) for rows in ([0, 1], [2], [3, 4])])
    for name, one in whole.shared.items():
        assert one.words.tobytes() == parts.shared[name].words.tobytes()
        assert one.times.tobytes() == parts.shared[name].times.tobytes()
        assert one.ends.tolist() == parts.shared[name].ends.tolist()
    for name, said in whole.said.items():
        assert (said.rows, parts.said[name].rows) == (5, 5)
        for field in ("row", "model", "word"):
            assert getattr(said, field).tolist() == getattr(parts.said[name], field).tolist()


def test_what_reads_ahead_is_counted_apart() -> None:
    """A detector for which a model reads the answers is left to the process that has the model."""
    made = population(5, 4)
    read = Features(mask=lambda texts: [text.split() for text in texts])
    assert set(counting.count(made, ("style", "phrases")).shared) == {"phrases"}
    assert set(counting.count(made, ("style", "phrases"), features=read).shared) == {"style"}


def test_a_model_without_a_word_has_no_profile() -> None:
    """Who said nothing is compared with nobody, as in a case."""
    table = np.array([[1.0, 2.0], [0.0, 0.0], [4.0, 1.0]])
    made = rates(first_words, np.array([5, 6], np.uint64), [table], shape=(1, 3))
    means = made.means(np.array([0, 1, 2]))[0]
    assert np.isnan(means[1]).all()
    assert np.isfinite(means[0, 2])
