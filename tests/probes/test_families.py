"""Every built-in family: what it states, its slots, lengths, languages, and that no wording comes twice."""

from __future__ import annotations

import re

import numpy as np
import pytest

from depose import plugins
from depose.errors import CaseError
from depose.model import OPEN_QUESTIONS
from depose.probes import drawing
from depose.probes.family import Family
from fakes import depose

FAMILIES = {name: one for name in plugins.names("probes") if isinstance(one := plugins.load("probes", name), Family)}
SCRIPTS = {"zh": "[\u4e00-\u9fff]", "ar": "[\u0600-\u06ff]", "ja": "[\u3040-\u30ff]"}
WORDS = {
    "de": r"(?i)\b(?:eine?|der|die|wer|welche[mrs]?|wie|was)\b",
    "fr": r"(?i)\b(?:une?|qui|quel(?:le)?|cite|les|es-tu)\b|ai-je",
    "es": r"[¿¡]|\b(?:una?|al)\b",
}

each_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def texts(family: Family) -> list[str]:
    """Draw a family to the last prompt."""
    return [prompt.text for prompt in family(family.size, np.random.default_rng(7))]


def test_there_are_the_fourteen_families_of_the_survey_and_one() -> None:
    """Every family that the manual lists is a declaration with a statement."""
    assert len(FAMILIES) == 15


def test_open_questions_are_the_families_that_the_laboratory_was_asked() -> None:
    """Those that a study may cover though it does not know them by name, and no others."""
    asked = {
        name for name, one in FAMILIES.items() if one.stated.validated.startswith("the laboratory, with the other open")
    }
    assert asked == set(OPEN_QUESTIONS)


@each_family
def test_a_family_states_what_it_is_good_for(family: Family) -> None:
    """Construct, statistic, cost and failure are said; without validation it says that it carries no opinion."""
    stated = family.stated
    assert min(map(len, (stated.construct, stated.statistic, stated.fails))) > 10
    assert stated.calls == stated.prompts * stated.samples > 0
    assert 0 < stated.tokens <= 1_000
    assert stated.evidence == (stated.validated or "not validated: exhibits, no opinion")
    assert stated.prompts <= family.size


@each_family
def test_no_wording_comes_twice_and_every_slot_is_filled(family: Family) -> None:
    """All texts of a family differ, are tidy, of 2 to 300 characters, and hold no mark of a slot."""
    found = texts(family)
    assert len({text.casefold() for text in found}) == len(found) == family.size
    for text in found:
        assert 2 <= len(text) <= 300, text
        assert not re.search(r"[{}|\n]|//|  ", text), text


@each_family
def test_the_same_seed_draws_the_same_and_more_begins_with_less(family: Family) -> None:
    """Count and seed decide; a larger count begins with the smaller."""
    whole = family(family.size, np.random.default_rng(3))
    assert family(9, np.random.default_rng(3)) == whole[:9]
    assert family(9, np.random.default_rng(4)) != whole[:9]


@each_family
def test_every_language_that_is_stated_is_there(family: Family) -> None:
    """Templates of each stated language are found by its script or its commonest words."""
    joined = "\n".join(texts(family))
    for language in set(family.stated.languages) - {"en", "mul"}:
        assert re.search(SCRIPTS.get(language, WORDS.get(language, "(?!)")), joined), language


@each_family
def test_too_many_is_a_case_error(family: Family) -> None:
    """Asking for more than there is says how many there are."""
    with pytest.raises(CaseError, match=f"holds {family.size} prompts"):
        family(family.size + 1, np.random.default_rng(1))


def test_no_text_is_in_two_families() -> None:
    """Families can be combined in one case without asking anything twice."""
    every = [text for family in FAMILIES.values() for text in texts(family)]
    assert len(set(every)) == len(every)


def test_twins_are_drawn_together_and_are_one_cluster() -> None:
    """The languages of one filling follow each other, and share a cluster; slots say the same in the same order."""
    family = FAMILIES["twins"]
    drawn = family(12, np.random.default_rng(2))
    for place in range(0, 12, 4):
        assert len({prompt.cluster for prompt in drawn[place : place + 4]}) == 1
    assert len({prompt.cluster for prompt in drawn}) == 3
    assert drawing.fillings("A {x | y}. // B {u | v}.", twins=True) == (("A x.", "B u.", "A y.", "B v."),)


def test_list_probes_says_what_was_not_validated() -> None:
    """`depose list probes` prints the statement of each family."""
    ran = depose("list", "probes")
    assert ran.code == 0
    assert ran.out.count("  fails: ") == len(FAMILIES)
    assert "not validated: exhibits, no opinion" in ran.out
