"""The tree of likeness: the clades of known families, and support that follows the evidence."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from depose.analysis.analyze import analyze
from depose.detectors import Combination, Profile, Similarity
from depose.features.extract import Features
from depose.model import Tree
from depose.statistics.centring import score
from depose.statistics.tree import tree
from dossiers import dossier, spec

NAMES = ("A1", "A2", "A3", "B1", "B2", "C1", "C2", "D")


def families(prompts: int = 40, noise: float = 0.1, within: float = 0.5) -> Similarity:
    """Models of one letter are alike by `within` on average, others by nothing."""
    rng = np.random.default_rng(3)
    same = np.array([[a[0] == b[0] for b in NAMES] for a in NAMES], dtype=float)
    drawn = rng.normal(0, noise, size=(prompts, len(NAMES), len(NAMES)))
    return Similarity(detector="made", values=within * same + drawn + np.swapaxes(drawn, 1, 2))


def made(measured: Similarity | Combination, clusters: int = 40, draws: int = 200) -> Tree:
    """The tree of eight models."""
    rows = len(measured.values) if isinstance(measured, Similarity) else 40
    return tree(measured, NAMES, [f"c{i % clusters}" for i in range(rows)], draws, np.random.default_rng(1))


def clades(found: Tree) -> dict[frozenset[str], int]:
    """The models below each join, with its support."""
    below = [frozenset((model,)) for model in found.models]
    for join in found.joins:
        below.append(below[join.left] | below[join.right])
    return {members: join.support for members, join in zip(below[len(found.models) :], found.joins, strict=True)}


def test_known_families_are_clades_with_full_support() -> None:
    """Each family is a clade in every draw, all models are one in every draw, and a join is the mean T across it."""
    measured = families()
    found = clades(made(measured))
    for letter in "ABC":
        assert found[frozenset(name for name in NAMES if name[0] == letter)] == 200
    assert found[frozenset(NAMES)] == 200
    t = score(measured).t
    pair = next(join for join in made(measured).joins if {join.left, join.right} == {3, 4})
    assert pair.t == pytest.approx(t[3, 4])
    last = made(measured).joins[-1]
    assert last.t < 0 < pair.t


def test_joins_are_those_of_average_linkage_by_hand() -> None:
    """Heights never rise, every place is used once, and each join is the mean of T over the pairs across it."""
    measured = families(prompts=5, noise=0.4)
    found, t = made(measured, clusters=5), score(measured).t
    below = [[m] for m in range(len(NAMES))]
    for join in found.joins:
        across = np.mean([t[a, b] for a in below[join.left] for b in below[join.right]])
        assert join.t == pytest.approx(across)
        below.append(below[join.left] + below[join.right])
    assert [join.t for join in found.joins] == sorted((join.t for join in found.joins), reverse=True)
    used = sorted(place for join in found.joins for place in (join.left, join.right))
    assert used == list(range(2 * len(NAMES) - 2))


def test_noise_has_little_support_and_duplicated_prompts_add_none() -> None:
    """Clades of pure noise come and go; copies of the prompts in the same clusters change no count."""
    noise = families(within=0.0)
    found = clades(made(noise))
    inner = [support for members, support in found.items() if members != frozenset(NAMES)]
    assert np.mean(inner) < 120
    twice = Similarity(detector="made", values=np.concatenate([noise.values, noise.values]))
    assert clades(made(twice)) == found


def test_parts_of_a_combination_weigh_the_same() -> None:
    """A part on another scale changes neither clades nor T; a profile counts over all prompts drawn."""
    one = families()
    large = Similarity(detector="large", values=one.values * 1_000)
    assert made(Combination(detector="both", parts=(one, large))).joins == made(one).joins
    counts = np.zeros((40, len(NAMES), 4), dtype=np.float32)
    for m, name in enumerate(NAMES):
        counts[:, m, "ABCD".index(name[0])] = 3
    profile = Profile(detector="profile", counts=counts, totals=np.full((40, len(NAMES)), 10, dtype=np.float32))
    assert frozenset(("A1", "A2", "A3")) in clades(made(Combination(detector="both", parts=(one, profile))))


def test_a_model_that_cannot_be_compared_is_left_out() -> None:
    """Without a prompt in common with the others there is no place for it in the tree."""
    values = families().values.copy()
    values[:, 3, :] = values[:, :, 3] = np.nan
    found = made(Similarity(detector="made", values=values))
    assert found.left_out == ("B1",)
    assert "B1" not in found.models and len(found.joins) == len(NAMES) - 2
    values[:, 4:, :] = values[:, :, 4:] = np.nan
    with pytest.raises(ValueError, match="needs 5"):
        made(Similarity(detector="made", values=values))


def test_agreement_in_nothing_makes_no_tree() -> None:
    """Where all similarities are equal there is nothing to join by."""
    with pytest.raises(ValueError, match="agree"):
        made(Similarity(detector="made", values=np.zeros((5, 8, 8))), clusters=5)


def test_analysis_finds_teacher_and_student() -> None:
    """A copy and its teacher are the closest join of the case, in every draw; the rest of the findings ignores it."""
    controls = [spec(f"C{i}", "control") for i in range(6)]
    case = dossier([spec("S1", "suspect"), spec("R1", "reference"), *controls], {"S1": "R1"})
    found = analyze(case, Features(), lambda _: None).findings
    assert found.tree is not None
    first = found.tree.joins[0]
    assert {found.tree.models[first.left], found.tree.models[first.right]} == {"S1", "R1"}
    assert first.support == found.tree.draws == case.registration.case.protocol.bootstrap
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
    few = dossier([spec("S1", "suspect"), spec("R1", "reference"), *controls[:2]], {"S1": "R1"})
    assert analyze(few, Features(), lambda _: None).findings.tree is None
