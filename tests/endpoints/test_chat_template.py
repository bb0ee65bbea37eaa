"""A chat template comes with a model: it is run under limits, and whatever it does is data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from depose.endpoints.chat_template import render

ASKED = [[{"role": "user", "content": "Hi?"}], [{"role": "system", "content": "Be brief."}]]


@dataclass
class Tokenizer:
    """As much of a tokenizer as a template needs."""

    chat_template: Any
    special_tokens_map: dict[str, str] = field(default_factory=lambda: {"eos_token": "</s>"})

    def get_chat_template(self) -> str:
        """Choose a template as transformers does."""
        if isinstance(self.chat_template, dict):
            raise ValueError("multiple chat templates with no default specified")
        return str(self.chat_template)


PLAIN = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}\n{% endfor %}"
    "{% generation %}<a>{% endgeneration %}"
)


def test_a_template_writes_the_same_in_a_child() -> None:
    """Limits change nothing of what a model reads."""
    here, there = (render(Tokenizer(PLAIN), ASKED, pinned=pinned) for pinned in (True, False))
    assert here == there
    assert [one.text for one in here] == ["<user>Hi?</s>\n<a>", "<system>Be brief.</s>\n<a>"]


def test_a_model_without_a_template_reads_paragraphs() -> None:
    """Nothing is run where there is nothing to run."""
    assert [one.text for one in render(Tokenizer(None), ASKED, pinned=False)] == ["Hi?", "Be brief."]


WRONG = {
    "a loop without end": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a text that doubles": "{% set n = namespace(t='x' * 99999) %}{% for a in range(40) %}{% set n.t = n.t ~ n.t %}"
    "{% endfor %}",
    "a huge repetition": "{{ 'x' * 9999999999 }}",
    "a division by nothing": "{{ 1 // 0 }}",
    "a wrong type": "{{ messages + 1 }}",
    "a way out of the sandbox": "{{ messages.__class__.__mro__[1].__subclasses__() }}",
    "a recursion": "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    "a syntax error": "{% for %}",
    "an exception of its own": "{{ raise_exception('no system prompts') }}",
    "a file": "{% include '/etc/hostname' %}",
    "a width": "{{ 'x'|center(9999999999) }}",
    "several templates without a default": {"a": "x", "b": "y"},
}


QUICK = ("a text that doubles", "a division by nothing", "several templates without a default")


@pytest.mark.parametrize(
    "template",
    [pytest.param(one, id=name, marks=() if name in QUICK else pytest.mark.slow) for name, one in WRONG.items()],
)
def test_a_hostile_template_is_a_failed_question(template: Any) -> None:
    """Time, memory, exceptions of any kind: each question fails with a reason, and the run goes on."""
    found = render(Tokenizer(template), ASKED, pinned=False)
    assert len(found) == len(ASKED)
    assert all(one.refused.startswith("the chat template ") for one in found)
