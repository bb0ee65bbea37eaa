"""What an account did, as numbers: shares and logarithms, none of which grows with how long it was looked at; pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from depose.extraction.masking import CLASSES

Array = NDArray[np.float64]
FEATURES = (
    "requests a day", "hours a day", "night", "weekend", "templates", "prompts", "addresses", "models", "tokens in",
    "tokens out", "at the cap", "several choices or log-probabilities", "one turn", "errors",
    *(f"share {name}" for name in CLASSES),
)  # fmt: skip


def features(accounts: pa.Table) -> Array:
    """Return the features of each account, [accounts, FEATURES]; a column that a log does not have is 0."""

    def numbers(name: str) -> Array:
        found = accounts[name].to_numpy().astype(np.float64)
        known: Array = np.nan_to_num(found)
        return known

    rows, days = np.maximum(numbers("rows_"), 1), np.maximum(numbers("days"), 1)
    return np.column_stack(
        [
            np.log(np.maximum(numbers("requests"), 1) / days),
            numbers("hours") / days,
            numbers("night") / rows,
            numbers("weekend") / rows,
            numbers("templates") / np.maximum(numbers("templated"), 1),
            numbers("prompts") / np.maximum(numbers("prompted"), 1),
            np.log1p(numbers("ips") / days),
            np.log1p(numbers("models")),
            np.log1p(numbers("in_tok") / rows),
            np.log1p(numbers("out_tok") / rows),
            numbers("at_cap") / rows,
            numbers("samples") / rows,
            numbers("single") / rows,
            numbers("errors") / rows,
            *(numbers(name) / rows for name in CLASSES),
        ]
    )


def deciles(accounts: pa.Table, of: pa.Table | None = None) -> list[str]:
    """Return the decile of each account's requests a day, by the bounds of `of` where another population sets them."""

    def rates(table: pa.Table) -> Array:
        days = np.maximum(table["days"].to_numpy(), 1)
        found: Array = table["requests"].to_numpy().astype(np.float64) / days
        return found

    base = rates(accounts if of is None else of)
    bounds = np.quantile(base, np.linspace(0.1, 0.9, 9)) if len(base) else np.zeros(9)
    return [str(one) for one in np.searchsorted(bounds, rates(accounts), side="right").tolist()]


def strata(accounts: pa.Table, by: tuple[str, ...], of: pa.Table | None = None) -> list[list[str]]:
    """Return the columns by which accounts are put into strata."""
    found: list[list[str]] = []
    for name in by:
        if name == "volume":
            found.append(deciles(accounts, of))
        else:
            found.append([str(one or "") for one in accounts[name].to_pylist()])
    return found


def shares(accounts: pa.Table) -> Array:
    """Return the share of each capability class in each account's requests."""
    return features(accounts)[:, -len(CLASSES) :]


def daily(table: pa.Table, accounts: Any) -> Array:
    """Return requests of each account on each day, [accounts, days]; accounts in their order."""
    place = np.searchsorted(accounts, table["account"].to_numpy())
    days = table["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
    first = int(days.min()) if len(days) else 0
    width = int(days.max()) - first + 1 if len(days) else 1
    counts = table["requests"].to_numpy().astype(np.float64)
    flat = np.bincount(place * width + days - first, weights=counts, minlength=len(accounts) * width)
    shaped: Array = flat.astype(np.float64).reshape(len(accounts), width)
    return shaped
