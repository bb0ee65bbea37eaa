"""The local provider answers reproducibly, question by question, and says what answered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Regex, decoders, normalizers

import weight_changes as changes
from depose.endpoints import Endpoint
from depose.endpoints.local import gumbel, open_transformers, stream
from depose.endpoints.weights import RECORD, Conversion, check_converted, record
from depose.errors import EndpointError, ModelFileError
from depose.features.packaged import file_digest
from depose.lineup.likelihood import open_weights
from depose.model import Ask, ModelSpec, Reply
from depose.model.canonical import canonical
from depose.model.lineup import Bag, Context, Turn
from strange_models import stranger

SMOLLM = "SmolLM2-135M-Instruct"


def spec(model: str = SMOLLM, adapter: str = "") -> ModelSpec:
    """Name a local model as a case does."""
    return ModelSpec(code="S1", role="suspect", provider="transformers", model=model, adapter=adapter)


def question(prompt: str = "p1", text: str = "Name a fruit.", temperature: float = 0.0, system: str = "") -> Ask:
    """Ask for a short answer."""
    return Ask(
        model="S1",
        prompt=prompt,
        sample=0,
        replicate=0,
        text=text,
        system=system,
        temperature=temperature,
        max_tokens=12,
        seed=7,
    )


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Endpoint:
    """Open the packaged model."""
    return open_transformers(spec(), tmp_path_factory.mktemp("case"))


def texts(replies: Sequence[Reply]) -> list[str]:
    """Take the answers."""
    return [reply.text for reply in replies]


def test_stream_belongs_to_the_question() -> None:
    """Noise is the same when a question is asked again and differs as soon as any part of its name does."""
    ask = question(temperature=0.7)
    first = gumbel(stream(ask), 1000)
    assert np.array_equal(first, gumbel(stream(ask), 1000))
    for change in ({"seed": 8}, {"model": "S2"}, {"prompt": "p2"}, {"sample": 1}, {"replicate": 1}):
        other = gumbel(stream(msgspec.structs.replace(ask, **change)), 1000)
        assert abs(np.corrcoef(first, other)[0, 1]) < 0.15


def test_stream_ignores_the_batch() -> None:
    """Drawing for other questions in between leaves a question's own noise as it is when it is asked alone."""
    asks = [question(prompt=f"p{i}", temperature=0.7) for i in range(4)]
    alone = stream(asks[2])
    expected = [gumbel(alone, 50) for _ in range(3)]
    together = [stream(ask) for ask in asks]
    seen = [[gumbel(source, 50) for source in together][2] for _ in range(3)]
    assert np.array_equal(np.array(expected), np.array(seen))


def test_noise_draws_from_the_softmax() -> None:
    """Taking the largest of logits plus noise picks each token with its probability."""
    probabilities = np.array([0.5, 0.3, 0.15, 0.05])
    source = stream(question(temperature=0.7))
    drawn = [int(np.argmax(np.log(probabilities) + gumbel(source, 4))) for _ in range(20_000)]
    assert np.allclose(np.bincount(drawn, minlength=4) / 20_000, probabilities, atol=0.015)


@pytest.mark.slow
@pytest.mark.live
def test_same_seed_same_answers(endpoint: Endpoint) -> None:
    """The same batch asked twice gives the same replies, byte for byte."""
    asks = [question(prompt=f"p{i}", text=f"Name {i + 2} fruits.", temperature=0.9) for i in range(3)]
    assert endpoint.ask(asks) == endpoint.ask(asks)


@pytest.mark.slow
@pytest.mark.live
def test_seed_changes_the_answers(endpoint: Endpoint) -> None:
    """Another seed gives other answers at a high temperature, and none at temperature 0."""
    for temperature, differs in ((1.5, True), (0.0, False)):
        ask = question(text="Write a line about rain.", temperature=temperature)
        first, second = texts(endpoint.ask((ask, msgspec.structs.replace(ask, seed=8))))
        assert (first != second) is differs


@pytest.mark.slow
@pytest.mark.live
def test_system_prompt_changes_the_answer(endpoint: Endpoint) -> None:
    """A persona changes a greedy answer, and the request records what the model read."""
    plain, persona = endpoint.ask(
        (
            question(text="Who are you?"),
            question(text="Who are you?", system="You are Captain Brine, a pirate. Talk like one."),
        )
    )
    assert plain.text != persona.text
    assert b"Captain Brine" in persona.request
    # The template's own default system prompt stands in the request, although nobody asked for it.
    assert b"named SmolLM" in plain.request


@pytest.mark.slow
@pytest.mark.live
def test_an_answer_goes_on_from_its_beginning(endpoint: Endpoint) -> None:
    """The beginning of an answer is the last that the model reads, and its answer is what follows."""
    asked = question(text="What is the capital of France?")
    (plain, begun) = endpoint.ask([asked, msgspec.structs.replace(asked, beginning="Of course: that is the town of")])
    assert json.loads(begun.request)["messages"][-1] == {
        "role": "assistant",
        "content": "Of course: that is the town of",
    }
    assert json.loads(begun.request)["prompt"].endswith("assistant\nOf course: that is the town of")
    assert json.loads(plain.request)["prompt"].endswith("assistant\n")
    assert begun.text.startswith(" Paris")
    assert not plain.text.startswith(" Paris")


@pytest.mark.slow
def test_reply_says_why_it_ended(endpoint: Endpoint) -> None:
    """An answer that runs into max_tokens ends by length, a finished one by stop, and both are canonical JSON."""
    asks = (
        question(text="Tell me a long story."),
        msgspec.structs.replace(question(text="What is the capital of France?"), max_tokens=60),
    )
    long, short = endpoint.ask(asks)
    assert (long.outcome, long.finish, short.outcome, short.finish) == ("answered", "length", "answered", "stop")
    assert "Paris" in short.text
    for reply in (long, short):
        body = msgspec.json.decode(reply.response)
        assert canonical(body) == reply.response
        assert body["text"] == reply.text
    assert len(msgspec.json.decode(long.response)["tokens"]) == 12


@pytest.mark.live
def test_too_long_a_question_fails_alone(endpoint: Endpoint) -> None:
    """A prompt beyond the context is a failed reply with a reason; the questions beside it are answered."""
    first, second, third = endpoint.ask((question(), question(text="word " * 9_000), question(prompt="p3")))
    assert (first.outcome, second.outcome, third.outcome) == ("answered", "failed", "answered")
    assert "context of 8192" in second.reason


@pytest.mark.live
def test_facts_name_every_file(endpoint: Endpoint) -> None:
    """Weights, tokenizer, chat template and what they run on are described for the log."""
    facts = {fact.name: fact.value for fact in endpoint.facts()}
    wanted = {"weights model.safetensors", "file tokenizer.json", "chat template", "dtype", "device", "torch"}
    assert wanted <= facts.keys()
    assert facts["sha256 SmolLM2-135M-Instruct.Q4_1.gguf"].startswith("b179c952")


@pytest.mark.slow
@pytest.mark.live
def test_opening_again_is_silent_and_shares_the_weights(
    endpoint: Endpoint, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A second item with the same weights uses the same model in memory, and nothing is printed."""
    second = open_transformers(spec(), tmp_path)
    second.ask((question(),))
    assert second.load().model is endpoint.load().model  # type: ignore[attr-defined]
    assert capfd.readouterr() == ("", "")


def test_no_such_folder(tmp_path: Path) -> None:
    """A folder that holds no model is refused with what would be one."""
    with pytest.raises(EndpointError, match="is not a folder of a model"):
        open_transformers(spec(model="weights/nowhere"), tmp_path)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    """Weights in another format than safetensors are not read: they could run code."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(EndpointError, match=r"no \.safetensors file"):
        open_transformers(spec(model="."), tmp_path)


@pytest.mark.slow
def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    """A folder whose weights cannot be read is an error with its path."""
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(EndpointError, match="does not load"):
        open_transformers(spec(model="."), tmp_path)


def test_adapter_without_its_files_is_refused(tmp_path: Path) -> None:
    """An adapter that cannot be used stops the opening, whether peft is there or not."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(EndpointError, match="adapter"):
        open_transformers(spec(model=".", adapter="lora"), tmp_path)


def test_changed_conversion_is_refused(tmp_path: Path) -> None:
    """A converted file that is no longer the one that was written is refused with its digest."""
    model = tmp_path / "made" / "model"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")
    files = {"model.safetensors": file_digest(model / "model.safetensors")}
    of = Conversion(source="ab" * 32, dtype="float32", transformers="5", files=files)
    (tmp_path / "made" / RECORD).write_bytes(record(of))
    (tmp_path / "made").chmod(0o700)
    assert check_converted(tmp_path / "made", of) == model
    (model / "model.safetensors").write_bytes(b"weighty")
    with pytest.raises(ModelFileError, match=file_digest(model / "model.safetensors")):
        check_converted(tmp_path / "made", of)
    shutil.rmtree(model)
    with pytest.raises(ModelFileError, match="file is missing"):
        check_converted(tmp_path / "made", of)


# --- a model that a stranger made -------------------------------------------------------------------


def asked(folder: Path) -> Reply:
    """Ask the model in a folder for a short answer."""
    (reply,) = open_transformers(spec(str(folder)), folder.parent).ask([question()])
    return reply


def test_a_model_with_a_tokenizer_of_its_own_answers(tmp_path: Path) -> None:
    """What a tokenizer does within limits it does as ever."""
    reply = asked(stranger(tmp_path / "model"))
    assert (reply.outcome, len(reply.text.split())) == ("answered", 12)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"normalizer": normalizers.Sequence([normalizers.Replace(Regex("."), "x" * 1_000)] * 4)}, "MiB of memory"),
        ({"decoder": decoders.Sequence([decoders.Replace(Regex("."), "x" * 1_000)] * 4)}, "MiB of memory"),
    ],
    ids=["tokens", "letters"],
)
def test_a_tokenizer_without_end_fails_its_questions_alone(tmp_path: Path, parts: dict[str, Any], says: str) -> None:
    """The question fails with the reason, and the run goes on."""
    folder = stranger(tmp_path / "model", **parts)
    reply = asked(folder)
    assert reply.outcome == "failed"
    assert says in reply.reason
    if "normalizer" in parts:
        context = Context(messages=(Turn(role="user", content="Name a fruit."),))
        with pytest.raises(EndpointError, match=r"the bags: the tokenizer .* of memory"):
            open_weights(spec(str(folder)), tmp_path).score([Bag(bag="b", context=context, members=("w1", "w2"))])


def test_a_tokenizer_that_cannot_be_built_is_an_error(tmp_path: Path) -> None:
    """It is tried before it is loaded."""
    folder = stranger(tmp_path / "model")
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": {"type": "WordLevel"}}))
    with pytest.raises(EndpointError, match="does not load: the tokenizer "):
        asked(folder)


def test_a_configuration_of_more_than_its_weights_is_an_error(tmp_path: Path) -> None:
    """A model whose missing weights would be made up in memory is not loaded."""
    folder = stranger(tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    tensors = {name: one for name, one in load_file(folder / "model.safetensors").items() if ".mlp." not in name}
    tensors["padding"] = torch.zeros(1_000_000)
    save_file(tensors, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config | {"intermediate_size": 20_000_000}))
    with pytest.raises(EndpointError, match=r"describes a model of 2304\d+ bytes, and the weights have"):
        asked(folder)


def test_weights_that_a_loader_would_make_up_are_an_error(tmp_path: Path) -> None:
    """A layer that the files lack would be other random numbers in each run, under the same digests."""
    with pytest.raises(EndpointError, match=r"the weights lack model\.layers\.0\.self_attn\.v_proj\.weight"):
        asked(stranger(tmp_path / "model", lacks="v_proj"))


@pytest.mark.slow
def test_an_adapter_of_a_stranger_answers(tmp_path: Path) -> None:
    """A LoRA adapter of the ranks that it has is loaded over its model."""
    folder = stranger(tmp_path / "model")
    adapter = changes.save_adapter(tmp_path / "adapter", changes.lora(load_file(folder / "model.safetensors"), 1)[0])
    config = json.loads((adapter / "adapter_config.json").read_text())
    modules = {"target_modules": ["v_proj", "up_proj", "gate_proj", "down_proj"]}
    (adapter / "adapter_config.json").write_text(json.dumps(config | modules))
    (reply,) = open_transformers(spec(str(folder), str(adapter)), tmp_path).ask([question()])
    assert reply.outcome == "answered"


@pytest.mark.slow
def test_an_adapter_with_a_pattern_without_end_is_an_error(tmp_path: Path) -> None:
    """Its pattern is tried before a loader holds it against the names of the model."""
    folder = stranger(tmp_path / "model")
    adapter = changes.save_adapter(tmp_path / "adapter", changes.lora(load_file(folder / "model.safetensors"), 1)[0])
    config = json.loads((adapter / "adapter_config.json").read_text())
    (adapter / "adapter_config.json").write_text(json.dumps(config | {"target_modules": "([a-z_.0-9]+)+!"}))
    with pytest.raises(EndpointError, match=r"a pattern of adapter_config\.json takes more than"):
        open_transformers(spec(str(folder), str(adapter)), tmp_path)
