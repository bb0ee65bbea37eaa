"""Weights of a batch: each pair that is held is compared once, and again only where a file or the software is another.

What is kept carries its user's mark, as in the cache of features: what anybody else put there is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from depose.batch.kept import keep, kept
from depose.batch.matrix import Weighed
from depose.batch.rows import made_with
from depose.model.canonical import UNREADABLE, canonical, digest
from depose.weights.compare import Named
from depose.weights.held import examined
from depose.weights.stores import open_weights

FORMAT = "depose-weighed-2"
"""Another number wherever comparing the same files comes to something else."""


def weighed(pairs: Sequence[tuple[Named, Named]], folder: Path, say: Callable[[str], None]) -> Iterator[Weighed]:
    """Compare the weights of pairs, or take what the folder holds of these very files; new ones are kept there.

    Raises what `examined` raises, also where a file of a pair that is kept is no longer there.
    """
    if pairs:
        folder.mkdir(exist_ok=True)
    for pair in pairs:
        place = folder / f"{_place(pair)}.json"
        there = _there(place)
        if there is None:
            say(f"weights of {pair[0].name} and {pair[1].name}")
            found = examined(*pair)
            there = Weighed(**{name: getattr(found, name) for name in Weighed.__struct_fields__})
            keep(place, canonical(there))
        yield there


def _place(pair: tuple[Named, Named]) -> str:
    """Name what a comparison depends on: the digest of every file, and what compares them."""
    files = []
    for one in pair:
        with open_weights(one.path, one.adapter) as store:
            files.append([one.name, store.digests])
    return digest([FORMAT, made_with(), files])


def _there(place: Path) -> Weighed | None:
    """Read a comparison that is kept; None where there is none that carries the user's mark."""
    data = kept(place)
    try:
        return msgspec.json.decode(data, type=Weighed) if data is not None else None
    except UNREADABLE:  # of another version
        return None
