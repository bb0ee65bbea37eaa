"""Log-likelihood of every member of a bag under a model whose weights are here, what members share computed once.

The score of a member is the sum over its tokens of the natural log of their probability, given the context as the
model's chat template writes it: of a text, so that models of different tokenizers can be taken from one another.
Log-probabilities are made in float32, whatever the weights are in. On a CPU and in a family of full causal attention
`likelihood_tree` reads each common beginning once, within a bag and among bags; else `likelihood_cached` reads each
context once.

A member that is longer than what the model takes is scored as far as it goes: the same rule for all members, which
costs power and no validity.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from depose.endpoints import tokenizer_trial
from depose.endpoints.chat_template import render
from depose.endpoints.local import Local, place
from depose.endpoints.weights import find
from depose.errors import EndpointError
from depose.features import packaged
from depose.lineup import likelihood_cached, likelihood_tree
from depose.lineup.likelihood_cached import TokenBag
from depose.lineup.scorer import Scores
from depose.model import Fact, ModelSpec
from depose.model.lineup import Bag


class WeightsScorer:
    """Scores bags by the log-likelihood of their members under local weights; `score` may be called again."""

    independent = True

    def __init__(self, local: Local, room: int | None = None) -> None:
        self._local = local
        self._room = room

    def facts(self) -> tuple[Fact, ...]:
        """Name every file by its digest, what it runs on, and what a score is."""
        said = [one for one in self._local.facts() if one.name != "sampling"]
        return (*said, Fact(name="score", value="sum of log-probabilities of the tokens of a member, in nats"))

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Score the members of each bag, in nats.

        Raises EndpointError for a context that the model's template refuses or that fills the model's window.
        """
        loaded, device = self._local.load(), self._local.device
        read = self._tokens(bags)
        if device == "cpu" and likelihood_tree.takes(loaded.model):
            texts = [likelihood_tree.Text(one.context, member) for one in read for member in one.members]
            totals = iter(likelihood_tree.scored(loaded.model, texts, device, self._room))
            return tuple(tuple(next(totals) for _ in one.members) for one in read)
        return likelihood_cached.scored(loaded.model, loaded.pad, read, device, self._room)

    def _tokens(self, bags: Sequence[Bag]) -> list[TokenBag]:
        loaded, weights = self._local.load(), self._local.weights
        shown = render(
            loaded.tokenizer,
            [[{"role": turn.role, "content": turn.content} for turn in bag.context.messages] for bag in bags],
            pinned=bool(weights.package),
            tools=[bag.context.tools for bag in bags],
        )
        own_start = not loaded.tokenizer.chat_template
        if loaded.tried:
            members = [member for bag in bags for member in bag.members]
            for texts, special in (([one.text for one in shown], own_start), (members, False)):
                if refused := tokenizer_trial.encode(loaded.tried, texts, special=special):
                    raise EndpointError(f"the bags: {refused}", hint="get the model from its maker again")
        made = []
        for number, (bag, one) in enumerate(zip(bags, shown, strict=True)):
            if one.refused:
                raise EndpointError(
                    f"bag {bag.bag}: {one.refused}", hint="leave contexts of this kind out when you register, for all"
                )
            context = loaded.tokenizer(one.text, add_special_tokens=own_start)["input_ids"]
            window = loaded.context or len(context) + max(map(len, bag.members)) + 1
            if not context or len(context) >= window:
                raise EndpointError(
                    f"bag {bag.bag}: a context of {len(context)} tokens leaves no room in a window of {window}",
                    hint="leave contexts of this length out when you register, for all models",
                )
            room = window - len(context)
            texts = loaded.tokenizer(list(bag.members), add_special_tokens=False)["input_ids"]
            cut = tuple(tuple(text[:room]) for text in texts)
            made.append(TokenBag(place=number, context=tuple(context), members=cut))
        return made


def open_weights(spec: ModelSpec, folder: Path) -> WeightsScorer:
    """Open local weights for scoring on the best device here: bfloat16 where it multiplies it, else float32.

    Raises EndpointError where the folder or the adapter cannot be used.
    """
    packaged.settle_libraries()
    device, dtype = place()
    scorer = WeightsScorer(Local(spec, find(spec, folder, dtype), device, dtype))
    scorer.facts()
    return scorer
