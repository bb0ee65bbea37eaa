"""The log of a randomised delivery as files of deliveries and decoys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from depose.errors import CaseError, UsageError
from depose.evidence.log import write_whole
from depose.lineup.coin import Coin, Thrown, unfolded
from depose.model import Record
from depose.model.canonical import canonical


class Unfolded(Record, frozen=True, kw_only=True):
    """What came of a log."""

    requests: int
    commitment: str
    files: tuple[str, ...]


def unfold(data: bytes, name: str, key: bytes, out: Path, comparable: Sequence[str]) -> Unfolded:
    """Write `deliveries.jsonl` and `decoys.jsonl` into a new folder; raise CaseError for a log that does not hold."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"--out {out}: exists and is not an empty folder", hint="name a new folder")
    coin, thrown = Coin(key), []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            thrown.append(msgspec.json.decode(line, type=Thrown))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CaseError(
                f"{name}: line {number} is no request of a randomised delivery: {error}",
                hint="a line that a crash cut off was not delivered: remove it, and say so",
            ) from error
    if not thrown:
        raise CaseError(f"{name}: holds no request", hint="the middleware writes a line for each")
    try:
        deliveries, decoys = unfolded(coin, thrown, dict.fromkeys(comparable, "matched"))
    except CaseError as error:
        raise CaseError(f"{name}: {error.message}", hint=error.hint) from error
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "deliveries.jsonl": [canonical(row) for row in deliveries],
        "decoys.jsonl": [canonical(row) for row in decoys],
    }
    for file, rows in files.items():
        write_whole(out / file, b"".join(row + b"\n" for row in rows))
    return Unfolded(requests=len(thrown), commitment=coin.commitment, files=tuple(str(out / file) for file in files))
