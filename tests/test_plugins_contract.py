"""What every installed probe, detector and provider must hold to; a package of plugins can run this file too."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from numpy.typing import NDArray

from depose import plugins
from depose.detectors import Combination, Profile, Similarity
from depose.features.extract import Bag, Features
from depose.model import Prompt
from depose.model.canonical import canonical
from depose.model.random_streams import stream
from fakes import STOCK, encode, mask

MODELS = ("S", "R", "C1", "C2", "C3")
MISSING = {(1, 3), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)}
"""Prompt and member of the answers that are not there."""


LEARNING = {"teacher_classifier"}
"""Detectors that learn from some prompts what to look for in others: right on the mean, not on each prompt."""
FORCED = 1
"""The prompt that is answered in a word or number."""


def bag() -> Bag:
    """Five models on six prompts, up to three samples each, with empty and odd answers, refusals, names and gaps."""
    rng = np.random.default_rng(5)
    prompts = tuple(Prompt(id=f"p{n}", family="f", cluster=f"f/{n}", text=f"Tell me of {STOCK[n]}.") for n in range(6))

    def said(prompt: int, member: int) -> str:
        if prompt == FORCED:
            return str(rng.integers(4))
        words = " ".join(rng.choice(STOCK[member : member + 6], rng.integers(20, 60)))
        begins = "I'm sorry, but I can't do that. " if rng.random() < 0.3 else ""
        ends = f"\n\nI was trained by {rng.choice(['OpenAI', 'Google', 'Mistral'])}." if rng.random() < 0.3 else ""
        return begins + words + ends

    def samples(prompt: int, member: int) -> tuple[str, ...]:
        if (prompt, member) in MISSING:
            return ()
        made = [said(prompt, member) for _ in range(1 + (prompt + member) % 3)]
        return ("\u202e\x00 *", "", *made) if (prompt, member) == (4, 2) else tuple(made)

    return Bag(
        models=MODELS,
        prompts=prompts,
        answers=tuple(tuple(samples(p, m) for m in range(len(MODELS))) for p in range(len(prompts))),
    )


def detect(name: str, one: Bag) -> list[Similarity | Profile]:
    """Run a detector with features of its own; a combination comes as its parts."""
    found = plugins.load("detectors", name)(one, Features(encode, mask))
    assert found.detector == name
    return list(found.parts) if isinstance(found, Combination) else [found]


def pairs(part: Similarity | Profile) -> NDArray[np.float64]:
    """Lay out a measure as [prompts, models, models]; what profiles count has no order of its own."""
    if isinstance(part, Similarity):
        return part.values
    counts = np.where(part.totals[:, :, None] > 0, part.counts, np.nan).astype(np.float64)
    return np.asarray(counts @ counts.swapaxes(1, 2), np.float64)


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_a_detector_measures_every_model_and_says_where_it_cannot(name: str) -> None:
    """Values are finite where both models answered, NaN (or no count) where one did not, and not all alike.

    A detector may leave out a prompt that it has nothing to say of, but only for everybody.
    """
    there = np.array([[(p, m) not in MISSING for m in range(5)] for p in range(6)])
    both = there[:, :, None] & there[:, None, :]
    for part in detect(name, bag()):
        if isinstance(part, Similarity):
            assert part.values.shape == (6, 5, 5)
            assert part.values.dtype == np.float64
            scored = both & ~np.isnan(part.values).all(axis=(1, 2), keepdims=True)
            assert np.isfinite(part.values[scored & ~np.eye(5, dtype=bool)]).all()
            assert np.isnan(part.values[~both]).all()
            assert len(np.unique(part.values[scored])) > 3
        else:
            assert part.counts.shape[:2] == part.totals.shape == (6, 5)
            assert (part.counts >= 0).all()
            assert (part.counts.sum(axis=2) <= part.totals + 1e-3).all()
            assert (part.totals[~there] == 0).all()
            assert (part.counts[~there] == 0).all()
            assert len(np.unique(part.totals)) > 3


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_a_detector_is_symmetric(name: str) -> None:
    """The likeness of a to b is that of b to a."""
    for part in detect(name, bag()):
        np.testing.assert_allclose(pairs(part), pairs(part).swapaxes(1, 2), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_a_detector_treats_the_members_of_a_bag_alike(name: str) -> None:
    """The same models in another order give the same numbers in that order: no role is special."""
    order = [3, 0, 4, 2, 1]
    one = bag()
    other = Bag(
        models=tuple(one.models[m] for m in order),
        prompts=one.prompts,
        answers=tuple(tuple(members[m] for m in order) for members in one.answers),
    )
    for before, after in zip(detect(name, one), detect(name, other), strict=True):
        np.testing.assert_allclose(pairs(after), pairs(before)[:, order][:, :, order], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_a_detector_is_deterministic(name: str) -> None:
    """The same bag gives the same bytes."""
    for first, second in zip(detect(name, bag()), detect(name, bag()), strict=True):
        assert pairs(first).tobytes() == pairs(second).tobytes()


@pytest.mark.parametrize("name", plugins.names("detectors"))
def test_a_detector_finds_a_copy_the_most_alike(name: str) -> None:
    """A model that repeats another word for word is the nearest to it on every prompt, and has its profile."""
    one = bag()
    single = tuple(tuple(samples[-1:] for samples in members) for members in one.answers)
    copied = tuple((members[4], *members[1:]) if members[4] else members for members in single)
    for part in detect(name, Bag(models=one.models, prompts=one.prompts, answers=copied)):
        if isinstance(part, Profile):
            shared = [p for p, members in enumerate(copied) if members[4]]
            np.testing.assert_array_equal(part.counts[shared, 0], part.counts[shared, 4])
            continue
        to_first = part.values[np.isfinite(part.values[:, 0, 4]), 0]
        assert len(to_first)
        if name in LEARNING:
            to_first = np.nanmean(to_first, axis=0, keepdims=True)
        assert (np.nanmax(to_first[:, 1:4], axis=1) <= to_first[:, 4] + 1e-12).all()


@pytest.mark.parametrize("name", plugins.names("probes"))
def test_a_probe_makes_what_is_asked_for_from_its_stream_alone(name: str) -> None:
    """The same stream gives the same prompts, another seed others; ids and texts differ, and names are its own."""
    probe = plugins.load("probes", name)
    made = probe(16, stream(7, "probe", name))
    assert made == probe(16, stream(7, "probe", name))
    assert made != probe(16, stream(8, "probe", name))
    assert len({prompt.id for prompt in made}) == len({prompt.text for prompt in made}) == 16
    assert {prompt.family for prompt in made} == {name}
    assert len({prompt.cluster for prompt in made}) == (4 if getattr(probe, "twins", False) else 16)
    assert canonical(made)
    assert all(prompt.text.strip() == prompt.text != "" for prompt in made)


@pytest.mark.parametrize("name", plugins.names("providers"))
def test_a_provider_opens_a_model_from_its_description_and_the_case_folder(name: str) -> None:
    """A provider is a function of a description and a folder."""
    assert len(inspect.signature(plugins.load("providers", name)).parameters) == 2
