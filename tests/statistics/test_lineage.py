"""Which controls are clean, and how many of them count."""

from __future__ import annotations

import pytest

from depose.model import ModelSpec, Question
from depose.statistics.lineage import choose, unclean


def spec(code: str, developer: str, weight: str, data: str, trained_on: tuple[str, ...] = ()) -> ModelSpec:
    """Make a model of known lineage."""
    return ModelSpec(
        code=code,
        role="control",
        provider="recorded",
        developer=developer,
        weight_lineage=weight,
        data_lineage=data,
        trained_on=trained_on,
    )


SUSPECT = spec("S", "Suspect Ltd", "w-s", "d-s")
REFERENCE = spec("R", "Reference Inc", "w-r", "d-r")


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (spec("C", "Reference Inc", "w", "d"), "developer of the reference"),
        (spec("C", "Suspect Ltd", "w", "d"), "developer of the suspect"),
        (spec("C", "X", "w-s", "d"), "weight lineage of the suspect"),
        (spec("C", "X", "w", "d-r"), "data lineage of the reference"),
        (spec("C", "X", "w", "d", ("Reference Inc",)), "outputs of the reference's developer"),
        (spec("C", "X", "", "d"), "not stated"),
        (spec("C", "", "w", "d"), "not stated"),
    ],
)
def test_each_rule_excludes_and_says_so(control: ModelSpec, reason: str) -> None:
    """A control that breaks a rule is left out by name of the rule."""
    assert reason in unclean(SUSPECT, REFERENCE, control, "distilled")
    chosen = choose(SUSPECT, REFERENCE, [control], "distilled")
    assert chosen.k_eff == 0
    assert reason in chosen.excluded[0].reason


@pytest.mark.parametrize("question", ["same", "derived", "distilled"])
def test_ten_fine_tunes_of_one_control_change_k_eff_by_at_most_one(question: Question) -> None:
    """Criterion 31: relatives of a control are not further controls."""
    controls = [spec(f"C{i}", f"dev{i}", f"w{i}", f"d{i}") for i in range(12)]
    before = choose(SUSPECT, REFERENCE, controls, question).k_eff
    tunes = [spec(f"F{i}", f"tuner{i}", "w3", "one data set") for i in range(10)]
    assert before == 12
    assert choose(SUSPECT, REFERENCE, controls + tunes, question).k_eff - before in (0, 1)


def test_k_eff_is_a_largest_matching_and_not_a_greedy_one() -> None:
    """Taking the first control would block two others: the largest set of independent ones is found."""
    controls = [spec("C1", "a", "w1", "d1"), spec("C2", "b", "w1", "d2"), spec("C3", "c", "w2", "d1")]
    derived = choose(SUSPECT, REFERENCE, controls, "derived")
    assert [c.code for c in derived.used] == ["C2", "C3"]
    assert derived.k_eff == 2


def test_weights_in_common_count_for_the_questions_about_weights_alone() -> None:
    """Three data lineages on one base are three controls for `distilled` and one for `same` and `derived`."""
    controls = [spec(f"C{i}", f"dev{i}", "one base", f"d{i}") for i in range(3)]
    assert choose(SUSPECT, REFERENCE, controls, "distilled").k_eff == 3
    derived = choose(SUSPECT, REFERENCE, controls, "derived")
    assert (len(derived.used), derived.k_eff) == (3, 1)


def test_earlier_controls_are_preferred() -> None:
    """Among sets of one size the case file's order decides, and every unused control has its reason."""
    controls = [spec("C1", "a", "w1", "d1"), spec("C2", "b", "w1", "d1"), spec("C3", "c", "w3", "d3")]
    chosen = choose(SUSPECT, REFERENCE, controls, "same")
    assert [c.code for c in chosen.used] == ["C1", "C3"]
    assert [(e.model, e.reason) for e in chosen.excluded] == [("C2", "its lineage is represented by another control")]


def test_a_common_base_asks_for_controls_on_that_base() -> None:
    """For `distilled` with one base on both sides the controls must share it, and the condition is named."""
    suspect, reference = spec("S", "s", "w", "d-s"), spec("R", "r", "w", "d-r")
    controls = [spec("C1", "a", "w", "d1"), spec("C2", "b", "w", "d2"), spec("C3", "c", "other", "d3")]
    chosen = choose(suspect, reference, controls, "distilled")
    assert [c.code for c in chosen.used] == ["C1", "C2"]
    assert chosen.condition == "conditional on a common base"
    assert choose(suspect, reference, controls, "derived").k_eff == 1


def test_on_a_common_base_data_lineages_count_for_sameness_too() -> None:
    """Siblings are the hardest controls of `same`; for `derived` they cannot stand in."""
    suspect, reference = spec("S", "s", "w", "d-s"), spec("R", "r", "w", "d-r")
    controls = [spec(f"C{n}", f"m{n}", "w", f"d{n}") for n in range(5)]
    assert choose(suspect, reference, controls, "same").k_eff == 5
    assert choose(suspect, reference, controls, "derived").used == ()
