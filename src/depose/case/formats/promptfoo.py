"""Results of promptfoo: JSON (`results.results`) and JSONL (one result a line).

A raw prompt may be chat JSON and may end with a line feed. A filter that cut in, and a refusal that the provider
reported, stand in `finish`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Turn, message_of, object_of, word


def is_document(document: Any) -> bool:
    """Tell a promptfoo file by its `results`, which is an object with prompts, or results, in it."""
    results = object_of(object_of(document).get("results"))
    return isinstance(object_of(document).get("results"), dict) and "eval" not in document and "scores" not in results


def read_document(document: Raw) -> Iterator[Found]:
    """Read a promptfoo document."""
    results = document["results"].get("results")
    if not isinstance(results, list):
        raise ValueError("no list of results in it")
    yield from read_lines(results)


def is_lines(rows: Sequence[Any]) -> bool:
    """Tell a result of promptfoo: a prompt with its raw text beside a provider."""
    return any("raw" in object_of(object_of(one).get("prompt")) and "provider" in one for one in rows)


def read_lines(rows: Sequence[Any]) -> Iterator[Found]:
    """Read results one by one; the same prompt to the same provider again is the next sample."""
    for number, result in enumerate(rows, start=1):
        raw = object_of(result)
        if not isinstance(raw.get("prompt"), dict):
            raise ValueError(f"result {number} has no prompt")
        provider = raw.get("provider")
        named = provider if isinstance(provider, dict) else {"id": provider}
        said = word(raw["prompt"].get("raw"))
        turns = messages.chat_json(said)
        head: Raw = {
            "prompt": messages.last_user(turns) if turns else said,
            "turns": turns or (Turn(role="user", text=said),),
            "model": word(named.get("label")) or word(named.get("id")),
        }
        response = object_of(raw.get("response"))
        output, failed = response.get("output"), response.get("error") or _broken(raw)
        finish, refused = word(response.get("finishReason")), response.get("isRefusal") is True
        head |= {"finish": finish, "also": ("refusal",) if refused else (), "guard": _guard(response)}
        head["missing"] = () if finish or refused else ("no finish reason",)
        if failed or not isinstance(output, str):
            yield Found(**head, problem=message_of(failed) if failed else "the answer is not text")
        else:
            yield Found(**head, text=output)


def _broken(result: Raw) -> Any:
    """Give the error of a result; a failed assertion (reason 1) is a judgement on an answer, and no error."""
    return None if result.get("failureReason") == 1 else result.get("error")


def _guard(response: Raw) -> str:
    """Say what the guardrails did, where they cut in."""
    guard = object_of(response.get("guardrails"))
    cut = [name for name in ("flagged", "flaggedInput", "flaggedOutput", "blocked") if guard.get(name)]
    return word(guard.get("reason")) or ", ".join(cut) if cut else ""
