"""Many byte strings sought at once: one pass over the data, however many they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_GRAM = 8
"""Bytes of each string by which it is looked up."""
_SAMPLED = 16
"""Places of a string that are looked at for eight bytes that differ."""
_FEW = 8
"""So many strings are sought one by one."""
_CHUNK = 1 << 15
_ROOM = 64
"""Places of the table for each string, so that other bytes seldom meet one that is taken."""
_FACTOR = 0x9E3779B97F4A7C15


class Needles:
    """Byte strings that are sought."""

    def __init__(self, strings: Iterable[bytes]) -> None:
        whole = tuple(dict.fromkeys(strings))
        long = [one for one in whole if len(one) >= _GRAM]
        self._one_by_one = whole if len(whole) <= _FEW else tuple(one for one in whole if len(one) < _GRAM)
        self._by_gram: dict[bytes, list[tuple[bytes, int]]] = {}
        if len(whole) > _FEW and long:
            self._prepare(long)

    def _prepare(self, long: list[bytes]) -> None:
        import numpy as np

        for one in long:
            at = max(range(min(len(one) - _GRAM + 1, _SAMPLED)), key=lambda n: len(set(one[n : n + _GRAM])))
            self._by_gram.setdefault(one[at : at + _GRAM], []).append((one, at))
        bits = max(16, min(22, (_ROOM * len(self._by_gram)).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._table = np.zeros(1 << bits, bool)
        grams = np.frombuffer(b"".join(self._by_gram), "<u8")
        self._table[grams * np.uint64(_FACTOR) >> self._shift] = True
        self._grams = np.sort(grams)

    def __len__(self) -> int:
        return len(self._one_by_one) + sum(map(len, self._by_gram.values()))

    def standing_in(self, data: bytes) -> set[bytes]:
        """Return those that stand in the data."""
        found = {one for one in self._one_by_one if one in data}
        if self._by_gram and len(data) >= _GRAM:
            self._look(data, found)
        return found

    def places_in(self, data: bytes) -> Iterator[tuple[bytes, int]]:
        """Yield those that stand in the data with each place, one beyond the end of another, in one pass for most."""
        ends: dict[bytes, int] = {}
        for one in self._one_by_one:
            at = data.find(one)
            while at >= 0:
                yield one, at
                at = data.find(one, at + len(one))
        if self._by_gram and len(data) >= _GRAM:
            for at in self._met(data):
                for one, within in self._by_gram.get(data[at : at + _GRAM], ()):
                    start = at - within
                    if start >= ends.get(one, 0) and data.startswith(one, start):
                        ends[one] = start + len(one)
                        yield one, start

    def _look(self, data: bytes, found: set[bytes]) -> None:
        for at in self._met(data):
            for one, within in self._by_gram.get(data[at : at + _GRAM], ()):
                if one not in found and data.startswith(one, max(0, at - within)):
                    found.add(one)

    def _met(self, data: bytes) -> Iterator[int]:
        """Yield where the eight bytes of any of them stand."""
        import numpy as np

        factor, table, shift = np.uint64(_FACTOR), self._table, self._shift
        last = len(data) - _GRAM + 1
        for at in range(0, last, _CHUNK):
            grams = np.ndarray((min(_CHUNK, last - at),), "<u8", data, at, (1,))
            taken = table.take(grams * factor >> shift)
            if taken.any():
                places = taken.nonzero()[0]
                nearest = np.minimum(np.searchsorted(self._grams, grams[places]), len(self._grams) - 1)
                yield from (at + places[self._grams[nearest] == grams[places]]).tolist()


class Run:
    """So many bytes of one class in a row; quicker to find than by a pattern."""

    def __init__(self, bytes_: bytes, length: int) -> None:
        self._classes = bytes(1 if c in bytes_ else 0 for c in range(256))
        self._wanted = b"\1" * length

    def stands_in(self, data: bytes) -> bool:
        """Tell whether there is one."""
        return self._wanted in data.translate(self._classes)


def holds_any(data: bytes, some: tuple[bytes, ...]) -> bool:
    """Tell whether one of some stands in the data."""
    for one in some:  # noqa: SIM110 (quicker)
        if one in data:
            return True
    return False
