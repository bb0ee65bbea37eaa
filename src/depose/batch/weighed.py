"""Weights of a batch: each pair that is held is compared once, and again only where a file or the software is another.

What is kept carries its user's mark, as in the cache of features: what anybody else put there is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from depose.batch.matrix import Weighed
from depose.batch.rows import made_with
from depose.evidence.log import write_whole
from depose.features import own_cache
from depose.model.canonical import canonical, digest
from depose.weights.compare import Named
from depose.weights.held import examined
from depose.weights.stores import open_weights

FORMAT = "depose-weighed-2"
"""Another number wherever comparing the same files comes to something else."""


def weighed(pairs: Sequence[tuple[Named, Named]], folder: Path, say: Callable[[str], None]) -> Iterator[Weighed]:
    """Compare the weights of pairs, or take what the folder holds of these very files; new ones are kept there.

    Raises what `examined` raises, also where a file of a pair that is kept is no longer there.
    """
    key = own_cache.secret() if pairs else b""
    if pairs:
        folder.mkdir(exist_ok=True)
    for pair in pairs:
        place = folder / f"{_place(pair)}.json"
        kept = _kept(place, key)
        if kept is None:
            say(f"weights of {pair[0].name} and {pair[1].name}")
            found = examined(*pair)
            kept = Weighed(**{name: getattr(found, name) for name in Weighed.__struct_fields__})
            data = canonical(kept)
            write_whole(place, own_cache.mark(key, place.name.encode(), data) + data)
        yield kept


def _place(pair: tuple[Named, Named]) -> str:
    """Name what a comparison depends on: the digest of every file, and what compares them."""
    files = []
    for one in pair:
        with open_weights(one.path, one.adapter) as store:
            files.append([one.name, store.digests])
    return digest([FORMAT, made_with(), files])


def _kept(place: Path, key: bytes) -> Weighed | None:
    """Read a comparison that is kept; None where there is none that carries the user's mark."""
    if not place.is_file():
        return None
    raw = place.read_bytes()
    mark, data = raw[: own_cache.MARK], raw[own_cache.MARK :]
    if not own_cache.holds(key, mark, place.name.encode(), data):
        return None
    try:
        return msgspec.json.decode(data, type=Weighed)
    except msgspec.DecodeError:  # of another version
        return None
