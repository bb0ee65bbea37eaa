"""The line-up: records of what was delivered, what was not, and of what a suspect says of both.

A context is what a model was given; a bag is a context with the answers that its model might have delivered to it, of
which some were. Whoever scores a bag sees its members in an order that says nothing; which were delivered stands in
the key, that a custodian keeps until the scores are sealed.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from depose.model.asking import Fact
from depose.model.base import Record
from depose.model.lineup_plan import Cap, LineupLimits, LineupPlan, Statistic, Tier

__all__ = [
    "Bag",
    "Cap",
    "Context",
    "Decoy",
    "Delivery",
    "DiagnosticResult",
    "Exposure",
    "Group",
    "LineupKey",
    "LineupLimits",
    "LineupPlan",
    "LineupReason",
    "Opened",
    "Passage",
    "ScoreTable",
    "Statistic",
    "Tier",
    "Turn",
]

Group = Literal["accused", "matched", "withheld"]
"""Whose deliveries: of the accounts in question, of others like them, or answers drawn for nobody."""
Exposure = Literal["indication", "no indication", "inconclusive"]
LineupReason = Literal["decoys", "few", "tier", "circular", "diagnostics", "drift"]


Ended = Literal["whole", "cut_length"]
"""By itself, or cut by the length that was allowed."""


class Turn(Record, frozen=True, kw_only=True):
    """One message of a context."""

    role: Literal["system", "user", "assistant", "tool"]
    """Who says it."""
    content: str
    """Its text, as it was sent."""


class Context(Record, frozen=True, kw_only=True):
    """All that a model was given before it answered."""

    messages: Annotated[tuple[Turn, ...], Meta(min_length=1)]
    """In order; a system prompt is a message of its own."""
    tools: tuple[dict[str, Any], ...] = ()
    """Definitions of tools, as they were sent."""


class Delivery(Record, frozen=True, kw_only=True):
    """One answer that was delivered: a row of the deliveries."""

    delivery_id: str
    """Its name in the log of the reference."""
    messages: tuple[Turn, ...]
    """What the reference was given, in order."""
    text: str
    """The answer as it left the endpoint."""
    context_sha256: str = ""
    """Digest of the context, checked where it is given."""
    text_sha256: str = ""
    """Digest of the answer in the log; an answer with another one is dropped and counted."""
    draw_id: str = ""
    """Which draw of the model it was: deliveries of one draw, as from a cache, are one random act."""
    tools: tuple[dict[str, Any], ...] = ()
    """Definitions of tools, as they were sent."""
    account_code: str = ""
    """To whom, as a code."""
    account_group: Group = "accused"
    """Whose deliveries these are; left out, the case says so by the account."""
    delivered_at: str = ""
    """When, in UTC."""
    reference_snapshot: str = ""
    """Which state of the reference answered."""
    stack_id: str = ""
    """What served it: hardware, kernels, quantisation."""
    temperature: float | None = None
    """Of the sampler; None where it was left to the endpoint."""
    top_p: float | None = None
    """Of the sampler."""
    max_tokens: int | None = None
    """Length of the answer at most."""
    seed: int | None = None
    """Of the sampler, where one was set."""
    finish_reason: str = ""
    """Why it ended, in the provider's own word."""
    filters: str = ""
    """What was done to the answer before it was delivered."""


class Decoy(Record, frozen=True, kw_only=True):
    """One answer that the same reference gave to the same context and that nobody received: a row of the decoys."""

    decoy_id: str
    """Its name among the decoys."""
    text: str
    """The answer, made and stored as the delivered ones were."""
    messages: tuple[Turn, ...] = ()
    """The context that it answers, as in the row of its delivery; may be left out where its digest is given."""
    tools: tuple[dict[str, Any], ...] = ()
    """Definitions of tools, with messages."""
    context_sha256: str = ""
    """Digest of the context that it answers: SHA-256 over the RFC 8785 form of {messages, tools}."""
    tier: Tier = "resampled"
    """How it came to be."""
    drawn_at: str = ""
    """When, in UTC."""
    drawn_by: str = ""
    """Who drew it."""
    reference_snapshot: str = ""
    """Which state of the reference answered."""
    stack_id: str = ""
    """What served it."""
    temperature: float | None = None
    """Of the sampler."""
    top_p: float | None = None
    """Of the sampler."""
    max_tokens: int | None = None
    """Length at most."""
    seed: int | None = None
    """Of the sampler, where one was set."""
    finish_reason: str = ""
    """Why it ended."""
    filters: str = ""
    """What was done to the answer."""


class Bag(Record, frozen=True, kw_only=True):
    """One line-up as its scorer sees it: nothing in it tells which members were delivered."""

    bag: str
    """Its name: the beginning of the digest of its context."""
    context: Context
    members: Annotated[tuple[str, ...], Meta(min_length=2)]
    """Different answers to the context, in an order that the key decides."""


class Opened(Record, frozen=True, kw_only=True):
    """What the key says of one bag: several draws may have come out as one text, which is one member."""

    bag: str
    copies: tuple[int, ...]
    """How many draws came out as each member, [members]; at least 1."""
    received: tuple[int, ...]
    """How many of them were delivered, [members]; in a bag of the group `withheld`, drawn for nobody."""
    times: tuple[int, ...]
    """How often they were delivered, [members]; a draw from a cache more than once."""
    group: Group
    tier: Tier
    """The worst among its decoys."""
    delivered_at: str
    """When the first of them was delivered; empty where the log does not say."""
    accounts: tuple[str, ...]
    """Codes of the accounts that received one of them."""
    snapshot: str
    """State of the reference that answered; empty where it is not known, or not the same for all."""
    drawn_at: str
    """When the last decoy was drawn; empty where the file does not say."""
    ended: tuple[tuple[Ended, ...], ...] | UnsetType = UNSET
    """How each draw ended, [members][copies], the delivered ones first; where the rows say it of all draws, and not
    the same of all."""


class LineupKey(Record, frozen=True, kw_only=True):
    """What the custodian keeps: which members were delivered."""

    format: str
    """`depose-lineup-key/1`."""
    salt: str
    """256 random bits in hex: they hide what the commitment commits to, and set the order of the members."""
    bags: str
    """SHA-256 of the file of bags."""
    entries: tuple[Opened, ...]
    """One for each bag, in the order of the file."""


class Passage(Record, frozen=True, kw_only=True):
    """Where in a produced corpus the nearest text to a member stands."""

    file: str
    """Name of the file within the corpus."""
    document: int
    """Number of the document in it, from 1: the row of a table, the line of a text."""


class ScoreTable(Record, frozen=True, kw_only=True):
    """What one model says of every member of every bag; higher is more like what it has learnt."""

    model: str
    """Its code in the case."""
    statistic: Statistic
    bags: str
    """SHA-256 of the file of bags."""
    facts: tuple[Fact, ...]
    """What made the scores: digests of weights, versions, device."""
    scores: tuple[tuple[float, ...], ...]
    """[bags][members], in the order of the file; every one finite."""
    passages: tuple[tuple[Passage | None, ...], ...] | UnsetType = UNSET
    """Of a search in a corpus, what each score is of, [bags][members]; None where nothing like the member was met."""


class DiagnosticResult(Record, frozen=True, kw_only=True):
    """One check of the premises, with the limit that was registered for it."""

    name: str
    """`D1` to `D8`."""
    title: str
    """What it looks at, in a few words."""
    limit: str
    """What had to hold."""
    seen: str
    """What was found."""
    passed: bool | None
    """None: could not be made, for the reason in `reason`."""
    reason: str = ""
    blocking: bool = True
    """Whether a failure makes the p-value not valid here."""
    bags: int = 0
    """Line-ups that it rests on."""
    level: float | None = None
    """Mean rank share, where it is a test of ranks: 1/2 is chance."""
    p: float | None = None
