"""Log-likelihood of every member of a bag under a model whose weights are here, the context computed once for all.

The score of a member is the sum over its tokens of the natural log of their probability, given the context as the
model's chat template writes it: of a text, so that models of different tokenizers can be taken from one another. The
keys and values of a context are made once and shared by its members; bags of like length go together, so that little
is padded. Log-probabilities are made in float32, whatever the weights are in.

A member that is longer than what the model takes is scored as far as it goes: the same rule for all members, which
costs power and no validity.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depose.endpoints.chat_template import render
from depose.endpoints.local import Local, place
from depose.endpoints.weights import find
from depose.errors import EndpointError
from depose.features import packaged
from depose.lineup.scorer import Scores
from depose.model import Fact, ModelSpec
from depose.model.lineup import Bag

ROOM = {"cpu": 6_144, "mps": 16_384, "cuda": 65_536}
"""Tokens of one pass, padding included."""
AT_ONCE = 1 << 27
"""Logits that are in float32 at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tokens:
    """A bag as its model reads it."""

    place: int
    context: tuple[int, ...]
    members: tuple[tuple[int, ...], ...]

    @property
    def longest(self) -> int:
        return max(len(one) for one in self.members)

    @property
    def size(self) -> int:
        """Tokens that its members take in one pass, if each holds its context too."""
        return len(self.members) * (len(self.context) + self.longest)


class WeightsScorer:
    """Scores bags by the log-likelihood of their members under local weights; `score` may be called again."""

    independent = True

    def __init__(self, local: Local, room: int | None = None) -> None:
        self._local = local
        self._room = room or ROOM[local.device]

    def facts(self) -> tuple[Fact, ...]:
        """Name every file by its digest, what it runs on, and what a score is."""
        said = [one for one in self._local.facts() if one.name != "sampling"]
        return (*said, Fact(name="score", value="sum of log-probabilities of the tokens of a member, in nats"))

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Score the members of each bag, in nats.

        Raises EndpointError for a context that the model's template refuses or that fills the model's window.
        """
        loaded = self._local.load()
        found: list[Scores] = [()] * len(bags)
        for batch in _batches(self._tokens(bags), self._room):
            for one, scores in zip(batch, _scored(loaded, batch, self._local.device, self._room), strict=True):
                found[one.place] = scores
        return tuple(found)

    def _tokens(self, bags: Sequence[Bag]) -> list[_Tokens]:
        loaded, weights = self._local.load(), self._local.weights
        shown = render(
            loaded.tokenizer,
            [[{"role": turn.role, "content": turn.content} for turn in bag.context.messages] for bag in bags],
            pinned=bool(weights.package),
            tools=[bag.context.tools for bag in bags],
        )
        own_start = not loaded.tokenizer.chat_template
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
            members = tuple(tuple(text[:room]) for text in texts)
            made.append(_Tokens(place=number, context=tuple(context), members=members))
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


def _batches(bags: Sequence[_Tokens], room: int) -> Iterator[list[_Tokens]]:
    """Put bags of like length together, as many as one pass takes."""
    batch: list[_Tokens] = []
    rows = context = longest = 0
    for one in sorted(bags, key=lambda bag: (len(bag.context) + bag.longest, len(bag.context))):
        context, longest = max(context, len(one.context)), max(longest, one.longest)
        rows += len(one.members)
        if batch and rows * (context + longest) > room:
            yield batch
            batch, rows, context, longest = [], len(one.members), len(one.context), one.longest
        batch.append(one)
    if batch:
        yield batch


def _scored(loaded: Any, batch: Sequence[_Tokens], device: str, room: int) -> list[Scores]:
    """Score bags whose contexts go through the model together, once each."""
    import torch

    run = _Run(loaded.model, loaded.pad, device)
    totals = [[0.0] * len(one.members) for one in batch]
    rows = [
        (bag, member, text) for bag, one in enumerate(batch) for member, text in enumerate(one.members) if len(text)
    ]
    width = max(len(one.context) for one in batch)
    left = [width - len(one.context) for one in batch]
    with torch.inference_mode():
        mask = torch.tensor([[0] * gap + [1] * (width - gap) for gap in left], device=device)
        ids = [[loaded.pad] * gap + list(one.context) for one, gap in zip(batch, left, strict=True)]
        out = run.forward(ids, mask, (mask.cumsum(-1) - 1).clamp(min=0), last_only=True)
        cache = getattr(out, "past_key_values", None)
        if run.shares(cache):
            first = torch.log_softmax(out.logits[:, -1].float(), dim=-1)
            for bag, member, text in rows:
                totals[bag][member] = float(first[bag, text[0]])
            reads = [_Read(bag, member, text, 1) for bag, member, text in rows if len(text) > 1]
        else:
            # What has gone through such a layer is one state, which cannot be dealt out: each member reads it all.
            reads = [
                _Read(bag, member, batch[bag].context + text, len(batch[bag].context)) for bag, member, text in rows
            ]
            cache, width = None, 0
        for part in _parts(sorted(reads, key=lambda one: len(one.tokens)), width, room):
            for one, total in zip(part, run.followed(part, cache, mask), strict=True):
                totals[one.bag][one.member] += total
    return [tuple(one) for one in totals]


@dataclass(frozen=True, slots=True)
class _Read:
    """Tokens that go through a model for one member, those from `start` on counted."""

    bag: int
    member: int
    tokens: tuple[int, ...]
    start: int


def _parts(reads: Sequence[_Read], width: int, room: int) -> Iterator[list[_Read]]:
    """Cut what is read, sorted by length, into passes."""
    part: list[_Read] = []
    for one in reads:
        if part and (len(part) + 1) * (width + len(one.tokens)) > room:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


class _Run:
    """Runs a model with what its architecture takes."""

    def __init__(self, model: Any, pad: int, device: str) -> None:
        self._model, self._pad, self._device = model, pad, device
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._takes = set(inspect.signature(inner.forward).parameters)

    def shares(self, cache: Any) -> bool:
        """Tell whether what a context left behind can be handed to several members."""
        layers = getattr(cache, "layers", ())
        return bool(layers) and all(hasattr(layer, "batch_select_indices") for layer in layers)

    def forward(
        self, ids: Sequence[Sequence[int]], mask: Any, positions: Any, *, cache: Any = None, last_only: bool = False
    ) -> Any:
        """Run the model over `ids`; `mask` covers what is in the cache too."""
        import torch

        more: dict[str, Any] = {"position_ids": positions} if "position_ids" in self._takes else {}
        if "past_key_values" in self._takes:
            more["past_key_values"] = cache
        if last_only and "logits_to_keep" in self._takes:
            more["logits_to_keep"] = 1
        tokens = torch.tensor(ids, device=self._device)
        return self._model(input_ids=tokens, attention_mask=mask, use_cache=last_only or cache is not None, **more)

    def followed(self, reads: Sequence[_Read], cache: Any, mask: Any) -> list[float]:
        """Sum the log-probabilities of the counted tokens of each, after the context of its bag where `cache` has it.

        The last token of each is not read: what follows it is not asked.
        """
        import torch

        width = max(len(one.tokens) for one in reads) - 1

        def filled(rows: list[Sequence[int]], value: int) -> list[list[int]]:
            return [[*row, *[value] * (width - len(row))] for row in rows]

        ids = filled([one.tokens[:-1] for one in reads], self._pad)
        goals = torch.tensor(filled([one.tokens[1:] for one in reads], self._pad), device=self._device)
        there = torch.tensor(filled([[1] * (len(one.tokens) - 1) for one in reads], 0), device=self._device)
        shared, before = None, 0
        if cache is not None:
            owner = torch.tensor([one.bag for one in reads], device=self._device)
            shared = copy.deepcopy(cache)  # the model writes behind the keys that it is given
            shared.batch_select_indices(owner)
            before = mask[owner].sum(dim=1, keepdim=True)
        positions = before + torch.arange(width, device=self._device).expand(len(reads), -1)
        seen = there if shared is None else torch.cat([mask[owner], there], dim=1)
        logits = self.forward(ids, seen, positions, cache=shared).logits
        counted = there * (
            torch.arange(1, width + 1, device=self._device)
            >= torch.tensor([[one.start] for one in reads], device=self._device)
        )
        summed: list[float] = []
        step = max(1, AT_ONCE // (logits.shape[-1] * width))
        for start in range(0, len(reads), step):
            part = slice(start, start + step)
            exact = logits[part].float()
            chosen = exact.gather(-1, goals[part, :, None])[..., 0] - torch.logsumexp(exact, dim=-1)
            summed += (chosen * counted[part]).cpu().double().sum(dim=1).tolist()
        return summed
