"""Log-likelihoods of members are those that a model gives each alone, whatever is shared, padded and put together."""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
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
from depose.lineup.likelihood import WeightsScorer, open_weights
from depose.lineup.likelihood_cached import scored
from depose.lineup.likelihood_tree import FAMILIES, NAME, takes
from depose.model import ModelSpec
from depose.model.lineup import Bag, Context, Turn
from thinned import thinned

SIZES = Scratch(vocabulary=400, width=32, layers=2, heads=2, steps=3, batch=8, rate=0.01)
WORDS = [
    "the",
    "a",
    "river",
    "stone",
    "light",
    "under",
    "over",
    "near",
    "cold",
    "warm",
    "green",
    "answer",
    "because",
    "when",
    "asked",
    "it",
    "says",
    "that",
    "we",
    "may",
]


def words(rng: random.Random, low: int, high: int) -> str:
    """Draw a text of so many words."""
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(low, high)))


def bags(count: int = 9, longest: int = 30) -> list[Bag]:
    """Bags of unequal contexts, numbers of members and lengths, one with a member of one token and one of none."""
    rng = random.Random(3)
    made = []
    for number in range(count):
        members = {words(rng, 2, longest) for _ in range(rng.randint(2, 5))}
        if number == 1:
            members |= {"the", ""}
        turns = [Turn(role="system", content="Be brief.")] if number % 3 == 0 else []
        turns += [Turn(role="user", content=words(rng, 1, 40))]
        made.append(Bag(bag=f"b{number}", context=Context(messages=tuple(turns)), members=tuple(sorted(members))))
    return made


def spec(folder: str, adapter: str = "") -> ModelSpec:
    """Name local weights as a case does."""
    return ModelSpec(code="S1", role="suspect", provider="transformers", model=folder, adapter=adapter)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a tiny Llama with a tokenizer and a chat template."""
    settle_libraries()
    folder = tmp_path_factory.mktemp("tiny")
    rng = random.Random(1)
    examples = [Example(prompt=words(rng, 3, 9), text=words(rng, 3, 20), source="words") for _ in range(40)]
    make_base(SIZES, examples, 1, folder, "cpu")
    return folder


def scorer(folder: Path, room: int | None = None) -> WeightsScorer:
    """Open a folder in float32, so that only mistakes are seen and not rounding."""
    one = spec(str(folder))
    return WeightsScorer(Local(one, find(one, folder, "float32"), "cpu", "float32"), room)


def alone(folder: Path, asked: Sequence[Bag]) -> list[list[float]]:
    """Score each member by itself, as anybody would: no sharing, no padding, no cache."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    found = []
    for bag in asked:
        messages = [{"role": turn.role, "content": turn.content} for turn in bag.context.messages]
        shown = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        context = tokenizer(shown, add_special_tokens=False)["input_ids"]
        row = []
        for member in bag.members:
            answer = tokenizer(member, add_special_tokens=False)["input_ids"]
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([context + answer])).logits[0]
            log = torch.log_softmax(logits.double(), dim=-1)
            row.append(sum(float(log[len(context) + at - 1, token]) for at, token in enumerate(answer)))
        found.append(row)
    return found


def near(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> None:
    """Compare two tables to a thousandth of a nat."""
    assert [len(row) for row in left] == [len(row) for row in right]
    for one, other in zip(left, right, strict=True):
        assert one == pytest.approx(other, abs=1e-3)


@pytest.mark.parametrize("room", [None, 60, 7])
def test_scores_are_those_of_each_member_alone(tiny: Path, room: int | None) -> None:
    """Beginnings shared, in one pass or in many that cut them, give the plain sums."""
    asked = bags()
    near(scorer(tiny, room).score(asked), alone(tiny, asked))


@pytest.mark.parametrize("room", [None, 300, 1])
def test_contexts_that_are_dealt_out_give_the_plain_sums(tiny: Path, room: int | None) -> None:
    """Contexts shared, left-padded and put together, as in a family without a tree, in one pass or in many."""
    asked, open_here = bags(), scorer(tiny)
    loaded = open_here._local.load()
    near(scored(loaded.model, loaded.pad, open_here._tokens(asked), "cpu", room), alone(tiny, asked))


def family(tiny: Path, folder: Path, kind: str, **more: Any) -> Path:
    """Make a random model of a family that reads the tokens of the tiny one."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(2)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512, "pad_token_id": 0}
    words = len(AutoTokenizer.from_pretrained(tiny, local_files_only=True))
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, vocab_size=words, **sizes, **more))
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)  # so that what a token sees changes what it says
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(tiny / name, folder / name)
    return folder


EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
MORE: dict[str, dict[str, Any]] = {
    "mistral": {"sliding_window": None},
    "mixtral": {"sliding_window": None, "num_local_experts": 4},
    "phi3": {"sliding_window": None},
    "qwen3_moe": EXPERTS,
}


@pytest.mark.parametrize("kind", thinned(sorted(FAMILIES), 4))
def test_a_tree_gives_the_plain_sums_in_every_family_that_is_named(tiny: Path, tmp_path: Path, kind: str) -> None:
    """A random model of each family reads beginnings once and gives each member's sum alone, in several passes."""
    folder = family(tiny, tmp_path / kind, kind, **MORE.get(kind, {}))
    open_here = scorer(folder, 90)
    assert takes(open_here._local.load().model)
    asked = bags(4)
    found = open_here.score(asked)
    near(found, alone(folder, asked))
    assert np.std(found[0]) > 1


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("mistral", {"sliding_window": 8}),
        ("qwen2", {"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 1}),
        ("gemma2", {"sliding_window": 8}),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0}}),
    ],
)
def test_where_tokens_meet_otherwise_no_tree_is_made(
    tiny: Path, tmp_path: Path, kind: str, more: dict[str, Any]
) -> None:
    """Windows and positions that depend on length are left to the plain way, which gives the plain sums."""
    folder = family(tiny, tmp_path / kind, kind, **more)
    open_here = scorer(folder)
    assert not takes(open_here._local.load().model)
    asked = bags(4, 12)
    near(open_here.score(asked), alone(folder, asked))


def test_an_adapter_is_read_along_a_tree_and_the_model_answers_as_before(tiny: Path, tmp_path: Path) -> None:
    """Scores of an adapter are those of its merged weights; how the model attends is put back."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    base: Any = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32, local_files_only=True)
    tuned = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False))
    tuned.save_pretrained(str(tmp_path / "adapter"))
    merged: Any = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32, local_files_only=True), tmp_path / "adapter"
    ).merge_and_unload()
    shutil.copytree(tiny, tmp_path / "merged")
    merged.save_pretrained(tmp_path / "merged")
    one = spec(str(tiny), adapter=str(tmp_path / "adapter"))
    local = Local(one, find(one, tiny, "float32"), "cpu", "float32")
    before = local.load().model.config._attn_implementation
    asked = bags(4)
    found = WeightsScorer(local).score(asked)
    near(found, alone(tmp_path / "merged", asked))
    assert np.abs(np.array(found[0]) - np.array(alone(tiny, asked[:1])[0])).max() > 1e-2
    assert local.load().model.config._attn_implementation == before != NAME


def test_a_beginning_that_many_contexts_share_is_read_once(tiny: Path) -> None:
    """Thirty bags behind one system prompt put less than half of their contexts' tokens through the model."""
    rng = random.Random(9)
    system = Turn(role="system", content=words(rng, 90, 90))
    asked = [
        Bag(
            bag=f"b{number}",
            context=Context(messages=(system, Turn(role="user", content=words(rng, 5, 5)))),
            members=tuple(words(rng, 4, 9) for _ in range(3)),
        )
        for number in range(30)
    ]
    open_here, through = scorer(tiny, 200), []
    model = open_here._local.load().model
    counting = model.get_input_embeddings().register_forward_hook(lambda *seen: through.append(seen[1][0].numel()))
    try:
        found = open_here.score(asked)
    finally:
        counting.remove()
    near(found, alone(tiny, asked))
    assert sum(through) < sum(len(one.context) for one in open_here._tokens(asked)) / 2


def test_scores_follow_the_members_and_not_their_order(tiny: Path) -> None:
    """Members in another order, and bags in another order, have the same scores."""
    asked = bags()
    first = scorer(tiny).score(asked)
    turned = [Bag(bag=one.bag, context=one.context, members=tuple(reversed(one.members))) for one in reversed(asked)]
    again = scorer(tiny).score(turned)
    near(first, [list(reversed(row)) for row in reversed(again)])


def test_a_model_whose_state_cannot_be_shared_is_asked_whole(tiny: Path, tmp_path: Path) -> None:
    """A state-space model, which keeps no keys, gives the plain sums too."""
    from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

    tokenizer: Any = AutoTokenizer.from_pretrained(tiny, local_files_only=True)
    config = MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=2, state_size=4)
    folder = tmp_path / "mamba"
    MambaForCausalLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copyfile(tiny / name, folder / name)
    asked = bags(4, 8)
    near(scorer(folder).score(asked), alone(folder, asked))


@pytest.mark.slow
def test_what_is_longer_than_the_window_is_scored_as_far_as_it_goes(tiny: Path) -> None:
    """A member beyond the window has the score of what fits; a context that fills it is refused by name."""
    rng = random.Random(5)
    long = words(rng, 900, 900)
    asked = Bag(
        bag="b0", context=Context(messages=(Turn(role="user", content="say"),)), members=(long, long + " the end")
    )
    (one,) = scorer(tiny).score([asked])
    assert one[0] == pytest.approx(one[1], abs=1e-3)
    full = Bag(bag="b1", context=Context(messages=(Turn(role="user", content=long),)), members=("a", "b"))
    with pytest.raises(EndpointError, match=r"bag b1: a context of \d+ tokens leaves no room in a window of 512"):
        scorer(tiny).score([full])


def test_tools_are_written_into_the_context(tiny: Path, tmp_path: Path) -> None:
    """Where the template knows tools, those of each bag are in its context, and change its scores."""
    folder = tmp_path / "tools"
    shutil.copytree(tiny, folder)
    template = "{% for t in tools or [] %}{{ t.name }} {% endfor %}{% for m in messages %}{{ m.content }}{% endfor %}"
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    turns = (Turn(role="user", content="river"),)
    plain = Bag(bag="b0", context=Context(messages=turns), members=("a stone", "the light"))
    more = Bag(bag="b1", context=Context(messages=turns, tools=({"name": "green"},)), members=plain.members)
    same = Bag(bag="b2", context=Context(messages=(Turn(role="user", content="green river"),)), members=plain.members)
    without, tooled, spelt = scorer(folder).score([plain, more, same])
    assert tooled == pytest.approx(spelt, abs=1e-3)
    assert abs(np.array(without) - np.array(tooled)).max() > 1e-3


def test_a_template_that_refuses_names_the_bag(tiny: Path, tmp_path: Path) -> None:
    """A model that takes no system prompt is refused with the bag and what to do, not scored otherwise in silence."""
    folder = tmp_path / "strict"
    shutil.copytree(tiny, folder)
    template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}"
    )
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    with pytest.raises(EndpointError, match="bag b0: the chat template refuses the messages: no system"):
        scorer(folder).score(bags(1))


def test_the_facts_name_weights_and_what_a_score_is(tiny: Path) -> None:
    """Digests of all files are among the facts; how answers would be sampled is not."""
    named = {fact.name: fact.value for fact in open_weights(spec(str(tiny)), tiny).facts()}
    assert any(name.startswith("weights ") for name in named)
    assert "log-probabilities" in named["score"]
    assert "sampling" not in named
