"""Ways in which the same answers may come: transport forms, marks of reasoning, marks of templates."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable

MARKS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "think": lambda text: f"<think>\nOkay, the user wants something.\n\nLet me see.\n</think>\n\n{text}",
    "opening mark missing": lambda text: f"Okay, the user wants something.\n</think>\n\n{text}",
    "nested": lambda text: f"<think>One.<think>Two.</think>Three.</think>{text}",
    "brackets": lambda text: f"[THINK]Okay.[/THINK]{text}",
    "channels": lambda text: (
        f"<|channel|>analysis<|message|>Okay.<|end|><|start|>assistant<|channel|>final<|message|>{text}<|return|>"
    ),
    "a chat window's fold": lambda text: (
        f"<details><summary>Thought for 5 seconds</summary>\nOkay.\n</details>\n\n{text}"
    ),
    "small brackets": lambda text: f"[think]Okay.[/think]{text}",
    "Chinese": lambda text: f"<思考>好的。</思考>{text}",
    "end of a turn": lambda text: f"{text}<|im_end|>\n<|im_start|>user\nAnd then?",
    "sentence": lambda text: f"<s> {text}</s>",
}
LINE_ENDS: dict[str, Callable[[str], str]] = {
    "LF": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CRLF, twice": lambda text: text.replace("\n", "\r\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "line separators": lambda text: text.replace("\n", "\u2028"),
}
FORMS: dict[str, Callable[[str], str]] = {
    "byte order mark": lambda text: "\ufeff" + text,
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "narrow spaces": lambda text: text.replace(" ", "\u202f"),
    "trailing blanks": lambda text: text.replace("\n", " \t\n") + " \n\n",
    "blank lines around": lambda text: f"\n \n{text}\n\n",
}


def disguised(text: str, chance: random.Random) -> str:
    """Dress an answer up by chance: one mark, some forms, line ends of one kind."""
    text = MARKS[chance.choice([*MARKS])](text)
    for name in chance.sample([*FORMS], 3):
        text = FORMS[name](text)
    return LINE_ENDS[chance.choice([*LINE_ENDS])](text)
