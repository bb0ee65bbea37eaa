"""The log of a randomised delivery: as files of deliveries and decoys, and as what the bags of a line-up follow from.

That a coin chose is more than its owner's word where its commitment was registered, log and key are shown once the
line-up is opened, and the very bags and key of the line-up are built again from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from depose.errors import CaseError, UsageError
from depose.evidence.log import write_whole
from depose.lineup.bags import bags_file, build, key_file
from depose.lineup.coin import Coin, Thrown, is_chained, unfolded
from depose.lineup.inputs import moment
from depose.lineup.tables import read_key
from depose.model import Record
from depose.model.base import ready
from depose.model.canonical import UNREADABLE, canonical
from depose.model.lineup import Decoy, Delivery
from depose.model.lineup_plan import LineupPlan


class Unfolded(Record, frozen=True, kw_only=True):
    """What came of a log."""

    requests: int
    commitment: str
    chained: bool
    """Whether its lines carry marks, so that none can be left out, moved or changed without the key of the coin."""
    files: tuple[str, ...]


def unfold(data: bytes, name: str, key: bytes, out: Path, comparable: Sequence[str]) -> Unfolded:
    """Write `deliveries.jsonl` and `decoys.jsonl` into a new folder; raise CaseError for a log that does not hold."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: exists and is not an empty folder", hint="name a new folder")
    coin, thrown = Coin(key), thrown_of(data, name)
    deliveries, decoys = _by_coin(coin, thrown, name, comparable)
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "deliveries.jsonl": [canonical(row) for row in deliveries],
        "decoys.jsonl": [canonical(row) for row in decoys],
    }
    for file, rows in files.items():
        write_whole(out / file, b"".join(row + b"\n" for row in rows))
    return Unfolded(
        requests=len(thrown),
        commitment=coin.commitment,
        chained=is_chained(thrown),
        files=tuple(str(out / file) for file in files),
    )


def thrown_of(data: bytes, name: str) -> tuple[Thrown, ...]:
    """Read the log of a randomised delivery; raise CaseError, with `name`, for a line that is none."""
    thrown = []
    for number, line in enumerate(data.removesuffix(b"\n").split(b"\n") if data else (), 1):
        try:
            one = msgspec.json.decode(line, type=ready(Thrown))
            thrown.append(one)
            if is_chained([one]) and canonical(one) != line:
                raise CaseError(
                    f"{name}: line {number}: stands in another form than the server writes, and may say two things",
                    hint="take the log as the server wrote it",
                )
        except UNREADABLE as error:
            raise CaseError(
                f"{name}: line {number} is no request of a randomised delivery: {error}",
                hint="a line that a crash cut off was not delivered: remove it, and say so",
            ) from error
    if not thrown:
        raise CaseError(f"{name}: holds no request", hint="the middleware writes a line for each")
    return tuple(thrown)


def _by_coin(
    coin: Coin, thrown: Sequence[Thrown], name: str, comparable: Sequence[str]
) -> tuple[list[Delivery], list[Decoy]]:
    try:
        return unfolded(coin, thrown, dict.fromkeys(comparable, "matched"))
    except CaseError as error:
        raise CaseError(f"{name}: {error.message}", hint=error.hint) from error


class Throws(Record, frozen=True, kw_only=True):
    """What the coin of a line-up was seen to choose."""

    requests: int
    early: int
    """Of these, delivered before the coin was registered."""
    chained: bool
    """Whether the lines of their log carry marks."""


def bags_follow(
    plan: LineupPlan, seed: int, data: bytes, coin: bytes, key: bytes, bags: bytes, registered_at: str
) -> Throws:
    """Build bags and key again from the log of a coin; raise CaseError unless they are those of the line-up.

    `data` is the log, `coin` the key of the coin, `key` and `bags` the files of the line-up.
    """
    thrown, made = thrown_of(data, "thrown log"), Coin(coin)
    if made.commitment != plan.coin:
        raise CaseError(
            f"another coin than the one that was registered: {made.commitment[:12]}..., not {str(plan.coin)[:12]}...",
            hint="the key of the coin is the file whose SHA-256 stands in $.lineup.coin",
        )
    if plan.coin_marks is True and not is_chained(thrown):
        raise CaseError(
            "thrown log: its lines carry no marks of the coin, and the case registers that they do",
            hint="take the log as the server wrote it: without marks any line may have been left out",
        )
    deliveries, decoys = _by_coin(made, thrown, "thrown log", plan.matched)
    salt = bytes.fromhex(read_key(key, bags, "key").salt)
    built = build(plan, deliveries, decoys, seed, salt)
    again = bags_file(built.bags)
    if again != bags or key_file(again, built.entries, salt) != key:
        raise CaseError(
            "the bags of the line-up do not follow from the thrown log: a request was left out, added or changed",
            hint="the bags are built of what depose lineup unfold makes of the whole log, with the registered accounts",
        )
    began = moment(registered_at)
    early = sum(began is None or (at := moment(one.delivered_at)) is None or at < began for one in thrown)
    return Throws(requests=len(thrown), early=early, chained=is_chained(thrown))
