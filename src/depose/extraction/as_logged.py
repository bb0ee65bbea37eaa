"""Checks that the log of a sealed case of logs says what depose writes, in the order of its acts, and no word more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from depose.errors import EvidenceError
from depose.evidence import ledger
from depose.evidence.log import Chained
from depose.extraction import conduct, tables
from depose.extraction import manifest as manifest_of
from depose.extraction.conduct import Found, Looked
from depose.extraction.deliveries import Chosen
from depose.extraction.findings import ExtractionFindings, named
from depose.extraction.plan import ExtractionFile
from depose.model import Fact
from depose.model.canonical import UNREADABLE, canonical, sha256

HINT = "depose writes no such record; ask for the bundle as it was sealed"


def check_records(entries: Sequence[Chained], found: ExtractionFindings, manifest: manifest_of.Manifest) -> None:
    """Read each record as what it is: events before findings, findings before the accounts that are chosen by them.

    Raises EvidenceError at the first that says more, or other than findings and manifest do.
    """
    last, looked, digests = sha256(canonical(found)), set[str](), set[str]()
    for one in entries:
        where = f"record {one.entry.seq}"
        if one.entry.kind == "extraction-events":
            events = ledger.body(one, Looked)
            looked.add(events.manifest)
            lists = events.manifest != found.events or events == _looked(found.events, manifest)
            _need(lists, f"{where}: other events than the manifest lists")
        elif one.entry.kind == "extraction-findings":
            said = ledger.body(one, Found)
            digests.add(said.findings)
            _need(bool(looked), f"{where}: findings before any events")
            if said.findings == last:
                _need(found.events in looked, f"{where}: findings of events that no record before it names")
                counts = (len(found.groups), len(named(found.groups)))
                _need((said.groups, said.accounts) == counts, f"{where}: other counts than the findings have")
        elif one.entry.kind == "extraction-accounts":
            chosen = ledger.body(one, Chosen)
            _need(chosen.findings in digests, f"{where}: accounts of findings that no record before it names")
            if chosen.findings == last:
                _need(_fits(chosen, found), f"{where}: other accounts than the findings name")


def _looked(digest: str, manifest: manifest_of.Manifest) -> Looked:
    return Looked(manifest=digest, files=len(manifest.files), sources=conduct.sources_of(manifest))


def _fits(chosen: Chosen, found: ExtractionFindings) -> bool:
    """Tell whether the accused are those of the groups in concert, and the others as many at most, of no group."""
    accused = named(tuple(one for one in found.groups if one.tied_by))
    grouped = {member.account for group in found.groups for member in group.accounts}
    wanted = tuple(Fact(name=group, value=one) for one, group in sorted(accused.items()))
    most = Counter(accused.values())
    count = Counter(one.name for one in chosen.alike)
    others = {one.value for one in chosen.alike}
    return chosen.accused == wanted and count <= most and not others & grouped and len(others) == len(chosen.alike)


def check_made(folder: Path, case: ExtractionFile, manifest: manifest_of.Manifest, listed: Mapping[str, str]) -> None:
    """Raise EvidenceError unless the note beside the tables names these tables, and what they follow from."""
    name = f"out/tables/{tables.MADE}"
    if name not in listed:
        return
    try:
        made = msgspec.json.decode((folder / name).read_bytes(), type=conduct.Made)
    except UNREADABLE as error:
        raise EvidenceError(f"{name}: not a note of tables: {error}", hint=HINT) from error
    there = {Path(one).stem: digest for one, digest in listed.items() if one.startswith("out/tables/") and one != name}
    _need(made.digests == there, f"{name}: of other tables than stand beside it")
    _need(made.key == conduct.key_of(case, manifest), f"{name}: of tables from other events, or another protocol")


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise EvidenceError(what, hint=HINT)
