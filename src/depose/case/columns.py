"""Which column of a table means what: by its name, by what the user says, or by the words in it; never by chance.

| meaning | names |
|---|---|
| prompt id | `prompt_id`, `id` |
| prompt | `prompt`, `instruction`, `question`, `input` |
| answer | `output`, `answer`, `response`, `completion`, `prediction`, `generation`, `generated_text`, `model_output` |
| model | `model`, `generator` |
| family | `category`, `family`, `dataset` |
| cluster | `cluster` |
| sample | `sample` |

Where two columns may hold the prompts, or the answers, and differ, nothing is read until the user has chosen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from depose.answers.line_ends import evened
from depose.model import Record

COLUMNS = {
    "id": ("prompt_id", "id"),
    "prompt": ("prompt", "instruction", "question", "input"),
    "text": (
        "output",
        "answer",
        "response",
        "completion",
        "prediction",
        "generation",
        "generated_text",
        "model_output",
    ),
    "model": ("model", "generator"),
    "family": ("category", "family", "dataset"),
    "cluster": ("cluster",),
    "sample": ("sample",),
}
KEYS = frozenset(
    (
        *("ground_truth", "target", "expected", "expected_output", "reference", "reference_answer", "gold", "label"),
        *("ideal", "answer_key", "correct", "correct_answer"),
    )
)
"""Names of columns that hold what an answer should have been."""
STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,6})\]")


class Columns(Record, frozen=True, kw_only=True):
    """Under which name each meaning stands, and what was chosen on the way."""

    names: dict[str, str]
    notes: tuple[str, ...] = ()


def at(raw: Mapping[str, Any], name: str) -> Any:
    """Give what stands under a name, or on a path such as `choices[0].turns[0]`; None where there is nothing."""
    if name in raw or not name:
        return raw.get(name)
    value: Any = raw
    for step in STEP.finditer(name):
        key, index = step.groups()
        if key is not None:
            value = value.get(key) if isinstance(value, dict) else None
        else:
            value = value[int(index)] if isinstance(value, list | tuple) and int(index) < len(value) else None
    return value if STEP.sub("", name) == "" else None


def choose(rows: Sequence[Any], mapped: Mapping[str, str], words: Collection[str], *, answers: bool) -> Columns:
    """Find the columns of a table; `words` are the evened prompts that are registered, where they are known.

    Raises ValueError where a named column is not there, where nothing tells prompts, and where two may be meant.
    """
    present = list(dict.fromkeys(name for raw in rows if isinstance(raw, dict) for name in raw))
    for name in mapped.values():
        if name not in present and all(at(raw, name) is None for raw in rows if isinstance(raw, dict)):
            raise ValueError(f"no column {name!r}; there are {', '.join(sorted(map(str, present))[:12])}")
    found = dict(mapped)
    notes: list[str] = []
    for meaning, names in COLUMNS.items():
        if meaning in mapped or (meaning == "text" and not answers):
            continue
        hits = [name for name in names if name in present]
        used = [name for name in hits if _holds(rows, name)] or hits[:1]
        if len(used) > 1 and meaning in ("text", "prompt"):
            used = [_one(rows, meaning, used, words, notes)]
        elif len(used) > 1:
            notes.append(f"{meaning}: column {used[0]!r} is taken, not {', '.join(map(repr, used[1:]))}")
        if used:
            found[meaning] = used[0]
    keys = [name for name in present if isinstance(name, str) and name.lower() in KEYS]
    if "text" in found and keys and "text" not in mapped:
        notes.append(
            f"answers: column {found['text']!r}; {', '.join(map(repr, keys))} holds what they should have been"
        )
    if "prompt" not in found and words and (name := _of_words(rows, present, set(found.values()), words)):
        found["prompt"] = name
        notes.append(f"prompts: column {name!r}, which holds words of registered prompts")
    if "prompt" not in found and "id" not in found:
        looked = ", ".join(COLUMNS["prompt"] + COLUMNS["id"])
        raise ValueError(f"no column of prompts or prompt ids; looked for {looked}")
    return Columns(names=found, notes=tuple(notes))


def _holds(rows: Sequence[Any], name: str) -> bool:
    """Tell whether anything stands in a column."""
    return any(isinstance(raw, dict) and raw.get(name) not in (None, "") for raw in rows)


def _one(rows: Sequence[Any], meaning: str, held: list[str], words: Collection[str], notes: list[str]) -> str:
    """Choose between columns that say the same, or by the registered words; raise where neither decides."""
    records = [raw for raw in rows if isinstance(raw, dict)]
    if all(len({str(raw.get(name) or "") for name in held}) == 1 for raw in records):
        return held[0]
    if meaning == "prompt" and words:
        hits = {name: sum(_is_text(raw.get(name), words) for raw in records) for name in held}
        best = max(held, key=lambda name: hits[name])
        if hits[best] and all(hits[name] < hits[best] for name in held if name != best):
            notes.append(f"prompts: column {best!r}, which holds the words of {hits[best]} registered prompts")
            return best
    shown = " and ".join(map(repr, held)) if len(held) == 2 else ", ".join(map(repr, held))
    what = "the answers" if meaning == "text" else "the prompts"
    raise ValueError(f"{shown} may hold {what}, and they differ: say which with --column {meaning}=NAME")


def _is_text(value: Any, words: Collection[str]) -> bool:
    return isinstance(value, str) and evened(value) in words


def _of_words(rows: Sequence[Any], present: Sequence[str], taken: set[str], words: Collection[str]) -> str:
    """Find a column of any name that holds registered prompts in most of its rows."""
    records = [raw for raw in rows if isinstance(raw, dict)]
    hits = {
        name: sum(_is_text(raw.get(name), words) for raw in records)
        for name in present
        if isinstance(name, str) and name not in taken
    }
    best = max(hits, key=lambda name: hits[name], default="")
    return best if best and 2 * hits[best] > len(records) else ""
