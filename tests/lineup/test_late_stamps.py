"""A time-stamp shows an order only if it came before what was to come later: late ones are said, not counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import UnsetType

import line_ups
from authority import Authority
from depose import pipeline
from depose.cli.options import now
from depose.custody.stamp import Source, stamp
from depose.evidence import ledger
from depose.evidence.log import read_blob
from depose.lineup import acts
from depose.lineup.reading import lineup_findings

NONE = "The seal of the key, or that of the scores, has no time-stamp."
FIRST = "The registration has no time-stamp: that it came first rests on the log alone."


@pytest.mark.parametrize(
    ("late", "said", "unsaid"),
    [
        ((), (), (NONE, FIRST, "only after")),
        (("registration",), (FIRST,), (NONE, "only after")),
        (("key",), ("Time-stamped only after what was to come later: the seal of the key.",), (NONE, FIRST)),
        (("key", "scores"), ("later: the seal of the key and of the scores.",), (NONE, FIRST)),
    ],
)
def test_a_late_stamp_shows_no_order(
    tmp_path: Path, late: tuple[str, ...], said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    """Stamped once the key is open, neither registration nor seals are shown to have come before what they guard."""
    authority = Authority(tmp_path / "tsa")
    case = line_ups.case(tmp_path / "case")
    delivered, decoys = line_ups.rows(30)
    files = line_ups.written(tmp_path, "d.jsonl", delivered), line_ups.written(tmp_path, "f.jsonl", decoys)
    key, bags = tmp_path / "key.json", tmp_path / "bags.jsonl"
    with authority.serve() as url:
        source = Source(url=url, roots=authority.roots.read_bytes())
        pipeline.register_case(case, now)
        records = {"registration": ""}
        if "registration" not in late:
            stamp(case, source, now)
        acts.build_bags(case, *files, key, now, bags)
        records["key"] = acts.seal_key(case, key, "Notary N.", now).record
        if "key" not in late:
            stamp(case, source, now, records["key"])
        for code in ("S1", "R1", "C1"):
            table = line_ups.table(bags.read_bytes(), code, line_ups.learnt_of(delivered), 0.0)
            acts.record_table(case, code, table, code, now)
        records["scores"] = acts.seal_scores(case, now).record
        if "scores" not in late:
            stamp(case, source, now, records["scores"])
        acts.open_key(case, key, now)
        for name in late:
            stamp(case, source, now, records[name])
    found = lineup_findings(ledger.entries(case), lambda name: read_blob(case, name), "case")
    assert not isinstance(found, UnsetType)
    flags = " ".join(found.flags)
    assert all(one in flags for one in said) and not any(one in flags for one in unsaid)
