"""Computes the findings of a bundle again from its log, and compares bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from depose.analysis import results
from depose.asking import collect
from depose.case import annexes, calibration
from depose.custody import container, envelope, pdf
from depose.custody.bundle import HINT, Read, content
from depose.custody.closeness import TOLERANCE, rounded
from depose.custody.consistent import elsewhere
from depose.custody.kinds import LOG
from depose.custody.sealed_vectors import Vectors
from depose.errors import CaseError, EvidenceError
from depose.lineup.reading import lineup_findings
from depose.model import Dossier, Fact, Findings
from depose.model.canonical import UNREADABLE, canonical, in_one_form, sha256
from depose.report import render


def statement(read: Read) -> Findings:
    """Check that findings and statement speak of this log."""
    name = f"out/{results.FINDINGS}"
    data = content(read.bundle, name) if name in read.bundle.sizes() else b""
    try:
        findings = msgspec.json.decode(data, type=Findings)
    except UNREADABLE as error:
        raise EvidenceError(
            f"{name}: no findings of this version: {error}{elsewhere(read)}",
            hint="verify with the version that made it; what it made before is not what this one makes",
        ) from error
    if not in_one_form(data):
        raise EvidenceError(f"{name}: not in canonical form{elsewhere(read)}", hint=HINT)
    if (findings.log_head, findings.protocol_digest) != (read.entries.head, read.entries.protocol_digest):
        raise EvidenceError(f"{name}: made from another log", hint=HINT)
    payload = envelope.read(content(read.bundle, "statement.json"), read.key, "statement.json")
    subjects = {name: sha256(data), LOG: ""}
    with read.bundle.open(LOG) as file:
        subjects[LOG] = container.digest(file)[0]
    if payload != canonical(envelope.statement(findings, subjects)):
        raise EvidenceError("statement.json: says something else than the findings", hint=HINT)
    return findings


def recomputed(read: Read, findings: Findings, progress: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Compute the findings again from the log, with the sealed sentence vectors, and compare bytes.

    On a machine that adds otherwise numbers may differ by rounding, and what differs is said.
    """
    dossier = collect.dossier_of(read.entries, read.bundle.name)
    vectors = Vectors(read)
    lineup = lineup_findings(read.entries, lambda name: _blob(read, name), read.bundle.name)
    made = results.results(dossier, _calibration(read, dossier), None, progress, vectors.encode, lineup)
    files = made.files | {"report.html": render.render_html(findings, render.Setting(annex=_annex(read)))}
    there = {f"out/{name}": data for name, data in sorted(files.items()) if f"out/{name}" in read.bundle.sizes()}
    differing = [name for name, data in there.items() if content(read.bundle, name) != data]
    exact = [name for name in there if name not in differing]
    checks = [f"computed again from the log, to the byte: {', '.join(exact)}"] if exact else []
    rest = sorted(
        name for name in read.bundle.sizes() if name.startswith("out/") and name not in (*there, *_reports(read))
    )
    missing = [f"{', '.join(rest)}: signed, but not computed again"] if rest else []
    here, then = results.arithmetic(), read.entries.scored[-1].arithmetic
    if differing and here == then:
        by = elsewhere(read)
        raise EvidenceError(
            f"{differing[0]}: does not follow from the log: computed again, its bytes differ{by}",
            hint="verify with the version that made it; --no-recompute checks the rest with this one"
            if by
            else "it was changed before it was sealed",
        )
    else:
        for name in differing:
            found = rounded(name, content(read.bundle, name), there[name])
            checks.append(
                f"{name}: computed again from the log, the same but for rounding (tolerance {TOLERANCE:g}): {found}"
            )
            missing.append(f"{name} to the byte: sealed with {then}, computed again with {here}")
    done, without = vectors.compared()
    return checks + done, missing + without


def _blob(read: Read, name: str) -> bytes:
    """Return a blob of the bundle, whose bytes its seal lists by their digest."""
    file = f"evidence/blobs/{name}"
    if file not in read.bundle.sizes():
        raise EvidenceError(f"{file}: missing, and a record of the log names it", hint=HINT)
    data = content(read.bundle, file)
    if sha256(data) != name:
        raise EvidenceError(f"{file}: its bytes do not have the digest that is its name", hint=HINT)
    return data


def _reports(read: Read) -> set[str]:
    """Name the signed copies of reports, which are checked by themselves."""
    return {name for name in read.bundle.sizes() if name.endswith(pdf.SUFFIX)}


def signed_reports(read: Read) -> tuple[list[str], list[str]]:
    """Check every signed PDF against the report that it is a copy of."""
    checks: list[str] = []
    missing: list[str] = []
    for name in read.bundle.sizes():
        if name.startswith("out/") and name.endswith(pdf.SUFFIX):
            report = name.removesuffix(pdf.SUFFIX) + ".pdf"
            if report not in read.bundle.sizes():
                raise EvidenceError(f"{report}: is missing, and {name} is a signed copy of it", hint=HINT)
            found = pdf.check(content(read.bundle, name), content(read.bundle, report), name)
            if found.missing:
                missing.append(f"the signature of {name}: {found.missing}")
            else:
                checks.append(f"{name} is {report}, signed with the certificate {found.certificate} of {found.signer}")
                missing.append(f"that the certificate of {found.signer} is to be trusted: that is for a reader of PDFs")
    return checks, missing


def _annex(read: Read) -> annexes.Annex:
    """Take waivers, checks of the literature and a witness's words, which the report prints, from the bundle."""
    names = [name for name in annexes.FILES if name in read.bundle.sizes()]
    return annexes.parse({name: content(read.bundle, name) for name in names}, Path(read.bundle.name))


def _calibration(read: Read, dossier: Dossier) -> calibration.Loaded | None:
    """Take the calibration from the blobs, by the digest that was registered."""
    name = dossier.registration.case.protocol.calibration
    fact = next((f for f in dossier.registration.files if f.name == f"calibration {name}"), Fact(name="", value=""))
    if not name:
        return None
    blob = f"evidence/blobs/{fact.value}"
    if blob not in read.bundle.sizes():
        raise EvidenceError(f"{blob}: the registered calibration is missing", hint=HINT)
    rates = next((f.value for f in dossier.registration.files if f.name == f"error rates {name}"), "")
    try:
        found = calibration.parse(content(read.bundle, blob), name)
        if not rates:
            return found
        blob = f"evidence/blobs/{rates}"
        if blob not in read.bundle.sizes():
            raise EvidenceError(f"{blob}: the registered error rates are missing", hint=HINT)
        return calibration.joined(found, content(read.bundle, blob), name)
    except CaseError as error:
        raise EvidenceError(f"{blob}: {error.message}", hint=error.hint) from error
