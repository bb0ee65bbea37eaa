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
| system | `system`, `system_prompt`, `system_message` |
| context | `context`, `history`: what else was said before the answer |
| finish | `finish_reason`, `stop_reason`, `done_reason` |
| status | `status`, `http_status`, `status_code` |
| error | `error`, `error_message`, `exception` |
| refusal | `refusal` |
| reasoning | `reasoning_content`, `reasoning`, `thinking` |

Capitals, blanks and hyphens in a name make no difference (`Prompt ID`, `finishReason`). Where two columns may hold the
prompts, or the answers, and differ, nothing is read until the user has chosen; a column such as `model_response` or
`output_2` may hold answers as well.
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
    "system": ("system", "system_prompt", "system_message"),
    "context": ("context", "history"),
    "finish": ("finish_reason", "stop_reason", "done_reason"),
    "status": ("status", "http_status", "status_code"),
    "error": ("error", "error_message", "exception"),
    "refusal": ("refusal",),
    "reasoning": ("reasoning_content", "reasoning", "thinking"),
}
ALONE = ("text", "prompt", "system")
"""Meanings of which two columns that differ are one too many."""
_ANSWERS = frozenset(
    (
        *("answer", "answers", "response", "responses", "output", "outputs", "completion", "completions", "reply"),
        *("replies", "prediction", "predictions", "predicted", "pred", "generation", "generations", "generated"),
        *("assistant",),
    )
)
_PROMPTS = frozenset(("prompt", "question", "instruction", "query", "user", "task"))
_ABOUT = frozenset(
    (
        *(
            "id",
            "ids",
            "type",
            "time",
            "tokens",
            "token",
            "length",
            "len",
            "count",
            "score",
            "scores",
            "rating",
            "model",
        ),
        *("date", "lang", "language", "format", "grade", "category", "url", "source", "status", "reason", "latency"),
        *(
            "cost",
            "hash",
            "file",
            "index",
            "number",
            "num",
            "at",
            "usage",
            "words",
            "chars",
            "embedding",
            "vector",
            "is",
        ),
        *("has", "name", "by", "mode", "schema", "instruction", "instructions", "prompt", "metadata", "finish"),
    )
)
"""Last words in the name of a column that says something about answers, and holds none."""
_LEADS = frozenset(("is", "has", "num", "n", "time", "finish", "no"))
_SHOULD = frozenset(
    ("expected", "reference", "gold", "golden", "target", "ideal", "true", "truth", "ground", "correct", "key", "human")
)
_CONVERSATIONS = frozenset(("conversations", "conversation", "messages"))
KEYS = frozenset(
    (
        *("ground_truth", "target", "expected", "expected_output", "reference", "reference_answer", "gold", "label"),
        *("ideal", "answer_key", "correct", "correct_answer"),
    )
)
"""Names of columns that hold what an answer should have been."""
_WORDED = re.compile(r"\w[^\W\d_]*\W+\w|[^\x00-\x7f]|.{13}", re.DOTALL)
"""More than one short word."""
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


def plain(name: Any) -> str:
    """Write a name as the table above has it: `Prompt ID`, `promptId` and ` prompt-id` are `prompt_id`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(name))
    return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


def _words_of(name: Any) -> frozenset[str]:
    return frozenset(plain(name).split("_"))


def _of_answers(name: Any) -> bool:
    """Tell whether a name says `answer` or the like, and nothing about it, as `response_time` does."""
    words = [word for word in plain(name).split("_") if not word.isdigit()]
    return bool(words) and bool(_ANSWERS & set(words)) and words[-1] not in _ABOUT and words[0] not in _LEADS


def _may_answer(name: Any) -> bool:
    """Tell whether the name of a column says that it holds answers, of whomever."""
    return _of_answers(name) and not _words_of(name) & _SHOULD


def _may_ask(name: Any) -> bool:
    """Tell whether the name of a column says that it holds prompts, as `question_text` does."""
    words = plain(name).split("_")
    return bool(_PROMPTS & set(words)) and words[-1] in (_PROMPTS | {"text", "content", "body"})


def _may_be_key(name: Any) -> bool:
    return plain(name) in KEYS or (_of_answers(name) and bool(_words_of(name) & _SHOULD))


def of_interest(name: str) -> bool:
    """Tell whether a column by its name has a part in what is read."""
    known = plain(name) in {one for names in COLUMNS.values() for one in names}
    return known or _may_answer(name) or _may_be_key(name) or plain(name) in _CONVERSATIONS


def choose(rows: Sequence[Any], mapped: Mapping[str, str], words: Collection[str], *, answers: bool) -> Columns:
    """Find the columns of a table; `words` are the evened prompts that are registered, where they are known.

    Raises ValueError where a named column is not there, where nothing tells prompts, and where two may be meant.
    """
    present = list(dict.fromkeys(name for raw in rows if isinstance(raw, dict) for name in raw))
    named: dict[str, list[str]] = {}
    for there in present:
        named.setdefault(plain(there), []).append(there)
    for name in mapped.values():
        if name not in present and all(at(raw, name) is None for raw in rows if isinstance(raw, dict)):
            raise ValueError(f"no column {name!r}; there are {', '.join(sorted(map(str, present))[:12])}")
    found = dict(mapped)
    notes: list[str] = []
    for meaning, names in COLUMNS.items():
        if meaning in mapped or (meaning == "text" and not answers):
            continue
        hits = [there for name in names for there in named.get(name, ())]
        if meaning == "text":
            taken = set(found.values())
            more = [one for one in present if one not in taken and one not in hits and _may_answer(one)]
            hits += [one for one in more if _holds_words(rows, one)]
        used = [name for name in hits if _holds(rows, name)] or hits[:1]
        if len(used) > 1 and meaning in ALONE:
            used = [_one(rows, meaning, used, words, notes)]
        elif len(used) > 1:
            notes.append(f"{meaning}: column {used[0]!r} is taken, not {', '.join(map(repr, used[1:]))}")
        if used:
            found[meaning] = used[0]
            if meaning == "text" and plain(used[0]) not in names:
                notes.append(f"answers: column {used[0]!r}, the only one whose name says so")
    keys = [name for name in present if isinstance(name, str) and name not in found.values() and _may_be_key(name)]
    if "text" in found and keys and "text" not in mapped:
        notes.append(
            f"answers: column {found['text']!r}; {', '.join(map(repr, keys))} holds what they should have been"
        )
    if "prompt" not in found and words and (name := _of_words(rows, present, set(found.values()), words)):
        found["prompt"] = name
        notes.append(f"prompts: column {name!r}, which holds words of registered prompts")
    if "prompt" not in found and "id" not in found:
        worded = [one for one in present if one not in found.values() and _may_ask(one) and _holds_words(rows, one)]
        if len(worded) == 1:
            found["prompt"] = worded[0]
            notes.append(f"prompts: column {worded[0]!r}, the only one whose name says so")
    if "prompt" not in found and "id" not in found:
        looked = ", ".join(COLUMNS["prompt"] + COLUMNS["id"])
        there = ", ".join(str(name)[:40] for name in present[:12]) + (" and more" if len(present) > 12 else "")
        raise ValueError(f"no column of prompts or prompt ids; looked for {looked}; it has {there or 'none'}")
    return Columns(names=found, notes=tuple(notes))


def _holds(rows: Sequence[Any], name: str) -> bool:
    """Tell whether anything stands in a column."""
    return any(isinstance(raw, dict) and raw.get(name) not in (None, "") for raw in rows)


def _holds_words(rows: Sequence[Any], name: str) -> bool:
    """Tell whether at least half of what stands in a column is more than a word."""
    held = [raw[name] for raw in rows if isinstance(raw, dict) and raw.get(name) not in (None, "")]
    return bool(held) and 2 * sum(isinstance(one, str) and _WORDED.search(one) is not None for one in held) >= len(held)


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
    what = {"text": "the answers", "prompt": "the prompts", "system": "the system prompts"}[meaning]
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
