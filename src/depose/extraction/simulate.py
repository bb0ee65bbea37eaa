"""Simulated worlds as logs of a product, with the truth beside them, to practise on."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from depose.errors import CaseError, UsageError, shell
from depose.evidence.log import write_whole
from depose.extraction import plan, worlds
from depose.extraction.masking import conversation
from depose.extraction.reading import Reader
from depose.model import Record
from depose.model.canonical import canonical
from depose.model.random_streams import stream

MOST_PROMPTS = 200_000
PLACES = ("DE", "US")
"""Countries of the networks, one after the other: both products say addresses and no countries."""
_PARTS = ("ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "me", "nu", "pa", "re", "si", "to", "vu", "wa", "ze", "no")


class Simulated(Record, frozen=True, kw_only=True):
    """What was written."""

    files: tuple[str, ...]
    requests: int
    accounts: int
    planted: int
    prompts: int
    """Prompts that were read from a file, 0 where they were made up."""
    truncated: bool
    """Whether the file of prompts breaks off."""
    next: str


def recipe(said: dict[str, Any]) -> worlds.Recipe:
    """Read a recipe; raise UsageError for one that cannot be."""
    try:
        return msgspec.convert(said, type=worlds.Recipe)
    except msgspec.ValidationError as error:
        raise UsageError(f"no such world: {error}", hint="depose extraction simulate --help") from error


def write(out: Path, made_of: worlds.Recipe, format_: str, prompts: Path | None, seed: int) -> Simulated:
    """Write a log, a table of countries, a case file, a key for practice, and the truth."""
    if (out / plan.NAME).exists():
        raise UsageError(f"{out}: holds a case already", hint="name a new folder")
    rng = stream(seed, "simulate")
    world = worlds.build(made_of, rng)
    texts, truncated = _texts(prompts) if prompts is not None else ([], False)
    words = _Words(texts, seed)
    out.mkdir(parents=True, exist_ok=True)
    rows = {"litellm": _litellm, "apim": _apim}[format_](world, words)
    names = {"litellm": "log.jsonl.gz", "apim": "apim.jsonl.gz"}
    networks = sorted({one % 2**16 for one in world.events["ip24"].to_pylist()})
    countries = "network,country\n" + "".join(f"{_network(one)}.0/24,{PLACES[one % 2]}\n" for one in networks)
    clean, tested = worlds.span(made_of)
    case = f"""# Simulated: nobody's accounts.
[case]
title = "simulated log, seed {seed}"
authority = "made up by depose extraction simulate"

[period]
tested = ["{tested[0]}", "{tested[1]}"]
""" + (f'clean = ["{clean[0]}", "{clean[1]}"]\n' if clean else "") + f"""
[strata]
by = ["volume"]
fewest = 99

[[releases]]
model = "model-2"
at = "{world.release}"
"""  # fmt: skip
    key = bytes(rng.integers(0, 256, size=32, dtype=np.uint8).tolist())
    planted = sorted(_account(one) for one in world.planted.tolist())
    files = {
        plan.NAME: case.encode(),
        names[format_]: _packed(rows),
        "countries.csv": countries.encode(),
        "custodian.key": key,
        "truth.json": canonical({"planted": planted, "recipe": msgspec.to_builtins(made_of), "seed": seed}),
    }
    for name, data in files.items():
        write_whole(out / name, data)
    return Simulated(
        files=tuple(str(out / name) for name in files),
        requests=world.events.num_rows,
        accounts=len(np.unique(world.events["account"].to_numpy())),
        planted=len(planted),
        prompts=len(texts),
        truncated=truncated,
        next=f"depose extraction import {shell(out)} {shell(out / names[format_])} --format {format_} "
        f"--hash-key {shell(out / 'custodian.key')} --countries {shell(out / 'countries.csv')}",
    )


def _packed(rows: Iterable[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", mtime=0, compresslevel=6) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
    return sink.getvalue()


def _texts(file: Path) -> tuple[list[str], bool]:
    """Read what people asked from a log, or from conversations as ShareGPT has them, also from one that breaks off."""
    reader = Reader(file)
    found: dict[str, None] = {}
    for _, row in reader:
        said = row.get("conversations")
        if isinstance(said, list):
            turns = [one for one in said if isinstance(one, dict) and one.get("from") in ("human", "user")]
            texts = [str(one.get("value", "")) for one in turns]
        else:
            texts = [conversation(row.get("messages", row.get("prompt", row.get("text"))))[0]]
        found |= dict.fromkeys(text[:2_000] for text in texts if len(text.split()) > 3)
        if len(found) >= MOST_PROMPTS:
            break
    if len(found) < 100:
        raise CaseError(
            f"{file}: {len(found)} prompts", hint="a hundred or more: messages, prompt, text or conversations"
        )
    return list(found), reader.losses.truncated


class _Words:
    """The words of a prompt by its number: read from a file, or made up; the same number, the same words."""

    def __init__(self, texts: list[str], seed: int) -> None:
        self._texts, self._seed = texts, seed
        self._known: dict[int, str] = {}

    def of(self, number: int, place: int) -> str:
        """Return the words of a prompt; those of a campaign differ in a number each time."""
        if number >= 1 << 45:
            return (
                f"Write out the full reasoning step by step for {self._made(number, 6)}, before the answer. "
                f"Case {place % 97}: {self._made(number + place % 7, 4)}"
            )
        if self._texts and number < 1 << 40:
            return self._texts[number % len(self._texts)]
        return f"{self._made(number, 14)}?"

    def _made(self, number: int, count: int) -> str:
        if number not in self._known:
            rng = stream(self._seed, "words", str(number))
            words = ["".join(rng.choice(_PARTS, size=int(rng.integers(1, 4)))) for _ in range(14)]
            self._known[number] = " ".join(words)
        return " ".join(self._known[number].split()[:count])


def _network(number: int) -> str:
    return f"10.{number >> 8}.{number & 255}"


def _account(number: int) -> str:
    return f"acct-{number % 10**12:012d}"


def _rows(world: worlds.World) -> Iterator[tuple[int, dict[str, Any], int]]:
    names = ("account", "ts", "in_tok", "out_tok", "model_served", "status", "payment", "ip24", "tier")
    columns = [world.events[name].to_pylist() for name in names]
    prompts = world.prompts.tolist()
    for place, values in enumerate(zip(*columns, strict=True)):
        yield place, dict(zip(names, values, strict=True)), prompts[place]


def _litellm(world: worlds.World, words: _Words) -> Iterator[dict[str, Any]]:
    """Rows of LiteLLM's spend logs."""
    for place, one, prompt in _rows(world):
        network, answer = one["ip24"] % 2**16, words.of(prompt ^ 1, place)
        yield {
            "request_id": f"chatcmpl-{place:08d}",
            "call_type": "acompletion",
            "api_key": f"{one['account']:064x}"[-64:],
            "user": _account(one["account"]),
            "startTime": one["ts"].isoformat(timespec="milliseconds") + "Z",
            "model": one["model_served"],
            "model_group": "model",
            "prompt_tokens": one["in_tok"],
            "completion_tokens": one["out_tok"],
            "requester_ip_address": f"{_network(network)}.{one['account'] % 250 + 1}",
            "status": "success" if one["status"] == "ok" else "failure",
            "messages": [{"role": "user", "content": words.of(prompt, place)}],
            "response": {"choices": [{"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"}]},
            "metadata": {},
        }


def _apim(world: worlds.World, words: _Words) -> Iterator[dict[str, Any]]:
    """Rows of API Management: each request one of the gateway and four of its model log, its messages split."""
    for place, one, prompt in _rows(world):
        correlation, network = f"c-{place:08d}", one["ip24"] % 2**16
        messages = json.dumps([{"role": "user", "content": words.of(prompt, place)}])
        answer = json.dumps([{"role": "assistant", "content": words.of(prompt ^ 1, place)}])
        half = len(messages) // 2
        when = one["ts"].isoformat(timespec="milliseconds") + "Z"
        same = {"TimeGenerated": when, "CorrelationId": correlation}
        empty = {"RequestId": "", "DeploymentName": "", "ModelName": "", "PromptTokens": 0, "CompletionTokens": 0}
        yield {**same, **empty, "SequenceNumber": 2, "RequestMessages": messages[half:], "ResponseMessages": ""}
        yield {**same, **empty, "SequenceNumber": 1, "RequestMessages": messages[:half], "ResponseMessages": ""}
        yield {**same, **empty, "SequenceNumber": 3, "RequestMessages": "", "ResponseMessages": answer}
        yield {**same, "RequestId": f"r-{place:08d}", "DeploymentName": "chat", "ModelName": one["model_served"],
               "OperationName": "ChatCompletions", "PromptTokens": one["in_tok"], "CompletionTokens": one["out_tok"],
               "SequenceNumber": 0, "RequestMessages": "", "ResponseMessages": ""}  # fmt: skip
        yield {
            **same,
            "CallerIpAddress": f"{_network(network)}.{one['account'] % 250 + 1}",
            "ApimSubscriptionId": _account(one["account"]),
            "ResponseCode": 200 if one["status"] == "ok" else 429,
            "BackendTime": 900,
        }
