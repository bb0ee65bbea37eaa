"""The clients of the makers, pointed at the same server: they send what we send and read what we read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depose import plugins
from depose.endpoints.remote import Remote
from depose.endpoints.wire_format import seed_of
from depose.model import Ask, ModelSpec, Reply
from faults import Server
from thinned import thinned

KEY = "sk-test-0123456789abcdef"
ASK = Ask(
    model="S1",
    prompt="p-1",
    sample=0,
    replicate=0,
    text="How do I prune a \u201crose\u201d? \U0001f339",
    system="Be brief.",
    temperature=0.7,
    max_tokens=96,
    seed=7,
)
STATES = ("", "refusal", "empty answer", "wrong model id", "duplicate headers", "gzip")
Client = Callable[[str, bool], dict[str, Any]]
"""Asks ASK at an address, streamed or not, and tells what it read."""


def openai_client(url: str, stream: bool) -> dict[str, Any]:
    """Read with the package `openai`."""
    openai = pytest.importorskip("openai", reason="the package openai is not installed: pip install .[dev]")
    client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEY, max_retries=0)
    asked: dict[str, Any] = {
        "model": "m-1",
        "messages": [{"role": "system", "content": ASK.system}, {"role": "user", "content": ASK.text}],
        "temperature": ASK.temperature,
        "max_tokens": ASK.max_tokens,
        "seed": seed_of(ASK),
        "stream": stream,
    }
    if not stream:
        got = client.chat.completions.create(**asked)
        said, usage = got.choices[0], got.usage
        text = said.message.content or said.message.refusal or ""
        finish, request = said.finish_reason, got._request_id
    else:
        chunks = list(client.chat.completions.create(**asked, stream_options={"include_usage": True}))
        got, usage, request = chunks[0], chunks[-1].usage, None
        text = "".join(one.delta.content or "" for chunk in chunks for one in chunk.choices)
        finish = next(one.finish_reason for chunk in chunks for one in chunk.choices if one.finish_reason)
    return {
        "text": text,
        "finish": finish,
        "model": got.model,
        "id": got.id,
        "fingerprint": got.system_fingerprint,
        "tokens": (usage.prompt_tokens, usage.completion_tokens),
        "request": request,
    }


def anthropic_client(url: str, stream: bool) -> dict[str, Any]:
    """Read with the package `anthropic`."""
    anthropic = pytest.importorskip("anthropic", reason="the package anthropic is not installed: pip install .[dev]")
    client = anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0)
    asked: dict[str, Any] = {
        "model": "m-1",
        "messages": [{"role": "user", "content": ASK.text}],
        "max_tokens": ASK.max_tokens,
        "system": ASK.system,
    }
    if stream:
        with client.messages.stream(**asked) as events:
            got = events.get_final_message()
    else:
        got = client.messages.create(**asked, stream=False)
    return {
        "text": "".join(block.text for block in got.content if block.type == "text"),
        "finish": got.stop_reason,
        "model": got.model,
        "id": got.id,
        "fingerprint": "",
        "tokens": (got.usage.input_tokens, got.usage.output_tokens),
        "request": None if stream else got._request_id,
    }


def google_client(url: str, stream: bool) -> dict[str, Any]:
    """Read with the package `google-genai`."""
    genai = pytest.importorskip("google.genai", reason="the package google-genai is not installed: pip install .[dev]")
    options = genai.types.HttpOptions(base_url=url, api_version="v1beta")
    client = genai.Client(api_key=KEY, http_options=options)
    config = genai.types.GenerateContentConfig(
        system_instruction=ASK.system,
        temperature=ASK.temperature,
        max_output_tokens=ASK.max_tokens,
        candidate_count=1,
        seed=seed_of(ASK),
    )
    asked = {"model": "m-1", "contents": ASK.text, "config": config}
    if stream:
        parts = list(client.models.generate_content_stream(**asked))
        got, text = parts[-1], "".join(part.text or "" for part in parts)
    else:
        got = client.models.generate_content(**asked)
        text = got.text or ""
    finish = got.candidates[0].finish_reason.value if got.candidates else ""
    return {
        "text": text,
        "finish": finish,
        "model": got.model_version,
        "id": got.response_id,
        "fingerprint": "",
        "tokens": (got.usage_metadata.prompt_token_count, got.usage_metadata.candidates_token_count),
        "request": None,
    }


CLIENTS: dict[str, Client] = {"openai": openai_client, "anthropic": anthropic_client, "google": google_client}


def ours(provider: str, url: str, stream: bool) -> Reply:
    """Ask the same with our own endpoint."""
    base = {"openai": "/v1", "anthropic": "", "google": "/v1beta"}[provider]
    spec = ModelSpec(
        code="S1",
        role="suspect",
        provider=provider,
        model="m-1",
        base_url=url + base,
        allow_private=True,
        api_key_env="DEPOSE_TEST_KEY",
        stream=stream,
    )
    endpoint: Remote = plugins.load("providers", provider)(spec, Path())
    return endpoint.ask([ASK])[0]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the key in the environment."""
    monkeypatch.setenv("DEPOSE_TEST_KEY", KEY)


def meant(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what says nothing: that it is not streamed, and the role that google-genai gives the instruction."""
    told = {name: value for name, value in body.items() if (name, value) != ("stream", False)}
    if isinstance(told.get("systemInstruction"), dict):
        told["systemInstruction"] = {"parts": told["systemInstruction"]["parts"]}
    return told


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", CLIENTS)
def test_the_same_question_is_sent_as_the_client_of_the_maker_sends_it(provider: str, stream: bool) -> None:
    """Path, credential and body are those of the official client, field by field."""
    with Server() as server:
        CLIENTS[provider](server.url, stream)
        assert ours(provider, server.url, stream).outcome == "answered"
    theirs, mine = server.seen
    assert mine.path == theirs.path
    assert meant(mine.json) == meant(theirs.json)
    for name in ("authorization", "x-api-key", "x-goog-api-key", "anthropic-version", "content-type"):
        assert mine.header(name) == theirs.header(name)


@pytest.mark.parametrize(("fault", "stream"), [*((fault, False) for fault in STATES), ("", True)])
@pytest.mark.parametrize("provider", thinned(CLIENTS, 3))
def test_an_answer_is_read_as_the_client_of_the_maker_reads_it(provider: str, fault: str, stream: bool) -> None:
    """Text, finish, model, fingerprint, ids and token counts are the same."""
    with Server(lambda seen: fault) as server:
        theirs = CLIENTS[provider](server.url, stream)
        reply = ours(provider, server.url, stream)
    assert reply.wire is not None
    mine = {
        "text": reply.text,
        "finish": reply.finish,
        "model": reply.wire.model_returned,
        "id": reply.wire.response_id,
        "fingerprint": reply.wire.fingerprint,
        "tokens": (reply.wire.input_tokens, reply.wire.output_tokens),
    }
    assert mine == {name: theirs[name] for name in mine}
    assert reply.outcome == ("blocked" if fault == "refusal" else "answered" if theirs["text"] else "empty")
    if theirs["request"]:  # the two requests were numbered apart
        assert reply.wire.request_id[:4] == theirs["request"][:4] == "req-"


@pytest.mark.parametrize("fault", ["401", "429", "500"])
@pytest.mark.parametrize("provider", CLIENTS)
def test_a_refusal_of_the_service_is_told_as_the_client_tells_it(provider: str, fault: str) -> None:
    """Where the client raises, the reply failed, with the same status and the message of the service."""
    with Server(lambda seen: fault) as server:
        with pytest.raises(Exception, match="not now") as error:
            CLIENTS[provider](server.url, False)
        reply = ours(provider, server.url, False)
    status = getattr(error.value, "status_code", getattr(error.value, "code", None))
    assert reply.wire is not None
    assert (reply.outcome, reply.wire.status, reply.reason) == ("failed", status, f"HTTP {status}: not now")
    assert json.loads(reply.response)
