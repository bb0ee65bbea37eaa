"""The built-in probe families: what is drawn, how it is named, and what is never asked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from depose import plugins
from depose.errors import CaseError
from depose.model import Prompt
from depose.model.canonical import sha256
from depose.probes import drawing, open_advice, open_howto, open_lists, short_creative

Family = Callable[[int, np.random.Generator], tuple[Prompt, ...]]

FAMILIES: dict[str, Family] = {
    "open_howto": open_howto.open_howto,
    "open_lists": open_lists.open_lists,
    "short_creative": short_creative.short_creative,
    "open_advice": open_advice.open_advice,
}
BLOCKS = {
    "open_howto": open_howto.TEMPLATES,
    "open_lists": open_lists.TEMPLATES,
    "short_creative": short_creative.TEMPLATES,
    "open_advice": open_advice.TEMPLATES,
}
INSTRUCTION = re.compile(
    r"(Compose|Describe|Explain|Find|Give me|Imagine|In your own words|Invent|Make up|Name|Recommend|Suggest|"
    r"Tell|Think of|Walk me|Write) .*\.$"
)
FORBIDDEN = re.compile(
    r"\b(code|coding|python|javascript|sql|regex|html|css|json|markdown|script|algorithm|program|software|"
    r"calculate|compute|equation|sum|multiply|percent|bullet|bullets|table of|numbered|bold|headings?|"
    r"today|yesterday|tomorrow|currently|latest|recent|recently|this year|last year)\b",
    re.IGNORECASE,
)

each_family = pytest.mark.parametrize("name", FAMILIES)


def stream(seed: int = 7) -> np.random.Generator:
    """Open a fresh stream."""
    return np.random.default_rng(seed)


def size(name: str) -> int:
    """Count the texts that a family can give."""
    return sum(len(template) for template in drawing.fillings(BLOCKS[name]))


def everything(name: str) -> tuple[Prompt, ...]:
    """Draw a family to the last prompt."""
    return FAMILIES[name](size(name), stream())


@each_family
def test_family_is_registered(name: str) -> None:
    """The entry point of a family is its function."""
    assert plugins.load("probes", name) is FAMILIES[name]


@each_family
def test_sixteen_prompts_come_from_sixteen_clusters(name: str) -> None:
    """A case that asks for 16 prompts gets 16 independent ones of that family."""
    prompts = FAMILIES[name](16, stream())
    assert len({p.text for p in prompts}) == len({p.cluster for p in prompts}) == 16
    assert {p.family for p in prompts} == {name}
    assert all(re.fullmatch(rf"{name}/\d\d", p.cluster) for p in prompts)


@each_family
def test_family_is_large(name: str) -> None:
    """A family holds at least 24 templates and 200 texts, so that a secret half can be held back."""
    assert len(drawing.fillings(BLOCKS[name])) >= 24
    assert size(name) >= 200


@each_family
def test_every_template_comes_before_any_comes_again(name: str) -> None:
    """No cluster gets a second prompt while another has none, and none a third while another waits."""
    templates = len(drawing.fillings(BLOCKS[name]))
    for rounds in (1, 2, 3):
        drawn = Counter(p.cluster for p in FAMILIES[name](rounds * templates, stream()))
        assert set(drawn.values()) == {rounds}
        assert len(drawn) == templates


@each_family
def test_same_seed_same_prompts(name: str) -> None:
    """Count and seed decide the prompts."""
    assert FAMILIES[name](40, stream()) == FAMILIES[name](40, stream())


@each_family
def test_other_seed_other_prompts(name: str) -> None:
    """Another seed gives another selection in another order."""
    one, other = FAMILIES[name](16, stream(1)), FAMILIES[name](16, stream(2))
    assert {p.text for p in one} != {p.text for p in other}
    assert [p.cluster for p in one] != [p.cluster for p in other]


@each_family
def test_larger_count_begins_with_the_smaller(name: str) -> None:
    """A study that grows keeps the prompts that it has asked already."""
    prompts = everything(name)
    for count in (1, 16, 31, 100):
        assert FAMILIES[name](count, stream()) == prompts[:count]


@each_family
def test_id_names_the_text(name: str) -> None:
    """An id holds family, template and the digest of the text, and no two prompts share one."""
    prompts = everything(name)
    for p in prompts:
        number = p.cluster.removeprefix(f"{name}/")
        assert p.id == f"{name}-{number}-{sha256(p.text.encode())[:6]}"
    assert len({p.id for p in prompts}) == len(prompts)


@each_family
@pytest.mark.parametrize("excess", [1, 100_000])
def test_too_many_is_a_case_error(name: str, excess: int) -> None:
    """Asking for more than there is says how many there are and what to do."""
    with pytest.raises(CaseError, match=rf"{name}.* holds {size(name)} prompts") as caught:
        FAMILIES[name](size(name) + excess, stream())
    assert "ask for" in caught.value.hint


@each_family
@pytest.mark.parametrize("count", [0, -1])
def test_none_is_a_case_error(name: str, count: int) -> None:
    """Asking for no prompts is refused, never answered with an empty set."""
    with pytest.raises(CaseError):
        FAMILIES[name](count, stream())


@each_family
def test_every_prompt_is_a_question_or_an_instruction(name: str) -> None:
    """Each text is one tidy request of 20 to 300 characters."""
    for p in everything(name):
        assert p.text.endswith("?") or INSTRUCTION.match(p.text), p.text
        assert 20 <= len(p.text) <= 300, p.text
        assert p.text[0].isupper(), p.text
        assert not re.search(r"[{}|\n]|  | [,.?]", p.text), p.text


@each_family
def test_nothing_closed_is_asked(name: str) -> None:
    """No digits, code, arithmetic, dates or wishes for a format."""
    for p in everything(name):
        assert not re.search(r"\d", p.text), p.text
        assert not FORBIDDEN.search(p.text), p.text


def test_no_text_is_in_two_families() -> None:
    """Families can be combined in one case without asking anything twice."""
    texts = [p.text for name in FAMILIES for p in everything(name)]
    assert len(texts) == len(set(texts))


def test_slots_multiply() -> None:
    """A template with two slots gives every combination, and line breaks do not reach the text."""
    block = "\nOne {a |\nb} and {c | d}.\n\nNo slot\nhere?\n"
    assert drawing.fillings(block) == (
        ("One a and c.", "One a and d.", "One b and c.", "One b and d."),
        ("No slot here?",),
    )
