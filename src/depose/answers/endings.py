"""How the answers of each model ended: counted by status and by the provider's own word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from depose.model import Ending, Status

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


def counted(ended: Iterable[tuple[str, Status, str]]) -> tuple[Ending, ...]:
    """Count models, statuses and words; in the order of models, statuses as in NAMES, frequent words first."""
    order = {status: place for place, status in enumerate(NAMES)}
    found = Counter(ended)
    models = {model: place for place, model in enumerate(dict.fromkeys(model for model, _, _ in found))}
    rows = sorted(found.items(), key=lambda one: (models[one[0][0]], order[one[0][1]], -one[1], one[0][2]))
    return tuple(Ending(model=model, status=status, finish=word, n=n) for (model, status, word), n in rows)


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
            parts.append(f"{words.total()} {NAMES[status]} ({', '.join(shown)})")
    return ", ".join(parts) or "nothing came"
