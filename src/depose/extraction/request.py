"""When there is no population: what the accounts did, as numbers that test nothing, and what to ask for; pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from depose.extraction import features
from depose.extraction.findings import ExtractionFindings
from depose.extraction.plan import ExtractionFile, days
from depose.model import spreadsheet

FIELDS = (
    ("request id, time in UTC to the second or finer", "each request once, in order"),
    (
        "account, organisation, key, under one keyed hash for the whole production",
        "who asked, without saying who it is",
    ),
    ("model asked for and model served", "the move to a new model"),
    ("prompt, or a keyed hash of its first twelve words with numbers, quotations and addresses masked", "templates"),
    ("hashes of system prompt and tools; temperature, length, choices, log-probabilities", "how it was asked"),
    ("tokens in and out, status", "volume and errors"),
    ("keyed hashes of address, its /24, card, client", "shared infrastructure"),
    ("tier, country, date of the account", "strata"),
)


def draft(case: ExtractionFile, found: ExtractionFindings) -> str:
    """Write a request for a production that a scan could work with."""
    fewest, length = case.strata.fewest, days(case.period.tested)
    lines = [
        f"# Request for further logs: {case.case.title}",
        "",
        f"The logs at hand hold {found.totals.accounts} accounts, and "
        + ("all of them are accused" if case.strata.accused_alone else "so few")
        + ": there is nothing to compare them with. A",
        "p-value rests on other accounts, and with n of them it cannot fall below 1/(n+1). Asked for is therefore:",
        "",
        f"1. A random sample of at least {fewest} accounts for each stratum ({', '.join(case.strata.by)}), drawn",
        "   before anybody looks at what they asked, with the seed; and the number of accounts of each stratum.",
        f"2. All their requests of the same days, {case.period.tested[0]} to {case.period.tested[1]} ({length} days).",
        f"3. The same of a clean period before it, of at least {max(28, length)} days, in which the accused were not",
        "   active: what stands out there is a standing community.",
        "4. The list of accounts that are known to belong together (resellers, courses, firms that evaluate models),",
        "   and the dates on which models came out.",
        "5. For each file its SHA-256, and whether it is whole or a sample.",
        "",
        "| field | for |",
        "|---|---|",
        *(f"| {field} | {why} |" for field, why in FIELDS),
        "",
        "Ids are to be hashed by the custodian with a key that stays there (HMAC-SHA256), under which the accused",
        "accounts are named to both sides. Native exports (JSON lines, CSV, Parquet), no PDF and no workbook.",
        "",
    ]
    return "\n".join(lines)


def descriptives(accounts: pa.Table, fewest: int) -> bytes:
    """Return the spread of what accounts did, a row for each feature, for a spreadsheet; of too few of them no row."""
    head = [
        "feature, as shares and logarithms (features.FEATURES)",
        "accounts",
        "lowest tenth",
        "median",
        "highest tenth",
    ]
    rows: list[list[object]] = [list(head)]
    if accounts.num_rows >= fewest:
        values = np.quantile(features.features(accounts), (0.1, 0.5, 0.9), axis=0)
        for place, name in enumerate(features.FEATURES):
            rows.append([name, accounts.num_rows, *(f"{one:.4g}" for one in values[:, place])])
    return spreadsheet.write(rows, "\n")
