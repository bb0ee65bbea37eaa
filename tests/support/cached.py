"""Values of a cache changed by its own user, who has the secret that marks them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from depose.features import own_cache


def rewrite(db: sqlite3.Connection, change: Callable[[Sequence[bytes]], Sequence[bytes]]) -> None:
    """Put other values in the place of all values, each with its mark; `change` gets them in the order of their ids."""
    query = "SELECT made.id, name, digest, value FROM made JOIN makers ON makers.id = maker ORDER BY made.id"
    rows = db.execute(query).fetchall()
    values = change([value[own_cache.MARK :] for *_, value in rows])
    for (number, maker, digest, _), value in zip(rows, values, strict=True):
        mark = own_cache.mark(own_cache.secret(), maker.encode(), digest.encode(), value)
        db.execute("UPDATE made SET value = ? WHERE id = ?", (mark + value, number))
    db.commit()
