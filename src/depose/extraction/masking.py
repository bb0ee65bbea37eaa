"""Prompts to templates: what varies in a prompt is masked, and its first words are the key; pure.

Two prompts of one template differ in numbers, addresses, quoted passages, code and long names. The key is taken of the
first masked words, so that a template with a slot at its end is one template. What has fewer than four words is none:
`continue` and `thanks` are everybody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

WORDS = 12
"""Masked words of a key."""
FEWEST = 4
READ = 1_200
"""Characters of a prompt that are looked at."""
LONG = 20
"""Letters from which a word is a name."""
_MASKED = re.compile(
    r"(?P<code>```.*?(?:```|\Z))|(?P<url>\b(?:https?|ftp)://\S+|\bwww\.\S+)|(?P<mail>[\w.+-]+@[\w-]+\.[\w.-]+)"
    r"|(?P<quote>\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|`[^`\n]{1,400}`)"
    r"|(?P<number>\d[\d.,:/_-]*)|(?P<word>[^\W\d_]+(?:['’][^\W\d_]+)*)",
    re.DOTALL,
)


def masked(text: str) -> tuple[str, ...]:
    """Return the first masked words of a prompt, at most WORDS of them."""
    found: list[str] = []
    for one in _MASKED.finditer(text[:READ]):
        kind = str(one.lastgroup)
        word = one[0].casefold() if kind == "word" else f"<{kind}>"
        word = "<name>" if kind == "word" and len(word) > LONG else word
        if found and word == found[-1] and word[0] == "<":
            continue
        found.append(word)
        if len(found) == WORDS:
            break
    return tuple(found)


def template(text: str) -> str:
    """Return the key of a prompt's template, or nothing where it is too short to have one."""
    words = masked(text)
    return " ".join(words) if len(words) >= FEWEST else ""


CLASSES: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "reasoning": r"step[ -]by[ -]step|chain of thought|show (?:all )?your (?:work|reasoning)"
        r"|think (?:aloud|out loud)"
        r"|explain your reasoning|\b(?:prove|derive|theorem|integral|equation)\b",
        "elicitation": r"(?:write|spell|lay) out the (?:full |complete )?(?:reasoning|thoughts?|steps)"
        r"|(?:reconstruct|articulate|reveal|repeat).{0,40}(?:reasoning|thought|system prompt)|<think>|scratchpad",
        "grading": r"\b(?:grade|score|rate|judge|evaluate)\b.{0,60}\b(?:answer|response|rubric|scale|criteria)\b"
        r"|\brubric\b|which (?:answer|response) is better",
        "coding": r"```|\b(?:python|javascript|typescript|java|c\+\+|rust|sql|regex|unit test|refactor|stack trace|"
        r"compile[sr]?|function|bug)\b",
        "agentic": r"\b(?:tool call|function call|available tools|browse|terminal|shell command|sub-?task|"
        r"orchestrat\w+|"
        r"next action|agent)\b",
        "vision": r"\b(?:image|photo|picture|screenshot|diagram)\b",
        "sensitive": r"\b(?:censor\w*|politically sensitive|party line|dissident\w*|safe alternative)\b",
    }.items()
}
"""Capability classes, by registered words; a prompt may be of several. They describe, they do not decide."""


def classes(text: str) -> int:
    """Return the classes of a prompt as bits, in the order of CLASSES."""
    head = text[:READ]
    return sum(1 << place for place, pattern in enumerate(CLASSES.values()) if pattern.search(head))


def words_of(content: Any) -> str:
    """Return the text of a message's content: a text, or parts of which some are text; nothing for anything else."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        for name in ("text", "content", "value"):
            if isinstance(content.get(name), str):
                return str(content[name])
        return words_of(content["parts"]) if isinstance(content.get("parts"), list) else ""
    if isinstance(content, list):
        return "\n".join(filter(None, (words_of(one) for one in content if isinstance(one, str | dict))))
    return ""


def conversation(messages: Any) -> tuple[str, str, int]:
    """Return the last words of the user, the words of the system, and how often the user spoke."""
    if isinstance(messages, str):
        return messages, "", 1 if messages else 0
    if isinstance(messages, dict):
        messages = messages.get("messages") or messages.get("contents") or messages.get("input") or [messages]
        if isinstance(messages, str):
            return messages, "", 1
    said = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    user = [_of(one) for one in said if str(one.get("role", "user")).lower() in ("user", "human")]
    system = "\n".join(_of(one) for one in said if str(one.get("role", "")).lower() in ("system", "developer"))
    spoken = [one for one in user if one]
    return (spoken[-1] if spoken else ""), system, len(user)


def _of(message: dict[str, Any]) -> str:
    return words_of(message.get("content", message.get("parts", message.get("text", ""))))


def named(bits: int) -> Iterable[str]:
    """Yield the names of the classes that are set."""
    return (name for place, name in enumerate(CLASSES) if bits >> place & 1)
