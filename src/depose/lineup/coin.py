"""A coin that is committed to before it is thrown: which of several drawn answers a request gets.

The choice is HMAC-SHA256 of a secret key and the name of the request, modulo the number of draws. Who holds the
commitment, SHA-256 of the key, can check every choice once the key is shown; nobody can change one afterwards. With it
the test of a line-up is that of a randomised experiment (Fisher 1935): it rests on the coin and on the log alone.

Each line of the log names the mark of the line before it, and carries a mark of its own, made with the key: who keeps
the log and has not the key can leave out, move, repeat or change none of them but the last ones.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from depose.errors import CaseError
from depose.lineup.inputs import moment
from depose.model.base import Record
from depose.model.canonical import canonical, digest, sha256
from depose.model.lineup import Context, Decoy, Delivery, Group, Turn

KEY_BYTES = 32


class Thrown(Record, frozen=True, kw_only=True):
    """One request in the log of a randomised delivery: a line of JSONL."""

    request_id: str
    """Its name, which no other request of this coin has."""
    messages: Annotated[tuple[Turn, ...], Meta(min_length=1)]
    """What the model was given."""
    draws: Annotated[tuple[str, ...], Meta(min_length=2)]
    """All answers that were drawn, in the order in which they came."""
    chosen: int
    """Which of them was delivered, from 0."""
    commitment: str
    """SHA-256 of the key of the coin."""
    account_code: str
    """Who got it, as a code."""
    delivered_at: str
    """When, in UTC."""
    tools: tuple[dict[str, Any], ...] = ()
    """Definitions of tools, as they were sent."""
    reference_snapshot: str = ""
    """State of the model."""
    stack_id: str = ""
    """What served it."""
    temperature: float | None = None
    """Of the sampler, where the request set it."""
    top_p: float | None = None
    """Of the sampler."""
    max_tokens: int | None = None
    """Length at most."""
    before: str | UnsetType = UNSET
    """Mark of the line before it; empty in the first one. Logs of before 2026-11-28 have no marks."""
    mark: str | UnsetType = UNSET
    """HMAC-SHA256, with the key of the coin, over this line without its mark."""


class Coin:
    """Throws by the name of a request; the same key and name give the same side."""

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES:
            raise CaseError(f"the key of a coin has {len(key)} bytes, not {KEY_BYTES}", hint="depose lineup coin FILE")
        self._key = key

    @property
    def commitment(self) -> str:
        """What is published before the first throw."""
        return sha256(self._key)

    def choose(self, request_id: str, draws: int) -> int:
        """Return which of so many draws is delivered."""
        if draws < 1:
            raise ValueError("nothing was drawn")
        return int.from_bytes(self._mac("deliver", request_id), "big") % draws

    def takes(self, request_id: str, share: float) -> bool:
        """Tell whether a request is among the share of the traffic that is randomised."""
        return int.from_bytes(self._mac("take", request_id), "big") < int(share * 2**256)

    def account(self, credential: str) -> str:
        """Return a code for whoever holds a credential, from which nobody without the key can tell who it is."""
        return f"a-{self._mac('account', credential).hex()[:16]}"

    def marked(self, one: Thrown, before: str) -> Thrown:
        """Chain a line to the one before it, whose mark is given."""
        line = msgspec.structs.replace(one, before=before, mark=UNSET)
        return msgspec.structs.replace(line, mark=self._mac("line", canonical(line).decode()).hex())

    def _mac(self, what: str, name: str) -> bytes:
        return hmac.digest(self._key, f"{what}\x1f{name}".encode(), "sha256")


def unfolded(coin: Coin, thrown: Sequence[Thrown], groups: Mapping[str, Group]) -> tuple[list[Delivery], list[Decoy]]:
    """Turn the log of a randomised delivery into deliveries and decoys, every choice checked against the coin.

    `groups` gives the group of an account; others are `accused`. Raises CaseError for a choice that the coin did not
    make, a name that stands twice, another commitment, or a line that its chain does not hold.
    """
    deliveries: list[Delivery] = []
    decoys: list[Decoy] = []
    seen: set[str] = set()
    chain, before = is_chained(thrown), ""
    for number, one in enumerate(thrown, 1):
        where = f"line {number}: request {one.request_id[:80]!r}"
        if one.commitment != coin.commitment:
            raise CaseError(
                f"{where}: thrown with another coin: {one.commitment[:12]}...", hint="each coin has its log"
            )
        if one.request_id in seen:
            raise CaseError(f"{where}: stands twice", hint="a request is thrown for once; find out who wrote it again")
        side = coin.choose(one.request_id, len(one.draws))
        if one.chosen != side:
            raise CaseError(
                f"{where}: delivered draw {one.chosen}, and the coin says {side}",
                hint="the log was changed, or another answer was delivered than the coin chose",
            )
        try:
            moment(one.delivered_at)
        except ValueError as error:
            raise CaseError(f"{where}: delivered_at is no time", hint="such as 2026-05-01T12:00:00Z") from error
        if chain:
            before = _after(coin, one, before, where)
        seen.add(one.request_id)
        deliveries.append(_delivery(one, groups))
        decoys += [_decoy(one, place) for place in range(len(one.draws)) if place != one.chosen]
    return deliveries, decoys


def is_chained(thrown: Sequence[Thrown]) -> bool:
    """Tell whether the lines of a log carry marks; one that does makes all others owe theirs."""
    return any(not isinstance(one.mark, UnsetType) or not isinstance(one.before, UnsetType) for one in thrown)


def _after(coin: Coin, one: Thrown, before: str, where: str) -> str:
    """Return the mark of a line that follows the one before it; raise CaseError where it does not, or was changed."""
    if one.before != before:
        raise CaseError(
            f"{where}: does not follow the line before it: one was left out, added or moved",
            hint="take the log as the server wrote it, whole",
        )
    if one != coin.marked(one, before):
        raise CaseError(f"{where}: was changed after it was written", hint="take the log as the server wrote it")
    return str(one.mark)


def _delivery(one: Thrown, groups: Mapping[str, Group]) -> Delivery:
    text = one.draws[one.chosen]
    return Delivery(
        delivery_id=one.request_id,
        draw_id=f"{one.request_id}/{one.chosen}",
        messages=one.messages,
        tools=one.tools,
        text=text,
        text_sha256=sha256(text.encode()),
        context_sha256=_context(one),
        account_code=one.account_code,
        account_group=groups.get(one.account_code, "accused"),
        delivered_at=one.delivered_at,
        reference_snapshot=one.reference_snapshot,
        stack_id=one.stack_id,
        temperature=one.temperature,
        top_p=one.top_p,
        max_tokens=one.max_tokens,
    )


def _decoy(one: Thrown, place: int) -> Decoy:
    return Decoy(
        decoy_id=f"{one.request_id}/{place}",
        context_sha256=_context(one),
        text=one.draws[place],
        tier="randomised",
        drawn_at=one.delivered_at,
        drawn_by="the server",
        reference_snapshot=one.reference_snapshot,
        stack_id=one.stack_id,
        temperature=one.temperature,
        top_p=one.top_p,
        max_tokens=one.max_tokens,
    )


def _context(one: Thrown) -> str:
    return digest(Context(messages=one.messages, tools=one.tools))
