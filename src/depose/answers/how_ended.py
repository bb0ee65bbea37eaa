"""How the answers of each model ended: counted by status and by the provider's own word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from depose.answers.settle import of_exchange
from depose.model import Ending, Exchange, Status

NAMES: dict[Status, str] = {
    "whole": "whole",
    "cut_length": "cut by length",
    "cut_filter": "cut by a filter",
    "refused": "refused by the provider",
    "failed": "failed",
    "empty": "empty",
    "unknown": "end not told",
}
"""What each status is called."""


def counted(ended: Iterable[tuple[Status, str]]) -> tuple[Ending, ...]:
    """Count statuses and words: statuses in the order of NAMES, frequent words first."""
    order = {status: place for place, status in enumerate(NAMES)}
    rows = sorted(Counter(ended).items(), key=lambda one: (order[one[0][0]], -one[1], one[0][1]))
    return tuple(Ending(status=status, finish=word, n=n) for (status, word), n in rows)


def by_model(exchanges: Iterable[Exchange]) -> dict[str, tuple[Ending, ...]]:
    """Count how the answers of each model ended."""
    found: dict[str, list[tuple[Status, str]]] = {}
    for one in exchanges:
        found.setdefault(one.model, []).append((of_exchange(one).status, one.finish))
    return {model: counted(ended) for model, ended in found.items()}


def named(status: Status, finish: str) -> str:
    """Name a status and the provider's own word, if there is one."""
    return f"{NAMES[status]} ({finish[:40]})" if finish else NAMES[status]


def in_words(endings: Sequence[Ending]) -> str:
    """Say how answers ended: `38 whole (stop), 2 cut by length (length)`."""
    parts = []
    for status in NAMES:
        mine = [one for one in endings if one.status == status]
        if mine:
            words = Counter[str]()
            for one in mine:
                words[one.finish] += one.n
            shown = [f"{word[:40] or 'no word'}{f' {n}' if len(words) > 1 else ''}" for word, n in words.items()]
            parts.append(f"{words.total()} {NAMES[status]}" + (f" ({', '.join(shown)})" if any(words) else ""))
    return ", ".join(parts) or "nothing came"
