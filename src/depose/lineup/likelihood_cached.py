"""Log-likelihoods under any model, each context computed once for the members of its bag.

The keys and values of a context are dealt out to the members; bags of like length go together, so that little is
padded. A model that keeps no keys, as a state-space model, reads context and member whole.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from depose.lineup.log_probabilities import looked_up
from depose.lineup.scorer import Scores

ROOM = {"cpu": 6_144, "mps": 16_384, "cuda": 65_536}
"""Tokens of one pass, padding included."""
LIKE = 1.15
"""A pass of members ends where it would hold so many times its tokens with padding, if it is worth a pass then."""
WORTH = {"cpu": 512, "mps": 4_096, "cuda": 16_384}
"""Tokens below which a device is no faster with fewer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenBag:
    """A bag as its model reads it."""

    place: int
    context: tuple[int, ...]
    members: tuple[tuple[int, ...], ...]

    @property
    def longest(self) -> int:
        """Count the tokens of its longest member."""
        return max(len(one) for one in self.members)

    @property
    def size(self) -> int:
        """Tokens that its members take in one pass, if each holds its context too."""
        return len(self.members) * (len(self.context) + self.longest)


def scored(model: Any, pad: int, bags: Sequence[TokenBag], device: str, room: int | None = None) -> tuple[Scores, ...]:
    """Sum the natural logs of the probabilities of the tokens of each member of each bag."""
    run = _Run(model, pad, device)
    found: list[Scores] = [()] * len(bags)
    for batch in _batches(bags, room or ROOM[device]):
        for one, scores in zip(batch, _scored(run, batch, room or ROOM[device]), strict=True):
            found[one.place] = scores
    return tuple(found)


def _batches(bags: Sequence[TokenBag], room: int) -> Iterator[list[TokenBag]]:
    """Put bags of like length together, as many as one pass takes."""
    batch: list[TokenBag] = []
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


def _scored(run: _Run, batch: Sequence[TokenBag], room: int) -> list[Scores]:
    """Score bags whose contexts go through the model together, once each."""
    import torch

    device = run.device
    totals = [[0.0] * len(one.members) for one in batch]
    rows = [
        (bag, member, text) for bag, one in enumerate(batch) for member, text in enumerate(one.members) if len(text)
    ]
    width = max(len(one.context) for one in batch)
    left = [width - len(one.context) for one in batch]
    with torch.inference_mode():
        mask = torch.tensor([[0] * gap + [1] * (width - gap) for gap in left], device=device)
        ids = [[run.pad] * gap + list(one.context) for one, gap in zip(batch, left, strict=True)]
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
        for part in _parts(sorted(reads, key=lambda one: len(one.tokens)), width, room, WORTH[device]):
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


def _parts(reads: Sequence[_Read], width: int, room: int, worth: int) -> Iterator[list[_Read]]:
    """Cut what is read, sorted by length, into passes of like length."""
    part: list[_Read] = []
    held = 0
    for one in reads:
        length = len(one.tokens)
        padded = (len(part) + 1) * length
        if part and ((len(part) + 1) * (width + length) > room or (held >= worth and padded > LIKE * (held + length))):
            yield part
            part, held = [], 0
        part.append(one)
        held += length
    if part:
        yield part


class _Run:
    """Runs a model with what its architecture takes."""

    def __init__(self, model: Any, pad: int, device: str) -> None:
        self._model, self.pad, self.device = model, pad, device
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
        tokens = torch.tensor(ids, device=self.device)
        return self._model(input_ids=tokens, attention_mask=mask, use_cache=last_only or cache is not None, **more)

    def followed(self, reads: Sequence[_Read], cache: Any, mask: Any) -> list[float]:
        """Sum the log-probabilities of the counted tokens of each, after the context of its bag where `cache` has it.

        The last token of each is not read: what follows it is not asked.
        """
        import torch

        width = max(len(one.tokens) for one in reads) - 1

        def filled(rows: list[Sequence[int]], value: int) -> list[list[int]]:
            return [[*row, *[value] * (width - len(row))] for row in rows]

        ids = filled([one.tokens[:-1] for one in reads], self.pad)
        there = torch.tensor(filled([[1] * (len(one.tokens) - 1) for one in reads], 0), device=self.device)
        shared, before = None, 0
        if cache is not None:
            owner = torch.tensor([one.bag for one in reads], device=self.device)
            shared = copy.deepcopy(cache)  # the model writes behind the keys that it is given
            shared.batch_select_indices(owner)
            before = mask[owner].sum(dim=1, keepdim=True)
        positions = before + torch.arange(width, device=self.device).expand(len(reads), -1)
        seen = there if shared is None else torch.cat([mask[owner], there], dim=1)
        logits = self.forward(ids, seen, positions, cache=shared).logits
        places = [(row, at) for row, one in enumerate(reads) for at in range(one.start - 1, len(one.tokens) - 1)]
        goals = [reads[row].tokens[at + 1] for row, at in places]
        flat = logits.reshape(-1, logits.shape[-1])
        summed = [0.0] * len(reads)
        found = looked_up(flat, [row * width + at for row, at in places], goals, self.device)
        for (row, _), value in zip(places, found, strict=True):
            summed[row] += value
        return summed
