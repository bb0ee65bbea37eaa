"""Bags from deliveries and decoys, and the key that says which of their members were delivered; pure.

Every rule here treats the draws of a context alike, or looks at nothing that a draw decided:

- Deliveries of one draw, as from a cache, are one random act, in however many contexts it was received. Without the
  name of its draw only the first delivery of a context counts, because a cached answer looks like a likely one, and of
  the bags that hold one long answer only the first.
- Of draws delivered to one context those of its first request count (`asked_first`): another request may have been sent
  because of what the first one gave, as where an account asks again until an answer is good. What was kept of later
  requests is no filler either, since there is more of it where the first answer was bad.
- Answers that were made otherwise, by what their rows say, do not stand in one bag (`comparable`).
- Draws that came out as one text are one member for the scorer, and as many draws for the test: forgetting the number
  would let a model that prefers likely texts seem to prefer the delivered ones.
- A context in which all draws are one text carries no information and is left out.
- Of more draws, or more contexts, than registered, some are taken at random with the registered seed, by their names.

The order of the members is that of a keyed hash of their texts, so that it tells nothing to whoever has not the key.
"""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from msgspec import UNSET, UnsetType

from depose.errors import CaseError
from depose.lineup.comparable import (
    DRIFTED,
    answer_of,
    as_drawn,
    asked_first,
    beside_first,
    ended,
    first_received,
    set_alike,
    unshared,
)
from depose.lineup.inputs import context_of, in_time, is_as_logged, moment
from depose.model import Fact
from depose.model.canonical import canonical, sha256
from depose.model.lineup import Bag, Context, Decoy, Delivery, Ended, Group, LineupKey, LineupPlan, Opened, Tier
from depose.model.random_streams import stream

TIERS: tuple[Tier, ...] = ("randomised", "kept", "resampled", "drifted")
KEY_FORMAT = "depose-lineup-key/1"
SALT = 32
"""Bytes of the salt of a key."""
_LAST = datetime.max.replace(tzinfo=UTC)
SEVERAL = 8
"""Delivered draws of one context at most: the exact null of more has too many sums."""


@dataclass(slots=True)
class _Draw:
    """One answer that the reference drew for a context."""

    text: str
    deliveries: list[Delivery] = field(default_factory=list)
    decoy: Decoy | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Built:
    """Bags as the scorer gets them, the key, and what was left out."""

    bags: tuple[Bag, ...]
    entries: tuple[Opened, ...]
    tally: tuple[Fact, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A context whose deliveries are taken."""

    digest: str
    context: Context
    group: Group
    deliveries: tuple[Delivery, ...]
    """In the order of time and name."""


def wanted(plan: LineupPlan, rows: Sequence[Delivery], seed: int, tally: Counter[str] | None = None) -> list[Wanted]:
    """Choose contexts by the registered rule: of each kind as many as registered, at random where there are more.

    Kinds are deliveries to the accounts in question before the cut-off and after it, to matched accounts, and answers
    drawn for nobody. Raises CaseError for a row whose group is not that of its account.
    """
    tally = Counter() if tally is None else tally
    tally["deliveries read"] = len(rows)
    contexts: dict[str, list[Delivery]] = {}
    taken: list[Delivery] = []
    for number, one in enumerate(rows, 1):
        group = _group_of(plan, one, number)
        if group is None:
            tally["deliveries to other accounts"] += 1
        elif not is_as_logged(one):
            tally["deliveries whose text has not the digest of the log, dropped"] += 1
        elif not answer_of(one):
            tally["deliveries that are empty, blocked or broken off"] += 1
        else:
            taken.append(one if one.account_group == group else msgspec.structs.replace(one, account_group=group))
    for one in first_received(taken, tally):
        contexts.setdefault(context_of(one), []).append(one)
    kinds: dict[tuple[Group, bool], list[Wanted]] = {}
    for name, found in contexts.items():
        made = _one_group(name, found, tally)
        kinds.setdefault((made.group, is_late(plan, made.deliveries[0].delivered_at)), []).append(made)
    chosen: list[Wanted] = []
    for (group, late), found_ in sorted(kinds.items()):
        found_.sort(key=lambda one: one.digest)
        if len(found_) > plan.bags:
            tally["contexts beyond the registered number, left out at random"] += len(found_) - plan.bags
            rng = stream(seed, "lineup", "contexts", group, str(late))
            found_ = [found_[place] for place in sorted(rng.choice(len(found_), plan.bags, replace=False))]
        chosen += found_
    tally["contexts wanted"] = len(chosen)
    return sorted(chosen, key=lambda one: one.digest)


def is_late(plan: LineupPlan, delivered_at: str) -> bool:
    """Tell whether a delivery came after the suspect's training data had ended."""
    found = moment(delivered_at) if plan.cutoff else None
    return found is not None and found.date().isoformat() > plan.cutoff


def _group_of(plan: LineupPlan, one: Delivery, number: int) -> Group | None:
    """Return the group of a delivery by its account; None where the account is none of the case."""
    if one.account_group == "withheld":
        return "withheld"
    group: Group | None = None
    if one.account_code in plan.accounts:
        group = "accused"
    elif one.account_code in plan.matched:
        group = "matched"
    # A row that leaves its group out reads as accused: then the case alone says whose account it is.
    if group is not None and one.account_group not in (group, "accused"):
        raise CaseError(
            f"deliveries: row {number}: {one.account_code!r} is {group} by the case, "
            f"and {one.account_group} in the file",
            hint="the accounts are those that were registered; correct the file",
        )
    return group


def _one_group(name: str, found: Sequence[Delivery], tally: Counter[str]) -> Wanted:
    """Keep the deliveries of one group: those of the others would show which members nobody in question received."""
    groups: tuple[Group, ...] = ("accused", "matched", "withheld")
    group = next(one for one in groups if any(row.account_group == one for row in found))
    mine = sorted(
        (row for row in found if row.account_group == group),
        key=in_time,
    )
    tally["deliveries of a context that another group received too, left out"] += len(found) - len(mine)
    context = Context(messages=mine[0].messages, tools=mine[0].tools)
    return Wanted(digest=name, context=context, group=group, deliveries=set_alike(mine, tally))


def build(plan: LineupPlan, deliveries: Sequence[Delivery], decoys: Sequence[Decoy], seed: int, salt: bytes) -> Built:
    """Build bags and key entries; raise CaseError where too many contexts do not match, or nothing can be lined up."""
    tally: Counter[str] = Counter()
    chosen = wanted(plan, deliveries, seed, tally)
    if not chosen:
        raise CaseError(
            f"no delivery can be taken: {_left_out(tally)}",
            hint=f"account_code is one of those that the case registers: {', '.join((*plan.accounts, *plan.matched))}",
        )
    fillers: dict[str, list[Decoy]] = {}
    for row in decoys:
        fillers.setdefault(row.context_sha256, []).append(row)
    tally["decoys read"] = len(decoys)
    asked: dict[str, list[str]] = {}
    for one in deliveries:
        asked.setdefault(context_of(one), []).append(one.delivered_at)
    _match(plan, chosen, asked, fillers, tally)
    pairs: list[tuple[Bag, Opened]] = []
    for wish in chosen:
        made = _bag(plan, wish, asked[wish.digest], fillers.get(wish.digest, ()), seed, salt, tally)
        if made is not None:
            pairs.append(made)
    if not pairs:
        raise CaseError(
            f"no delivered answer has a filler: M = 0, and nothing can be told from nothing ({_left_out(tally)})",
            hint="depose lineup draw CASE --deliveries FILE, or keep undelivered siblings: docs on the line-up"
            if not tally[DRIFTED]
            else 'draw them from the state and settings that delivered; of "drifted" ones nothing exact follows',
        )
    pairs = sorted(unshared(pairs, tally), key=lambda pair: pair[0].bag)
    if not any(one.group == "accused" and not is_late(plan, one.delivered_at) for _, one in pairs):
        before = f" up to {plan.cutoff}" if plan.cutoff else ""
        raise CaseError(
            f"no line-up is of an account in question{before}: nothing can be tested ({_left_out(tally)})",
            hint=f"account_code is one of {', '.join(plan.accounts)}, and delivered_at no later than $.lineup.cutoff",
        )
    tally["bags"] = len(pairs)
    return Built(
        bags=tuple(bag for bag, _ in pairs),
        entries=tuple(entry for _, entry in pairs),
        tally=tuple(Fact(name=name, value=str(count)) for name, count in tally.items() if count),
    )


def _left_out(tally: Counter[str]) -> str:
    """Say what was read and what was left out, with numbers."""
    return ", ".join(f"{name}: {count}" for name, count in tally.items() if count)


def _match(
    plan: LineupPlan,
    chosen: Sequence[Wanted],
    known: Iterable[str],
    fillers: dict[str, list[Decoy]],
    tally: Counter[str],
) -> None:
    """Stop where too many contexts stand in one file alone: then they are not of one log."""
    known = set(known)
    bare = sum(one.digest not in fillers for one in chosen)
    strange = sum(name not in known for name in fillers)
    tally["contexts without a decoy"] = bare
    tally["contexts of decoys that were never delivered"] = strange
    total = len(chosen) + strange
    if fillers and bare + strange > plan.limits.unmatched * total:
        raise CaseError(
            f"{bare + strange} of {total} contexts stand in one of the two files alone "
            f"({bare} without a decoy, {strange} never delivered); {plan.limits.unmatched:.0%} may",
            hint="both files must come from one log: compare system prompts, tools and line ends of their messages; "
            "leave out of the deliveries what the draw could not ask, by a rule that looks at contexts alone",
        )


def _bag(
    plan: LineupPlan,
    one: Wanted,
    asked: Sequence[str],
    fillers: Sequence[Decoy],
    seed: int,
    salt: bytes,
    tally: Counter[str],
) -> tuple[Bag, Opened] | None:
    name = one.digest[:20]
    draws = _delivered(one, seed, tally)
    able = [as_drawn(row, one.deliveries, tally) for row in fillers if answer_of(row)]
    tally["decoys that are empty, blocked or broken off"] += len(fillers) - len(able)
    able = beside_first(one.deliveries, asked, able, tally)
    kept = [row for row in able if TIERS.index(row.tier) <= TIERS.index(plan.tier)]
    tally["decoys of a lower tier than registered, left out"] += len(able) - len(kept)
    kept.sort(key=lambda row: row.decoy_id)
    if len(kept) > plan.fillers:
        rng = stream(seed, "lineup", "decoys", one.digest)
        tally["decoys beyond the registered number, left out at random"] += len(kept) - plan.fillers
        kept = [kept[place] for place in sorted(rng.choice(len(kept), plan.fillers, replace=False))]
    if not kept:
        tally["bags without a filler, left out"] += 1
        return None
    draws += [_Draw(text=answer_of(row), decoy=row) for row in kept]
    texts = sorted({draw.text for draw in draws}, key=lambda text: place_of(salt, name, text))
    tally["draws that came out as another one did"] += len(draws) - len(texts)
    if len(texts) < 2:
        tally["bags in which all draws are one text, left out"] += 1
        return None
    rows = [row for draw in draws for row in draw.deliveries]
    snapshots = {row.reference_snapshot for row in rows} | {row.reference_snapshot for row in kept}
    members = [[draw for draw in draws if draw.text == text] for text in texts]
    entry = Opened(
        bag=name,
        copies=tuple(len(found) for found in members),
        received=tuple(sum(bool(draw.deliveries) for draw in found) for found in members),
        times=tuple(sum(len(draw.deliveries) for draw in found) for found in members),
        group=one.group,
        tier=max((row.tier for row in kept), key=TIERS.index),
        delivered_at=one.deliveries[0].delivered_at,
        accounts=tuple(sorted({row.account_code for row in rows if row.account_code})),
        snapshot=snapshots.pop() if len(snapshots) == 1 else "",
        drawn_at=max(kept, key=lambda row: moment(row.drawn_at) or _LAST).drawn_at,
        ended=_ended(members),
    )
    return Bag(bag=name, context=one.context, members=tuple(texts)), entry


def _ended(members: Sequence[Sequence[_Draw]]) -> tuple[tuple[Ended, ...], ...] | UnsetType:
    """Say how each draw ended, the delivered ones of a member first; nothing where a row is silent or all are alike."""
    found = []
    for draws in members:
        rows = sorted((draw.deliveries[0] if draw.deliveries else draw.decoy for draw in draws), key=_is_decoy)
        found.append(tuple(one for row in rows if row is not None and (one := ended(row)) is not None))
    whole = all(len(said) == len(draws) for said, draws in zip(found, members, strict=True))
    return tuple(found) if whole and len({one for said in found for one in said}) > 1 else UNSET


def _is_decoy(row: Delivery | Decoy | None) -> bool:
    return isinstance(row, Decoy)


def _delivered(one: Wanted, seed: int, tally: Counter[str]) -> list[_Draw]:
    """Return the delivered draws of a context: by name, or the first delivery alone where draws have no names."""
    if any(not row.draw_id for row in one.deliveries):
        tally["further deliveries of a context without the name of their draw, left out"] += len(one.deliveries) - 1
        return [_Draw(text=answer_of(one.deliveries[0]), deliveries=[one.deliveries[0]])]
    rows = one.deliveries if one.group == "withheld" else asked_first(one.deliveries, tally)
    found: dict[str, _Draw] = {}
    for row in rows:
        found.setdefault(row.draw_id, _Draw(text=answer_of(row))).deliveries.append(row)
    tally["deliveries of a draw that was delivered before"] += len(rows) - len(found)
    if len(found) <= SEVERAL:
        return list(found.values())
    tally[f"delivered draws of a context beyond {SEVERAL}, left out at random"] += len(found) - SEVERAL
    rng, names = stream(seed, "lineup", "delivered", one.digest), sorted(found)
    return [found[names[place]] for place in sorted(rng.choice(len(names), SEVERAL, replace=False))]


def tier_in_force(entries: Sequence[Opened], coin: bool) -> Tier:
    """Return the worst tier of these bags, as far as it is shown: a coin by its throws, what was kept by its date."""
    tier = max((one.tier for one in entries), key=TIERS.index)
    if tier == "randomised" and not coin:
        tier = "kept"
    undated = any(moment(one.drawn_at) is None for one in entries)
    return "resampled" if tier == "kept" and undated else tier


def is_after(one: str, other: str) -> bool:
    """Tell whether a time comes after another, in whatever zones and spellings; False where one is not known."""
    first, second = moment(one), moment(other)
    return first is not None and second is not None and first > second


def place_of(salt: bytes, bag: str, text: str) -> bytes:
    """Say where a member stands in its bag: a hash that nobody can compute without the salt of the key."""
    return hmac.digest(salt, f"{bag}\x1f{text}".encode(), "sha256")


def bags_file(bags: Iterable[Bag]) -> bytes:
    """Write bags as JSONL, in RFC 8785."""
    return b"".join(canonical(one) + b"\n" for one in bags)


def key_file(bags: bytes, entries: Sequence[Opened], salt: bytes) -> bytes:
    """Write the key."""
    made = LineupKey(format=KEY_FORMAT, salt=salt.hex(), bags=sha256(bags), entries=tuple(entries))
    return canonical(made) + b"\n"
