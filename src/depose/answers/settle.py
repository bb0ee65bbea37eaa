"""One status for every answer, from every source: the provider's words, the text, errors and counts go in.

Endpoints, imports and populations call `settle`; whoever reads a log calls `of_exchange`, which settles what an older
version of depose left unsettled.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from depose.answers import placeholders
from depose.answers.line_ends import evened
from depose.answers.reasoning import parted
from depose.answers.words import status_of, wants_a_tool
from depose.model import Exchange, Outcome, Protocol, Record, Reply, Status

OUTCOMES: dict[Status, Outcome] = {
    "whole": "answered",
    "cut_length": "answered",
    "unknown": "answered",
    "refused": "blocked",
    "cut_filter": "blocked",
    "empty": "empty",
    "failed": "failed",
}
"""What becomes of a question whose answer ended so."""
_GRAVEST: tuple[Status, ...] = ("failed", "cut_filter", "refused", "cut_length", "whole", "unknown")


class Settled(Record, frozen=True, kw_only=True):
    """What an answer comes to."""

    status: Status
    text: str
    """The answer alone, spelt as it came; of a blocked one, what there is of it."""
    reasoning: str
    reason: str
    """Why there is no answer; nothing if there is one."""

    @property
    def outcome(self) -> Outcome:
        """What becomes of the question."""
        return OUTCOMES[self.status]


def settle(
    text: str | None,
    *,
    live: bool,
    finish: str = "",
    also: Sequence[str] = (),
    error: str = "",
    guard: str = "",
    refusal: str = "",
    reasoning: str = "",
    output_tokens: int | None = None,
) -> Settled:
    """Judge an answer.

    `finish` is the provider's word for why it ended, `also` are further ones, `error` what stands beside it of an
    error, `guard` what a guardrail says that it did, `refusal` the words of a refusal that has a field of its own,
    `reasoning` what was thought in a field of its own. `live` is what was asked just now: then `nan` is a word, and an
    answer for which nothing was counted was never made.
    """
    found = parted(text or "")
    thought = "\n\n".join(part for part in (reasoning.strip(), found.reasoning) if part)
    word = next((one for one in (finish, *also) if one), "")
    status = min((status_of(one) for one in (finish, *also)), key=_GRAVEST.index)
    answer = found.answer
    shown = evened(answer)

    def made(status: Status, reason: str = "", text: str = answer) -> Settled:
        return Settled(status=status, text=text, reasoning=thought, reason=reason)

    if error:
        return made("failed", error)
    if status == "failed":
        decided = next(one for one in (finish, *also) if status_of(one) == "failed")
        return made("failed", _broken_off(decided))
    if status in ("cut_filter", "refused"):
        decided = next(one for one in (finish, *also) if status_of(one) == status)
        why = ", ".join(filter(None, (decided, guard)))
        return made(status, f"blocked by the provider: {why}", answer if answer.strip() else refusal)
    if guard:
        return made("cut_filter", f"blocked by the provider: {guard}")
    if refusal.strip() and not answer.strip():
        return made("refused", "refused by the provider in a field of its own", refusal)
    if placeholders.of_filter(shown):
        return made("cut_filter", f"a tool's sentence stands in the answer's place: {_short(answer)}")
    if not live and placeholders.of_table(shown):
        return made("empty", f"a placeholder stands in the answer's place: {_short(answer)}", "")
    if not live and placeholders.of_error(shown):
        return made("failed", f"an error stands in the answer's place: {_short(answer)}", "")
    if live and placeholders.of_gateway(shown):
        return made("failed", f"an error stands in the answer's place: {_short(answer)}", "")
    if not live and placeholders.of_printing(shown):
        return made("empty", f"what a program prints for an object stands in the answer's place: {_short(answer)}", "")
    if placeholders.of_call(shown):
        return made("failed", f"it stopped to use a tool: {_short(answer)}", "")
    if found.problem:
        return made("empty", found.problem)
    if not shown:
        return made(*_nothing(word, status, thought, output_tokens, live=live))
    return made(status)


def _short(text: str) -> str:
    return " ".join(text.split())[:120]


def _broken_off(word: str) -> str:
    return f"it stopped to use a tool: `{word}`" if wants_a_tool(word) else f"it broke off: `{word}`"


def _nothing(word: str, status: Status, thought: str, output_tokens: int | None, *, live: bool) -> tuple[Status, str]:
    """Say why there is no text."""
    if thought:
        cut = f", cut by length (`{word}`)" if status == "cut_length" else ""
        return "empty", f"nothing but reasoning{cut}"
    if output_tokens == 0:
        return "failed", "no text, and no token was counted: nothing was run"
    if live and not word:
        return "failed", "no text, and no word on why it ended"
    return "empty", f"no text, cut by length (`{word}`)" if status == "cut_length" else ""


def of_reply(reply: Reply) -> Reply:
    """Settle what an endpoint left unsettled; whoever knows its answers better has given a status."""
    if reply.status is not None:
        return reply
    if reply.outcome != "answered":
        status: Status = (
            "failed" if reply.outcome == "failed" else "empty" if reply.outcome == "empty" else "cut_filter"
        )
        return msgspec.structs.replace(reply, status=status)
    found = settle(reply.text, live=True, finish=reply.finish, reasoning=reply.reasoning)
    return msgspec.structs.replace(
        reply,
        outcome=found.outcome,
        status=found.status,
        text=found.text,
        reasoning=found.reasoning,
        reason=found.reason or reply.reason,
    )


def of_exchange(one: Exchange) -> Settled:
    """Tell how an exchange in a log ended; one of an older version is judged by what its record says."""
    if one.status is not None:
        return Settled(status=one.status, text=one.text, reasoning=one.reasoning, reason=one.reason)
    if one.outcome == "failed":
        return Settled(status="failed", text=one.text, reasoning="", reason=one.reason)
    guard = one.reason.removeprefix("blocked by the provider: ") if one.reason.startswith("blocked by") else ""
    found = settle(one.text, live=one.wire is not None, finish=one.finish, guard=guard)
    if found.status == "failed" and one.outcome == "empty":  # it settled its question then, and is not asked again
        return Settled(status="empty", text="", reasoning=found.reasoning, reason=one.reason)
    return found


def compared(protocol: Protocol, status: Status) -> bool:
    """Tell whether answers that ended so are compared."""
    return bool(getattr(protocol.compared, status, False))


def compared_text(text: str) -> str:
    """Give the text of an answer that detectors compare: reasoning and marks taken off, transport forms made equal.

    For sources that hold nothing but texts; nothing where the text is no answer.
    """
    found = settle(text, live=False)
    return evened(found.text) if found.outcome == "answered" else ""
