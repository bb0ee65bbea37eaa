"""Log-likelihood of every member of a bag from an endpoint that gives log-probabilities of a text that it is handed.

Two ways, tried in this order when the endpoint is opened:

prompt_logprobs  vLLM's field of chat completions: the member stands as the last message, which is to be continued, so
                 that the server's own chat template writes the context.
echo             `completions` with `echo` and `logprobs`, as OpenAI introduced them: context and member are one text.
                 The context is written by the template that is given, else as plain paragraphs.

One token is asked for, since some servers take no request for none, and is left out. What all members of a bag share,
the context first of all, adds the same to each of them: the sum begins at the first token in which two members differ.
A member is one request; the server's own cache of prefixes shares the context.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import stamina

from depose.asking.pace import Pace
from depose.endpoints.chat_template import render
from depose.endpoints.openai import OPENAI
from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import (
    Dialect,
    ErrorWithin,
    Loose,
    Reading,
    Unreadable,
    adjusted,
    checked,
    decoded,
    parsed,
    soft_count,
    soft_text,
    text_of,
)
from depose.errors import EndpointError
from depose.evidence.log import utc_now
from depose.lineup.scorer import Scores
from depose.model import Ask, Fact, ModelSpec, Reply
from depose.model.lineup import Bag, Context, Turn

LEAST = -10_000.0
"""A log-probability that a server gives as minus infinity, or lower than this, counts as this."""
MOST = 1e-3
"""A log-probability above zero by more than rounding is none."""
PROBE = Bag(
    bag="probe",
    context=Context(messages=(Turn(role="user", content="Name a colour and a fruit."),)),
    members=("Green, and a pear.", "Blue, and a plum."),
)
"""What an endpoint is asked when it is opened, to see whether and how it scores."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One token of what was sent: its name in the server's vocabulary, and its log-probability if it has one."""

    name: str
    log: float | None


Write = Callable[[Sequence[Context]], tuple[str, ...]]
"""Writes contexts as a model reads them."""


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How to ask for log-probabilities of a text, and how to read them."""

    dialect: Dialect
    body: Callable[[Context, str, str], dict[str, Any]]
    """Of a context, the same as one text where `written`, and a member."""
    written: bool
    tokens: Callable[[Any, dict[str, Any]], list[Token]]


class _Logprob(Loose):
    logprob: float | None = None


class _Usage(Loose):
    prompt_tokens: Any = None


class _Listed(Loose):
    tokens: list[str]
    token_logprobs: list[float | None]
    text_offset: list[int] | None = None


class _Choice(Loose):
    logprobs: _Listed | None = None


class _Echoed(Loose):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None


class _Prompted(Loose):
    prompt_logprobs: list[dict[str, _Logprob] | None] | None = None


class _Named(Loose):
    model: Any = None
    id: Any = None


# --- the two ways -----------------------------------------------------------------------------------


def _prompted_body(context: Context, shown: str, member: str) -> dict[str, Any]:
    turns = [{"role": turn.role, "content": turn.content} for turn in context.messages]
    return {
        "messages": [*turns, {"role": "assistant", "content": member}],
        "add_generation_prompt": False,
        "continue_final_message": True,
        "prompt_logprobs": 0,
        **({"tools": list(context.tools)} if context.tools else {}),
    }


def _prompted_tokens(data: Any, body: dict[str, Any]) -> list[Token]:
    given = checked(data, _Prompted).prompt_logprobs
    if not given:
        raise Unreadable("it has no prompt_logprobs")
    found = []
    for place, one in enumerate(given):
        if not one and place:
            raise Unreadable(f"prompt_logprobs has nothing for token {place}")
        # Where a server adds its likeliest token, the one that was sent comes first.
        name, entry = next(iter(one.items())) if one else ("", _Logprob())
        found.append(Token(name=name, log=entry.logprob))
    return found


def _echo_body(context: Context, shown: str, member: str) -> dict[str, Any]:
    return {"prompt": shown + member, "echo": True, "logprobs": 1}


def _echo_tokens(data: Any, body: dict[str, Any]) -> list[Token]:
    answer = checked(data, _Echoed)
    listed = answer.choices[0].logprobs if answer.choices else None
    if listed is None:
        raise Unreadable("it has no logprobs")
    if len(listed.tokens) != len(listed.token_logprobs):
        raise Unreadable(f"{len(listed.tokens)} tokens have {len(listed.token_logprobs)} log-probabilities")
    sent = soft_count(answer.usage.prompt_tokens) if answer.usage else None
    if sent is None and listed.text_offset:
        sent = sum(offset < len(body["prompt"]) for offset in listed.text_offset)
    if sent is None or not 2 <= sent <= len(listed.tokens):
        raise Unreadable(
            f"log-probabilities of {len(listed.tokens)} tokens, of {sent or 'no number of'} that were sent"
        )
    pairs = zip(listed.tokens[:sent], listed.token_logprobs[:sent], strict=True)
    return [Token(name=name, log=log) for name, log in pairs]


def _body(spec: ModelSpec, ask: Ask) -> dict[str, Any]:
    more = json.loads(ask.text) if ask.text else {}
    return adjusted(spec, {"model": spec.model, "max_tokens": 1, "temperature": 0.0, **more})


def _reading(tokens: Callable[[Any, dict[str, Any]], list[Token]]) -> Callable[[Any], Reading]:
    """Read as an answer what has log-probabilities; their values are read again with the request beside them."""

    def read(data: Any) -> Reading:
        if isinstance(data, dict) and data.get("error"):
            raise ErrorWithin(data["error"])
        named = checked(data, _Named)
        return Reading(
            text="scored",
            finish="stop",
            model=soft_text(named.model),
            fingerprint="",
            id=soft_text(named.id),
            input_tokens=None,
            output_tokens=None,
        )

    return read


def _way(name: str, path: str, body: Any, tokens: Any, *, written: bool) -> _Way:
    dialect = replace(OPENAI, name=name, path=lambda spec, stream: path, body=_body, read=_reading(tokens), fold=_never)
    return _Way(dialect=dialect, body=body, tokens=tokens, written=written)


def _never(events: Sequence[Any]) -> Any:
    raise Unreadable("nothing is streamed")


WAYS = (
    _way("chat completions with prompt_logprobs", "/chat/completions", _prompted_body, _prompted_tokens, written=False),
    _way("completions with echo and logprobs", "/completions", _echo_body, _echo_tokens, written=True),
)


# --- the scorer -------------------------------------------------------------------------------------


class EndpointScorer:
    """Scores bags through one endpoint, several requests at once; `score` may be called again."""

    independent = True

    def __init__(self, spec: ModelSpec, folder: Path, way: _Way, write: Write) -> None:
        self._spec, self._way, self._write = spec, way, write
        self._remote = Remote(spec, folder, way.dialect)
        self._pace = Pace(spec.rpm, spec.tpm, threading.Event())

    def facts(self) -> tuple[Fact, ...]:
        """Say where and how the model is asked, and what a score is."""
        said = [one for one in self._remote.facts() if one.name not in ("not sent", "streamed")]
        told = "sum of log-probabilities from the first token in which two members of a bag differ, in nats"
        return (*said, Fact(name="score", value=told))

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Score the members of each bag, in nats; raise EndpointError for a request that does not succeed."""
        texts = self._write([bag.context for bag in bags]) if self._way.written else ("",) * len(bags)
        asked = [(bag, text, member) for bag, text in zip(bags, texts, strict=True) for member in bag.members]
        with ThreadPoolExecutor(self._spec.concurrency) as threads:
            try:
                told = iter(list(threads.map(self._ask, asked)))
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        return tuple(_apart(bag, [next(told) for _ in bag.members]) for bag in bags)

    def _ask(self, asked: tuple[Bag, str, str]) -> list[Token]:
        bag, shown, member = asked
        body = self._way.body(bag.context, shown, member)
        ask = _question(self._spec, bag.bag, body)
        waits = {"wait_initial": 0.5, "wait_max": 60.0, "wait_jitter": 0.5}
        number = 0
        for attempt in stamina.retry_context(on=_when, attempts=self._spec.attempts, timeout=None, **waits):
            with attempt:
                number += 1
                self._pace.wait(len(json.dumps(body)) // 3)
                reply = self._remote.attempt(ask, number, utc_now)
                if reply.outcome == "failed":
                    raise _Failed(self._spec.code, bag.bag, reply)
        try:
            return _whole(self._way.tokens(_document(reply), body))
        except Unreadable as error:
            raise EndpointError(
                f"{self._spec.code}: bag {bag.bag}: the answer is unreadable: {error}",
                hint="ask the endpoint's maker for log-probabilities of prompts, or use another statistic",
            ) from error


class _Failed(EndpointError):
    """A request that failed; `again` says whether another may not."""

    def __init__(self, code: str, bag: str, reply: Reply) -> None:
        super().__init__(f"{code}: bag {bag}: {reply.reason}", hint="run it again: what was scored is kept")
        self.again = reply.again


def _when(error: Exception) -> bool | float:
    return isinstance(error, _Failed) and error.again is not None and (error.again or True)


def _question(spec: ModelSpec, bag: str, body: dict[str, Any]) -> Ask:
    return Ask(
        model=spec.code,
        prompt=bag,
        sample=0,
        replicate=0,
        text=json.dumps(body),
        system="",
        temperature=0.0,
        max_tokens=1,
        seed=0,
    )


def _document(reply: Reply) -> Any:
    headers = reply.wire.response_headers if reply.wire else ()
    encodings = [value for name, value in headers if name.lower() == "content-encoding"]
    return parsed(text_of(decoded(reply.response, encodings)))


def _whole(tokens: list[Token]) -> list[Token]:
    """Return tokens of which each but the first has a log-probability; one without would count as certain."""
    for place, one in enumerate(tokens):
        if (one.log is None and place) or (one.log or 0.0) > MOST:
            raise Unreadable(f"token {place} has the log-probability {one.log}")
    return tokens


def _apart(bag: Bag, rows: Sequence[Sequence[Token]]) -> Scores:
    """Sum what follows the first token in which two members differ."""
    shared = 0
    for same in zip(*rows, strict=False):
        if len({one.name for one in same}) > 1:
            break
        shared += 1
    if not shared:
        raise EndpointError(
            f"bag {bag.bag}: no token of the context is shared by its members",
            hint="the endpoint must write the same context for all members",
        )
    return tuple(math.fsum(max(one.log or 0.0, LEAST) for one in row[shared:]) for row in rows)


def open_endpoint(spec: ModelSpec, folder: Path, tokenizer: Any = None) -> EndpointScorer:
    """Open an endpoint for scoring in the first way that it answers; `tokenizer` has the template of plain prompts.

    Raises EndpointError with what each way met where neither gives log-probabilities of what it is sent.
    """
    met = []
    for way in WAYS:
        scorer = EndpointScorer(spec, folder, way, _writer(tokenizer))
        try:
            (scores,) = scorer.score([PROBE])
        except EndpointError as error:
            met.append(f"{way.dialect.name}: {error.message}")
            continue
        if len(set(scores)) == len(scores):
            return scorer
        met.append(f"{way.dialect.name}: different texts have the same score")
    raise EndpointError(
        f"{spec.code}: the endpoint gives no log-probabilities of a text: " + "; ".join(met),
        hint='register statistic = "text", which needs answers alone',
    )


def _writer(tokenizer: Any) -> Write:
    def write(contexts: Sequence[Context]) -> tuple[str, ...]:
        listed = [[{"role": one.role, "content": one.content} for one in context.messages] for context in contexts]
        if tokenizer is None:
            return tuple("".join(one["content"] + "\n\n" for one in turns) for turns in listed)
        shown = render(tokenizer, listed, pinned=False, tools=[context.tools for context in contexts])
        for one in shown:
            if one.refused:
                raise EndpointError(one.refused, hint="name another template, or leave contexts of this kind out")
        return tuple(one.text for one in shown)

    return write
