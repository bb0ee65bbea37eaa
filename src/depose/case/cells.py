"""What a cell of a plain table holds besides words: a whole body of an interface, an error, text written as JSON.

Half an answer that a filter cut is no answer, in whichever column the word for it stands; and a body, or a list, that
somebody wrote into the column of answers is not what the model said, but holds it.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from depose.answers.guards import filtered
from depose.case.columns import STEP, at
from depose.case.formats import messages
from depose.case.formats.found import Remade as Remade
from depose.case.formats.found import Said, Turn, list_of, message_of, object_of, word
from depose.model import Record

NO_ERROR = frozenset(("", "none", "nan", "null", "false", "no", "n/a", "0", "[]", "{}", "ok", "success", "200"))
CELL = 32_767
"""Characters that a cell of Excel can hold: an answer of just so many was cut there."""
_MARKS = ('"choices"', '"candidates"', '"promptFeedback"', '"object"', '"stop_reason"', '"error"')
_MISREAD = re.compile("Ã[\u0080-\u00bf]|â€[\u0099\u009c\u009d™œ“”˜\u0093\u0094¦]")
_FINISH = ("finish_reason", "stop_reason", "finishReason", "stopReason")


class Beside(Record, frozen=True, kw_only=True):
    """What other columns say of the answer in a row."""

    turns: tuple[Turn, ...] = ()
    finish: str = ""
    also: tuple[str, ...] = ()
    problem: str = ""
    guard: str = ""
    refusal: str = ""
    reasoning: str = ""


def beside(raw: Mapping[str, Any], columns: Mapping[str, str], prompt: str) -> Beside:
    """Read the columns about how an answer ended and what else was said; also beside an answer that a path leads to."""

    def value(meaning: str) -> Any:
        return at(raw, columns[meaning]) if meaning in columns else None

    finish, also, guards = [word(value("finish"))], [], []
    refusal, reasoning = _soft(value("refusal")), _soft(value("reasoning"))
    status, problem = word(value("status")), _error(value("error"))
    if status.isascii() and status.isdigit():
        problem = problem or (f"status {status}" if 400 <= int(status[:9]) < 600 else "")
    elif status:
        also.append(status)
    for one in _on_path(raw, columns.get("text", "")):
        finish += [word(one.get(name)) for name in _FINISH]
        guards.append(filtered(one.get("content_filter_results")))
        refusal = refusal or _soft(one.get("refusal"))
        reasoning = reasoning or _soft(one.get("reasoning_content"))
        problem = problem or _error(one.get("error"))
    words = [one for one in finish if one]
    return Beside(
        turns=_turns(value("system"), value("context"), prompt, told="system" in columns),
        finish=words[0] if words else "",
        also=(*words[1:], *also),
        problem=problem,
        guard=", ".join(filter(None, guards)),
        refusal=refusal,
        reasoning=reasoning,
    )


def _soft(value: Any) -> str:
    return value if isinstance(value, str) and value.strip().lower() not in ("nan", "none", "null") else ""


def _error(value: Any) -> str:
    """Say what an error says; numbers measure something, and are none."""
    if isinstance(value, dict | list):
        return message_of(value[0] if isinstance(value, list) and value else value) if value else ""
    told = "error" if value is True else value if isinstance(value, str) else ""
    try:
        float(told)
    except ValueError:
        return "" if told.strip().lower() in NO_ERROR else f"an error: {' '.join(told.split())[:200]}"
    return ""


def _turns(system: Any, context: Any, prompt: str, *, told: bool) -> tuple[Turn, ...]:
    """Put what was said before the answer into turns, where the file says more than the prompt."""
    before = [Turn(role="system", text=_soft(system))] if _soft(system).strip() else []
    if isinstance(context, list | dict):
        context = json.dumps(context, ensure_ascii=False) if context else ""
    more = [Turn(role="context", text=_soft(context))] if _soft(context).strip() not in ("", "[]", "{}") else []
    asked = [Turn(role="user", text=prompt)] if prompt.strip() else []
    return (*before, *more, *asked) if before or more or (told and asked) else ()


def _on_path(raw: Mapping[str, Any], path: str) -> list[dict[str, Any]]:
    """Give the objects through which a path leads to its answer."""
    found: list[dict[str, Any]] = []
    if path in raw:
        return found
    value: Any = raw
    for step in STEP.finditer(path):
        key, index = step.groups()
        value = object_of(value).get(key) if key is not None else dict(enumerate(list_of(value))).get(int(index))
        if isinstance(value, dict):
            found.append(value)
    return found


def body_in(value: Any) -> Said | None:
    """Read a body of an interface that stands in a cell, as an object or as JSON; None for words.

    Raises ValueError for several choices: they are samples, and one cell answers one question once.
    """
    if isinstance(value, str) and value.lstrip().startswith("{") and any(mark in value for mark in _MARKS):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if not isinstance(value, dict) or not _is_body(value):
        return None
    if value.get("error") and not value.get("choices"):
        return Said(problem=f"an error: {message_of(value['error'])}")
    said = messages.body(value)
    if len(said) > 1:
        raise ValueError(
            f"{len(said)} choices in one cell: name one, such as --column 'text=NAME.choices[0].message.content'"
        )
    return said[0]


def _is_body(value: Mapping[str, Any]) -> bool:
    choices = [one for one in list_of(value.get("choices")) if isinstance(one, dict)]
    return (
        any({"message", "text", "delta", "finish_reason"} & one.keys() for one in choices)
        or any("content" in object_of(one) for one in list_of(value.get("candidates")))
        or (isinstance(value.get("promptFeedback"), dict) and "candidates" not in value)
        or (value.get("object") == "response" and "output" in value)
        or (value.get("type") == "message" and "content" in value and "stop_reason" in value)
        or (isinstance(value.get("error"), dict) and len(value) < 4)
    )


def as_written(texts: Sequence[str | None]) -> tuple[tuple[str | None, ...], str]:
    """Undo JSON, or Python's way to print a list, around every answer of a table; say what was undone, if anything was.

    Only where all of them are so written: one answer alone may well be a list, or a quotation.
    """
    held = [text for text in texts if text and text.strip()]
    for what, read in (("strings of JSON", _string_of), ("lists of one text", _list_of)):
        found = {text: read(text) for text in dict.fromkeys(held)}
        kinds = Counter(one is None for one in found.values())
        if len(held) > 1 and not kinds[True] and (what != "strings of JSON" or any("\\" in text for text in held)):
            return tuple(found.get(text or "", text) for text in texts), f"answers: written as {what}, and read so"
    return tuple(texts), ""


def _string_of(text: str) -> str | None:
    shown = text.strip()
    if not (len(shown) > 1 and shown[0] == shown[-1] == '"'):
        return None
    try:
        found = json.loads(shown)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def _list_of(text: str) -> str | None:
    shown = text.strip()
    if not (shown.startswith(("['", '["')) and shown.endswith(("']", '"]'))):
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(shown)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and len(found) == 1 and isinstance(found[0], str):
            return found[0]
    return None


def damaged(texts: Iterable[str | None]) -> tuple[str, ...]:
    """Say how many answers lost characters on their way, or were read by the wrong encoding before they came here."""
    held = [text for text in texts if text]
    lost, misread = sum("\ufffd" in text for text in held), sum(_MISREAD.search(text) is not None for text in held)
    told = []
    if lost:
        told.append(f"{lost} of {len(held)} answers hold U+FFFD: characters were lost before they came into this file")
    if misread:
        told.append(f"{misread} of {len(held)} answers look like UTF-8 that was read as Windows-1252, such as 'Ã©'")
    return tuple(told)


def cut_by_cell(texts: Iterable[str | None]) -> tuple[bool, ...]:
    """Tell of each text whether it is just as long as a cell of Excel can be."""
    return tuple(len(text or "") >= CELL // 2 and len((text or "").encode("utf-16-le")) == 2 * CELL for text in texts)
