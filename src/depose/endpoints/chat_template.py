"""Chat templates: programs that come with a model, run where they can take neither time nor memory without end.

A template of a packaged model is pinned with it and runs in this process; any other runs in a child, all conversations
of one call together, by the code of transformers itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from depose.case.untrusted_files import TooMuch, in_child
from depose.model import Record

MEMORY = 512 * 1024**2
SECONDS = 4
"""Seconds of a processor for the conversations of one call, and one more for each hundred of them."""

Messages = Sequence[Mapping[str, str]]
Tools = Sequence[Mapping[str, Any]]


class Rendered(Record, frozen=True, kw_only=True):
    """A conversation as the model reads it, or why its template gives none."""

    text: str = ""
    refused: str = ""


def render(
    tokenizer: Any, conversations: Sequence[Messages], *, pinned: bool, tools: Sequence[Tools] = ()
) -> tuple[Rendered, ...]:
    """Write conversations as a model reads them; a model without a template reads them as plain paragraphs.

    A template may add a system prompt of its own. `tools` are those of each conversation, none of them: no tools.
    """
    if not tokenizer.chat_template:
        return tuple(Rendered(text="\n\n".join(one["content"] for one in messages)) for messages in conversations)
    try:
        template, tokens = str(tokenizer.get_chat_template()), dict(tokenizer.special_tokens_map)
        if pinned:
            return rendered(template, tokens, conversations, tools)
        return in_child(
            "depose.endpoints.chat_template:rendered",
            template,
            tokens,
            [[dict(one) for one in messages] for messages in conversations],
            [[dict(one) for one in listed] for listed in tools],
            answer=tuple[Rendered, ...],
            memory=MEMORY,
            seconds=SECONDS + len(conversations) // 100,
        )
    except TooMuch as error:
        why = f"the chat template {str(error).replace('to read', 'to run')}"
    except ValueError as error:
        why = f"the chat template cannot be run: {error}"
    return (Rendered(refused=why[:500]),) * len(conversations)


def rendered(
    template: str, tokens: Mapping[str, str], conversations: Sequence[Messages], tools: Sequence[Tools] = ()
) -> tuple[Rendered, ...]:
    """Run a template over conversations, each by itself; for `render` alone."""
    from transformers.utils.chat_template_utils import render_jinja_template

    made = []
    for number, messages in enumerate(conversations):
        try:
            texts, _ = render_jinja_template(
                conversations=[[dict(one) for one in messages]],
                tools=[dict(one) for one in tools[number]] or None if tools else None,
                chat_template=template,
                add_generation_prompt=True,
                **tokens,
            )
            made.append(Rendered(text=str(texts[0])))
        except MemoryError:
            raise
        except Exception as error:  # a template is a program, and may end in any way
            made.append(Rendered(refused=f"the chat template refuses the messages: {error}"[:500]))
    return tuple(made)
