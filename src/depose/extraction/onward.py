"""What a scan found as the table [lineup] of a case: who is in question, in which groups, and on what that rests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from depose.case import casefile, casetext, written
from depose.errors import CaseError
from depose.evidence.log import log_path, write_whole

FILE = "lineup.toml"
_HEAD = re.compile(r"^[ \t]*\[[ \t]*lineup[ \t]*\][ \t]*(?:#.*)?$", re.MULTILINE)


def table_of(accused: Mapping[str, str], alike: Mapping[str, str], sealed: str, most: int) -> dict[str, Any]:
    """Return fields of [lineup] for accounts, each with its group, and for accounts like them that are of none.

    One group is all accounts, so that none is registered; `sealed` is the record of the log that holds the accounts.
    """
    names = sorted(set(accused.values()))
    groups = {name: sorted(one for one, group in accused.items() if group == name) for name in names}
    return {
        "accounts": sorted(accused),
        "groups": groups if len(groups) > 1 else None,
        "matched": sorted(alike),
        "chosen_by": f"a scan of the logs, without the suspect; sealed in its log as record {sealed}",
        "sampling": f"answers to the accounts in the tested period; of each group, and of its likes, at most {most:,}, "
        "drawn by the seed of the scan",
    }


def text_of(values: Mapping[str, Any]) -> str:
    """Write the table, for who puts it into a case file by hand."""
    return casetext.table("[lineup]", dict(values))


def put(case: Path, values: Mapping[str, Any]) -> str:
    """Return the text of a case file with these fields in its table [lineup], or with the table behind all others.

    Raises CaseError for a case that is registered, that says one of them already, or that is none with them.
    """
    file = casefile.written_file(case)
    if log_path(file.parent).is_file():
        raise CaseError(
            f"{file}: is registered, and whom it tests is fixed", hint="start a new case folder: depose new"
        )
    text = written.text_of(file, "name a case, or its case.toml", "make one: depose new DIR --from exposed")
    said = written.taken(text, str(file)).data.get("lineup")
    fields = {name: value for name, value in values.items() if value is not None}
    if there := [name for name in fields if name in (said or {})]:
        raise CaseError(f"{file}: $.lineup.{there[0]}: stands there already", hint="take it out: the scan says it")
    lines, head = text_of(fields), _HEAD.search(text)
    if head:
        made = f"{text[: head.end()]}\n{lines.partition(chr(10))[2].rstrip()}{text[head.end() :]}"
    else:
        made = f"{text.rstrip()}\n\n{lines}"
    if said is not None and (head is None or written.taken(made, str(file)).data["lineup"] != {**said, **fields}):
        raise CaseError(f"{file}: its table [lineup] was not found", hint=f"put in what {FILE} says by hand")
    casefile.checked(written.taken(made, str(file), file.parent), file.parent)
    return made


def into(case: Path, values: Mapping[str, Any]) -> str:
    """Write these fields into a case file, and return its name."""
    file = casefile.written_file(case)
    write_whole(file, put(case, values).encode())
    return str(file)
