"""Names of lineages: one thing under two names counts once, and what may be one is pointed out."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from itertools import combinations

import pytest

from depose.case.lineages import FIELDS, counted, doubts, plain
from depose.model import ModelSpec
from depose.statistics.lineage import choose, unclean
from dossiers import spec


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("developer", "OpenAI", "Open AI"),
        ("developer", "Meta AI", "meta-llama"),
        ("developer", "Qwen Team", "Alibaba"),
        ("weight_lineage", "Meta-Llama-3-8B", "llama3-8b"),
        ("weight_lineage", "Some New Base", "some-new_base"),
        ("data_lineage", "Ultra Chat", "ultrachat"),
    ],
)
def test_one_thing_under_two_names_counts_once(field: str, one: str, other: str) -> None:
    """Aliases, case, spaces and marks make no second lineage, and do not make a control clean."""
    assert counted(one, field) == counted(other, field)
    control, suspect, reference = (
        spec("C1", "control", **{field: other}),
        spec("S1", "suspect", **{field: one}),
        spec("R1", "reference"),
    )
    assert "of the suspect" in unclean(suspect, reference, control, "distilled")
    if field == "data_lineage":
        twins = [spec("C1", "control", data_lineage=one), spec("C2", "control", data_lineage=other)]
        assert choose(spec("S1", "suspect"), reference, twins, "distilled").k_eff == 1


@pytest.mark.parametrize(
    ("one", "other"), [("llama3-8b", "llama3.1-8b"), ("qwen2-7b", "qwen2.5-7b"), ("Command R", "Command R+"), ("", "x")]
)
def test_different_things_stay_different(one: str, other: str) -> None:
    """Versions, and a plus sign, tell models apart."""
    assert counted(one, "weight_lineage") != counted(other, "weight_lineage")


def test_no_name_of_the_vocabulary_stands_for_two_things() -> None:
    """Each name leads to one maker or one set of weights."""
    known = tomllib.loads(files("depose.case.lineages").joinpath("known.toml").read_text("utf-8"))
    assert set(known) == set(FIELDS.values()) - {""}
    for table in known.values():
        each = [{plain(name) for name in (first, *others)} for first, others in table.items()]
        assert all(not one & other for one, other in combinations(each, 2))


def test_what_may_be_one_lineage_mistyped_is_pointed_out() -> None:
    """Near-equal names are named, aliases are said to count as one, versions and strangers are not mentioned."""

    def named(*lineages: str, field: str = "data_lineage") -> list[ModelSpec]:
        return [spec(f"C{n}", "control", **{field: name}) for n, name in enumerate(lineages)]

    (near,) = doubts(named("orca-dataset", "orca-datasset"))
    assert "'orca-dataset' and 'orca-datasset' are nearly the same" in near
    (same,) = [one for one in doubts(named("OpenAI", "Open-AI", field="developer")) if "OpenAI" in one]
    assert same == "developer: 'Open-AI' and 'OpenAI' are counted as one"
    assert not [one for one in doubts(named("tulu-v1", "tulu-v2", "vicuna")) if "data_lineage" in one]
