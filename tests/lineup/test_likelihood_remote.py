"""Log-probabilities over the network: a real server, a real model, and the same ranks as from the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from depose.endpoints.local import Local
from depose.endpoints.weights import find
from depose.errors import EndpointError
from depose.features.packaged import settle_libraries
from depose.lab.recipe import Scratch
from depose.lab.texts import Example
from depose.lab.train import make_base
from depose.lineup.likelihood import WeightsScorer
from depose.lineup.likelihood_remote import open_endpoint
from depose.model import ModelSpec
from depose.model.lineup import Bag, Context, Turn
from given_text import GivenText

MEMBERS = ("a warm stone", "a cold river", "a cold river over the light", "the light", "we may say")


def bags() -> list[Bag]:
    """Two bags, one with a system prompt; a member that another begins with is among them."""
    user = Turn(role="user", content="what lies under the light")
    return [
        Bag(bag="b0", context=Context(messages=(user,)), members=MEMBERS),
        Bag(
            bag="b1",
            context=Context(messages=(Turn(role="system", content="Be brief."), user)),
            members=tuple(reversed(MEMBERS)),
        ),
    ]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny Llama with a tokenizer and a chat template."""
    settle_libraries()
    folder = tmp_path_factory.mktemp("tiny")
    sizes = Scratch(vocabulary=400, width=32, layers=2, heads=2, steps=3, batch=8, rate=0.01)
    make_base(sizes, [Example(prompt=a, text=b, source="") for a in MEMBERS for b in MEMBERS], 1, folder, "cpu")
    return folder


def spec(url: str, **more: Any) -> ModelSpec:
    """Name the served model as a case does."""
    fields = {"allow_private": True, "timeout": 60.0, "attempts": 3} | more
    return ModelSpec(code="S1", role="suspect", provider="openai", model="tiny", base_url=url, **fields)


def local(folder: Path) -> list[np.ndarray[Any, Any]]:
    """Score the bags from the weights, less the mean of each bag."""
    one = ModelSpec(code="S1", role="suspect", provider="transformers", model=str(folder))
    found = WeightsScorer(Local(one, find(one, folder, "float32"), "cpu", "float32")).score(bags())
    return [np.array(row) - np.mean(row) for row in found]


@pytest.mark.parametrize("without", [frozenset(), frozenset({"completions"})])
def test_prompt_logprobs_give_the_differences_of_the_weights(tiny: Path, without: frozenset[str]) -> None:
    """Through chat completions every bag has the differences between members that the weights have themselves."""
    with GivenText(tiny, without=without) as server:
        scorer = open_endpoint(spec(server.url), tiny)
        found = scorer.score(bags())
    assert {path for path, _ in server.seen} == {"/v1/chat/completions"}
    for row, known in zip(found, local(tiny), strict=True):
        assert np.array(row) - np.mean(row) == pytest.approx(known, abs=1e-3)
    assert "prompt_logprobs" in {fact.name: fact.value for fact in scorer.facts()}["wire format"]


@pytest.mark.slow
@pytest.mark.parametrize("without", [frozenset({"prompt_logprobs"}), frozenset({"prompt_logprobs", "usage"})])
def test_echo_gives_the_differences_of_the_weights(tiny: Path, without: frozenset[str]) -> None:
    """Where chat completions give none, `completions` with `echo` do, and the token that they add is left out."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    with GivenText(tiny, without=without) as server:
        found = open_endpoint(spec(server.url), tiny, tokenizer).score(bags())
    for row, known in zip(found, local(tiny), strict=True):
        assert np.array(row) - np.mean(row) == pytest.approx(known, abs=1e-3)


def test_a_server_that_echoes_nothing_is_refused_with_what_each_way_met(tiny: Path) -> None:
    """A server that gives only what it generated would score everything alike: it is refused, not believed."""
    with GivenText(tiny, without=frozenset({"prompt_logprobs", "echo"})) as server, pytest.raises(EndpointError) as met:
        open_endpoint(spec(server.url), tiny)
    told = str(met.value)
    assert "it has no prompt_logprobs" in told
    assert "log-probabilities of 1 tokens, of" in told
    assert 'statistic = "text"' in told


@pytest.mark.slow
def test_passing_faults_are_met_by_another_attempt(tiny: Path) -> None:
    """Two 503 in a row are passed over; a third attempt answers."""
    with GivenText(tiny, failing=2) as server:
        scorer = open_endpoint(spec(server.url, concurrency=1), tiny)
        assert len(server.seen) == 2 + 2
        server.failing = 10**9
        with pytest.raises(EndpointError, match="S1: bag b0: HTTP 503: not yet"):
            scorer.score(bags())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"prompt_logprobs": [None, {}]}, "nothing for token 1"),
        ({"prompt_logprobs": [None, {"5": {"logprob": "x"}}]}, "Expected"),
        ({"prompt_logprobs": "none"}, "Expected"),
        ({"choices": [{"logprobs": {"tokens": ["a"], "token_logprobs": []}}]}, "1 tokens have 0"),
        ({"choices": [{"logprobs": {"tokens": [1], "token_logprobs": [1]}}]}, "Expected"),
        ({"prompt_logprobs": [None, {"5": {"logprob": -1.0}}, {"6": {"logprob": None}}]}, "token 2 has"),
        ({"prompt_logprobs": [None, {"5": {"logprob": 0.5}}]}, "token 1 has the log-probability 0.5"),
        ({"choices": []}, "it has no logprobs"),
        ([], "Expected"),
    ],
)
def test_other_shapes_are_unreadable(tiny: Path, answer: Any, why: str) -> None:
    """What is no such answer is refused with the place that is wrong."""

    class Odd(GivenText):
        def answered(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            return 200, answer

    with Odd(tiny) as server, pytest.raises(EndpointError, match=why):
        open_endpoint(spec(server.url, attempts=1), tiny)
