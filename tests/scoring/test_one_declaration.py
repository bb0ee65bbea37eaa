"""A counting detector is one declaration and one entry point: analysis, validation and matrix then score with it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from depose import plugins
from depose.analysis.scored_bags import Bench
from depose.batch import base as bases
from depose.batch import rows, run
from depose.case.population import Member, Population
from depose.detectors.declaration import Alone, Combined, Counting, Habit, Shared, singles
from depose.errors import AnalysisError
from depose.features.compared import SEE_LAYOUT, SEE_NAMES
from depose.features.extract import Features
from depose.model import Dossier, Primary
from depose.scoring.bags import Bags
from depose.scoring.engine import score_bag
from depose.validate.scoring import prepare
from dossiers import dossier, spec
from fakes import install
from populations import population

DECLARED = """
from depose.detectors.declaration import Combined, Habit, Shared

endings = Shared(
    detector="endings", of=lambda features, text: features.numbers(text.split()[-13:-7]), drop_prompt=True
)
ticks = Habit(detector="ticks", of=lambda features, text: features.ids(text)[-8:], most=30)
manners = Combined(detector="manners", parts=(endings, ticks))
"""
NAMES = ("endings", "ticks", "manners")
ENTRY_POINTS = "[depose.detectors]\n" + "".join(f"{name} = new_detectors:{name}\n" for name in NAMES)
CODES = ("S1", "R1", *(f"C{number}" for number in range(1, 8)))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a package that declares three detectors in one file."""
    site = install(tmp_path / "site", ENTRY_POINTS, "new_detectors")
    (site / "new_detectors.py").write_text(DECLARED)
    monkeypatch.syspath_prepend(site)


def population_of(one: Dossier) -> Population:
    """Put the answers of a case into a population."""
    said = {(t.model, t.prompt): t.text for t in one.transcripts}
    prompts = one.registration.prompts
    members = tuple(
        Member(
            name=spec.code,
            family=spec.data_lineage,
            developer=spec.developer,
            weight_lineage=spec.weight_lineage,
            data_lineage=spec.data_lineage,
            trained_on=(),
            hub=False,
        )
        for spec in one.registration.case.models
    )
    return Population(
        source="made",
        members=members,
        pairs=(),
        tasks=(),
        rows=tuple((prompt.id, 0) for prompt in prompts),
        prompts=tuple(prompt.text for prompt in prompts),
        answers=tuple(tuple(said.get((m.name, prompt.id)) for m in members) for prompt in prompts),
    )


def test_a_detector_declared_once_is_scored_by_all_three(installed: None) -> None:
    """T is one number in a case, for the pairs of a population and in a row of the matrix; one answer misses."""
    roles = ("suspect", "reference", *("control",) * 7)
    made = dossier([spec(code, role) for code, role in zip(CODES, roles, strict=True)], {"S1": "R1"})
    made = msgspec.structs.replace(made, transcripts=made.transcripts[:40] + made.transcripts[41:])
    bench = Bench(made, Features(), lambda _: None)
    case = [bench.scored(CODES, name).scores.t[0, 1] for name in NAMES]
    assert case[0] > 1
    assert np.isfinite(case).all()

    people = population_of(made)
    found, _ = prepare(people, NAMES, 7, None, 1)
    used = [one.code for one in Bags(people).controls("S1", "R1").used]
    assert sorted(used) == sorted(CODES[2:])
    scores = score_bag(found, [CODES.index(code) for code in CODES])
    assert [scores[name][0, 0, 1] for name in NAMES] == pytest.approx(case, abs=1e-5)

    shared = run.only(people, set(CODES[1:]))
    base = bases.build(shared, [bases.count(shared, NAMES)], NAMES)
    (order,) = rows.orders(people, ("S1",), ("R1",), CODES[2:], "base")
    (cell,) = rows.parse(rows.Bench(base).row(order), "row").cells
    assert [one.detector for one in cell.scores] == list(NAMES)
    assert [one.t for one in cell.scores] == pytest.approx(case, abs=1e-5)


@pytest.mark.parametrize("name", ["embedding", "rare_items", "style"])
def test_a_matrix_is_scored_by_what_counts(name: str) -> None:
    """Vectors, a function of the whole bag and what a tagger reads first are refused by name."""
    with pytest.raises(AnalysisError, match=f"detector '{name}': is not one that counts"):
        bases.count(population(5, 4), ("phrases", name))


def test_what_counts_sees_words_alone() -> None:
    """What counts is never given layout, nor the sentences in which a model names itself."""
    seeing = [plugins.load("detectors", name) for name in (*SEE_NAMES, *SEE_LAYOUT)]
    assert not [one for one in seeing if isinstance(one, Counting | Combined)]


def test_a_combination_is_its_parts_each_once() -> None:
    """What must be computed is listed once, however many detectors are made of it; a plain function has no part."""
    one = Shared(detector="one", of=lambda features, text: features.ids(text), drop_prompt=False)
    two = Habit(detector="two", of=lambda features, text: features.ids(text), most=3)
    three = Alone(detector="three", values=lambda bag, features: np.zeros((0, 0, 0)))
    both = Combined(detector="both", parts=(two, one))
    assert singles([one, both, three, print]) == (one, two, three)


def test_the_detectors_that_decide_are_named_once_each() -> None:
    """A detector that decides two questions is counted once."""
    assert Primary().detectors() == ("phrases", "wording")
    assert Primary(same="a", derived="b", distilled="a").detectors() == ("a", "b")
