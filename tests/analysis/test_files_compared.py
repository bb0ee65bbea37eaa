"""Digests of weights: what equal and different ones say, and when they say nothing."""

from __future__ import annotations

from depose.analysis.files_compared import files_compared
from depose.model import Fact, canonical


def facts(*pairs: tuple[str, str]) -> tuple[Fact, ...]:
    """Facts as a local model records them, a digest for each name."""
    return tuple(Fact(name=name, value=canonical.sha256(text.encode())) for name, text in pairs)


BASE = ("weights model.safetensors", "base")


def test_equal_digests_are_one_set_of_files_whatever_they_are_called() -> None:
    """The same file under another name is the same file; facts that are no weights are not looked at."""
    one, two = facts(BASE, ("file config.json", "x")), facts(("weights renamed.safetensors", "base"))
    assert files_compared(one, two).state == "equal"
    assert files_compared(one, one).shared[0].name == BASE[0]


def test_one_base_with_two_adapters_is_two_models() -> None:
    """What differs is named with the suspect's digest, and what both share too."""
    one = facts(BASE, ("adapter adapter_model.safetensors", "a"), ("adapter adapter_config.json", "c"))
    two = facts(BASE, ("adapter adapter_model.safetensors", "b"), ("adapter adapter_config.json", "c"))
    found = files_compared(one, two)
    assert found.state == "different"
    assert [fact.name for fact in found.differing] == ["adapter adapter_model.safetensors"]
    assert BASE[0] in [fact.name for fact in found.shared]


def test_an_adapter_on_one_side_alone_is_a_difference() -> None:
    """The base by itself is another model than the base with an adapter."""
    two = facts(BASE, ("adapter adapter_model.safetensors", "b"))
    assert files_compared(facts(BASE), two).state == "different"
    assert files_compared(facts(BASE), two).differing[0].value == "none"


def test_without_digests_of_both_nothing_is_known() -> None:
    """An endpoint shows no files; an adapter's settings by themselves are no weights; a word is no digest."""
    assert files_compared((), facts(BASE)).state == "not known"
    only = facts(("adapter adapter_config.json", "c"))
    assert files_compared(only, only).state == "not known"
    word = (Fact(name="weights model.safetensors", value="not read"),)
    assert files_compared(word, word).state == "not known"
